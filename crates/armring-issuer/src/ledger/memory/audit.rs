//! Reads all books and compares.

use std::collections::{BTreeMap, BTreeSet};

use armring_wire::{AccountPseudonym, CredentialId, Currency, PayeeRef, RefundDigest, RequestDigest};

use super::super::model::{Fault, Reference, float_account};
use super::refunds::Refunded;
use super::{Holding, MemoryLedger};
use crate::redeem::Interval;

impl MemoryLedger {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut sums = BTreeMap::<u16, i128>::new();
        let mut balances = BTreeMap::<AccountPseudonym, i128>::new();
        for (account, entry) in &self.entries {
            *sums.entry(entry.currency.numeric()).or_default() += i128::from(entry.change);
            *balances.entry(*account).or_default() += i128::from(entry.change);
        }
        let currency = |(code, sum): (u16, i128)| Currency::from_numeric(code).filter(|_| sum != 0).map(Fault::Unbalanced);
        let mut faults: Vec<_> = sums.into_iter().filter_map(currency).collect();
        for account in self.accounts.values() {
            let sum = balances.get(&account.id).copied().unwrap_or_default();
            let is_float = account.id == float_account(account.currency);
            if sum != i128::from(account.balance) || (sum < 0 && !is_float) {
                faults.push(Fault::Balance(account.id));
            }
        }
        faults.extend(self.credentials.iter().filter(|(_, holding)| !holding.agrees()).map(|(id, _)| Fault::Totals(*id)));
        faults.extend(self.settled_twice());
        faults.extend(self.wrong_refunds());
        faults.extend(self.wrongly_revoked());
        faults
    }

    fn wrong_refunds(&self) -> Vec<Fault> {
        let mut moved = BTreeMap::<RefundDigest, i64>::new();
        for (_, entry) in &self.entries {
            if let (Reference::Refund(refund), true) = (entry.reference, entry.change > 0) {
                moved.insert(refund, entry.change);
            }
        }
        let paid = |token| {
            let answered = self.credentials.values().find_map(|holding| holding.answered(token));
            let settled = answered.filter(|(outcome, _)| outcome.is_settled());
            settled.and_then(|(_, payment)| payment.interval()).map_or(0, Interval::len)
        };
        let is_wrong = |(digest, refund): &(&RefundDigest, &Refunded)| {
            moved.get(digest).copied().unwrap_or_default() != refund.given || self.given_back(refund.token) > paid(refund.token)
        };
        let wrong: BTreeSet<_> = self.refunds.iter().filter(is_wrong).map(|(_, refund)| refund.token).collect();
        wrong.into_iter().map(Fault::Refunds).collect()
    }

    fn wrongly_revoked(&self) -> Vec<Fault> {
        let payees = self.payees.values().map(|payee| (PayeeRef::Certificate(payee.id), payee.revoked));
        let credential =
            |(id, holding): (&CredentialId, &Holding)| (PayeeRef::Credential(*id), holding.record.state().is_listed());
        let all = payees.chain(self.credentials.iter().map(credential));
        let wrong = all.filter(|(subject, revoked)| self.revoked.is_revoked(*subject) != *revoked);
        wrong.map(|(subject, _)| Fault::Revocation(subject)).collect()
    }

    fn settled_twice(&self) -> Vec<Fault> {
        let mut settled = BTreeMap::<RequestDigest, usize>::new();
        let tokens = self.credentials.values().flat_map(|holding| holding.tokens.values());
        for token in tokens.filter(|token| token.answer.outcome.is_settled()) {
            *settled.entry(token.payment.token().request).or_default() += 1;
        }
        settled.into_iter().filter(|(_, times)| *times > 1).map(|(request, _)| Fault::SettledTwice(request)).collect()
    }
}

impl Holding {
    /// Whether no totals overlap, and the counts are those of the tokens.
    fn agrees(&self) -> bool {
        let mut intervals: Vec<_> = self.tokens.values().filter_map(|token| token.payment.interval()).collect();
        intervals.sort_by_key(|interval| (interval.end(), interval.start()));
        let disjoint = intervals.iter().zip(intervals.iter().skip(1)).all(|(lower, upper)| lower.end() <= upper.start());
        let total = intervals.iter().copied().map(Interval::len).fold(0, i64::saturating_add);
        let answered = self.tokens.len().checked_add(self.clones.len()).and_then(|answered| u64::try_from(answered).ok());
        disjoint && total == self.record.total && answered == Some(self.record.answered.0)
    }
}
