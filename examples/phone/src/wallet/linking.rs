//! The connection to a band: called, up, lost, and what follows.

use armring_pairing::{Link, PairingLabel};
use armring_wallet::{Connection, Output};
use armring_wire::AttPayload;

use super::command::printable;
use super::{Call, Effect, Finding, Goal, Heard, How, Then, Tone, Wallet};
use crate::provider::random;

impl Wallet {
    pub(super) const fn is_linked(&self) -> bool {
        matches!(self.call, Call::Up { linked: true, .. })
    }

    pub(super) fn dial(&mut self, place: String, goal: Goal) {
        self.calls += 1;
        self.effects.push_back(Effect::Dial(self.calls, place.clone()));
        self.call = Call::Dialing { number: self.calls, place, goal };
    }

    /// Connects: resumes what was lost a moment ago, or begins anew.
    pub(super) fn connect(&mut self, place: String, next: usize) {
        let resumed = next == 0 && self.ticket.is_some();
        self.dial(place, Goal::Link { resumed, left: next });
    }

    /// The links to the band in use, in the order in which they are tried.
    fn links(&self) -> Vec<&Link> {
        self.book.in_use.iter().flat_map(|(band, _)| self.book.bands.links(band)).collect()
    }

    pub(super) fn heard(&mut self, number: u64, heard: Heard) {
        let current = match &self.call {
            Call::None => return,
            Call::Dialing { number, .. } | Call::Up { number, .. } | Call::Ending { number, .. } => *number,
        };
        if number != current {
            return;
        }
        match heard {
            Heard::Up(payload) => self.up(payload),
            Heard::Fragment(fragment) => self.fragment(&fragment),
            Heard::Over(why) => self.over(why),
        }
    }

    fn up(&mut self, payload: AttPayload) {
        let Call::Dialing { number, place, goal } = std::mem::replace(&mut self.call, Call::None) else { return };
        let connection = match &goal {
            Goal::Pair(How::Code) => Some(Connection::pair(payload)),
            Goal::Pair(How::Press) => Some(Connection::pair_by_press(payload)),
            // The label is as good as its secret is fresh: it is used once.
            Goal::Pair(How::Label(label)) => copy_label(label).map(|label| Connection::pair_with_label(label, payload)),
            Goal::Paired => None,
            Goal::Link { resumed, left } => {
                let link = self.links().get(*left).and_then(|link| Link::from_bytes(&link.to_bytes()));
                link.map(|link| match self.ticket.take().filter(|_| *resumed) {
                    Some(ticket) => Connection::resume(link, ticket, payload),
                    None => Connection::reconnect(link, payload),
                })
            }
        };
        let Some(connection) = connection else {
            self.call = Call::Ending { number, then: Then::Nothing };
            self.effects.push_back(Effect::HangUp);
            return self.say(Tone::Bad, "there is no link to this band any more: pair again");
        };
        self.call = Call::Up { number, place, connection: Box::new(connection), linked: false, goal };
        self.flush();
    }

    fn fragment(&mut self, fragment: &[u8]) {
        let Call::Up { connection, .. } = &mut self.call else { return };
        let result = connection.fragment(fragment, &self.book.key, &mut random());
        self.flush();
        if let Err(error) = result {
            self.say(Tone::Bad, &format!("{error}"));
        }
    }

    /// Does what the connection wants done. A link is stored before anything that follows it leaves.
    pub(super) fn flush(&mut self) {
        while let Call::Up { connection, .. } = &mut self.call {
            let Some(output) = connection.poll() else { return };
            match output {
                Output::Transmit(fragment) => self.effects.push_back(Effect::Transmit(fragment)),
                Output::Event(event) => self.event(event),
                Output::Disconnect => {
                    let then = self.what_follows();
                    self.hang_up(then);
                }
            }
        }
    }

    /// What follows the connection that ends now.
    fn what_follows(&self) -> Then {
        match &self.call {
            Call::Up { goal: Goal::Link { resumed: true, left }, place, linked: false, .. } => {
                Then::Link { place: place.clone(), next: *left }
            }
            Call::Up { goal: Goal::Link { resumed: false, left }, place, linked: false, .. } if left + 1 < self.links().len() => {
                Then::Link { place: place.clone(), next: left + 1 }
            }
            // Its link is provisional until a connection was made over it.
            Call::Up { goal: Goal::Paired, place, .. } => Then::Link { place: place.clone(), next: 0 },
            _ => Then::Nothing,
        }
    }

    /// Ends the connection, if there is one. What can be resumed of it is kept.
    pub(super) fn hang_up(&mut self, then: Then) {
        let number = match &mut self.call {
            Call::None => return self.goes_on(then),
            // Said twice, it is not waited for.
            Call::Ending { .. } if matches!(then, Then::Quit) => return self.effects.push_back(Effect::Quit),
            Call::Ending { then: next, .. } => {
                *next = then;
                return;
            }
            Call::Dialing { number, .. } => *number,
            Call::Up { number, connection, .. } => {
                self.ticket = connection.take_ticket();
                *number
            }
        };
        self.lose_what_was_asked();
        self.effects.push_back(Effect::HangUp);
        self.call = Call::Ending { number, then };
    }

    /// The person ends the connection.
    pub(super) fn disconnect(&mut self, then: Then) {
        if self.finding.take().is_some() {
            self.say(Tone::Plain, "no longer looking for bands");
        }
        if let Call::Up { connection, .. } = &mut self.call {
            connection.close();
            // The goodbye, and then the end.
            while let Call::Up { connection, .. } = &mut self.call {
                match connection.poll() {
                    Some(Output::Transmit(fragment)) => self.effects.push_back(Effect::Transmit(fragment)),
                    Some(_) => {}
                    None => break,
                }
            }
        } else if matches!((&self.call, &then), (Call::None, Then::Nothing)) {
            self.say(Tone::Plain, "no band is connected");
        }
        self.hang_up(then);
        // A goodbye: there is nothing to resume.
        self.ticket = None;
    }

    fn lose_what_was_asked(&mut self) {
        (self.task, self.awaited, self.status_asked, self.cancelling) = (None, None, None, false);
        (self.code, self.status) = (None, None);
        self.asked.retain(|_, purpose| !matches!(purpose, super::Purpose::Enrol | super::Purpose::KeysToEnrol(_)));
        if let Some(entry) = self.book.open_mut() {
            // What was given out last is asked again, once there is a connection.
            entry.payment.again();
        }
    }

    /// The connection has ended at both ends.
    fn over(&mut self, why: Option<String>) {
        let why = why.map(|why| format!(": {}", printable(&why, 200))).unwrap_or_default();
        let then = match &mut self.call {
            Call::None => return,
            Call::Dialing { place, .. } => {
                let place = printable(place, 40);
                self.call = Call::None;
                return self.say(Tone::Bad, &format!("no band answers at {place}{why}. Bring it near and say it again"));
            }
            Call::Ending { then, .. } => std::mem::replace(then, Then::Nothing),
            Call::Up { linked, connection, goal, .. } => {
                let (linked, pairing) = (*linked, matches!(goal, Goal::Pair(_)));
                self.ticket = connection.take_ticket();
                let then = self.what_follows();
                let again = !matches!(then, Then::Nothing);
                self.lose_what_was_asked();
                if linked {
                    self.say(
                        Tone::Bad,
                        &format!("the band is out of reach{why}. 'connect' when it is near: what was begun goes on"),
                    );
                } else if pairing {
                    self.say(Tone::Bad, &format!("the band hung up{why}: {}", NOT_PAIRED));
                } else if !again {
                    self.say(
                        Tone::Bad,
                        &format!("the band hung up{why}: it may have been reset; then 'forget' it and pair again"),
                    );
                }
                then
            }
        };
        self.call = Call::None;
        self.goes_on(then);
    }

    fn goes_on(&mut self, then: Then) {
        match then {
            Then::Nothing => {}
            Then::Quit => self.effects.push_back(Effect::Quit),
            Then::Link { place, next } => {
                self.ticket = None;
                if self.roams {
                    self.seek(Finding::Connect(next));
                } else {
                    self.connect(place, next);
                }
            }
        }
    }
}

pub(super) const NOT_PAIRED: &str = "nothing was paired. Its window is closed: hold its button for another attempt, then 'pair'";

/// The label once more.
fn copy_label(label: &PairingLabel) -> Option<PairingLabel> {
    let mut buffer = zeroize::Zeroizing::new([0; PairingLabel::URI_LEN]);
    PairingLabel::from_uri(label.to_uri(buffer.as_mut_slice()).ok()?).ok()
}
