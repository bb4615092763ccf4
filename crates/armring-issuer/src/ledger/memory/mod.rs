//! A ledger that lasts as long as the process: for tests, demonstrations, and as the plainest statement of what a ledger does.

mod audit;
mod books;
mod credentials;
mod refunds;
mod revoked;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;

use armring_token::Epoch;
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, Digits, PayeeId, PayeeRef, RefundDigest, RequestDigest, TokenDigest,
    UnixTime,
};

use self::refunds::Refunded;
use self::revoked::RevokedList;
use super::credential::{CodeHash, CredentialRecord, Enrolled, Evidence, NewCredential, Pending};
use super::model::{Account, AccountState, DepositRef, Entry, Fault, PayeeRecord, Reference, float_account};
use super::refund::{RefundAnswer, RefundTerms, refund_one};
use super::revoked::RevokedPart;
use super::settle::{Answer, Terms, settle_one};
use super::{Ledger, TellEntry};
use crate::error::{CallerError, Error, MachineError};
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// A ledger in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryLedger {
    accounts: BTreeMap<AccountPseudonym, Account>,
    payees: BTreeMap<PayeeId, PayeeRecord>,
    codes: BTreeMap<CodeHash, Code>,
    credentials: BTreeMap<CredentialId, Holding>,
    settled_requests: BTreeMap<RequestDigest, TokenDigest>,
    deposits: BTreeMap<DepositRef, (AccountPseudonym, Amount)>,
    entries: Vec<(AccountPseudonym, Entry)>,
    refunds: BTreeMap<RefundDigest, Refunded>,
    revoked: RevokedList,
}

/// An enrolment code.
#[derive(Clone, Debug, PartialEq)]
struct Code {
    account: AccountPseudonym,
    expires: UnixTime,
    used: Option<CredentialId>,
}

/// A credential with all of its tokens.
#[derive(Clone, Debug, PartialEq)]
struct Holding {
    record: CredentialRecord,
    digits: Digits,
    wrong: u8,
    /// By counter.
    tokens: BTreeMap<u32, Token>,
    /// The tokens that were refused as cloned.
    clones: BTreeMap<TokenDigest, Clone_>,
}

/// A token that took its counter.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    answer: Answer,
    payment: VerifiedPayment,
    time: UnixTime,
}

/// A token whose counter or totals were taken.
#[derive(Clone, Debug, PartialEq)]
struct Clone_ {
    answer: Answer,
    payment: VerifiedPayment,
    evidence: Evidence,
}

impl MemoryLedger {
    /// A ledger without accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An account other than the issuer's own.
    fn customer(&mut self, account: AccountPseudonym) -> Result<&mut Account, CallerError> {
        let found = self.accounts.get_mut(&account).filter(|account| account.id != float_account(account.currency));
        found.ok_or(CallerError::UnknownAccount)
    }

    fn holding(&mut self, credential: CredentialId) -> Result<&mut Holding, CallerError> {
        self.credentials.get_mut(&credential).ok_or(CallerError::UnknownCredential)
    }

    fn code(&self, code: &CodeHash, now: UnixTime) -> Option<&Code> {
        self.codes.get(code).filter(|code| now < code.expires)
    }
}

impl Ledger for MemoryLedger {
    fn open_account(&mut self, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
        let float = float_account(currency);
        if account == float || self.accounts.contains_key(&account) {
            return Err(CallerError::Exists.into());
        }
        for id in [float, account] {
            self.accounts.entry(id).or_insert(Account { id, currency, state: AccountState::Open, balance: 0 });
        }
        Ok(())
    }

    fn account(&self, account: AccountPseudonym) -> Result<Option<Account>, MachineError> {
        Ok(self.accounts.get(&account).copied())
    }

    fn accounts(&self, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.accounts.range((from, Bound::Unbounded)).map(|(_, account)| *account).take(1_000).collect())
    }

    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.customer(account)?.state = state;
        Ok(())
    }

    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error> {
        let to = *self.customer(account)?;
        if let Some(before) = self.deposits.get(&reference) {
            return if *before == (account, amount) { Ok(()) } else { Err(CallerError::ReferenceUsed.into()) };
        }
        let minor = i64::try_from(amount.minor()).ok().filter(|minor| *minor > 0 && amount.currency() == to.currency);
        let minor = minor.ok_or(CallerError::Amount)?;
        self.transfer(float_account(to.currency), account, minor, Reference::Deposit(reference), now)
            .ok_or(CallerError::Amount)?;
        self.deposits.insert(reference, (account, amount));
        Ok(())
    }

    fn statement(&self, account: AccountPseudonym, tell: &mut TellEntry<'_>) -> Result<(), MachineError> {
        let _enough = self.entries.iter().filter(|(of, _)| *of == account).try_for_each(|(_, entry)| tell(*entry));
        Ok(())
    }

    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error> {
        self.customer(payee.account)?;
        if self.payees.contains_key(&payee.id) {
            return Err(CallerError::Exists.into());
        }
        self.payees.insert(payee.id, payee.clone());
        Ok(())
    }

    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
        Ok(self.payees.get(&payee).cloned())
    }

    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
        let record = self.payees.get_mut(&payee).ok_or(CallerError::UnknownPayee)?;
        self.revoked.mark(PayeeRef::Certificate(payee), revoked, record.validity.until, now)?;
        record.revoked = revoked;
        Ok(())
    }

    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error> {
        self.customer(account)?;
        if self.code(code, now).is_some() {
            return Err(CallerError::Exists.into());
        }
        self.codes.retain(|_, code| now < code.expires);
        self.codes.insert(*code, Code { account, expires, used: None });
        Ok(())
    }

    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
        Ok(self.code(code, now).and_then(|code| self.accounts.get(&code.account)).copied())
    }

    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError> {
        Ok(self.enrol_candidate(code, candidate, now))
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        Ok(self.pending_of(account))
    }

    fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        self.confirm_digits(credential, digits, now)
    }

    fn set_frozen(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
        self.freeze(credential, frozen, now)
    }

    fn revoke(&mut self, credential: CredentialId, code: Option<(&CodeHash, UnixTime)>, now: UnixTime) -> Result<(), Error> {
        self.revoke_credential(credential, code, now)
    }

    fn revoked(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
        self.revoked.part(since, part)
    }

    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
        Ok(self.credentials.get(&credential).map(|holding| holding.record.clone()))
    }

    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        // One payment changes nothing before all that can fail has succeeded. Of several, the first must be undone if a later one fails.
        let before = (payments.len() > 1).then(|| self.clone());
        let answers = payments.iter().map(|payment| settle_one(self, payment, terms)).collect();
        if let (Err(_), Some(before)) = (&answers, before) {
            *self = before;
        }
        answers
    }

    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError> {
        refund_one(self, refund, terms)
    }

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        let clones = self.credentials.get(&credential).map(|holding| holding.clones.values());
        Ok(clones.into_iter().flatten().map(|clone| clone.evidence.clone()).collect())
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        Ok(self.faults().into_vec())
    }

    fn verify(&self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
        tell("all books, and every object that was signed");
        Ok(self.all_faults().into_vec())
    }
}
