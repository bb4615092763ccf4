//! wire
#![no_std]
#![forbid(unsafe_code)]
mod time;
mod version;
pub use time::{UnixTime, Uptime, Validity};
pub use version::{Version, VersionRange};
