//! The link between a payment wristband and a phone over Bluetooth LE, without a Bluetooth stack.
//!
//! ```text
//!      band                                                            phone
//!  Band ── Event ◀─ Peripheral ◀─ Connected, Subscribed, Written ◀── writes ─────────── Line ◀─ Output ── Connection
//!       ── Output ▶            ─▶ fragments, acknowledgements ─────▶ notifications ───▶      ─▶ fragment ▶
//! ```
//!
//! - The band has one GATT [`SERVICE`] with three characteristics: [`WRITES`], [`NOTIFICATIONS`] and [`INFO`]. A phone exchanges the MTU, and
//!   subscribes; then the band speaks. What one write or notification carries is [`payload_of`] the MTU.
//! - A [`Window`] bounds what is under way both ways, since neither writes without response nor notifications have back-pressure from end to end.
//! - Where both have it, an L2CAP connection-oriented channel takes the place of writes and notifications: its SDUs are the fragments, its
//!   credits the window.
//! - [`Peripheral`] turns what the band's radio says into [events](armring_band::Event), one connection at a time; [`Line`] carries a
//!   phone's fragments.
//!
//! Bluetooth's pairing and encryption are neither needed nor trusted, nor is anything here authenticated: whoever stands between can stop the
//! link and change what goes over it, which the channel above notices.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "btleplug")]
extern crate std;

mod advertisement;
#[cfg(feature = "btleplug")]
pub mod btleplug;
mod line;
mod peripheral;
mod radio;
mod reports;
mod service;
mod session;
#[cfg(feature = "trouble")]
pub mod trouble;
mod window;

pub use advertisement::{Advertisement, Seen};
pub use line::{Line, LineError, Pipe};
pub use peripheral::{LINGER, PAYLOAD_MAX, Peripheral};
pub use radio::{LinkError, Peer, Place, Radio};
pub use service::{
    ATT_MTU_DEFAULT, ATT_VALUE_MAX, INFO, Info, InfoError, NOTIFICATIONS, SERVICE, Spsm, WRITES, payload_of, payload_of_channel,
};
pub use session::STALL_TIMEOUT;
pub use window::{ACKNOWLEDGE_EVERY, Arrived, Carrier, PAYLOADS_UNDER_WAY, WINDOW, Window, WindowError};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
