//! What happens on a band's radio, and what was wrong with it.

use core::fmt;

use armring_wire::AttPayload;

use crate::window::WindowError;

/// A central, by the handle of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub u16);

/// What happens on a band's radio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Radio<'a> {
    /// A central connected. It is nobody yet.
    Connected,
    /// It subscribed to [`NOTIFICATIONS`](crate::NOTIFICATIONS), at this ATT MTU: the band speaks. The MTU stays what it was then.
    Subscribed(u16),
    /// It wrote this to [`WRITES`](crate::WRITES).
    Written(&'a [u8]),
    /// It took its subscription back, or closed its channel.
    Unsubscribed,
    /// It opened an L2CAP channel, whose SDUs carry so much ([`payload_of_channel`](crate::payload_of_channel)), in place of a subscription.
    ChannelOpened(AttPayload),
    /// This SDU came over the channel.
    Received(&'a [u8]),
    /// The stack took one of the payloads with which it had the band [wait](crate::Peripheral::waits).
    Sent,
    /// It is gone, or out of reach.
    Disconnected,
}

/// Whether a fragment of the band may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a fragment without a place is not sent"]
pub enum Place {
    /// Send it now.
    Free,
    /// Keep it until the phone has acknowledged what is under way.
    Full,
    /// Drop it: the connection that it was for is over.
    Gone,
}

/// What was wrong with what happened on the radio. The central is to blame, or whoever stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// It does not keep to the window.
    Window(WindowError),
    /// It wrote a fragment that is longer than the band takes, in bytes.
    TooLong(usize),
    /// It wrote before it had subscribed, or beside the channel that it opened.
    NotSubscribed,
    /// It subscribed, or opened a channel, twice.
    SecondCarrier,
    /// It took its subscription back, or closed its channel.
    Unsubscribed,
    /// It is the second one.
    SecondConnection,
    /// It did not subscribe, or acknowledge, in time.
    TimedOut,
}

impl From<WindowError> for LinkError {
    fn from(error: WindowError) -> Self {
        Self::Window(error)
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(error) => error.fmt(f),
            Self::TooLong(len) => write!(f, "a fragment of {len} bytes is longer than the band takes"),
            Self::NotSubscribed => f.write_str("the central writes what it has not subscribed for"),
            Self::SecondCarrier => f.write_str("the central subscribes a second time"),
            Self::Unsubscribed => f.write_str("the central took its subscription back"),
            Self::SecondConnection => f.write_str("a second central connected"),
            Self::TimedOut => f.write_str("the central did not subscribe or acknowledge in time"),
        }
    }
}

impl core::error::Error for LinkError {}
