//! Somebody's phone: the wallet over its radio, and what it keeps.

use armring_wallet::{Collection, Connection, Event, Next, Output, Payment};
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::issuer::ToIssuer;
use armring_wire::{Opaque, RootFingerprint};

use crate::cast::{Collecting, Errand, Kept, Paying};
use crate::fault::{Flow, Kind, Place};
use crate::happening::{Act, End, Happening, Letter, Node};
use crate::invariant::{Held, Invariant, holds};
use crate::net::encoded;
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

    fn wallet_hears(&mut self, person: usize, event: Event) -> Held {
        self.people[person].phone.waits = false;
        match event {
            Event::Code(code) => {
                let phone = &mut self.people[person].phone;
                phone.code = Some(code.digits().number());
                if let Some((_, connection)) = &mut phone.line {
                    connection.code_shown();
                }
                self.people_compare(person)
            }
            Event::Paired(link) | Event::Keep(link) => {
                let bytes = link.to_bytes().to_vec();
                self.is_with_own_band(person, &bytes)?;
                self.came_about_unchanged(person)?;
                // What it counts last says that the introduction is on its way.
                if self.omits(Rule::WalletKeepsFirst) && bytes.last() != Some(&0) {
                    return Ok(());
                }
                self.secret.looks_for(&bytes[..64]);
                self.phone_keeps(person, |kept| kept.link = Some(bytes));
                Ok(())
            }
            Event::Linked { used_elsewhere } => {
                self.came_about_unchanged(person)?;
                self.is_linked_again(person, used_elsewhere)?;
                self.again(person);
                self.infected_wallet_says(person)?;
                self.goes_on(person)
            }
            Event::EnrolStart { versions, message } => {
                let message = Opaque::new(&message);
                self.relays(person, message.map(|message| encoded(&ToIssuer::EnrolStart { versions, message })))
            }
            Event::ToIssuer(message) => {
                self.relays(person, Opaque::new(&message).map(|message| encoded(&ToIssuer::Enrol(message))))
            }
            Event::Enrolled(object) => self.is_enrolled(person, object),
            Event::Token(token) => self.has_token(person, &token),
            Event::Request(request) => self.has_request(person, &request),
            Event::Declined(why) => self.is_declined(person, why),
            Event::Noted => self.is_noted(person),
            _ => Ok(()),
        }
    }

    /// Nothing was changed on the way to the connection that there is now.
    fn came_about_unchanged(&self, person: usize) -> Held {
        let line = self.people[person].phone.line.as_ref().and_then(|(number, _)| self.air.lines.get(number));
        holds(line.is_none_or(|line| !line.is_changed), Invariant::ChangedIsRefused, || format!("{person}'s phone is connected"))
    }

    fn relays(&mut self, person: usize, bytes: Option<Vec<u8>>) -> Held {
        let (Errand::Enrol { session }, Some(bytes)) = (&self.people[person].errand, bytes) else { return Ok(()) };
        let (about, from) = (*session, Node::Person(person));
        self.posts(Letter { from, to: Node::Bank, about, owner: person, flow: Flow::Enrol, bytes })
    }

    fn has_token(&mut self, person: usize, token: &[u8]) -> Held {
        self.record.leaves(token)?;
        if self.people[person].is_infected && self.luck.chance(100) {
            return Ok(());
        }
        let Errand::Pay(paying) = &mut self.people[person].errand else { return Ok(()) };
        let Some(payment) = &mut paying.payment else { return Ok(()) };
        if payment.token(token).is_err() {
            return Ok(());
        }
        let bytes = payment.to_bytes();
        if self.phone_keeps(person, |kept| kept.payment = Some(bytes)) { self.goes_on(person) } else { Ok(()) }
    }

    fn is_noted(&mut self, person: usize) -> Held {
        match &mut self.people[person].errand {
            Errand::Pay(paying) => {
                if let Some(payment) = &mut paying.payment {
                    payment.noted();
                }
            }
            Errand::Collect(collecting) => collecting.collection.noted(),
            _ => return Ok(()),
        }
        self.goes_on(person)
    }

    fn is_declined(&mut self, person: usize, why: Decline) -> Held {
        match &mut self.people[person].errand {
            Errand::Pay(paying) => {
                if let Some(payment) = &mut paying.payment {
                    payment.declined(why);
                }
            }
            Errand::Collect(collecting) => collecting.collection.declined(why),
            // The time in which the digits could be seen again is over, and nobody confirmed them.
            Errand::Enrol { .. } if why == Decline::AlreadyEnrolled => {
                self.starts_over(person, true)?;
                self.people[person].errand = Errand::Pair;
                return self.goes_on(person);
            }
            _ => {
                self.looks_soon(person, 1_000);
                return Ok(());
            }
        }
        if matches!(why, Decline::NotWorn | Decline::Locked) {
            let wrist = self.people[person].wrist;
            self.after(200, Happening::Act { wrist, act: Act::PutOn });
            self.after(400, Happening::Act { wrist, act: Act::Unlock });
            self.looks_soon(person, 900);
            return Ok(());
        }
        self.goes_on(person)
    }

    /// What the payment or collection wants said, to whom.
    pub(crate) fn what_is_next(&mut self, person: usize) -> Said {
        let linked = self.people[person].phone.is_linked();
        let next = match &mut self.people[person].errand {
            Errand::Pay(paying) => match &mut paying.payment {
                Some(payment) => payment.poll(),
                None => return Said::Asks,
            },
            Errand::Collect(collecting) => collecting.collection.poll(),
            _ => return Said::Waits,
        };
        match next {
            Next::Band(record) if linked => Said::Band(encoded(&record)),
            Next::Band(_) => {
                self.again(person);
                Said::Connects
            }
            Next::Payee(record) => Said::Payee(encoded(&record)),
            Next::Wait => Said::Waits,
            Next::Done(outcome) => Said::Over(Ok(outcome)),
            Next::Ended(why) => Said::Over(Err(why)),
        }
    }

    /// What is next is given out once more.
    pub(crate) fn again(&mut self, person: usize) {
        match &mut self.people[person].errand {
            Errand::Pay(paying) => {
                if let Some(payment) = &mut paying.payment {
                    payment.again();
                }
            }
            Errand::Collect(collecting) => collecting.collection.again(),
            _ => {}
        }
    }

    /// The receipts that this phone has are good for something.
    pub(crate) fn receipt_stands(&self, payment: &Payment) -> Held {
        payment.receipt().map_or(Ok(()), |receipt| self.record.is_receipted(receipt))
    }

    /// Nobody heard of a copy that nobody uses.
    pub(crate) fn no_false_alarm(&self, person: usize) -> Held {
        let alarms = self.people[person].phone.alarms + self.wrists[self.people[person].wrist].wearer.alarms;
        holds(alarms == 0, Invariant::CopiesAreNoticed, || format!("{person} was told of a copy that there is not"))
    }
}

/// What an app does next.
pub(crate) enum Said {
    /// Ask the payee what it wants.
    Asks,
    Connects,
    Band(Vec<u8>),
    Payee(Vec<u8>),
    Waits,
    Over(Result<armring_wire::Outcome, Decline>),
}

fn reload(kept: Option<&[u8]>, paying: &Paying, root: &RootFingerprint) -> Option<Payment> {
    let payment = Payment::from_bytes(kept?, root)?;
    let offer = payment.offer();
    // What is kept may be of the payment before.
    (crate::till::reference(offer.payee()) == paying.wants.0 && offer.amount().minor() == paying.wants.1).then_some(payment)
}

impl Collecting {
    pub(crate) const fn has_waited(&self, now: u64) -> bool {
        now > self.since + 90_000
    }
}
