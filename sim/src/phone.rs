//! Somebody's phone: the wallet over its radio, and what it keeps.

use armring_wallet::{Collection, Connection, Output, Payment};
use armring_wire::RootFingerprint;
use armring_wire::records::band::ToBand;

use crate::fault::{Kind, Place};
use crate::happening::End;
use crate::invariant::Held;
use crate::roles::{Errand, Kept, Paying};
use crate::rule::Rule;
use crate::world::World;

/// How long a phone whose connection was lost waits before it connects anew, in milliseconds.
const AGAIN: u64 = 1_500;

impl World {
    /// Connects to the band, in the cheapest way that there is.
    pub(crate) fn phone_connects(&mut self, person: usize) -> Held {
        if self.people[person].phone.line.is_some() {
            return Ok(());
        }
        let Some(mut link) = self.people[person].phone.link() else { return Ok(()) };
        let lost = self.people[person].phone.kept.link.as_deref().and_then(<[u8]>::last).copied();
        self.people[person].phone.has_lost |= lost != Some(0);
        if self.omits(Rule::GenerationsAgree) {
            // As if it had lost as many answers as there can be.
            while link.introduce().1 < u8::MAX {}
        }
        let (payload, ticket) = (self.payload(person), self.people[person].phone.ticket.take());
        self.people[person].phone.is_resuming = ticket.is_some();
        let connection = match ticket {
            Some(ticket) => Connection::resume(link, ticket, payload),
            None => Connection::reconnect(link, payload),
        };
        self.phone_calls(person, connection)
    }

    /// This connection begins, if the band is free.
    pub(crate) fn phone_calls(&mut self, person: usize, connection: Connection) -> Held {
        let Some(line) = self.connects(person)? else { return Ok(()) };
        let phone = &mut self.people[person].phone;
        (phone.line, phone.waits) = (Some((line, connection)), false);
        Ok(())
    }

    /// Ends the connection, and keeps what it can be resumed with.
    pub(crate) fn phone_hangs_up(&mut self, person: usize) {
        let phone = &mut self.people[person].phone;
        if let Some((line, mut connection)) = phone.line.take() {
            // A resume that failed is not tried again: the band may have restarted.
            let failed = phone.is_resuming && !connection.is_linked();
            phone.ticket = connection.take_ticket().filter(|_| !failed);
            phone.waits = false;
            self.cut(line, 3);
        }
        self.is_alone_again(person);
    }

    /// The connection is gone.
    pub(crate) fn phone_is_alone(&mut self, person: usize, line: u32) -> Held {
        if self.people[person].phone.line.as_ref().is_some_and(|(own, _)| *own == line) {
            self.phone_hangs_up(person);
            self.looks_soon(person, AGAIN);
        }
        Ok(())
    }

    pub(crate) fn phone_hears(&mut self, person: usize, number: u32, bytes: &[u8]) -> Held {
        let phone = &mut self.people[person].phone;
        let Some((line, connection)) = &mut phone.line else { return Ok(()) };
        if *line != number {
            return Ok(());
        }
        let _ = connection.fragment(bytes, &phone.key, &mut self.rng);
        self.phone_does(person, number)
    }

    /// Does what the connection wants done, for as long as it is this one.
    pub(crate) fn phone_does(&mut self, person: usize, number: u32) -> Held {
        loop {
            let Some((line, connection)) = &mut self.people[person].phone.line else { return Ok(()) };
            if *line != number {
                return Ok(());
            }
            match connection.poll() {
                None => return Ok(()),
                Some(Output::Transmit(bytes)) => self.transmits(number, End::Band, &bytes)?,
                Some(Output::Event(event)) => self.wallet_hears(person, event)?,
                Some(Output::Disconnect) => {
                    self.phone_hangs_up(person);
                    self.looks_soon(person, AGAIN);
                }
            }
        }
    }

    /// Says something to the band.
    pub(crate) fn phone_says(&mut self, person: usize, record: &ToBand<'_>) -> Held {
        let phone = &mut self.people[person].phone;
        let Some((line, connection)) = &mut phone.line else { return Ok(()) };
        if connection.say(record).is_err() {
            return Ok(());
        }
        phone.waits = true;
        let line = *line;
        self.phone_does(person, line)
    }

    /// Writes something down for good. Whether the phone is still on then.
    pub(crate) fn phone_keeps(&mut self, person: usize, change: impl FnOnce(&mut Kept)) -> bool {
        let flow = self.radio_flow(person);
        match self.fate(person, flow, Place::Disk) {
            Some((Kind::Power, mut dice)) => {
                if dice.chance(500) {
                    change(&mut self.people[person].phone.kept);
                }
                self.phone_restarts(person);
                false
            }
            _ => {
                change(&mut self.people[person].phone.kept);
                true
            }
        }
    }

    fn phone_restarts(&mut self, person: usize) {
        self.phone_hangs_up(person);
        let root = self.bank.root;
        let phone = &mut self.people[person].phone;
        phone.ticket = None;
        let kept = phone.kept.clone();
        match &mut self.people[person].errand {
            Errand::Pay(paying) => paying.payment = reload(kept.payment.as_deref(), paying, &root),
            Errand::Collect(collecting) => {
                if let Some(kept) = kept.collection.as_deref().and_then(Collection::from_bytes) {
                    collecting.collection = kept;
                }
            }
            _ => {}
        }
        self.looks_soon(person, 1_500);
    }
}

fn reload(kept: Option<&[u8]>, paying: &Paying, root: &RootFingerprint) -> Option<Payment> {
    let payment = Payment::from_bytes(kept?, root)?;
    let offer = payment.offer();
    // What is kept may be of the payment before.
    (crate::till::reference(offer.payee()) == paying.wants.0 && offer.amount().minor() == paying.wants.1).then_some(payment)
}
