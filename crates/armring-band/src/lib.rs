//! A payment wristband's decisions: worn, unlocked, within limits, gesture made; then, and only then, signed.
//!
//! ```text
//!             Event                                    Output
//!  radio ───▶ Connected, Fragment, Disconnected        Transmit, Disconnect ───▶ radio
//!  sensor ──▶ PutOn, TakenOff, Recognised              Signal ─────────────────▶ display, lights, motor
//!  button ──▶ Gesture, Entered, Chosen        Band     Store, Erase, EraseAll ─▶ flash
//!  flash ───▶ Stored, StoreFailed                                                  │
//!  clock ───▶ Tick            ▲                                                    │
//!                             └──────────── what was stored: load ◀────────────────┘
//! ```
//!
//! How a byte goes: a fragment is put together with others (`armring-wire`), the message is a step of a handshake (`armring-pairing`) or is
//! opened in place (`armring-channel`), the record is decoded and decided upon, a token is stored, then signed (`armring-token`), and goes
//! the same way back. There is no heap, no clock, no IO and no thread; [`Band`] has the loop that drives it.
//!
//! | gesture | means |
//! |---|---|
//! | [`Gesture::Press`] | pays what waits; or: the code is the same on both |
//! | [`Gesture::DoublePress`] | asks to be paid |
//! | [`Gesture::Hold`] | opens the pairing window for 60 s and one attempt: for one more phone, or for the one that its wallet wants in its place |
//! | [`Gesture::Refuse`] | no |
//! | [`Gesture::Unpair`] | forgets a link, or all others, if its wallet asks |
//! | [`Gesture::Reset`] | erases links, credentials, payment keys and what unlocks the band |
//!
//! | a payment takes a band that is worn and unlocked, and |
//! |---|
//! | nothing else, within the credential's free limit and while count and total since the last payment with a gesture are |
//! | a press, up to the press limit |
//! | an unlocking on the band after it was asked for, then a press, up to the limit for each payment |
//! | with a [display](Face::Display): a request and a certificate that verify, which are shown |
//!
//! What has to last comes out as [`Output::Store`], one small value under a key of one byte, and nothing that hangs on it happens before the
//! host reports [`Event::Stored`]:
//!
//! | keys | value | bytes | before |
//! |---|---|---|---|
//! | `01` | the issuer's key list | at most 424 | enrolling |
//! | `02` | a PIN or tap pattern, hashed, and how many tries are left | 50 | what was entered is compared |
//! | `03` | a provisional link that is to take the place of another | 104 | the band confirms its pairing |
//! | `10`–`13` | a link, with its secret | 72 | the band confirms a pairing; and at each reconnect, before it answers |
//! | `20`–`23` | a credential and its payment key | 203 | the wearer sees the digits |
//! | `30`–`33` | a payment key that waits for its credential | 48 | the issuer hears of it |
//! | `40`–`43` | what the latest receipt said | 20 | the wearer is told |
//! | `50`–`5f` | the body of a token, one for each payment, and what counts with it | 89 | it is signed |
//!
//! ```
//! use armring_band::{Band, Event, Gesture, Output, Signal, SoftwareKeys};
//! use armring_pairing::SoftwareKey;
//! use armring_token::RootKey;
//! use armring_wire::{ATT_PAYLOAD_MAX, Uptime};
//! # use rand_chacha::rand_core::SeedableRng;
//! # let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
//! # let root = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
//! # type Result<T> = core::result::Result<T, Box<dyn std::error::Error>>;
//!
//! let root = RootKey::from_bytes(root).ok_or("not a key")?; // pinned in the firmware
//! let mut band = Band::new(SoftwareKey::generate(&mut rng)?, SoftwareKeys, root);
//!
//! let mut signals = Vec::new();
//! let events = [Event::PutOn, Event::Recognised, Event::Gesture(Gesture::Hold)];
//! for (event, milliseconds) in events.into_iter().zip([100, 2_000, 5_000]) {
//!     band.handle(event, Uptime::from_millis(milliseconds), &mut rng)?;
//!     let mut fragment = [0; ATT_PAYLOAD_MAX];
//!     while let Some(output) = band.poll(&mut fragment) {
//!         if let Output::Signal(signal) = output {
//!             signals.push(signal);
//!         }
//!     }
//! }
//! assert_eq!(signals, [Signal::Unlocked, Signal::PairingOpen]);
//! assert_eq!(band.deadline(), Some(Uptime::from_millis(65_000)), "then the window closes by itself");
//! # Result::Ok(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod after;
mod band;
mod connect;
mod enrol;
mod error;
mod event;
mod face;
mod keys;
mod linked;
mod load;
mod outputs;
mod pair;
mod pay;
mod phase;
mod purse;
mod secret;
mod show;
mod state;
mod store;
mod unpair;
mod wear;

pub use band::{Band, LINKS};
pub use error::{CallerError, Error, MachineError, PeerError};
pub use event::{Event, Gesture, Output, Signal};
pub use face::Face;
pub use keys::{ATTESTATION_MAX, KeyError, KeyHandle, OpenKey, PaymentKeys, SoftwareKeys};
pub use phase::{GESTURE_TIMEOUT, HANDSHAKE_TIMEOUT};
pub use purse::TOKENS_REMEMBERED;
pub use secret::{Secret, UNLOCK_TRIES};
pub use show::{Asker, Offer};
pub use store::{StoreKey, VALUE_MAX};
pub use wear::OFF_WRIST_GRACE;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
