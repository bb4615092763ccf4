//! What the test files share: keys, one object of each kind, and signatures made by hand.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use armring_token::{
    Counter, Credential, CredentialRights, ENTRIES_MAX, Epoch, Form, FreeCount, Gesture, KeyEntry, KeyList, KeyUse, Limits,
    Minor, Object, PayeeCertificate, PayeeRights, PaymentRequest, PaymentToken, Presence, PublicKey, Receipt, Refund,
    RefundReceipt, Revocation, RevocationList, Revocations, RootKey, Sequence, Signing, Unlocking, Unverified, VerifyError,
};
use armring_wire::records::Assurance;
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, KeyId, Outcome, PayeeId, PayeeRef, RefundDigest, RequestDigest,
    RootFingerprint, Text, TokenDigest, UnixTime, Validity, VersionRange, encode,
};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::SigningKey;
use proptest::test_runner::{Config, RngSeed};
use sha2::{Digest, Sha512};

/// A seed, which is printed, and which the test harness shows where a test fails. To run a failure again:
/// `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
pub(crate) fn seed() -> u64 {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one("armring"),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    seed
}

pub(crate) fn config() -> Config {
    Config { failure_persistence: None, rng_seed: RngSeed::Fixed(seed()), ..Config::default() }
}

pub(crate) fn root_signer() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub(crate) fn issuer_signer() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

pub(crate) fn payee_signer() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

pub(crate) fn band_signer() -> SigningKey {
    SigningKey::from_bytes(&[4; 32])
}

pub(crate) fn public<U: armring_token::Use>(signer: &SigningKey) -> PublicKey<U> {
    PublicKey::from_bytes(signer.verifying_key().to_bytes()).unwrap()
}

/// The issuer that these tests are about.
pub(crate) fn root() -> RootFingerprint {
    public::<armring_token::Root>(&root_signer()).fingerprint()
}

/// Another issuer.
pub(crate) fn other_root() -> RootFingerprint {
    RootKey::from_bytes(SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes()).unwrap().fingerprint()
}

pub(crate) fn validity(from: u32, until: u32) -> Validity {
    Validity { from: UnixTime::from_secs(from), until: UnixTime::from_secs(until) }
}

pub(crate) fn entry(id: u16, key_use: KeyUse, key: [u8; 32], validity: Validity) -> KeyEntry {
    KeyEntry { id: KeyId(id), key_use, key, validity }
}

/// With as many keys as there may be.
pub(crate) fn key_list() -> KeyList {
    let key = issuer_signer().verifying_key().to_bytes();
    let keys = (0..8).map(|id| entry(id, if id == 7 { KeyUse::Enrolment } else { KeyUse::Signing }, key, validity(100, 200)));
    KeyList {
        form: Form,
        epoch: Epoch(7),
        issued: UnixTime::from_secs(100),
        next_update: UnixTime::from_secs(150),
        versions: VersionRange::SUPPORTED,
        keys: keys.collect(),
    }
}

pub(crate) fn certificate() -> PayeeCertificate<'static> {
    PayeeCertificate {
        form: Form,
        key: KeyId(1),
        payee: PayeeId(*b"teahouse"),
        payee_key: payee_signer().verifying_key().to_bytes(),
        name: Text::new("The teahouse in the third avenue").unwrap(),
        currency: Currency::CNY,
        rights: PayeeRights::PAYMENT,
        validity: validity(100, 200),
    }
}

pub(crate) fn credential() -> Credential {
    let (small, large) = (Minor(50_00), Minor(99_00));
    Credential {
        form: Form,
        key: KeyId(1),
        id: CredentialId(*b"wristpay"),
        payment_key: band_signer().verifying_key().to_bytes(),
        account: AccountPseudonym(*b"somebody"),
        currency: Currency::CNY,
        limits: Limits {
            each: large,
            press: small,
            free: Minor(0),
            free_count: FreeCount(0),
            free_total: Minor(0),
            offline_total: large,
        },
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
        validity: validity(100, 200),
    }
}

pub(crate) fn request() -> PaymentRequest<'static> {
    PaymentRequest {
        form: Form,
        payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
        amount: Amount::new(12_50, Currency::CNY),
        nonce: [7; 16],
        expiry: UnixTime::from_secs(150),
        memo: Text::new("tea for two: oolong, and a cake.").unwrap(),
    }
}

pub(crate) fn token() -> PaymentToken {
    PaymentToken {
        form: Form,
        credential: CredentialId(*b"wristpay"),
        payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
        request: RequestDigest([0xD1; 32]),
        amount: Amount::new(12_50, Currency::CNY),
        counter: Counter(3),
        cumulative: Minor(99_00),
        presence: Presence { minutes_worn: 600, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
    }
}

pub(crate) fn receipt() -> Receipt {
    Receipt {
        form: Form,
        key: KeyId(1),
        token: TokenDigest([0xD2; 32]),
        outcome: Outcome::Settled,
        sequence: Sequence(3),
        time: UnixTime::from_secs(149),
        ceiling: Amount::new(90_00, Currency::CNY),
    }
}

/// Of the greatest length, as the object of each other kind here.
pub(crate) fn revocation_list() -> RevocationList<'static> {
    let subject = |n: usize| PayeeRef::Credential(CredentialId(u64::try_from(n).unwrap().to_be_bytes()));
    let entries = (0..ENTRIES_MAX).map(|n| Revocation { subject: subject(n), revoked: n % 2 == 0 });
    RevocationList {
        form: Form,
        key: KeyId(1),
        epoch: Epoch(9),
        since: Epoch(8),
        part: 1,
        parts: 2,
        issued: UnixTime::from_secs(140),
        next_update: UnixTime::from_secs(150),
        entries: Revocations::write(entries, Vec::leak(vec![0; 9 * ENTRIES_MAX])).unwrap(),
    }
}

pub(crate) fn refund() -> Refund {
    Refund {
        form: Form,
        payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
        token: TokenDigest([0xD2; 32]),
        amount: Amount::new(2_50, Currency::CNY),
        nonce: [8; 16],
    }
}

pub(crate) fn refund_receipt() -> RefundReceipt {
    RefundReceipt {
        form: Form,
        key: KeyId(1),
        refund: RefundDigest([0xD3; 32]),
        token: TokenDigest([0xD2; 32]),
        outcome: Outcome::Settled,
        left: Amount::new(10_00, Currency::CNY),
        time: UnixTime::from_secs(149),
    }
}

type Verify = fn(&[u8], &RootFingerprint, [u8; 32]) -> Result<[u8; 32], VerifyError>;

/// One kind of object, its type forgotten.
pub(crate) struct Kind {
    pub(crate) label: &'static str,
    pub(crate) max_len: usize,
    /// One of it, of the greatest length, signed by the one who may.
    pub(crate) object: Vec<u8>,
    pub(crate) signer: SigningKey,
    /// Parses and verifies under this root with this key; gives the digest.
    pub(crate) verify: Verify,
    /// Parses; gives the signed bytes and what the claims encode to.
    pub(crate) again: fn(&[u8]) -> Option<[Vec<u8>; 2]>,
}

impl Kind {
    pub(crate) fn key(&self) -> [u8; 32] {
        self.signer.verifying_key().to_bytes()
    }

    pub(crate) fn verify(&self, object: &[u8]) -> Result<[u8; 32], VerifyError> {
        (self.verify)(object, &root(), self.key())
    }
}

macro_rules! kind {
    ($object:ty, $value:expr, $signer:expr) => {{
        let mut buffer = [0; 4096];
        let object = $value.sign(&root(), &Signing::new($signer), &mut buffer).unwrap().to_vec();
        Kind {
            label: <$object>::LABEL,
            max_len: <$object>::MAX_LEN,
            object,
            signer: $signer,
            verify: |object, root, key| {
                let key = PublicKey::from_bytes(key).ok_or(VerifyError::Key)?;
                Unverified::<$object>::parse(object)?.verify(root, &key).map(|verified| *verified.digest())
            },
            again: |object| {
                let unverified = Unverified::<$object>::parse(object).ok()?;
                let mut buffer = [0; 4096];
                Some([unverified.signed_bytes().to_vec(), encode(unverified.claims(), &mut buffer).unwrap().to_vec()])
            },
        }
    }};
}

pub(crate) fn kinds() -> [Kind; 9] {
    [
        kind!(KeyList, key_list(), root_signer()),
        kind!(PayeeCertificate<'_>, certificate(), issuer_signer()),
        kind!(Credential, credential(), issuer_signer()),
        kind!(PaymentRequest<'_>, request(), payee_signer()),
        kind!(PaymentToken, token(), band_signer()),
        kind!(Receipt, receipt(), issuer_signer()),
        kind!(RevocationList<'_>, revocation_list(), issuer_signer()),
        kind!(Refund, refund(), payee_signer()),
        kind!(RefundReceipt, refund_receipt(), issuer_signer()),
    ]
}

/// What is signed, put together by hand.
pub(crate) fn message(label: &str, root: &RootFingerprint, body: &[u8]) -> Vec<u8> {
    let label = format!("armring/1 {label}");
    [&[u8::try_from(label.len()).unwrap()], label.as_bytes(), &root.0, body].concat()
}

/// RFC 8032 §5.1.7: SHA-512(R ‖ A ‖ M), as a scalar.
pub(crate) fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into())
}

/// A signature by the key `[secret]B`, encoded as `key`, with the nonce `[nonce]B`, encoded as `r`: whatever else is in these encodings.
pub(crate) fn signature(secret: Scalar, key: &[u8; 32], nonce: Scalar, r: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let s = nonce + challenge(r, key, message) * secret;
    [*r, s.to_bytes()].concat().try_into().unwrap()
}

pub(crate) fn encoded(scalar: Scalar) -> [u8; 32] {
    EdwardsPoint::mul_base(&scalar).compress().to_bytes()
}
