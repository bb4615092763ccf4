//! Reads all books and compares.

use std::collections::BTreeMap;

use armring_wire::{AccountPseudonym, Currency, RequestDigest};

use super::super::model::{Fault, float_account};
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
        faults
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
