//! What must hold before a token says anything: every signature, and that token and request speak of the same payment.

use armring_token::{PayeeKey, PaymentRequest, PaymentToken, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::Refusal;
use armring_wire::{PayeeRef, RootFingerprint, TokenDigest, UnixTime};

use crate::error::MachineError;
use crate::ledger::Ledger;

/// A payment of which every signature verified, and of which request and token agree on digest, payee, amount and currency. There is no
/// other way to make one than [`Issuer::verify`](crate::Issuer::verify), and nothing else reaches the ledger.
#[derive(Clone, Debug)]
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
        let start = i64::try_from(self.token.interval_start()?.0).ok()?;
        let end = i64::try_from(self.token.cumulative.0).ok()?;
        (start < end).then_some(Interval { start, end })
    }
}

/// A part of a cumulative total: above `start`, up to and including `end`, in minor units. `0 ≤ start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    start: i64,
    end: i64,
}

impl Interval {
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

/// Verifies a token against the request that it answers.
///
/// The outer error is the machine's, the inner one the answer to whoever sent these bytes.
pub(crate) fn verify(
    root: &RootFingerprint,
    ledger: &dyn Ledger,
    request_object: &[u8],
    token_object: &[u8],
) -> Result<Result<VerifiedPayment, Refusal>, MachineError> {
    let (Ok(token), Ok(request)) =
        (Unverified::<PaymentToken>::parse(token_object), Unverified::<PaymentRequest<'_>>::parse(request_object))
    else {
        return Ok(Err(Refusal::Malformed));
    };
    if !agree(root, token.claims(), &request) {
        return Ok(Err(Refusal::Mismatch));
    }
    let Some(credential) = ledger.credential(token.claims().credential)? else {
        return Ok(Err(Refusal::UnknownCredential));
    };
    let Some(payee_key) = payee_key(ledger, request.claims().payee)? else {
        return Ok(Err(Refusal::UnknownPayee));
    };
    let payment_key = credential.credential.payment_key().ok_or(MachineError::Damaged("a credential has no key"))?;
    let verified = token.verify(root, &payment_key).and_then(|token| Ok((token, request.verify(root, &payee_key)?)));
    Ok(match verified {
        Ok((token, request)) => Ok(VerifiedPayment {
            token,
            token_object: token_object.to_vec(),
            request_object: request_object.to_vec(),
            expiry: request.expiry,
        }),
        Err(VerifyError::Malformed) => Err(Refusal::Malformed),
        Err(_) => Err(Refusal::Signature),
    })
}

/// Whether the token answers this request.
fn agree(root: &RootFingerprint, token: &PaymentToken, request: &Unverified<'_, PaymentRequest<'_>>) -> bool {
    let asked = request.claims();
    token.request == request.request_digest(root) && token.payee == asked.payee && token.amount == asked.amount
}

/// The key that a payee signs requests and refunds with.
pub(crate) fn payee_key(ledger: &dyn Ledger, payee: PayeeRef) -> Result<Option<PayeeKey>, MachineError> {
    Ok(match payee {
        PayeeRef::Certificate(id) => ledger.payee(id)?.map(|payee| payee.key),
        PayeeRef::Credential(id) => {
            ledger.credential(id)?.and_then(|record| record.credential.payment_key()).map(|key| key.as_payee())
        }
    })
}
