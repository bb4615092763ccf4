//! Ed25519 (RFC 8032), signing alone.

use std::{error, fmt};

use armring_token::Signature;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use signature::MultipartSigner;

/// Most messages are no longer, in bytes: no memory is asked for to join their parts.
const SHORT: usize = 256;

/// An Ed25519 key that signs, in AWS-LC's memory: what [`Signing`](armring_token::Signing) takes. Its signatures are the same bytes as anybody's,
/// since Ed25519 draws nothing.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key with this seed: the 32 secret bytes of RFC 8032 §5.1.5. They stay the caller's, to be stored and erased.
    ///
    /// # Errors
    ///
    /// [`KeyRefused`] if AWS-LC has no memory for it.
    pub fn from_bytes(seed: &[u8; 32]) -> Result<Self, KeyRefused> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| KeyRefused)
    }

    /// The public key that belongs to it.
    ///
    /// # Errors
    ///
    /// [`KeyRefused`] if AWS-LC gives other than 32 bytes, which it does not.
    pub fn public_key(&self) -> Result<[u8; 32], KeyRefused> {
        self.0.public_key().as_ref().try_into().map_err(|_| KeyRefused)
    }
}

impl MultipartSigner<Signature> for SigningKey {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        // AWS-LC takes the message in one piece.
        let mut buffer = [0; SHORT];
        let signed = match joined(message, &mut buffer) {
            Some(message) => self.0.try_sign(message),
            None => self.0.try_sign(&message.concat()),
        };
        let signed = signed.map_err(|_| signature::Error::new())?;
        Signature::from_slice(signed.as_ref())
    }
}

/// The parts one after the other in `buffer`, if there is room for them.
fn joined<'b>(parts: &[&[u8]], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut len = 0;
    for part in parts {
        let end = len + part.len();
        buffer.get_mut(len..end)?.copy_from_slice(part);
        len = end;
    }
    buffer.get(..len)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// The machine's fault: AWS-LC could not make a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRefused;

impl fmt::Display for KeyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key could not be made")
    }
}

impl error::Error for KeyRefused {}
