//! Where the payment keys live.

use armring_token::{Payment, PaymentKey, Signature, Signing};
pub use armring_wire::records::ATTESTATION_MAX;
use ed25519_dalek::SigningKey;
use rand_core::TryCryptoRng;
use signature::MultipartSigner;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What the band stores of a payment key, 32 bytes: the seed of a software key, or where a secure element keeps it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyHandle(pub [u8; 32]);

impl core::fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyHandle(..)")
    }
}

/// Makes and opens payment keys, one for each credential. [`SoftwareKeys`] is the one without special hardware; with a secure element
/// the handle says where the key is, and no key byte ever leaves it: `examples/secure_element` is such a one, from the bytes on the wire to
/// a payment.
pub trait PaymentKeys {
    /// Signs with one key.
    type Signer: MultipartSigner<Signature>;

    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError`] where the random generator or the secure element fails.
    fn create<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<KeyHandle, KeyError>;

    /// Opens a key, with its public half: at the start, and twice while it is enrolled.
    ///
    /// # Errors
    /// [`KeyError`] where the handle leads to no key.
    fn open(&self, handle: &KeyHandle) -> Result<OpenKey<Self::Signer>, KeyError>;

    /// Binds the hash of what the wearer unlocks the band with to this machine, where a secure element can: a MAC of it under a key that
    /// never leaves the element, so that nobody who reads the flash can try all PINs. Always the same for the same hash. By default it is
    /// the hash itself.
    ///
    /// # Errors
    /// [`KeyError`] where the secure element fails. The band then compares nothing and counts nothing.
    fn bind_secret(&self, hash: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        Ok(Zeroizing::new(*hash))
    }

    /// The word of the band's maker that this key lives in hardware of theirs and nowhere else: a quote of the secure element over
    /// `challenge` and the key's public half, with whatever certificates the issuer needs to believe it. It is for the issuer to
    /// understand; Armring carries it and looks at nothing but its length.
    ///
    /// `challenge` is the hash of the enrolment's handshake, so that the word for one enrolment is of no use in another. It is written into
    /// the front of `out`, [`ATTESTATION_MAX`] bytes at most; how many there are is returned. By default there is none: 0.
    ///
    /// # Errors
    /// [`KeyError`] where the secure element fails, the handle leads to no key, or `out` is too small.
    fn attest(&self, handle: &KeyHandle, challenge: &[u8; 32], out: &mut [u8]) -> Result<usize, KeyError> {
        let _ = (handle, challenge, out);
        Ok(0)
    }
}

/// A payment key ready to sign.
pub struct OpenKey<S> {
    /// Its public half.
    pub public: PaymentKey,
    /// Signs with it.
    pub signing: Signing<Payment, S>,
}

/// The payment key could not be made or opened. The machine is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl core::fmt::Display for KeyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the payment key could not be made or opened")
    }
}

impl core::error::Error for KeyError {}

/// Payment keys in software: the handle is the Ed25519 seed (RFC 8032 §5.1.5).
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftwareKeys;

impl PaymentKeys for SoftwareKeys {
    type Signer = SigningKey;

    fn create<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<KeyHandle, KeyError> {
        let mut handle = KeyHandle([0; 32]);
        rng.try_fill_bytes(&mut handle.0).map_err(|_| KeyError)?;
        Ok(handle)
    }

    fn open(&self, handle: &KeyHandle) -> Result<OpenKey<SigningKey>, KeyError> {
        let signer = SigningKey::from_bytes(&handle.0);
        let public = PaymentKey::from_bytes(signer.verifying_key().to_bytes()).ok_or(KeyError)?;
        Ok(OpenKey { public, signing: Signing::new(signer) })
    }
}
