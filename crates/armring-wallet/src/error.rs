//! What can go wrong, by who is to blame.

use armring_channel::{OpenError, SealError};
use armring_wire::{DecodeError, FragmentError};
use thiserror::Error;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// What the band sent, or who stands between. The connection is over; pairing is never tried again without a person.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// What the app did.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// What this phone could not do.
    #[error("the phone's random generator or its key failed")]
    Machine,
}

/// The band's fault, or of whom stands between.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// A fragment that does not fit.
    #[error("bad fragment: {0}")]
    Fragment(FragmentError),
    /// A handshake that failed.
    #[error("the handshake failed: {0}")]
    Handshake(armring_pairing::PeerError),
    /// The band speaks no version that this wallet speaks, or so somebody says: this one answer is not authenticated.
    #[error("the band says that it speaks no common version: update the app or the band")]
    Unsupported,
    /// A record that does not open.
    #[error("the record does not open: {0}")]
    Channel(OpenError),
    /// An opened record that is none.
    #[error("bad record: {0}")]
    Record(DecodeError),
    /// A message of another length than this step has, or one that does not belong here.
    #[error("a message that does not belong here")]
    Unexpected,
}

impl From<FragmentError> for PeerError {
    fn from(error: FragmentError) -> Self {
        Self::Fragment(error)
    }
}

impl From<OpenError> for PeerError {
    fn from(error: OpenError) -> Self {
        Self::Channel(error)
    }
}

impl From<DecodeError> for PeerError {
    fn from(error: DecodeError) -> Self {
        Self::Record(error)
    }
}

/// The app's fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallerError {
    /// There is no link over which this could be said, or not yet.
    #[error("the band is not connected")]
    NotLinked,
    /// There is no code to accept, or it was not shown.
    #[error("there is no code that was shown")]
    NoCode,
    /// No resume is left, the ticket was taken before the band said hello, or it is of another link: reconnect.
    #[error("nothing to resume with: reconnect")]
    NoTicket,
    /// The record has no room in a message.
    #[error("the record is too long")]
    TooLong,
}

impl From<armring_pairing::Error> for Error {
    fn from(error: armring_pairing::Error) -> Self {
        match error {
            armring_pairing::Error::Peer(error) => Self::Peer(PeerError::Handshake(error)),
            armring_pairing::Error::Caller(
                armring_pairing::CallerError::NoResumesLeft | armring_pairing::CallerError::OtherLink,
            ) => CallerError::NoTicket.into(),
            _ => Self::Machine,
        }
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Cut => Self::Peer(PeerError::Channel(OpenError::Cut)),
            SealError::Closed => Self::Caller(CallerError::NotLinked),
            _ => Self::Caller(CallerError::TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::error::Error as _;

    use armring_token::VerifyError;

    use super::*;
    use crate::{OfferError, PaymentError};

    /// Whoever prints an error with all its causes, as anyhow does, prints each once.
    #[test]
    fn an_error_that_says_its_cause_has_it_not_as_a_source_as_well() {
        let verify = VerifyError::Signature;
        let causes: [(&dyn core::error::Error, String); 7] = [
            (&PeerError::from(FragmentError::Gap), FragmentError::Gap.to_string()),
            (&Error::from(PeerError::from(OpenError::NotAuthentic)), OpenError::NotAuthentic.to_string()),
            (&PeerError::from(DecodeError::Malformed), DecodeError::Malformed.to_string()),
            (&PeerError::Handshake(armring_pairing::PeerError::Length), armring_pairing::PeerError::Length.to_string()),
            (&OfferError::from(verify), verify.to_string()),
            (&PaymentError::from(verify), verify.to_string()),
            (&PaymentError::from(DecodeError::Malformed), DecodeError::Malformed.to_string()),
        ];
        for (error, cause) in causes {
            assert!(error.to_string().contains(&cause) && error.source().is_none(), "{error}: {:?}", error.source());
        }
        assert!(CallerError::NotLinked.source().is_none());
    }
}
