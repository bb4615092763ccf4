//! Who there is: keys, the issuer, shops, people with their bands and phones.

use std::collections::BTreeMap;
use std::rc::Rc;

use armring_issuer::{DepositRef, Issuer, Keys, Policy, Session, sign_key_list};
use armring_pairing::{DhError, DiffieHellman, PublicKey, SharedSecret, SoftwareKey};
use armring_payee::{FloorLimits, Payee};
use armring_token::{Epoch, FreeCount, KeyEntry, KeyList, KeyUse, Minor, RootKey, Signing, Unverified, Verified};
use armring_wire::{AccountPseudonym, Amount, Currency, KeyId, RootFingerprint, UnixTime, Validity};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;

use crate::books::Books;
use crate::queue::Time;
use crate::record::Limits;
use crate::rule::Rule;

/// When the world begins.
const DAWN: u32 = 1_800_000_000;
const VALIDITY: Validity = Validity { from: UnixTime::from_secs(DAWN - 1_000), until: UnixTime::from_secs(DAWN + 100_000_000) };

/// Amounts are large, so that no eight bytes of one come about by chance.
pub(crate) const LIMITS: Limits =
    Limits { each: 1 << 44, press: 1 << 42, free: 1 << 40, free_count: 3, free_total: 1 << 41, offline_total: 1 << 42 };
/// For how long after a request's expiry what was accepted without network may be redeemed, in seconds.
pub(crate) const REDEEM_PERIOD: u64 = 20;
pub(crate) const FLOOR: FloorLimits = FloorLimits { each: 1 << 42, credential: 1 << 43, total: 1 << 43, payments: 64 };

/// No limits at all: a payee that leaves them out.
pub(crate) const BOUNDLESS: FloorLimits =
    FloorLimits { each: u64::MAX, credential: u64::MAX, total: u64::MAX, payments: usize::MAX };

pub(crate) fn yuan(minor: u64) -> Amount {
    Amount::new(minor, Currency::CNY)
}

pub(crate) fn unix(now: Time) -> UnixTime {
    UnixTime::from_secs(DAWN.saturating_add(u32::try_from(now / 1_000).unwrap_or(u32::MAX)))
}

pub(crate) fn random<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// An X25519 key that several hold: making one costs as much as using it.
#[derive(Clone)]
pub(crate) struct Shared(Rc<SoftwareKey>);

impl Shared {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(Rc::new(SoftwareKey::new(seed)))
    }
}

impl DiffieHellman for Shared {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        self.0.diffie_hellman(peer)
    }
}

/// The issuer, and what everybody knows of it.
pub(crate) struct Bank {
    pub(crate) issuer: Issuer<Books, SigningKey, Shared>,
    pub(crate) root_key: RootKey,
    pub(crate) root: RootFingerprint,
    pub(crate) key_list: Vec<u8>,
    pub(crate) keys: Verified<KeyList>,
    /// Enrolments that go on.
    pub(crate) sessions: BTreeMap<u64, Session>,
}

impl Bank {
    pub(crate) fn new(omits: Option<Rule>, rng: &mut ChaCha20Rng) -> Self {
        let root_signer = SigningKey::from_bytes(&random(rng));
        let root_key = RootKey::from_bytes(root_signer.verifying_key().to_bytes()).unwrap();
        let online = SigningKey::from_bytes(&random(rng));
        let enrolment = Shared::new(random(rng));
        let entry = |id, key_use, key| KeyEntry { id: KeyId(id), key_use, key, validity: VALIDITY };
        let entries = [
            entry(1, KeyUse::Signing, online.verifying_key().to_bytes()),
            entry(2, KeyUse::Enrolment, *enrolment.public_key().as_bytes()),
        ];
        let times = (unix(0), VALIDITY.until);
        let key_list = sign_key_list(&root_key, &Signing::new(root_signer), Epoch(1), times, &entries).unwrap();
        let root = root_key.fingerprint();
        let keys = Unverified::<KeyList>::parse(&key_list).unwrap().verify(&root, &root_key).unwrap();
        let (signing_id, signing) = (KeyId(1), Signing::new(online));
        let held = Keys { root: root_key, signing_id, signing, enrolment, key_list: key_list.clone() };
        let issuer = Issuer::new(held, policy(omits), Books::new(omits), unix(0)).unwrap();
        Self { issuer, root_key, root, key_list, keys, sessions: BTreeMap::new() }
    }

    pub(crate) fn account(&mut self, minor: u64, rng: &mut ChaCha20Rng) -> AccountPseudonym {
        let account = self.issuer.open_account(Currency::CNY, rng).unwrap();
        if minor > 0 {
            self.issuer.deposit(account, yuan(minor), DepositRef(random(rng)), unix(0)).unwrap();
        }
        account
    }

    /// A payee with a certificate.
    pub(crate) fn shop(&mut self, name: &str, rng: &mut ChaCha20Rng) -> (Payee<SigningKey>, AccountPseudonym) {
        let signer = SigningKey::from_bytes(&random(rng));
        let key = armring_token::PayeeKey::from_bytes(signer.verifying_key().to_bytes()).unwrap();
        let account = self.account(0, rng);
        let applicant = armring_issuer::Applicant { name, key, account, validity: VALIDITY };
        let record = self.issuer.certify_payee(&applicant, unix(0), rng).unwrap();
        (Payee::new(self.root_key, &self.key_list, record.certificate(), Signing::new(signer)).unwrap(), account)
    }
}

fn policy(omits: Option<Rule>) -> Policy {
    let Limits { each, press, free, mut free_count, mut free_total, offline_total } = LIMITS;
    if omits == Some(Rule::FreeLimitIsGranted) {
        (free_count, free_total) = (free_count * 100, free_total * 100);
    }
    let limits = armring_token::Limits {
        each: Minor(each),
        press: Minor(press),
        free: Minor(free),
        free_count: FreeCount(u16::try_from(free_count).unwrap()),
        free_total: Minor(free_total),
        offline_total: Minor(offline_total),
    };
    Policy {
        compared_code: Some(limits),
        displayed_secret: Some(limits),
        daily: Minor(1 << 62),
        redeem_period: std::time::Duration::from_secs(REDEEM_PERIOD),
        ..Policy::default()
    }
}
