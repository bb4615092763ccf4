//! How many fragments may be under way: notifications and writes without response have no back-pressure from end to end.

use core::fmt;

/// How many fragments a side may have sent that the other has not acknowledged.
pub const WINDOW: u8 = 4;
/// After how many fragments taken a side acknowledges.
pub const ACKNOWLEDGE_EVERY: u8 = 2;
/// How many payloads of one side can wait for the other at most: a window of fragments, and the acknowledgements of a window. Queues of a host
/// stack below this number lose some.
pub const PAYLOADS_UNDER_WAY: usize = (WINDOW + WINDOW / ACKNOWLEDGE_EVERY) as usize;

/// The window of a connection over GATT, both ways. Each side has one, from the subscription on.
///
/// A payload of two bytes or more is a fragment; one of a single byte is an *acknowledgement*: how many fragments its sender has taken since
/// the connection began, modulo 256. A side has at most [`WINDOW`] fragments under way, and acknowledges when [`ACKNOWLEDGE_EVERY`] that it has
/// taken are not acknowledged yet, so that neither waits for the other for good. Fragments are *taken* when they have left the memory in which
/// they waited. Acknowledgements are not acknowledged. They are not authenticated either: whoever forges one can stop the connection, as
/// whoever stands between can anyway.
///
/// ```
/// use armring_ble::{Arrived, Window};
///
/// let (mut phone, mut band) = (Window::new(), Window::new());
/// for n in 0..5 {
///     assert_eq!(phone.send(), n < 4, "the fifth has to wait");
/// }
/// assert_eq!(band.arrived(b"fragment 1")?, Arrived::Fragment(b"fragment 1"));
/// assert_eq!(band.taken(), None);
/// assert_eq!(band.arrived(b"fragment 2")?, Arrived::Fragment(b"fragment 2"));
/// let acknowledgement = band.taken().ok_or("every second one is acknowledged")?;
/// assert_eq!(phone.arrived(&acknowledgement)?, Arrived::Acknowledgement);
/// assert!(phone.send());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Fragments sent, and acknowledged by the other side. All four count modulo 256.
    sent: u8,
    acknowledged: u8,
    /// Fragments that arrived and are not acknowledged by this side: of these so many were taken.
    arrived: u8,
    taken: u8,
    told: u8,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived<'a> {
    /// A fragment, to be taken.
    Fragment(&'a [u8]),
    /// The other side has taken more of what this one sent.
    Acknowledgement,
}

impl Window {
    /// A connection over which nothing has gone yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sent: 0, acknowledged: 0, arrived: 0, taken: 0, told: 0 }
    }

    /// Whether one more fragment may be sent now.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.under_way() < WINDOW
    }

    /// Claims a place for a fragment, which is then to be sent. `false` where it has to wait for an acknowledgement.
    #[must_use = "a fragment without a place is not sent"]
    pub const fn send(&mut self) -> bool {
        let open = self.is_open();
        if open {
            self.sent = self.sent.wrapping_add(1);
        }
        open
    }

    /// A payload of the other side came.
    ///
    /// # Errors
    /// A [`WindowError`] where the other side does not keep to the window. Nothing has then changed; the connection is to be ended.
    pub const fn arrived<'a>(&mut self, payload: &'a [u8]) -> Result<Arrived<'a>, WindowError> {
        match payload {
            [] => Err(WindowError::Short),
            [count] => {
                if count.wrapping_sub(self.acknowledged) > self.under_way() {
                    return Err(WindowError::NeverSent);
                }
                self.acknowledged = *count;
                Ok(Arrived::Acknowledgement)
            }
            fragment => {
                if self.arrived.wrapping_sub(self.told) >= WINDOW {
                    return Err(WindowError::Overrun);
                }
                self.arrived = self.arrived.wrapping_add(1);
                Ok(Arrived::Fragment(fragment))
            }
        }
    }

    /// A fragment that had arrived left the memory in which it waited. Gives the acknowledgement that is due, to be sent at once.
    pub const fn taken(&mut self) -> Option<[u8; 1]> {
        if self.taken == self.arrived {
            return None;
        }
        self.taken = self.taken.wrapping_add(1);
        if self.taken.wrapping_sub(self.told) < ACKNOWLEDGE_EVERY {
            return None;
        }
        self.told = self.taken;
        Some([self.told])
    }

    const fn under_way(&self) -> u8 {
        self.sent.wrapping_sub(self.acknowledged)
    }
}

/// What carries the payloads of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Writes and notifications, with a window.
    Gatt(Window),
    /// An L2CAP connection-oriented channel, each of whose SDUs is a fragment. It has credits of its own, and no acknowledgements.
    Channel,
}

impl Carrier {
    /// Claims a place for a fragment: see [`Window::send`].
    #[must_use = "a fragment without a place is not sent"]
    pub const fn send(&mut self) -> bool {
        match self {
            Self::Gatt(window) => window.send(),
            Self::Channel => true,
        }
    }

    /// A payload of the other side came: see [`Window::arrived`].
    ///
    /// # Errors
    /// A [`WindowError`] where the other side does not keep to the window.
    pub const fn arrived<'a>(&mut self, payload: &'a [u8]) -> Result<Arrived<'a>, WindowError> {
        match (self, payload) {
            (Self::Gatt(window), payload) => window.arrived(payload),
            (Self::Channel, [] | [_]) => Err(WindowError::Short),
            (Self::Channel, fragment) => Ok(Arrived::Fragment(fragment)),
        }
    }

    /// A fragment that had arrived was taken: see [`Window::taken`].
    pub const fn taken(&mut self) -> Option<[u8; 1]> {
        match self {
            Self::Gatt(window) => window.taken(),
            Self::Channel => None,
        }
    }

    /// Whether one more fragment may be sent now.
    pub(crate) const fn is_open(&self) -> bool {
        match self {
            Self::Gatt(window) => window.is_open(),
            Self::Channel => true,
        }
    }

    /// Whether the other side may not have got all that was sent.
    pub(crate) const fn is_under_way(&self) -> bool {
        match self {
            Self::Gatt(window) => window.under_way() > 0,
            Self::Channel => true,
        }
    }
}

/// How the other side broke the window. It is to blame, or the radio, or whoever stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowError {
    /// A payload that is too short to be anything: without a byte, or over an L2CAP channel of one.
    Short,
    /// More fragments than may be under way.
    Overrun,
    /// An acknowledgement of fragments that were not sent.
    NeverSent,
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "a payload that is too short to be anything",
            Self::Overrun => "more fragments than may be under way",
            Self::NeverSent => "an acknowledgement of fragments that were not sent",
        })
    }
}

impl core::error::Error for WindowError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::VecDeque;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_is_an_error_and_changes_nothing() {
        let mut window = Window::new();
        assert!(window.send() && window.send());
        let before = window.clone();
        for count in [3, 4, 128, 255] {
            assert_eq!(window.arrived(&[count]), Err(WindowError::NeverSent), "{count}");
        }
        assert_eq!(window, before);
        assert_eq!(window.arrived(&[2]), Ok(Arrived::Acknowledgement));
        assert_eq!(window.arrived(&[1]), Err(WindowError::NeverSent), "counts do not go back");
        assert_eq!(window.arrived(&[2]), Ok(Arrived::Acknowledgement), "the same one again says nothing new");
    }

    #[test]
    fn a_flood_beyond_the_window_is_an_error_and_changes_nothing() {
        let mut window = Window::new();
        for _ in 0..WINDOW {
            assert!(window.arrived(&[0, 1]).is_ok());
        }
        let before = window.clone();
        assert_eq!(window.arrived(&[0, 1]), Err(WindowError::Overrun));
        assert_eq!(window.arrived(&[]), Err(WindowError::Short));
        assert_eq!(window, before);
    }

    #[test]
    fn nothing_is_acknowledged_that_did_not_arrive() {
        let mut window = Window::new();
        assert_eq!([window.taken(), window.taken(), window.taken()], [None; 3]);
        assert_eq!(window, Window::new());
    }

    /// What may happen next on a link between two sides that each have things to send.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Send(usize),
        Arrive(usize),
        Take(usize),
    }

    struct Side {
        window: Window,
        to_send: u32,
        sent: u32,
        /// On the way to this side.
        air: VecDeque<Vec<u8>>,
        waiting: VecDeque<Vec<u8>>,
        got: Vec<Vec<u8>>,
    }

    impl Side {
        fn new(to_send: u32) -> Self {
            let (air, waiting) = (VecDeque::new(), VecDeque::new());
            Self { window: Window::new(), to_send, sent: 0, air, waiting, got: Vec::new() }
        }
    }

    /// Does the step if it can be done. Says whether it was.
    fn step(sides: &mut [Side; 2], step: Step) -> bool {
        match step {
            Step::Send(at) => {
                let side = &mut sides[at];
                let can = side.sent < side.to_send && side.window.send();
                if can {
                    let fragment = side.sent.to_le_bytes().to_vec();
                    side.sent += 1;
                    sides[1 - at].air.push_back(fragment);
                }
                can
            }
            Step::Arrive(at) => {
                let side = &mut sides[at];
                assert!(side.air.len() + side.waiting.len() <= PAYLOADS_UNDER_WAY, "a queue of that many is enough");
                let Some(payload) = side.air.pop_front() else { return false };
                if let Arrived::Fragment(fragment) = side.window.arrived(&payload).unwrap() {
                    side.waiting.push_back(fragment.to_vec());
                }
                true
            }
            Step::Take(at) => {
                let side = &mut sides[at];
                let Some(fragment) = side.waiting.pop_front() else { return false };
                side.got.push(fragment);
                if let Some(acknowledgement) = side.window.taken() {
                    sides[1 - at].air.push_back(acknowledgement.to_vec());
                }
                true
            }
        }
    }

    const ALL: [Step; 6] = [Step::Send(0), Step::Send(1), Step::Arrive(0), Step::Arrive(1), Step::Take(0), Step::Take(1)];

    proptest! {
        /// In whatever order things happen, no queue overflows, nobody breaks the window, and neither side waits for good.
        #[test]
        fn everything_arrives_in_order_and_nobody_waits_for_good(
            order in prop::collection::vec(0..ALL.len(), 0..900),
            amounts in (0u32..400, 0u32..400),
        ) {
            let mut sides = [Side::new(amounts.0), Side::new(amounts.1)];
            for at in order {
                step(&mut sides, ALL[at]);
            }
            while ALL.into_iter().filter(|next| step(&mut sides, *next)).count() > 0 {}
            for (side, amount) in sides.iter().zip([amounts.1, amounts.0]) {
                let whole: Vec<_> = (0..amount).map(|n| n.to_le_bytes().to_vec()).collect();
                prop_assert_eq!(&side.got, &whole);
            }
        }

        /// Whatever the other side sends, it has no more under way here than the window.
        #[test]
        fn a_hostile_side_never_has_more_waiting_than_the_window(
            payloads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3), any::<bool>()), 0..600),
        ) {
            let (mut window, mut waiting) = (Window::new(), 0u8);
            for (payload, takes) in payloads {
                let sent = window.send();
                prop_assert_eq!(sent || !window.is_open(), true);
                if let Ok(Arrived::Fragment(_)) = window.arrived(&payload) {
                    waiting += 1;
                }
                prop_assert!(waiting <= WINDOW);
                if takes && waiting > 0 {
                    waiting -= 1;
                    let _ = window.taken();
                }
            }
        }
    }
}
