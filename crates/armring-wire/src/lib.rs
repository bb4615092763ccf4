//! What travels between a payment wristband, a phone and a payment service.
//!
//! ```text
//!  value ──encode──▶ record ──(sealed by armring-channel)──▶ Fragmenter ──▶ ATT payloads of 20 to 514 bytes
//!  value ◀─decode─── record ◀─(opened by armring-channel)─── Reassembler ◀──┘
//! ```
//!
//! - [`Amount`], [`UnixTime`], [`Uptime`] and the identifiers are units, not numbers: they cannot be mixed up or overflow.
//! - [`records`] holds what each link carries, as append-only enums; [`encode`] and [`decode_record`] are the only way in and out, and a
//!   value has exactly one encoding.
//! - [`Fragmenter`] and [`Reassembler`] cut records to the size of an ATT payload and put them together again, in the caller's memory.
//!
//! No std, no allocation, no clock: bytes in, values out.
//!
//! ```
//! use armring_wire::records::band::ToBand;
//! use armring_wire::{Amount, Currency, Record, Text, UnixTime, decode_record, encode};
//!
//! let ask = ToBand::Receive {
//!     amount: Amount::new(12_50, Currency::CNY),
//!     expiry: UnixTime::from_secs(1_800_000_000),
//!     memo: Text::new("tea for two").ok_or("too long")?,
//! };
//! let mut buffer = [0; ToBand::MAX_LEN];
//! let bytes = encode(&ask, &mut buffer)?;
//! assert_eq!(bytes.len(), 27);
//! assert_eq!(decode_record::<ToBand>(bytes)?, ask);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod amount;
mod bounded;
mod code;
mod codec;
mod digits;
mod fragment;
mod id;
mod outbox;
mod outcome;
mod reassemble;
pub mod records;
mod time;
pub mod uri;
mod version;

pub use amount::{Amount, AmountError, Currency};
pub use bounded::{Opaque, Text};
pub use codec::{BufferTooSmall, DecodeError, Record, decode, decode_record, encode};
pub use digits::Digits;
pub use fragment::{ATT_PAYLOAD_MAX, ATT_PAYLOAD_MIN, AttPayload, FragmentError, Fragmenter};
pub use id::{
    AccountPseudonym, CredentialId, EnrolmentCode, KeyId, PayeeId, PayeeRef, RefundDigest, RequestDigest, RootFingerprint,
    TokenDigest,
};
pub use outbox::Outbox;
pub use outcome::Outcome;
pub use reassemble::Reassembler;
pub use time::{UnixTime, Uptime, Validity};
pub use version::{Version, VersionRange};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
