//! One sale: a request, the token that answers it, and the issuer's receipt.

use armring_token::{KeyList, PaymentRequest, PaymentToken, Receipt, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::{Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{
    Amount, DecodeError, Opaque, Outcome, PayeeRef, RequestDigest, RootFingerprint, TokenDigest, decode_record,
};

use crate::error::{ReceiptError, TokenError};

/// A sale, from the request to the receipt. It is only paid when a receipt that says so has verified.
///
/// ```text
///  asked ──take(token)──▶ being redeemed ──answer(receipt)──▶ settled
///    ▲                                          │
///    └──── another token may be tried ◀── finally refused
/// ```
///
/// The token's signature is the issuer's to verify: a payee does not have the credential that its key is in. What a sale checks is that the
/// token answers this request, with this amount, for this payee.
#[derive(Clone, Debug)]
pub struct Sale {
    root: RootFingerprint,
    request: Vec<u8>,
    certificate: Vec<u8>,
    digest: RequestDigest,
    payee: PayeeRef,
    amount: Amount,
    answer: Option<Taken>,
}

/// A token that was taken, and its receipt when there is one.
#[derive(Clone, Debug)]
struct Taken {
    token: Vec<u8>,
    digest: TokenDigest,
    receipt: Option<(Vec<u8>, Outcome)>,
}

/// What is to be done with what a payer's wallet said.
#[derive(Debug)]
#[must_use = "the wallet waits for an answer"]
pub enum Heard<'a> {
    /// Say this to the wallet.
    Answer(FromPayee<'a>),
    /// Redeem the token: ask the issuer with [`Sale::redeem`], then say what [`Sale::receipt`] gives.
    Redeem,
}

impl Sale {
    /// A sale over a request that was signed here.
    pub(crate) fn new(request: &[u8], certificate: &[u8], root: &RootFingerprint) -> Result<Self, VerifyError> {
        let unverified = Unverified::<PaymentRequest<'_>>::parse(request)?;
        let PaymentRequest { payee, amount, .. } = *unverified.claims();
        let digest = unverified.request_digest(root);
        Ok(Self { root: *root, request: request.to_vec(), certificate: certificate.to_vec(), digest, payee, amount, answer: None })
    }

    /// A sale over a request that a wearer's band signed, whose credential stands in for a certificate.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] where `request` is none.
    pub fn from_signed_request(request: &[u8], root: &RootFingerprint) -> Result<Self, VerifyError> {
        Self::new(request, &[], root)
    }

    /// The signed request, to be shown as a QR code or a link.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// How much is asked.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// The token that was taken, if one was.
    #[must_use]
    pub fn token(&self) -> Option<&[u8]> {
        self.answer.as_ref().map(|taken| taken.token.as_slice())
    }

    /// The receipt, once there is one.
    #[must_use]
    pub fn receipt(&self) -> Option<&[u8]> {
        self.answer.as_ref()?.receipt.as_ref().map(|(receipt, _)| receipt.as_slice())
    }

    /// What became of the token, once the issuer said so.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.answer.as_ref()?.receipt.as_ref().map(|(_, outcome)| *outcome)
    }

    /// Whether the money is there.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.outcome().is_some_and(Outcome::is_settled)
    }

    /// What a payer's wallet said: one record.
    pub fn hear(&mut self, record: &[u8]) -> Heard<'_> {
        let token = match decode_record(record) {
            Ok(ToPayee::Ask) => return Heard::Answer(self.ask()),
            Ok(ToPayee::Token(token)) => token,
            Err(DecodeError::UnknownVariant(variant)) => return Heard::Answer(FromPayee::Unknown(variant)),
            Ok(ToPayee::Unknown(_)) | Err(_) => return Heard::Answer(FromPayee::Refused(Refusal::Malformed)),
        };
        match self.take(token.as_bytes()) {
            Ok(()) => match self.receipt().and_then(Opaque::new) {
                Some(receipt) => Heard::Answer(FromPayee::Receipt(receipt)),
                None => Heard::Redeem,
            },
            Err(TokenError::Malformed) => Heard::Answer(FromPayee::Refused(Refusal::Malformed)),
            Err(TokenError::OtherRequest) => Heard::Answer(FromPayee::Refused(Refusal::Mismatch)),
            Err(TokenError::Pending | TokenError::AlreadySettled) => Heard::Answer(FromPayee::Refused(Refusal::Busy)),
        }
    }

    fn ask(&self) -> FromPayee<'_> {
        match (Opaque::new(&self.request), Opaque::new(&self.certificate)) {
            (Some(request), Some(certificate)) if !self.is_settled() => FromPayee::Request { request, certificate },
            _ => FromPayee::Nothing,
        }
    }

    /// Takes a token. The one that was taken before is taken again; a receipt that there is already stays.
    ///
    /// # Errors
    /// A [`TokenError`]; nothing has then changed.
    pub fn take(&mut self, token: &[u8]) -> Result<(), TokenError> {
        let unverified = Unverified::<PaymentToken>::parse(token).map_err(|_| TokenError::Malformed)?;
        let claims = unverified.claims();
        if claims.request != self.digest || claims.amount != self.amount || claims.payee != self.payee {
            return Err(TokenError::OtherRequest);
        }
        let digest = unverified.token_digest(&self.root);
        match &self.answer {
            Some(taken) if taken.token == token => return Ok(()),
            Some(taken) => match &taken.receipt {
                Some((_, outcome)) if outcome.is_settled() => return Err(TokenError::AlreadySettled),
                Some(_) => {}
                None => return Err(TokenError::Pending),
            },
            None => {}
        }
        self.answer = Some(Taken { token: token.to_vec(), digest, receipt: None });
        Ok(())
    }

    /// What to ask the issuer; `None` before a token was taken. Asking again is safe: the same token gets the same receipt.
    #[must_use]
    pub fn redeem(&self) -> Option<ToIssuer<'_>> {
        let token = Opaque::new(&self.answer.as_ref()?.token)?;
        Some(ToIssuer::Redeem { request: Opaque::new(&self.request)?, token })
    }

    /// Takes the issuer's receipt for the token that was taken, and says what became of it.
    ///
    /// # Errors
    /// A [`ReceiptError`]; nothing has then changed.
    pub fn answer(&mut self, receipt: &[u8], key_list: &Verified<KeyList>) -> Result<Outcome, ReceiptError> {
        let taken = self.answer.as_mut().ok_or(ReceiptError::OtherToken)?;
        let unverified = Unverified::<Receipt>::parse(receipt).map_err(VerifyError::from)?;
        let key = key_list.signing_key(unverified.claims().key, unverified.claims().time)?;
        let verified = unverified.verify(&self.root, &key)?;
        if verified.token != taken.digest {
            return Err(ReceiptError::OtherToken);
        }
        taken.receipt = Some((receipt.to_vec(), verified.outcome));
        Ok(verified.outcome)
    }

    /// Gives the token up that the issuer did not verify, so that another may be tried.
    ///
    /// What the issuer refuses without a receipt is recorded nowhere. A token that only went unanswered is not given up: it may be settled.
    pub fn give_up(&mut self) {
        if self.answer.as_ref().is_some_and(|taken| taken.receipt.is_none()) {
            self.answer = None;
        }
    }
}
