//! Both ends of the link on the host stack [`trouble_host`]: a band's, which is firmware, and a phone's, for tests and desktops.
//!
//! The caller makes the stack over its controller and runs `stack.runner().run()` beside what is here. What the stack is compiled with has to have
//! room: queues of at least [`PAYLOADS_UNDER_WAY`](crate::PAYLOADS_UNDER_WAY) for `L2CAP_RX_QUEUE_SIZE` and, at a phone,
//! `GATT_CLIENT_NOTIFICATION_QUEUE_SIZE`, and a `CONNECTION_EVENT_QUEUE_SIZE` of 8, since the stack drops what finds no room.
//!
#![doc = include_str!("firmware.md")]

mod band;
mod phone;
mod seat;

pub use band::{Clock, Radio, Wrist, run};
pub use phone::{ChannelPipe, GattPipe, info, open, open_channel};

use trouble_host::prelude::Uuid;

const fn uuid(uuid: u128) -> Uuid {
    Uuid::new_long(uuid.to_le_bytes())
}
