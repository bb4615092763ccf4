//! The cipher: authenticated encryption with a 64-bit nonce, as Noise uses it.

use core::{error, fmt};

use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};
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

/// An AEAD with 32-byte keys, 64-bit nonces and 16-byte tags, under one key: the cipher functions of Noise §4.2.
///
/// The two parties of a channel must use the same one. A nonce must never be used twice with a key; [`Channel`](crate::Channel) sees to it.
pub trait Aead {
    /// Makes ready to work with `key`: for a channel once in 65,536 records.
    fn new(key: Key) -> Self;

    /// Encrypts `in_out` in place and returns the tag over it and `ad` (Noise `ENCRYPT`).
    ///
    /// What exceeds the cipher's own bound (256 GiB here; records are far below) must not be left readable: it is overwritten with zeros.
    fn seal(&self, nonce: u64, ad: &[u8], in_out: &mut [u8]) -> Tag;

    /// Decrypts `in_out` in place if `tag` is the one over it and `ad` (Noise `DECRYPT`).
    ///
    /// # Errors
    ///
    /// [`TagMismatch`] if it is not. No byte of plaintext has then been written to `in_out`.
    fn open(&self, nonce: u64, ad: &[u8], in_out: &mut [u8], tag: &Tag) -> Result<(), TagMismatch>;

    /// The key that follows this one, from which this one cannot be found (Noise `REKEY`, §4.2 and §11.3): what 32 zero bytes become under
    /// the highest nonce, which is never used for a message.
    #[must_use]
    fn rekey(&self) -> Key {
        let mut next = Key([0; 32]);
        self.seal(u64::MAX, &[], &mut next.0);
        next
    }
}

/// ChaCha20-Poly1305 (RFC 8439) with the nonce of Noise §12.3: 4 zero bytes, then the 64-bit nonce, little-endian.
///
/// It is RustCrypto's, but for short texts on x86, which are Orion's: see the README of this crate. The bytes are the same.
pub struct ChaChaPoly {
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    key: Key,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    key: short::Cipher,
}

impl ChaChaPoly {
    fn rust_crypto(&self) -> Option<ChaCha20Poly1305> {
        ChaCha20Poly1305::new_from_slice(self.key.as_bytes()).ok()
    }
}

#[cfg(test)]
impl ChaChaPoly {
    pub(crate) fn key(&self) -> &[u8] {
        self.key.as_bytes()
    }
}

impl fmt::Debug for ChaChaPoly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChaChaPoly(..)")
    }
}

impl Aead for ChaChaPoly {
    fn new(key: Key) -> Self {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let key = short::Cipher::new(&key);
        Self { key }
    }

    fn seal(&self, nonce: u64, ad: &[u8], in_out: &mut [u8]) -> Tag {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if in_out.len() <= short::LONGEST {
            return self.key.seal(nonce, ad, in_out);
        }
        let seal = |cipher: ChaCha20Poly1305| cipher.encrypt_inout_detached(&nonce_bytes(nonce), ad, (&mut *in_out).into()).ok();
        self.rust_crypto().and_then(seal).map_or_else(
            || {
                in_out.fill(0);
                [0; TAG_LEN]
            },
            Into::into,
        )
    }

    fn open(&self, nonce: u64, ad: &[u8], in_out: &mut [u8], tag: &Tag) -> Result<(), TagMismatch> {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if in_out.len() <= short::LONGEST {
            return self.key.open(nonce, ad, in_out, tag);
        }
        let cipher = self.rust_crypto().ok_or(TagMismatch)?;
        cipher.decrypt_inout_detached(&nonce_bytes(nonce), ad, in_out.into(), tag.into()).map_err(|_| TagMismatch)
    }
}

fn nonce_bytes<N: From<[u8; 12]>>(nonce: u64) -> N {
    let [a, b, c, d, e, f, g, h] = nonce.to_le_bytes();
    [0, 0, 0, 0, a, b, c, d, e, f, g, h].into()
}

/// On x86 RustCrypto's Poly1305 chooses AVX2 at run time, and each of its vector instructions is then a call: a few microseconds for each key,
/// and a key serves one text. That it shall not is a flag of the compiler's, which a library cannot set for its users.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod short {
    use orion::hazardous::aead::chacha20poly1305::{ChaCha20Poly1305, Nonce, SecretKey};

    use super::{Key, TAG_LEN, Tag, TagMismatch, nonce_bytes};

    /// From where on AVX2 saves more than it costs, in bytes.
    pub(super) const LONGEST: usize = 512;

    /// Orion's, under one key, which it erases when dropped.
    pub(super) struct Cipher(SecretKey);

    impl Cipher {
        pub(super) fn new(key: &Key) -> Self {
            Self(SecretKey::from(*key.as_bytes()))
        }

        pub(super) fn as_bytes(&self) -> &[u8] {
            self.0.unprotected_as_ref()
        }

        pub(super) fn seal(&self, nonce: u64, ad: &[u8], in_out: &mut [u8]) -> Tag {
            let sealed = ChaCha20Poly1305::seal_inplace(&self.0, &nonce_bytes::<Nonce>(nonce), Some(ad), in_out);
            let tag = sealed.ok().and_then(|tag| tag.unprotected_as_ref().try_into().ok());
            tag.unwrap_or_else(|| {
                in_out.fill(0);
                [0; TAG_LEN]
            })
        }

        pub(super) fn open(&self, nonce: u64, ad: &[u8], in_out: &mut [u8], tag: &Tag) -> Result<(), TagMismatch> {
            let (nonce, tag) = (nonce_bytes::<Nonce>(nonce), (*tag).into());
            ChaCha20Poly1305::open_inplace(&self.0, &nonce, &tag, Some(ad), in_out).map_err(|_| TagMismatch)
        }
    }
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

    /// Around where on x86 one implementation takes over from the other.
    #[test]
    fn texts_of_every_length_are_sealed_as_by_one_implementation() {
        let (aead, mut texts) = (ChaChaPoly::new(Key::new([7; 32])), [[0x5a; 1030]; 2]);
        for len in 0..texts[0].len() {
            let [ours, theirs] = &mut texts;
            let (ours, theirs, ad) = (&mut ours[..len], &mut theirs[..len], &[9; 40][..len % 40]);
            let nonce = u64::MAX - len as u64;
            let tag = aead.seal(nonce, ad, ours);
            let expected =
                aead.rust_crypto().unwrap().encrypt_inout_detached(&nonce_bytes(nonce), ad, (&mut *theirs).into()).unwrap();
            assert_eq!((&*ours, tag), (&*theirs, expected.into()), "{len}");
            let mut forged = tag;
            forged[len % TAG_LEN] ^= 1;
            assert_eq!(aead.open(nonce, ad, ours, &forged), Err(TagMismatch));
            assert_eq!(ours, theirs, "nothing was written");
            assert_eq!(aead.open(nonce, ad, ours, &tag), Ok(()));
            aead.rust_crypto()
                .unwrap()
                .decrypt_inout_detached(&nonce_bytes(nonce), ad, (&mut *theirs).into(), &expected)
                .unwrap();
            assert_eq!(ours, theirs);
        }
    }
}
