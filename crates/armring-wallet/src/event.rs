//! What comes out of a connection.

use armring_pairing::{Code, Link};
use armring_wire::VersionRange;
use armring_wire::records::band::{Awaited, Decline, Status, ToWallet};

/// What a connection wants done.
#[derive(Debug)]
#[must_use = "what is not done is lost"]
pub enum Output {
    /// Write this fragment to the band.
    Transmit(Vec<u8>),
    /// Something that the app or its person should know.
    Event(Event),
    /// End the connection.
    Disconnect,
}

/// What happened on the connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Show this code, whole, then call [`Connection::code_shown`](crate::Connection::code_shown). The person compares it with the band's.
    Code(Code),
    /// The band confirmed: store the link, end this connection, and reconnect.
    Paired(Link),
    /// Store this link in place of what is stored of it, before anything that comes after this is done: it counts how often it was used.
    Keep(Link),
    /// The band is there and is the one that was paired: records can be said to it.
    Linked {
        /// Somebody else has used this link since, with a copy of what this phone or the band keeps: the person is to be told, and to unpair
        /// or replace it.
        used_elsewhere: bool,
    },
    /// The band says how it is.
    Status(Status),
    /// The band's first message of an enrolment and the versions that it speaks, for the issuer: hand both on as they are.
    EnrolStart {
        /// What the band speaks.
        versions: VersionRange,
        /// The message, which the wallet cannot read.
        message: Vec<u8>,
    },
    /// The band's next message of the enrolment, for the issuer: hand it on as it is.
    ToIssuer(Vec<u8>),
    /// The band stored this signed credential. Its person confirms the digits with the issuer, not here.
    Enrolled(Vec<u8>),
    /// The band waits for its wearer.
    Waiting(Awaited),
    /// A signed payment token, for the payee.
    Token(Vec<u8>),
    /// A signed payment request, for whoever is to pay.
    Request(Vec<u8>),
    /// The band does not do what it was asked.
    Declined(Decline),
    /// The band took note.
    Noted,
    /// The band has forgotten this link: so should the app.
    Unpaired,
    /// The band does not know the variant of this number: it is older than this wallet.
    Unknown(u32),
    /// The band closed the channel, or the other side went away.
    Closed,
}

impl Event {
    /// What a record over the link means to the app; `None` for one that does not belong on a link that is made.
    pub(crate) fn from_record(record: ToWallet<'_>) -> Option<Self> {
        Some(match record {
            ToWallet::Status(status) => Self::Status(status),
            ToWallet::EnrolStart { versions, message } => Self::EnrolStart { versions, message: message.as_bytes().to_vec() },
            ToWallet::ToIssuer(message) => Self::ToIssuer(message.as_bytes().to_vec()),
            ToWallet::Enrolled { credential } => Self::Enrolled(credential.as_bytes().to_vec()),
            ToWallet::Waiting(awaited) => Self::Waiting(awaited),
            ToWallet::Token { token } => Self::Token(token.as_bytes().to_vec()),
            ToWallet::Request { request } => Self::Request(request.as_bytes().to_vec()),
            ToWallet::Declined(why) => Self::Declined(why),
            ToWallet::Noted => Self::Noted,
            ToWallet::Unknown(variant) => Self::Unknown(variant),
            ToWallet::Unpaired => Self::Unpaired,
            ToWallet::Confirm { .. } | ToWallet::Generation { .. } => return None,
        })
    }
}
