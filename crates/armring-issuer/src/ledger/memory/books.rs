//! What is looked up and written when a payment is settled.

use armring_token::Gesture;
use armring_wire::{AccountPseudonym, Outcome, PayeeRef, UnixTime};

use super::super::credential::{CredentialState, Evidence};
use super::super::model::{Account, Entry, Reference};
use super::super::settle::{Answer, Books, Ruling};
use super::{Clone_, Holding, MemoryLedger, Token};
use crate::error::MachineError;
use crate::judge::{Facts, FreeRun, Receiver};
use crate::redeem::{Interval, VerifiedPayment};

const NO_CREDENTIAL: MachineError = MachineError::Damaged("a payment's credential is gone");
const NO_ACCOUNT: MachineError = MachineError::Damaged("an account is gone");
const NO_PAYEE: MachineError = MachineError::Damaged("a payment's payee is gone");

impl Books<'_> for MemoryLedger {
    fn answered(&self, payment: &VerifiedPayment) -> Result<Option<Answer>, MachineError> {
        let holding = self.credentials.get(&payment.token().credential).ok_or(NO_CREDENTIAL)?;
        let same = |answer: &&Answer| answer.token == payment.digest();
        let by_counter = holding.tokens.get(&payment.token().counter.0).map(|token| &token.answer).filter(same);
        let answer = by_counter.or_else(|| holding.clones.get(&payment.digest()).map(|clone| &clone.answer));
        Ok(answer.map(|answer| Answer { repeated: true, ..answer.clone() }))
    }

    fn facts(&self, payment: &VerifiedPayment, since: UnixTime) -> Result<Facts, MachineError> {
        let holding = self.credentials.get(&payment.token().credential).ok_or(NO_CREDENTIAL)?;
        let recent = |token: &&Token| token.answer.outcome.is_settled() && token.time > since;
        let amounts = holding.tokens.values().filter(recent).filter_map(|token| token.payment.interval()).map(Interval::len);
        Ok(Facts {
            conflict: holding.conflict(payment).map(|token| token.answer.token),
            request_settled: self.settled_requests.contains_key(&payment.token().request),
            payer: holding.record.clone(),
            payer_account: self.find_account(holding.record.credential.account)?,
            receiver: self.receiver(payment.token().payee)?,
            settled_within_a_day: amounts.fold(0, i64::saturating_add),
            free_run: if payment.token().presence.gesture == Gesture::None {
                holding.free_run(payment)
            } else {
                FreeRun::default()
            },
        })
    }

    fn record(&mut self, payment: &VerifiedPayment, facts: &Facts, ruling: &Ruling, receipt: &[u8]) -> Result<(), MachineError> {
        let token = payment.token();
        let (payer, receiver) = (facts.payer_account.id, facts.receiver.account.id);
        if ruling.outcome.is_settled() {
            let minor = payment.interval().map(Interval::len).ok_or(MachineError::Damaged("a payment without an amount"))?;
            self.transfer(payer, receiver, minor, Reference::Payment(ruling.token), ruling.time)
                .ok_or(MachineError::Damaged("a balance is more than there can be"))?;
            self.settled_requests.insert(token.request, ruling.token);
        }
        let (outcome, time) = (ruling.outcome, ruling.time);
        if outcome == Outcome::Cloned {
            self.refuse_for_good(token.credential, CredentialState::Cloned, time)?;
        }
        let holding = self.credentials.get_mut(&token.credential).ok_or(NO_CREDENTIAL)?;
        holding.record.answered = ruling.sequence;
        holding.record.total = ruling.total;
        let answer = Answer { token: ruling.token, outcome, receipt: receipt.to_vec(), repeated: false };
        let payment = payment.clone();
        if outcome == Outcome::Cloned {
            let first = holding.conflict(&payment).map(|token| token.payment.token_object().to_vec()).unwrap_or_default();
            let evidence = Evidence { first, second: payment.token_object().to_vec(), time };
            holding.clones.insert(ruling.token, Clone_ { answer, payment, evidence });
        } else {
            holding.tokens.insert(token.counter.0, Token { answer, payment, time });
        }
        Ok(())
    }
}

impl Holding {
    /// The token that has this one's counter; else the first one whose totals overlap its; else the one with the highest total below its, or
    /// the lowest above, that has the counter on the other side.
    pub(super) fn conflict(&self, payment: &VerifiedPayment) -> Option<&Token> {
        let counter = payment.token().counter;
        if let Some(token) = self.tokens.get(&counter.0) {
            return Some(token);
        }
        let new = payment.interval()?;
        let counted = || self.tokens.values().filter_map(|token| Some((token.payment.interval()?, token)));
        let above = counted().filter(|(taken, _)| taken.end() > new.start()).min_by_key(|(taken, _)| taken.end());
        let overlaps = above.filter(|(taken, _)| taken.start() < new.end());
        let below = counted().filter(|(taken, _)| taken.end() <= new.start()).max_by_key(|(taken, _)| taken.end());
        let below = below.filter(|(_, token)| token.payment.token().counter > counter);
        let above = above.filter(|(_, token)| token.payment.token().counter < counter);
        overlaps.or(below).or(above).map(|(_, token)| token)
    }

    /// The payments without a gesture right before this one.
    fn free_run(&self, payment: &VerifiedPayment) -> FreeRun {
        let (counter, most) = (payment.token().counter.0, self.record.credential.limits.free_count.0);
        let mut run = FreeRun::default();
        for (token, expected) in self.tokens.range(..counter).rev().take(usize::from(most)).zip((0..counter).rev()) {
            if *token.0 != expected || token.1.payment.token().presence.gesture != Gesture::None {
                break;
            }
            let minor = token.1.payment.interval().map_or(0, Interval::len);
            run = FreeRun { count: run.count.saturating_add(1), total: run.total.saturating_add(minor) };
        }
        run
    }
}

impl MemoryLedger {
    pub(super) fn find_account(&self, account: AccountPseudonym) -> Result<Account, MachineError> {
        self.accounts.get(&account).copied().ok_or(NO_ACCOUNT)
    }

    pub(super) fn receiver(&self, payee: PayeeRef) -> Result<Receiver, MachineError> {
        match payee {
            PayeeRef::Certificate(id) => {
                let payee = self.payees.get(&id).ok_or(NO_PAYEE)?;
                Ok(payee.receiver(self.find_account(payee.account)?))
            }
            PayeeRef::Credential(id) => {
                let record = &self.credentials.get(&id).ok_or(NO_PAYEE)?.record;
                Ok(record.receiver(self.find_account(record.credential.account)?))
            }
        }
    }

    /// Two entries that sum to zero; `None`, and nothing changed, where a balance would be more than there can be.
    pub(super) fn transfer(
        &mut self,
        from: AccountPseudonym,
        to: AccountPseudonym,
        minor: i64,
        reference: Reference,
        time: UnixTime,
    ) -> Option<()> {
        let changes = [(from, minor.checked_neg()?), (to, minor)];
        let currency = self.accounts.get(&from)?.currency;
        let mut balances = [0; 2];
        for (balance, (account, change)) in balances.iter_mut().zip(changes) {
            *balance = self.accounts.get(&account)?.balance.checked_add(change)?;
        }
        for (balance, (id, change)) in balances.into_iter().zip(changes) {
            self.accounts.get_mut(&id)?.balance = balance;
            self.entries.push((id, Entry { time, reference, change, currency }));
        }
        Some(())
    }
}
