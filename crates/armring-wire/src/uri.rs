//! What a QR code, an NFC tag or a link carries: `armring:<kind>/<form>/<base64url>`.
//!
//! ```text
//! armring:pair/1/AQ…    how to pair with a band (its bytes are those of armring-pairing's PairingLabel)
//! armring:pay/1/aAQ…    what to pay (PaymentUri)
//! ```
//!
//! The payload is base64url without padding (RFC 4648 §5), in its one canonical form. A form that is not known is of a newer version.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use crate::bounded::Opaque;
use crate::codec::{BufferTooSmall, decode, encode};
use crate::records::{CREDENTIAL_MAX, Object};

const SCHEME: &str = "armring:";
const FORM: &str = "1";

/// What a URI is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriKind {
    /// How to pair with a band.
    Pair,
    /// What to pay.
    Pay,
}

impl UriKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Pay => "pay",
        }
    }
}

/// How many characters the URI of `payload` bytes has.
#[must_use]
pub const fn uri_len(kind: UriKind, payload: usize) -> usize {
    let before = SCHEME.len() + kind.word().len() + 1 + FORM.len() + 1;
    before.saturating_add(payload.saturating_mul(4).div_ceil(3))
}

/// Writes the URI of `payload` into the front of `buffer`: [`uri_len`] bytes.
///
/// # Errors
/// [`BufferTooSmall`].
pub fn encode_uri<'b>(kind: UriKind, payload: &[u8], buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
    let mut at = 0;
    for part in [SCHEME, kind.word(), "/", FORM, "/"] {
        buffer.get_mut(at..at + part.len()).ok_or(BufferTooSmall)?.copy_from_slice(part.as_bytes());
        at += part.len();
    }
    let rest = buffer.get_mut(at..).ok_or(BufferTooSmall)?;
    at += Base64UrlUnpadded::encode(payload, rest).map_err(|_| BufferTooSmall)?.len();
    buffer.get(..at).and_then(|uri| str::from_utf8(uri).ok()).ok_or(BufferTooSmall)
}

/// Reads the payload of a URI of this kind into the front of `buffer`. The scheme may be in capitals, as some scanners hand it on; nothing
/// else has a second form.
///
/// # Errors
/// A [`UriError`]; what `buffer` then holds means nothing.
pub fn decode_uri<'b>(kind: UriKind, uri: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], UriError> {
    let (scheme, rest) = uri.split_at_checked(SCHEME.len()).ok_or(UriError::Foreign)?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(UriError::Foreign);
    }
    let (word, rest) = rest.split_once('/').ok_or(UriError::Malformed)?;
    if word != kind.word() {
        return Err(UriError::OtherKind);
    }
    let (form, payload) = rest.split_once('/').ok_or(UriError::Malformed)?;
    if form != FORM {
        let is_number = !form.is_empty() && !form.starts_with('0') && form.bytes().all(|digit| digit.is_ascii_digit());
        return Err(if is_number { UriError::Newer } else { UriError::Malformed });
    }
    Base64UrlUnpadded::decode(payload, buffer).map_err(|_| UriError::Malformed)
}

/// Why a text is not the URI that was wanted. Whoever showed it is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// Not an `armring:` URI at all.
    Foreign,
    /// One of ours, about something else: a payment where a band's label was wanted, or the other way round.
    OtherKind,
    /// Of a form that this version does not know: the app is to be updated.
    Newer,
    /// One of ours, but cut short, changed or too long.
    Malformed,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not an armring URI",
            Self::OtherKind => "an armring URI about something else",
            Self::Newer => "an armring URI of a newer version: update the app",
            Self::Malformed => "an armring URI that was cut short or changed",
        })
    }
}

impl core::error::Error for UriError {}

/// What to pay, as a QR code or a link carries it: the request, and by whom it is.
///
/// ```
/// use armring_wire::uri::PaymentUri;
/// use armring_wire::Opaque;
///
/// let uri = PaymentUri { request: Opaque::new(b"signed request").ok_or("")?, certificate: Opaque::new(b"").ok_or("")? };
/// let mut buffer = [0; PaymentUri::MAX_LEN];
/// let text = uri.encode(&mut buffer)?;
/// assert_eq!(text, "armring:pay/1/DnNpZ25lZCByZXF1ZXN0AA");
/// assert_eq!(PaymentUri::decode(text, &mut [0; PaymentUri::PAYLOAD_MAX])?, uri);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct PaymentUri<'a> {
    /// The signed payment request.
    #[serde(borrow)]
    pub request: Object<'a>,
    /// The payee's certificate, or the credential that stands in for it; empty where the payer asks for it elsewhere.
    #[serde(borrow)]
    pub certificate: Opaque<'a, CREDENTIAL_MAX>,
}

impl<'a> PaymentUri<'a> {
    /// The longest payload, in bytes.
    pub const PAYLOAD_MAX: usize = Self::POSTCARD_MAX_SIZE;
    /// The longest URI, in characters.
    pub const MAX_LEN: usize = uri_len(UriKind::Pay, Self::PAYLOAD_MAX);

    /// Writes the URI into the front of `buffer`.
    ///
    /// # Errors
    /// [`BufferTooSmall`], where it is shorter than [`Self::MAX_LEN`].
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
        encode_uri(UriKind::Pay, encode(self, &mut [0; Self::PAYLOAD_MAX])?, buffer)
    }

    /// Reads a URI. What it carries is not verified.
    ///
    /// # Errors
    /// A [`UriError`].
    pub fn decode(uri: &str, buffer: &'a mut [u8; PaymentUri::PAYLOAD_MAX]) -> Result<Self, UriError> {
        decode(decode_uri(UriKind::Pay, uri, buffer)?).map_err(|_| UriError::Malformed)
    }
}
