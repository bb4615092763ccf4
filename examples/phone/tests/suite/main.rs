//! The phone as its user has it: the program, its lines, its file; with the demo's bands, shop and issuer around it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

mod actor;
#[cfg(feature = "hci")]
mod air;
mod hand;
mod loopback;
mod memory;
mod town;
#[cfg(feature = "hci")]
mod worn;
