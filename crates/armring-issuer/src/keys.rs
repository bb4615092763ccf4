//! The issuer's keys: the root, which is used offline, and those that its key list names.

use core::fmt;
use core::time::Duration;

use armring_pairing::DiffieHellman;
use armring_token::{
    Epoch, Form, Issuer, KeyEntry, KeyList, Object, Receipt, RefundReceipt, RevocationList, Revocations, Root, RootKey, Sequence,
    Signature, Signing, Unverified, VerifyError,
};
use armring_wire::records::REVOCATIONS_MAX;
use armring_wire::{Amount, Currency, KeyId, Outcome, RootFingerprint, TokenDigest, UnixTime, Validity, VersionRange};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::{CallerError, Error, MachineError};
use crate::ledger::{RefundRuling, RevokedPart, Ruling};
use crate::provider::{EnrolmentKey, SigningKey};

/// Signs a key list with the root key: what an operator does offline, on a machine that does nothing else.
///
/// # Errors
/// [`CallerError::TooManyKeys`] above [`KEYS_MAX`](armring_token::KEYS_MAX), [`MachineError::Signer`].
///
/// ```
/// use armring_issuer::{SigningKey, sign_key_list};
/// use armring_token::{Epoch, KeyEntry, KeyUse, RootKey, Signing};
/// use armring_wire::{KeyId, UnixTime, Validity};
/// # let (root_seed, online_key) = ([1; 32], SigningKey::from_bytes(&[2; 32])?.public_key());
///
/// let root_signer = SigningKey::from_bytes(&root_seed)?;
/// let root = RootKey::from_bytes(root_signer.public_key()).ok_or("a key")?;
/// let (now, next_year) = (UnixTime::from_secs(1_800_000_000), UnixTime::from_secs(1_831_536_000));
/// let keys = [KeyEntry {
///     id: KeyId(1),
///     key_use: KeyUse::Signing,
///     key: online_key,
///     validity: Validity { from: now, until: next_year },
/// }];
/// let list = sign_key_list(&root, &Signing::new(root_signer), Epoch(1), (now, next_year), &keys)?;
/// assert!(list.len() < 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_key_list<S: MultipartSigner<Signature>>(
    root: &RootKey,
    signer: &Signing<Root, S>,
    epoch: Epoch,
    (issued, next_update): (UnixTime, UnixTime),
    keys: &[KeyEntry],
) -> Result<Vec<u8>, Error> {
    let mut list =
        KeyList { form: Form, epoch, issued, next_update, versions: VersionRange::SUPPORTED, keys: Default::default() };
    list.keys.extend_from_slice(keys).map_err(|_| CallerError::TooManyKeys)?;
    let mut buffer = [0; KeyList::MAX_LEN];
    Ok(list.sign(&root.fingerprint(), signer, &mut buffer).map_err(MachineError::from)?.to_vec())
}

/// The keys that a running issuer has: not the root, but what the root signed for. Each may be in a hardware module: `S` and `D` are whatever
/// signs and agrees.
pub struct Keys<S = SigningKey, D = EnrolmentKey> {
    /// The root key.
    pub root: RootKey,
    /// What the key list calls the signing key.
    pub signing_id: KeyId,
    /// Signs credentials, payee certificates and receipts.
    pub signing: Signing<Issuer, S>,
    /// The X25519 key of enrolments.
    pub enrolment: D,
    /// The key list, signed by the root, which names both.
    pub key_list: Vec<u8>,
}

impl<S, D> fmt::Debug for Keys<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("root", &self.root).field("signing_id", &self.signing_id).finish_non_exhaustive()
    }
}

/// Keys that were found in their key list.
pub(crate) struct CheckedKeys<S, D> {
    keys: Keys<S, D>,
    root: RootFingerprint,
    epoch: Epoch,
    versions: VersionRange,
    signing_validity: Validity,
}

impl<S: MultipartSigner<Signature>, D: DiffieHellman> CheckedKeys<S, D> {
    /// Checks that whoever has the key list will accept what these keys sign at `now`.
    pub(crate) fn new(keys: Keys<S, D>, now: UnixTime) -> Result<Self, Error> {
        let root = keys.root.fingerprint();
        let parsed = Unverified::<KeyList>::parse(&keys.key_list).map_err(|error| CallerError::KeyList(error.into()))?;
        let list = parsed.verify(&root, &keys.root).map_err(CallerError::KeyList)?;
        let public = list.signing_key(keys.signing_id, now).map_err(CallerError::KeyList)?;
        let enrolment = list.enrolment_key(now).map_err(CallerError::KeyList)?;
        let entry = list.keys.iter().find(|entry| entry.id == keys.signing_id && entry.validity.contains(now));
        let signing_validity = entry.ok_or(CallerError::KeyNotListed)?.validity;
        let (epoch, versions) = (list.epoch, list.versions);
        let checked = Self { keys, root, epoch, versions, signing_validity };
        let probe = checked.sign_receipt(&PROBE, now)?;
        let is_listed = Unverified::<Receipt>::parse(&probe).is_ok_and(|probe| probe.verify(&root, &public).is_ok());
        if is_listed && enrolment == *checked.keys.enrolment.public_key().as_bytes() {
            Ok(checked)
        } else {
            Err(CallerError::KeyNotListed.into())
        }
    }

    /// These keys in place of `older` ones.
    pub(crate) fn not_older_than(self, older: &Self) -> Result<Self, Error> {
        if self.root != older.root {
            return Err(CallerError::KeyList(VerifyError::Key).into());
        }
        if self.epoch < older.epoch { Err(CallerError::KeyList(VerifyError::OldEpoch).into()) } else { Ok(self) }
    }

    pub(crate) fn sign_receipt(&self, ruling: &Ruling, now: UnixTime) -> Result<Vec<u8>, MachineError> {
        let receipt = Receipt {
            form: Form,
            key: self.keys.signing_id,
            token: ruling.token,
            outcome: ruling.outcome,
            sequence: ruling.sequence,
            time: ruling.time,
            ceiling: ruling.ceiling,
        };
        self.sign(&receipt, now)
    }
}

impl<S: MultipartSigner<Signature>, D> CheckedKeys<S, D> {
    pub(crate) fn sign_refund_receipt(&self, ruling: &RefundRuling, now: UnixTime) -> Result<Vec<u8>, MachineError> {
        let receipt = RefundReceipt {
            form: Form,
            key: self.keys.signing_id,
            refund: ruling.refund,
            token: ruling.token,
            outcome: ruling.outcome,
            left: ruling.left,
            time: ruling.time,
        };
        self.sign(&receipt, now)
    }

    pub(crate) fn sign_revocations(&self, part: &RevokedPart, period: Duration, now: UnixTime) -> Result<Vec<u8>, MachineError> {
        let mut buffer = [0; REVOCATIONS_MAX];
        let list = RevocationList {
            form: Form,
            key: self.keys.signing_id,
            epoch: part.epoch,
            since: part.since,
            part: part.part,
            parts: part.parts,
            issued: now,
            next_update: now.checked_add(period).unwrap_or(UnixTime::from_secs(u32::MAX)),
            entries: Revocations::write(part.entries.iter().copied(), &mut buffer).ok_or(MachineError::Encoding)?,
        };
        self.sign(&list, now)
    }

    /// Signs what the issuer says at `now`.
    pub(crate) fn sign<'a, T: Object<'a, By = Issuer>>(&self, object: &T, now: UnixTime) -> Result<Vec<u8>, MachineError> {
        if !self.signing_validity.contains(now) {
            return Err(MachineError::SigningKeyNotValid);
        }
        let mut buffer = vec![0; T::MAX_LEN];
        let len = object.sign(&self.root, &self.keys.signing, &mut buffer)?.len();
        buffer.truncate(len);
        Ok(buffer)
    }
}

impl<S, D> CheckedKeys<S, D> {
    pub(crate) const fn root(&self) -> &RootFingerprint {
        &self.root
    }

    pub(crate) const fn signing_id(&self) -> KeyId {
        self.keys.signing_id
    }

    pub(crate) const fn enrolment(&self) -> &D {
        &self.keys.enrolment
    }

    pub(crate) const fn versions(&self) -> VersionRange {
        self.versions
    }

    pub(crate) fn key_list(&self) -> &[u8] {
        &self.keys.key_list
    }
}

impl<S, D> fmt::Debug for CheckedKeys<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.fmt(f)
    }
}

/// A receipt for no token, signed once at the start to see that the signer is the one that the key list names. It goes nowhere.
const PROBE: Ruling = Ruling {
    token: TokenDigest([0; 32]),
    outcome: Outcome::NotAllowed,
    sequence: Sequence(0),
    time: UnixTime::EPOCH,
    ceiling: Amount::new(0, Currency::CNY),
    total: 0,
};

/// `N` random bytes.
pub(crate) fn draw<const N: usize>(rng: &mut impl TryCryptoRng) -> Result<[u8; N], MachineError> {
    let mut bytes = [0; N];
    rng.try_fill_bytes(&mut bytes).map_err(|_| MachineError::Randomness)?;
    Ok(bytes)
}
