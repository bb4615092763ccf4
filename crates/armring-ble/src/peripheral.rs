//! The band's end of the radio: what connects, subscribes, writes and leaves, turned into what happens to the band.

use core::fmt;
use core::time::Duration;

use armring_band::{Event, HANDSHAKE_TIMEOUT, Signal};
use armring_wire::{AttPayload, Uptime};
use heapless::{Deque, Vec};

use crate::radio::{LinkError, Peer, Place, Radio};
use crate::reports::Reports;
use crate::service::payload_of;
use crate::session::Session;
use crate::window::{Arrived, Carrier, WINDOW, Window, WindowError};

/// The largest fragment that a band takes unless it says otherwise, in bytes: that of an ATT MTU of 247, which one link-layer packet carries.
pub const PAYLOAD_MAX: usize = 244;
/// How long a band waits for a phone to end the connection whose last fragments it may not have got yet.
pub const LINGER: Duration = Duration::from_secs(1);

/// The radio of a band. It holds no radio itself: the firmware reports what its Bluetooth stack says and does what is asked of it.
///
/// ```text
/// forever:  wait for the stack, the wearer, or until the earlier of peripheral.deadline() and band.deadline()
///           the stack said something:  peripheral.happens(peer, radio, now)
///           time passed:               peripheral.tick(now), and Tick to the band
///           loop:
///             the stack has no room:          leave the loop                            peripheral.waits(now)
///             an acknowledgement is due:      notify it                         peripheral.acknowledgement()
///             a fragment waits for a place:   Free: notify it; Full: leave the loop; Gone: drop it    peripheral.send(now)
///             the band has an output:         Transmit: it now waits for a place
///                                             Signal: peripheral.signal(signal), and show it
///                                             Disconnect: peripheral.end(now), or cut() where nothing was notified since the
///                                             band last handled something
///                                             the others: see armring_band::Band
///             something happened to the band: band.handle(event, now, &mut rng)                   peripheral.event()
///             otherwise:                      leave the loop
///           end every connection of which peripheral.ends(peer); advertise while peripheral.advertises()
/// ```
///
/// There is one connection that counts. While the band pairs, or waits for somebody to pair with, it goes on advertising: a second central is
/// then told of to the band, which closes its window, and both are ended. At any other time a second one is ended and nothing else.
///
/// `N` is the longest fragment that is taken, in bytes. The firmware answers an MTU exchange with no more than `N` + 3.
pub struct Peripheral<const N: usize = PAYLOAD_MAX> {
    state: State,
    /// How many centrals are connected, those that are being ended included.
    peers: u8,
    /// The band's window is open, or somebody pairs.
    pairing: bool,
    /// What the band has to hear before any fragment.
    reports: Reports,
    /// Fragments of the connection that the last report was of.
    waiting: Deque<Vec<u8, N>, { WINDOW as usize }>,
    /// The fragment that the band was given last.
    current: Vec<u8, N>,
    acknowledgement: Option<[u8; 1]>,
}

enum State {
    /// Nobody is connected.
    Idle,
    /// Somebody is, and has until then to subscribe.
    Open(Peer, Uptime),
    /// Fragments go to and fro.
    Up(Peer, Session),
    /// The band has said all it had to say. Until then the phone may hang up by itself.
    Closing(Peer, Uptime),
    /// Every connection is being ended.
    Ending,
}

impl<const N: usize> Peripheral<N> {
    /// A band to which nobody is connected.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            peers: 0,
            pairing: false,
            reports: Reports::new(),
            waiting: Deque::new(),
            current: Vec::new(),
            acknowledgement: None,
        }
    }

    /// Something happened on the radio, between the band and `peer`.
    ///
    /// # Errors
    /// A [`LinkError`] says what was wrong with it, for a log: what there was to do has been done.
    pub fn happens(&mut self, peer: Peer, radio: Radio<'_>, now: Uptime) -> Result<(), LinkError> {
        match radio {
            Radio::Connected => self.connected(peer, now),
            Radio::Disconnected => {
                self.disconnected(peer);
                Ok(())
            }
            _ if !self.counts(peer) => Ok(()),
            Radio::Subscribed(att_mtu) => self.carried(peer, Carrier::Gatt(Window::new()), payload_of(att_mtu)),
            Radio::ChannelOpened(payload) => self.carried(peer, Carrier::Channel, payload),
            Radio::Written(payload) => self.arrived(payload, false),
            Radio::Received(sdu) => self.arrived(sdu, true),
            Radio::Unsubscribed => Err(self.fail(LinkError::Unsubscribed)),
            Radio::Sent => {
                if let State::Up(_, session) = &mut self.state {
                    session.progressed();
                }
                Ok(())
            }
        }
    }

    /// Time passed: at the latest at [`deadline`](Self::deadline).
    ///
    /// # Errors
    /// [`LinkError::TimedOut`] where the phone did not do in time what it had to do.
    pub fn tick(&mut self, now: Uptime) -> Result<(), LinkError> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        let closing = matches!(self.state, State::Closing(..));
        let error = self.fail(LinkError::TimedOut);
        if closing { Ok(()) } else { Err(error) }
    }

    /// When to call [`tick`](Self::tick) at the latest; `None` while nothing waits for time to pass.
    #[must_use]
    pub const fn deadline(&self) -> Option<Uptime> {
        match &self.state {
            State::Open(_, by) | State::Closing(_, by) => Some(*by),
            State::Up(_, session) => session.deadline(),
            State::Idle | State::Ending => None,
        }
    }

    /// What happened to the band. To be given to it when all its outputs were done, and then asked for again.
    pub fn event(&mut self) -> Option<Event<'_>> {
        if let Some(event) = self.reports.next() {
            return Some(event);
        }
        self.current = self.waiting.pop_front()?;
        if let State::Up(_, session) = &mut self.state {
            self.acknowledgement = session.taken().or(self.acknowledgement);
        }
        Some(Event::Fragment(&self.current))
    }

    /// An acknowledgement that is due, to be notified before anything else. It needs no place.
    pub fn acknowledgement(&mut self) -> Option<[u8; 1]> {
        self.acknowledgement.take()
    }

    /// Asks for a place for one fragment of the band's.
    pub fn send(&mut self, now: Uptime) -> Place {
        match &mut self.state {
            State::Up(_, session) if self.reports.is_empty() => session.send(now),
            _ => Place::Gone,
        }
    }

    /// The stack has no room for what there is to send. It is to have some in time, as the phone is to acknowledge in time: over a channel, that
    /// is for the phone to give credits.
    pub fn waits(&mut self, now: Uptime) {
        if let State::Up(_, session) = &mut self.state {
            session.waits(now);
        }
    }

    /// Hears what the band tells its wearer: whether it pairs.
    pub const fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::PairingOpen => self.pairing = true,
            Signal::PairingClosed | Signal::Paired => self.pairing = false,
            _ => {}
        }
    }

    /// The band ends the connection, and has said nothing that the phone is still to get: at once.
    pub fn cut(&mut self) {
        self.close();
    }

    /// The band ends the connection after what it has just said. A phone that may not have got all of it is given [a moment](LINGER) to end it
    /// itself.
    pub fn end(&mut self, now: Uptime) {
        match &self.state {
            State::Up(peer, session) if session.is_under_way() => {
                self.state = State::Closing(*peer, now.saturating_add(LINGER));
                self.forget();
            }
            _ => self.close(),
        }
    }

    /// Whether the connection with `peer` is to be ended.
    #[must_use]
    pub fn ends(&self, peer: Peer) -> bool {
        match &self.state {
            State::Idle | State::Ending => true,
            State::Open(counts, _) | State::Up(counts, _) | State::Closing(counts, _) => *counts != peer,
        }
    }

    /// The central with which the connection is that counts, if there is one.
    #[must_use]
    pub const fn peer(&self) -> Option<Peer> {
        match &self.state {
            State::Open(peer, _) | State::Up(peer, _) | State::Closing(peer, _) => Some(*peer),
            State::Idle | State::Ending => None,
        }
    }

    /// Whether the band is to advertise: while nobody is connected, and while it pairs and one is.
    #[must_use]
    pub const fn advertises(&self) -> bool {
        match self.state {
            State::Idle => self.peers == 0,
            State::Open(..) | State::Up(..) => self.pairing && self.peers == 1,
            State::Closing(..) | State::Ending => false,
        }
    }

    /// Whether there is room for what comes next. A firmware takes an SDU from an L2CAP channel only while there is.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.waiting.is_full()
    }

    fn connected(&mut self, peer: Peer, now: Uptime) -> Result<(), LinkError> {
        self.peers = self.peers.saturating_add(1);
        match self.state {
            State::Idle => {
                self.state = State::Open(peer, now.saturating_add(HANDSHAKE_TIMEOUT));
                Ok(())
            }
            State::Open(..) | State::Up(..) if self.pairing => {
                // The band says the same in a moment. Until then, no third one is to be told of.
                self.pairing = false;
                self.close();
                self.reports.second();
                Err(LinkError::SecondConnection)
            }
            _ => Err(LinkError::SecondConnection),
        }
    }

    fn disconnected(&mut self, peer: Peer) {
        self.peers = self.peers.saturating_sub(1);
        if self.counts(peer) || self.peers == 0 {
            self.close();
        }
        if self.peers == 0 {
            self.reports.disconnected();
        }
    }

    /// Whether what `peer` does is of interest.
    fn counts(&self, peer: Peer) -> bool {
        matches!(&self.state, State::Open(counts, _) | State::Up(counts, _) if *counts == peer)
    }

    fn carried(&mut self, peer: Peer, carrier: Carrier, payload: AttPayload) -> Result<(), LinkError> {
        if !matches!(self.state, State::Open(..)) {
            return Err(self.fail(LinkError::SecondCarrier));
        }
        self.state = State::Up(peer, Session::new(carrier));
        self.reports.connected(payload);
        Ok(())
    }

    fn arrived(&mut self, payload: &[u8], over_channel: bool) -> Result<(), LinkError> {
        let session = match &mut self.state {
            State::Up(_, session) if session.is_over_channel() == over_channel => session,
            _ => return Err(self.fail(LinkError::NotSubscribed)),
        };
        let fragment = match session.arrived(payload) {
            Ok(Arrived::Fragment(fragment)) => fragment,
            Ok(Arrived::Acknowledgement) => return Ok(()),
            Err(error) => return Err(self.fail(error.into())),
        };
        let Ok(fragment) = Vec::from_slice(fragment) else { return Err(self.fail(LinkError::TooLong(payload.len()))) };
        match self.waiting.push_back(fragment) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.fail(WindowError::Overrun.into())),
        }
    }

    fn fail(&mut self, error: LinkError) -> LinkError {
        self.close();
        error
    }

    fn close(&mut self) {
        self.forget();
        self.state = if self.peers == 0 { State::Idle } else { State::Ending };
    }

    /// What was under way is of no more use.
    fn forget(&mut self) {
        self.waiting.clear();
        self.acknowledgement = None;
    }
}

impl<const N: usize> Default for Peripheral<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for Peripheral<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peripheral").field("peers", &self.peers).finish_non_exhaustive()
    }
}
