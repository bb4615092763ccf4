//! Between a wallet or a payee and the issuer. What matters is signed; the transport keeps it private (TLS).

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use super::{KEY_LIST_MAX, Object, RELAY_MAX};
use crate::bounded::Opaque;
use crate::code::codes;
use crate::codec::Record;

/// What a wallet or a payee says to the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToIssuer<'a> {
    /// Asks for the key list.
    KeyList,
    /// The band's next message of an enrolment: the first on a connection begins one.
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
}

impl<'a> Record<'a> for ToIssuer<'a> {
    const VARIANTS: u32 = 4;
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
}

impl<'a> Record<'a> for FromIssuer<'a> {
    const VARIANTS: u32 = 5;
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
    }
);
