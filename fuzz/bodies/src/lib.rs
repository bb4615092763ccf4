//! What the fuzz targets do, and what must hold whatever they are given.
//!
//! ```text
//!  fuzz_targets/NAME.rs (nightly, libFuzzer) ──▶ ┌──────────────┐
//!                                               │ NAME(input)  │──▶ panics where a rule of SPEC.md was broken
//!  tests/replay.rs (stable): corpus/NAME/* ────▶ └──────────────┘
//! ```
//!
//! Each target takes any bytes and reads from them what to do: which record, which event, what is lost, changed, stored or cut. It holds the
//! parties to rules that do not depend on the input: what is decoded encodes to the same bytes, what was refused changed nothing, no counter
//! is signed twice, nothing is signed without its gesture, money is moved and never made.
//!
//! | target | drives | holds it to |
//! |---|---|---|
//! | [`reassembler()`] | fragments of any form | a model of SPEC.md, section 3 |
//! | [`fragments()`] | records over a radio that loses, repeats and swaps | what arrives was sent, in order, whole |
//! | [`records()`] | each direction of each link | one encoding for each value |
//! | [`objects()`] | each signed object | likewise; what it signs verifies, and no other bytes do |
//! | [`batch()`] | signatures of all kinds | one answer, alone and among others |
//! | [`uris()`] | both URIs | one form for each |
//! | [`stored()`] | what band, wallet and payee load | what loads is stored as the same bytes |
//! | [`handshake()`] | each step of the six handshakes, in both roles | a changed byte anywhere, and no channel |
//! | [`channel()`] | both ends, records forged, lost, repeated | a model of SPEC.md, section 6 |
//! | [`band()`] | a whole band: wearer, flash, radio, a hostile wallet | its rules of payment, pairing and erasing |
//! | [`wallet()`] | a connection, against a hostile band | linked by its own band alone, paired by its person alone |
//! | [`payment()`] | a payment and a collection | refused changes nothing; one token, one outcome |
//! | [`payee()`] | sales with and without network, refunds | the floor limits; refused changes nothing |
//! | [`revoked()`] | a payee that hears who is revoked, in parts | a model of what the issuer said; refused changes nothing |
//! | [`issuer()`] | a service: payments, clones, refunds, garbage | the books; one answer for each token |

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target says what it expects by panicking: that is how a fuzzer hears of it"
)]

mod band;
mod batch;
mod cast;
mod channel;
mod flash;
mod fragments;
mod handshake;
mod input;
mod issuer;
mod objects;
mod payee;
mod payment;
mod reassembler;
mod records;
mod revoked;
mod stored;
mod uris;
mod wallet;

pub use band::band;
pub use batch::batch;
pub use channel::channel;
pub use fragments::fragments;
pub use handshake::handshake;
pub use issuer::issuer;
pub use objects::objects;
pub use payee::payee;
pub use payment::payment;
pub use reassembler::reassembler;
pub use records::records;
pub use revoked::revoked;
pub use stored::stored;
pub use uris::uris;
pub use wallet::wallet;

/// What a target does with its input.
pub type Body = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Body); 15] = [
    ("reassembler", reassembler),
    ("fragments", fragments),
    ("records", records),
    ("objects", objects),
    ("batch", batch),
    ("uris", uris),
    ("stored", stored),
    ("handshake", handshake),
    ("channel", channel),
    ("band", band),
    ("wallet", wallet),
    ("payment", payment),
    ("payee", payee),
    ("revoked", revoked),
    ("issuer", issuer),
];
