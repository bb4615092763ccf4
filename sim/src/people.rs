//! People and what they want: to pair, to enrol, to pay, to be paid.

use armring_band::Face;
use armring_wallet::Collection;

use crate::cast::{Collecting, Errand, LIMITS, Paying, Person, unix, yuan};
use crate::dice::Dice;
use crate::fault::Flow;
use crate::happening::{Act, Happening};
use crate::invariant::Held;
use crate::queue::Time;
use crate::world::World;

/// How long people wait before they try again, in milliseconds.
const PATIENCE: Time = 4_000;
/// Pairing, then enrolling.
const PREPARATIONS: u32 = 2;

impl World {
    /// In the middle of what somebody is.
    pub(crate) fn flow(&self, person: usize) -> Flow {
        match &self.people[person].errand {
            Errand::Pair => Flow::Pair,
            Errand::Enrol { .. } => Flow::Enrol,
            Errand::Collect(_) => Flow::Receive,
            Errand::Pay(_) | Errand::Rest => Flow::Pay,
        }
    }

    /// Whom somebody wants to pay now, and how much.
    pub(crate) fn wants(&self, person: usize) -> Option<([u8; 9], u64)> {
        match &self.people[person].errand {
            Errand::Pay(paying) => Some(paying.wants),
            _ => None,
        }
    }

    /// Somebody looks again soon, and no later.
    pub(crate) fn looks_soon(&mut self, person: usize, milliseconds: Time) {
        self.people[person].turn += 1;
        let turn = self.people[person].turn;
        self.after(milliseconds, Happening::Look { person, turn });
    }

    /// Nothing has come for a while.
    pub(crate) fn looks_again(&mut self, person: usize, turn: u32) -> Held {
        if self.people[person].turn != turn {
            return Ok(());
        }
        let phone = &self.people[person].phone;
        if phone.line.is_some() && (phone.waits || !phone.is_linked()) {
            self.phone_hangs_up(person);
        }
        self.again(person);
        self.goes_on(person)
    }

    /// Does the next thing for what somebody wants.
    pub(crate) fn goes_on(&mut self, person: usize) -> Held {
        if self.people[person].is_done {
            return Ok(());
        }
        self.looks_soon(person, PATIENCE);
        match &self.people[person].errand {
            Errand::Rest => self.begins(person),
            Errand::Pair => self.pairs(person),
            Errand::Enrol { .. } => self.enrols(person),
            Errand::Pay(_) | Errand::Collect(_) => self.pays(person),
        }
    }

    /// The next errand.
    fn begins(&mut self, person: usize) -> Held {
        let done = self.faults.errand(person);
        let most = self.setup.errands + PREPARATIONS;
        if done >= most && !self.is_calm() {
            return Ok(());
        }
        let kept = self.faults.next_errand(person);
        let number = self.faults.errand(person);
        if kept.is_some() {
            self.begun.push((u32::try_from(person).unwrap_or(u32::MAX), number));
        }
        let is_thief = self.people[person].is_thief;
        self.operator_does(person, number);
        if kept.is_some() && self.has_a_new_phone(person, number) {
            self.starts_over(person, number.is_multiple_of(2))?;
        }
        let is_known = number <= 5 || self.confirms(person)?;
        let Person { phone, credential, .. } = &self.people[person];
        let errand = match (&phone.kept.link, credential) {
            (None, _) if !is_thief => Some(Errand::Pair),
            (_, None) if !is_thief => Some(Errand::Enrol { session: self.session(person) }),
            _ if !is_known => Some(Errand::Enrol { session: self.session(person) }),
            _ if kept.is_none() => None,
            _ => self.wishes(person, number),
        };
        match errand {
            Some(errand) => self.people[person].errand = errand,
            None => return Ok(()),
        }
        self.people[person].phone.kept.payment = None;
        let wearer = &self.wrists[self.people[person].wrist].wearer;
        if !wearer.is_on || wearer.unlocked < 2 {
            let wrist = self.people[person].wrist;
            self.wearer_acts(wrist, Act::PutOn)?;
            self.wearer_acts(wrist, Act::Unlock)?;
        }
        self.goes_on(person)
    }

    /// What somebody wants next.
    fn wishes(&mut self, person: usize, number: u32) -> Option<Errand> {
        let mut dice = Dice::named(&[self.setup.seed, 0xe44a, person as u64, u64::from(number)]);
        let (since, is_thief) = (self.now(), self.people[person].is_thief);
        if let (Some((till, sale)), false) = (self.people[person].owes.pop_front(), self.is_calm()) {
            let asked = self.tills[till].sales.get(&sale).map(|sale| (self.tills[till].reference, sale.amount().minor()));
            if let Some(wants) = asked.filter(|(_, amount)| *amount <= LIMITS.each) {
                return Some(Errand::Pay(Box::new(Paying { till, sale, wants, payment: None, since })));
            }
        }
        let sale = u64::from(number) << 16 | person as u64;
        if !is_thief && !self.is_calm() && dice.chance(350) {
            let amount = dice.between(LIMITS.free, LIMITS.press);
            self.private.looks_for(&amount.to_le_bytes());
            let collection = Collection::new(yuan(amount), unix(since + 3_600_000), "for the tea")?;
            return Some(Errand::Collect(Box::new(Collecting { collection, sale, since })));
        }
        let amount = match dice.below(20) {
            _ if self.is_calm() => dice.between(1 << 33, 1 << 34),
            _ if person % 6 == 4 && !dice.chance(50) => dice.between(1 << 36, 1 << 37),
            0..6 => dice.between(1 << 36, LIMITS.free),
            6..16 => dice.between(LIMITS.free, LIMITS.press),
            _ => dice.between(LIMITS.press, LIMITS.each),
        };
        let forges = is_thief && !self.is_calm() && (number < 5 || dice.chance(200));
        let amount = if forges { dice.between(1 << 38, LIMITS.each * 2) } else { amount };
        let till = dice.index(self.setup.shops);
        let seconds = if dice.chance(120) && !self.is_calm() { 12 } else { 7_200 };
        self.new_sale(till, sale, amount, seconds);
        if forges {
            self.forges(person, till, sale, &mut dice);
            return None;
        }
        let wants = (self.tills[till].reference, amount);
        Some(Errand::Pay(Box::new(Paying { till, sale, wants, payment: None, since })))
    }

    /// Somebody has what they wanted, or does not want it any more.
    pub(crate) fn is_over(&mut self, person: usize) -> Held {
        let errand = std::mem::replace(&mut self.people[person].errand, Errand::Rest);
        if let Errand::Pay(paying) = &errand {
            self.closes(paying.till, paying.sale)?;
        }
        if let (Some(calm), Errand::Pay(paying)) = (self.calm_since, &errand)
            && paying.since >= calm
        {
            return self.has_got_on(person);
        }
        let hangs_up = self.luck.chance(300) || !matches!(errand, Errand::Pay(_)) || self.shares_band(person);
        if hangs_up {
            self.phone_hangs_up(person);
            // Most of the time a resume is too late.
            if self.luck.chance(500) {
                self.people[person].phone.ticket = None;
            }
        }
        self.looks_soon(person, 200 + person as u64);
        Ok(())
    }

    fn shares_band(&self, person: usize) -> bool {
        let wrist = self.people[person].wrist;
        self.people.iter().filter(|other| other.wrist == wrist).count() > 1
    }

    /// What somebody has on their display.
    pub(crate) fn face_of(person: usize) -> Face {
        if person.is_multiple_of(3) { Face::Display } else { Face::Lights }
    }
}
