//! Where a process may be killed and a connection cut on purpose: before every fragment that it sends, after every fragment that it receives, before
//! every write to its disk and before the write takes effect. The demo's ordeal goes through all of them.

use std::sync::atomic::{AtomicU64, Ordering};

static STEPS: AtomicU64 = AtomicU64::new(0);
static LAST_STEP: AtomicU64 = AtomicU64::new(0);
static FRAGMENTS: AtomicU64 = AtomicU64::new(0);
static LAST_FRAGMENT: AtomicU64 = AtomicU64::new(0);

/// This process dies at this step, and its connection is cut behind this fragment. 0 is never.
pub fn doom(step: u64, fragment: u64) {
    LAST_STEP.store(step, Ordering::Relaxed);
    LAST_FRAGMENT.store(fragment, Ordering::Relaxed);
}

/// One step. Dies as by SIGKILL if it is the last.
pub fn step() {
    if STEPS.fetch_add(1, Ordering::Relaxed) + 1 == LAST_STEP.load(Ordering::Relaxed) {
        std::process::abort();
    }
}

/// One fragment in either direction. Says whether the connection is to be cut behind it.
#[must_use]
pub fn fragment() -> bool {
    FRAGMENTS.fetch_add(1, Ordering::Relaxed) + 1 == LAST_FRAGMENT.load(Ordering::Relaxed)
}

/// How many steps and fragments there were.
#[must_use]
pub fn counted() -> (u64, u64) {
    (STEPS.load(Ordering::Relaxed), FRAGMENTS.load(Ordering::Relaxed))
}
