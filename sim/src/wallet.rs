//! What a wallet hears of its band, and what it does next for what its person wants.

use armring_wallet::{Event, Next, Payment};
use armring_wire::Opaque;
use armring_wire::records::band::Decline;
use armring_wire::records::issuer::ToIssuer;

use crate::fault::Flow;
use crate::happening::{Act, Happening, Letter, Node};
use crate::invariant::{Held, Invariant, holds};
use crate::net::encoded;
use crate::roles::{Collecting, Errand};
use crate::rule::Rule;
use crate::world::World;

impl World {
    pub(crate) fn wallet_hears(&mut self, person: usize, event: Event) -> Held {
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

impl Collecting {
    pub(crate) const fn has_waited(&self, now: u64) -> bool {
        now > self.since + 90_000
    }
}
