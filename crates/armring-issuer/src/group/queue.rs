//! A queue that is taken from in batches.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Its length is bounded by whoever counts what waits, not here.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Where whoever waits for more waits: it is woken once there is enough, not by each item.
    gathered: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
    /// Whether it is worth waiting for more than there is.
    patient: bool,
    /// How many somebody waits for.
    wanted: Option<usize>,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        let state = State { items: VecDeque::new(), closed: false, patient: false, wanted: None };
        Self { state: Mutex::new(state), changed: Condvar::new(), gathered: Condvar::new() }
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
        match state.wanted {
            None => self.changed.notify_one(),
            Some(wanted) if state.items.len() >= wanted => self.gathered.notify_one(),
            Some(_) => {}
        }
        None
    }

    /// Waits for items and takes up to `most` of them; `None` once the queue is closed and empty. While the queue is patient it waits for as
    /// many as that, for so long at most: one of all threads that take does, and the others wait for it.
    pub(super) fn take(&self, most: usize, patience: Duration) -> Option<Vec<T>> {
        let mut state = self.state();
        while state.items.is_empty() || state.wanted.is_some() {
            if state.closed && state.items.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let until = Instant::now() + patience;
        state.wanted = Some(most);
        while state.items.len() < most && state.patient && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.gathered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wanted = None;
        let taken = most.min(state.items.len());
        let items = state.items.drain(..taken).collect();
        if state.closed {
            self.changed.notify_all();
        } else if !state.items.is_empty() {
            self.changed.notify_one();
        }
        Some(items)
    }

    /// Says whether it is worth waiting for more than there is. It is not at first.
    pub(super) fn set_patient(&self, patient: bool) {
        self.state().patient = patient;
        if !patient {
            self.gathered.notify_one();
        }
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
        self.gathered.notify_all();
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Longer than any test takes: whoever waits it out hangs.
    const EVER: Duration = Duration::from_secs(3_600);

    #[test]
    fn nobody_waits_for_more_than_there_is_unless_the_queue_is_patient() {
        let queue = Queue::new();
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.take(2, EVER), Some(vec![1]));
        queue.set_patient(true);
        assert_eq!(queue.push_all([2, 3, 4]), None);
        assert_eq!(queue.take(2, EVER), Some(vec![2, 3]), "there is enough");
        assert_eq!(queue.take(2, Duration::ZERO), Some(vec![4]), "it has waited long enough");
    }

    #[test]
    fn whoever_waits_for_more_gets_it_once_there_is_enough_or_no_more_is_worth_it_or_comes() {
        type End = fn(&Queue<u8>);
        let ends: [(End, &[u8]); 3] = [
            (|queue| assert_eq!(queue.push_all([2, 3]), None), &[1, 2, 3]),
            (|queue| queue.set_patient(false), &[1]),
            (|queue| queue.close(), &[1]),
        ];
        for (end, expected) in ends {
            let queue = Queue::new();
            queue.set_patient(true);
            assert_eq!(queue.push(1), Ok(()));
            thread::scope(|threads| {
                let waits = threads.spawn(|| queue.take(3, EVER));
                while queue.state().wanted.is_none() {
                    thread::yield_now();
                }
                end(&queue);
                assert_eq!(waits.join().ok().flatten().as_deref(), Some(expected));
            });
        }
    }

    #[test]
    fn of_many_that_take_each_item_goes_to_one_and_all_end_with_the_queue() {
        let queue = Queue::new();
        queue.set_patient(true);
        let taken: Vec<u32> = thread::scope(|threads| {
            let take = || std::iter::from_fn(|| queue.take(7, Duration::from_micros(50))).flatten().collect::<Vec<_>>();
            let takers: Vec<_> = (0..4).map(|_| threads.spawn(take)).collect();
            for item in 0..5_000 {
                assert_eq!(queue.push(item), Ok(()));
            }
            queue.close();
            assert_eq!(queue.push(5_000), Err(5_000));
            takers.into_iter().filter_map(|taker| taker.join().ok()).flatten().collect()
        });
        let mut sorted = taken.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..5_000), "{} of 5,000", taken.len());
    }
}
