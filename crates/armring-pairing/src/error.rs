//! What can go wrong, and whose fault it is.
//!
//! Every step of a handshake consumes what it worked on, so an error of any kind ends the handshake. The peer is told nothing but that the
//! connection ends; only [`PeerError::Unsupported`] has an answer of its own, [`UNSUPPORTED`](crate::UNSUPPORTED).

use core::{error, fmt};

/// Why a handshake ended, by whose fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// What the peer sent, or who sits between.
    Peer(PeerError),
    /// What the caller asked for.
    Caller(CallerError),
    /// What this machine could not do.
    Machine(MachineError),
}

/// The peer's fault, or of whom sits between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerError {
    /// No version is common to both, or only one below what the link pins.
    Unsupported,
    /// A hello that no party sends: an unknown kind, a hint where none belongs, a length that is not its own.
    Malformed,
    /// The hello announces another kind of handshake than the one this step belongs to.
    Kind,
    /// A message of the handshake has not the length that its step has.
    Length,
    /// A message does not verify: it is forged, or the two sides differ in keys, secret, versions, challenge or in what was sent before.
    NotAuthentic,
    /// A public key with which every Diffie–Hellman result is zero.
    ZeroSharedSecret,
    /// The peer sent back one of our own public keys.
    EchoedKey,
    /// The wallet's opening is not what it committed to: the code could have been chosen to match.
    Commitment,
    /// More time has passed than a gesture allows.
    TooLate,
    /// This pairing window does not allow pairing of this kind: the band can do better, or not that.
    NotAllowed,
    /// The band's key is not the one that its label names.
    OtherKey,
}

/// The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallerError {
    /// The buffer has not the length of the message or payload.
    Length,
    /// The pattern needs a static key, a peer's key or a pre-shared key that was not given.
    MissingKey,
    /// It is the peer's turn, or the handshake is over, or not yet.
    Order,
    /// The proof or the ticket is of another link.
    OtherLink,
    /// As many resumes in a row as there may be: a reconnect is due.
    NoResumesLeft,
}

/// The machine's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineError {
    /// The random number generator failed.
    Randomness,
    /// The key could not be used: the secure element that holds it failed.
    KeyUnavailable,
}

impl From<PeerError> for Error {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(error) => error.fmt(f),
            Self::Caller(error) => error.fmt(f),
            Self::Machine(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "no version is common to both",
            Self::Malformed => "the hello is malformed",
            Self::Kind => "the hello announces another kind of handshake",
            Self::Length => "the message has a wrong length",
            Self::NotAuthentic => "the message is not authentic",
            Self::ZeroSharedSecret => "the peer's public key gives nothing but zero",
            Self::EchoedKey => "the peer sent back a public key of ours",
            Self::Commitment => "the wallet did not keep to its commitment",
            Self::TooLate => "the time that a gesture allows is over",
            Self::NotAllowed => "the band does not pair in this way",
            Self::OtherKey => "the band's key is not the one on its label",
        })
    }
}

impl fmt::Display for CallerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the buffer has a wrong length",
            Self::MissingKey => "the handshake needs a key that was not given",
            Self::Order => "the step is out of order",
            Self::OtherLink => "the proof or the ticket is of another link",
            Self::NoResumesLeft => "no resume is left: reconnect",
        })
    }
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Randomness => "the random number generator failed",
            Self::KeyUnavailable => "the key could not be used",
        })
    }
}

impl error::Error for Error {}
impl error::Error for PeerError {}
impl error::Error for CallerError {}
impl error::Error for MachineError {}
