//! The cipher: authenticated encryption with a 64-bit nonce, as Noise uses it.

use core::{error, fmt};

use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Nonce};
use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

/// Bytes in a [`Tag`].
pub const TAG_LEN: usize = 16;

/// What proves that a message is from whom has the key: 16 bytes, sent behind the ciphertext.
pub type Tag = [u8; TAG_LEN];

/// A cipher key: 32 secret bytes, erased when dropped, compared in constant time.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// The key made of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves, for an [`Aead`] to work with.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ConstantTimeEq for Key {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The ciphertext, the associated data or the tag is not what was sealed, or not under this key and nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagMismatch;

impl fmt::Display for TagMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tag does not match")
    }
}

impl error::Error for TagMismatch {}

/// An AEAD with 32-byte keys, 64-bit nonces and 16-byte tags: the cipher functions of Noise §4.2.
///
/// The two parties of a channel must use the same one. A nonce must never be used twice with a key; [`Channel`](crate::Channel) sees to it.
pub trait Aead {
    /// Encrypts `in_out` in place and returns the tag over it and `ad` (Noise `ENCRYPT`).
    ///
    /// What exceeds the cipher's own bound (256 GiB here; records are far below) must not be left readable: it is overwritten with zeros.
    fn seal(key: &Key, nonce: u64, ad: &[u8], in_out: &mut [u8]) -> Tag;

    /// Decrypts `in_out` in place if `tag` is the one over it and `ad` (Noise `DECRYPT`).
    ///
    /// # Errors
    ///
    /// [`TagMismatch`] if it is not. No byte of plaintext has then been written to `in_out`.
    fn open(key: &Key, nonce: u64, ad: &[u8], in_out: &mut [u8], tag: &Tag) -> Result<(), TagMismatch>;

    /// The key that follows `key`, from which `key` cannot be found (Noise `REKEY`, §4.2 and §11.3): what 32 zero bytes become under the
    /// highest nonce, which is never used for a message.
    #[must_use]
    fn rekey(key: &Key) -> Key {
        let mut next = Key([0; 32]);
        Self::seal(key, u64::MAX, &[], &mut next.0);
        next
    }
}

/// ChaCha20-Poly1305 (RFC 8439) with the nonce of Noise §12.3: 4 zero bytes, then the 64-bit nonce, little-endian.
#[derive(Clone, Copy, Debug)]
pub struct ChaChaPoly;

impl Aead for ChaChaPoly {
    fn seal(key: &Key, nonce: u64, ad: &[u8], in_out: &mut [u8]) -> Tag {
        match cipher(key).encrypt_inout_detached(&nonce_bytes(nonce), ad, (&mut *in_out).into()) {
            Ok(tag) => tag.into(),
            Err(_) => {
                in_out.fill(0);
                [0; TAG_LEN]
            }
        }
    }

    fn open(key: &Key, nonce: u64, ad: &[u8], in_out: &mut [u8], tag: &Tag) -> Result<(), TagMismatch> {
        cipher(key).decrypt_inout_detached(&nonce_bytes(nonce), ad, in_out.into(), tag.into()).map_err(|_| TagMismatch)
    }
}

fn cipher(key: &Key) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&key.0).into())
}

fn nonce_bytes(nonce: u64) -> Nonce {
    let [a, b, c, d, e, f, g, h] = nonce.to_le_bytes();
    [0, 0, 0, 0, a, b, c, d, e, f, g, h].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_erased_when_dropped() {
        const fn erased<T: ZeroizeOnDrop>() {}
        erased::<Key>();
        erased::<ChaCha20Poly1305>();
    }
}
