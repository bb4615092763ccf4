//! A payment wristband's decisions.
#![no_std]
#![forbid(unsafe_code)]

mod after;
mod band;
mod enrol;
mod error;
mod event;
mod keys;
mod linked;
mod outputs;
mod pair;
mod pay;
mod phase;
mod purse;
mod state;
mod store;
mod wear;

pub use band::{Band, LINKS};
pub use error::{CallerError, Error, MachineError, PeerError};
pub use event::{Event, Gesture, Output, Signal};
pub use keys::{KeyError, KeyHandle, OpenKey, PaymentKeys, SoftwareKeys};
pub use phase::GESTURE_TIMEOUT;
pub use purse::TOKENS_REMEMBERED;
pub use store::{StoreKey, VALUE_MAX};
pub use wear::OFF_WRIST_GRACE;
