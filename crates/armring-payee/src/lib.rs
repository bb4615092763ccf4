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
//! ```no_run
//! use armring_payee::{Heard, Payee};
//! use armring_token::{PayeeKey, RootKey, Signing};
//! use armring_wire::{Amount, Currency, UnixTime};
//! use ed25519_dalek::SigningKey;
//! # fn shop(root: RootKey, key_list: &[u8], certificate: &[u8], signer: SigningKey, record: &[u8], now: UnixTime, expiry: UnixTime,
//! #     rng: &mut impl rand_core::TryCryptoRng) -> Result<(), Box<dyn std::error::Error>> {
//! let key = PayeeKey::from_bytes(signer.verifying_key().to_bytes()).ok_or("a key")?;
//! let payee = Payee::new(root, key_list, certificate, key, Signing::new(signer))?;
//! let mut sale = payee.request(Amount::new(12_50, Currency::CNY), "tea for two", (now, expiry), rng)?;
//! match sale.hear(record) {
//!     Heard::Answer(_answer) => { /* say it to the wallet */ }
//!     Heard::Redeem(_token) => { /* ask the issuer sale.redeem(&token), then say what sale.issuer_says(…) gives */ }
//! }
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod error;
mod payee;
mod sale;

pub use error::{Error, ReceiptError, TokenError};
pub use payee::Payee;
pub use sale::{Heard, Sale, Settled};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
