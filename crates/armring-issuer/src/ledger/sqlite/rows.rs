//! From rows to values.

use armring_token::Sequence;
use armring_wire::{AccountPseudonym, CredentialId, PayeeId, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row};

use super::super::batch::Book;
use super::super::codes;
use super::super::credential::CredentialRecord;
use super::super::model::{Account, AccountState, Entry, PayeeRecord};
use crate::error::MachineError;
use crate::makers::MakerId;

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixTime> {
    Ok(UnixTime::from_secs(row.get(column)?))
}

pub(super) fn account(books: &Connection, id: AccountPseudonym) -> Result<Option<Account>, MachineError> {
    Ok(book(books, id)?.map(|book| book.account))
}

pub(super) fn book(books: &Connection, id: AccountPseudonym) -> Result<Option<Book>, MachineError> {
    let mut query = books.prepare_cached("SELECT currency, is_open, balance, entries FROM accounts WHERE id = ?1")?;
    let found: Option<(u16, bool, i64, i64)> =
        query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
    let book = |(code, is_open, balance, entries)| {
        let state = if is_open { AccountState::Open } else { AccountState::Blocked };
        Ok(Book { account: Account { id, currency: codes::currency(code)?, state, balance }, entries })
    };
    found.map(book).transpose()
}

/// Time, kind, reference, change and currency of an entry.
pub(super) fn entry(row: &Row<'_>) -> Result<Entry, MachineError> {
    let reference = codes::reference(row.get(1)?, &row.get::<_, Vec<u8>>(2)?)?;
    Ok(Entry { time: time(row, 0)?, reference, change: row.get(3)?, currency: codes::currency(row.get(4)?)? })
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
        Ok(CredentialRecord { unfrozen: codes::state(code)?, frozen, maker: maker.map(MakerId), answered, total, ..record })
    };
    found.map(credential).transpose()
}
