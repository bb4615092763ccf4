//! Keys that every run has, and what is signed with them.

use std::rc::Rc;
use std::sync::OnceLock;

use armring_pairing::{DhError, DiffieHellman, SharedSecret, SoftwareKey};
use armring_token::{
    Credential, CredentialRights, Epoch, Form, FreeCount, Issuer, KeyEntry, KeyList, KeyUse, Limits, Minor, Object,
    PayeeCertificate, PayeeRights, PublicKey, Receipt, Root, RootKey, Sequence, Signing, Unverified, Use, Verified,
};
use armring_wire::records::Assurance;
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, KeyId, Outcome, PayeeId, RootFingerprint, Text, TokenDigest, UnixTime,
    Validity, VersionRange,
};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};

/// Whose key a seed is.
pub(crate) const ROOT: u8 = 1;
pub(crate) const ISSUER: u8 = 2;
pub(crate) const SHOP: u8 = 3;
pub(crate) const BAND: u8 = 4;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(2_000);
pub(crate) const UNTIL: UnixTime = UnixTime::from_secs(100_000);
pub(crate) const VALIDITY: Validity = Validity { from: UnixTime::from_secs(1_000), until: UNTIL };
pub(crate) const CREDENTIAL: CredentialId = CredentialId(*b"wristpay");
pub(crate) const TEAHOUSE: PayeeId = PayeeId(*b"teahouse");

pub(crate) fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn signing<U: Use>(seed: u8) -> Signing<U, SigningKey> {
    Signing::new(signer(seed))
}

pub(crate) fn public<U: Use>(seed: u8) -> PublicKey<U> {
    PublicKey::from_bytes(signer(seed).verifying_key().to_bytes()).unwrap()
}

pub(crate) fn root() -> RootFingerprint {
    static ROOT: OnceLock<RootFingerprint> = OnceLock::new();
    *ROOT.get_or_init(|| root_key().fingerprint())
}

pub(crate) fn root_key() -> RootKey {
    static ROOT_KEY: OnceLock<RootKey> = OnceLock::new();
    *ROOT_KEY.get_or_init(|| public::<Root>(ROOT))
}

/// Randomness that is the same in each run, since what differs is in the input; and that may fail.
pub(crate) struct Draws {
    rng: ChaCha20Rng,
    /// After so many draws there is no more.
    pub(crate) left: Option<u8>,
    pub(crate) has_failed: bool,
}

impl Draws {
    pub(crate) fn new(left: Option<u8>) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(7), left, has_failed: false }
    }
}

impl TryRng for Draws {
    type Error = Failed;

    fn try_next_u32(&mut self) -> Result<u32, Failed> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Failed> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        if self.left == Some(0) {
            self.has_failed = true;
            return Err(Failed);
        }
        self.left = self.left.map(|left| left - 1);
        self.rng.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

/// There was no randomness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;

impl core::fmt::Display for Failed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no randomness")
    }
}

impl core::error::Error for Failed {}

/// An X25519 key that several hold: making one costs as much as using it.
#[derive(Clone)]
pub(crate) struct Shared(Rc<SoftwareKey>);

thread_local!(static X25519: [Shared; 5] = [0x0B, 0xA0, 0xA1, 0xA2, 0x1E].map(|seed| Shared(Rc::new(SoftwareKey::new([seed; 32])))));

impl Shared {
    pub(crate) fn band() -> Self {
        X25519.with(|keys| keys[0].clone())
    }

    /// That of phone 0, 1 or 2.
    pub(crate) fn phone(n: u8) -> Self {
        X25519.with(|keys| keys[1 + usize::from(n)].clone())
    }

    /// With which bands enrol.
    pub(crate) fn issuer() -> Self {
        X25519.with(|keys| keys[4].clone())
    }
}

impl DiffieHellman for Shared {
    fn public_key(&self) -> armring_pairing::PublicKey {
        self.0.public_key()
    }

    fn diffie_hellman(&self, peer: &armring_pairing::PublicKey) -> Result<SharedSecret, DhError> {
        self.0.diffie_hellman(peer)
    }
}

pub(crate) fn yuan(minor: u64) -> Amount {
    Amount::new(minor, Currency::CNY)
}

pub(crate) fn sign<'a, T: Object<'a>>(object: &T, seed: u8) -> Vec<u8> {
    let mut buffer = vec![0; T::MAX_LEN];
    object.sign(&root(), &signing(seed), &mut buffer).unwrap().to_vec()
}

/// A key list that names the issuer's key and this one to enrol with.
pub(crate) fn key_list(epoch: u32, enrolment: [u8; 32]) -> Vec<u8> {
    let entry = |id, key_use, key| KeyEntry { id: KeyId(id), key_use, key, validity: VALIDITY };
    let keys = [entry(1, KeyUse::Signing, *public::<Issuer>(ISSUER).as_bytes()), entry(2, KeyUse::Enrolment, enrolment)];
    let versions = VersionRange::SUPPORTED;
    let (epoch, keys) = (Epoch(epoch), keys.into_iter().collect());
    sign(&KeyList { form: Form, epoch, issued: VALIDITY.from, next_update: UNTIL, versions, keys }, ROOT)
}

pub(crate) fn verified(key_list: &[u8]) -> Verified<KeyList> {
    Unverified::<KeyList>::parse(key_list).unwrap().verify(&root(), &root_key()).unwrap()
}

pub(crate) const LIMITS: Limits = Limits {
    each: Minor(10_000),
    press: Minor(5_000),
    free: Minor(0),
    free_count: FreeCount(0),
    free_total: Minor(0),
    offline_total: Minor(8_000),
};

pub(crate) fn credential_body(payment_key: [u8; 32]) -> Credential {
    Credential {
        form: Form,
        key: KeyId(1),
        id: CREDENTIAL,
        payment_key,
        account: AccountPseudonym(*b"somebody"),
        currency: Currency::CNY,
        limits: LIMITS,
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
        validity: VALIDITY,
    }
}

/// The teahouse's certificate.
pub(crate) fn certificate() -> Vec<u8> {
    let certificate = PayeeCertificate {
        form: Form,
        key: KeyId(1),
        payee: TEAHOUSE,
        payee_key: signer(SHOP).verifying_key().to_bytes(),
        name: Text::new("The teahouse").unwrap(),
        currency: Currency::CNY,
        rights: PayeeRights::PAYMENT,
        validity: VALIDITY,
    };
    sign(&certificate, ISSUER)
}

pub(crate) fn receipt(token: TokenDigest, outcome: Outcome, ceiling: u64) -> Vec<u8> {
    let (key, sequence, ceiling) = (KeyId(1), Sequence(1), yuan(ceiling));
    sign(&Receipt { form: Form, key, token, outcome, sequence, time: NOW, ceiling }, ISSUER)
}
