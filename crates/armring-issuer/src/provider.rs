//! Whose code signs and enrols: AWS-LC's or, without the feature `aws-lc`, portable Rust. The types and all bytes are the same.

use core::fmt;

use armring_pairing::{DhError, DiffieHellman, PublicKey, SharedSecret};
use armring_token::Signature;
use signature::MultipartSigner;

use crate::error::MachineError;

#[cfg(feature = "aws-lc")]
use armring_aws_lc::{AwsLc as Provider, SigningKey as Signer, SoftwareKey as Exchange};
#[cfg(not(feature = "aws-lc"))]
use {
    armring_pairing::{RustCrypto as Provider, SoftwareKey as Exchange},
    ed25519_dalek::SigningKey as Signer,
};

/// What handshakes and channels of enrolments are computed with.
pub(crate) type Suite = Provider;

/// A sealed channel to a band.
pub(crate) type Channel = armring_channel::Channel<<Suite as armring_pairing::Suite>::Aead>;

/// An Ed25519 key in memory, erased when dropped: the root, or what signs for the issuer from day to day.
pub struct SigningKey {
    signer: Signer,
    public: [u8; 32],
}

impl SigningKey {
    /// The key with this seed: the 32 secret bytes of RFC 8032 §5.1.5. They stay the caller's, to be stored and erased.
    ///
    /// # Errors
    /// [`MachineError::KeyUnavailable`] where there is no memory for it.
    pub fn from_bytes(seed: &[u8; 32]) -> Result<Self, MachineError> {
        signer(seed).map(|(signer, public)| Self { signer, public })
    }

    /// The public key that belongs to it.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.public
    }
}

impl MultipartSigner<Signature> for SigningKey {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        self.signer.try_multipart_sign(message)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// An X25519 key in memory, erased when dropped: what bands encrypt their enrolments to.
pub struct EnrolmentKey(Exchange);

impl EnrolmentKey {
    /// The key with these 32 secret bytes; any will do, X25519 clamps them. They stay the caller's, to be stored and erased.
    ///
    /// # Errors
    /// [`MachineError::KeyUnavailable`] where there is no memory for it.
    pub fn from_bytes(secret: &[u8; 32]) -> Result<Self, MachineError> {
        let key = <Suite as armring_pairing::Suite>::ephemeral(secret);
        key.map(Self).map_err(|_| MachineError::KeyUnavailable)
    }
}

impl DiffieHellman for EnrolmentKey {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        self.0.diffie_hellman(peer)
    }
}

impl fmt::Debug for EnrolmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentKey(..)")
    }
}

/// A signer and its public key.
#[cfg(feature = "aws-lc")]
fn signer(seed: &[u8; 32]) -> Result<(Signer, [u8; 32]), MachineError> {
    let signer = Signer::from_bytes(seed).map_err(|_| MachineError::KeyUnavailable)?;
    let public = signer.public_key().map_err(|_| MachineError::KeyUnavailable)?;
    Ok((signer, public))
}

/// A signer and its public key.
#[cfg(not(feature = "aws-lc"))]
fn signer(seed: &[u8; 32]) -> Result<(Signer, [u8; 32]), MachineError> {
    let signer = Signer::from_bytes(seed);
    let public = signer.verifying_key().to_bytes();
    Ok((signer, public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let (signing, enrolment) = (SigningKey::from_bytes(&[0xa5; 32]), EnrolmentKey::from_bytes(&[0xa5; 32]));
        let (Ok(signing), Ok(enrolment)) = (signing, enrolment) else { panic!("keys") };
        assert_eq!(format!("{signing:?} {enrolment:?}"), "SigningKey(..) EnrolmentKey(..)");
    }
}
