//! What a person is shown before they pay, and after: only what was verified.

use armring_token::{
    KeyList, PayeeCertificate, PayeeRights, PaymentRequest, PaymentToken, Receipt, Unverified, Verified, VerifyError,
};
use armring_wire::{Amount, Outcome, PayeeRef, RequestDigest, RootFingerprint, UnixTime};
use thiserror::Error;

/// A payment request that may be shown: the payee's certificate and the request verified, and they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    name: String,
    memo: String,
    amount: Amount,
    expiry: UnixTime,
    digest: RequestDigest,
    object: Vec<u8>,
}

/// Why a request is not shown. Whoever sent it is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The request or the certificate does not verify.
    #[error("the request or its certificate does not verify: {0}")]
    NotVerified(#[from] VerifyError),
    /// The request is of another payee than the certificate, or asks for what that payee may not ask.
    #[error("the payee's certificate does not cover this request")]
    NotCovered,
    /// The certificate or the request is not valid at this time.
    #[error("the request or its certificate has expired")]
    Expired,
}

impl Offer {
    /// Verifies a payee's `certificate` and `request`, as they came, at `now`.
    ///
    /// # Errors
    /// An [`OfferError`] says why there is nothing to show.
    pub fn verify(
        request: &[u8],
        certificate: &[u8],
        root: &RootFingerprint,
        key_list: &Verified<KeyList>,
        now: UnixTime,
    ) -> Result<Self, OfferError> {
        let unverified = Unverified::<PayeeCertificate<'_>>::parse(certificate).map_err(VerifyError::from)?;
        let issuer = key_list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let certificate = unverified.verify(root, &issuer)?;
        let key = certificate.payee_key().ok_or(VerifyError::Key)?;
        let request_object = request;
        let request = Unverified::<PaymentRequest<'_>>::parse(request).map_err(VerifyError::from)?.verify(root, &key)?;
        let covered = request.payee == PayeeRef::Certificate(certificate.payee)
            && request.amount.currency() == certificate.currency
            && certificate.rights.allows(PayeeRights::PAYMENT);
        if !covered {
            return Err(OfferError::NotCovered);
        }
        if !certificate.validity.contains(now) || request.expiry <= now {
            return Err(OfferError::Expired);
        }
        Ok(Self {
            name: certificate.name.as_str().to_owned(),
            memo: request.memo.as_str().to_owned(),
            amount: request.amount,
            expiry: request.expiry,
            digest: request.request_digest(),
            object: request_object.to_vec(),
        })
    }

    /// The payee's name, as the issuer certified it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the payee says it is for.
    #[must_use]
    pub fn memo(&self) -> &str {
        &self.memo
    }

    /// How much.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// Until when.
    #[must_use]
    pub const fn expiry(&self) -> UnixTime {
        self.expiry
    }

    /// The request, as it came, for the band.
    #[must_use]
    pub fn object(&self) -> &[u8] {
        &self.object
    }

    /// Whether the band's `token` answers this offer: its request, its amount. The signature is for the issuer to verify.
    #[must_use]
    pub fn is_answered_by(&self, token: &[u8]) -> bool {
        Unverified::<PaymentToken>::parse(token)
            .is_ok_and(|token| token.claims().request == self.digest && token.claims().amount == self.amount)
    }
}

/// Verifies that `receipt` is the issuer's for `token`, and says what became of it.
///
/// # Errors
/// A [`VerifyError`] where either is not what it should be, or the receipt is for another token.
pub fn verify_receipt(
    receipt: &[u8],
    token: &[u8],
    root: &RootFingerprint,
    key_list: &Verified<KeyList>,
) -> Result<Outcome, VerifyError> {
    let receipt = Unverified::<Receipt>::parse(receipt)?;
    let key = key_list.signing_key(receipt.claims().key, receipt.claims().time)?;
    let receipt = receipt.verify(root, &key)?;
    let token = Unverified::<PaymentToken>::parse(token)?;
    if token.token_digest(root) == receipt.token { Ok(receipt.outcome) } else { Err(VerifyError::Malformed) }
}
