//! The issuer's books: in memory, with storage that can fail, and perhaps without one of their rules.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use armring_issuer::{
    Account, AccountState, Answer, CodeHash, CredentialRecord, DepositRef, Enrolled, Error, Evidence, Fault, Ledger,
    MachineError, MemoryLedger, NewCredential, PayeeRecord, Pending, RefundAnswer, RefundRuling, RefundTerms, RevokedPart,
    Ruling, TellEntry, Terms, VerifiedPayment, VerifiedRefund,
};
use armring_token::Epoch;
use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, Outcome, PayeeId, TokenDigest, UnixTime};

use crate::rule::Rule;

/// A ledger in memory whose storage can fail, and which may leave out a rule.
#[derive(Debug)]
pub(crate) struct Books {
    inner: MemoryLedger,
    omits: Option<Rule>,
    /// The next transaction fails.
    pub(crate) fails: Cell<bool>,
    /// What was answered about tokens of clones, which an issuer that does not freeze forgets.
    forgotten: BTreeMap<TokenDigest, Answer>,
    /// What was ruled of each token.
    rulings: BTreeMap<TokenDigest, Ruling>,
}

impl Books {
    pub(crate) fn new(omits: Option<Rule>) -> Self {
        Self { inner: MemoryLedger::new(), omits, fails: Cell::new(false), forgotten: BTreeMap::new(), rulings: BTreeMap::new() }
    }

    fn storage(&self) -> Result<(), MachineError> {
        if self.fails.take() { Err(MachineError::Damaged("the storage failed")) } else { Ok(()) }
    }

    /// As a ledger does that leaves out a rule.
    fn settle_without(
        &mut self,
        rule: Rule,
        payments: &[VerifiedPayment],
        terms: &Terms<'_>,
    ) -> Result<Vec<Answer>, MachineError> {
        let before = self.inner.clone();
        let rulings = RefCell::new(std::mem::take(&mut self.rulings));
        let sign = |ruling: &Ruling| {
            let forgives = matches!(rule, Rule::Outcome(number) if number == u8::from(ruling.outcome));
            let mut said = *ruling;
            rulings.borrow_mut().insert(ruling.token, said);
            if forgives {
                said.outcome = Outcome::Settled;
            }
            (terms.sign)(&said)
        };
        let answers = self.inner.settle(payments, &Terms { sign: &sign, ..*terms });
        self.rulings = rulings.into_inner();
        let mut answers = answers?;
        for answer in &mut answers {
            let mut given = None;
            if rule == Rule::ClonesFreeze && answer.outcome == Outcome::Cloned {
                let answer = self.forgotten.entry(answer.token).or_insert_with(|| answer.clone());
                given = Some(answer.clone());
                self.inner = before.clone();
            }
            if let (Rule::OneAnswer, true, Some(ruling)) = (rule, answer.repeated, self.rulings.get_mut(&answer.token)) {
                ruling.time = terms.now;
                answer.receipt = (terms.sign)(ruling)?;
            }
            if let Some(given) = given {
                *answer = given;
            }
        }
        Ok(answers)
    }
}

impl Ledger for Books {
    fn open_account(&mut self, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
        self.inner.open_account(account, currency)
    }

    fn account(&self, account: AccountPseudonym) -> Result<Option<Account>, MachineError> {
        self.inner.account(account)
    }

    fn accounts(&self, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError> {
        self.inner.accounts(after)
    }

    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.inner.set_account_state(account, state)
    }

    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error> {
        self.inner.deposit(account, amount, reference, now)
    }

    fn statement(&self, account: AccountPseudonym, tell: &mut TellEntry<'_>) -> Result<(), MachineError> {
        self.inner.statement(account, tell)
    }

    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error> {
        self.inner.add_payee(payee)
    }

    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
        self.inner.payee(payee)
    }

    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
        self.inner.set_payee_revoked(payee, revoked, now)
    }

    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error> {
        self.inner.store_code(code, account, expires, now)
    }

    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
        self.inner.code_account(code, now)
    }

    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError> {
        self.storage()?;
        self.inner.enrol(code, candidate, now)
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        self.inner.pending(account)
    }

    fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        self.inner.confirm(credential, digits, now)
    }

    fn set_frozen(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
        self.inner.set_frozen(credential, frozen, now)
    }

    fn revoke(&mut self, credential: CredentialId, code: Option<(&CodeHash, UnixTime)>, now: UnixTime) -> Result<(), Error> {
        self.inner.revoke(credential, code, now)
    }

    fn revoked(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
        self.inner.revoked(since, part)
    }

    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
        self.inner.credential(credential)
    }

    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.storage()?;
        match self.omits {
            Some(rule @ (Rule::Outcome(_) | Rule::OneAnswer | Rule::ClonesFreeze)) => self.settle_without(rule, payments, terms),
            _ => self.inner.settle(payments, terms),
        }
    }

    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError> {
        self.storage()?;
        let forgives = |outcome: Outcome| self.omits == Some(Rule::Outcome(u8::from(outcome)));
        let sign = |ruling: &RefundRuling| {
            let mut said = *ruling;
            if forgives(said.outcome) {
                said.outcome = Outcome::Settled;
            }
            (terms.sign)(&said)
        };
        self.inner.refund(refund, &RefundTerms { sign: &sign, ..*terms })
    }

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        self.inner.evidence(credential)
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        self.inner.audit()
    }

    fn verify(&self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
        self.inner.verify(tell)
    }
}
