//! What was signed, compared with what is written beside it. Signatures are not verified again: that was done before it was written.

use armring_token::{PaymentRequest, PaymentToken, Receipt, Refund, RefundReceipt, Unverified};
use armring_wire::{CredentialId, Outcome, RefundDigest, TokenDigest, UnixTime};

use super::super::model::Fault;
use crate::redeem::Interval;

/// A token that was answered.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct SignedToken<'a> {
    pub(in super::super) digest: TokenDigest,
    pub(in super::super) credential: CredentialId,
    /// Which counter it took, and from where to where in the credential's total; `None` for a token that was refused as cloned.
    pub(in super::super) took: Option<(u32, Option<(i64, i64)>)>,
    pub(in super::super) outcome: Outcome,
    pub(in super::super) time: UnixTime,
    pub(in super::super) receipt: &'a [u8],
    pub(in super::super) token: &'a [u8],
    pub(in super::super) request: &'a [u8],
}

impl SignedToken<'_> {
    pub(in super::super) fn fault(&self) -> Option<Fault> {
        (self.agrees() != Some(true)).then_some(Fault::Receipt(self.digest))
    }

    /// `None` where it cannot be read.
    fn agrees(&self) -> Option<bool> {
        let receipt = *Unverified::<Receipt>::parse(self.receipt).ok()?.claims();
        let token = *Unverified::<PaymentToken>::parse(self.token).ok()?.claims();
        let request = Unverified::<PaymentRequest<'_>>::parse(self.request).ok()?;
        let takes = (token.counter.0, Interval::of(&token).map(|interval| (interval.start(), interval.end())));
        Some(
            (receipt.token, receipt.outcome, receipt.time) == (self.digest, self.outcome, self.time)
                && token.credential == self.credential
                && (token.payee, token.amount) == (request.claims().payee, request.claims().amount)
                && self.took.is_none_or(|took| took == takes),
        )
    }
}

/// A refund that was answered.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct SignedRefund<'a> {
    pub(in super::super) digest: RefundDigest,
    pub(in super::super) token: TokenDigest,
    /// In minor units: nothing where it was refused.
    pub(in super::super) given: i64,
    pub(in super::super) outcome: Outcome,
    pub(in super::super) time: UnixTime,
    pub(in super::super) receipt: &'a [u8],
    pub(in super::super) object: &'a [u8],
}

impl SignedRefund<'_> {
    pub(in super::super) fn fault(&self) -> Option<Fault> {
        (self.agrees() != Some(true)).then_some(Fault::RefundReceipt(self.digest))
    }

    /// `None` where it cannot be read.
    fn agrees(&self) -> Option<bool> {
        let receipt = *Unverified::<RefundReceipt>::parse(self.receipt).ok()?.claims();
        let refund = *Unverified::<Refund>::parse(self.object).ok()?.claims();
        let given = if self.outcome.is_settled() { refund.amount.minor() } else { 0 };
        Some(
            (receipt.refund, receipt.token, receipt.outcome, receipt.time) == (self.digest, self.token, self.outcome, self.time)
                && refund.token == self.token
                && u64::try_from(self.given) == Ok(given),
        )
    }
}
