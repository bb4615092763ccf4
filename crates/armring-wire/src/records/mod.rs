//! The records of each link: one append-only enum for each direction.
//!
//! A variant never changes and is never removed; what is new comes as a variant at the end. A receiver answers a variant that it does not
//! know with `Unknown` and goes on.

pub mod band;
pub mod enrol;
pub mod issuer;
pub mod payee;

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use crate::bounded::Opaque;

/// The longest signed object that travels in one padded record of 160 bytes, in bytes: 160 less the padding's first byte, the variant and
/// two bytes of length.
pub const OBJECT_MAX: usize = 156;
/// The longest credential, in bytes.
pub const CREDENTIAL_MAX: usize = 288;
/// The longest key list, in bytes.
pub const KEY_LIST_MAX: usize = 480;
/// The longest message that a wallet relays between a band and an issuer, in bytes: a padded record of 320 bytes and its tag.
pub const RELAY_MAX: usize = 336;
/// The longest part of a revocation list, in bytes. It travels between services alone, never over a band's link.
pub const REVOCATIONS_MAX: usize = 4096;
/// The longest word of a band's maker for one of its payment keys, in bytes.
pub const ATTESTATION_MAX: usize = 144;
/// The longest memo of a payment request, in bytes of UTF-8.
pub const MEMO_MAX: usize = 32;
/// The longest name of a payee, in bytes of UTF-8.
pub const NAME_MAX: usize = 32;

/// A signed object as it travels: request, token, receipt or payee certificate.
pub type Object<'a> = Opaque<'a, OBJECT_MAX>;

/// How a link between a band and a wallet was made, from the least assurance to the most.
///
/// On the wire 1 byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, MaxSize)]
pub enum Assurance {
    /// A button was pressed and nothing compared: whoever was in range first has the link.
    Press,
    /// A printed label carried the secret: whoever saw the label before may have it too.
    PrintedSecret,
    /// Two people, or one with two devices, compared six digits.
    ComparedCode,
    /// The band's display showed a secret that is used once.
    DisplayedSecret,
}
