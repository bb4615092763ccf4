//! A payee that hears who is revoked, in parts, of one issuer that goes on.

use std::collections::BTreeSet;

use armring_payee::{Progress, Revoked, RevokedError};
use armring_token::{Epoch, Form, KeyList, Revocation, RevocationList, Revocations, Verified};
use armring_wire::records::issuer::ToIssuer;
use armring_wire::{CredentialId, KeyId, PayeeId, PayeeRef, UnixTime};
use sha2::{Digest, Sha256};

use crate::cast::{self, ISSUER};
use crate::input::Input;

/// So much happens at most.
const MOST: usize = 60;
/// Of so many credentials, and as many payees, some are revoked.
const SUBJECTS: usize = 12;
/// How long a list is good for.
const PERIOD: u32 = 10_000;

/// Brings a payee parts of an issuer's lists, in any order and of any age, while the issuer goes on, time passes, and the payee starts
/// again. What counts is what the issuer said in that epoch, all of it; what was refused, or is not complete, has changed nothing.
pub fn revoked(data: &[u8]) {
    let mut input = Input::new(data);
    let mut desk = Desk::new(input.one_of(&[2 * SUBJECTS, 5]));
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.below(16) {
            0..3 => desk.goes_on(&mut input),
            3..9 => _ = desk.asks(),
            9..12 => desk.hears(&mut input),
            12 => desk.hears_altered(&mut input),
            13 => desk.restarts(&mut input),
            14 => desk.loads(&mut input),
            _ => {
                desk.now =
                    UnixTime::from_secs((desk.now.as_secs() + u32::from(input.any::<u8>()) * 100).min(cast::UNTIL.as_secs() - 1))
            }
        }
    }
    desk.ends_well();
}

/// Who is revoked, by number.
type Who = BTreeSet<usize>;

struct Desk {
    list: Revoked,
    most: usize,
    /// Of each epoch, from 0: who is revoked then, about whom something was said, and how many entries a part has.
    epochs: Vec<(Who, Who, usize)>,
    now: UnixTime,
    /// The issuer has contradicted itself: then nobody knows what counts.
    lied: bool,
}

impl Desk {
    fn new(most: usize) -> Self {
        let list = Revoked::new(cast::root(), most);
        Self { list, most, epochs: vec![(Who::new(), Who::new(), 1)], now: cast::NOW, lied: false }
    }

    fn latest(&self) -> usize {
        self.epochs.len() - 1
    }

    /// The issuer revokes or restores some.
    fn goes_on(&mut self, input: &mut Input<'_>) {
        let mut who = self.epochs[self.latest()].0.clone();
        let mut about = Who::new();
        for _ in 0..=input.below(6) {
            let subject = input.below(2 * SUBJECTS);
            if about.insert(subject) && !who.remove(&subject) {
                who.insert(subject);
            }
        }
        self.epochs.push((who, about, 1 + input.below(3)));
    }

    /// The entries of the list of `epoch`, since another.
    fn words(&self, since: usize, epoch: usize) -> Vec<Revocation> {
        let (who, ..) = &self.epochs[epoch];
        let about: Who = if since == 0 {
            who.clone()
        } else {
            self.epochs[since + 1..=epoch].iter().flat_map(|(_, about, _)| about).copied().collect()
        };
        about.into_iter().map(|n| Revocation { subject: subject(n), revoked: who.contains(&n) }).collect()
    }

    /// Parts of that list, by number.
    fn parts(&self, since: usize, epoch: usize) -> Vec<Vec<Revocation>> {
        let words = self.words(since, epoch);
        if words.is_empty() { vec![words] } else { words.chunks(self.epochs[epoch].2).map(<[_]>::to_vec).collect() }
    }

    fn sign(&self, since: usize, epoch: usize, (part, parts): (usize, usize), words: &[Revocation], issued: UnixTime) -> Vec<u8> {
        let mut buffer = [0; 512];
        let entries = Revocations::write(words.iter().copied(), &mut buffer).unwrap();
        let number = |n: usize| Epoch(u32::try_from(n).unwrap());
        let (part, parts) = (u16::try_from(part).unwrap(), u16::try_from(parts).unwrap());
        let next_update = UnixTime::from_secs(issued.as_secs() + PERIOD);
        let (key, epoch, since) = (KeyId(1), number(epoch), number(since));
        cast::sign(&RevocationList { form: Form, key, epoch, since, part, parts, issued, next_update, entries }, ISSUER)
    }

    /// The payee asks for what it needs next, and gets it. Whether it has all there is.
    fn asks(&mut self) -> bool {
        let ToIssuer::Revocations { since, part } = self.list.next_request() else { panic!("it asks for something else") };
        let (since, part, latest) = (usize::try_from(since).unwrap(), usize::from(part), self.latest());
        let parts = self.parts(since, latest);
        let Some(words) = parts.get(part) else {
            self.list.start_over();
            return false;
        };
        let object = self.sign(since, latest, (part, parts.len()), words, self.now);
        self.takes(&object) == Ok(Progress::Complete)
    }

    /// A part of any list that the issuer may have signed, now or earlier; or one that it should not have.
    fn hears(&mut self, input: &mut Input<'_>) {
        let epoch = usize::from(input.any::<u8>()) % self.epochs.len();
        let since = usize::from(input.any::<u8>()) % (epoch + 1);
        let parts = self.parts(since, epoch);
        let part = usize::from(input.any::<u8>()) % parts.len();
        let issued = if input.any() { self.now } else { cast::NOW };
        let mut words = parts[part].clone();
        let mut count = parts.len();
        if input.below(16) == 15 {
            self.lied = true;
            match input.below(3) {
                0 => count += 1,
                1 => words = self.words(0, self.latest()),
                _ => words.iter_mut().for_each(|word| word.revoked = !word.revoked),
            }
        }
        let object = self.sign(since, epoch, (part, count), &words, issued);
        let _ = self.takes(&object);
    }

    fn hears_altered(&mut self, input: &mut Input<'_>) {
        let parts = self.parts(0, self.latest());
        let mut object = self.sign(0, self.latest(), (0, parts.len()), &parts[0], self.now);
        if input.alter(&mut object) {
            assert!(self.takes(&object).is_err(), "a list that was altered was taken");
        }
    }

    fn takes(&mut self, object: &[u8]) -> Result<Progress, RevokedError> {
        let (before, epoch) = (self.list.to_bytes(), self.list.epoch());
        let result = self.list.take_part(object, keys(), self.now);
        if result != Ok(Progress::Complete) {
            assert_eq!(before, self.list.to_bytes(), "what is refused or not complete changes nothing");
        }
        assert!(self.list.epoch() >= epoch, "an epoch goes back");
        self.check();
        result
    }

    fn check(&self) {
        assert!(self.list.len() <= self.most);
        let epoch = usize::try_from(self.list.epoch().0).unwrap();
        let said = (0..2 * SUBJECTS).filter(|n| self.list.contains(subject(*n))).collect::<Who>();
        assert_eq!(said.len(), self.list.len());
        assert!(self.lied || said == self.epochs[epoch].0, "what counts is what the issuer said");
    }

    /// All that is left is what was stored; perhaps with less room.
    fn restarts(&mut self, input: &mut Input<'_>) {
        let (bytes, most) = (self.list.to_bytes(), if input.any() { self.most } else { input.below(self.most + 1) });
        let list = Revoked::from_bytes(&bytes, &cast::root(), most);
        assert_eq!(list.is_some(), self.list.len() <= most);
        if let Some(list) = list {
            assert_eq!(list.to_bytes(), bytes);
            (self.list, self.most) = (list, most);
            self.check();
        }
    }

    /// What is on the disk is something else; with a hash that is right, as whoever writes to the disk can make it.
    fn loads(&self, input: &mut Input<'_>) {
        let mut bytes = self.list.to_bytes();
        if input.any() {
            let hashed = bytes.len() - 32;
            bytes.truncate(hashed);
            input.alter(&mut bytes);
            let hash = Sha256::new().chain_update(cast::root().0).chain_update(&bytes).finalize();
            bytes.extend_from_slice(&hash);
            if let Some(list) = Revoked::from_bytes(&bytes, &cast::root(), self.most) {
                assert_eq!(list.to_bytes(), bytes);
                assert!(list.len() <= self.most);
            }
        } else if input.alter(&mut bytes) {
            assert!(Revoked::from_bytes(&bytes, &cast::root(), self.most).is_none(), "damage was taken for a list");
        }
    }

    /// Whatever happened, a payee that goes on asking comes to know all, where there is room for it.
    fn ends_well(mut self) {
        let words = self.parts(0, self.latest()).len() + self.words(0, self.latest()).len();
        if self.lied || self.epochs[self.latest()].0.len() > self.most || words > self.most {
            return;
        }
        // A list since another epoch may have more entries than all who are revoked are: then there may be no room to gather it.
        let since = usize::try_from(self.list.epoch().0).unwrap();
        if self.words(since, self.latest()).len() > self.most {
            return;
        }
        let asked =
            (0..4 * SUBJECTS + 2).any(|_| self.asks() && self.list.epoch() == Epoch(u32::try_from(self.latest()).unwrap()));
        assert!(asked, "it never comes to know all");
    }
}

/// Credentials and payees by number, in the order of a list.
fn subject(n: usize) -> PayeeRef {
    let id = [u8::try_from(n % SUBJECTS).unwrap(); 8];
    if n < SUBJECTS { PayeeRef::Certificate(PayeeId(id)) } else { PayeeRef::Credential(CredentialId(id)) }
}

fn keys() -> &'static Verified<KeyList> {
    static KEYS: std::sync::OnceLock<Verified<KeyList>> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| cast::verified(&cast::key_list(1, [9; 32])))
}
