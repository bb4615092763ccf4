//! Whose cryptography this phone has, and where its randomness and its key come from. This is the one place to choose others: a key store, or
//! another library.
//!
//! With the feature `aws-lc`, which is on unless turned off, AWS-LC computes; else portable Rust does. Bands notice no difference.

use std::fmt;

use anyhow::Result;
#[cfg(feature = "aws-lc")]
use armring_aws_lc::AwsLc as Provider;
#[cfg(not(feature = "aws-lc"))]
use armring_pairing::RustCrypto as Provider;
use armring_pairing::{DhError, DiffieHellman, PublicKey, SharedSecret, Suite};
use rand_core::TryRng;
use zeroize::Zeroizing;

/// What draws random bytes.
pub type Random = getrandom::SysRng;

/// The generator.
#[must_use]
pub const fn random() -> Random {
    getrandom::SysRng
}

/// The key by which bands know this phone.
pub struct OwnKey {
    /// What is stored of it.
    secret: Zeroizing<[u8; 32]>,
    key: <Provider as Suite>::Ephemeral,
}

impl OwnKey {
    /// A new key for a phone.
    ///
    /// # Errors
    /// The generator fails, or there is no memory.
    pub fn generate() -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        random().try_fill_bytes(secret.as_mut_slice())?;
        Self::new(secret)
    }

    /// The key with these secret bytes.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(secret: Zeroizing<[u8; 32]>) -> Result<Self> {
        let key = Provider::ephemeral(&secret)?;
        Ok(Self { secret, key })
    }

    /// The secret bytes, to store them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl DiffieHellman for OwnKey {
    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        self.key.diffie_hellman(peer)
    }
}

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKey").field("public", &self.public_key()).finish_non_exhaustive()
    }
}
