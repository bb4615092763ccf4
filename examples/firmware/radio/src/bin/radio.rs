//! The same band over Bluetooth LE: `armring_ble`'s end of it on trouble-host, over HCI to a controller that is not here.

#![no_std]
#![no_main]
#![allow(clippy::expect_used, reason = "a measuring program stops where it cannot measure")]

use core::convert::Infallible;
use core::fmt;
use core::hint::black_box;
use core::mem::size_of_val;
use core::task::Waker;

use armring_ble::{PAYLOAD_MAX, Spsm, trouble};
use armring_radio::{Board, Draws, band, finish};
use bt_hci::controller::ExternalController;
use bt_hci_transport::{PacketKind, PacketToController, PacketToHost, ReadHciError, Transport};
use cortex_m_rt::entry;
use embassy_futures::block_on;
use embassy_futures::select::select;
use embassy_time_driver::{Driver, time_driver_impl};
use static_cell::StaticCell;
use trouble_host::prelude::{Address, DefaultPacketPool};
use trouble_host::{HostResources, PacketPool};

/// One connection that counts, and one that ends a pairing.
const CONNECTIONS: usize = 2;
/// An L2CAP channel for each, and what signals beside it.
const CHANNELS: usize = 4;

static RESOURCES: StaticCell<HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS>> = StaticCell::new();

// Longer ones the pool could not hold.
const _: () = assert!(PAYLOAD_MAX + 7 <= DefaultPacketPool::MTU);

#[entry]
fn main() -> ! {
    let resources = RESOURCES.init_with(HostResources::new);
    let spsm = Spsm::new(0xD1);
    let stack = trouble_host::new(ExternalController::<_, 4>::new(Wire), resources)
        .set_random_address(Address::random([0, 0, 0, 0, 0, 0xC0]))
        .register_l2cap_spsm(spsm.map_or(0, Spsm::get))
        .build();
    let mut runner = stack.runner();
    let mut band = band().expect("a root key");
    let radio = trouble::Radio { company: 0xFFFF, channel: spsm };
    let (mut wrist, mut rng) = (Board, Draws);
    let host = runner.run();
    let loops = trouble::run::<_, _, _, _, _, _, PAYLOAD_MAX>(&stack, &mut band, &mut wrist, &Board, &mut rng, radio);
    // What a firmware has in its statics as well, where each loop is a task.
    let bytes = size_of_val(&host) + size_of_val(&loops) + size_of_val(&stack);
    if black_box(false) {
        black_box(block_on(select(host, loops)));
    }
    finish("loops", bytes)
}

/// The wire to a controller.
struct Wire;

/// What is wrong with it.
#[derive(Debug)]
struct Broken;

impl Transport for Wire {
    async fn read<'a, P: PacketToHost<'a>>(&self, rx: &'a mut [u8]) -> Result<P, Broken> {
        let kind = if black_box(false) { PacketKind::AclData } else { PacketKind::Event };
        P::read_hci(kind, &mut &black_box([0; 259])[..], rx).map_err(|_| Broken)
    }

    async fn write<P: PacketToController>(&self, packet: &P) -> Result<(), Broken> {
        let mut buffer = [0; 259];
        packet.write_hci(&mut buffer[..]).map_err(|_| Broken)?;
        black_box(&buffer);
        Ok(())
    }
}

impl embedded_io::ErrorType for Wire {
    type Error = Broken;
}

impl embedded_io::Error for Broken {
    fn kind(&self) -> embedded_io::ErrorKind {
        embedded_io::ErrorKind::Other
    }
}

impl core::error::Error for Broken {}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl From<ReadHciError<Infallible>> for Broken {
    fn from(_: ReadHciError<Infallible>) -> Self {
        Self
    }
}

/// A clock without an alarm: what a board's has beyond it is the board's.
struct Ticks;

impl Driver for Ticks {
    fn now(&self) -> u64 {
        black_box(0)
    }

    fn schedule_wake(&self, _at: u64, waker: &Waker) {
        waker.wake_by_ref();
    }
}

time_driver_impl!(static TICKS: Ticks = Ticks);
