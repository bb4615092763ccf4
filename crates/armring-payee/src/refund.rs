//! Giving back what a sale was paid, in whole or in part.

use armring_token::{Form, KeyList, Object, Refund, RefundReceipt, Signature, Unverified, Verified, VerifyError};
use armring_wire::records::OBJECT_MAX;
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::{Amount, Opaque, Outcome, RefundDigest, decode_record};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::{ReceiptError, RefundError};
use crate::payee::Payee;
use crate::sale::Sale;

/// A refund that was signed, and its receipt when there is one.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) object: Vec<u8>,
    pub(crate) digest: RefundDigest,
    pub(crate) amount: Amount,
    pub(crate) receipt: Option<Answer>,
}

/// The issuer's answer to it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) object: Vec<u8>,
    pub(crate) outcome: Outcome,
    pub(crate) left: Amount,
}

/// What the issuer said about a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// The final answer: settled, or why not.
    Answered(Outcome),
    /// Nothing was recorded. The refund may be asked for again.
    Refused(Refusal),
}

impl<S: MultipartSigner<Signature>> Payee<S> {
    /// Signs that `amount` of what settled `sale` is given back. The sale keeps it: [store](Sale::to_bytes) it, then ask the issuer with [`Sale::ask_refund`], as often as it
    /// takes, and let [`Sale::refund_answered`] take its answer.
    ///
    /// # Errors
    /// A [`RefundError`]; nothing has then changed.
    pub fn refund<R: TryCryptoRng>(&self, sale: &mut Sale, amount: Amount, rng: &mut R) -> Result<RefundDigest, RefundError> {
        if self.reference() != sale.payee {
            return Err(RefundError::OtherPayee);
        }
        let left = sale.left().ok_or(RefundError::NotSettled)?;
        let taken = sale.tokens.settled().ok_or(RefundError::NotSettled)?;
        if amount.is_zero() || amount.currency() != left.currency() || amount.minor() > left.minor() {
            return Err(RefundError::Exceeds);
        }
        let mut nonce = [0; 16];
        rng.try_fill_bytes(&mut nonce).map_err(|_| RefundError::Randomness)?;
        let refund = Refund { form: Form, payee: sale.payee, token: taken.digest, amount, nonce };
        let mut buffer = [0; OBJECT_MAX];
        let object = refund.sign(&sale.root, self.signing(), &mut buffer)?;
        let digest = Unverified::<Refund>::parse(object).map_err(|_| RefundError::Randomness)?.refund_digest(&sale.root);
        sale.refunds.push(Given { object: object.to_vec(), digest, amount, receipt: None });
        Ok(digest)
    }
}

impl Sale {
    /// How much of the payment can still be given back, as far as is known here: what a refund that was signed takes counts, answered or
    /// not, unless it was refused. `None` while the sale is not settled.
    #[must_use]
    pub fn left(&self) -> Option<Amount> {
        self.settled()?;
        let sum = |counts: fn(&Given) -> bool| {
            let given = self.refunds.iter().filter(|given| counts(given));
            given.fold(0_u64, |sum, given| sum.saturating_add(given.amount.minor()))
        };
        let here = self.amount().minor().saturating_sub(sum(Given::counts));
        // The issuer knows of refunds that were made elsewhere. What it says is left only falls, so that the least is the latest.
        let there = self.refunds.iter().filter_map(|given| Some(given.receipt.as_ref()?.left.minor())).min();
        let there = there.map_or(u64::MAX, |left| left.saturating_sub(sum(|given| given.receipt.is_none())));
        Some(Amount::new(here.min(there), self.amount().currency()))
    }

    /// What to ask the issuer about a refund: the same bytes each time. `None` where there is no such refund.
    #[must_use]
    pub fn ask_refund(&self, refund: &RefundDigest) -> Option<ToIssuer<'_>> {
        let given = self.refunds.iter().find(|given| given.digest == *refund)?;
        Some(ToIssuer::Refund(Opaque::new(&given.object)?))
    }

    /// The refunds that the issuer has not answered.
    pub fn open_refunds(&self) -> impl Iterator<Item = RefundDigest> + '_ {
        self.refunds.iter().filter(|given| given.receipt.is_none()).map(|given| given.digest)
    }

    /// The issuer's receipt for a refund, once there is one.
    #[must_use]
    pub fn refund_receipt(&self, refund: &RefundDigest) -> Option<&[u8]> {
        let given = self.refunds.iter().find(|given| given.digest == *refund)?;
        given.receipt.as_ref().map(|answer| answer.object.as_slice())
    }

    /// Takes the issuer's answer to [`ask_refund`](Self::ask_refund). Its first receipt is final.
    ///
    /// # Errors
    /// A [`ReceiptError`] where this is not the issuer's answer to this refund; nothing has then changed.
    pub fn refund_answered(
        &mut self,
        refund: &RefundDigest,
        answer: &[u8],
        key_list: &Verified<KeyList>,
    ) -> Result<Refunded, ReceiptError> {
        let object = match decode_record(answer) {
            Ok(FromIssuer::Refunded(receipt)) => receipt.as_bytes(),
            Ok(FromIssuer::Refused(why)) => return Ok(Refunded::Refused(why)),
            _ => return Err(ReceiptError::NoAnswer),
        };
        let unverified = Unverified::<RefundReceipt>::parse(object).map_err(VerifyError::from)?;
        let key = key_list.signing_key(unverified.claims().key, unverified.claims().time)?;
        let receipt = unverified.verify(&self.root, &key)?;
        let settled = self.tokens.settled().map(|taken| taken.digest);
        let is_ours =
            receipt.refund == *refund && Some(receipt.token) == settled && receipt.left.currency() == self.amount().currency();
        let given = self.refunds.iter_mut().find(|given| is_ours && given.digest == *refund).ok_or(ReceiptError::OtherToken)?;
        let answer = || Answer { object: object.to_vec(), outcome: receipt.outcome, left: receipt.left };
        Ok(Refunded::Answered(given.receipt.get_or_insert_with(answer).outcome))
    }
}

impl Given {
    /// Whether it takes from what is left: it was not refused.
    pub(crate) fn counts(&self) -> bool {
        self.receipt.as_ref().is_none_or(|answer| answer.outcome.is_settled())
    }
}
