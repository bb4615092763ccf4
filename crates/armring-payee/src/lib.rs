//! The side that is paid: a shop's or a person's requests, the tokens that answer them, and the issuer's receipts.
//!
//! ```text
//!  Payee ── request(amount, memo) ──▶ Sale ── request, certificate ──▶ payer's wallet ──▶ band
//!                                      │ ◀────────── token ─────────── payer's wallet ◀── band
//!                                      │ ── redeem: request, token ──▶ issuer
//!                                      │ ◀───────── receipt ────────── issuer
//!                                      ▼ outcome, receipt ──▶ payer's wallet ──▶ band
//! ```
//!
//! A [`Payee`] has a certificate and makes a [`Sale`] of each request. A wearer who may receive needs no certificate: their band signs the
//! request, and [`Sale::from_signed_request`] goes on from there. There is no IO here: records in, records out.
//!
//! Without network a sale takes a token on trust, within the payee's own [`FloorLimits`], if a key list and a list of who is [`Revoked`] are
//! fresh. What is [`Pending`] stands in the payee's book, [`Offline`], and is redeemed when there is network again. What is settled can be
//! given back with [`Payee::refund`].
//!
//! A payee that is started again loses nothing that it stored: [`Sale::to_bytes`] before it says `Pending` and before it asks for a refund,
//! [`Sale::from_bytes`] and [`Offline::readmit`] when it begins; [`Revoked::to_bytes`] when a list is complete, so that it need not have network
//! first to go on without.
//!
//! ```text
//!  token ─▶ hear_offline ─▶ to_bytes ─▶ disk ─▶ Pending ─▶ payer's wallet
//!                                        ┊ started again, without network
//!           readmit ◀─ from_bytes ◀──────┘
//! ```
//!
//! ```no_run
//! use armring_payee::{FloorLimits, Heard, Lists, Offline, Payee, Revoked};
//! use armring_token::{RootKey, Signing};
//! use armring_wire::records::payee::FromPayee;
//! use armring_wire::{Amount, Currency, UnixTime, encode};
//! use ed25519_dalek::SigningKey;
//! # fn ask_issuer(_: armring_wire::records::issuer::ToIssuer<'_>) -> Option<Vec<u8>> { None }
//! # fn say(_: FromPayee<'_>) {}
//! # fn store(_: &[u8]) -> std::io::Result<()> { Ok(()) }
//! # fn send(_: &[u8]) {}
//! # fn shop(root: RootKey, key_list: &[u8], certificate: &[u8], signer: SigningKey, record: &[u8], now: UnixTime, expiry: UnixTime,
//! #     revoked: &Revoked, rng: &mut impl rand_core::TryCryptoRng) -> Result<(), Box<dyn std::error::Error>> {
//! let payee = Payee::new(root, key_list, certificate, Signing::new(signer))?;
//! let floor = FloorLimits { each: 50_00, credential: 100_00, total: 2_000_00, payments: 500 };
//! let mut book = Offline::new(Currency::CNY, floor);
//!
//! let mut sale = payee.request(Amount::new(12_50, Currency::CNY), "tea for two", (now, expiry), rng)?;
//! match sale.hear(record) {
//!     Heard::Answer(answer) => say(answer),
//!     Heard::Redeem(token) => match sale.redeem(&token).and_then(ask_issuer) {
//!         Some(answer) => say(sale.issuer_says(&token, &answer, payee.key_list())?),
//!         None => {
//!             let lists = Lists { keys: payee.key_list(), revoked };
//!             let answer = encode(&sale.hear_offline(record, &mut book, lists, now), &mut [0; 512])?.to_vec();
//!             store(&sale.to_bytes())?; // a token that is pending is not sent again
//!             send(&answer);
//!         }
//!     },
//! }
//! book.release(&sale); // what the issuer has answered is not pending any more
//! store(&sale.to_bytes())?;
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod error;
mod floor;
mod offline;
mod payee;
mod refund;
mod revoked;
mod sale;
mod stored;
mod taken;

pub use error::{Error, OfflineError, ReceiptError, RefundError, TokenError};
pub use floor::{FloorLimits, Offline, Outstanding};
pub use offline::{Lists, Pending};
pub use payee::Payee;
pub use refund::Refunded;
pub use revoked::{Progress, Revoked, RevokedError};
pub use sale::{Heard, Sale, Settled};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
