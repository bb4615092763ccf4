//! What a band proves when it enrols, and the digits that a person compares.

use armring_wire::records::Assurance;
use armring_wire::{Digits, EnrolmentCode, RootFingerprint};
use ed25519_dalek::Signature;
use signature::MultipartSigner;

use crate::error::{SignError, VerifyError};
use crate::hash::hash;
use crate::sign::{Payment, PaymentKey, SIGNATURE_LEN, Signing};

const LABEL: &str = "enrolment";

/// What a band enrols: its new key, over this handshake, with this code. It ties the account to the key, so that nobody else's key can be
/// enrolled in its place (unknown key share).
#[derive(Clone, Copy, Debug)]
pub struct Enrolment<'a> {
    /// The hash of the enrolment's handshake, 32 bytes.
    pub handshake: &'a [u8; 32],
    /// What ties it to the signed-in user.
    pub code: EnrolmentCode,
    /// The new payment key.
    pub payment_key: PaymentKey,
    /// How the link between band and wallet was made.
    pub assurance: Assurance,
}

impl Enrolment<'_> {
    /// Signs the proof of possession: 64 bytes.
    ///
    /// # Errors
    /// [`SignError::Signer`] where the signer fails.
    pub fn prove<S: MultipartSigner<Signature>>(
        &self,
        root: &RootFingerprint,
        key: &Signing<Payment, S>,
    ) -> Result<[u8; SIGNATURE_LEN], SignError> {
        Ok(key.sign(LABEL, root, &self.message())?.to_bytes())
    }

    /// Verifies the proof of possession.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] unless it has 64 bytes, [`VerifyError::Signature`] where it does not verify.
    pub fn verify(&self, root: &RootFingerprint, proof: &[u8]) -> Result<(), VerifyError> {
        let signature = Signature::from_slice(proof).map_err(|_| VerifyError::Malformed)?;
        if self.payment_key.verifies(LABEL, root, &self.message(), &signature) { Ok(()) } else { Err(VerifyError::Signature) }
    }

    /// The digits that the band shows and the issuer's own page shows, to be compared outside the wallet.
    #[must_use]
    pub fn digits(&self, nonce: &[u8; 16]) -> Digits {
        Digits::from_hash(&hash("enrolment digits", &[self.handshake, self.payment_key.as_bytes(), nonce]))
    }

    /// `handshake (32) ‖ code (16) ‖ key (32) ‖ assurance (1)`.
    fn message(&self) -> [u8; 81] {
        let mut message = [0; 81];
        let (handshake, rest) = message.split_at_mut(32);
        let (code, rest) = rest.split_at_mut(16);
        let (key, assurance) = rest.split_at_mut(32);
        handshake.copy_from_slice(self.handshake);
        code.copy_from_slice(&self.code.0);
        key.copy_from_slice(self.payment_key.as_bytes());
        assurance.fill(self.assurance as u8);
        message
    }
}
