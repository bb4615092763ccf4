//! Who there is: keys, the issuer, shops, people with their bands and phones.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use armring_band::{Band, Face, SoftwareKeys};
use armring_issuer::{DepositRef, Issuer, Keys, Policy, Session, sign_key_list};
use armring_pairing::{DhError, DiffieHellman, Link, PublicKey, ResumeTicket, SharedSecret, SoftwareKey};
use armring_payee::{FloorLimits, Offline, Payee, Revoked, Sale};
use armring_token::{Epoch, FreeCount, KeyEntry, KeyList, KeyUse, Minor, RootKey, Signing, Unverified, Verified};
use armring_wallet::{Collection, Connection, Payment};
use armring_wire::records::band::Awaited;
use armring_wire::{AccountPseudonym, Amount, Currency, EnrolmentCode, KeyId, RootFingerprint, TokenDigest, UnixTime, Validity};
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

/// A band, its flash, and whose wrist it is on.
pub(crate) struct Wrist {
    pub(crate) band: Band<Shared, SoftwareKeys>,
    pub(crate) key: Shared,
    pub(crate) face: Face,
    pub(crate) flash: BTreeMap<u8, Vec<u8>>,
    /// What stood there before.
    pub(crate) before: BTreeMap<u8, Vec<u8>>,
    pub(crate) writing: Option<Change>,
    /// How often it was started.
    pub(crate) boot: u32,
    /// The connection that it has.
    pub(crate) line: Option<u32>,
    pub(crate) tick: Option<Time>,
    pub(crate) wearer: Wearer,
}

/// What is being stored.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Store(u8, Vec<u8>),
    Erase(u8),
    EraseAll,
}

/// What the person with the band has done, and what the band told them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wearer {
    /// Who it is.
    pub(crate) person: usize,
    pub(crate) is_on: bool,
    /// Unlocked it since it was put on: by the phone alone, or on the band.
    pub(crate) unlocked: u8,
    /// Unlocked it on the band since a large amount was asked for.
    pub(crate) is_fresh: bool,
    /// What they saw as they pressed, for as long as that press counts.
    pub(crate) pressing: Option<Seen>,
    pub(crate) has_pressed: bool,
    /// They are opening the pairing window.
    pub(crate) is_holding: bool,
    pub(crate) waiting: Option<Awaited>,
    pub(crate) code: Option<u32>,
    /// The band shows a code: whoever presses says that it is the phone's.
    pub(crate) is_comparing: bool,
    pub(crate) digits: Option<u32>,
    /// How often they were told that somebody else used the link.
    pub(crate) alarms: u32,
}

/// What somebody saw on a display, who wanted to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) display: Option<([u8; 9], u64)>,
}

/// Somebody with a band and a phone.
pub(crate) struct Person {
    pub(crate) wrist: usize,
    pub(crate) account: AccountPseudonym,
    pub(crate) phone: Phone,
    /// The keys of all phones that they ever had.
    pub(crate) phones: Vec<[u8; 32]>,
    pub(crate) till: usize,
    pub(crate) errand: Errand,
    /// Only the latest time to look again counts.
    pub(crate) turn: u32,
    /// Sales of others that they are to pay.
    pub(crate) owes: VecDeque<(usize, u64)>,
    /// Has a copy of somebody's band and phone.
    pub(crate) is_thief: bool,
    /// Somebody has used a copy of this phone's link since it was last there: how often the wearer had been told of such things by then.
    pub(crate) is_copied: Option<u32>,
    /// Somebody had such a copy at some time.
    pub(crate) was_copied: bool,
    /// The wallet is not theirs alone.
    pub(crate) is_infected: bool,
    /// The band of whoever stands between them and their own, while they pair.
    pub(crate) lured: Option<usize>,
    /// Whoever stands between them and their band, when somebody does.
    pub(crate) middle: Option<usize>,
    /// Stands between others: with which band.
    pub(crate) poses_as: Option<usize>,
    pub(crate) code: Option<(EnrolmentCode, Time)>,
    pub(crate) credential: Option<[u8; 8]>,
    pub(crate) is_confirmed: bool,
    /// What became of the last payment.
    pub(crate) last: Option<Result<armring_wire::Outcome, armring_wire::records::band::Decline>>,
    pub(crate) is_done: bool,
}

/// A phone: what it keeps, and what it has in memory.
pub(crate) struct Phone {
    pub(crate) key: Shared,
    pub(crate) kept: Kept,
    pub(crate) ticket: Option<ResumeTicket>,
    pub(crate) line: Option<(u32, Connection)>,
    pub(crate) is_resuming: bool,
    /// Something was said to the band, which has not answered.
    pub(crate) waits: bool,
    pub(crate) code: Option<u32>,
    pub(crate) alarms: u32,
    /// Since it was last linked, it connected while there were answers of the band's that it had not heard: each may hide a copy's use.
    pub(crate) has_lost: bool,
}

/// What a phone's storage holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) credential: Vec<u8>,
    pub(crate) payment: Option<Vec<u8>>,
    pub(crate) collection: Option<Vec<u8>>,
}

impl Phone {
    pub(crate) fn new(key: Shared) -> Self {
        let kept = Kept::default();
        Self { key, kept, ticket: None, line: None, is_resuming: false, waits: false, code: None, alarms: 0, has_lost: false }
    }

    pub(crate) fn link(&self) -> Option<Link> {
        Link::from_bytes(self.kept.link.as_deref()?.try_into().ok()?)
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.line.as_ref().is_some_and(|(_, connection)| connection.is_linked())
    }
}

/// What somebody is doing.
#[derive(Debug)]
pub(crate) enum Errand {
    Rest,
    Pair,
    Enrol { session: u64 },
    Pay(Box<Paying>),
    Collect(Box<Collecting>),
}

#[derive(Debug)]
pub(crate) struct Paying {
    pub(crate) till: usize,
    pub(crate) sale: u64,
    /// Whom they want to pay, and how much.
    pub(crate) wants: ([u8; 9], u64),
    pub(crate) payment: Option<Payment>,
    pub(crate) since: Time,
}

#[derive(Debug)]
pub(crate) struct Collecting {
    pub(crate) collection: Collection,
    pub(crate) sale: u64,
    pub(crate) since: Time,
}

/// Where a payee's sales are: a shop's, or a person's.
pub(crate) struct Till {
    /// Who has a certificate.
    pub(crate) payee: Option<Payee<SigningKey>>,
    pub(crate) reference: [u8; 9],
    pub(crate) account: AccountPseudonym,
    pub(crate) sales: BTreeMap<u64, Sale>,
    /// The sales as they are on its disk.
    pub(crate) stored: BTreeMap<u64, Vec<u8>>,
    /// What the issuer was asked about, and who waits for that.
    pub(crate) asking: BTreeMap<u64, TokenDigest>,
    pub(crate) buyers: BTreeMap<u64, usize>,
    pub(crate) book: Offline,
    pub(crate) revoked: Revoked,
}
