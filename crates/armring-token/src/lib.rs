//! Signed payment objects: what a band, a payee and an issuer put their keys to.
//!
//! ```text
//!  root ──signs──▶ key list ──names──▶ issuer key ──signs──▶ credential, payee certificate, receipts, revocation list
//!                                                                │             │
//!                                                    band's payment key    payee's key
//!                                                                │             │
//!                                                          payment token ◀─ payment request, refund
//! ```
//!
//! An object on the wire is `signature (64) ‖ body`. [`Unverified::parse`] reads it, [`Unverified::verify`] turns it into [`Verified`], and
//! nothing else does. Keys and signers are types by use, so that none signs or verifies what it is not for. A signer is anything with
//! [`signature::MultipartSigner`]: software, or a secure element that never shows its key.
//!
//! ```
//! use armring_token::{Object, Payee, PayeeKey, PaymentRequest, Root, RootKey, Signing, Unverified};
//! use armring_wire::{Amount, Currency, PayeeId, PayeeRef, Text, UnixTime};
//! use ed25519_dalek::SigningKey;
//!
//! # let (root_seed, shop_seed) = ([1; 32], [2; 32]);
//! let root = RootKey::from_bytes(SigningKey::from_bytes(&root_seed).verifying_key().to_bytes()).ok_or("a key")?;
//! let shop = SigningKey::from_bytes(&shop_seed);
//! let shop_key = PayeeKey::from_bytes(shop.verifying_key().to_bytes()).ok_or("a key")?;
//!
//! // The shop asks for 12.50 CNY …
//! let request = PaymentRequest {
//!     form: Default::default(),
//!     payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
//!     amount: Amount::new(12_50, Currency::CNY),
//!     nonce: [7; 16], // from the system's generator
//!     expiry: UnixTime::from_secs(1_800_000_000),
//!     memo: Text::new("tea for two").ok_or("too long")?,
//! };
//! let mut buffer = [0; PaymentRequest::MAX_LEN];
//! let object = request.sign(&root.fingerprint(), &Signing::<Payee, _>::new(shop), &mut buffer)?;
//!
//! // … and whoever gets it verifies it before acting on it.
//! let unverified = Unverified::<PaymentRequest>::parse(object)?;
//! let verified = unverified.verify(&root.fingerprint(), &shop_key)?;
//! assert_eq!(verified.amount, request.amount);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod criterion;
mod enrol;
mod error;
mod fields;
mod hash;
mod keylist;
mod objects;
mod refund;
mod revocation;
mod sign;

pub use ed25519_dalek::Signature;
pub use enrol::Enrolment;
pub use error::{SignError, VerifyError};
pub use fields::{Counter, CredentialRights, Epoch, Form, FreeCount, Gesture, Minor, PayeeRights, Presence, Sequence, Unlocking};
pub use keylist::{KEYS_MAX, KeyEntry, KeyList, KeyUse};
pub use objects::{Credential, Limits, PayeeCertificate, PaymentRequest, PaymentToken, Receipt};
pub use refund::{Refund, RefundReceipt};
pub use revocation::{ENTRIES_MAX, Revocation, RevocationList, Revocations};
#[cfg(feature = "batch")]
pub use sign::{Batch, Item, Signed};
pub use sign::{
    Borrowed, Issuer, IssuerKey, Object, Payee, PayeeKey, Payment, PaymentKey, PublicKey, Root, RootKey, SIGNATURE_LEN, Signing,
    Unverified, Use, Verified,
};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
