//! How a wristband, a phone and a payment service come to share keys: by standard Noise handshakes (revision 34, suite
//! 25519_ChaChaPoly_BLAKE2s) over a pipe that an attacker owns.
//!
//! ```text
//!  PAIR BY CODE (XX)        wallet                                   band
//!                                                             a gesture: PairingWindow
//!                             ◀──────── BandHello: b, versions ────────   on each connection
//!                             ── WalletHello: PairCode, versions ─────▶
//!      Pairing::start         ── e, commitment to n ──────────────────▶   PairingWindow::receive
//!      Pairing::receive       ◀─ e, ee, s, es ─────────────────────────
//!                             ── s, se, n ────────────────────────────▶   AwaitingOpening::receive
//!      CompareCode                      people compare the code           CompareCode
//!      CodeShown::accept      ══ Confirm: share ══════════════════════▶   CodeShown::accept, then wallet_confirmed
//!      band_confirmed         ◀═════════════════════════ Confirm: share   StoreFirst::stored
//!      Link                                                               Link
//!
//!  PAIR OUT OF BAND (XXpsk0) and PAIR BY PRESS (XX): PairingUncompared ⇄ PairingWindow::receive_secret, receive_press, AwaitingStatic;
//!  no code is compared, the shares are exchanged as above.
//!
//!  RECONNECT (KKpsk0)         ◀──────── BandHello: b, versions ────────
//!      Reconnect::start       ── WalletHello: Reconnect, versions, hint ▶ find_link
//!                             ── psk, e, es, ss ──────────────────────▶   Reconnect::answer
//!      Reconnect::receive     ◀─ e, ee, se ────────────────────────────   Unproven
//!      Link::promote          ══ any record ══════════════════════════▶   Proven, Link::promote
//!
//!  RESUME (NNpsk0)            ◀──────── BandHello: b, versions ────────
//!      Resume::start          ── WalletHello: Resume, versions, hint ──▶ find_link
//!                             ── psk, e ──────────────────────────────▶   Resumption::answer
//!      Resume::receive        ◀─ e, ee ────────────────────────────────   Unproven
//!                             ══ any record ══════════════════════════▶   Proven, Resumption::confirm
//!
//!  ENROL (IK)                 band                                  issuer        relayed by the wallet
//!      Enrol::start           ── e, es, s, ss ────────────────────────▶   Enrol::answer
//!      Enrol::receive         ◀─ e, ee, se ────────────────────────────
//! ```
//!
//! Each step is a type of its own and consumes the one before: what is out of order does not compile, and what fails is over. Everything
//! that comes in is an argument: bytes, the time, randomness, and the static key, which may be in a secure element ([`DiffieHellman`]).
//!
//! ```
//! use armring_pairing::{BandHello, Methods, Pairing, PairingWindow, SoftwareKey, WalletHello};
//! use armring_wire::{Uptime, VersionRange};
//! # let rng = &mut rand_chacha::rand_core::SeedableRng::seed_from_u64(1);
//! # fn rng_type(_: &mut rand_chacha::ChaCha20Rng) {}
//! # rng_type(rng);
//!
//! let (band_key, wallet_key) = (SoftwareKey::generate(rng)?, SoftwareKey::generate(rng)?);
//! let speaks = VersionRange::SUPPORTED;
//!
//! // The wearer makes the gesture, the phone connects, and the two speak.
//! let window: PairingWindow = PairingWindow::open(Uptime::from_millis(0), Methods::code());
//! let band_hello = BandHello::new(speaks, rng)?;
//! let (wallet, wallet_hello, message_1) = <Pairing>::start(&wallet_key, speaks, &band_hello, rng)?;
//! let now = Uptime::from_millis(1_000);
//! let (band, message_2) = window.receive(&message_1, now, &band_key, (&band_hello, &wallet_hello), rng)?;
//! let (_wallet_session, at_wallet, message_3) = wallet.receive(&message_2, &wallet_key)?;
//! let (_band_session, at_band) = band.receive(&message_3, now, &band_key)?;
//!
//! // Both show the same six digits, and both persons say so.
//! assert_eq!(at_band.code().digits(), at_wallet.code().digits());
//! let (at_wallet, at_band) = (at_wallet.shown().accept(rng)?, at_band.shown().accept(now, rng)?);
//!
//! // The shares travel as records in the two sessions.
//! let (band_link, store_first) = at_band.wallet_confirmed(at_wallet.share());
//! let wallet_link = at_wallet.band_confirmed(&store_first.stored());
//! assert_eq!(band_link.secret().expose(), wallet_link.secret().expose());
//! # Ok::<(), armring_pairing::Error>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod code;
mod dh;
mod enrol;
mod error;
mod hello;
mod hint;
mod label;
mod link;
pub mod noise;
mod out_of_band;
mod pair;
mod prologue;
mod reconnect;
mod resume;
mod secret;
mod suite;

pub use armring_wire::records::Assurance;
pub use code::{Code, SYMBOLS, Symbol};
pub use dh::{DhError, DiffieHellman, PublicKey, SharedSecret, SoftwareKey};
pub use enrol::{Enrol, EnrolVersions};
pub use error::{CallerError, Error, MachineError, PeerError};
pub use hello::{BandHello, Challenge, Kind, MESSAGE_MAX, UNSUPPORTED, WalletHello};
pub use hint::{AdvertisingTag, Hint, find_advertiser, find_link};
pub use label::labelled_hash;
pub use link::{AdvertisingKey, Generations, HintKey, Link, LinkSecret, LinkState, Psk, Share};
pub use noise::{ResumeSecret, Session};
pub use out_of_band::{PairingLabel, PairingSecret, Source};
pub use pair::{
    AtBand, AtWallet, AwaitingBandShare, AwaitingOpening, AwaitingStatic, AwaitingWalletShare, CodeShown, CompareCode, Methods,
    Pairing, PairingUncompared, PairingWindow, StoreFirst,
};
pub use prologue::{Prologue, Role};
pub use reconnect::{NotProven, Proven, Reconnect, Reconnected, Unproven};
pub use resume::{NextTicket, RESUMES_MAX, Resume, ResumeTicket, Resumed, Resumption};
pub use suite::{RustCrypto, Suite};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
