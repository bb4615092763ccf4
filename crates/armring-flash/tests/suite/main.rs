//! A band's storage: values by themselves, and everything that a band does with them. One program, which is linked once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;
mod power;
mod storage;
mod torn;
