//! X25519 (RFC 7748).

use std::fmt;

use armring_pairing::{DhError, DiffieHellman, PublicKey, SharedSecret, Suite};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use zeroize::Zeroizing;

use crate::aead::ChaChaPoly;

/// A private X25519 key in AWS-LC's memory, which erases it when this is dropped.
pub struct SoftwareKey {
    secret: PrivateKey,
    public: PublicKey,
}

impl SoftwareKey {
    /// The key with these 32 secret bytes; any will do, X25519 clamps them. They stay the caller's, to be stored and erased.
    ///
    /// # Errors
    ///
    /// [`DhError::Unavailable`] if AWS-LC has no memory for it.
    pub fn new(secret: &[u8; 32]) -> Result<Self, DhError> {
        let secret = PrivateKey::from_private_key(&X25519, secret).map_err(|_| DhError::Unavailable)?;
        let public = secret.compute_public_key().map_err(|_| DhError::Unavailable)?;
        let public = PublicKey::new(public.as_ref().try_into().map_err(|_| DhError::Unavailable)?);
        Ok(Self { secret, public })
    }
}

impl DiffieHellman for SoftwareKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        let mut shared = Zeroizing::new([0; 32]);
        // AWS-LC refuses a result of zero itself, and nothing else that is 32 bytes.
        agree(&self.secret, UnparsedPublicKey::new(&X25519, peer.as_bytes()), DhError::Zero, |result| {
            *shared = result.try_into().map_err(|_| DhError::Unavailable)?;
            Ok(())
        })?;
        SharedSecret::new(*shared)
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// AWS-LC for the cipher and for the keys of one handshake: name it where a type of `armring-pairing` has a suite.
#[derive(Clone, Copy, Debug)]
pub struct AwsLc;

impl Suite for AwsLc {
    type Aead = ChaChaPoly;
    type Ephemeral = SoftwareKey;

    fn ephemeral(secret: &[u8; 32]) -> Result<SoftwareKey, DhError> {
        SoftwareKey::new(secret)
    }
}
