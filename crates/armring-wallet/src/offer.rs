//! What a person is shown before they pay, and after: only what was verified.

use armring_token::{
    Credential, CredentialRights, KeyList, PayeeCertificate, PayeeRights, PaymentRequest, PaymentToken, Receipt, Unverified,
    Verified, VerifyError,
};
use armring_wire::uri::{PaymentUri, UriError};
use armring_wire::{Amount, Outcome, PayeeRef, RequestDigest, RootFingerprint, UnixTime};
use thiserror::Error;

/// A payment request that may be shown: the payee's certificate, or the credential that stands in for it, and the request verified, and they
/// agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    name: Option<String>,
    memo: String,
    payee: PayeeRef,
    amount: Amount,
    expiry: UnixTime,
    digest: RequestDigest,
    object: Vec<u8>,
    certificate: Vec<u8>,
}

/// Why a request is not shown. Whoever sent it is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The URI is none, or about something else.
    #[error(transparent)]
    Uri(#[from] UriError),
    /// The URI does not say who asks: the payee is to be asked for its certificate.
    #[error("there is no certificate with the request")]
    Uncertified,
    /// The request or the certificate does not verify.
    #[error("the request or its certificate does not verify: {0}")]
    NotVerified(VerifyError),
    /// The request is of another payee than the certificate or the credential, or asks for what that payee may not ask.
    #[error("the payee's certificate or credential does not cover this request")]
    NotCovered,
    /// The certificate, the credential or the request is not valid at this time.
    #[error("the request, or what its payee is certified with, has expired")]
    Expired,
}

impl From<VerifyError> for OfferError {
    fn from(error: VerifyError) -> Self {
        Self::NotVerified(error)
    }
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
        let certificate_object = certificate;
        let unverified = Unverified::<PayeeCertificate<'_>>::parse(certificate).map_err(VerifyError::from)?;
        let issuer = key_list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let certificate = unverified.verify(root, &issuer)?;
        let key = certificate.payee_key().ok_or(VerifyError::Key)?;
        let signed = Unverified::<PaymentRequest<'_>>::parse(request).map_err(VerifyError::from)?.verify(root, &key)?;
        let covered = signed.payee == PayeeRef::Certificate(certificate.payee)
            && signed.amount.currency() == certificate.currency
            && certificate.rights.allows(PayeeRights::PAYMENT);
        if !covered {
            return Err(OfferError::NotCovered);
        }
        if !certificate.validity.contains(now) || signed.expiry <= now {
            return Err(OfferError::Expired);
        }
        let name = Some(certificate.name.as_str().to_owned());
        Ok(Self::of(&signed, signed.request_digest(), name, request, certificate_object))
    }

    /// Verifies a wearer's `request` with the `credential` that stands in for a certificate, as they came, at `now`. The issuer has certified
    /// that this is one of its users who may receive, and no name: who it is, the payer has to know.
    ///
    /// # Errors
    /// An [`OfferError`] says why there is nothing to show.
    pub fn verify_person(
        request: &[u8],
        credential: &[u8],
        root: &RootFingerprint,
        key_list: &Verified<KeyList>,
        now: UnixTime,
    ) -> Result<Self, OfferError> {
        let unverified = Unverified::<Credential>::parse(credential).map_err(VerifyError::from)?;
        let issuer = key_list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let verified = unverified.verify(root, &issuer)?;
        let key = verified.payment_key().ok_or(VerifyError::Key)?.as_payee();
        let signed = Unverified::<PaymentRequest<'_>>::parse(request).map_err(VerifyError::from)?.verify(root, &key)?;
        let covered = signed.payee == PayeeRef::Credential(verified.id)
            && signed.amount.currency() == verified.currency
            && verified.rights.allows(CredentialRights::RECEIVE);
        if !covered {
            return Err(OfferError::NotCovered);
        }
        if !verified.validity.contains(now) || signed.expiry <= now {
            return Err(OfferError::Expired);
        }
        Ok(Self::of(&signed, signed.request_digest(), None, request, credential))
    }

    /// Verifies what a QR code, an NFC tag or a link says is to be paid: a payee's request with its certificate, or a wearer's with the
    /// credential.
    ///
    /// # Errors
    /// An [`OfferError`] says why there is nothing to show.
    pub fn from_uri(uri: &str, root: &RootFingerprint, key_list: &Verified<KeyList>, now: UnixTime) -> Result<Self, OfferError> {
        let mut buffer = [0; PaymentUri::PAYLOAD_MAX];
        let PaymentUri { request, certificate } = PaymentUri::decode(uri, &mut buffer)?;
        let (request, certificate) = (request.as_bytes(), certificate.as_bytes());
        if certificate.is_empty() {
            return Err(OfferError::Uncertified);
        }
        match Unverified::<PaymentRequest<'_>>::parse(request).map_err(VerifyError::from)?.claims().payee {
            PayeeRef::Certificate(_) => Self::verify(request, certificate, root, key_list, now),
            PayeeRef::Credential(_) => Self::verify_person(request, certificate, root, key_list, now),
        }
    }

    /// The offer that was made of these objects once, out of the app's own storage.
    pub(crate) fn stored(request: &[u8], certificate: &[u8], root: &RootFingerprint) -> Option<Self> {
        let unverified = Unverified::<PaymentRequest<'_>>::parse(request).ok()?;
        let name = match unverified.claims().payee {
            PayeeRef::Certificate(_) => {
                Some(Unverified::<PayeeCertificate<'_>>::parse(certificate).ok()?.claims().name.as_str().to_owned())
            }
            PayeeRef::Credential(_) => None,
        };
        Some(Self::of(unverified.claims(), unverified.request_digest(root), name, request, certificate))
    }

    fn of(request: &PaymentRequest<'_>, digest: RequestDigest, name: Option<String>, object: &[u8], certificate: &[u8]) -> Self {
        Self {
            name,
            memo: request.memo.as_str().to_owned(),
            payee: request.payee,
            amount: request.amount,
            expiry: request.expiry,
            digest,
            object: object.to_vec(),
            certificate: certificate.to_vec(),
        }
    }

    /// The payee's name, as the issuer certified it; `None` for a person, who has none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Who is to be paid.
    #[must_use]
    pub const fn payee(&self) -> PayeeRef {
        self.payee
    }

    /// The payee's certificate, as it came, or the credential that stands in for it: for a band that shows who asks.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
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

    /// Whether the band's `token` answers this offer: its request, its payee, its amount. The signature is for the issuer to verify.
    #[must_use]
    pub fn is_answered_by(&self, token: &[u8]) -> bool {
        Unverified::<PaymentToken>::parse(token).is_ok_and(|token| {
            let PaymentToken { request, payee, amount, .. } = *token.claims();
            (request, payee, amount) == (self.digest, self.payee, self.amount)
        })
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
    if token.token_digest(root) == receipt.token { Ok(receipt.outcome) } else { Err(VerifyError::OtherObject) }
}
