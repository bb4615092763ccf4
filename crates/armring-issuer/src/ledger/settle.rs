//! How every ledger answers a payment: look, judge, sign, write.

use core::fmt;

use armring_token::{Minor, Sequence};
use armring_wire::{Amount, Outcome, TokenDigest, UnixTime};

use crate::error::MachineError;
use crate::judge::{DAY, Facts, judge};
use crate::policy::Policy;
use crate::redeem::VerifiedPayment;

/// Signs the receipt for a ruling: the object's bytes. It is called inside the transaction, so that the receipt is kept with what it says.
pub type SignReceipt<'a> = dyn Fn(&Ruling) -> Result<Vec<u8>, MachineError> + 'a;

/// On what terms payments are settled.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The issuer's clock.
    pub now: UnixTime,
    /// What the issuer allows.
    pub policy: &'a Policy,
    /// Signs receipts.
    pub sign: &'a SignReceipt<'a>,
}

impl fmt::Debug for Terms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("now", &self.now).field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// What was ruled about a token, which its receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Which token.
    pub token: TokenDigest,
    /// What became of it.
    pub outcome: Outcome,
    /// How many tokens of its credential were answered, this one included.
    pub sequence: Sequence,
    /// When.
    pub time: UnixTime,
    /// Settled + voided + offline total: up to where the band may sign for payees without network.
    pub ceiling: Amount,
    /// Settled + voided, in minor units.
    pub(crate) total: i64,
}

/// The final answer to a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which token.
    pub token: TokenDigest,
    /// What became of it.
    pub outcome: Outcome,
    /// The signed receipt.
    pub receipt: Vec<u8>,
    /// Whether it was answered before, with this very receipt.
    pub repeated: bool,
}

/// What a ledger can look up and write, inside one transaction.
pub(super) trait Books<'p> {
    /// The answer that this very token got before.
    fn answered(&self, payment: &VerifiedPayment) -> Result<Option<Answer>, MachineError>;

    /// What there is to know about the payment. Velocity counts what was settled after `since`.
    fn facts(&self, payment: &VerifiedPayment, since: UnixTime) -> Result<Facts, MachineError>;

    /// Writes the ruling and its receipt; moves money where it says settled; freezes the credential where it says cloned.
    fn record(
        &mut self,
        payment: &'p VerifiedPayment,
        facts: &Facts,
        ruling: &Ruling,
        receipt: &[u8],
    ) -> Result<(), MachineError>;
}

/// Answers one payment.
pub(super) fn settle_one<'p>(
    books: &mut impl Books<'p>,
    payment: &'p VerifiedPayment,
    terms: &Terms<'_>,
) -> Result<Answer, MachineError> {
    if let Some(answer) = books.answered(payment)? {
        return Ok(answer);
    }
    let facts = books.facts(payment, terms.now.saturating_sub(DAY))?;
    let outcome = judge(payment, &facts, terms.policy, terms.now);
    let ruling = rule(payment, &facts, outcome, terms.now)?;
    let receipt = (terms.sign)(&ruling)?;
    books.record(payment, &facts, &ruling, &receipt)?;
    Ok(Answer { token: ruling.token, outcome, receipt, repeated: false })
}

fn rule(payment: &VerifiedPayment, facts: &Facts, outcome: Outcome, now: UnixTime) -> Result<Ruling, MachineError> {
    const FULL: MachineError = MachineError::Damaged("a credential's totals are more than there can be");
    let payer = &facts.payer;
    // Intervals do not overlap and end at i64::MAX at the latest, so their sum does too.
    let added = match (outcome, payment.interval()) {
        (Outcome::Cloned, _) | (_, None) => 0,
        (_, Some(interval)) => interval.len(),
    };
    let total = payer.total.checked_add(added).ok_or(FULL)?;
    let ceiling = u64::try_from(total).map_err(|_| FULL)?.saturating_add(payer.credential.limits.offline_total.0);
    Ok(Ruling {
        token: payment.digest(),
        outcome,
        sequence: Sequence(payer.answered.0.checked_add(1).ok_or(FULL)?),
        time: now,
        ceiling: Minor(ceiling).of(payer.credential.currency),
        total,
    })
}
