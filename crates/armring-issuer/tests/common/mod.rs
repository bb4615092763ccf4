//! An issuer with accounts, shops and bands, for the tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "tests say what they expect by panicking; not every test uses all"
)]

mod actors;
mod enrolling;
mod file;
pub(crate) mod load;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "postgres")]
pub(crate) mod server;

use std::sync::{Arc, Mutex};

pub(crate) use actors::{Band, Shop, refund_body, request_body, sign};
use armring_issuer::{SigningKey as OwnKey, *};
use armring_pairing::DiffieHellman;
use armring_token::{
    Epoch, FreeCount, Gesture, KeyEntry, KeyList, KeyUse, Limits, Minor, PayeeKey, Presence, Receipt, RefundReceipt, Revocation,
    RevocationList, RootKey, Signature, Signing, Unlocking, Unverified, Verified,
};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::*;
use ed25519_dalek::SigningKey;
pub(crate) use enrolling::{Enrolling, SigningMakers, word_of};
pub(crate) use file::File;
pub(crate) use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use signature::MultipartSigner;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(crate) const ALWAYS: Validity =
    Validity { from: UnixTime::from_secs(1_700_000_000), until: UnixTime::from_secs(2_000_000_000) };
pub(crate) const PRESSED: Presence =
    Presence { minutes_worn: 42, unlocking: Unlocking::Wallet, gesture: Gesture::Press, online_only: false };

pub(crate) fn cny(minor: u64) -> Amount {
    Amount::new(minor, Currency::CNY)
}

pub(crate) fn later(seconds: u64) -> UnixTime {
    NOW.checked_add(std::time::Duration::from_secs(seconds)).unwrap()
}

/// Every entry of an account, the oldest first.
pub(crate) fn statement(ledger: &impl Ledger, account: AccountPseudonym) -> Vec<Entry> {
    let mut entries = Vec::new();
    let told = ledger.statement(account, &mut |entry| {
        entries.push(entry);
        std::ops::ControlFlow::Continue(())
    });
    told.unwrap();
    entries
}

/// What does not agree, after everything was read.
pub(crate) fn verified(ledger: &impl Ledger) -> Vec<Fault> {
    ledger.verify(&mut |_| {}).unwrap()
}

/// How many signatures are left before the signer fails; `None` for all there may be.
#[derive(Default)]
pub(crate) struct Left(Mutex<Option<u32>>);

impl Left {
    pub(crate) fn set(&self, left: Option<u32>) {
        *self.0.lock().unwrap() = left;
    }

    fn get(&self) -> Option<u32> {
        *self.0.lock().unwrap()
    }
}

/// A signer that fails when it is told to.
pub(crate) struct Signer {
    key: OwnKey,
    left: Arc<Left>,
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

pub(crate) struct World<L> {
    pub(crate) issuer: Issuer<L, Signer>,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) root: RootFingerprint,
    pub(crate) list: Verified<KeyList>,
    /// After how many more signatures the issuer's signer fails.
    pub(crate) signatures_left: Arc<Left>,
}

pub(crate) fn generous() -> Policy {
    let limits = Limits {
        each: Minor(1_000),
        press: Minor(500),
        free: Minor(0),
        free_count: FreeCount(0),
        free_total: Minor(0),
        offline_total: Minor(300),
    };
    Policy { compared_code: Some(limits), daily: Minor(5_000), ..Policy::default() }
}

pub(crate) fn keys(rng: &mut ChaCha20Rng, epoch: u32) -> (Keys<Signer>, Arc<Left>) {
    keys_beside(rng, epoch, KeyId(7), &[])
}

/// New keys, in a list which has `older` ones too.
pub(crate) fn keys_beside(rng: &mut ChaCha20Rng, epoch: u32, signing_id: KeyId, older: &[KeyEntry]) -> (Keys<Signer>, Arc<Left>) {
    let root_signer = SigningKey::from_bytes(&[1; 32]);
    let root = RootKey::from_bytes(root_signer.verifying_key().to_bytes()).unwrap();
    let online = OwnKey::from_bytes(&random(rng)).unwrap();
    let enrolment = EnrolmentKey::from_bytes(&random(rng)).unwrap();
    let (signs, enrols) = (online.public_key(), *enrolment.public_key().as_bytes());
    let mut entries = vec![
        KeyEntry { id: signing_id, key_use: KeyUse::Signing, key: signs, validity: ALWAYS },
        KeyEntry { id: KeyId(signing_id.0 + 1), key_use: KeyUse::Enrolment, key: enrols, validity: ALWAYS },
    ];
    entries.extend_from_slice(older);
    let key_list = sign_key_list(&root, &Signing::new(root_signer), Epoch(epoch), (NOW, ALWAYS.until), &entries).unwrap();
    let left = Arc::new(Left::default());
    let signing = Signing::new(Signer { key: online, left: Arc::clone(&left) });
    (Keys { root, signing_id, signing, enrolment, key_list }, left)
}

pub(crate) fn random<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl<L: Ledger> World<L> {
    pub(crate) fn new(ledger: L) -> Self {
        Self::with_policy(ledger, generous())
    }

    pub(crate) fn with_policy(ledger: L, policy: Policy) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let (keys, signatures_left) = keys(&mut rng, 3);
        let (root_key, list) = (keys.root, keys.key_list.clone());
        let issuer = Issuer::new(keys, policy, ledger, NOW).unwrap();
        let root = *issuer.root();
        let list = Unverified::<KeyList>::parse(&list).unwrap().verify(&root, &root_key).unwrap();
        Self { issuer, rng, root, list, signatures_left }
    }

    /// Gives the issuer these keys, and everybody else the key list that they are in.
    pub(crate) fn rotate(&mut self, keys: Keys<Signer>, now: UnixTime) {
        let (root_key, list) = (keys.root, keys.key_list.clone());
        self.issuer.set_keys(keys, now).unwrap();
        let list = Unverified::<KeyList>::parse(&list).unwrap().verify(&self.root, &root_key).unwrap();
        self.list = list.not_older_than(self.list.epoch).unwrap();
    }

    pub(crate) fn account(&mut self, minor: u64) -> AccountPseudonym {
        let account = self.issuer.open_account(Currency::CNY, &mut self.rng).unwrap();
        let reference = DepositRef(random(&mut self.rng));
        if minor > 0 {
            self.issuer.deposit(account, cny(minor), reference, NOW).unwrap();
        }
        account
    }

    pub(crate) fn statement(&self, account: AccountPseudonym) -> Vec<Entry> {
        statement(self.issuer.ledger(), account)
    }

    pub(crate) fn balance(&self, account: AccountPseudonym) -> i64 {
        self.issuer.account(account).unwrap().balance
    }

    pub(crate) fn shop(&mut self) -> Shop {
        let account = self.account(0);
        self.shop_of(account)
    }

    pub(crate) fn shop_of(&mut self, account: AccountPseudonym) -> Shop {
        self.shop_valid(account, ALWAYS)
    }

    pub(crate) fn shop_valid(&mut self, account: AccountPseudonym, validity: Validity) -> Shop {
        let signer = SigningKey::from_bytes(&random(&mut self.rng));
        let key = PayeeKey::from_bytes(signer.verifying_key().to_bytes()).unwrap();
        let applicant = Applicant { name: "茶馆", key, account, validity };
        let id = self.issuer.certify_payee(&applicant, NOW, &mut self.rng).unwrap().id();
        Shop { id, account, signing: Signing::new(signer) }
    }

    /// A band with an active credential.
    pub(crate) fn band(&mut self, minor: u64) -> Band {
        let account = self.account(minor);
        self.band_of(account)
    }

    pub(crate) fn band_of(&mut self, account: AccountPseudonym) -> Band {
        let band = self.inactive_band_of(account);
        let pending = self.issuer.pending_confirmations(account).unwrap();
        let digits = pending.iter().find(|pending| pending.credential == band.credential.id).unwrap().digits;
        self.issuer.confirm(band.credential.id, digits.number(), NOW).unwrap();
        band
    }

    pub(crate) fn inactive_band_of(&mut self, account: AccountPseudonym) -> Band {
        let code = self.issuer.issue_code(account, NOW, &mut self.rng).unwrap();
        let mut enrolling = Enrolling::new(self, code);
        let (credential, _) = enrolling.request(self, NOW).unwrap();
        Band { account, credential, signing: enrolling.signing, counter: 0, cumulative: 0 }
    }

    pub(crate) fn handle<T>(
        &mut self,
        session: &mut Session,
        record: &ToIssuer<'_>,
        now: UnixTime,
        read: impl FnOnce(FromIssuer<'_>) -> T,
    ) -> T {
        let (mut buffer, mut out) = ([0; ToIssuer::MAX_LEN], [0; REPLY_MAX]);
        let record = encode(record, &mut buffer).unwrap();
        let reply = self.issuer.handle(session, record, now, &mut self.rng, &mut out).unwrap();
        read(decode_record(reply.record).unwrap())
    }

    pub(crate) fn payment(&self, request: &[u8], token: &[u8]) -> VerifiedPayment {
        self.issuer.verify(request, token).unwrap().unwrap()
    }

    /// Settles one payment and checks what its receipt says.
    pub(crate) fn settle(&mut self, request: &[u8], token: &[u8], now: UnixTime) -> Answer {
        let payment = self.payment(request, token);
        let answer = self.issuer.settle(std::slice::from_ref(&payment), now).unwrap().pop().unwrap();
        let receipt = Unverified::<Receipt>::parse(&answer.receipt).unwrap();
        let key = self.list.signing_key(receipt.claims().key, receipt.claims().time).unwrap();
        let receipt = *receipt.verify(&self.root, &key).unwrap().body();
        assert_eq!((receipt.token, receipt.outcome), (payment.digest(), answer.outcome));
        assert_eq!(self.issuer.ledger().audit().unwrap(), []);
        answer
    }

    pub(crate) fn outcome(&mut self, request: &[u8], token: &[u8]) -> Outcome {
        self.settle(request, token, NOW).outcome
    }

    /// Gives back, and checks what the receipt says.
    pub(crate) fn refund(&mut self, refund: &[u8], now: UnixTime) -> (RefundAnswer, Amount) {
        let refund = self.issuer.verify_refund(refund).unwrap().unwrap();
        let answer = self.issuer.refund(&refund, now).unwrap().unwrap();
        let receipt = Unverified::<RefundReceipt>::parse(&answer.receipt).unwrap();
        let key = self.list.signing_key(receipt.claims().key, receipt.claims().time).unwrap();
        let receipt = *receipt.verify(&self.root, &key).unwrap().body();
        assert_eq!((receipt.refund, receipt.token), (refund.digest(), refund.refund().token));
        assert_eq!((answer.refund, receipt.outcome), (refund.digest(), answer.outcome));
        assert_eq!(self.issuer.ledger().audit().unwrap(), []);
        (answer, receipt.left)
    }

    /// One part of the revocation list, as it is on the wire.
    pub(crate) fn revocations_part(&mut self, since: u32, part: u16, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        self.handle(&mut Session::new(), &ToIssuer::Revocations { since, part }, now, |answer| match answer {
            FromIssuer::Revocations(list) => Ok(list.as_bytes().to_vec()),
            FromIssuer::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        })
    }

    /// All parts of the revocation list, verified: its epoch, since when it speaks, and what it says.
    pub(crate) fn revocations(&mut self, since: u32, now: UnixTime) -> (u32, u32, Vec<Revocation>) {
        let (mut entries, mut part, mut parts) = (Vec::new(), 0, 1);
        let mut head = (0, 0);
        while part < parts {
            let object = self.revocations_part(since, part, now).unwrap();
            let list = Unverified::<RevocationList<'_>>::parse(&object).unwrap();
            let key = self.list.signing_key(list.claims().key, now).unwrap();
            let list = *list.verify(&self.root, &key).unwrap().body();
            let next_update = now.checked_add(self.issuer.policy().revocation_period).unwrap();
            assert_eq!((list.part, list.issued, list.next_update), (part, now, next_update));
            assert!(part == 0 || (head, parts) == ((list.epoch.0, list.since.0), list.parts), "parts of one list");
            head = (list.epoch.0, list.since.0);
            (part, parts) = (part + 1, list.parts);
            entries.extend(list.entries.iter());
        }
        assert_eq!(self.revocations_part(since, parts, now), Err(Refusal::NoSuchPart));
        (head.0, head.1, entries)
    }

    pub(crate) fn pay(&mut self, band: &mut Band, shop: &Shop, minor: u64) -> Outcome {
        let request = shop.request(self, minor);
        let token = band.token(self, &request);
        self.outcome(&request, &token)
    }

    pub(crate) fn redeem(&mut self, request: &[u8], token: &[u8]) -> Result<Vec<u8>, Refusal> {
        let record = ToIssuer::Redeem { request: Opaque::new(request).unwrap(), token: Opaque::new(token).unwrap() };
        self.handle(&mut Session::new(), &record, NOW, |answer| match answer {
            FromIssuer::Receipt(receipt) => Ok(receipt.as_bytes().to_vec()),
            FromIssuer::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        })
    }
}

/// Runs each test against every ledger.
#[macro_export]
macro_rules! against_every_ledger {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            use armring_issuer::MemoryLedger;
            $(#[test] fn $test() { super::$test(super::common::World::new(MemoryLedger::new())); })+
        }
        mod sqlite {
            use armring_issuer::SqliteLedger;
            $(#[test] fn $test() { super::$test(super::common::World::new(SqliteLedger::open_in_memory().unwrap())); })+
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $test() { super::$test(super::common::World::new(super::common::postgres::fresh())); })+
        }
    };
}
