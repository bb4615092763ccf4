//! A central on a host stack of its own: it finds the band, connects, and carries fragments to and fro.

use std::fmt::Debug;

use armring_ble::trouble::{GattPipe, info, open, open_channel};
use armring_ble::{Line, Pipe, payload_of_channel};
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use trouble_host::prelude::*;

use crate::air::{Controller, hci};
use crate::bracelet::SPSM;
use crate::foreign::{Foreign, Security};
use crate::heap::Heap;
use crate::scan::{Scanned, find};

/// What a central is to do once it has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Subscribe, and carry fragments by writes and notifications.
    Gatt,
    /// Open the L2CAP channel that the band names.
    Channel,
    /// Open it, and give the band so many credits and no more.
    Dry(u16),
    /// Nothing, after a look at what the band says of itself.
    Silence,
    /// Nothing at all.
    Mute,
    /// Subscribe, and send and read payloads as they are, without a window.
    Raw,
    /// Subscribe, send whatever the window says, and acknowledge nothing.
    Deaf,
    /// As [`Gatt`](Self::Gatt), on bumble's host in place of this one.
    Foreign(Security),
}

/// What a central has done, or heard.
#[derive(Debug)]
enum Heard {
    Up(AttPayload),
    Payload(Vec<u8>),
}

/// A connection to a band, or on its way to be one. Dropped, it is out of reach without a word.
pub struct Central {
    task: JoinHandle<()>,
    out: UnboundedSender<Option<Vec<u8>>>,
    heard: UnboundedReceiver<Heard>,
}

impl Central {
    /// Connects the controller at `port` to the band that advertises, offering this ATT MTU.
    pub fn dial(port: u16, att_mtu: u16, way: Way) -> Self {
        let (out, orders) = unbounded_channel();
        let (tell, heard) = unbounded_channel();
        let task = match (att_mtu, way) {
            (_, Way::Foreign(security)) => tokio::task::spawn_local(connect_foreign(port, att_mtu, security, orders, tell)),
            (23, _) => tokio::task::spawn_local(connect::<27>(port, way, orders, tell)),
            (185, _) => tokio::task::spawn_local(connect::<189>(port, way, orders, tell)),
            (247, _) => tokio::task::spawn_local(connect::<251>(port, way, orders, tell)),
            (517, _) => tokio::task::spawn_local(connect::<521>(port, way, orders, tell)),
            (other, _) => panic!("no stack here offers an MTU of {other}"),
        };
        Self { task, out, heard }
    }

    /// Waits until fragments can go; `None` where the connection ended before.
    pub async fn up(&mut self) -> Option<AttPayload> {
        match self.heard.recv().await? {
            Heard::Up(payload) => Some(payload),
            Heard::Payload(payload) => panic!("{payload:?} before the connection was up"),
        }
    }

    pub fn send(&self, payload: &[u8]) {
        // A connection that is gone takes what is sent over it with it.
        let _ = self.out.send(Some(payload.to_vec()));
    }

    /// What comes next; `None` when the connection has ended.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        match self.heard.recv().await? {
            Heard::Payload(payload) => Some(payload),
            Heard::Up(_) => panic!("up twice"),
        }
    }

    /// Waits until the band has ended the connection. Gives how many payloads came until then that nobody has asked for.
    pub async fn is_cut(mut self) -> usize {
        let mut unheard = 0;
        while let Some(heard) = self.heard.recv().await {
            unheard += usize::from(matches!(heard, Heard::Payload(_)));
        }
        self.task.await.unwrap();
        unheard
    }

    /// Ends the connection, after all that was to be sent.
    pub async fn hang_up(self) {
        let _ = self.out.send(None);
        self.task.await.unwrap();
    }

    /// Is out of reach from one moment to the next, or loses power.
    pub async fn vanish(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

type Stack_<'a, const MTU: usize> = Stack<'a, Controller, Heap<MTU>>;
type Orders = UnboundedReceiver<Option<Vec<u8>>>;

async fn connect<const MTU: usize>(port: u16, way: Way, mut orders: Orders, tell: UnboundedSender<Heard>) {
    let mut resources = HostResources::<Heap<MTU>, 1, 2>::new();
    // Two centrals on one air are two.
    let [low, high] = port.to_le_bytes();
    let address = Address::random([low, high, 0x33, 0x44, 0x55, 0xC0]);
    let stack = trouble_host::new(hci(port).await, &mut resources).set_random_address(address).build();
    let (mut runner, scanned) = (stack.runner(), Scanned::default());
    let call = async {
        let address = find(&stack, &scanned).await;
        let filter = [address];
        let scan_config = ScanConfig { filter_accept_list: &filter, ..Default::default() };
        let connection =
            stack.central().connect(&ConnectConfig { connect_params: Default::default(), scan_config }).await.unwrap();
        talk(&stack, &connection, way, &mut orders, &tell).await;
        connection.disconnect();
        while connection.is_connected() {
            connection.next().await;
        }
    };
    tokio::select! {
        result = runner.run_with_handler(&scanned) => panic!("the phone's controller is gone: {result:?}"),
        () = call => {}
    }
}

async fn connect_foreign(port: u16, att_mtu: u16, security: Security, mut orders: Orders, tell: UnboundedSender<Heard>) {
    let Some((mut line, payload, info)) = Foreign::connect(port, att_mtu, security).await else { return };
    assert_eq!(info.channel, SPSM, "the other host reads what the band says of itself");
    let _ = tell.send(Heard::Up(payload));
    carry(&mut line, &mut orders, &tell).await;
    line.into_pipe().hang_up(security).await;
}

/// Talks until the story or the band ends it.
async fn talk<const MTU: usize>(
    stack: &Stack_<'_, MTU>,
    connection: &Connection<'_, Heap<MTU>>,
    way: Way,
    orders: &mut Orders,
    tell: &UnboundedSender<Heard>,
) {
    let gone = async { while !matches!(connection.next().await, ConnectionEvent::Disconnected { .. }) {} };
    let work = async {
        if way == Way::Mute {
            let _ = tell.send(Heard::Up(AttPayload::MIN));
            while let Some(Some(_)) = orders.recv().await {}
            return;
        }
        let Ok(client) = GattClient::<_, _, 4>::new(stack, connection).await else { return };
        let calls = async {
            match way {
                Way::Channel => {
                    let Ok(info) = info(&client).await else { return };
                    let channel = open_channel(stack, connection, info.channel.unwrap()).await;
                    let Ok((mut line, payload)) = channel else { return };
                    let _ = tell.send(Heard::Up(payload));
                    carry(&mut line, orders, tell).await;
                }
                Way::Dry(credits) => {
                    let flow_policy = CreditFlowPolicy::Every(u16::MAX);
                    let config = L2capChannelConfig { flow_policy, initial_credits: Some(credits), ..Default::default() };
                    let channel = L2capChannel::create(stack, connection, SPSM.unwrap().get(), &config).await;
                    let Ok(channel) = channel else { return };
                    // Once it answers this, the band has heard of the channel.
                    let Ok(_) = info(&client).await else { return };
                    let payload = payload_of_channel(channel.mtu(), channel.peer_mtu());
                    let _ = tell.send(Heard::Up(payload));
                    carry_dry(stack, channel, orders, tell).await;
                }
                Way::Raw | Way::Deaf => {
                    let Ok((line, payload)) = open(&client, connection).await else { return };
                    let _ = tell.send(Heard::Up(payload));
                    carry_raw(line.into_pipe(), way == Way::Deaf, orders, tell).await;
                }
                Way::Silence => {
                    let Ok(_) = info(&client).await else { return };
                    let _ = tell.send(Heard::Up(AttPayload::MIN));
                    while let Some(Some(_)) = orders.recv().await {}
                }
                Way::Gatt | Way::Foreign(_) | Way::Mute => {
                    let Ok((mut line, payload)) = open(&client, connection).await else { return };
                    let _ = tell.send(Heard::Up(payload));
                    carry(&mut line, orders, tell).await;
                }
            }
        };
        tokio::select! { _ = client.task() => {} () = calls => {} }
    };
    tokio::select! { () = gone => {} () = work => {} }
}

async fn carry<P: Pipe<Error: Debug>>(line: &mut Line<P>, orders: &mut Orders, tell: &UnboundedSender<Heard>) {
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Some(payload)) => {
                    if line.send(&payload).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            received = line.receive(&mut fragment) => match received {
                Ok(len) => { let _ = tell.send(Heard::Payload(fragment[..len].to_vec())); }
                Err(_) => return,
            },
        }
    }
}

async fn carry_dry<const MTU: usize>(
    stack: &Stack_<'_, MTU>,
    channel: L2capChannel<'_, Heap<MTU>>,
    orders: &mut Orders,
    tell: &UnboundedSender<Heard>,
) {
    let (mut write, mut read) = channel.split();
    let mut sdu = [0; ATT_PAYLOAD_MAX];
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Some(sdu)) if write.send(stack, &sdu).await.is_ok() => {}
                _ => return,
            },
            received = read.receive(stack, &mut sdu) => match received {
                Ok(len) => { let _ = tell.send(Heard::Payload(sdu[..len].to_vec())); }
                Err(_) => return,
            },
        }
    }
}

/// `is_deaf` to the band's acknowledgements, which it drops, or else carries like everything else.
async fn carry_raw<const MTU: usize>(
    mut pipe: GattPipe<'_, '_, Controller, Heap<MTU>, 4>,
    is_deaf: bool,
    orders: &mut Orders,
    tell: &UnboundedSender<Heard>,
) {
    let mut payload = [0; ATT_PAYLOAD_MAX];
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Some(payload)) => {
                    if pipe.write(&payload).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            received = pipe.read(&mut payload) => match received {
                Ok(1) if is_deaf => {}
                Ok(len) => { let _ = tell.send(Heard::Payload(payload[..len].to_vec())); }
                Err(_) => return,
            },
        }
    }
}
