//! Accounts and what moves between them.

use armring_wire::{AccountPseudonym, Amount, Currency, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::batch::Book;
use super::super::codes;
use super::super::model::{Account, AccountState, DepositRef, Entry, Reference, float_account};
use super::rows;
use crate::error::{CallerError, Error, MachineError};

/// An account other than the issuer's own.
pub(super) fn customer(books: &Connection, account: AccountPseudonym) -> Result<Account, Error> {
    let found = rows::account(books, account)?.filter(|account| account.id != float_account(account.currency));
    found.ok_or_else(|| CallerError::UnknownAccount.into())
}

pub(super) fn open_account(books: &Connection, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
    let float = float_account(currency);
    if account == float || rows::account(books, account)?.is_some() {
        return Err(CallerError::Exists.into());
    }
    let mut insert =
        books.prepare_cached("INSERT OR IGNORE INTO accounts (id, currency, is_open, is_float) VALUES (?1, ?2, 1, ?3)")?;
    insert.execute(params![float.0, currency.numeric(), true])?;
    insert.execute(params![account.0, currency.numeric(), false])?;
    Ok(())
}

pub(super) fn set_account_state(books: &Connection, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
    customer(books, account)?;
    let is_open = state == AccountState::Open;
    books.prepare_cached("UPDATE accounts SET is_open = ?2 WHERE id = ?1")?.execute(params![account.0, is_open])?;
    Ok(())
}

pub(super) fn deposit(
    books: &Connection,
    account: AccountPseudonym,
    amount: Amount,
    reference: DepositRef,
    now: UnixTime,
) -> Result<(), Error> {
    let to = customer(books, account)?;
    let minor = i64::try_from(amount.minor()).ok().filter(|minor| *minor > 0 && amount.currency() == to.currency);
    if let Some(before) = deposited(books, reference)? {
        let same = before.0 == account && Some(before.1) == minor && before.2 == amount.currency();
        return if same { Ok(()) } else { Err(CallerError::ReferenceUsed.into()) };
    }
    let minor = minor.ok_or(CallerError::Amount)?;
    let from = rows::account(books, float_account(to.currency))?.ok_or(MachineError::Damaged("a currency has no float"))?;
    if from.balance.checked_sub(minor).is_none() || to.balance.checked_add(minor).is_none() {
        return Err(CallerError::Amount.into());
    }
    books
        .prepare_cached("INSERT INTO deposits (reference, account, minor, currency) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![reference.0, account.0, minor, to.currency.numeric()])?;
    Ok(transfer(books, (&from, &to), minor, Reference::Deposit(reference), now)?)
}

/// Where and how much a deposit was; `None` where there was none.
fn deposited(books: &Connection, reference: DepositRef) -> Result<Option<(AccountPseudonym, i64, Currency)>, MachineError> {
    let mut query = books.prepare_cached("SELECT account, minor, currency FROM deposits WHERE reference = ?1")?;
    let found: Option<([u8; 8], i64, u16)> =
        query.query_row([reference.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    found.map(|(account, minor, code)| Ok((AccountPseudonym(account), minor, codes::currency(code)?))).transpose()
}

/// Two entries that sum to zero, and the balances that follow.
pub(super) fn transfer(
    books: &Connection,
    (from, to): (&Account, &Account),
    minor: i64,
    reference: Reference,
    time: UnixTime,
) -> Result<(), MachineError> {
    const FULL: MachineError = MachineError::Damaged("a balance is more than there can be");
    for (account, change) in [(from, minor.checked_neg().ok_or(FULL)?), (to, minor)] {
        let number = books
            .prepare_cached("SELECT entries FROM accounts WHERE id = ?1")?
            .query_row([account.id.0], |row| row.get::<_, i64>(0))?;
        let entry = Entry { time, reference, change, currency: account.currency };
        write_entry(books, account.id, number, &entry)?;
        let balance = account.balance.checked_add(change).ok_or(FULL)?;
        write_book(books, &Book { account: Account { balance, ..*account }, entries: number.saturating_add(1) })?;
    }
    Ok(())
}

pub(super) fn write_entry(books: &Connection, account: AccountPseudonym, number: i64, entry: &Entry) -> Result<(), MachineError> {
    let (kind, reference) = codes::reference_columns(&entry.reference);
    books
        .prepare_cached(
            "INSERT INTO entries (account, number, time, kind, reference, change, currency) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![account.0, number, entry.time.as_secs(), kind, reference, entry.change, entry.currency.numeric()])?;
    Ok(())
}

/// What changes of an account when money moves.
pub(super) fn write_book(books: &Connection, book: &Book) -> Result<(), MachineError> {
    books.prepare_cached("UPDATE accounts SET balance = ?2, entries = ?3 WHERE id = ?1")?.execute(params![
        book.account.id.0,
        book.account.balance,
        book.entries
    ])?;
    Ok(())
}

pub(super) fn statement(books: &Connection, account: AccountPseudonym) -> Result<Vec<Entry>, MachineError> {
    let mut query =
        books.prepare_cached("SELECT time, kind, reference, change, currency FROM entries WHERE account = ?1 ORDER BY number")?;
    let mut rows = query.query([account.0])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(rows::entry(row)?);
    }
    Ok(entries)
}
