//! Entries: written one behind the other, whatever their accounts, and found again from the newest of an account back.

use std::collections::HashMap;

use armring_wire::AccountPseudonym;
use rusqlite::{Connection, params};

use super::super::model::Entry;
use super::super::sql::batch::{Book, Changes};
use super::super::sql::{EachRow, Row, Sql, codes, rows};
use super::Statements;
use crate::error::MachineError;

/// `id, currency, is_open, balance, entries, last`.
const BOOK: &str = "SELECT id, currency, is_open, balance, entries, last FROM accounts WHERE id = $1";

/// From the newest entry back to the first, and then in the order of their numbers.
const OF_ACCOUNT: &str = "
    WITH RECURSIVE mine (id, account, number, previous, time, kind, reference, change, currency) AS (
        SELECT entries.* FROM accounts JOIN entries ON entries.id = accounts.last WHERE accounts.id = $1
        UNION ALL SELECT entries.* FROM mine JOIN entries ON entries.id = mine.previous AND entries.id < mine.id
    )
    SELECT time, kind, reference, change, currency, account FROM mine ORDER BY number";

pub(super) fn of_account(
    books: &mut Statements<'_>,
    account: AccountPseudonym,
    tell: &mut EachRow<'_>,
) -> Result<(), MachineError> {
    let (mut found, mut enough) = (0_i64, false);
    books.each(OF_ACCOUNT, &[(&account.0).into()], &mut |mut row| {
        if row.take::<[u8; 8]>(5)? != account.0 {
            return Err(MachineError::Damaged("an entry is before one of another account"));
        }
        found = found.saturating_add(1);
        let go_on = tell(row)?;
        enough = go_on.is_break();
        Ok(go_on)
    })?;
    let counted = rows::find_book(books, account)?.map_or(0, |book| book.entries);
    if enough || found == counted { Ok(()) } else { Err(MachineError::Damaged("an account has not all of its entries")) }
}

pub(super) fn find_book(books: &mut Statements<'_>, account: AccountPseudonym) -> Result<Option<Book>, MachineError> {
    let mut row = books.rows(BOOK, &[(&account.0).into()])?;
    let book = |row: &mut Row| Ok(Book { last: row.take(5)?, ..rows::book(row)? });
    row.first_mut().map(book).transpose()
}

/// Adds an entry to an account and its change to the balance.
pub(super) fn enter(books: &Connection, account: AccountPseudonym, entry: &Entry) -> Result<(), MachineError> {
    let book = find_book(&mut Statements(books), account)?.ok_or(MachineError::Damaged("an account is gone"))?;
    let balance = book.account.balance.checked_add(entry.change);
    let balance = balance.ok_or(MachineError::Damaged("a balance is more than there can be"))?;
    let last = insert(books, (account, book.entries), book.last, entry)?;
    write_book(books, account, (balance, book.entries.saturating_add(1)), Some(last))
}

/// Writes many entries, and the accounts as they are with them.
pub(super) fn write(books: &Connection, changes: &Changes<'_>) -> Result<(), MachineError> {
    let mut last: HashMap<_, _> = changes.books.iter().map(|book| (book.account.id, book.last)).collect();
    for (account, number, entry) in &changes.entries {
        let last = last.entry(*account).or_default();
        *last = Some(insert(books, (*account, *number), *last, entry)?);
    }
    for book in &changes.books {
        let last = last.get(&book.account.id).copied().flatten();
        write_book(books, book.account.id, (book.account.balance, book.entries), last)?;
    }
    Ok(())
}

/// Says where it is.
fn insert(
    books: &Connection,
    (account, number): (AccountPseudonym, i64),
    previous: Option<i64>,
    entry: &Entry,
) -> Result<i64, MachineError> {
    let (kind, reference) = codes::reference_columns(&entry.reference);
    let values =
        params![account.0, number, previous, entry.time.as_secs(), kind, reference, entry.change, entry.currency.numeric()];
    Ok(books
        .prepare_cached(
            "INSERT INTO entries (account, number, previous, time, kind, reference, change, currency)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert(values)?)
}

/// What changes of an account when money moves.
fn write_book(
    books: &Connection,
    account: AccountPseudonym,
    (balance, entries): (i64, i64),
    last: Option<i64>,
) -> Result<(), MachineError> {
    books
        .prepare_cached("UPDATE accounts SET balance = ?2, entries = ?3, last = ?4 WHERE id = ?1")?
        .execute(params![account.0, balance, entries, last])?;
    Ok(())
}
