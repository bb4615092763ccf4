//! Which code computes the cryptography. What it computes is always 25519, ChaChaPoly and BLAKE2s.

use armring_channel::{Aead, ChaChaPoly};
use rand_core::TryCryptoRng;

use crate::dh::{DhError, DiffieHellman, SoftwareKey};
use crate::error::Error;
use crate::secret::draw;

/// Code for the cipher and for keys that live as long as one handshake. Nothing on the wire depends on which it is.
pub trait Suite {
    /// ChaCha20-Poly1305.
    type Aead: Aead;
    /// A private X25519 key that is used for one handshake and then erased.
    type Ephemeral: DiffieHellman;

    /// The ephemeral key with these 32 secret bytes.
    ///
    /// # Errors
    ///
    /// [`DhError::Unavailable`] if the machine could not make it.
    fn ephemeral(secret: &[u8; 32]) -> Result<Self::Ephemeral, DhError>;
}

/// Portable code in Rust, by the RustCrypto and dalek projects.
#[derive(Clone, Copy, Debug)]
pub struct RustCrypto;

impl Suite for RustCrypto {
    type Aead = ChaChaPoly;
    type Ephemeral = SoftwareKey;

    fn ephemeral(secret: &[u8; 32]) -> Result<SoftwareKey, DhError> {
        Ok(SoftwareKey::new(*secret))
    }
}

/// A new ephemeral key.
pub(crate) fn draw_ephemeral<S: Suite>(rng: &mut impl TryCryptoRng) -> Result<S::Ephemeral, Error> {
    Ok(S::ephemeral(&*draw(rng)?)?)
}
