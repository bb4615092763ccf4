//! What can go wrong, and whose fault it is.
//!
//! What a payer, a payee or a band does wrong is no error here: it is answered, as a [`Refusal`](armring_wire::records::issuer::Refusal), an
//! [`EnrolRefusal`](armring_wire::records::enrol::EnrolRefusal) or a receipt that says no.

use core::{error, fmt};
use std::sync::Arc;

use armring_token::{SignError, VerifyError};

/// Why something was not done, by whose fault. Nothing has then changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What the caller asked for.
    Caller(CallerError),
    /// What this machine could not do. It is safe to try again.
    Machine(MachineError),
}

/// The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallerError {
    /// There is no such account.
    UnknownAccount,
    /// There is no such credential.
    UnknownCredential,
    /// There is no such payee.
    UnknownPayee,
    /// The name, id or key is in use already.
    Exists,
    /// The amount is zero, of another currency than the account's, or more than the books hold.
    Amount,
    /// The reference stands for another deposit.
    ReferenceUsed,
    /// The name is longer than 32 bytes or has a control character.
    Name,
    /// The credential does not wait for its digits: they were confirmed, or it was frozen or revoked.
    NotPending,
    /// The credential was cloned, revoked or cancelled, for good.
    Final,
    /// These are not the digits. The credential stays inactive.
    WrongDigits {
        /// How many tries are left.
        left: u8,
    },
    /// Wrong digits were given too often: the credential is refused for good.
    Cancelled,
    /// The time lies past the year 2106.
    Time,
    /// More keys than a key list holds.
    TooManyKeys,
    /// The key list does not verify with the root key.
    KeyList(VerifyError),
    /// The key list does not have the key that was given, or not now.
    KeyNotListed,
}

/// The machine's fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum MachineError {
    /// The random number generator failed.
    Randomness,
    /// A key could not be made.
    KeyUnavailable,
    /// The signer failed.
    Signer(SignError),
    /// The signing key is not valid now, as the key list says: what it signed would be refused. A newer key list is due.
    SigningKeyNotValid,
    /// The handshake of an enrolment could not be computed.
    Handshake(armring_pairing::Error),
    /// What should have been written could not be encoded or sealed.
    Encoding,
    /// The storage failed, for the reason that [`source`](error::Error::source) gives.
    Storage(Box<dyn error::Error + Send + Sync>),
    /// What the storage holds contradicts itself: which part.
    Damaged(&'static str),
    /// What made several payments fail at once.
    Shared(Arc<MachineError>),
    /// The front that settles payments together was stopped, or one of its threads panicked.
    Stopped,
}

impl From<CallerError> for Error {
    fn from(error: CallerError) -> Self {
        Self::Caller(error)
    }
}

impl From<MachineError> for Error {
    fn from(error: MachineError) -> Self {
        Self::Machine(error)
    }
}

impl From<SignError> for MachineError {
    fn from(error: SignError) -> Self {
        Self::Signer(error)
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for MachineError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(Box::new(error))
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Machine(error.into())
    }
}

#[cfg(feature = "postgres")]
impl From<postgres::Error> for MachineError {
    fn from(error: postgres::Error) -> Self {
        Self::Storage(Box::new(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(error) => error.fmt(f),
            Self::Machine(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for CallerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAccount => f.write_str("there is no such account"),
            Self::UnknownCredential => f.write_str("there is no such credential"),
            Self::UnknownPayee => f.write_str("there is no such payee"),
            Self::Exists => f.write_str("the name, id or key is in use already"),
            Self::Amount => f.write_str("the amount is zero, of another currency, or too large"),
            Self::ReferenceUsed => f.write_str("the reference stands for another deposit"),
            Self::Name => f.write_str("the name is too long or has a control character"),
            Self::NotPending => f.write_str("the credential does not wait for its digits"),
            Self::Final => f.write_str("the credential was cloned, revoked or cancelled, for good"),
            Self::WrongDigits { left } => write!(f, "these are not the digits: {left} tries left"),
            Self::Cancelled => f.write_str("wrong digits too often: the credential is refused for good"),
            Self::Time => f.write_str("the time lies past the year 2106"),
            Self::TooManyKeys => f.write_str("more keys than a key list holds"),
            Self::KeyList(error) => write!(f, "the key list is not the root's: {error}"),
            Self::KeyNotListed => f.write_str("the key list does not have this key now"),
        }
    }
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Randomness => f.write_str("the random number generator failed"),
            Self::KeyUnavailable => f.write_str("a key could not be made"),
            Self::Signer(error) => error.fmt(f),
            Self::SigningKeyNotValid => f.write_str("the signing key is not valid now"),
            Self::Handshake(error) => error.fmt(f),
            Self::Encoding => f.write_str("an answer could not be encoded"),
            Self::Storage(_) => f.write_str("the storage failed"),
            Self::Damaged(what) => write!(f, "the storage contradicts itself: {what}"),
            Self::Shared(error) => error.fmt(f),
            Self::Stopped => f.write_str("the issuer was stopped"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Caller(_) => None,
            Self::Machine(error) => error.source(),
        }
    }
}

impl error::Error for CallerError {}

impl error::Error for MachineError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Storage(error) => Some(&**error),
            Self::Shared(error) => error.source(),
            _ => None,
        }
    }
}
