//! Accounts and what moves between them.

use armring_wire::{AccountPseudonym, Amount, Currency, UnixTime};

use super::super::TellEntry;
use super::super::model::{Account, AccountState, DepositRef, Entry, Reference, float_account};
use super::{Row, Sql, codes, first, rows};
use crate::error::{CallerError, Error, MachineError};

/// An account other than the issuer's own.
pub(in super::super) fn customer(books: &mut impl Sql, account: AccountPseudonym) -> Result<Account, Error> {
    let found = rows::account(books, account)?.filter(|account| account.id != float_account(account.currency));
    found.ok_or_else(|| CallerError::UnknownAccount.into())
}

/// A thousand at most.
pub(in super::super) fn accounts(books: &mut impl Sql, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError> {
    const SQL: &str = "SELECT id, currency, is_open, balance, entries FROM accounts WHERE id > $1 ORDER BY id LIMIT 1000";
    // No bytes at all come before every id.
    let after = after.as_ref().map_or(&[][..], |account| &account.0);
    books.rows(SQL, &[after.into()])?.iter_mut().map(|row| Ok(rows::book(row)?.account)).collect()
}

pub(in super::super) fn open_account(books: &mut impl Sql, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
    let float = float_account(currency);
    if account == float || rows::account(books, account)?.is_some() {
        return Err(CallerError::Exists.into());
    }
    const SQL: &str = "INSERT INTO accounts (id, currency, is_open, is_float) VALUES ($1, $2, 1, $3) ON CONFLICT (id) DO NOTHING";
    for (id, is_float) in [(float, true), (account, false)] {
        books.execute(SQL, &[(&id.0).into(), currency.numeric().into(), is_float.into()])?;
    }
    Ok(())
}

pub(in super::super) fn set_account_state(
    books: &mut impl Sql,
    account: AccountPseudonym,
    state: AccountState,
) -> Result<(), Error> {
    customer(books, account)?;
    let is_open = state == AccountState::Open;
    books.execute("UPDATE accounts SET is_open = $1 WHERE id = $2", &[is_open.into(), (&account.0).into()])?;
    Ok(())
}

pub(in super::super) fn deposit(
    books: &mut impl Sql,
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
    let values = [(&reference.0).into(), (&account.0).into(), minor.into(), to.currency.numeric().into()];
    books.execute("INSERT INTO deposits (reference, account, minor, currency) VALUES ($1, $2, $3, $4)", &values)?;
    Ok(transfer(books, (&from, &to), minor, Reference::Deposit(reference), now)?)
}

/// Where and how much a deposit was; `None` where there was none.
fn deposited(books: &mut impl Sql, reference: DepositRef) -> Result<Option<(AccountPseudonym, i64, Currency)>, MachineError> {
    let found = books.rows("SELECT account, minor, currency FROM deposits WHERE reference = $1", &[(&reference.0).into()])?;
    let deposit = |mut row: Row| Ok((AccountPseudonym(row.take(0)?), row.take(1)?, codes::currency(row.take(2)?)?));
    first(found).map(deposit).transpose()
}

/// Two entries that sum to zero, and the balances that follow.
pub(in super::super) fn transfer(
    books: &mut impl Sql,
    (from, to): (&Account, &Account),
    minor: i64,
    reference: Reference,
    time: UnixTime,
) -> Result<(), MachineError> {
    const FULL: MachineError = MachineError::Damaged("a balance is more than there can be");
    for (account, change) in [(from, minor.checked_neg().ok_or(FULL)?), (to, minor)] {
        let book = rows::find_book(books, account.id)?.ok_or(MachineError::Damaged("an account is gone"))?;
        account.balance.checked_add(change).ok_or(FULL)?;
        books.enter(&book, &Entry { time, reference, change, currency: account.currency })?;
    }
    Ok(())
}

pub(in super::super) fn statement(
    books: &mut impl Sql,
    account: AccountPseudonym,
    tell: &mut TellEntry<'_>,
) -> Result<(), MachineError> {
    books.entries(account, &mut |mut row| Ok(tell(rows::entry(&mut row)?)))
}
