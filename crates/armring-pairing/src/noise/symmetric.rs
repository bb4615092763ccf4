//! What a handshake has agreed on so far (Noise §5.2).

use core::fmt;

use armring_channel::{Aead, HandshakeHash, Key, TAG_LEN};
use blake2::{Blake2s256, Digest};
use zeroize::Zeroizing;

use super::hkdf::hkdf;
use crate::error::{CallerError, Error, PeerError};

/// Chaining key, hash of everything said, and the key under which the next payload is sealed, once there is one.
pub(crate) struct SymmetricState<A> {
    chaining_key: Zeroizing<[u8; 32]>,
    hash: [u8; 32],
    key: Option<A>,
    nonce: u64,
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
        Self { chaining_key: Zeroizing::new(hash), hash, key: None, nonce: 0 }
    }

    /// The hash of everything said so far (Noise `GetHandshakeHash`).
    pub(crate) fn hash(&self) -> HandshakeHash {
        HandshakeHash::new(self.hash)
    }

    /// Whether what is sent from now on is sealed (Noise `HasKey`).
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Noise `MixKey`.
    pub(crate) fn mix_key(&mut self, input: &[u8; 32]) {
        let [chaining_key, key] = hkdf(&self.chaining_key, input);
        self.chaining_key = chaining_key;
        self.set_key(&key);
    }

    /// Noise `MixHash`.
    pub(crate) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Blake2s256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    /// Noise `MixKeyAndHash`.
    pub(crate) fn mix_key_and_hash(&mut self, input: &[u8; 32]) {
        let [chaining_key, hash, key] = hkdf(&self.chaining_key, input);
        self.chaining_key = chaining_key;
        self.mix_hash(hash.as_slice());
        self.set_key(&key);
    }

    fn set_key(&mut self, key: &[u8; 32]) {
        self.key = Some(A::new(Key::new(*key)));
        self.nonce = 0;
    }

    /// Noise `EncryptAndHash`: `out` is as long as `plaintext`, and [`TAG_LEN`] longer once there is a key.
    pub(crate) fn encrypt_and_hash(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        match &self.key {
            None => copy(plaintext, out)?,
            Some(key) => {
                let (text, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(CallerError::Length)?;
                copy(plaintext, text)?;
                *tag = key.seal(self.nonce, &self.hash, text);
                self.nonce = self.nonce.saturating_add(1);
            }
        }
        self.mix_hash(out);
        Ok(())
    }

    /// Noise `DecryptAndHash`: `ciphertext` is as long as `out`, and [`TAG_LEN`] longer once there is a key.
    pub(crate) fn decrypt_and_hash(&mut self, ciphertext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        match &self.key {
            None => copy(ciphertext, out)?,
            Some(key) => {
                let (text, tag) = ciphertext.split_last_chunk::<TAG_LEN>().ok_or(PeerError::Length)?;
                copy(text, out)?;
                key.open(self.nonce, &self.hash, out, tag).map_err(|_| PeerError::NotAuthentic)?;
                self.nonce = self.nonce.saturating_add(1);
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
