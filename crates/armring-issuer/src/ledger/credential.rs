//! Credentials, and the codes that they are enrolled with.

use core::fmt;

use armring_token::{Credential, CredentialRights, Sequence, Unverified};
use armring_wire::{CredentialId, Digits, EnrolmentCode, UnixTime};
use blake2::{Blake2s256, Digest};

use super::model::Account;
use crate::judge::Receiver;
use crate::makers::MakerId;

/// How many wrong tries at the digits cancel a credential.
pub const TRIES: u8 = 3;

/// How a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialState {
    /// The user has not confirmed the digits.
    Inactive,
    /// It pays.
    Active,
    /// Frozen by the operator, who may unfreeze it.
    Frozen,
    /// Wrong digits were given too often. For good.
    Cancelled,
    /// Its key was found in two bands. For good.
    Cloned,
    /// Revoked by the operator: the band is lost. For good.
    Revoked,
}

impl CredentialState {
    /// Whether it stays so.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Cloned | Self::Revoked)
    }

    /// Whether the revocation list says so.
    #[must_use]
    pub const fn is_listed(self) -> bool {
        !matches!(self, Self::Inactive | Self::Active)
    }
}

/// A credential and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    pub(crate) credential: Credential,
    pub(crate) object: Vec<u8>,
    /// How it is where it is not frozen.
    pub(crate) unfrozen: CredentialState,
    pub(crate) frozen: bool,
    pub(crate) maker: Option<MakerId>,
    pub(crate) answered: Sequence,
    pub(crate) total: i64,
}

impl CredentialRecord {
    /// A credential of this issuer, new and inactive; `None` where these bytes are none.
    pub(crate) fn new(object: Vec<u8>) -> Option<Self> {
        let credential = *Unverified::<Credential>::parse(&object).ok()?.claims();
        let unfrozen = CredentialState::Inactive;
        Some(Self { credential, object, unfrozen, frozen: false, maker: None, answered: Sequence(0), total: 0 })
    }

    /// What it says.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The signed credential.
    #[must_use]
    pub fn object(&self) -> &[u8] {
        &self.object
    }

    /// How it is.
    #[must_use]
    pub const fn state(&self) -> CredentialState {
        if self.frozen && !self.unfrozen.is_final() { CredentialState::Frozen } else { self.unfrozen }
    }

    /// The maker whose word there is for its key.
    #[must_use]
    pub const fn maker(&self) -> Option<MakerId> {
        self.maker
    }

    /// How many of its tokens were answered.
    #[must_use]
    pub const fn answered(&self) -> Sequence {
        self.answered
    }

    /// What its answered tokens come to, settled and voided, in minor units. Those refused as cloned are left out.
    #[must_use]
    pub const fn answered_total(&self) -> i64 {
        self.total
    }

    pub(crate) fn receiver(&self, account: Account) -> Receiver {
        Receiver {
            account,
            currency: self.credential.currency,
            validity: self.credential.validity,
            may_receive: self.state() == CredentialState::Active && self.credential.rights.allows(CredentialRights::RECEIVE),
            may_refund: self.state() == CredentialState::Active,
        }
    }
}

/// What is kept of an enrolment code, so that whoever reads the ledger cannot enrol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeHash(pub(crate) [u8; 32]);

impl CodeHash {
    /// Hashes a code.
    #[must_use]
    pub fn of(code: &EnrolmentCode) -> Self {
        const LABEL: &[u8; 24] = b"armring/1 enrolment code";
        Self(Blake2s256::new().chain_update([24]).chain_update(LABEL).chain_update(code.0).finalize().into())
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(..)")
    }
}

/// A credential that was signed and is to be kept, if its code is good: inactive, or active where a maker's word is enough.
#[derive(Clone, Debug)]
pub struct NewCredential {
    pub(crate) record: CredentialRecord,
    pub(crate) digits: Digits,
}

/// What became of an enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// The candidate is kept.
    Stored,
    /// The code was used for the same payment key before: this signed credential stands.
    Already(Vec<u8>),
    /// The code is unknown, too old, or used for another key; or the key is enrolled under another code, or its credential is refused for
    /// good.
    Refused,
}

/// A credential that waits for its digits to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub credential: CredentialId,
    /// The digits that the band shows, if the band is the user's.
    pub digits: Digits,
    /// When it was enrolled.
    pub enrolled: UnixTime,
}

/// Digits out of their number, as ledgers keep them.
#[cfg(any(test, feature = "sqlite", feature = "postgres"))]
pub(crate) fn digits_from_number(number: u32) -> Digits {
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().zip(u64::from(number).to_be_bytes()) {
        *place = byte;
    }
    Digits::from_hash(&hash)
}

/// Two signed tokens of one key that one band does not sign: with one counter, with totals that overlap, or the higher counter with the
/// lower total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The signed token that was answered first.
    pub first: Vec<u8>,
    /// The signed token that was refused as cloned.
    pub second: Vec<u8>,
    /// When it was refused.
    pub time: UnixTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_survive_being_kept_as_a_number() {
        for number in [0, 7, 42_017, 999_999] {
            assert_eq!(digits_from_number(number).number(), number);
        }
    }

    #[test]
    fn debug_of_a_code_s_hash_shows_nothing() {
        assert_eq!(format!("{:?}", CodeHash::of(&EnrolmentCode([7; 16]))), "CodeHash(..)");
    }
}
