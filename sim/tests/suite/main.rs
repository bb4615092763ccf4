//! Simulated worlds: all that must hold does, whatever goes wrong; and what does not hold is seen.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests say what they expect by panicking")]

mod noticed;
mod worlds;
