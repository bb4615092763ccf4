//! Reads all books and compares.

use armring_wire::{AccountPseudonym, CredentialId, PayeeId, PayeeRef, RequestDigest, TokenDigest};
use rusqlite::{Connection, Row};

use super::super::codes;
use super::super::model::Fault;
use crate::error::MachineError;

const UNBALANCED: &str = "SELECT currency FROM entries GROUP BY currency HAVING sum(change) <> 0";

const BALANCES: &str = "
    SELECT accounts.id FROM accounts LEFT JOIN entries ON account = accounts.id
    GROUP BY accounts.id HAVING coalesce(sum(change), 0) <> balance OR (balance < 0 AND NOT is_float) OR count(account) <> accounts.entries";

const TOTALS: &str = "
    SELECT id FROM credentials WHERE
        total <> (SELECT coalesce(sum(total_end - total_start), 0) FROM tokens WHERE credential = credentials.id)
        OR answered <> (SELECT count(*) FROM tokens WHERE credential = credentials.id)
                     + (SELECT count(*) FROM clones WHERE credential = credentials.id)
    UNION SELECT credential FROM (
        SELECT credential, total_start, lag(total_end) OVER (PARTITION BY credential ORDER BY counter) AS below
        FROM tokens WHERE total_end > total_start
    ) WHERE total_start < below";

const SETTLED_TWICE: &str = "SELECT request FROM settled GROUP BY request HAVING count(*) > 1";

const REFUNDS: &str = "
    SELECT token FROM refunds GROUP BY token HAVING sum(given) > coalesce(
        (SELECT total_end - total_start FROM tokens JOIN objects ON objects.id = object
         WHERE digest = refunds.token AND outcome = 1), 0)
    UNION SELECT refunds.token FROM refunds
        LEFT JOIN entries ON reference = refunds.digest AND kind = 2 AND change > 0
        WHERE coalesce(change, 0) <> given";

const PAYEES_REVOKED: &str = "
    SELECT id FROM payees WHERE revoked <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 0 AND revocations.id = payees.id), 0)";

const CREDENTIALS_REVOKED: &str = "
    SELECT id FROM credentials WHERE (frozen OR state > 1) <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 1 AND revocations.id = credentials.id), 0)";

pub(super) fn faults(books: &Connection) -> Result<Vec<Fault>, MachineError> {
    // One transaction, so that all is read as of one moment though others may write.
    let books = books.unchecked_transaction()?;
    let mut faults = Vec::new();
    for code in column(&books, UNBALANCED, |row| row.get(0))? {
        faults.push(Fault::Unbalanced(codes::currency(code)?));
    }
    faults.extend(column(&books, BALANCES, |row| Ok(Fault::Balance(AccountPseudonym(row.get(0)?))))?);
    faults.extend(column(&books, TOTALS, |row| Ok(Fault::Totals(CredentialId(row.get(0)?))))?);
    faults.extend(column(&books, SETTLED_TWICE, |row| Ok(Fault::SettledTwice(RequestDigest(row.get(0)?))))?);
    faults.extend(column(&books, REFUNDS, |row| Ok(Fault::Refunds(TokenDigest(row.get(0)?))))?);
    let payee = |row: &Row<'_>| Ok(Fault::Revocation(PayeeRef::Certificate(PayeeId(row.get(0)?))));
    faults.extend(column(&books, PAYEES_REVOKED, payee)?);
    let credential = |row: &Row<'_>| Ok(Fault::Revocation(PayeeRef::Credential(CredentialId(row.get(0)?))));
    faults.extend(column(&books, CREDENTIALS_REVOKED, credential)?);
    Ok(faults)
}

fn column<T>(books: &Connection, query: &str, value: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, MachineError> {
    Ok(books.prepare(query)?.query_map([], value)?.collect::<Result<_, _>>()?)
}
