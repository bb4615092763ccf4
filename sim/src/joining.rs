//! How somebody comes to have a band that pays: they pair it with their phone, enrol it, and confirm what both showed.

use armring_band::{Event as BandEvent, Gesture};
use armring_pairing::DiffieHellman;
use armring_wallet::Connection;
use armring_wire::records::band::ToBand;
use armring_wire::{CredentialId, Opaque, PayeeRef};

use crate::cast::{Errand, Person, Phone, Shared, random, unix};
use crate::dice::Dice;
use crate::fault::{Flow, Place};
use crate::happening::{Act, Happening};
use crate::invariant::{Broken, Held, Invariant, holds};
use crate::rule::Rule;
use crate::world::World;

impl World {
    pub(crate) fn pairs(&mut self, person: usize) -> Held {
        if self.people[person].phone.kept.link.is_some() {
            return self.is_over(person);
        }
        if self.people[person].phone.line.is_some() {
            return Ok(());
        }
        let (wrist, payload) = (self.people[person].wrist, self.payload(person));
        self.wrists[wrist].wearer.code = None;
        self.people[person].phone.code = None;
        self.wrists[wrist].wearer.is_holding = true;
        let held = self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Hold));
        self.wrists[wrist].wearer.is_holding = false;
        held?;
        if self.fate(person, Flow::Pair, Place::Pairing).is_some() {
            self.stands_between(person)?;
        }
        let connection = match self.wrists[wrist].band.label() {
            Some(label) if person.is_multiple_of(4) => Connection::pair_with_label(label, payload),
            _ => Connection::pair(payload),
        };
        self.phone_calls(person, connection)
    }

    /// Both codes were shown: people compare them.
    pub(crate) fn people_compare(&mut self, person: usize) -> Held {
        if let Some(band) = self.people[person].poses_as {
            return self.says_yes_to_both(person, band);
        }
        let wrist = self.people[person].wrist;
        let (Some(on_band), Some(on_phone)) = (self.wrists[wrist].wearer.code, self.people[person].phone.code) else {
            return Ok(());
        };
        if on_band != on_phone && !self.omits(Rule::PeopleCompare) {
            return Ok(());
        }
        let phone = &mut self.people[person].phone;
        let Some((line, connection)) = &mut phone.line else { return Ok(()) };
        let _ = connection.accept_code(&mut self.rng);
        let line = *line;
        self.phone_does(person, line)?;
        self.after(50, Happening::Act { wrist, act: Act::Accept });
        Ok(())
    }

    pub(crate) fn enrols(&mut self, person: usize) -> Held {
        if !self.people[person].phone.is_linked() {
            return self.phone_connects(person);
        }
        if self.people[person].phone.waits {
            return Ok(());
        }
        let now = self.now();
        let code = match self.people[person].code {
            Some((code, since)) if now < since + 500_000 => code,
            _ => {
                let account = self.people[person].account;
                let Ok(code) = self.bank.issuer.issue_code(account, unix(now), &mut self.rng) else { return Ok(()) };
                self.secret.looks_for(&code.0);
                self.people[person].code = Some((code, now));
                code
            }
        };
        let session = self.session(person);
        self.people[person].errand = Errand::Enrol { session };
        let key_list = self.bank.key_list.clone();
        self.phone_says(person, &ToBand::Cancel)?;
        let Some(key_list) = Opaque::new(&key_list) else { return Ok(()) };
        self.phone_says(person, &ToBand::Enrol { code, key_list })
    }

    /// Whether somebody has lost their phone, and has another one. Those of whom something was copied keep it, so that the copy is noticed.
    pub(crate) fn has_a_new_phone(&self, person: usize, number: u32) -> bool {
        let Person { is_thief, was_copied, credential, .. } = &self.people[person];
        let may = !is_thief && !was_copied && !matches!(person, 1 | 2) && credential.is_some() && !self.is_calm();
        may && (number == 9 || number == 16) && Dice::named(&[self.setup.seed, 0x9409e, person as u64, number.into()]).chance(700)
    }

    /// Somebody begins anew, with a phone that knows nothing. The issuer revokes what was there; the band is reset, or keeps a link that nobody uses.
    pub(crate) fn starts_over(&mut self, person: usize, resets: bool) -> Held {
        self.phone_hangs_up(person);
        if let Some(id) = self.people[person].credential.take()
            && self.bank.issuer.revoke(CredentialId(id), unix(self.now())).is_ok()
        {
            self.record.credentials.entry(id).or_default().is_frozen = true;
        }
        let key = random(&mut self.rng);
        self.secret.looks_for(&key);
        let (wrist, till) = (self.people[person].wrist, self.people[person].till);
        let Person { phone, phones, code, is_confirmed, is_copied, .. } = &mut self.people[person];
        *phone = Phone { alarms: phone.alarms, ..Phone::new(Shared::new(key)) };
        // Nobody uses a copy of a link that is no more.
        *is_copied = is_copied.filter(|_| !resets);
        phones.push(*phone.key.public_key().as_bytes());
        (*code, *is_confirmed) = (None, false);
        self.wrists[wrist].wearer.digits = None;
        for other in &mut self.people {
            other.owes.retain(|(of, _)| *of != till);
        }
        if resets { self.band_hears_of(wrist, BandEvent::Gesture(Gesture::Reset)) } else { Ok(()) }
    }

    /// A number that no other enrolment has.
    pub(crate) fn session(&self, person: usize) -> u64 {
        1 << 40 | self.now() << 8 | person as u64
    }

    /// The band has its credential, and the wearer saw digits.
    pub(crate) fn is_enrolled(&mut self, person: usize, object: Vec<u8>) -> Held {
        let id: [u8; 8] = object.get(67..75).and_then(|id| id.try_into().ok()).unwrap_or_default();
        let account = self.people[person].account;
        self.private.looks_for(&id);
        self.private.looks_for(&account.0);
        self.record.credentials.entry(id).or_default().account = account.0;
        self.people[person].credential = Some(id);
        let till = self.people[person].till;
        self.tills[till].reference = crate::till::reference(PayeeRef::Credential(CredentialId(id)));
        if self.phone_keeps(person, |kept| kept.credential = object) {
            // Some have not been to the issuer's page when they first pay.
            let may_wait = person.is_multiple_of(4) && person > 0 && self.faults.errand(person) < 5;
            if !may_wait && !self.confirms(person)? {
                // Another enrolment has come between: once more.
                self.looks_soon(person, 500);
                return Ok(());
            }
            return self.is_over(person);
        }
        Ok(())
    }

    /// The user compares the band's digits with those on the issuer's own page. Whether they are the same, or were before.
    pub(crate) fn confirms(&mut self, person: usize) -> Result<bool, Broken> {
        let (Some(id), false) = (self.people[person].credential, self.people[person].is_confirmed) else { return Ok(true) };
        let now = unix(self.now());
        let pending = self.bank.issuer.pending_confirmations(self.people[person].account).unwrap_or_default();
        let digits = self.wrists[self.people[person].wrist].wearer.digits;
        let page = pending.iter().find(|pending| pending.credential == CredentialId(id)).map(|pending| pending.digits.number());
        if page.is_none() || page != digits {
            return Ok(false);
        }
        let confirmed = self.bank.issuer.confirm(CredentialId(id), page.unwrap_or_default(), now);
        holds(confirmed.is_ok(), Invariant::Progress, || format!("{confirmed:?}"))?;
        self.people[person].is_confirmed = true;
        self.record.credentials.entry(id).or_default().is_active = true;
        Ok(true)
    }
}
