//! The band's loop: what its radio and its wearer do, in one order.

use core::fmt;

use armring_band::{Band, Event, Offer, Output, PaymentKeys, Signal, StoreKey};
use armring_pairing::{DiffieHellman, PairingLabel};
use armring_wire::{ATT_PAYLOAD_MAX, Uptime};
use embassy_futures::select::{Either, Either3, select, select3};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use heapless::Vec;
use rand_core::TryCryptoRng;
use trouble_host::prelude::*;

use crate::advertisement::Advertisement as Advertised;
use crate::peripheral::Peripheral as Reports;
use crate::radio::{Peer, Place, Radio as Happens};
use crate::service::Spsm;
use crate::trouble::seat::{Aired, Heard, INBOX, OnAir, Out, SEATS, Seat, Session, seats};

/// What tells the time since the band started.
#[allow(async_fn_in_trait, reason = "a band has one thread")]
pub trait Clock {
    /// Milliseconds since the band started. They go on while it sleeps, and never go back.
    fn now(&self) -> Uptime;

    /// Waits until then, which may be over; `None` is never. Nothing is lost where the future is dropped before it is ready.
    async fn wait(&self, until: Option<Uptime>);
}

/// The band beside its radio: sensor, button, display, lights, motor, flash.
#[allow(async_fn_in_trait, reason = "a band has one thread")]
pub trait Wrist {
    /// Waits for what happens to the band, of its wearer's doing. Nothing is lost where the future is dropped before it is ready.
    async fn next(&mut self) -> Event<'_>;

    /// Tells the wearer. A display shows the offer that waits for them, if there is one, and the label as a QR code while the pairing window is
    /// open. A [code](Signal::Code) was shown whole when this returns.
    async fn tell(&mut self, signal: Signal, offer: Option<Offer<'_>>, label: Option<PairingLabel>);

    /// Stores `value` under `key` and reads it back. Says whether it is there.
    async fn store(&mut self, key: StoreKey, value: &[u8]) -> bool;

    /// Erases what is under `key`. Says whether it is gone.
    async fn erase(&mut self, key: StoreKey) -> bool;

    /// Erases everything. Says whether it is gone.
    async fn erase_all(&mut self) -> bool;

    /// What somebody did wrong, for a log. Nothing is to be done about it.
    fn log(&mut self, _error: &dyn fmt::Display) {}
}

/// What a band's radio is to say of itself.
#[derive(Clone, Copy, Debug)]
pub struct Radio {
    /// Who made the band, as Bluetooth SIG numbers companies; `0xFFFF` while it is tested.
    pub company: u16,
    /// Where it listens for an L2CAP channel, if it does: registered with the stack as well.
    pub channel: Option<Spsm>,
}

/// Runs `band` over `stack`, for good. `N` is the longest fragment that is taken, in bytes: at least what the packet pool lets a central write,
/// which is its MTU less 7 (L2CAP has 4 of them, ATT 3).
///
/// What was stored is loaded into the band before. The stack has two connections and an attribute table of its own here. It advertises under a random address that changes with each session.
///
/// # Errors
/// What the controller says that cannot be.
pub async fn run<C, P, D, K, W, R, const N: usize>(
    stack: &Stack<'_, C, P>,
    band: &mut Band<D, K>,
    wrist: &mut W,
    clock: &impl Clock,
    rng: &mut R,
    radio: Radio,
) -> Result<(), BleHostError<C::Error>>
where
    C: Controller,
    P: PacketPool,
    D: DiffieHellman,
    K: PaymentKeys,
    W: Wrist,
    R: TryCryptoRng,
{
    let inbox = Channel::new();
    let seats_ = [Seat::new(), Seat::new()];
    let aired = Aired::new();
    let host = Host {
        band,
        wrist,
        clock,
        rng,
        reports: Reports::<N>::new(),
        fragment: [0; ATT_PAYLOAD_MAX],
        pending: None,
        said: false,
        follows: None,
        company: radio.company,
        address: [0; 6],
        turn: 0,
    };
    match select(seats(stack, &seats_, &inbox, &aired, radio.channel), host.run(&seats_, &inbox, &aired)).await {
        Either::First(result) => result,
        Either::Second(never) => match never {},
    }
}

type Inbox<const N: usize> = Channel<NoopRawMutex, (usize, Heard<N>), INBOX>;

struct Host<'a, D, K: PaymentKeys, W, T, R, const N: usize> {
    band: &'a mut Band<D, K>,
    wrist: &'a mut W,
    clock: &'a T,
    rng: &'a mut R,
    reports: Reports<N>,
    fragment: [u8; ATT_PAYLOAD_MAX],
    /// Length of the fragment that waits for a place.
    pending: Option<usize>,
    /// Whether the band has said something since it last handled an event.
    said: bool,
    /// What the band's last outputs led to.
    follows: Option<Event<'static>>,
    company: u16,
    address: [u8; 6],
    /// Which of its wallets the band advertised for last.
    turn: usize,
}

impl<D: DiffieHellman, K: PaymentKeys, W: Wrist, T: Clock, R: TryCryptoRng, const N: usize> Host<'_, D, K, W, T, R, N> {
    async fn run(mut self, seats: &[Seat<N>; SEATS], inbox: &Inbox<N>, aired: &Aired) -> core::convert::Infallible {
        loop {
            let settled = self.settle(seats).await;
            self.steer(seats, aired);
            // A deadline of the band's that passes while it can take nothing has to wait as well.
            let band = self.band.deadline().filter(|_| settled);
            let until = [self.reports.deadline(), band].into_iter().flatten().min();
            let Self { wrist, clock, reports, band, rng, .. } = &mut self;
            let wearer = async {
                // While a fragment waits for a place, the band can take nothing but acknowledgements.
                if settled { wrist.next().await } else { core::future::pending().await }
            };
            let result = match select3(inbox.receive(), clock.wait(until), wearer).await {
                Either3::First((seat, heard)) => {
                    if matches!(heard, Heard::Connected) {
                        aired.heard();
                    }
                    self.hears(seat, heard, seats).await;
                    continue;
                }
                Either3::Second(()) => {
                    let now = clock.now();
                    if let Err(error) = reports.tick(now) {
                        wrist.log(&error);
                    }
                    if settled { band.handle(Event::Tick, now, *rng) } else { Ok(()) }
                }
                Either3::Third(event) => band.handle(event, clock.now(), *rng),
            };
            if let Err(error) = result {
                self.wrist.log(&error);
            }
        }
    }

    async fn hears(&mut self, seat: usize, heard: Heard<N>, seats: &[Seat<N>; SEATS]) {
        let (peer, now) = (peer_of(seat), self.clock.now());
        let gone = matches!(heard, Heard::Disconnected);
        let happens = match &heard {
            Heard::Connected => Happens::Connected,
            Heard::Subscribed(att_mtu) => Happens::Subscribed(*att_mtu),
            Heard::Unsubscribed => Happens::Unsubscribed,
            Heard::Written(payload) => Happens::Written(payload),
            Heard::ChannelOpened(payload) => Happens::ChannelOpened(*payload),
            Heard::Received(sdu) => Happens::Received(sdu),
            Heard::Sent => Happens::Sent,
            Heard::Disconnected => Happens::Disconnected,
        };
        if let Err(error) = self.reports.happens(peer, happens, now) {
            self.wrist.log(&error);
        }
        if let Some(seat) = seats.get(seat) {
            if gone {
                seat.out.send(Out::Over).await;
            }
            seat.taken.set(!gone);
        }
    }

    /// Does all that there is to do for the band. `false` where the rest has to wait for the phone, or for the stack.
    async fn settle(&mut self, seats: &[Seat<N>; SEATS]) -> bool {
        loop {
            let seat = self.reports.peer().and_then(|Peer(peer)| seats.get(usize::from(peer)));
            if seat.is_some_and(|seat| seat.out.is_full()) {
                self.reports.waits(self.clock.now());
                return false;
            }
            if let Some(acknowledgement) = self.reports.acknowledgement() {
                send(seat, &acknowledgement);
                continue;
            }
            if let Some(len) = self.pending {
                match self.reports.send(self.clock.now()) {
                    Place::Free => send(seat, self.fragment.get(..len).unwrap_or_default()),
                    Place::Full => return false,
                    Place::Gone => {}
                }
                self.pending = None;
                continue;
            }
            let now = self.clock.now();
            match self.band.poll(&mut self.fragment) {
                Some(Output::Transmit(bytes)) => {
                    self.pending = Some(bytes.len());
                    self.said = true;
                }
                Some(Output::Store { key, value }) => self.follows = Some(stored(self.wrist.store(key, value).await)),
                Some(Output::Erase { key }) => self.follows = Some(stored(self.wrist.erase(key).await)),
                Some(Output::EraseAll) => self.follows = Some(stored(self.wrist.erase_all().await)),
                Some(Output::Signal(signal)) => {
                    self.reports.signal(&signal);
                    self.wrist.tell(signal, self.band.offer(), self.band.label()).await;
                    if matches!(signal, Signal::Code(_)) {
                        self.follows = Some(Event::CodeShown);
                    }
                }
                Some(Output::Disconnect) if self.said => self.reports.end(now),
                Some(Output::Disconnect) => self.reports.cut(),
                None => {
                    self.said = false;
                    let Some(event) = self.follows.take().or_else(|| self.reports.event()) else { return true };
                    if let Err(error) = self.band.handle(event, now, self.rng) {
                        self.wrist.log(&error);
                    }
                }
            }
        }
    }

    /// Ends the connections that are to be ended, and advertises, or not.
    fn steer(&mut self, seats: &[Seat<N>; SEATS], aired: &Aired) {
        for (index, seat) in seats.iter().enumerate() {
            if seat.taken.get() && self.reports.ends(peer_of(index)) {
                seat.end.signal(());
            }
        }
        match (self.reports.advertises(), aired.now()) {
            (true, OnAir::Nothing) => match self.session() {
                Ok(session) => aired.set(OnAir::Session(session)),
                Err(error) => self.wrist.log(&error),
            },
            (false, OnAir::Session(_)) => aired.set(OnAir::Nothing),
            _ => {}
        }
    }

    /// What is advertised next. While somebody is connected it is still the session in which they came.
    fn session(&mut self) -> Result<Session, armring_band::Error> {
        if self.reports.peer().is_none() {
            let drawn = self.rng.try_fill_bytes(&mut self.address);
            drawn.map_err(|_| armring_band::Error::from(armring_band::MachineError::Randomness))?;
            // As a resolvable private address looks (Bluetooth Core 6.0, Vol 6, Part B, §1.3.2.2), which nobody can resolve.
            let [.., top] = &mut self.address;
            *top = *top & 0x3F | 0x40;
        }
        let mut tag = None;
        for _ in 0..=armring_band::LINKS {
            self.turn = if self.turn >= armring_band::LINKS { 0 } else { self.turn + 1 };
            tag = self.band.advertising_tag(self.turn, self.rng)?;
            if tag.is_some() {
                break;
            }
        }
        let advertised = Advertised { company: self.company, tag: tag.map(|tag| *tag.as_bytes()) };
        Ok(Session { address: self.address, advertised })
    }
}

/// There is room.
fn send<const N: usize>(seat: Option<&Seat<N>>, payload: &[u8]) {
    if let (Some(seat), Ok(payload)) = (seat, Vec::from_slice(payload)) {
        let _ = seat.out.try_send(Out::Payload(payload));
    }
}

fn peer_of(seat: usize) -> Peer {
    Peer(u16::try_from(seat).unwrap_or(u16::MAX))
}

const fn stored(is_done: bool) -> Event<'static> {
    if is_done { Event::Stored } else { Event::StoreFailed }
}
