//! What a handshake has agreed on so far (Noise §5.2).

use core::fmt;

use armring_channel::{Aead, HandshakeHash, Key, TAG_LEN};
use blake2::{Blake2s256, Digest};
use zeroize::Zeroizing;

use super::hkdf::hkdf;
use crate::error::{CallerError, Error, PeerError};

/// Chaining key, hash of everything said, and the key under which the next payload is sealed.
pub(crate) struct SymmetricState<A> {
    chaining_key: Zeroizing<[u8; 32]>,
    hash: [u8; 32],
    cipher: Cipher<A>,
}

/// The key of a handshake's payloads (Noise §5.1).
enum Cipher<A> {
    /// There is none yet.
    Empty,
    /// There is one, but another comes in its place before anything is sealed: it was never computed.
    Replaced,
    /// There is one, and this is the next nonce.
    Ready(A, u64),
}

/// Whether anything is sealed under a new key before another comes in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealing {
    /// The next thing that is sealed or opened is so under it.
    Follows,
    /// Another key comes first.
    Never,
}

impl<A: Aead> SymmetricState<A> {
    /// Noise `InitializeSymmetric`: a name that fits is padded with zeros, a longer one is hashed.
    pub(crate) fn new(protocol_name: &str) -> Self {
        let name = protocol_name.as_bytes();
        let mut hash = [0; 32];
        match hash.get_mut(..name.len()) {
            Some(start) => start.copy_from_slice(name),
            None => hash = Blake2s256::digest(name).into(),
        }
        Self { chaining_key: Zeroizing::new(hash), hash, cipher: Cipher::Empty }
    }

    /// The hash of everything said so far (Noise `GetHandshakeHash`).
    pub(crate) fn hash(&self) -> HandshakeHash {
        HandshakeHash::new(self.hash)
    }

    /// Whether what is sent from now on is sealed (Noise `HasKey`).
    pub(crate) fn has_key(&self) -> bool {
        !matches!(self.cipher, Cipher::Empty)
    }

    /// Noise `MixKey`.
    pub(crate) fn mix_key(&mut self, input: &[u8; 32], sealing: Sealing) {
        (self.chaining_key, self.cipher) = match sealing {
            Sealing::Follows => {
                let [chaining_key, key] = hkdf(&self.chaining_key, input);
                (chaining_key, Cipher::new(&key))
            }
            Sealing::Never => {
                let [chaining_key] = hkdf(&self.chaining_key, input);
                (chaining_key, Cipher::Replaced)
            }
        };
    }

    /// Noise `MixHash`.
    pub(crate) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Blake2s256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    /// Noise `MixKeyAndHash`.
    pub(crate) fn mix_key_and_hash(&mut self, input: &[u8; 32], sealing: Sealing) {
        let hash;
        (self.chaining_key, hash, self.cipher) = match sealing {
            Sealing::Follows => {
                let [chaining_key, hash, key] = hkdf(&self.chaining_key, input);
                (chaining_key, hash, Cipher::new(&key))
            }
            Sealing::Never => {
                let [chaining_key, hash] = hkdf(&self.chaining_key, input);
                (chaining_key, hash, Cipher::Replaced)
            }
        };
        self.mix_hash(hash.as_slice());
    }

    /// Noise `EncryptAndHash`: `out` is as long as `plaintext`, and [`TAG_LEN`] longer once there is a key.
    pub(crate) fn encrypt_and_hash(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        match &mut self.cipher {
            Cipher::Empty => copy(plaintext, out)?,
            Cipher::Replaced => return Err(CallerError::Order.into()),
            Cipher::Ready(key, nonce) => {
                let (text, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(CallerError::Length)?;
                copy(plaintext, text)?;
                *tag = key.seal(*nonce, &self.hash, text);
                *nonce = nonce.saturating_add(1);
            }
        }
        self.mix_hash(out);
        Ok(())
    }

    /// Noise `DecryptAndHash`: `ciphertext` is as long as `out`, and [`TAG_LEN`] longer once there is a key.
    pub(crate) fn decrypt_and_hash(&mut self, ciphertext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        match &mut self.cipher {
            Cipher::Empty => copy(ciphertext, out)?,
            Cipher::Replaced => return Err(CallerError::Order.into()),
            Cipher::Ready(key, nonce) => {
                let (text, tag) = ciphertext.split_last_chunk::<TAG_LEN>().ok_or(PeerError::Length)?;
                copy(text, out)?;
                key.open(*nonce, &self.hash, out, tag).map_err(|_| PeerError::NotAuthentic)?;
                *nonce = nonce.saturating_add(1);
            }
        }
        self.mix_hash(ciphertext);
        Ok(())
    }

    /// Noise `Split`, with the third output of the same HKDF: the first two do not depend on whether it is taken, so that it is as secret
    /// as they are and the wire knows nothing of it.
    pub(crate) fn split(&self) -> [Zeroizing<[u8; 32]>; 3] {
        hkdf(&self.chaining_key, &[])
    }
}

impl<A: Aead> Cipher<A> {
    fn new(key: &[u8; 32]) -> Self {
        Self::Ready(A::new(Key::new(*key)), 0)
    }
}

impl<A> fmt::Debug for SymmetricState<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SymmetricState").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// Copies between slices that must be of one length.
fn copy(from: &[u8], to: &mut [u8]) -> Result<(), CallerError> {
    if from.len() != to.len() {
        return Err(CallerError::Length);
    }
    to.copy_from_slice(from);
    Ok(())
}
