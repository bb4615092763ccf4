//! How every ledger answers a refund: look, judge, sign, write.

use core::fmt;

use armring_token::Minor;
use armring_wire::{Amount, Outcome, RefundDigest, TokenDigest, UnixTime};

use crate::error::MachineError;
use crate::judge::{RefundFacts, judge_refund};
use crate::refund::VerifiedRefund;

/// Signs the receipt for a refund's ruling: the object's bytes. It is called inside the transaction.
pub type SignRefund<'a> = dyn Fn(&RefundRuling) -> Result<Vec<u8>, MachineError> + 'a;

/// On what terms money is given back.
#[derive(Clone, Copy)]
pub struct RefundTerms<'a> {
    /// The issuer's clock.
    pub now: UnixTime,
    /// Signs refund receipts.
    pub sign: &'a SignRefund<'a>,
}

impl fmt::Debug for RefundTerms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefundTerms").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What was ruled about a refund, which its receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundRuling {
    /// Which refund.
    pub refund: RefundDigest,
    /// Of which payment.
    pub token: TokenDigest,
    /// What became of it.
    pub outcome: Outcome,
    /// How much of the payment is left that can be given back.
    pub left: Amount,
    /// When.
    pub time: UnixTime,
    /// How much was given back, in minor units: nothing where it was refused.
    pub(crate) given: i64,
}

/// The final answer to a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAnswer {
    /// Which refund.
    pub refund: RefundDigest,
    /// What became of it.
    pub outcome: Outcome,
    /// The signed refund receipt.
    pub receipt: Vec<u8>,
    /// Whether it was answered before, with this very receipt.
    pub repeated: bool,
}

/// What a ledger can look up and write about refunds, inside one transaction.
pub(super) trait RefundBooks {
    /// The answer that this very refund got before.
    fn refunded(&mut self, refund: &VerifiedRefund) -> Result<Option<RefundAnswer>, MachineError>;

    /// What there is to know about the payment; `None` where there was none by this token to this payee.
    fn refund_facts(&mut self, refund: &VerifiedRefund) -> Result<Option<RefundFacts>, MachineError>;

    /// Writes the ruling and its receipt; moves money back where it says settled.
    fn record_refund(
        &mut self,
        refund: &VerifiedRefund,
        facts: &RefundFacts,
        ruling: &RefundRuling,
        receipt: &[u8],
    ) -> Result<(), MachineError>;
}

/// Answers one refund.
pub(super) fn refund_one(
    books: &mut impl RefundBooks,
    refund: &VerifiedRefund,
    terms: &RefundTerms<'_>,
) -> Result<Option<RefundAnswer>, MachineError> {
    if let Some(answer) = books.refunded(refund)? {
        return Ok(Some(answer));
    }
    let Some(facts) = books.refund_facts(refund)? else { return Ok(None) };
    let ruling = rule(refund, &facts, terms.now)?;
    let receipt = (terms.sign)(&ruling)?;
    books.record_refund(refund, &facts, &ruling, &receipt)?;
    Ok(Some(RefundAnswer { refund: ruling.refund, outcome: ruling.outcome, receipt, repeated: false }))
}

fn rule(refund: &VerifiedRefund, facts: &RefundFacts, now: UnixTime) -> Result<RefundRuling, MachineError> {
    let outcome = judge_refund(refund, facts);
    let given = if outcome.is_settled() { refund.refund().amount.minor() } else { 0 };
    Ok(RefundRuling {
        refund: refund.digest(),
        token: refund.refund().token,
        outcome,
        left: Minor(facts.left().saturating_sub(given)).of(facts.amount.currency()),
        time: now,
        given: i64::try_from(given).map_err(|_| MachineError::Damaged("a refund is more than there can be"))?,
    })
}
