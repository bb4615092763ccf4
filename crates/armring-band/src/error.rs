//! What can go wrong while a band handles an event, by who is to blame.

use core::fmt;

use armring_channel::OpenError;
use armring_wire::{DecodeError, FragmentError};

/// Why an event was not handled as the one who caused it may have wished. The band goes on in any case; whatever ends the connection is told
/// by an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// What the phone sent, or who stands between.
    Peer(PeerError),
    /// What the host did.
    Caller(CallerError),
    /// What this machine could not do.
    Machine(MachineError),
}

/// The phone's fault, or of whom stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerError {
    /// A fragment that does not fit.
    Fragment(FragmentError),
    /// A handshake that failed.
    Handshake(armring_pairing::PeerError),
    /// A record that does not open.
    Channel(OpenError),
    /// An opened record that is none.
    Record(DecodeError),
    /// A message of another length than this step has, or one that does not belong here.
    Unexpected,
    /// It wants to pair, and the pairing window is not open.
    NotPairing,
    /// It names a link that this band does not have.
    UnknownLink,
    /// A second connection while there is one.
    SecondConnection,
}

/// The host's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallerError {
    /// Outputs have not been polled until there were none. The event was not handled: poll, then report it again.
    Undrained,
    /// A fragment, or the end of a connection, where there is no connection.
    NotConnected,
    /// `Stored` where nothing was to be stored.
    NothingToStore,
    /// Something else is being stored. The event was not handled: report it again once that is settled.
    Storing,
    /// What was entered is of a kind that the wearer has not chosen. Nothing was compared.
    NoSecret,
    /// A new secret is chosen only while the band is unlocked, on the band, with tries left.
    Locked,
    /// A stored value that is none of this band's, or that came before the one it builds on.
    BadValue,
}

/// The machine's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineError {
    /// The random generator failed.
    Randomness,
    /// A key could not be made, opened or used.
    Key,
    /// What had to last was not stored.
    Storage,
    /// Counters or buffers ran out.
    Exhausted,
}

impl From<FragmentError> for Error {
    fn from(error: FragmentError) -> Self {
        Self::Peer(PeerError::Fragment(error))
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Peer(PeerError::Record(error))
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Peer(PeerError::Channel(error))
    }
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

impl From<crate::keys::KeyError> for Error {
    fn from(_: crate::keys::KeyError) -> Self {
        Self::Machine(MachineError::Key)
    }
}

impl From<armring_pairing::Error> for Error {
    fn from(error: armring_pairing::Error) -> Self {
        use armring_pairing::{Error as Pairing, MachineError as Machine};
        match error {
            Pairing::Peer(error) => Self::Peer(PeerError::Handshake(error)),
            Pairing::Machine(Machine::Randomness) => Self::Machine(MachineError::Randomness),
            // Whatever else it is, the band called it, not the host.
            _ => Self::Machine(MachineError::Key),
        }
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
        match self {
            Self::Fragment(error) => write!(f, "bad fragment: {error}"),
            Self::Handshake(error) => write!(f, "the handshake failed: {error}"),
            Self::Channel(error) => write!(f, "the record does not open: {error}"),
            Self::Record(error) => write!(f, "bad record: {error}"),
            Self::Unexpected => f.write_str("a message that does not belong here"),
            Self::NotPairing => f.write_str("the pairing window is not open"),
            Self::UnknownLink => f.write_str("no link answers to this hint"),
            Self::SecondConnection => f.write_str("a second connection"),
        }
    }
}

impl fmt::Display for CallerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Undrained => "outputs are left to be polled: poll them, then report the event again",
            Self::NotConnected => "there is no connection",
            Self::NothingToStore => "nothing was to be stored",
            Self::Storing => "something else is being stored: report the event again once that is settled",
            Self::NoSecret => "no secret of this kind was chosen",
            Self::Locked => "the band has to be unlocked, on the band, before another secret is chosen",
            Self::BadValue => "not a value that this band stored, or one out of order",
        })
    }
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Randomness => "the random generator failed",
            Self::Key => "a key could not be made, opened or used",
            Self::Storage => "what had to last was not stored",
            Self::Exhausted => "a counter or a buffer is exhausted",
        })
    }
}

impl core::error::Error for Error {}
