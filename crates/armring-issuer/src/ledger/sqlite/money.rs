//! Accounts and what moves between them.

use armring_wire::{AccountPseudonym, Amount, Currency, RefundDigest, TokenDigest, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::model::{Account, AccountState, DepositRef, Entry, Reference, float_account};
use super::rows;
use crate::error::{CallerError, Error, MachineError};

/// What moves money.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    Deposit(DepositRef),
    /// The row of a token.
    Token(i64),
    /// The row of a refund.
    Refund(i64),
}

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
    transfer(books, (&from, &to), minor, Cause::Deposit(reference), now)?;
    Ok(())
}

/// Where and how much a deposit was; `None` where there was none.
fn deposited(books: &Connection, reference: DepositRef) -> Result<Option<(AccountPseudonym, i64, Currency)>, MachineError> {
    let mut query = books.prepare_cached(
        "SELECT account, change, currency FROM transfers JOIN entries ON transfer = transfers.id WHERE deposit = ?1 AND change > 0",
    )?;
    let found: Option<([u8; 8], i64, u16)> =
        query.query_row([reference.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    found.map(|(account, change, code)| Ok((AccountPseudonym(account), change, rows::currency(code)?))).transpose()
}

/// Two entries that sum to zero, and the balances that follow.
pub(super) fn transfer(
    books: &Connection,
    (from, to): (&Account, &Account),
    minor: i64,
    cause: Cause,
    now: UnixTime,
) -> Result<(), MachineError> {
    const FULL: MachineError = MachineError::Damaged("a balance is more than there can be");
    let (deposit, token, refund) = match cause {
        Cause::Deposit(reference) => (Some(reference.0), None, None),
        Cause::Token(token) => (None, Some(token), None),
        Cause::Refund(refund) => (None, None, Some(refund)),
    };
    let transfer = books
        .prepare_cached("INSERT INTO transfers (time, deposit, token, refund) VALUES (?1, ?2, ?3, ?4)")?
        .insert(params![now.as_secs(), deposit, token, refund])?;
    let mut entry = books.prepare_cached("INSERT INTO entries (transfer, account, change, currency) VALUES (?1, ?2, ?3, ?4)")?;
    let mut balance = books.prepare_cached("UPDATE accounts SET balance = ?2 WHERE id = ?1")?;
    for (account, change) in [(from, minor.checked_neg().ok_or(FULL)?), (to, minor)] {
        entry.execute(params![transfer, account.id.0, change, account.currency.numeric()])?;
        balance.execute(params![account.id.0, account.balance.checked_add(change).ok_or(FULL)?])?;
    }
    Ok(())
}

pub(super) fn statement(books: &Connection, account: AccountPseudonym) -> Result<Vec<Entry>, MachineError> {
    const NO_CAUSE: MachineError = MachineError::Damaged("an entry has no cause");
    let mut query = books.prepare_cached(
        "SELECT transfers.time, deposit, tokens.digest, refunds.digest, change, currency
         FROM entries JOIN transfers ON transfers.id = transfer
         LEFT JOIN tokens ON tokens.id = transfers.token LEFT JOIN refunds ON refunds.id = refund
         WHERE account = ?1 ORDER BY entries.id",
    )?;
    let mut rows = query.query([account.0])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let reference = match (row.get(1)?, row.get(2)?, row.get(3)?) {
            (Some(deposit), None, None) => Reference::Deposit(DepositRef(deposit)),
            (None, Some(token), None) => Reference::Payment(TokenDigest(token)),
            (None, None, Some(refund)) => Reference::Refund(RefundDigest(refund)),
            _ => return Err(NO_CAUSE),
        };
        entries.push(Entry { time: rows::time(row, 0)?, reference, change: row.get(4)?, currency: rows::currency(row.get(5)?)? });
    }
    Ok(entries)
}
