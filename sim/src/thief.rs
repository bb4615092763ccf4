//! Those who are not honest: infected wallets, a band that was copied, a phone that was copied, a key that was taken out.

use armring_token::{
    Counter, Form, Gesture, Minor, Object, PaymentRequest, PaymentToken, Presence, Signing, Unlocking, Unverified,
};
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::ToIssuer;
use armring_wire::records::payee::FromPayee;
use armring_wire::{CredentialId, Opaque, Text, decode_record};
use ed25519_dalek::SigningKey;

use crate::cast::{Phone, unix, yuan};
use crate::dice::Dice;
use crate::fault::{Flow, Place};
use crate::happening::{Letter, Node};
use crate::invariant::{Held, Invariant, holds};
use crate::net::encoded;
use crate::world::World;

/// Where a band keeps credentials with their keys.
const CREDENTIALS: std::ops::RangeInclusive<u8> = 0x20..=0x23;

impl World {
    /// Somebody reads out a band and its phone, and goes away with a copy of both.
    pub(crate) fn copies_band(&mut self, victim: usize) {
        let Some(id) = self.people[victim].credential else { return };
        let wrist = self.people[victim].wrist;
        let (key, face, flash) = (self.wrists[wrist].key.clone(), self.wrists[wrist].face, self.wrists[wrist].flash.clone());
        let (till, account) = (self.people[victim].till, self.people[victim].account);
        let mut phone = Phone::new(self.people[victim].phone.key.clone());
        phone.kept = self.people[victim].phone.kept.clone();
        let copy = self.new_wrist(key, face, self.people.len());
        self.wrists[copy].flash = flash;
        let thief = self.moves_in(copy, till, account, phone);
        let person = &mut self.people[thief];
        (person.is_thief, person.credential, person.is_confirmed) = (true, Some(id), true);
        self.record.credentials.entry(id).or_default().has_clone = true;
        let _ = self.band_restarts(copy);
    }

    /// Somebody reads out a phone, and uses its link with the owner's band.
    pub(crate) fn copies_phone(&mut self, victim: usize) {
        let (wrist, till, account) = (self.people[victim].wrist, self.people[victim].till, self.people[victim].account);
        let mut phone = Phone::new(self.people[victim].phone.key.clone());
        phone.kept = self.people[victim].phone.kept.clone();
        let thief = self.moves_in(wrist, till, account, phone);
        let person = &mut self.people[thief];
        (person.is_thief, person.is_confirmed, person.is_infected) = (true, true, true);
        // What a copy can do on a band without a display, an infected wallet can.
        (self.people[victim].is_infected, self.people[victim].was_copied) = (true, true);
    }

    /// A phone has reconnected. Whoever has a copy of it leaves a trace.
    pub(crate) fn is_linked_again(&mut self, person: usize, used_elsewhere: bool) -> Held {
        let phone = &mut self.people[person].phone;
        phone.alarms += u32::from(used_elsewhere);
        let (resumed, has_lost) = (phone.is_resuming, std::mem::take(&mut phone.has_lost));
        if self.people[person].is_thief {
            let wrist = self.people[person].wrist;
            let victim = self.wrists[wrist].wearer.person;
            if victim != person && !resumed {
                self.people[victim].is_copied = Some(self.wrists[wrist].wearer.alarms);
            }
            return Ok(());
        }
        let Some(alarms) = self.people[person].is_copied.take_if(|_| !resumed) else { return Ok(()) };
        // A phone that loses power as it writes down what the band answered says nothing; the band has said it.
        let told = used_elsewhere || has_lost || self.wrists[self.people[person].wrist].wearer.alarms > alarms;
        holds(told, Invariant::CopiesAreNoticed, || format!("{person}'s link was used by a copy, and nobody was told"))
    }

    /// An infected wallet has the band to itself, and says what it likes.
    pub(crate) fn infected_wallet_says(&mut self, person: usize) -> Held {
        for _ in 0..3 {
            if !self.people[person].is_infected || !self.people[person].phone.is_linked() {
                return Ok(());
            }
            let flow = self.flow(person);
            let Some((_, mut dice)) = self.fate(person, flow, Place::Wallet) else { return Ok(()) };
            let said = self.heard.to_people();
            let mut overheard = &[][..];
            for _ in 0..dice.below(6) {
                // Requests serve best.
                if !said.is_empty() && overheard.first() != Some(&0) {
                    overheard = &said[dice.index(said.len())];
                }
            }
            let overheard = overheard.to_vec();
            self.says_anything(person, &overheard, &mut dice)?;
        }
        Ok(())
    }

    fn says_anything(&mut self, person: usize, overheard: &[u8], dice: &mut Dice) -> Held {
        let mut changed = Vec::new();
        let record = match (dice.below(10), decode_record(overheard)) {
            (0..7, Ok(FromPayee::Request { request, certificate })) => match Opaque::new(certificate.as_bytes()) {
                Some(certificate) => ToBand::PayTo { request, certificate },
                None => ToBand::Status,
            },
            (_, Ok(FromPayee::Request { request, .. })) => {
                changed.extend_from_slice(request.as_bytes());
                let place = dice.index(changed.len());
                changed[place] ^= 1 << dice.below(8);
                Opaque::new(&changed).map_or(ToBand::Status, |request| ToBand::Pay { request })
            }
            (_, Ok(FromPayee::Receipt(receipt))) => ToBand::Paid { receipt },
            (0 | 1, _) => ToBand::Unlock,
            (2, _) => ToBand::Cancel,
            (3, _) => ToBand::Unpair,
            (4, _) => ToBand::UnpairOthers,
            (5, _) => ToBand::Replace,
            (6, _) => ToBand::Generation { generation: 1 << 20, lost: u8::MAX },
            (7, _) => ToBand::Confirm { share: [7; 32] },
            (_, _) => match Text::new("mine") {
                Some(memo) => ToBand::Receive { amount: yuan(1 << 41), expiry: unix(self.now() + 3_600_000), memo },
                None => ToBand::Status,
            },
        };
        if matches!(record, ToBand::Unlock) {
            let wrist = self.people[person].wrist;
            let wearer = &mut self.wrists[wrist].wearer;
            wearer.unlocked = wearer.unlocked.max(u8::from(wearer.is_on));
        }
        self.phone_says(person, &record)
    }

    /// Somebody who has the payment key signs for themselves what no band would.
    pub(crate) fn forges(&mut self, thief: usize, till: usize, sale: u64, dice: &mut Dice) {
        let flash = &self.wrists[self.people[thief].wrist].flash;
        let seed = flash.iter().find(|(key, _)| CREDENTIALS.contains(key)).and_then(|(_, value)| value.first_chunk::<32>());
        let (Some(seed), Some(id)) = (seed, self.people[thief].credential) else { return };
        let signing = Signing::new(SigningKey::from_bytes(seed));
        let Some(request) = self.tills[till].sales.get(&sale).map(|sale| sale.request().to_vec()) else { return };
        let Ok(unverified) = Unverified::<PaymentRequest<'_>>::parse(&request) else { return };
        let PaymentRequest { payee, amount, .. } = *unverified.claims();
        let gesture = [Gesture::None, Gesture::Press, Gesture::FreshUnlock][dice.index(3)];
        let unlocking = [Unlocking::Locked, Unlocking::Pin][dice.index(2)];
        let number = u32::try_from(sale >> 16).unwrap_or(1);
        let token = PaymentToken {
            form: Form,
            credential: CredentialId(id),
            payee,
            request: unverified.request_digest(&self.bank.root),
            amount,
            counter: Counter((1 << 30) + number),
            // Far above what any band has signed, each token apart from the others.
            cumulative: Minor((1 << 55) + (u64::from(number) << 47)),
            presence: Presence { minutes_worn: 5, unlocking, gesture, online_only: true },
        };
        let mut buffer = [0; PaymentToken::LEN];
        let Ok(object) = token.sign(&self.bank.root, &signing, &mut buffer) else { return };
        if let Some(body) = object.last_chunk() {
            self.record.forges(body);
        }
        let (Some(request), Some(token)) = (Opaque::new(&request), Opaque::new(object)) else { return };
        let bytes = encoded(&ToIssuer::Redeem { request, token });
        let letter = Letter { from: Node::Person(thief), to: Node::Bank, about: sale, owner: thief, flow: Flow::Redeem, bytes };
        for _ in 0..6 {
            let _ = self.posts(letter.clone());
        }
    }
}
