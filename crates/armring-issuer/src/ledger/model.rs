//! What a ledger holds.

use core::fmt;

use armring_token::{Credential, CredentialRights, PayeeCertificate, PayeeKey, PayeeRights, Sequence, Unverified};
use armring_wire::{
    AccountPseudonym, CredentialId, Currency, Digits, EnrolmentCode, PayeeId, RequestDigest, TokenDigest, UnixTime, Validity,
};
use blake2::{Blake2s256, Digest};

use crate::judge::Receiver;

/// How many wrong tries at the digits cancel a credential.
pub const TRIES: u8 = 3;

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// What credentials call it.
    pub id: AccountPseudonym,
    /// The one currency that it holds.
    pub currency: Currency,
    /// Whether it may pay and be paid.
    pub state: AccountState,
    /// The sum of its entries, in minor units. Below zero for the issuer's float alone.
    pub balance: i64,
}

/// Whether an account may pay and be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountState {
    /// It may.
    Open,
    /// It may not, until it is opened again.
    Blocked,
}

/// The account of the issuer that money from outside comes through, one for each currency. What it owes, the others have.
#[must_use]
pub const fn float_account(currency: Currency) -> AccountPseudonym {
    let [high, low] = currency.numeric().to_be_bytes();
    AccountPseudonym([b'f', b'l', b'o', b'a', b't', 0, high, low])
}

/// What a depositor calls a deposit: 16 bytes, of which the same never stand for two deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DepositRef(pub [u8; 16]);

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reference {
    /// Money from outside.
    Deposit(DepositRef),
    /// A payment by this token.
    Payment(TokenDigest),
}

/// One line of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: UnixTime,
    /// What for.
    pub reference: Reference,
    /// By how many minor units the account rose, or fell where below zero.
    pub change: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// A payee with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayeeRecord {
    pub(crate) id: PayeeId,
    pub(crate) key: PayeeKey,
    pub(crate) account: AccountPseudonym,
    pub(crate) currency: Currency,
    pub(crate) rights: PayeeRights,
    pub(crate) validity: Validity,
    pub(crate) certificate: Vec<u8>,
}

impl PayeeRecord {
    /// The payee that a certificate of this issuer speaks of; `None` where these bytes are none.
    pub(crate) fn new(account: AccountPseudonym, certificate: Vec<u8>) -> Option<Self> {
        let body = *Unverified::<PayeeCertificate<'_>>::parse(&certificate).ok()?.claims();
        let (id, key) = (body.payee, body.payee_key()?);
        let (currency, rights, validity) = (body.currency, body.rights, body.validity);
        Some(Self { id, key, account, currency, rights, validity, certificate })
    }

    /// Names the payee.
    #[must_use]
    pub const fn id(&self) -> PayeeId {
        self.id
    }

    /// Where its money goes.
    #[must_use]
    pub const fn account(&self) -> AccountPseudonym {
        self.account
    }

    /// The signed certificate.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn receiver(&self, account: Account) -> Receiver {
        Receiver {
            account,
            currency: self.currency,
            validity: self.validity,
            may_receive: self.rights.allows(PayeeRights::PAYMENT),
        }
    }
}

/// How a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialState {
    /// The user has not confirmed the digits.
    Inactive,
    /// It pays.
    Active,
    /// Frozen by the operator, or because its key was found in two bands.
    Frozen,
    /// Wrong digits were given too often.
    Cancelled,
}

/// A credential and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    pub(crate) credential: Credential,
    pub(crate) object: Vec<u8>,
    pub(crate) state: CredentialState,
    pub(crate) answered: Sequence,
    pub(crate) total: i64,
}

impl CredentialRecord {
    /// A credential of this issuer, new and inactive; `None` where these bytes are none.
    pub(crate) fn new(object: Vec<u8>) -> Option<Self> {
        let credential = *Unverified::<Credential>::parse(&object).ok()?.claims();
        Some(Self { credential, object, state: CredentialState::Inactive, answered: Sequence(0), total: 0 })
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
        self.state
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
            may_receive: self.state == CredentialState::Active && self.credential.rights.allows(CredentialRights::RECEIVE),
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

/// A credential that was signed and is to be kept, if its code is good.
#[derive(Clone, Debug)]
pub struct NewCredential {
    pub(crate) record: CredentialRecord,
    pub(crate) digits: Digits,
}

/// What became of an enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// The candidate is kept, inactive.
    Stored,
    /// The code was used for the same payment key before: this signed credential stands.
    Already(Vec<u8>),
    /// The code is unknown, too old, or used for another key; or the key is enrolled under another code.
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
pub(crate) fn digits_from_number(number: u32) -> Digits {
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().zip(u64::from(number).to_be_bytes()) {
        *place = byte;
    }
    Digits::from_hash(&hash)
}

/// Two signed tokens with one counter, or with overlapping totals, of one key. One band does not sign both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The signed token that was answered first.
    pub first: Vec<u8>,
    /// The signed token that was refused as cloned.
    pub second: Vec<u8>,
    /// When it was refused.
    pub time: UnixTime,
}

/// Something in the books that does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The entries of a currency do not sum to zero.
    Unbalanced(Currency),
    /// An account's balance is not the sum of its entries, or is below zero and the account not a float.
    Balance(AccountPseudonym),
    /// Two tokens of a credential have overlapping totals, or its counts are not those of its tokens.
    Totals(CredentialId),
    /// A request was settled by two tokens.
    SettledTwice(RequestDigest),
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
