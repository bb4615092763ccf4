//! The virtual clock, and what is yet to happen.

use std::collections::BTreeMap;

/// Milliseconds since the world began.
pub(crate) type Time = u64;

/// What is yet to happen, in order. What happens at the same moment happens in the order in which it was put in.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    now: Time,
    number: u64,
    waiting: BTreeMap<(Time, u64), T>,
}

impl<T> Queue<T> {
    pub(crate) const fn new(now: Time) -> Self {
        Self { now, number: 0, waiting: BTreeMap::new() }
    }

    pub(crate) const fn now(&self) -> Time {
        self.now
    }

    /// Puts in what happens then, or now where that is over.
    pub(crate) fn put(&mut self, at: Time, happening: T) {
        self.number += 1;
        self.waiting.insert((at.max(self.now), self.number), happening);
    }

    /// Lets time pass until the next thing happens.
    pub(crate) fn next(&mut self) -> Option<T> {
        let ((at, _), happening) = self.waiting.pop_first()?;
        self.now = at;
        Some(happening)
    }
}
