//! One sale: a request, the token that answers it, and the issuer's receipt.

use armring_token::{
    Credential, CredentialRights, KeyList, PaymentRequest, PaymentToken, Receipt, Unverified, Verified, VerifyError,
};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::uri::PaymentUri;
use armring_wire::{
    Amount, DecodeError, Opaque, Outcome, PayeeRef, RequestDigest, RootFingerprint, TokenDigest, UnixTime, decode_record,
};

use crate::error::{Error, ReceiptError, TokenError};
use crate::refund::Given;
use crate::taken::Tokens;

/// A sale, from the request to the receipt. It is only paid when a receipt that says so has verified.
///
/// ```text
///         ┌──take(token)──▶ waits for the issuer ──┐
///  asked ─┤                                        ├─issuer_says(receipt)─▶ settled ──▶ refunds
///    ▲    └──accept_offline(token, credential)─▶ pending                       │
///    └───────────────── another token may be tried ◀── refused ────────────────┘
/// ```
///
/// With network the token's signature is the issuer's to verify: a payee need not have the credential that its key is in. What a sale checks
/// then is that the token answers this request, with this amount, for this payee. A forged token therefore waits beside the real one and never
/// in its way for long: where there is no room, one that waits is redeemed first. Without network it is verified here: see [`Sale::accept_offline`].
///
/// A payee that may be started again stores its sales: see [`Sale::to_bytes`].
#[derive(Clone, Debug)]
pub struct Sale {
    pub(crate) root: RootFingerprint,
    request: Vec<u8>,
    /// The payee's certificate, or the credential that stands in for it.
    certificate: Vec<u8>,
    digest: RequestDigest,
    pub(crate) payee: PayeeRef,
    amount: Amount,
    pub(crate) expiry: UnixTime,
    pub(crate) tokens: Tokens,
    pub(crate) refunds: Vec<Given>,
}

/// A payment that settled a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled<'a> {
    /// The token, under the signature that the issuer verified.
    pub token: &'a [u8],
    /// The receipt for it.
    pub receipt: &'a [u8],
}

/// What is to be done with what a payer's wallet said.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the wallet waits for an answer"]
pub enum Heard<'a> {
    /// Say this to the wallet.
    Answer(FromPayee<'a>),
    /// Redeem this token: ask the issuer with [`Sale::redeem`], take its answer with [`Sale::issuer_says`], and say what that gives. Where the
    /// issuer cannot be reached, say what [`Sale::hear_offline`] gives. It may be one that came before, and has to make room.
    Redeem(TokenDigest),
}

impl Sale {
    /// A sale over a request that was signed here.
    pub(crate) fn new(request: &[u8], certificate: &[u8], root: &RootFingerprint) -> Result<Self, VerifyError> {
        let unverified = Unverified::<PaymentRequest<'_>>::parse(request)?;
        let PaymentRequest { payee, amount, expiry, .. } = *unverified.claims();
        Ok(Self {
            root: *root,
            request: request.to_vec(),
            certificate: certificate.to_vec(),
            digest: unverified.request_digest(root),
            payee,
            amount,
            expiry,
            tokens: Tokens::default(),
            refunds: Vec::new(),
        })
    }

    /// A sale over a request that a wearer's band signed. The band's `credential` stands in for a certificate.
    ///
    /// # Errors
    /// [`Error::NotVerified`] where the credential or the request does not verify, [`Error::NotAllowed`] where the credential is not the
    /// request's, may not receive, or is for another currency.
    pub fn from_signed_request(
        request: &[u8],
        credential: &[u8],
        root: &RootFingerprint,
        key_list: &Verified<KeyList>,
    ) -> Result<Self, Error> {
        let credential_object = credential;
        let unverified = Unverified::<Credential>::parse(credential).map_err(VerifyError::from)?;
        let issuer = key_list.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let credential = unverified.verify(root, &issuer)?;
        let key = credential.payment_key().ok_or(VerifyError::Key)?.as_payee();
        let signed = Unverified::<PaymentRequest<'_>>::parse(request).map_err(VerifyError::from)?.verify(root, &key)?;
        let allowed = signed.payee == PayeeRef::Credential(credential.id)
            && credential.rights.allows(CredentialRights::RECEIVE)
            && signed.amount.currency() == credential.currency;
        if allowed { Ok(Self::new(request, credential_object, root)?) } else { Err(Error::NotAllowed) }
    }

    /// The signed request.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// The payee's certificate, or the credential that stands in for it.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The request and by whom it is, as a QR code, an NFC tag or a link carries them; `None` is never the case for what was signed here.
    #[must_use]
    pub fn uri(&self) -> Option<String> {
        let uri = PaymentUri { request: Opaque::new(&self.request)?, certificate: Opaque::new(&self.certificate)? };
        uri.encode(&mut [0; PaymentUri::MAX_LEN]).ok().map(str::to_owned)
    }

    /// How much is asked.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// What the request is known by.
    #[must_use]
    pub const fn digest(&self) -> RequestDigest {
        self.digest
    }

    /// The payment that settled this sale, once there is one.
    #[must_use]
    pub fn settled(&self) -> Option<Settled<'_>> {
        let taken = self.tokens.settled()?;
        let (receipt, _) = taken.receipt()?;
        Some(Settled { token: taken.token(), receipt })
    }

    /// What a payer's wallet said: one record.
    pub fn hear(&mut self, record: &[u8]) -> Heard<'_> {
        let token = match decode_record(record) {
            Ok(ToPayee::Ask) => return Heard::Answer(self.ask()),
            // Whoever can ask the issuer needs no credential.
            Ok(ToPayee::Token(token) | ToPayee::Offline { token, .. }) => token,
            Err(error) => return Heard::Answer(unheard(error)),
            Ok(ToPayee::Unknown(_)) => return Heard::Answer(FromPayee::Refused(Refusal::Malformed)),
        };
        match self.take(token.as_bytes()) {
            Ok(digest) => self.receipt_for(&digest).map_or(Heard::Redeem(digest), Heard::Answer),
            // The issuer may never have been asked about what is in its way, or the answer was lost: that goes first, and makes room.
            Err(TokenError::TooMany) => match self.in_the_way_of(token.as_bytes()) {
                Some(digest) => Heard::Redeem(digest),
                None => Heard::Answer(TokenError::TooMany.into()),
            },
            Err(error) => Heard::Answer(error.into()),
        }
    }

    pub(crate) fn ask(&self) -> FromPayee<'_> {
        if self.tokens.is_open().is_err() {
            return FromPayee::Nothing;
        }
        let Some(request) = Opaque::new(&self.request) else { return FromPayee::Nothing };
        let asks = match self.payee {
            PayeeRef::Certificate(_) => {
                Opaque::new(&self.certificate).map(|certificate| FromPayee::Request { request, certificate })
            }
            PayeeRef::Credential(_) => Opaque::new(&self.certificate).map(|credential| FromPayee::Person { request, credential }),
        };
        asks.unwrap_or(FromPayee::Nothing)
    }

    /// The final answer about a token, where there is one.
    pub(crate) fn receipt_for(&self, digest: &TokenDigest) -> Option<FromPayee<'_>> {
        let (receipt, _) = self.tokens.find(digest)?.receipt()?;
        Opaque::new(receipt).map(FromPayee::Receipt)
    }

    /// Takes a token, to be redeemed. One that was taken before is the same one; while it waits, a copy under another signature is kept beside
    /// it, since neither is verified yet.
    ///
    /// # Errors
    /// A [`TokenError`]; nothing has then changed.
    pub fn take(&mut self, token: &[u8]) -> Result<TokenDigest, TokenError> {
        let digest = self.answered_by(token)?.token_digest(&self.root);
        self.tokens.keep(digest, token)?;
        Ok(digest)
    }

    /// Which of the tokens that wait is to be redeemed first, where there is no room for this one.
    fn in_the_way_of(&self, token: &[u8]) -> Option<TokenDigest> {
        let digest = self.answered_by(token).ok()?.token_digest(&self.root);
        self.tokens.find(&digest).or_else(|| self.tokens.waiting()).map(|taken| taken.digest)
    }

    /// The token, if it answers this request with this amount for this payee.
    pub(crate) fn answered_by<'t>(&self, token: &'t [u8]) -> Result<Unverified<'t, PaymentToken>, TokenError> {
        let unverified = Unverified::<PaymentToken>::parse(token).map_err(|_| TokenError::Malformed)?;
        let claims = unverified.claims();
        let answers = claims.request == self.digest && claims.amount == self.amount && claims.payee == self.payee;
        if answers { Ok(unverified) } else { Err(TokenError::OtherRequest) }
    }

    /// What to ask the issuer about a token; `None` where it was not taken. Asking again is safe: the same token gets the same receipt.
    #[must_use]
    pub fn redeem(&self, token: &TokenDigest) -> Option<ToIssuer<'_>> {
        let token = Opaque::new(self.tokens.find(token)?.token())?;
        Some(ToIssuer::Redeem { request: Opaque::new(&self.request)?, token })
    }

    /// Takes the issuer's answer to [`redeem`](Self::redeem) and gives what to say to the wallet.
    ///
    /// What the issuer did not verify is let go of, so that a copy under another signature is redeemed next, if there is one. Where it is busy,
    /// the token waits to be redeemed again. A pending token waits whatever the issuer says, unless it is a receipt.
    ///
    /// # Errors
    /// A [`ReceiptError`] where this is not the issuer's answer; nothing has then changed, and the wallet is to be told to try again.
    pub fn issuer_says<'a>(
        &mut self,
        token: &TokenDigest,
        answer: &'a [u8],
        key_list: &Verified<KeyList>,
    ) -> Result<FromPayee<'a>, ReceiptError> {
        match decode_record(answer) {
            Ok(FromIssuer::Receipt(receipt)) => {
                self.answer(token, receipt.as_bytes(), key_list)?;
                Ok(FromPayee::Receipt(receipt))
            }
            Ok(FromIssuer::Refused(why)) => {
                match why {
                    Refusal::Busy => {}
                    Refusal::Signature => self.tokens.drop_copy(token),
                    _ => self.tokens.drop_body(token),
                }
                let accepted = why == Refusal::Busy && self.tokens.find(token).is_some_and(|taken| taken.is_pending());
                Ok(if accepted { FromPayee::Pending } else { FromPayee::Refused(why) })
            }
            _ => Err(ReceiptError::NoAnswer),
        }
    }

    fn answer(&mut self, token: &TokenDigest, receipt: &[u8], key_list: &Verified<KeyList>) -> Result<Outcome, ReceiptError> {
        let unverified = Unverified::<Receipt>::parse(receipt).map_err(VerifyError::from)?;
        let key = key_list.signing_key(unverified.claims().key, unverified.claims().time)?;
        let verified = unverified.verify(&self.root, &key)?;
        let taken = self.tokens.find_mut(token).filter(|taken| taken.digest == verified.token);
        Ok(taken.ok_or(ReceiptError::OtherToken)?.answer(receipt, verified.outcome))
    }
}

/// The answer to what is no record that this payee knows.
pub(crate) const fn unheard(error: DecodeError) -> FromPayee<'static> {
    match error {
        DecodeError::UnknownVariant(variant) => FromPayee::Unknown(variant),
        _ => FromPayee::Refused(Refusal::Malformed),
    }
}

impl From<TokenError> for FromPayee<'_> {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Malformed => Self::Refused(Refusal::Malformed),
            TokenError::OtherRequest => Self::Refused(Refusal::Mismatch),
            TokenError::TooMany => Self::Refused(Refusal::Busy),
            TokenError::AlreadySettled | TokenError::AlreadyPending => Self::Nothing,
        }
    }
}
