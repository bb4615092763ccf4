//! From rows to values.

use armring_token::Sequence;
use armring_wire::{AccountPseudonym, CredentialId, Currency, PayeeId, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row};

use super::super::model::{Account, AccountState, CredentialRecord, CredentialState, PayeeRecord};
use crate::error::MachineError;

const CURRENCY: MachineError = MachineError::Damaged("a currency has no code");

pub(super) fn currency(code: u16) -> Result<Currency, MachineError> {
    Currency::from_numeric(code).ok_or(CURRENCY)
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixTime> {
    Ok(UnixTime::from_secs(row.get(column)?))
}

pub(super) fn account(books: &Connection, id: AccountPseudonym) -> Result<Option<Account>, MachineError> {
    let mut query = books.prepare_cached("SELECT currency, is_open, balance FROM accounts WHERE id = ?1")?;
    let found: Option<(u16, bool, i64)> =
        query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let account = |(code, is_open, balance)| {
        let state = if is_open { AccountState::Open } else { AccountState::Blocked };
        Ok(Account { id, currency: currency(code)?, state, balance })
    };
    found.map(account).transpose()
}

pub(super) fn payee(books: &Connection, id: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
    let mut query = books.prepare_cached("SELECT account, certificate FROM payees WHERE id = ?1")?;
    let found: Option<([u8; 8], Vec<u8>)> = query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let payee = |(account, certificate)| {
        PayeeRecord::new(AccountPseudonym(account), certificate).ok_or(MachineError::Damaged("a payee certificate is none"))
    };
    found.map(payee).transpose()
}

pub(super) fn credential(books: &Connection, id: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
    let mut query = books.prepare_cached("SELECT object, state, answered, total FROM credentials WHERE id = ?1")?;
    let found: Option<(Vec<u8>, u8, i64, i64)> =
        query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
    let credential = |(object, code, answered, total)| {
        let record = CredentialRecord::new(object).ok_or(MachineError::Damaged("a credential is none"))?;
        let answered = u64::try_from(answered).map(Sequence).map_err(|_| MachineError::Damaged("a count is below zero"))?;
        Ok(CredentialRecord { state: state(code)?, answered, total, ..record })
    };
    found.map(credential).transpose()
}

/// How a credential's state is written.
pub(super) const fn state_code(state: CredentialState) -> u8 {
    match state {
        CredentialState::Inactive => 0,
        CredentialState::Active => 1,
        CredentialState::Frozen => 2,
        CredentialState::Cancelled => 3,
    }
}

fn state(code: u8) -> Result<CredentialState, MachineError> {
    match code {
        0 => Ok(CredentialState::Inactive),
        1 => Ok(CredentialState::Active),
        2 => Ok(CredentialState::Frozen),
        3 => Ok(CredentialState::Cancelled),
        _ => Err(MachineError::Damaged("a credential has no such state")),
    }
}
