//! What the band says, and what the person says to it.

use armring_loopback::money::show;
use armring_wallet::Event;
use armring_wire::records::band::{Decline, ToBand};

use super::linking::NOT_PAIRED;
use super::view::payee;
use super::{By, Call, Goal, Shown, Task, Then, Tone, Wallet};
use crate::provider::random;

impl Wallet {
    /// Something happened on the connection.
    pub(super) fn event(&mut self, event: Event) {
        match event {
            Event::Code(code) => {
                let digits = code.digits().to_string();
                self.say(
                    Tone::Ask,
                    &format!("This phone's code is {digits}. If the band shows the same: 'yes', and press the band. Else: 'no'"),
                );
                self.code = Some(Shown { digits, shown: false });
            }
            Event::Paired(link) => {
                let Call::Up { place, goal, .. } = &mut self.call else { return };
                *goal = Goal::Paired;
                let place = place.clone();
                self.book.in_use = Some((*link.peer(), place));
                self.book.bands.add(link);
                (self.code, self.ticket, self.used_elsewhere) = (None, None, false);
                self.store();
                self.say(Tone::Good, "paired");
            }
            Event::Keep(link) => {
                self.book.bands.add(link);
                self.store();
            }
            Event::Linked { used_elsewhere } => self.linked(used_elsewhere),
            Event::Status(status) => {
                self.status = Some(status);
                if self.status_asked.take() == Some(By::Person) {
                    self.tell_status();
                }
                self.go_on();
            }
            Event::EnrolStart { versions, message } => self.enrol_begins(versions, &message),
            Event::ToIssuer(message) => self.for_issuer(&message),
            Event::Enrolled(object) => self.enrolled(object),
            Event::Waiting(awaited) => {
                self.awaited = Some(awaited.to_string());
                self.say(Tone::Ask, &format!("the band waits for {awaited}. 'cancel' gives it up"));
            }
            Event::Token(token) => self.token_came(&token),
            Event::Declined(why) => self.declined(why),
            Event::Noted => self.noted(),
            Event::Unpaired => {
                if let Some((band, _)) = self.book.in_use {
                    self.book.forget(&band);
                    self.store();
                }
                self.say(Tone::Good, "the band has forgotten this phone, and this phone the band");
                (self.task, self.awaited) = (None, None);
                self.hang_up(Then::Nothing);
                self.ticket = None;
            }
            Event::Unknown(_) => {
                (self.task, self.awaited) = (None, None);
                self.say(Tone::Bad, "the band is older than this phone and cannot do that: update it");
            }
            Event::Closed if self.code.is_some() => self.say(Tone::Bad, &format!("the band said no: {NOT_PAIRED}")),
            Event::Closed => self.say(Tone::Plain, "the band said goodbye"),
            _ => self.say(Tone::Bad, "the band said something that nobody asked for; it was passed over"),
        }
    }

    fn linked(&mut self, used_elsewhere: bool) {
        let Call::Up { linked, goal, place, .. } = &mut self.call else { return };
        *linked = true;
        let resumed = matches!(goal, Goal::Link { resumed: true, .. });
        let place = place.clone();
        if let Some((_, known)) = &mut self.book.in_use
            && *known != place
        {
            *known = place;
            self.store();
        }
        self.used_elsewhere |= used_elsewhere;
        self.say(Tone::Good, if resumed { "connected again" } else { "connected" });
        if used_elsewhere {
            self.say(Tone::Bad, "somebody else has used this link, with a copy of it: 'forget' it now, and pair again");
        }
        if let Some(entry) = self.book.open() {
            let going_on = format!("going on with {} to {}", show(entry.payment.offer().amount()), payee(entry));
            self.say(Tone::Plain, &going_on);
        }
        if resumed {
            // The band is asked by the resuming itself.
            self.status_asked = Some(By::Wallet);
        } else {
            self.ask_status(By::Wallet);
        }
    }

    /// Says something to the band, if there is a connection.
    pub(super) fn say_to_band(&mut self, record: &ToBand<'_>) -> bool {
        let Call::Up { connection, linked: true, .. } = &mut self.call else {
            self.say(Tone::Bad, "no band is connected: 'connect' first");
            return false;
        };
        match connection.say(record) {
            Ok(()) => {
                self.flush();
                true
            }
            Err(error) => {
                self.say(Tone::Bad, &error.to_string());
                false
            }
        }
    }

    /// Asks the band for something that it answers, unless it is busy.
    pub(super) fn ask_band(&mut self, task: Task, record: &ToBand<'_>) {
        if self.is_free() && self.say_to_band(record) {
            self.task = Some(task);
        }
    }

    /// Whether the band has answered all that it was asked; says so if not.
    pub(super) fn is_free(&mut self) -> bool {
        if self.task.is_some() {
            self.say(Tone::Bad, "the band is busy with something else: wait, or 'cancel'");
        }
        self.task.is_none()
    }

    pub(super) fn ask_status(&mut self, by: By) {
        match (&mut self.status_asked, by) {
            (Some(asked), By::Person) => *asked = by,
            (Some(_), By::Wallet) => {}
            (None, by) => {
                if self.say_to_band(&ToBand::Status) {
                    self.status_asked = Some(by);
                }
            }
        }
    }

    pub(super) fn code_shown(&mut self) {
        if let (Some(code), Call::Up { connection, .. }) = (&mut self.code, &mut self.call) {
            code.shown = true;
            connection.code_shown();
        }
    }

    pub(super) fn accept(&mut self) {
        let (Some(code), Call::Up { connection, .. }) = (&self.code, &mut self.call) else {
            return self.say(Tone::Bad, "there is no code to compare");
        };
        if !code.shown {
            return self.say(Tone::Bad, "the whole code is not on the screen: make the window larger, and compare");
        }
        match connection.accept_code(&mut random()) {
            Ok(()) => {
                self.code = None;
                self.flush();
                self.say(Tone::Ask, "now press the band, if it shows the same code");
            }
            Err(error) => self.say(Tone::Bad, &error.to_string()),
        }
    }

    pub(super) fn refuse(&mut self) {
        if self.code.is_none() {
            return self.say(Tone::Bad, "there is no code to compare");
        }
        self.code = None;
        self.disconnect(Then::Nothing);
        self.say(Tone::Plain, &format!("the codes differ: {NOT_PAIRED}. If they differ again, somebody stands between"));
    }

    pub(super) fn unlock(&mut self) {
        self.ask_band(Task::Unlock, &ToBand::Unlock);
    }

    pub(super) fn forget(&mut self) {
        match self.book.in_use {
            None => self.say(Tone::Bad, "no band is paired"),
            Some((band, _)) if !self.is_linked() => {
                self.book.forget(&band);
                self.ticket = None;
                self.store();
                self.say(
                    Tone::Plain,
                    "this phone has forgotten the band. The band, out of reach, has not: reset it if it is yours",
                );
            }
            Some(_) => self.ask_band(Task::Forget, &ToBand::Unpair),
        }
    }

    pub(super) fn cancel(&mut self) {
        match self.task {
            None => self.give_up_payment(),
            Some(_) => {
                if self.say_to_band(&ToBand::Cancel) {
                    self.cancelling = true;
                }
            }
        }
    }

    fn declined(&mut self, why: Decline) {
        let task = self.task.take();
        self.awaited = None;
        match task {
            Some(Task::Pay | Task::Paid) => self.payment_declined(why),
            _ => self.say(Tone::Bad, &format!("the band declines: {why}{}", what_helps(why))),
        }
        self.go_on();
    }

    fn noted(&mut self) {
        self.awaited = None;
        if std::mem::take(&mut self.cancelling) {
            return match self.task.take() {
                Some(Task::Pay) => self.give_up_payment(),
                Some(_) => self.say(Tone::Plain, "given up"),
                // What was asked for came first.
                None => {}
            };
        }
        match self.task.take() {
            Some(Task::Paid) => self.wrist_told(),
            Some(Task::Unlock) => {
                self.say(Tone::Good, "the band is unlocked");
                self.ask_status(By::Wallet);
            }
            Some(Task::Keys) => self.say(Tone::Good, "the band has the issuer's newest keys"),
            _ => {}
        }
        self.go_on();
    }
}

/// What the person, or the wearer, can do about it.
pub(super) fn what_helps(why: Decline) -> &'static str {
    match why {
        Decline::NotWorn => ". Put it on, unlock it, then 'again'",
        Decline::Locked => ". Unlock it on the wrist, or with 'unlock', then 'again'",
        Decline::Busy | Decline::Machine => ". Say it again in a moment",
        Decline::NoCredential => ": 'enrol' it, with a code from the issuer's page",
        Decline::OverLimit => ". 'status' says what it is",
        Decline::AlreadyEnrolled => ": there is nothing to do",
        _ => "",
    }
}
