//! Between a wallet or a payee and the issuer. What matters is signed; the transport keeps it private (TLS).

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use super::{KEY_LIST_MAX, Object, RELAY_MAX, REVOCATIONS_MAX};
use crate::bounded::Opaque;
use crate::code::codes;
use crate::codec::Record;
use crate::version::VersionRange;

/// What a wallet or a payee says to the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToIssuer<'a> {
    /// Asks for the key list.
    KeyList,
    /// The band's next message of an enrolment that [`EnrolStart`](Self::EnrolStart) began on this connection.
    Enrol(#[serde(borrow)] Opaque<'a, RELAY_MAX>),
    /// Redeem a token. Sending it again gives the same receipt.
    Redeem {
        /// The payment request that the token answers.
        #[serde(borrow)]
        request: Object<'a>,
        /// The payment token.
        #[serde(borrow)]
        token: Object<'a>,
    },
    /// The issuer's record had this variant, which the sender does not know.
    Unknown(u32),
    /// Begins an enrolment on this connection, in place of any before.
    EnrolStart {
        /// What the band speaks. It is in the handshake's prologue.
        versions: VersionRange,
        /// Message 1 of the enrolment's handshake.
        #[serde(borrow)]
        message: Opaque<'a, RELAY_MAX>,
    },
    /// Asks for a part of the revocation list.
    Revocations {
        /// The epoch of the list that the asker has: what came since is enough. 0 for none.
        since: u32,
        /// Which part, from 0.
        part: u16,
    },
    /// Give back some or all of a settled payment. Sending it again gives the same answer.
    Refund(#[serde(borrow)] Object<'a>),
}

impl<'a> Record<'a> for ToIssuer<'a> {
    const VARIANTS: u32 = 7;
}

/// What the issuer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum FromIssuer<'a> {
    /// The current key list.
    KeyList(#[serde(borrow)] Opaque<'a, KEY_LIST_MAX>),
    /// The issuer's next message of the enrolment, for the band.
    Enrol(#[serde(borrow)] Opaque<'a, RELAY_MAX>),
    /// The final answer to a token: settled or refused, as the receipt says.
    Receipt(#[serde(borrow)] Object<'a>),
    /// No answer that counts: nothing was recorded.
    Refused(Refusal),
    /// The sender's record had this variant, which the issuer does not know.
    Unknown(u32),
    /// A part of the revocation list: of what came since the epoch that was asked for, or of all.
    Revocations(#[serde(borrow)] Opaque<'a, REVOCATIONS_MAX>),
    /// The final answer to a refund, as the signed refund receipt says.
    Refunded(#[serde(borrow)] Object<'a>),
}

impl<'a> Record<'a> for FromIssuer<'a> {
    const VARIANTS: u32 = 7;
}

codes!(
    /// Why nothing was recorded. On the wire 1 byte.
    Refusal {
        /// Bytes that are not what this link carries.
        Malformed = 1, "these bytes are not a record of this link";
        /// The credential is not one of this issuer's.
        UnknownCredential = 2, "the credential is unknown";
        /// The payee is not one of this issuer's.
        UnknownPayee = 3, "the payee is unknown";
        /// A signature does not verify.
        Signature = 4, "a signature does not verify";
        /// The token does not answer this request: another digest, amount, currency or payee.
        Mismatch = 5, "the token does not answer this request";
        /// The issuer cannot answer now. It is safe to try again.
        Busy = 6, "busy: try again";
        /// The enrolment's handshake failed.
        Handshake = 7, "the enrolment's handshake failed";
        /// A payee without network does not take this token on trust: it is for online use only, of another kind of credential, above the
        /// payee's own limit, or no list is fresh enough to check it with.
        NotOffline = 8, "the issuer has to be asked first, and cannot be reached";
        /// The payment that is to be refunded is not one of this payee's.
        UnknownPayment = 9, "the payment is unknown";
        /// The revocation list has no such part.
        NoSuchPart = 10, "the revocation list has no such part";
    }
);
