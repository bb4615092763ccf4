//! Sealed records between two parties that a handshake has left with one key for each direction.
//!
//! ```text
//!              record          0x80 0 … 0            tag
//!         ├──────────────┼──────────────────┼─────────────────┤
//!          caller's bytes  to 32, 64, 160,     16 bytes, over
//!                          320, 640 … bytes    all before it
//!
//!  wallet ── record 0 ──▶ band      key 0                each direction has its own keys and counts for itself
//!         ── record 1 ──▶           key 0
//!             …
//!         ── record 65536 ──▶       key 1 = REKEY(key 0)  on both sides, without a message
//!         ── close ──▶              an empty record: nothing follows; a channel that ends without one was cut
//! ```
//!
//! This is the transport of Noise (revision 34, §5.1 and §11.3) over a pipe that keeps order: the counter is not sent, so a record that is
//! replayed, reordered or left out does not verify, and one that does not verify changes nothing.
//!
//! - [`Channel`] seals and opens in the caller's memory; [`sealed_len`] says, at compile time too, how much that takes.
//! - [`Aead`] is what seals: [`ChaChaPoly`] unless told otherwise. A faster provider implements it and nothing else changes.
//! - [`HandshakeHash`] is the same on both sides and on no other channel: bind to it what must hold on this channel alone.
//!
//! ```
//! use armring_channel::{Channel, HandshakeHash, Key, MIN_SEALED_LEN, Opened};
//!
//! let hash = HandshakeHash::new([7; 32]);
//! let mut wallet = <Channel>::new(Key::new([1; 32]), Key::new([2; 32]), hash);
//! let mut band = <Channel>::new(Key::new([2; 32]), Key::new([1; 32]), hash);
//!
//! let mut buffer = [0; MIN_SEALED_LEN];
//! buffer[..3].copy_from_slice(b"pay");
//! let sealed = wallet.seal(&mut buffer, 3)?;
//! assert_eq!(sealed.len(), 48);
//! assert_eq!(band.open(&mut buffer)?, Opened::Record(b"pay"));
//!
//! wallet.close(&mut buffer)?;
//! assert_eq!(band.open(&mut buffer)?, Opened::Close);
//! assert!(band.is_closed_by_peer());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod aead;
mod channel;
mod error;
mod padding;

pub use aead::{Aead, ChaChaPoly, Key, TAG_LEN, Tag, TagMismatch};
pub use channel::{Channel, FAILURES_UNTIL_CUT, HandshakeHash, Opened};
pub use error::{OpenError, SealError};
pub use padding::{MAX_RECORD_LEN, MIN_SEALED_LEN, sealed_len};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
