//! What must hold before a token says anything: every signature, and that token and request speak of the same payment.

use armring_token::{Batch, PayeeKey, PaymentKey, PaymentRequest, PaymentToken, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::Refusal;
use armring_wire::{CredentialId, PayeeRef, RootFingerprint, TokenDigest, UnixTime};
use rand_core::TryCryptoRng;

use crate::error::MachineError;
use crate::ledger::Ledger;

/// A payment of which every signature verified, and of which request and token agree on digest, payee, amount and currency. There is no
/// other way to make one than [`Issuer::verify`](crate::Issuer::verify), and nothing else reaches the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedPayment {
    token: Verified<PaymentToken>,
    token_object: Vec<u8>,
    request_object: Vec<u8>,
    expiry: UnixTime,
}

impl VerifiedPayment {
    /// What the band signed.
    #[must_use]
    pub const fn token(&self) -> &PaymentToken {
        self.token.body()
    }

    /// What the token is known by.
    #[must_use]
    pub const fn digest(&self) -> TokenDigest {
        self.token.token_digest()
    }

    /// The signed token, as it came.
    #[must_use]
    pub fn token_object(&self) -> &[u8] {
        &self.token_object
    }

    /// The signed request, as it came.
    #[must_use]
    pub fn request_object(&self) -> &[u8] {
        &self.request_object
    }

    /// Until when the request may be paid.
    #[must_use]
    pub const fn expiry(&self) -> UnixTime {
        self.expiry
    }

    /// Which part of the credential's cumulative total the token takes. `None` where no band signs it: nothing at all, a total below the
    /// amount, or above 2⁶³ − 1.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        Interval::of(self.token())
    }
}

/// A part of a cumulative total: above `start`, up to and including `end`, in minor units. `0 ≤ start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    start: i64,
    end: i64,
}

impl Interval {
    /// What a token takes.
    pub(crate) fn of(token: &PaymentToken) -> Option<Self> {
        let start = i64::try_from(token.interval_start()?.0).ok()?;
        let end = i64::try_from(token.cumulative.0).ok()?;
        (start < end).then_some(Self { start, end })
    }

    /// What had been signed before.
    #[must_use]
    pub const fn start(self) -> i64 {
        self.start
    }

    /// What has been signed with it.
    #[must_use]
    pub const fn end(self) -> i64 {
        self.end
    }

    /// How much it takes: the amount.
    pub(crate) const fn len(self) -> i64 {
        self.end.saturating_sub(self.start)
    }
}

/// A token and a request that speak of the same payment, before any signature verified.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    token: Unverified<'a, PaymentToken>,
    request: Unverified<'a, PaymentRequest<'a>>,
    token_object: &'a [u8],
    request_object: &'a [u8],
}

impl<'a> Candidate<'a> {
    pub(crate) fn parse(root: &RootFingerprint, request_object: &'a [u8], token_object: &'a [u8]) -> Result<Self, Refusal> {
        let token = Unverified::<PaymentToken>::parse(token_object).map_err(|_| Refusal::Malformed)?;
        let request = Unverified::<PaymentRequest<'_>>::parse(request_object).map_err(|_| Refusal::Malformed)?;
        if agree(root, token.claims(), &request) {
            Ok(Self { token, request, token_object, request_object })
        } else {
            Err(Refusal::Mismatch)
        }
    }

    /// Who pays, as it claims.
    pub(crate) const fn credential(&self) -> CredentialId {
        self.token.claims().credential
    }

    /// Who is paid, as it claims.
    pub(crate) const fn payee(&self) -> PayeeRef {
        self.request.claims().payee
    }

    fn judged(&self, verdicts: BothVerdicts<'a>) -> Result<VerifiedPayment, Refusal> {
        match verdicts {
            (Ok(token), Ok(request)) => Ok(VerifiedPayment {
                token,
                token_object: self.token_object.to_vec(),
                request_object: self.request_object.to_vec(),
                expiry: request.expiry,
            }),
            (Err(VerifyError::Malformed), _) | (_, Err(VerifyError::Malformed)) => Err(Refusal::Malformed),
            _ => Err(Refusal::Signature),
        }
    }
}

type BothVerdicts<'a> = (Result<Verified<PaymentToken>, VerifyError>, Result<Verified<PaymentRequest<'a>>, VerifyError>);

/// Verifies many payments at once: as if each were verified by itself, and faster.
pub(crate) fn verify_batch<'a>(
    root: &RootFingerprint,
    payments: impl Iterator<Item = (Candidate<'a>, (PaymentKey, PayeeKey))>,
    rng: &mut impl TryCryptoRng,
) -> Vec<Result<VerifiedPayment, Refusal>> {
    let (mut batch, mut candidates) = (Batch::new(*root), Vec::new());
    for (candidate, (payment_key, payee_key)) in payments {
        batch.push((candidate.token.signed_by(payment_key), candidate.request.signed_by(payee_key)));
        candidates.push(candidate);
    }
    let verdicts = batch.verify(rng);
    candidates.iter().zip(verdicts).map(|(candidate, verdicts)| candidate.judged(verdicts)).collect()
}

/// Verifies a token against the request that it answers.
///
/// The outer error is the machine's, the inner one the answer to whoever sent these bytes.
pub(crate) fn verify(
    root: &RootFingerprint,
    ledger: &dyn Ledger,
    request_object: &[u8],
    token_object: &[u8],
) -> Result<Result<VerifiedPayment, Refusal>, MachineError> {
    let candidate = match Candidate::parse(root, request_object, token_object) {
        Ok(candidate) => candidate,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(credential) = ledger.credential(candidate.credential())? else {
        return Ok(Err(Refusal::UnknownCredential));
    };
    let Some(payee_key) = payee_key(ledger, candidate.payee())? else {
        return Ok(Err(Refusal::UnknownPayee));
    };
    let payment_key = credential.credential.payment_key().ok_or(MachineError::Damaged("a credential has no key"))?;
    let token = candidate.token.verify(root, &payment_key);
    let request = if token.is_ok() { candidate.request.verify(root, &payee_key) } else { Err(VerifyError::Signature) };
    Ok(candidate.judged((token, request)))
}

/// Whether the token answers this request.
fn agree(root: &RootFingerprint, token: &PaymentToken, request: &Unverified<'_, PaymentRequest<'_>>) -> bool {
    let asked = request.claims();
    token.request == request.request_digest(root) && token.payee == asked.payee && token.amount == asked.amount
}

/// The key that a payee signs requests and refunds with.
pub(crate) fn payee_key(ledger: &dyn Ledger, payee: PayeeRef) -> Result<Option<PayeeKey>, MachineError> {
    Ok(match payee {
        PayeeRef::Certificate(id) => match ledger.payee(id)? {
            Some(payee) => Some(payee.key().ok_or(MachineError::Damaged("a payee has no key"))?),
            None => None,
        },
        PayeeRef::Credential(id) => {
            ledger.credential(id)?.and_then(|record| record.credential.payment_key()).map(|key| key.as_payee())
        }
    })
}
