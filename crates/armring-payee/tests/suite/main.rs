//! The payee's tests, one program: it links once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod allocations;
mod book;
mod common;
mod offline;
mod refund;
mod revoked;
mod sale;
mod stored;
mod tampered;
mod trust;
