//! From rows to values.

use armring_token::{Gesture, Sequence};
use armring_wire::{AccountPseudonym, CredentialId, Currency, PayeeId, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row};

use super::super::credential::{CredentialRecord, CredentialState};
use super::super::model::{Account, AccountState, PayeeRecord};
use crate::error::MachineError;
use crate::makers::MakerId;

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
    let mut query = books.prepare_cached("SELECT account, certificate, revoked FROM payees WHERE id = ?1")?;
    let found: Option<([u8; 8], Vec<u8>, bool)> =
        query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let payee = |(account, certificate, revoked)| {
        let record = PayeeRecord::new(AccountPseudonym(account), certificate);
        Ok(PayeeRecord { revoked, ..record.ok_or(MachineError::Damaged("a payee certificate is none"))? })
    };
    found.map(payee).transpose()
}

pub(super) fn credential(books: &Connection, id: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
    type Columns = (Vec<u8>, u8, bool, Option<u32>, i64, i64);
    let mut query =
        books.prepare_cached("SELECT object, state, frozen, maker, answered, total FROM credentials WHERE id = ?1")?;
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?));
    let found: Option<Columns> = query.query_row([id.0], columns).optional()?;
    let credential = |(object, code, frozen, maker, answered, total): Columns| {
        let record = CredentialRecord::new(object).ok_or(MachineError::Damaged("a credential is none"))?;
        let answered = u64::try_from(answered).map(Sequence).map_err(|_| MachineError::Damaged("a count is below zero"))?;
        Ok(CredentialRecord { unfrozen: state(code)?, frozen, maker: maker.map(MakerId), answered, total, ..record })
    };
    found.map(credential).transpose()
}

/// How a credential's state is written, where it is not frozen. Version 1 wrote 2 for frozen.
pub(super) const fn state_code(unfrozen: CredentialState) -> u8 {
    match unfrozen {
        CredentialState::Inactive => 0,
        CredentialState::Active => 1,
        CredentialState::Frozen => 2,
        CredentialState::Cancelled => 3,
        CredentialState::Cloned => 4,
        CredentialState::Revoked => 5,
    }
}

fn state(code: u8) -> Result<CredentialState, MachineError> {
    match code {
        0 => Ok(CredentialState::Inactive),
        1 => Ok(CredentialState::Active),
        3 => Ok(CredentialState::Cancelled),
        4 => Ok(CredentialState::Cloned),
        5 => Ok(CredentialState::Revoked),
        _ => Err(MachineError::Damaged("a credential has no such state")),
    }
}

/// How a token's gesture is written.
pub(super) const fn gesture_code(gesture: Gesture) -> u8 {
    match gesture {
        Gesture::None => 0,
        Gesture::Press => 1,
        Gesture::FreshUnlock => 2,
    }
}
