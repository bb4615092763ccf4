//! The payment service behind the wristbands: it enrols bands, verifies what they sign, and keeps the books.
//!
//! ```text
//!  operator ── open_account, deposit, certify_payee, issue_code, confirm, freeze ─▶ ┐
//!                                                                                   │
//!  wallet, payee ── record ─▶ handle ──┬─ KeyList, Revocations                      │
//!                                      ├─ Enrol: code, proof, assurance ──────────▶ Ledger
//!                                      ├─ Refund ─▶ verify ─▶ VerifiedRefund ─────▶   │ refund: one transaction, in the same way
//!                                      └─ Redeem ─▶ verify ─▶ VerifiedPayment ────▶   │ settle: one transaction
//!                ◀─ record ──────────────────────────────────────── receipt ◀───────  │   look up Facts
//!                                                                                     │   judge(payment, facts, policy, now)
//!                                                                                     │   sign the receipt
//!                                                                                     ▼   write money, token, receipt
//! ```
//!
//! - [`Issuer::handle`] answers every record, whatever it is. What does not verify is refused and leaves no trace: nobody freezes somebody
//!   else's credential with garbage.
//! - A [`VerifiedPayment`] is answered once and for all, settled or not. The same token gets the same receipt, byte for byte, ever after.
//! - [`judge`] is all of the rules, as one function without side effects, and [`judge_refund`] those of refunds. A [`Ledger`] looks up and writes: [`SqliteLedger`] in a file,
//!   `PostgresLedger` in a database that others share (feature `postgres`), [`MemoryLedger`] for tests.
//! - [`GroupCommit`] is an issuer for many threads, which settles payments that come in at the same time in one durable transaction.
//! - Money is in double entry: each transfer has two entries that sum to zero. [`Ledger::audit`] reads all books and compares.
//!
//! Nothing here has a socket or a clock, and only [`GroupCommit`] has threads: bytes, the time and randomness come in as arguments.
//!
//! ```
//! use armring_issuer::{
//!     DepositRef, EnrolmentKey, Issuer, Keys, MemoryLedger, Policy, REPLY_MAX, Session, SigningKey, sign_key_list,
//! };
//! use armring_pairing::DiffieHellman;
//! use armring_token::{Epoch, KeyEntry, KeyUse, RootKey, Signing};
//! use armring_wire::records::issuer::{FromIssuer, ToIssuer};
//! use armring_wire::{Amount, Currency, KeyId, UnixTime, Validity, decode_record, encode};
//! # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! # let mut rng = ChaCha20Rng::seed_from_u64(1);
//! # let (root_seed, online_seed, enrolment_secret) = ([1; 32], [2; 32], [3; 32]);
//! # let now = UnixTime::from_secs(1_800_000_000);
//!
//! // Offline, the root signs for the keys that are online.
//! let (root_signer, online) = (SigningKey::from_bytes(&root_seed)?, SigningKey::from_bytes(&online_seed)?);
//! let root = RootKey::from_bytes(root_signer.public_key()).ok_or("a key")?;
//! let enrolment = EnrolmentKey::from_bytes(&enrolment_secret)?;
//! let validity = Validity { from: now, until: UnixTime::from_secs(1_831_536_000) };
//! let keys = [
//!     KeyEntry { id: KeyId(1), key_use: KeyUse::Signing, key: online.public_key(), validity },
//!     KeyEntry { id: KeyId(2), key_use: KeyUse::Enrolment, key: *enrolment.public_key().as_bytes(), validity },
//! ];
//! let key_list = sign_key_list(&root, &Signing::new(root_signer), Epoch(1), (now, validity.until), &keys)?;
//!
//! // Online, the operator opens an account, puts money on it, and gives its user a code to enrol a band with.
//! let keys = Keys { root, signing_id: KeyId(1), signing: Signing::new(online), enrolment, key_list };
//! let mut issuer = Issuer::new(keys, Policy::default(), MemoryLedger::new(), now)?;
//! let account = issuer.open_account(Currency::CNY, &mut rng)?;
//! issuer.deposit(account, Amount::new(100_00, Currency::CNY), DepositRef([7; 16]), now)?;
//! let _code = issuer.issue_code(account, now, &mut rng)?;
//! assert_eq!(issuer.account(account)?.balance, 100_00);
//!
//! // A wallet connects and asks for the key list.
//! let (mut session, mut buffer, mut out) = (Session::new(), [0; 16], [0; REPLY_MAX]);
//! let asked = encode(&ToIssuer::KeyList, &mut buffer)?;
//! let reply = issuer.handle(&mut session, asked, now, &mut rng, &mut out)?;
//! assert!(matches!(decode_record(reply.record)?, FromIssuer::KeyList(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod enrol;
mod error;
mod group;
mod issuer;
mod judge;
mod keys;
mod ledger;
mod makers;
mod operator;
mod policy;
mod provider;
mod redeem;
mod refund;
mod service;

pub use error::{CallerError, Error, MachineError};
pub use group::{GroupCommit, GroupOptions, Redeemed};
pub use issuer::Issuer;
pub use judge::{DAY, Facts, FreeRun, Receiver, RefundFacts, judge, judge_refund};
pub use keys::{Keys, sign_key_list};
#[cfg(feature = "sqlite")]
pub use ledger::SqliteLedger;
pub use ledger::{
    Account, AccountState, Answer, CodeHash, CredentialRecord, CredentialState, DepositRef, Enrolled, Entry, Evidence, Fault,
    Ledger, MemoryLedger, NewCredential, PayeeRecord, Pending, Reference, RefundAnswer, RefundRuling, RefundTerms, RevokedPart,
    Ruling, SignReceipt, SignRefund, Syncer, TRIES, TellEntry, Terms, Upkeep, float_account,
};
#[cfg(feature = "postgres")]
pub use ledger::{PostgresLedger, PostgresOptions};
pub use makers::{MakerId, Makers, NoMakers};
pub use operator::{Applicant, CODE_VALIDITY};
pub use policy::{Attempt, OwnRule, Policy, Worn};
pub use provider::{EnrolmentKey, SigningKey};
pub use redeem::{Interval, VerifiedPayment};
pub use refund::VerifiedRefund;
pub use service::{REPLY_MAX, Reply, Session};

// What the tests beside the code have in common with those of the public API.
#[cfg(test)]
extern crate self as armring_issuer;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
