//! Reads all books and compares.

use armring_wire::{AccountPseudonym, CredentialId, RequestDigest};
use rusqlite::{Connection, Row};

use super::super::model::Fault;
use super::rows;
use crate::error::MachineError;

const UNBALANCED: &str = "SELECT currency FROM entries GROUP BY currency HAVING sum(change) <> 0";

const BALANCES: &str = "
    SELECT accounts.id FROM accounts LEFT JOIN entries ON account = accounts.id
    GROUP BY accounts.id HAVING coalesce(sum(change), 0) <> balance OR (balance < 0 AND NOT is_float)";

const TOTALS: &str = "
    SELECT id FROM credentials WHERE
        total <> (SELECT coalesce(sum(total_end - total_start), 0) FROM tokens WHERE credential = credentials.id)
        OR answered <> (SELECT count(*) FROM tokens WHERE credential = credentials.id)
                     + (SELECT count(*) FROM clones WHERE credential = credentials.id)
    UNION SELECT credential FROM (
        SELECT credential, total_start,
               lag(total_end) OVER (PARTITION BY credential ORDER BY total_end, total_start) AS below
        FROM tokens WHERE total_end IS NOT NULL
    ) WHERE total_start < below";

const SETTLED_TWICE: &str = "SELECT request FROM tokens WHERE outcome = 1 GROUP BY request HAVING count(*) > 1";

pub(super) fn faults(books: &Connection) -> Result<Vec<Fault>, MachineError> {
    // One transaction, so that all is read as of one moment though others may write.
    let books = books.unchecked_transaction()?;
    let mut faults = Vec::new();
    for code in column(&books, UNBALANCED, |row| row.get(0))? {
        faults.push(Fault::Unbalanced(rows::currency(code)?));
    }
    faults.extend(column(&books, BALANCES, |row| Ok(Fault::Balance(AccountPseudonym(row.get(0)?))))?);
    faults.extend(column(&books, TOTALS, |row| Ok(Fault::Totals(CredentialId(row.get(0)?))))?);
    faults.extend(column(&books, SETTLED_TWICE, |row| Ok(Fault::SettledTwice(RequestDigest(row.get(0)?))))?);
    Ok(faults)
}

fn column<T>(books: &Connection, query: &str, value: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, MachineError> {
    Ok(books.prepare(query)?.query_map([], value)?.collect::<Result<_, _>>()?)
}
