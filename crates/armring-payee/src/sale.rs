//! One sale: a request, the token that answers it, and the issuer's receipt.

use armring_token::{KeyList, PaymentRequest, PaymentToken, Receipt, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Amount, DecodeError, Opaque, Outcome, PayeeRef, RequestDigest, RootFingerprint, TokenDigest, decode_record};

use crate::error::{ReceiptError, TokenError};

/// How many tokens a sale keeps at most. Tokens that wait for the issuer's answer are never let go of for newer ones.
const TOKENS_MAX: usize = 8;

/// A sale, from the request to the receipt. It is only paid when a receipt that says so has verified.
///
/// ```text
///  asked ──take(token)──▶ waits for the issuer ──answer(receipt)──▶ settled
///    ▲                                               │
///    └───── another token may be tried ◀── refused ──┘
/// ```
///
/// The token's signature is the issuer's to verify: a payee does not have the credential that its key is in. What a sale checks is that the
/// token answers this request, with this amount, for this payee. A forged token therefore waits beside the real one and never in its way.
#[derive(Clone, Debug)]
pub struct Sale {
    root: RootFingerprint,
    request: Vec<u8>,
    certificate: Vec<u8>,
    digest: RequestDigest,
    payee: PayeeRef,
    amount: Amount,
    tokens: Vec<Taken>,
}

/// A token that was taken, and its receipt when there is one.
#[derive(Clone, Debug)]
struct Taken {
    token: Vec<u8>,
    digest: TokenDigest,
    receipt: Option<(Vec<u8>, Outcome)>,
}

impl Taken {
    fn is_settled(&self) -> bool {
        self.receipt.as_ref().is_some_and(|(_, outcome)| outcome.is_settled())
    }
}

/// A payment that settled a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled<'a> {
    /// The token, as it came.
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
    /// Redeem this token: ask the issuer with [`Sale::redeem`], take its answer with [`Sale::issuer_says`], and say what that gives.
    Redeem(TokenDigest),
}

impl Sale {
    /// A sale over a request that was signed here.
    pub(crate) fn new(request: &[u8], certificate: &[u8], root: &RootFingerprint) -> Result<Self, VerifyError> {
        let unverified = Unverified::<PaymentRequest<'_>>::parse(request)?;
        let PaymentRequest { payee, amount, .. } = *unverified.claims();
        let digest = unverified.request_digest(root);
        Ok(Self {
            root: *root,
            request: request.to_vec(),
            certificate: certificate.to_vec(),
            digest,
            payee,
            amount,
            tokens: Vec::new(),
        })
    }

    /// A sale over a request that a wearer's band signed, whose credential stands in for a certificate.
    ///
    /// The signature is not verified here, since whoever receives has their own band's word for it; the issuer verifies it at redeeming.
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

    /// What the request is known by.
    #[must_use]
    pub const fn digest(&self) -> RequestDigest {
        self.digest
    }

    /// The payment that settled this sale, once there is one.
    #[must_use]
    pub fn settled(&self) -> Option<Settled<'_>> {
        let taken = self.tokens.iter().find(|taken| taken.is_settled())?;
        let (receipt, _) = taken.receipt.as_ref()?;
        Some(Settled { token: &taken.token, receipt })
    }

    /// What a payer's wallet said: one record.
    pub fn hear(&mut self, record: &[u8]) -> Heard<'_> {
        let token = match decode_record(record) {
            Ok(ToPayee::Ask) => return Heard::Answer(self.ask()),
            Ok(ToPayee::Token(token)) => token,
            Err(DecodeError::UnknownVariant(variant)) => return Heard::Answer(FromPayee::Unknown(variant)),
            Ok(ToPayee::Offline { .. } | ToPayee::Unknown(_)) | Err(_) => {
                return Heard::Answer(FromPayee::Refused(Refusal::Malformed));
            }
        };
        match self.take(token.as_bytes()) {
            Ok(digest) => match self.find(&digest).and_then(|taken| Opaque::new(&taken.receipt.as_ref()?.0)) {
                Some(receipt) => Heard::Answer(FromPayee::Receipt(receipt)),
                None => Heard::Redeem(digest),
            },
            Err(error) => Heard::Answer(match error {
                TokenError::Malformed => FromPayee::Refused(Refusal::Malformed),
                TokenError::OtherRequest => FromPayee::Refused(Refusal::Mismatch),
                TokenError::TooMany => FromPayee::Refused(Refusal::Busy),
                TokenError::AlreadySettled => FromPayee::Nothing,
            }),
        }
    }

    fn ask(&self) -> FromPayee<'_> {
        match (Opaque::new(&self.request), Opaque::new(&self.certificate)) {
            (Some(request), Some(certificate)) if self.settled().is_none() => FromPayee::Request { request, certificate },
            _ => FromPayee::Nothing,
        }
    }

    fn find(&self, digest: &TokenDigest) -> Option<&Taken> {
        self.tokens.iter().find(|taken| taken.digest == *digest)
    }

    /// Takes a token, to be redeemed. One that was taken before is the same one.
    ///
    /// While it waits, a copy with another signature takes its place: neither is verified yet. What [`Settled`] gives has the right body and
    /// receipt, but may have such a copy's signature.
    ///
    /// # Errors
    /// A [`TokenError`]; nothing has then changed.
    pub fn take(&mut self, token: &[u8]) -> Result<TokenDigest, TokenError> {
        let unverified = Unverified::<PaymentToken>::parse(token).map_err(|_| TokenError::Malformed)?;
        let claims = unverified.claims();
        if claims.request != self.digest || claims.amount != self.amount || claims.payee != self.payee {
            return Err(TokenError::OtherRequest);
        }
        let digest = unverified.token_digest(&self.root);
        match self.tokens.iter_mut().find(|taken| taken.digest == digest) {
            // The same body under another signature: the issuer has verified neither yet, so the latest is tried.
            Some(taken) if taken.receipt.is_none() => token.clone_into(&mut taken.token),
            Some(_) => {}
            None => self.keep(Taken { token: token.to_vec(), digest, receipt: None })?,
        }
        Ok(digest)
    }

    fn keep(&mut self, taken: Taken) -> Result<(), TokenError> {
        if self.settled().is_some() {
            return Err(TokenError::AlreadySettled);
        }
        if self.tokens.len() >= TOKENS_MAX {
            let refused = self.tokens.iter().position(|taken| taken.receipt.is_some()).ok_or(TokenError::TooMany)?;
            self.tokens.remove(refused);
        }
        self.tokens.push(taken);
        Ok(())
    }

    /// What to ask the issuer about a token; `None` where it was not taken. Asking again is safe: the same token gets the same receipt.
    #[must_use]
    pub fn redeem(&self, token: &TokenDigest) -> Option<ToIssuer<'_>> {
        let token = Opaque::new(&self.find(token)?.token)?;
        Some(ToIssuer::Redeem { request: Opaque::new(&self.request)?, token })
    }

    /// Takes the issuer's answer to [`redeem`](Self::redeem) and gives what to say to the wallet.
    ///
    /// What the issuer did not verify is let go of. Where it is busy, the token waits to be redeemed again.
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
                self.answer(receipt.as_bytes(), key_list)?;
                Ok(FromPayee::Receipt(receipt))
            }
            Ok(FromIssuer::Refused(why)) => {
                if why != Refusal::Busy {
                    self.tokens.retain(|taken| taken.digest != *token || taken.receipt.is_some());
                }
                Ok(FromPayee::Refused(why))
            }
            _ => Err(ReceiptError::NoAnswer),
        }
    }

    /// Takes the issuer's receipt for a token that was taken, and says what became of it.
    ///
    /// # Errors
    /// A [`ReceiptError`]; nothing has then changed.
    pub fn answer(&mut self, receipt: &[u8], key_list: &Verified<KeyList>) -> Result<Outcome, ReceiptError> {
        let unverified = Unverified::<Receipt>::parse(receipt).map_err(VerifyError::from)?;
        let key = key_list.signing_key(unverified.claims().key, unverified.claims().time)?;
        let verified = unverified.verify(&self.root, &key)?;
        let taken = self.tokens.iter_mut().find(|taken| taken.digest == verified.token).ok_or(ReceiptError::OtherToken)?;
        // The issuer's first answer is final.
        let (_, outcome) = taken.receipt.get_or_insert_with(|| (receipt.to_vec(), verified.outcome));
        Ok(*outcome)
    }
}
