//! The tests of pairing, one program: it links once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;
mod compromise;
mod enrol;
mod garbage;
mod generations;
mod kinds;
mod out_of_band;
mod pairing;
mod patterns;
mod reconnect;
mod resume;
mod snow;
mod vectors;
mod wycheproof;
