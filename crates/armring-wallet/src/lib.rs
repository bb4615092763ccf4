//! The phone's side of a payment wristband: it pairs, reconnects, relays, and shows only what it verified.
//!
//! ```text
//!             Connection                              Offer
//!  band ◀──fragments──▶ │ Event::Code, Paired, Keep,  │ ◀──request, certificate── payee
//!                       │ Event::Linked               │
//!                       │ Event::Waiting, Token       │ ──token──▶ payee ──▶ issuer
//!                       │ Event::ToIssuer             │ ◀─receipt─ payee
//! ```
//!
//! A [`Connection`] is one connection to a band: the app hands it what the radio brings and polls it for what there is to do. An [`Offer`]
//! is a payment request that verified, which alone is shown to a person. A [`Payment`] takes an offer through the band and the payee to the
//! receipt, whatever is lost on the way, and a [`Collection`] does so for what the wearer asks to be paid. [`Bands`] are the links that the
//! wallet has. There is no IO here, no clock, no thread: the same code runs under Kotlin, Swift and a test.
//!
//! ```
//! use armring_pairing::SoftwareKey;
//! use armring_wallet::{Connection, Output};
//! use armring_wire::AttPayload;
//!
//! # let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([1; 32]);
//! # let band_says: &[&[u8]] = &[];
//! let key = SoftwareKey::generate(&mut rng)?; // kept by the phone
//! let mut connection = Connection::pair(AttPayload::new(182).ok_or("20 to 514")?);
//! for fragment in band_says {
//!     if let Err(error) = connection.fragment(fragment, &key, &mut rng) {
//!         eprintln!("{error}");
//!     }
//!     while let Some(output) = connection.poll() {
//!         match output {
//!             Output::Transmit(_fragment) => { /* write it to the band */ }
//!             Output::Event(_event) => { /* show a code, store a link, hand on a token */ }
//!             Output::Disconnect => { /* end the connection */ }
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bands;
mod collection;
mod connection;
mod error;
mod event;
mod handshake;
mod offer;
mod out;
mod payment;
mod stored;
mod suite;

pub use bands::Bands;
pub use collection::Collection;
pub use connection::Connection;
pub use error::{CallerError, Error, PeerError};
pub use event::{Event, Output};
pub use offer::{Offer, OfferError, verify_receipt};
pub use payment::{Next, Payment, PaymentError};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
