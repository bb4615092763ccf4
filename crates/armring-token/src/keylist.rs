//! The issuer's keys, as its root signs them.

use armring_wire::{KeyId, UnixTime, Validity, VersionRange};
use heapless::Vec;
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use crate::error::VerifyError;
use crate::fields::{Epoch, Form};
use crate::sign::{IssuerKey, Object, Root, Verified};

/// How many keys a key list holds at most.
pub const KEYS_MAX: usize = 8;

/// What a key in a key list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum KeyUse {
    /// Ed25519: signs credentials, payee certificates and receipts.
    Signing,
    /// X25519: the issuer's static key of an enrolment.
    Enrolment,
}

/// One key of an issuer. 43 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct KeyEntry {
    /// Names it.
    pub id: KeyId,
    /// What it is for.
    pub key_use: KeyUse,
    /// 32 bytes, of the curve that its use implies.
    pub key: [u8; 32],
    /// When it may be used.
    pub validity: Validity,
}

/// The issuer's keys, signed by its root. At most 424 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// 1.
    pub form: Form<1>,
    /// A lower epoch than one seen before is refused.
    pub epoch: Epoch,
    /// When it was signed.
    pub issued: UnixTime,
    /// Until when a payee without network may rely on it.
    pub next_update: UnixTime,
    /// The versions that the issuer speaks.
    pub versions: VersionRange,
    /// The keys.
    pub keys: Vec<KeyEntry, KEYS_MAX>,
}

impl MaxSize for KeyList {
    const POSTCARD_MAX_SIZE: usize = 1 + 4 + 4 + 4 + 2 + 1 + KEYS_MAX * KeyEntry::POSTCARD_MAX_SIZE;
}

impl Object<'_> for KeyList {
    type By = Root;
    const LABEL: &'static str = "key list";
}

impl Verified<KeyList> {
    /// Takes this list in place of one of epoch `seen`.
    ///
    /// # Errors
    /// [`VerifyError::OldEpoch`] where its epoch is lower.
    pub fn not_older_than(self, seen: Epoch) -> Result<Self, VerifyError> {
        if self.epoch < seen { Err(VerifyError::OldEpoch) } else { Ok(self) }
    }

    /// The signing key with this id, as of `at`: when what it signed was signed.
    ///
    /// # Errors
    /// [`VerifyError::Key`] where there is none, it is for another use, or it was not valid then.
    pub fn signing_key(&self, id: KeyId, at: UnixTime) -> Result<IssuerKey, VerifyError> {
        self.entries(KeyUse::Signing, at)
            .find(|entry| entry.id == id)
            .and_then(|entry| IssuerKey::from_bytes(entry.key))
            .ok_or(VerifyError::Key)
    }

    /// The X25519 key to enrol with at `at`: 32 bytes.
    ///
    /// # Errors
    /// [`VerifyError::Key`] where the list has none that is valid then.
    pub fn enrolment_key(&self, at: UnixTime) -> Result<[u8; 32], VerifyError> {
        self.entries(KeyUse::Enrolment, at).next().map(|entry| entry.key).ok_or(VerifyError::Key)
    }

    fn entries(&self, key_use: KeyUse, at: UnixTime) -> impl Iterator<Item = &KeyEntry> {
        self.keys.iter().filter(move |entry| entry.key_use == key_use && entry.validity.contains(at))
    }
}
