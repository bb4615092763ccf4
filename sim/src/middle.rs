//! Somebody who stands between a phone and a band that pair: with a band of their own for the phone, and a phone of their own for the band.

use armring_band::{Event as BandEvent, Gesture};
use armring_pairing::DiffieHellman;
use armring_wallet::Connection;

use crate::cast::{Errand, Phone, Shared, random};
use crate::happening::{Act, Happening};
use crate::invariant::{Held, Invariant, holds};
use crate::world::World;

impl World {
    /// Somebody pairs with this person's band, and has their phone pair with a band that is not theirs.
    pub(crate) fn stands_between(&mut self, victim: usize) -> Held {
        let middle = match self.people[victim].middle {
            Some(middle) => middle,
            None => self.moves_between(victim),
        };
        let Some(band) = self.people[middle].poses_as else { return Ok(()) };
        if self.people[middle].phone.line.is_some() || self.wrists[band].line.is_some() {
            return Ok(());
        }
        self.people[victim].lured = Some(band);
        self.people[middle].phone.code = None;
        self.wrists[band].wearer.code = None;
        self.wrists[band].wearer.is_holding = true;
        let held = self.band_hears_of(band, BandEvent::Gesture(Gesture::Hold));
        self.wrists[band].wearer.is_holding = false;
        held?;
        let payload = self.payload(middle);
        self.phone_calls(middle, Connection::pair(payload))
    }

    fn moves_between(&mut self, victim: usize) -> usize {
        let (wrist, till, account) = (self.people[victim].wrist, self.people[victim].till, self.people[victim].account);
        let (band, phone) = (Shared::new(random(&mut self.rng)), Shared::new(random(&mut self.rng)));
        let poses_as = self.new_wrist(band, Self::face_of(victim), self.people.len());
        let middle = self.moves_in(wrist, till, account, Phone::new(phone));
        let person = &mut self.people[middle];
        (person.is_thief, person.is_done, person.poses_as, person.errand) = (true, true, Some(poses_as), Errand::Pair);
        self.people[victim].middle = Some(middle);
        middle
    }

    /// Whoever stands between says yes to each code.
    pub(crate) fn says_yes_to_both(&mut self, middle: usize, band: usize) -> Held {
        if self.wrists[band].wearer.code.is_some() {
            self.after(1, Happening::Act { wrist: band, act: Act::Accept });
        }
        let phone = &mut self.people[middle].phone;
        if let (Some((line, connection)), Some(_)) = (&mut phone.line, phone.code) {
            let _ = connection.accept_code(&mut self.rng);
            let line = *line;
            self.phone_does(middle, line)?;
        }
        Ok(())
    }

    /// A phone has given up: so does whoever stood between.
    pub(crate) fn is_alone_again(&mut self, victim: usize) {
        if self.people[victim].lured.take().is_some()
            && let Some(middle) = self.people[victim].middle
        {
            self.phone_hangs_up(middle);
        }
    }

    /// A phone's link is one with its person's band, unless somebody was as lucky as one in a million is.
    pub(crate) fn is_with_own_band(&self, person: usize, link: &[u8]) -> Held {
        if self.people[person].poses_as.is_some() {
            return Ok(());
        }
        let wrist = &self.wrists[self.people[person].wrist];
        let is_own = link.starts_with(wrist.key.public_key().as_bytes());
        let are_equal = wrist.wearer.code.is_some() && wrist.wearer.code == self.people[person].phone.code;
        holds(is_own || are_equal, Invariant::NobodyInTheMiddle, || format!("{person}'s phone is paired with a stranger"))
    }

    /// Whether a band's link is one with its wearer's phone, or with a copy of that, as above.
    pub(crate) fn is_own_phone(&self, wrist: usize, link: &[u8]) -> bool {
        let wearer = &self.wrists[wrist].wearer;
        let person = &self.people[wearer.person];
        let are_equal = wearer.code.is_some() && wearer.code == person.phone.code;
        let is_own = person.phones.iter().any(|key| link.starts_with(key));
        person.poses_as.is_some() || is_own || are_equal
    }
}
