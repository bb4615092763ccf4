//! X25519 (RFC 7748), with the private key wherever it is kept.

use core::fmt;

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use x25519_dalek::StaticSecret;
use zeroize::ZeroizeOnDrop;

use crate::error::{Error, MachineError, PeerError};
use crate::secret::draw;

/// An X25519 public key: 32 bytes, as received. Equality is of these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Bytes of a public key on the wire.
    pub const LEN: usize = 32;

    /// The key with these bytes. Any bytes are a key; whether it is of use shows when it is used.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether X25519 takes both for the same: it ignores bit 255 (RFC 7748 §5).
    pub(crate) fn is_same_point(&self, other: &Self) -> bool {
        let masked = |key: &Self| {
            let mut bytes = key.0;
            if let Some(last) = bytes.last_mut() {
                *last &= 0x7f;
            }
            bytes
        };
        masked(self) == masked(other)
    }
}

/// What two keys have in common: 32 secret bytes, never all zero, erased when dropped.
#[derive(ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// The result of X25519 in these bytes.
    ///
    /// # Errors
    ///
    /// [`DhError::Zero`] if all are zero: the peer's key is one of the few with which anybody's result is that (RFC 7748 §6.1).
    pub fn new(bytes: [u8; 32]) -> Result<Self, DhError> {
        let secret = Self(bytes);
        if bool::from(secret.0.ct_eq(&[0; 32])) { Err(DhError::Zero) } else { Ok(secret) }
    }

    /// The bytes themselves.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// Why there is no shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DhError {
    /// The peer's fault: the result is zero.
    Zero,
    /// The machine's fault: the key could not be used.
    Unavailable,
}

impl fmt::Display for DhError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::from(*self).fmt(f)
    }
}

impl core::error::Error for DhError {}

impl From<DhError> for Error {
    fn from(error: DhError) -> Self {
        match error {
            DhError::Zero => PeerError::ZeroSharedSecret.into(),
            DhError::Unavailable => MachineError::KeyUnavailable.into(),
        }
    }
}

/// A private X25519 key that can be used but not seen: in memory ([`SoftwareKey`]) or in a secure element.
pub trait DiffieHellman {
    /// The public key that belongs to it. It is asked for often and should be at hand.
    fn public_key(&self) -> PublicKey;

    /// What it has in common with `peer` (Noise §4.1, `DH`).
    ///
    /// # Errors
    ///
    /// [`DhError::Zero`], which [`SharedSecret::new`] finds, or [`DhError::Unavailable`] where the key cannot be used.
    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError>;
}

/// A private X25519 key in memory, erased when dropped.
pub struct SoftwareKey {
    secret: StaticSecret,
    public: PublicKey,
}

impl SoftwareKey {
    /// The key with these 32 secret bytes; any will do, X25519 clamps them.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        let secret = StaticSecret::from(secret);
        let public = PublicKey::new(x25519_dalek::PublicKey::from(&secret).to_bytes());
        Self { secret, public }
    }

    /// A new key.
    ///
    /// # Errors
    ///
    /// [`MachineError::Randomness`] if `rng` fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, Error> {
        Ok(Self::new(*draw(rng)?))
    }

    /// The secret bytes, to store them. Not to print them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.secret.as_bytes()
    }
}

impl DiffieHellman for SoftwareKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        SharedSecret::new(self.secret.diffie_hellman(&peer.0.into()).to_bytes())
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn the_points_of_small_order_give_an_error() {
        let key = SoftwareKey::new([0x42; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        // p − 1, p and p + 1, where p = 2^255 − 19.
        let near_p = [0xec, 0xed, 0xee].map(|first| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (first, 0x7f);
            bytes
        });
        for mut bytes in [[0; 32], one].into_iter().chain(near_p) {
            assert_eq!(key.diffie_hellman(&PublicKey::new(bytes)).err(), Some(DhError::Zero));
            bytes[31] |= 0x80;
            assert_eq!(key.diffie_hellman(&PublicKey::new(bytes)).err(), Some(DhError::Zero), "bit 255 is ignored");
        }
    }

    #[test]
    fn the_highest_bit_does_not_make_another_point() {
        let key = PublicKey::new([0x11; 32]);
        let mut bytes = [0x11; 32];
        bytes[31] |= 0x80;
        assert!(key.is_same_point(&PublicKey::new(bytes)));
        bytes[31] ^= 0x40;
        assert!(!key.is_same_point(&PublicKey::new(bytes)));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SoftwareKey::new([0xa5; 32]);
        assert_eq!(std::format!("{key:?}"), std::format!("SoftwareKey {{ public: {:?}, .. }}", key.public_key()));
        assert_eq!(std::format!("{:?}", SharedSecret([0xa5; 32])), "SharedSecret(..)");
    }
}
