//! A world's first and last days: who there is, what the operator does, and what must hold when all is over.

use std::collections::{BTreeMap, VecDeque};

use armring_issuer::{CredentialState, DepositRef, Ledger, float_account};
use armring_pairing::DiffieHellman;
use armring_payee::{Offline, Revoked};
use armring_wire::{AccountPseudonym, CredentialId, Currency, Outcome};

use crate::cast::{BOUNDLESS, Errand, FLOOR, Person, Phone, Shared, Till, random, unix, yuan};
use crate::happening::Happening;
use crate::invariant::{Held, Invariant, holds};
use crate::rule::Rule;
use crate::world::World;

/// What most people have, in minor units; and what those have who have little.
const RICH: u64 = 1 << 56;
const POOR: u64 = 1 << 43;

impl World {
    /// Shops open, people get bands and phones.
    pub(crate) fn settle_in(&mut self) {
        for shop in 0..self.setup.shops {
            let name = format!("teahouse {shop}");
            let (payee, account) = self.bank.shop(&name, &mut self.rng);
            let reference = crate::till::reference(payee.reference());
            self.private.looks_for(&reference[1..]);
            self.private.looks_for(&account.0);
            self.private.looks_for(name.as_bytes());
            self.new_till(Some(payee), reference, account);
        }
        for person in 0..self.setup.people {
            let account = match person {
                // Two bands of one account.
                1 => self.people[0].account,
                _ => {
                    let minor = if person % 5 == 2 { POOR } else { RICH };
                    let account = self.bank.account(minor, &mut self.rng);
                    self.record.balances.insert(account.0, minor.cast_signed());
                    account
                }
            };
            let till = self.new_till(None, [0; 9], account);
            let (band, phone) = (random(&mut self.rng), random(&mut self.rng));
            self.secret.looks_for(&band);
            self.secret.looks_for(&phone);
            let wrist = self.new_wrist(Shared::new(band), Self::face_of(person), person);
            self.moves_in(wrist, till, account, Phone::new(Shared::new(phone)));
            self.people[person].is_infected = person % 6 == 3 || person % 6 == 5;
        }
        self.after(12_000, Happening::Round);
    }

    fn new_till(
        &mut self,
        payee: Option<armring_payee::Payee<ed25519_dalek::SigningKey>>,
        reference: [u8; 9],
        account: AccountPseudonym,
    ) -> usize {
        let floor = if self.omits(Rule::FloorLimits) { BOUNDLESS } else { FLOOR };
        let (book, revoked) = (Offline::new(Currency::CNY, floor), Revoked::new(self.bank.root, 1_000));
        let (sales, stored, asking, buyers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.tills.push(Till { payee, reference, account, sales, stored, asking, buyers, book, revoked });
        self.tills.len() - 1
    }

    pub(crate) fn moves_in(&mut self, wrist: usize, till: usize, account: AccountPseudonym, phone: Phone) -> usize {
        self.people.push(Person {
            wrist,
            account,
            phones: vec![*phone.key.public_key().as_bytes()],
            phone,
            till,
            errand: Errand::Rest,
            turn: 0,
            owes: VecDeque::new(),
            is_thief: false,
            is_copied: None,
            was_copied: false,
            is_infected: false,
            lured: None,
            middle: None,
            poses_as: None,
            code: None,
            credential: None,
            is_confirmed: false,
            last: None,
            is_done: false,
        });
        let person = self.people.len() - 1;
        let first = self.luck.between(100, 3_000);
        self.looks_soon(person, first);
        person
    }

    /// Whether somebody has done all that they wanted to.
    pub(crate) fn is_idle(&self, person: usize) -> bool {
        let Person { errand, poses_as, .. } = &self.people[person];
        poses_as.is_some() || matches!(errand, Errand::Rest) && self.faults.errand(person) >= self.setup.errands + 2
    }

    /// What happens as somebody's errand of this number begins, beside it.
    pub(crate) fn operator_does(&mut self, person: usize, number: u32) {
        let now = unix(self.now());
        let Some(id) = self.people[person].credential.filter(|_| !self.people[person].is_thief) else { return };
        match number {
            8 | 12 if person % 5 == 4 => {
                let freezes = number == 8;
                let done = if freezes {
                    self.bank.issuer.freeze(CredentialId(id), now)
                } else {
                    self.bank.issuer.unfreeze(CredentialId(id), now)
                };
                if done.is_ok() {
                    self.record.credentials.entry(id).or_default().is_frozen = freezes;
                }
            }
            10 if person == 1 => self.copies_band(person),
            7 if person == 2 => self.copies_phone(person),
            _ => {}
        }
    }

    /// Faults stop: from now on everybody who is honest is to get on.
    pub(crate) fn calm_down(&mut self) -> Held {
        let now = self.now();
        self.calm_since = Some(now);
        self.faults.is_calm = true;
        for person in 0..self.people.len() {
            if std::mem::take(&mut self.people[person].is_infected) {
                // The phone is made anew, and nothing that it asked for waits any longer.
                self.phone_hangs_up(person);
            }
            if self.people[person].wrist_is_anothers(person, &self.wrists) {
                self.people[person].is_done = true;
                self.phone_hangs_up(person);
                continue;
            }
            if let Some(id) = self.people[person].credential
                && person % 5 == 4
                && self.bank.issuer.unfreeze(CredentialId(id), unix(now)).is_ok()
            {
                self.record.credentials.entry(id).or_default().is_frozen = false;
            }
            let account = self.people[person].account;
            let gift = DepositRef(random(&mut self.rng));
            let given = self.bank.issuer.deposit(account, yuan(POOR), gift, unix(now));
            holds(given.is_ok(), Invariant::Progress, || format!("{given:?}"))?;
            *self.record.balances.entry(account.0).or_default() += POOR.cast_signed();
            self.people[person].owes.clear();
            self.looks_soon(person, 500);
        }
        self.books_agree()
    }

    /// A payment that was begun after faults had stopped is over.
    pub(crate) fn has_got_on(&mut self, person: usize) -> Held {
        let last = self.people[person].last;
        let cloned =
            self.people[person].credential.is_some_and(|id| self.record.credentials.get(&id).is_some_and(|it| it.is_cloned));
        self.people[person].is_done = match last {
            Some(Ok(Outcome::Settled)) => {
                holds(!cloned, Invariant::ClonesAreFrozen, || format!("{person} pays with a cloned credential"))?;
                true
            }
            Some(Ok(Outcome::Cloned | Outcome::Frozen)) => {
                holds(self.people[person].is_thief || cloned || self.was_cloned(person), Invariant::Progress, || {
                    format!("{person}: {last:?}")
                })?;
                true
            }
            // The band was busy with what somebody else had asked for: once more.
            _ => false,
        };
        self.looks_soon(person, 1_000);
        Ok(())
    }

    fn was_cloned(&self, person: usize) -> bool {
        let credential = self.people[person].credential.and_then(|id| self.record.credentials.get(&id));
        credential.is_some_and(|credential| credential.has_clone)
    }

    /// All is over.
    pub(crate) fn evening(&mut self) -> Held {
        self.books_agree()?;
        for (id, credential) in &self.record.credentials {
            let state = self.bank.issuer.state(CredentialId(*id));
            let fits = !credential.is_cloned || matches!(state, Ok(CredentialState::Cloned));
            holds(fits, Invariant::ClonesAreFrozen, || format!("{state:?}"))?;
        }
        for (till, digest) in self.record.pending() {
            let known =
                self.tills[till].sales.values().any(|sale| sale.pending().is_some_and(|pending| pending.digest.0 == digest));
            holds(known, Invariant::PendingIsRedeemed, || format!("{till} has forgotten what it accepted"))?;
        }
        for person in 0..self.people.len() {
            if !self.people[person].was_copied && !self.people[person].is_thief {
                self.no_false_alarm(person)?;
            }
        }
        Ok(())
    }

    /// The issuer's books say what was settled.
    pub(crate) fn books_agree(&self) -> Held {
        let issuer = &self.bank.issuer;
        let balance = |account| issuer.account(account).map_or(i64::MIN, |account| account.balance);
        let mut sum = balance(float_account(Currency::CNY));
        for till in &self.tills[..self.setup.shops] {
            self.account_agrees(till.account, balance(till.account))?;
            sum += balance(till.account);
        }
        let mut accounts: Vec<_> = self.people.iter().map(|person| person.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            self.account_agrees(account, balance(account))?;
            sum += balance(account);
        }
        holds(sum == 0, Invariant::MoneyIsConserved, || format!("{sum} in all"))?;
        let faults = issuer.ledger().audit();
        holds(faults.as_ref().is_ok_and(Vec::is_empty), Invariant::MoneyIsConserved, || format!("{faults:?}"))
    }

    fn account_agrees(&self, account: AccountPseudonym, balance: i64) -> Held {
        let expected = self.record.balances.get(&account.0).copied().unwrap_or_default();
        holds(balance == expected, Invariant::MoneyIsConserved, || format!("{account:?} has {balance}, not {expected}"))
    }
}

impl Person {
    fn wrist_is_anothers(&self, person: usize, wrists: &[crate::cast::Wrist]) -> bool {
        wrists[self.wrist].wearer.person != person
    }
}
