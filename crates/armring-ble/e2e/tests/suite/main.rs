//! The link over a real host stack, one program: it links once. `cargo xtask ble` runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod captured;
mod channel;
mod fleeting;
mod hostile;
mod lost;
mod middle;
mod paying;
mod town;
