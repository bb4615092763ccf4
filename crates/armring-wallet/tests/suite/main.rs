//! The wallet's tests, one program: it links once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod allocations;
mod collection;
mod common;
mod enrolling;
mod fragments;
mod free;
mod future;
mod generations;
mod gestures;
mod hostile;
mod link;
mod offer;
mod out_of_band;
mod pairing;
mod paying;
mod payment;
mod public_knowledge;
mod receiving;
mod reconnecting;
mod replaced;
mod replacing;
mod resetting;
mod resuming;
mod several;
mod showing;
mod storing;
mod unpairing;
mod wearing;
