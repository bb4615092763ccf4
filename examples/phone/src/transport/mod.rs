//! How bands are reached: what differs between a socket and a radio.

#[cfg(feature = "bluetooth")]
pub mod adapter;
#[cfg(feature = "hci")]
pub mod hci;
pub mod tcp;
#[cfg(any(feature = "bluetooth", feature = "hci"))]
mod worker;

use std::fmt;
use std::sync::Arc;

use crate::wallet::Input;

/// Where a transport tells what happens. Nothing is waited for there.
#[derive(Clone)]
pub struct Inbox(Arc<dyn Fn(Input) + Send + Sync>);

impl Inbox {
    /// An inbox that hands everything to `take`.
    pub fn new(take: impl Fn(Input) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Tells it.
    pub fn tell(&self, input: Input) {
        (self.0)(input);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// What reaches bands. Its calls return at once; what comes of them is told to the inbox.
pub trait Transport {
    /// Looks for bands: [`Input::Found`] for each, then [`Input::FindOver`].
    fn find(&mut self, inbox: &Inbox);

    /// Connects to the band at `place`: [`Heard`](crate::wallet::Heard) with this `number`, the last of it `Over`.
    fn dial(&mut self, number: u64, place: &str, inbox: &Inbox) -> Box<dyn Radio>;

    /// Whether a band is at another place each time, so that it has to be found again.
    fn roams(&self) -> bool {
        false
    }
}

/// A connection, or one on its way. Dropped, it is out of reach without a word.
pub trait Radio {
    /// Sends a fragment, once that is possible. One that is gone takes it with it.
    fn send(&mut self, fragment: Vec<u8>);

    /// Ends the connection after all that was to be sent. It is over when the inbox is told so.
    fn hang_up(&mut self);
}
