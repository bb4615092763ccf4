//! What is looked up and written when a payment is given back.

use armring_wire::{Outcome, TokenDigest, UnixTime};

use super::super::model::Reference;
use super::super::refund::{RefundAnswer, RefundBooks, RefundRuling};
use super::{Holding, MemoryLedger};
use crate::error::MachineError;
use crate::judge::RefundFacts;
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// A refund that was answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refunded {
    pub(super) answer: RefundAnswer,
    pub(super) token: TokenDigest,
    /// In minor units: nothing where it was refused.
    pub(super) given: i64,
    pub(super) time: UnixTime,
    /// As it came.
    pub(super) object: Vec<u8>,
}

impl RefundBooks for MemoryLedger {
    fn refunded(&mut self, refund: &VerifiedRefund) -> Result<Option<RefundAnswer>, MachineError> {
        let before = self.refunds.get(&refund.digest());
        Ok(before.map(|before| RefundAnswer { repeated: true, ..before.answer.clone() }))
    }

    fn refund_facts(&mut self, refund: &VerifiedRefund) -> Result<Option<RefundFacts>, MachineError> {
        let refund = refund.refund();
        let found = self.credentials.values().find_map(|holding| Some((holding, holding.answered(refund.token)?)));
        let Some((holding, (outcome, payment))) = found.filter(|(_, (_, payment))| payment.token().payee == refund.payee) else {
            return Ok(None);
        };
        Ok(Some(RefundFacts {
            outcome,
            amount: payment.token().amount,
            refunded: self.given_back(refund.token),
            payer_account: self.find_account(holding.record.credential.account)?,
            payee: self.receiver(refund.payee)?,
        }))
    }

    fn record_refund(
        &mut self,
        refund: &VerifiedRefund,
        facts: &RefundFacts,
        ruling: &RefundRuling,
        receipt: &[u8],
    ) -> Result<(), MachineError> {
        if ruling.outcome.is_settled() {
            let (from, to) = (facts.payee.account.id, facts.payer_account.id);
            self.transfer(from, to, ruling.given, Reference::Refund(ruling.refund), ruling.time)
                .ok_or(MachineError::Damaged("a balance is more than there can be"))?;
        }
        let (digest, outcome, object) = (ruling.refund, ruling.outcome, refund.object().to_vec());
        let answer = RefundAnswer { refund: digest, outcome, receipt: receipt.to_vec(), repeated: false };
        self.refunds.insert(digest, Refunded { answer, token: ruling.token, given: ruling.given, time: ruling.time, object });
        Ok(())
    }
}

impl MemoryLedger {
    /// How much of a payment was given back, in minor units.
    pub(super) fn given_back(&self, token: TokenDigest) -> i64 {
        self.refunds.values().filter(|refund| refund.token == token).fold(0, |sum, refund| sum.saturating_add(refund.given))
    }
}

impl Holding {
    /// What became of this token, if it is one of this credential's.
    pub(super) fn answered(&self, token: TokenDigest) -> Option<(Outcome, &VerifiedPayment)> {
        let settled_or_voided = self.tokens.values().map(|token| (&token.answer, &token.payment));
        let cloned = self.clones.values().map(|clone| (&clone.answer, &clone.payment));
        let (answer, payment) = settled_or_voided.chain(cloned).find(|(answer, _)| answer.token == token)?;
        Some((answer.outcome, payment))
    }
}
