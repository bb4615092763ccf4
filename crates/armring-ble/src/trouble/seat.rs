//! The two connections that a band may have, each served by itself.

use core::cell::Cell;
use core::future::{pending, poll_fn};
use core::pin::pin;
use core::task::Poll;

use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};
use bt_hci::cmd::le::{LeSetAdvEnable, LeSetRandomAddr};
use embassy_futures::join::join;
use embassy_futures::select::{Either, Either3, select, select3, select4};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::mutex::Mutex;
use embassy_sync::signal::Signal;
use heapless::Vec;
use trouble_host::prelude::*;

use crate::advertisement::Advertisement as Advertised;
use crate::service::{INFO, Info, NOTIFICATIONS, SERVICE, Spsm, WRITES, payload_of_channel};
use crate::trouble::uuid;

/// One connection that counts, and one that ends a pairing.
pub(crate) const SEATS: usize = 2;
/// What the seats have heard and the band has not.
pub(crate) const INBOX: usize = 8;
/// Attributes of the three services.
const ATTRIBUTES: usize = 16;

/// What came over a connection.
pub(crate) enum Heard<const N: usize> {
    Connected,
    Subscribed(u16),
    Unsubscribed,
    Written(Vec<u8, N>),
    ChannelOpened(AttPayload),
    Received(Vec<u8, N>),
    /// The stack took a payload of the band's.
    Sent,
    Disconnected,
}

/// What is to be done with a connection.
#[allow(clippy::large_enum_variant, reason = "there is no heap to put it on")]
pub(crate) enum Out<const N: usize> {
    Payload(Vec<u8, N>),
    /// All that was for this connection came before.
    Over,
}

/// A place for one connection.
pub(crate) struct Seat<const N: usize> {
    pub(crate) out: Channel<NoopRawMutex, Out<N>, 2>,
    /// Whether the band knows that somebody is connected.
    pub(crate) taken: Cell<bool>,
    /// They are to be ended, whatever is still to be sent.
    pub(crate) end: Signal<NoopRawMutex, ()>,
}

impl<const N: usize> Seat<N> {
    pub(crate) const fn new() -> Self {
        Self { out: Channel::new(), taken: Cell::new(false), end: Signal::new() }
    }
}

/// What is advertised in one session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    pub(crate) address: [u8; 6],
    pub(crate) advertised: Advertised,
}

/// What is on the air.
#[derive(Clone, Copy)]
pub(crate) enum OnAir {
    Nothing,
    Session(Session),
    /// Nothing: somebody has just connected, of whom the band has not heard yet. Until then it does not know what is to be advertised.
    Taken,
}

/// What is to be on the air, which the band says, or was taken off it by whoever connected.
pub(crate) struct Aired {
    now: Cell<OnAir>,
    changed: Signal<NoopRawMutex, ()>,
}

impl Aired {
    pub(crate) const fn new() -> Self {
        Self { now: Cell::new(OnAir::Nothing), changed: Signal::new() }
    }

    pub(crate) fn now(&self) -> OnAir {
        self.now.get()
    }

    pub(crate) fn set(&self, now: OnAir) {
        self.now.set(now);
        self.changed.signal(());
    }

    /// The band has heard of whoever connected.
    pub(crate) fn heard(&self) {
        self.now.set(OnAir::Nothing);
    }

    /// What there is to advertise, as soon as there is something. From now on it may change.
    async fn session(&self) -> Session {
        loop {
            // What was set until now is read now: a signal left over from it would stop what it began.
            self.changed.reset();
            if let OnAir::Session(session) = self.now.get() {
                return session;
            }
            self.changed.wait().await;
        }
    }
}

type Inbox<const N: usize> = Channel<NoopRawMutex, (usize, Heard<N>), INBOX>;
type Server<'a, P> = AttributeServer<'a, NoopRawMutex, P, ATTRIBUTES, SEATS>;

/// Serves both seats, for good.
pub(crate) async fn seats<C: Controller, P: PacketPool, const N: usize>(
    stack: &Stack<'_, C, P>,
    seats: &[Seat<N>; SEATS],
    inbox: &Inbox<N>,
    aired: &Aired,
    channel: Option<Spsm>,
) -> Result<(), BleHostError<C::Error>> {
    let info = Info { channel }.to_bytes();
    let (mut written, mut notified) = ([], []);
    let mut table: AttributeTable<'_, NoopRawMutex, ATTRIBUTES> = AttributeTable::new();
    let mut gap = table.add_service(Service::new(0x1800_u16));
    // Neither a name nor an appearance that would tell one band from another.
    let _ = gap.add_characteristic_ro(0x2A00_u16, b"").build();
    gap.build();
    table.add_service(Service::new(0x1801_u16)).build();
    let mut service = table.add_service(Service::new(uuid(SERVICE)));
    let writes = service
        .add_characteristic(
            uuid(WRITES),
            [CharacteristicProp::Write, CharacteristicProp::WriteWithoutResponse],
            Vec::<u8, N>::new(),
            &mut written,
        )
        .build();
    let notifications = service
        .add_characteristic(uuid(NOTIFICATIONS), [CharacteristicProp::Notify], Vec::<u8, N>::new(), &mut notified)
        .build()
        .to_raw();
    let _ = service.add_characteristic_ro(uuid(INFO), &info).build();
    service.build();
    let server = Server::new(table);
    let air = Air { stack, inbox, aired, server: &server, writes, notifications, channel, role: Mutex::new(stack.peripheral()) };
    let [first, second] = seats;
    match select(air.serve(0, first), air.serve(1, second)).await {
        Either::First(result) | Either::Second(result) => result,
    }
}

struct Air<'a, 'v, 'stack, C, P: PacketPool, const N: usize> {
    stack: &'a Stack<'stack, C, P>,
    inbox: &'a Inbox<N>,
    aired: &'a Aired,
    server: &'a Server<'v, P>,
    writes: Characteristic<Vec<u8, N>>,
    notifications: Characteristic<[u8]>,
    channel: Option<Spsm>,
    /// One seat advertises at a time.
    role: Mutex<NoopRawMutex, Peripheral<'a, C, P>>,
}

impl<'a, C: Controller, P: PacketPool, const N: usize> Air<'a, '_, '_, C, P, N> {
    async fn serve(&self, index: usize, seat: &Seat<N>) -> Result<(), BleHostError<C::Error>> {
        loop {
            let connection = self.accept().await?;
            seat.end.reset();
            self.inbox.send((index, Heard::Connected)).await;
            if let Some(connection) = &connection {
                let gatt = connection.clone().with_attribute_server(self.server)?;
                let writer = Mutex::new(None);
                let hears = async |heard| self.inbox.send((index, heard)).await;
                let outgoing = self.outgoing(seat, &gatt, &writer, &hears);
                select4(self.events(&gatt, &hears), self.sdus(connection, &writer, &hears), outgoing, ended(seat, connection))
                    .await;
            }
            let over = async { while !matches!(seat.out.receive().await, Out::Over) {} };
            join(self.inbox.send((index, Heard::Disconnected)), over).await;
        }
    }

    /// Advertises what is to be advertised until somebody connects; `None` if they are gone again already.
    async fn accept(&self) -> Result<Option<Connection<'a, P>>, BleHostError<C::Error>> {
        let mut role = self.role.lock().await;
        loop {
            let Session { address, advertised } = self.aired.session().await;
            let before = self.connections();
            self.stack.command(LeSetRandomAddr::new(BdAddr::new(address))).await?;
            let parameters = AdvertisementParameters { own_addr_kind: Some(AddrKind::RANDOM), ..Default::default() };
            let response = advertised.scan_response();
            let data = Advertisement::ConnectableScannableUndirected {
                adv_data: &advertised.data(),
                // Without one, the last one would stay: an early end of it.
                scan_data: response.as_ref().map_or(&[0], |response| response),
            };
            // Dropped, it has the stack stop advertising. That is not to be while the command to do so is under way from here: a second one with the
            // same opcode waits until something else wakes the stack, and every later command waits for it (bt-hci 0.10, `ControllerState`).
            let mut accepted = pin!(role.advertise(&parameters, data).await?.accept());
            let connection = match select3(&mut accepted, self.aired.changed.wait(), self.connected_since(before)).await {
                Either3::First(accepted) => accepted.ok(),
                Either3::Second(()) => {
                    // Only once the controller says that it has stopped is it known whether somebody was just in time, and may the address be
                    // changed (Bluetooth Core 6.0, Vol 4, Part E, §7.8.4).
                    self.stack.command(LeSetAdvEnable::new(false)).await?;
                    role.try_accept()
                }
                Either3::Third(()) => None,
            };
            if connection.is_some() || self.connections() != before {
                self.aired.now.set(OnAir::Taken);
                return Ok(connection);
            }
        }
    }

    /// How many connections there were so far, modulo 2³².
    fn connections(&self) -> u32 {
        self.stack.metrics(|metrics| metrics.connect_events)
    }

    /// Waits for another connection than those `before`. Asked behind [`accept`](Advertiser::accept), this is one that ended before the stack
    /// was asked for it: it forgets such a one, the controller advertises no more, and `accept` would wait for good. A connection wakes whoever
    /// waits for `accept`, and so this as well.
    async fn connected_since(&self, before: u32) {
        poll_fn(|_| if self.connections() == before { Poll::Pending } else { Poll::Ready(()) }).await
    }

    /// What the central does over GATT, until it is gone.
    async fn events(&self, gatt: &GattConnection<'_, '_, P>, hears: &impl AsyncFn(Heard<N>)) {
        loop {
            match gatt.next().await {
                GattConnectionEvent::Disconnected { .. } => return,
                GattConnectionEvent::Gatt { event: GattEvent::Write(write) } if write.handle() == self.writes.handle => {
                    let payload = write.with_data(|_, data| Vec::from_slice(data));
                    match payload {
                        Ok(payload) => {
                            reply(write.accept_unprocessed()).await;
                            hears(Heard::Written(payload)).await;
                        }
                        Err(_) => reply(write.reject(AttErrorCode::INVALID_ATTRIBUTE_VALUE_LENGTH)).await,
                    }
                }
                GattConnectionEvent::Gatt { event: GattEvent::Write(write) }
                    if Some(write.handle()) == self.notifications.cccd_handle =>
                {
                    reply(write.accept()).await;
                    let subscribed = self.notifications.should_notify(gatt);
                    let mtu = gatt.raw().att_mtu();
                    hears(if subscribed { Heard::Subscribed(mtu) } else { Heard::Unsubscribed }).await;
                }
                GattConnectionEvent::Gatt { event } => reply(event.accept()).await,
                _ => {}
            }
        }
    }

    /// What the central sends over a channel, if it opens one.
    async fn sdus(
        &self,
        connection: &Connection<'a, P>,
        writer: &Mutex<NoopRawMutex, Option<L2capChannelWriter<'a, P>>>,
        hears: &impl AsyncFn(Heard<N>),
    ) {
        if self.channel.is_none() {
            return pending().await;
        }
        let Ok(channel) = L2capChannel::listen(self.stack, connection).accept(&L2capChannelConfig::default()).await else {
            return pending().await;
        };
        let payload = payload_of_channel(channel.mtu(), channel.peer_mtu());
        let (write, mut read) = channel.split();
        *writer.lock().await = Some(write);
        hears(Heard::ChannelOpened(payload)).await;
        let mut sdu = [0; ATT_PAYLOAD_MAX];
        while let Ok(len) = read.receive(self.stack, &mut sdu).await {
            let Ok(sdu) = Vec::from_slice(sdu.get(..len).unwrap_or_default()) else { break };
            hears(Heard::Received(sdu)).await;
        }
        hears(Heard::Unsubscribed).await;
        pending().await
    }

    /// What the band sends. It ends with the connection.
    async fn outgoing(
        &self,
        seat: &Seat<N>,
        gatt: &GattConnection<'_, '_, P>,
        writer: &Mutex<NoopRawMutex, Option<L2capChannelWriter<'a, P>>>,
        hears: &impl AsyncFn(Heard<N>),
    ) {
        loop {
            let Out::Payload(payload) = seat.out.receive().await else { continue };
            // Where the connection is going, nothing else is to be done: the other end, or its absence, is heard of.
            let _ = match &mut *writer.lock().await {
                Some(writer) => writer.send(self.stack, &payload).await.is_ok(),
                None => self.notifications.notify_raw(gatt, &payload, false).await.is_ok(),
            };
            hears(Heard::Sent).await;
        }
    }
}

/// Ends the connection as soon as it is to be ended: also where the central takes nothing of what is to be sent before. It ends with the connection.
async fn ended<P: PacketPool, const N: usize>(seat: &Seat<N>, connection: &Connection<'_, P>) {
    loop {
        seat.end.wait().await;
        connection.disconnect();
    }
}

/// Answers a request. One that cannot be answered is one whose connection is gone.
async fn reply<P: PacketPool>(reply: Result<Reply<'_, P>, Error>) {
    if let Ok(reply) = reply {
        reply.send().await;
    }
}
