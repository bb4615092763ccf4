//! Reads all books and compares.

use std::collections::{BTreeMap, BTreeSet};

use armring_wire::{AccountPseudonym, CredentialId, Currency, Outcome, PayeeRef, RequestDigest};

use super::super::audit::Faults;
use super::super::audit::matching::{Cause, Group, Moved};
use super::super::audit::signed::{SignedRefund, SignedToken};
use super::super::credential::CredentialState;
use super::super::model::{Fault, Reference, float_account};
use super::{Holding, MemoryLedger};
use crate::redeem::{Interval, VerifiedPayment};

impl MemoryLedger {
    pub(super) fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        let checks = [
            self.wrongly_moved(),
            self.settled_twice(),
            self.unbalanced(),
            self.wrong_balances(),
            self.wrong_totals(),
            self.wrong_clones(),
            self.wrongly_revoked(),
        ];
        for found in checks {
            faults.next_check();
            let _ = faults.extend(found);
        }
        faults
    }

    /// The same, and every object that was signed.
    pub(super) fn all_faults(&self) -> Faults {
        let mut faults = self.faults();
        faults.next_check();
        for (id, holding) in &self.credentials {
            let _ = faults.extend(holding.signed(*id).filter_map(|signed| signed.fault()));
        }
        faults.next_check();
        let _ = faults.extend(self.refunds.iter().filter_map(|(digest, refund)| {
            let (outcome, receipt) = (refund.answer.outcome, &*refund.answer.receipt);
            let (token, given, time, object) = (refund.token, refund.given, refund.time, &*refund.object);
            SignedRefund { digest: *digest, token, given, outcome, time, receipt, object }.fault()
        }));
        faults
    }

    /// Every entry is explained by a token, refund or deposit, each of which has exactly its entries.
    fn wrongly_moved(&self) -> Vec<Fault> {
        let mut groups = BTreeMap::<Reference, Group>::new();
        for holding in self.credentials.values() {
            for token in holding.tokens.values() {
                let settled =
                    if token.answer.outcome.is_settled() { token.payment.interval().map_or(0, Interval::len) } else { 0 };
                let cause = Cause { time: Some(token.time), ..self.cause(holding, &token.payment, settled) };
                groups.entry(Reference::Payment(token.answer.token)).or_default().cause(cause);
            }
            for clone in holding.clones.values() {
                groups.entry(Reference::Payment(clone.answer.token)).or_default().cause(self.cause(holding, &clone.payment, 0));
            }
        }
        for (digest, refund) in &self.refunds {
            let payment = self.credentials.values().find_map(|holding| Some((holding, holding.answered(refund.token)?)));
            let back = payment.map(|(holding, (_, payment))| self.cause(holding, payment, refund.given));
            let back = back.map(|cause| Cause { from: cause.to, to: cause.from, time: Some(refund.time), ..cause });
            let nobody = Cause { from: None, to: None, minor: refund.given, currency: 0, time: None };
            groups.entry(Reference::Refund(*digest)).or_default().cause(back.unwrap_or(nobody));
            groups.entry(Reference::Payment(refund.token)).or_default().give_back(refund.given);
        }
        for (reference, (account, amount)) in &self.deposits {
            let (from, minor) = (float_account(amount.currency()), i64::try_from(amount.minor()).unwrap_or(i64::MAX));
            let currency = amount.currency().numeric();
            let cause = Cause { from: Some(from), to: Some(*account), minor, currency, time: None };
            groups.entry(Reference::Deposit(*reference)).or_default().cause(cause);
        }
        for (account, entry) in &self.entries {
            let (change, currency, time) = (entry.change, entry.currency.numeric(), entry.time);
            groups.entry(entry.reference).or_default().entry(Moved { account: *account, change, currency, time });
        }
        groups.iter().flat_map(|(reference, group)| group.faults(*reference)).collect()
    }

    /// What a payment explains.
    fn cause(&self, holding: &Holding, payment: &VerifiedPayment, minor: i64) -> Cause {
        let to = match payment.token().payee {
            PayeeRef::Certificate(id) => self.payees.get(&id).map(|payee| payee.account),
            PayeeRef::Credential(id) => self.credentials.get(&id).map(|holding| holding.record.credential.account),
        };
        let (from, currency) = (Some(holding.record.credential.account), payment.token().amount.currency().numeric());
        Cause { from, to, minor, currency, time: None }
    }

    fn settled_twice(&self) -> Vec<Fault> {
        let (mut faults, mut settled) = (Vec::new(), BTreeSet::<RequestDigest>::new());
        let tokens = self.credentials.values().flat_map(|holding| holding.tokens.values());
        for token in tokens.filter(|token| token.answer.outcome.is_settled()) {
            let request = token.payment.token().request;
            if !settled.insert(request) {
                faults.push(Fault::SettledTwice(request));
            } else if self.settled_requests.get(&request) != Some(&token.answer.token) {
                faults.push(Fault::NotListed(request));
            }
        }
        let listed = self.settled_requests.keys().filter(|request| !settled.contains(request));
        faults.extend(listed.map(|request| Fault::NotSettled(*request)));
        faults
    }

    fn unbalanced(&self) -> Vec<Fault> {
        let mut sums = BTreeMap::<u16, i128>::new();
        for (_, entry) in &self.entries {
            *sums.entry(entry.currency.numeric()).or_default() += i128::from(entry.change);
        }
        let unbalanced = sums.into_iter().filter(|(_, sum)| *sum != 0);
        unbalanced.filter_map(|(currency, _)| Currency::from_numeric(currency).map(Fault::Unbalanced)).collect()
    }

    fn wrong_balances(&self) -> Vec<Fault> {
        let mut sums = BTreeMap::<AccountPseudonym, i128>::new();
        for (account, entry) in &self.entries {
            *sums.entry(*account).or_default() += i128::from(entry.change);
        }
        let is_wrong = |account: &&super::Account| {
            let sum = sums.get(&account.id).copied().unwrap_or_default();
            sum != i128::from(account.balance) || (sum < 0 && account.id != float_account(account.currency))
        };
        self.accounts.values().filter(is_wrong).map(|account| Fault::Balance(account.id)).collect()
    }

    fn wrong_totals(&self) -> Vec<Fault> {
        self.credentials.iter().filter(|(_, holding)| !holding.agrees()).map(|(id, _)| Fault::Totals(*id)).collect()
    }

    fn wrong_clones(&self) -> Vec<Fault> {
        let wrong = |holding: &'_ Holding| {
            let pays_on = holding.record.unfrozen != CredentialState::Cloned;
            let of_nothing = |clone: &super::Clone_| holding.conflict(&clone.payment).is_none();
            let wrong = holding.clones.iter().filter(|(_, clone)| pays_on || of_nothing(clone));
            wrong.map(|(digest, _)| Fault::Clone(*digest)).collect::<Vec<_>>()
        };
        self.credentials.values().flat_map(wrong).collect()
    }

    fn wrongly_revoked(&self) -> Vec<Fault> {
        let payees = self.payees.values().map(|payee| (PayeeRef::Certificate(payee.id), payee.revoked));
        let credential =
            |(id, holding): (&CredentialId, &Holding)| (PayeeRef::Credential(*id), holding.record.state().is_listed());
        let all = payees.chain(self.credentials.iter().map(credential));
        let wrong = all.filter(|(subject, revoked)| self.revoked.is_revoked(*subject) != *revoked);
        wrong.map(|(subject, _)| Fault::Revocation(subject)).collect()
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

    /// What was signed of this credential.
    fn signed(&self, credential: CredentialId) -> impl Iterator<Item = SignedToken<'_>> {
        let tokens = self.tokens.iter().map(move |(counter, token)| SignedToken {
            digest: token.answer.token,
            credential,
            took: Some((*counter, token.payment.interval().map(|interval| (interval.start(), interval.end())))),
            outcome: token.answer.outcome,
            time: token.time,
            receipt: &token.answer.receipt,
            token: token.payment.token_object(),
            request: token.payment.request_object(),
        });
        let clones = self.clones.iter().map(move |(digest, clone)| SignedToken {
            digest: *digest,
            credential,
            took: None,
            outcome: Outcome::Cloned,
            time: clone.evidence.time,
            receipt: &clone.answer.receipt,
            token: clone.payment.token_object(),
            request: clone.payment.request_object(),
        });
        tokens.chain(clones)
    }
}
