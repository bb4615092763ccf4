//! What must hold before a refund says anything: the payee's signature.

use armring_token::{Refund, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::Refusal;
use armring_wire::{RefundDigest, RootFingerprint};

use crate::error::MachineError;
use crate::ledger::Ledger;
use crate::redeem::payee_key;

/// A refund whose signature verified with the key of the payee that it names. There is no other way to make one than
/// [`Issuer::verify_refund`](crate::Issuer::verify_refund), and nothing else reaches the ledger.
#[derive(Clone, Debug)]
pub struct VerifiedRefund {
    refund: Verified<Refund>,
    object: Vec<u8>,
}

impl VerifiedRefund {
    /// What the payee signed.
    #[must_use]
    pub const fn refund(&self) -> &Refund {
        self.refund.body()
    }

    /// What the refund is known by.
    #[must_use]
    pub const fn digest(&self) -> RefundDigest {
        self.refund.refund_digest()
    }

    /// The signed refund, as it came.
    #[must_use]
    pub fn object(&self) -> &[u8] {
        &self.object
    }
}

/// Verifies a refund. The outer error is the machine's, the inner one the answer to whoever sent these bytes.
pub(crate) fn verify(
    root: &RootFingerprint,
    ledger: &dyn Ledger,
    object: &[u8],
) -> Result<Result<VerifiedRefund, Refusal>, MachineError> {
    let Ok(refund) = Unverified::<Refund>::parse(object) else { return Ok(Err(Refusal::Malformed)) };
    let Some(key) = payee_key(ledger, refund.claims().payee)? else { return Ok(Err(Refusal::UnknownPayee)) };
    Ok(match refund.verify(root, &key) {
        Ok(refund) => Ok(VerifiedRefund { refund, object: object.to_vec() }),
        Err(VerifyError::Malformed) => Err(Refusal::Malformed),
        Err(_) => Err(Refusal::Signature),
    })
}
