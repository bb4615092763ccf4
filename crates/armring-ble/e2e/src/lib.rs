//! Band and phone over a real Bluetooth host stack, each on a virtual controller of its own that the tests start by themselves.
//!
//! ```text
//!  Bracelet: Band, trouble-host ──HCI──▶ controller ─╮
//!                                                    ├── virtual air (bumble)
//!  Phone: Connection, trouble-host ─HCI▶ controller ─╯
//! ```
//!
//! A test is one thread and one order of things: time is what the test says it is, and nobody sleeps or tries twice.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's own tools say what they expect by panicking"
)]

pub mod air;
pub mod bracelet;
pub mod capture;
pub mod central;
pub mod foreign;
pub mod hasty;
pub mod heap;
pub mod middle;
pub mod phone;
pub mod scan;
pub mod tasks;

use std::future::Future;
use std::time::Duration;

#[doc = include_str!("../../src/trouble/firmware.md")]
#[cfg(doctest)]
struct Firmware;

/// How long a whole story may take, on a machine that does much else: longer, and something waits for good.
const PATIENCE: Duration = Duration::from_secs(400);

/// Plays a story to its end, on this thread.
pub fn play<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let set = tokio::task::LocalSet::new();
    runtime.block_on(set.run_until(async { tokio::time::timeout(PATIENCE, story).await.expect("somebody waits for good") }))
}
