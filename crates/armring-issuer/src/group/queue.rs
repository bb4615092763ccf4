//! A queue that is taken from in batches.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Its length is bounded by whoever counts what waits, not here.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { items: VecDeque::new(), closed: false }), changed: Condvar::new() }
    }

    /// Adds an item; gives it back where the queue is closed.
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        self.push_all([item]).map_or(Ok(()), Err)
    }

    /// Adds items; gives back the first that is not taken where the queue is closed, and drops the others.
    pub(super) fn push_all(&self, items: impl IntoIterator<Item = T>) -> Option<T> {
        let mut state = self.state();
        let mut items = items.into_iter();
        if state.closed {
            return items.next();
        }
        state.items.extend(items);
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Waits for items and takes up to `most` of them; `None` once the queue is closed and empty.
    pub(super) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.state();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = most.min(state.items.len());
        let items = state.items.drain(..taken).collect();
        if !state.items.is_empty() {
            self.changed.notify_one();
        }
        Some(items)
    }

    /// Takes up to `most` of the items that there are.
    pub(super) fn take_now(&self, most: usize) -> Vec<T> {
        let mut state = self.state();
        let taken = most.min(state.items.len());
        state.items.drain(..taken).collect()
    }

    /// Takes no more items. What is in it is still to be taken.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits until it is closed, at most for this long.
    pub(super) fn closed_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state();
        while !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a queue, whatever happens: its thread is gone, and nobody shall wait for it.
pub(super) struct ClosesAtEnd<'q, T>(pub(super) &'q Queue<T>);

impl<T> Drop for ClosesAtEnd<'_, T> {
    fn drop(&mut self) {
        self.0.close();
        while !self.0.take_now(usize::MAX).is_empty() {}
    }
}
