//! A ledger that lasts as long as the process: for tests, demonstrations, and as the plainest statement of what a ledger does.

mod audit;
mod books;

use std::collections::BTreeMap;

use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, Digits, PayeeId, RequestDigest, TokenDigest, UnixTime};

use super::Ledger;
use super::model::{
    Account, AccountState, CodeHash, CredentialRecord, CredentialState, DepositRef, Enrolled, Entry, Evidence, Fault,
    NewCredential, PayeeRecord, Pending, Reference, TRIES, float_account,
};
use super::settle::{Answer, Terms, settle_one};
use crate::error::{CallerError, Error, MachineError};
use crate::redeem::VerifiedPayment;

/// A ledger in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    accounts: BTreeMap<AccountPseudonym, Account>,
    payees: BTreeMap<PayeeId, PayeeRecord>,
    codes: BTreeMap<CodeHash, Code>,
    credentials: BTreeMap<CredentialId, Holding>,
    settled_requests: BTreeMap<RequestDigest, TokenDigest>,
    deposits: BTreeMap<DepositRef, (AccountPseudonym, Amount)>,
    entries: Vec<(AccountPseudonym, Entry)>,
}

/// An enrolment code.
#[derive(Clone, Debug)]
struct Code {
    account: AccountPseudonym,
    expires: UnixTime,
    used: Option<CredentialId>,
}

/// A credential with all of its tokens.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
struct Token {
    answer: Answer,
    payment: VerifiedPayment,
    time: UnixTime,
}

/// A token whose counter or totals were taken.
#[derive(Clone, Debug)]
struct Clone_ {
    answer: Answer,
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

    fn statement(&self, account: AccountPseudonym) -> Result<Vec<Entry>, MachineError> {
        Ok(self.entries.iter().filter(|(of, _)| *of == account).map(|(_, entry)| *entry).collect())
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
        let new = &candidate.record.credential;
        let Some(&Code { used, account, .. }) = self.code(code, now) else { return Ok(Enrolled::Refused) };
        if let Some(holding) = used.and_then(|id| self.credentials.get_mut(&id)) {
            let record = &holding.record;
            if record.credential.payment_key != new.payment_key || record.state == CredentialState::Cancelled {
                return Ok(Enrolled::Refused);
            }
            holding.digits = candidate.digits;
            return Ok(Enrolled::Already(record.object.clone()));
        }
        let key_in_use = self.credentials.values().any(|holding| holding.record.credential.payment_key == new.payment_key);
        if account != new.account || key_in_use || self.credentials.contains_key(&new.id) {
            return Ok(Enrolled::Refused);
        }
        let (record, digits) = (candidate.record.clone(), candidate.digits);
        self.credentials.insert(new.id, Holding { record, digits, wrong: 0, tokens: BTreeMap::new(), clones: BTreeMap::new() });
        if let Some(code) = self.codes.get_mut(code) {
            code.used = Some(new.id);
        }
        Ok(Enrolled::Stored)
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        let waits = |holding: &&Holding| {
            holding.record.credential.account == account && holding.record.state == CredentialState::Inactive
        };
        let pending = |holding: &Holding| Pending {
            credential: holding.record.credential.id,
            digits: holding.digits,
            enrolled: holding.record.credential.validity.from,
        };
        Ok(self.credentials.values().filter(waits).map(pending).collect())
    }

    fn confirm(&mut self, credential: CredentialId, digits: u32) -> Result<(), Error> {
        let holding = self.holding(credential)?;
        match holding.record.state {
            CredentialState::Inactive => {}
            CredentialState::Cancelled => return Err(CallerError::Cancelled.into()),
            CredentialState::Active | CredentialState::Frozen => return Err(CallerError::NotPending.into()),
        }
        if holding.digits.number() == digits {
            holding.record.state = CredentialState::Active;
            return Ok(());
        }
        holding.wrong = holding.wrong.saturating_add(1);
        let left = TRIES.saturating_sub(holding.wrong);
        if left > 0 {
            return Err(CallerError::WrongDigits { left }.into());
        }
        holding.record.state = CredentialState::Cancelled;
        Err(CallerError::Cancelled.into())
    }

    fn freeze(&mut self, credential: CredentialId) -> Result<(), Error> {
        self.holding(credential)?.record.state = CredentialState::Frozen;
        Ok(())
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

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        let clones = self.credentials.get(&credential).map(|holding| holding.clones.values());
        Ok(clones.into_iter().flatten().map(|clone| clone.evidence.clone()).collect())
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        Ok(self.faults())
    }
}
