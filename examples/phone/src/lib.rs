//! A wallet for the terminal.
//!
//! ```text
//!  keyboard ─▶ Wallet ─▶ View ─▶ screen, or plain lines
//!               │  ▲
//!        Effect ▼  │ Input
//!             session ─▶ Transport: loopback TCP, HCI, the machine's Bluetooth
//!                     ─▶ state file, payees, issuer
//! ```
//!
//! [`wallet`] decides everything and does nothing; [`session`] does what it wants done; [`screen`] and [`plain`] show what there is to see.

#![forbid(unsafe_code)]

pub mod book;
pub mod file;
pub mod picture;
pub mod plain;
pub mod provider;
pub mod screen;
pub mod session;
pub mod transport;
pub mod wallet;
