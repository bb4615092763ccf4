//! The wallet: what a person says and what happens goes in, what is to be done and what is to be seen comes out. It has no terminal, no socket, no
//! file and no clock.
//!
//! ```text
//!  Command, Found, Heard, Answered ──▶ Wallet ──▶ Store, Dial, Transmit, Ask, Say
//!                                        └──▶ View
//! ```

mod banding;
pub mod command;
mod enrolling;
mod finding;
mod linking;
mod paying;
mod says;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, VecDeque};

use armring_pairing::{PairingLabel, ResumeTicket};
use armring_wallet::Connection;
use armring_wire::UnixTime;
use armring_wire::records::band::Status;

use crate::book::Book;
use command::Command;
pub use says::{Effect, Found, Heard, Input, Line, Tone};
pub use view::View;

/// A phone's wallet. After each [`handle`](Self::handle), do all that [`poll`](Self::poll) gives, in order; then draw the [`view`](Self::view).
pub struct Wallet {
    book: Book,
    /// Whether bands are at another place each time.
    roams: bool,
    effects: VecDeque<Effect>,
    now: UnixTime,
    call: Call,
    calls: u64,
    /// What the band that is looked for is for.
    finding: Option<Finding>,
    found: Vec<Found>,
    code: Option<Shown>,
    /// What the band was asked for and has not answered.
    task: Option<Task>,
    /// What the band waits for, in its words.
    awaited: Option<String>,
    status: Option<Status>,
    /// A person, or this wallet, wants to know how the band is.
    status_asked: Option<By>,
    cancelling: bool,
    used_elsewhere: bool,
    /// What the next connection is resumed with: in memory alone.
    ticket: Option<ResumeTicket>,
    asks: u64,
    asked: BTreeMap<u64, Purpose>,
}

/// A connection.
enum Call {
    None,
    Dialing { number: u64, place: String, goal: Goal },
    Up { number: u64, place: String, connection: Box<Connection>, linked: bool, goal: Goal },
    Ending { number: u64, then: Then },
}

/// What a connection is for.
enum Goal {
    Pair(How),
    /// It has paired, and is over.
    Paired,
    /// This link, and then these.
    Link {
        resumed: bool,
        left: usize,
    },
}

/// How to pair.
enum How {
    Code,
    Press,
    Label(PairingLabel),
}

/// What follows a connection that has ended.
enum Then {
    Nothing,
    /// Connect to the band there, which was just paired, or to which this is the next link to be tried.
    Link {
        place: String,
        next: usize,
    },
    Quit,
}

/// What a band is looked for for.
enum Finding {
    /// To say which there are.
    List,
    Pair(How),
    /// To connect with the link of this number.
    Connect(usize),
}

/// A code, and whether the whole of it was shown.
struct Shown {
    digits: String,
    shown: bool,
}

/// What a band was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Enrol,
    Pay,
    Paid,
    Unlock,
    Keys,
    Forget,
}

/// Who wants to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Person,
    Wallet,
}

/// Why somebody was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// What is to be paid, of whoever is there.
    Offer(String),
    /// The receipt for the token.
    Token,
    /// The key list, to enrol with this code.
    KeysToEnrol([u8; 16]),
    /// The key list, for the band.
    Keys,
    /// The issuer's part of an enrolment.
    Enrol,
}

impl Wallet {
    /// A wallet with this memory, whose bands are at another place each time, or not.
    #[must_use]
    pub fn new(book: Book, roams: bool) -> Self {
        Self {
            book,
            roams,
            effects: VecDeque::new(),
            now: UnixTime::EPOCH,
            call: Call::None,
            calls: 0,
            finding: None,
            found: Vec::new(),
            code: None,
            task: None,
            awaited: None,
            status: None,
            status_asked: None,
            cancelling: false,
            used_elsewhere: false,
            ticket: None,
            asks: 0,
            asked: BTreeMap::new(),
        }
    }

    /// Whether nothing is on its way that ends by itself, or with what the band's wearer does.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let settled = matches!(self.call, Call::None | Call::Up { linked: true, .. });
        settled && self.finding.is_none() && self.task.is_none() && self.status_asked.is_none() && self.asked.is_empty()
    }

    /// The code that a person is to compare, once there is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_ref().map(|code| code.digits.as_str())
    }

    /// What is to be stored.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Something happened, at `now`.
    pub fn handle(&mut self, input: Input, now: UnixTime) {
        self.now = now;
        match input {
            Input::Said(command) => self.obey(command),
            Input::CodeShown => self.code_shown(),
            Input::Found(found) => self.found(found),
            Input::FindOver(result) => self.find_over(result),
            Input::Heard(number, heard) => self.heard(number, heard),
            Input::Answered(number, answer) => self.answered(number, answer),
            Input::NotStored(why) => self.not_stored(&why),
            Input::Tick => {
                if self.is_linked() && self.task.is_none() {
                    self.ask_status(By::Wallet);
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Help(on) => command::help(on.as_deref()).into_iter().for_each(|line| self.say(Tone::Plain, &line)),
            Command::Find => self.find(Finding::List),
            Command::Pair(at) => self.call_band(at, Finding::Pair(How::Code)),
            Command::Press(at) => self.call_band(at, Finding::Pair(How::Press)),
            Command::Connect(at) => self.call_band(at, Finding::Connect(0)),
            Command::Scan { what, at } => self.scanned(&what, at),
            Command::Yes => self.accept(),
            Command::No => self.refuse(),
            Command::Disconnect => self.disconnect(Then::Nothing),
            Command::Quit => self.disconnect(Then::Quit),
            Command::Status => {
                if self.is_linked() {
                    self.ask_status(By::Person);
                } else {
                    self.tell_status();
                }
            }
            Command::Unlock => self.unlock(),
            Command::Enrol(code) => self.enrol(code),
            Command::Keys => self.ask_keys(Purpose::Keys),
            Command::Pay(at) => self.ask_offer(at),
            Command::Again => self.pay_again(),
            Command::Cancel => self.cancel(),
            Command::Receipts => self.tell_receipts(),
            Command::Forget => self.forget(),
        }
    }

    fn say(&mut self, tone: Tone, text: &str) {
        self.effects.push_back(Effect::Say(Line { tone, text: text.to_owned() }));
    }

    fn store(&mut self) {
        self.effects.push_back(Effect::Store);
    }

    /// Asks somebody; the answer is told with its purpose.
    fn ask(&mut self, purpose: Purpose, at: String, record: Vec<u8>) {
        self.asks += 1;
        // What the issuer says to an enrolment, it says on the connection on which it began.
        let anew = !matches!(purpose, Purpose::Enrol);
        self.asked.insert(self.asks, purpose);
        self.effects.push_back(Effect::Ask { number: self.asks, at, record, anew });
    }

    fn answered(&mut self, number: u64, answer: Result<Vec<u8>, String>) {
        let Some(purpose) = self.asked.remove(&number) else { return };
        match purpose {
            Purpose::Offer(at) => self.offered(at, answer),
            Purpose::Token => self.payee_said(answer),
            Purpose::KeysToEnrol(_) | Purpose::Keys => self.keys_came(purpose, answer),
            Purpose::Enrol => self.issuer_said(answer),
        }
    }

    /// What this phone knows must last before anything comes of it: where it does not, nothing does.
    fn not_stored(&mut self, why: &str) {
        for undone in std::mem::take(&mut self.effects) {
            match undone {
                Effect::Ask { number, .. } => drop(self.asked.remove(&number)),
                Effect::Find => self.finding = None,
                Effect::Dial(..) => self.call = Call::None,
                _ => {}
            }
        }
        self.say(Tone::Bad, why);
        self.hang_up(Then::Nothing);
        if matches!(self.call, Call::Ending { .. }) {
            // That may have been among what was not done; twice is once.
            self.effects.push_back(Effect::HangUp);
        }
    }

    fn tell_status(&mut self) {
        let view = self.view();
        self.say(Tone::Plain, &view.link);
        for (what, how) in view.band.iter().chain(&view.payment) {
            self.say(Tone::Plain, &format!("{what:<9} {how}"));
        }
    }

    fn tell_receipts(&mut self) {
        let receipts = self.view().receipts;
        if receipts.is_empty() {
            self.say(Tone::Plain, "nothing was paid with this phone yet");
        }
        receipts.iter().for_each(|receipt| self.say(Tone::Plain, receipt));
    }
}
