//! The Noise protocol framework (revision 34) for the suite 25519_ChaChaPoly_BLAKE2s, without allocation.
//!
//! This is the machine under the handshakes of this crate, which give it their prologues and payloads. It is public so that others can
//! check it against published vectors; a product uses [`PairingWindow`](crate::PairingWindow), [`Reconnect`](crate::Reconnect) and
//! [`Enrol`](crate::Enrol), whose types rule out what may go wrong here.
//!
//! ```
//! use armring_pairing::SoftwareKey;
//! use armring_pairing::noise::{HandshakeState, Keys, NNPSK0, Psk, Side};
//!
//! let keys = |ephemeral| Keys { own: None, peer: None, psk: Some(Psk::new([7; 32])), ephemeral: SoftwareKey::new(ephemeral) };
//! let initiator = <HandshakeState>::new(&NNPSK0, Side::Initiator, b"", keys([1; 32]))?;
//! let responder = <HandshakeState>::new(&NNPSK0, Side::Responder, b"", keys([2; 32]))?;
//!
//! let (mut message, mut payload) = ([0; 48], []);
//! let initiator = initiator.write(None, &[], &mut message)?;
//! let responder = responder.read(None, &message, &mut payload)?;
//! let responder = responder.write(None, &[], &mut message)?;
//! let initiator = initiator.read(None, &message, &mut payload)?;
//! assert_eq!(initiator.finish()?.hash, responder.finish()?.hash);
//! # Ok::<(), armring_pairing::Error>(())
//! ```

mod handshake;
mod hkdf;
mod pattern;
mod split;
mod symmetric;

pub use handshake::{HandshakeState, Keys, Side};
pub use pattern::{IK, KKPSK0, NNPSK0, Pattern, Token, XX, XXPSK0};
pub use split::{ResumeSecret, Session, Split};

pub use crate::link::Psk;
