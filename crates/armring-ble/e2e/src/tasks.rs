//! The tasks of a firmware, in one order.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Runs both until one ends. As on an executor that has a task for each, neither is polled because the other was woken; where both were, the
/// first goes first, and again if it wakes itself.
pub async fn either<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> T {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let [one, other] = [(); 2].map(|()| Arc::new(Task { woken: AtomicBool::new(true), both: Mutex::default() }));
    poll_fn(|cx| {
        let (is_first, is_second) = (one.takes(cx), other.takes(cx));
        // One for each time that the runtime comes by, so that nobody else waits for long.
        if is_first {
            if is_second {
                other.wake_by_ref();
            }
            first.as_mut().poll(&mut Context::from_waker(&Waker::from(one.clone())))
        } else if is_second {
            second.as_mut().poll(&mut Context::from_waker(&Waker::from(other.clone())))
        } else {
            Poll::Pending
        }
    })
    .await
}

struct Task {
    woken: AtomicBool,
    both: Mutex<Option<Waker>>,
}

impl Task {
    /// Whether it was woken since it was last asked.
    fn takes(&self, cx: &Context<'_>) -> bool {
        *self.both.lock().unwrap() = Some(cx.waker().clone());
        self.woken.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        if let Some(both) = &*self.both.lock().unwrap() {
            both.wake_by_ref();
        }
    }
}
