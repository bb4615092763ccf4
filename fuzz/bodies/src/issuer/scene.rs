//! A service with accounts, shops and bands, the same in each run.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use armring_issuer::{Applicant, DepositRef, Issuer, Keys, Ledger, MemoryLedger, Policy, REPLY_MAX, Session, float_account};
use armring_pairing::{DiffieHellman, SoftwareKey};
use armring_token::{
    Counter, Credential, Form, FreeCount, Gesture, IssuerKey, KeyList, Limits, Minor, PaymentRequest, PaymentToken, Presence,
    Receipt, Refund, RefundReceipt, RevocationList, Signature, Signing, Unlocking, Unverified, Verified,
};
use armring_wire::records::Assurance;
use armring_wire::records::issuer::ToIssuer;
use armring_wire::{
    AccountPseudonym, Currency, EnrolmentCode, KeyId, Outcome, PayeeId, PayeeRef, Record, Text, TokenDigest, UnixTime, encode,
};
use ed25519_dalek::SigningKey;
use signature::MultipartSigner;

use super::enrolling::enrol;
use crate::cast::{self, Draws, ISSUER};
use crate::input::Input;

/// What requests are for, by number.
pub(super) const AMOUNTS: [u64; 6] = [40, 90, 120, 300, 450, 1_001];
const FIRST_BAND: u8 = 30;
const SHOPS: [u8; 2] = [40, 41];
const ENROLMENT: [u8; 32] = [0x1E; 32];
const PRESSED: Presence = Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false };

/// A band that the service knows.
#[derive(Clone)]
struct Band {
    account: AccountPseudonym,
    credential: Credential,
    seed: u8,
    counter: u32,
    cumulative: u64,
}

#[derive(Clone, Copy)]
struct Shop {
    id: PayeeId,
    account: AccountPseudonym,
    seed: u8,
}

/// What each run begins with.
struct Scene {
    ledger: MemoryLedger,
    bands: Vec<Band>,
    shops: Vec<Shop>,
    list: Verified<KeyList>,
}

pub(super) struct World {
    issuer: Issuer<MemoryLedger, Signer, SoftwareKey>,
    bands: Vec<Band>,
    shops: Vec<Shop>,
    list: Verified<KeyList>,
    session: Session,
    left: Rc<Cell<Option<u8>>>,
    rng: Draws,
    now: UnixTime,
    nonce: u64,
}

/// Strict enough that a few payments meet every rule.
fn policy() -> Policy {
    let limits = Limits {
        each: Minor(1_000),
        press: Minor(500),
        free: Minor(100),
        free_count: FreeCount(2),
        free_total: Minor(150),
        offline_total: Minor(300),
    };
    let (credential_validity, redeem_period) = (Duration::from_secs(40_000), Duration::from_secs(600));
    Policy { compared_code: Some(limits), daily: Minor(700), credential_validity, redeem_period, ..Policy::default() }
}

fn keys(left: &Rc<Cell<Option<u8>>>) -> Keys<Signer, SoftwareKey> {
    let enrolment = SoftwareKey::new(ENROLMENT);
    let key_list = cast::key_list(1, *enrolment.public_key().as_bytes());
    let signing = Signing::new(Signer { key: cast::signer(ISSUER), left: Rc::clone(left) });
    Keys { root: cast::root_key(), signing_id: KeyId(1), signing, enrolment, key_list }
}

impl World {
    pub(super) fn new() -> Self {
        thread_local!(static SCENE: Scene = scene());
        SCENE.with(|scene| Self::of(scene.ledger.clone(), scene.bands.clone(), scene.shops.clone(), scene.list.clone()))
    }

    fn of(ledger: MemoryLedger, bands: Vec<Band>, shops: Vec<Shop>, list: Verified<KeyList>) -> Self {
        let left = Rc::new(Cell::new(None));
        let issuer = Issuer::new(keys(&left), policy(), ledger, cast::NOW).unwrap();
        let (session, rng, now) = (Session::new(), Draws::new(None), cast::NOW);
        Self { issuer, bands, shops, list, session, left, rng, now, nonce: 0 }
    }

    pub(super) fn passes(&mut self, seconds: u32) {
        self.now = UnixTime::from_secs((self.now.as_secs() + seconds).min(cast::UNTIL.as_secs() - 1));
    }

    /// The signer fails after so many signatures.
    pub(super) fn fails_after(&self, left: Option<u8>) {
        self.left.set(left);
    }

    /// Says `record`, which may be none: the answer.
    pub(super) fn handles(&mut self, record: &[u8]) -> Vec<u8> {
        let mut out = [0; REPLY_MAX];
        self.issuer.handle(&mut self.session, record, self.now, &mut self.rng, &mut out).unwrap().record.to_vec()
    }

    pub(super) fn asks(&mut self, record: &ToIssuer<'_>) -> Vec<u8> {
        let mut buffer = [0; ToIssuer::MAX_LEN];
        let record = encode(record, &mut buffer).unwrap().to_vec();
        self.handles(&record)
    }

    /// All that the service remembers.
    pub(super) fn remembers(&self) -> MemoryLedger {
        self.issuer.ledger().clone()
    }

    /// Whether it remembers just what it did then.
    pub(super) fn is_as(&self, before: &MemoryLedger) -> bool {
        self.issuer.ledger() == before
    }

    /// The request of this number: the same each time, until it has expired.
    pub(super) fn request(&self, payee: usize, number: usize, late: bool) -> Vec<u8> {
        let (payee, seed) = match payee {
            0 | 1 => (PayeeRef::Certificate(self.shops[payee].id), self.shops[payee].seed),
            other => (PayeeRef::Credential(self.bands[other - 2].credential.id), self.bands[other - 2].seed),
        };
        let hour = self.now.as_secs() / 3_600 * 3_600;
        let expiry = UnixTime::from_secs(hour + if late { 0 } else { 3_600 });
        let (amount, nonce) = (cast::yuan(AMOUNTS[number]), [u8::try_from(number).unwrap(); 16]);
        cast::sign(&PaymentRequest { form: Form, payee, amount, nonce, expiry, memo: Text::new("tea").unwrap() }, seed)
    }

    /// What this band signs for the request, changed or not. An honest band counts on.
    pub(super) fn token(&mut self, band: usize, request: &[u8], change: impl FnOnce(&mut PaymentToken)) -> Vec<u8> {
        let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
        let PaymentRequest { payee, amount, .. } = *request.claims();
        let band = &mut self.bands[band];
        let honest = (Counter(band.counter + 1), Minor(band.cumulative + amount.minor()));
        let mut token = PaymentToken {
            form: Form,
            credential: band.credential.id,
            payee,
            request: request.request_digest(&cast::root()),
            amount,
            counter: honest.0,
            cumulative: honest.1,
            presence: PRESSED,
        };
        change(&mut token);
        if (token.counter, token.cumulative) == honest {
            (band.counter, band.cumulative) = (honest.0.0, honest.1.0);
        }
        cast::sign(&token, band.seed)
    }

    /// A receipt was given for these: both verify, and belong together.
    pub(super) fn must_verify(&self, request: &[u8], token: Unverified<'_, PaymentToken>) {
        let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
        let (asked, says) = (*request.claims(), *token.claims());
        assert_eq!(says.request, request.request_digest(&cast::root()));
        assert_eq!((says.payee, says.amount), (asked.payee, asked.amount));
        let band = self.bands.iter().find(|band| band.credential.id == says.credential).unwrap();
        assert!(token.verify(&cast::root(), &cast::public(band.seed)).is_ok());
        let shop = self.shops.iter().find(|shop| PayeeRef::Certificate(shop.id) == asked.payee).map(|shop| shop.seed);
        let wearer = self.bands.iter().find(|band| PayeeRef::Credential(band.credential.id) == asked.payee).map(|band| band.seed);
        assert!(request.verify(&cast::root(), &cast::public(shop.or(wearer).unwrap())).is_ok());
    }

    pub(super) const fn list(&self) -> &Verified<KeyList> {
        &self.list
    }

    pub(super) const fn rng(&mut self) -> &mut Draws {
        &mut self.rng
    }

    fn key(&self) -> IssuerKey {
        self.list.signing_key(KeyId(1), cast::NOW).unwrap()
    }

    pub(super) fn receipt(&self, object: &[u8]) -> Receipt {
        *Unverified::<Receipt>::parse(object).unwrap().verify(&cast::root(), &self.key()).unwrap().body()
    }

    pub(super) fn refund_receipt(&self, object: &[u8]) -> Outcome {
        Unverified::<RefundReceipt>::parse(object).unwrap().verify(&cast::root(), &self.key()).unwrap().outcome
    }

    pub(super) fn refund(&mut self, token: TokenDigest, minor: u64) -> Vec<u8> {
        self.nonce += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonce.to_le_bytes());
        let payee = PayeeRef::Certificate(self.shops[0].id);
        cast::sign(&Refund { form: Form, payee, token, amount: cast::yuan(minor), nonce }, self.shops[0].seed)
    }

    pub(super) fn reads_revocations(&self, object: &[u8], since: u32) {
        let list = Unverified::<RevocationList<'_>>::parse(object).unwrap().verify(&cast::root(), &self.key()).unwrap();
        assert!(list.since.0 <= since && list.part < list.parts);
        for entry in list.entries.iter() {
            assert_eq!(list.entries.find(entry.subject), Some(entry));
        }
    }

    /// What the operator may do, whether it makes sense or not.
    pub(super) fn operates(&mut self, input: &mut Input<'_>) {
        let (band, shop) = (input.below(4), self.shops[input.below(2)]);
        let (id, account, now) = (self.bands[band].credential.id, self.bands[band].account, self.now);
        let issuer = &mut self.issuer;
        // Where it is an error nothing has changed, which the books show.
        let _ = match input.below(8) {
            0 => issuer.freeze(id, now),
            1 | 2 => issuer.unfreeze(id, now),
            3 => issuer.revoke(id, now),
            4 => issuer.replace_band(id, now, &mut self.rng).map(drop),
            5 => issuer.revoke_payee(shop.id, now),
            6 => issuer.restore_payee(shop.id, now),
            _ => {
                let reference = DepositRef([input.any::<u8>() % 4; 16]);
                issuer.deposit(account, cast::yuan(u64::from(input.any::<u16>())), reference, now).map(drop)
            }
        };
    }

    /// A band enrols, rightly or not: only what is right leaves a trace.
    pub(super) fn enrols(&mut self, input: &mut Input<'_>) {
        let account = self.bands[0].account;
        let code = if input.any() { self.issuer.issue_code(account, self.now, &mut self.rng).ok() } else { None };
        let (wrong, twist) = (code.is_none(), input.below(4));
        let before = self.remembers();
        let assurance = if twist == 1 { Assurance::Press } else { Assurance::ComparedCode };
        let enrolled = enrol(self, code.unwrap_or(EnrolmentCode([9; 16])), 50, assurance, |message| {
            if twist == 0 {
                input.alter(message);
            }
        });
        assert!(!wrong || self.is_as(&before), "an enrolment that was refused leaves no trace");
        assert!(enrolled.is_none() || (!wrong && twist != 1), "enrolled with a code that there is not, or over too weak a link");
    }

    /// Money is moved, never made, and every book agrees with every other.
    pub(super) fn check_books(&self) {
        assert!(self.issuer.ledger().audit().unwrap().is_empty());
        let mut accounts: Vec<_> =
            self.bands.iter().map(|band| band.account).chain(self.shops.iter().map(|shop| shop.account)).collect();
        accounts.push(float_account(Currency::CNY));
        accounts.sort_unstable();
        accounts.dedup();
        let sum: i64 = accounts.into_iter().map(|account| self.issuer.account(account).unwrap().balance).sum();
        assert_eq!(sum, 0, "money is moved, never made");
    }
}

fn scene() -> Scene {
    let enrolment = SoftwareKey::new(ENROLMENT).public_key();
    let list = cast::verified(&cast::key_list(1, *enrolment.as_bytes()));
    let mut world = World::of(MemoryLedger::new(), Vec::new(), Vec::new(), list);
    let account = |world: &mut World, minor: u64, n: u8| {
        let account = world.issuer.open_account(Currency::CNY, &mut world.rng).unwrap();
        if minor > 0 {
            world.issuer.deposit(account, cast::yuan(minor), DepositRef([0x80 + n; 16]), cast::NOW).unwrap();
        }
        account
    };
    let accounts = [(0, 3_000), (1, 500), (2, 1_000)].map(|(n, minor)| account(&mut world, minor, n));
    // The third is of the same account as the first, and the fourth is never confirmed.
    for (seed, account, active) in
        [(0, accounts[0], true), (1, accounts[1], true), (2, accounts[0], true), (3, accounts[2], false)]
    {
        let code = world.issuer.issue_code(account, cast::NOW, &mut world.rng).unwrap();
        let seed = FIRST_BAND + seed;
        let credential = enrol(&mut world, code, seed, Assurance::ComparedCode, |_| {}).unwrap();
        if active {
            let pending = world.issuer.pending_confirmations(account).unwrap();
            let digits = pending.iter().find(|pending| pending.credential == credential.id).unwrap().digits;
            world.issuer.confirm(credential.id, digits.number(), cast::NOW).unwrap();
        }
        world.bands.push(Band { account, credential, seed, counter: 0, cumulative: 0 });
    }
    for (seed, account) in [(SHOPS[0], account(&mut world, 0, 3)), (SHOPS[1], accounts[1])] {
        let applicant = Applicant { name: "茶馆", key: cast::public(seed), account, validity: cast::VALIDITY };
        let id = world.issuer.certify_payee(&applicant, cast::NOW, &mut world.rng).unwrap().id();
        world.shops.push(Shop { id, account, seed });
    }
    Scene { ledger: world.issuer.ledger().clone(), bands: world.bands, shops: world.shops, list: world.list }
}

/// Signs until it fails.
struct Signer {
    key: SigningKey,
    left: Rc<Cell<Option<u8>>>,
}

impl MultipartSigner<Signature> for Signer {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        match self.left.get() {
            Some(0) => return Err(signature::Error::new()),
            Some(left) => self.left.set(Some(left - 1)),
            None => {}
        }
        self.key.try_multipart_sign(message)
    }
}
