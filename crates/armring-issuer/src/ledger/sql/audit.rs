//! Reads all books and compares.

use armring_wire::{AccountPseudonym, CredentialId, PayeeId, PayeeRef, RequestDigest, TokenDigest};

use super::super::model::Fault;
use super::{Row, Sql, codes};
use crate::error::MachineError;

const UNBALANCED: &str = "SELECT currency FROM entries GROUP BY currency HAVING sum(change) <> 0";

const BALANCES: &str = "
    SELECT accounts.id FROM accounts LEFT JOIN entries ON account = accounts.id
    GROUP BY accounts.id, balance, is_float, accounts.entries HAVING coalesce(sum(change), 0) <> balance OR (balance < 0 AND is_float = 0) OR count(account) <> accounts.entries";

const TOTALS: &str = "
    SELECT id FROM credentials WHERE
        total <> (SELECT coalesce(sum(total_end - total_start), 0) FROM tokens WHERE credential = credentials.id)
        OR answered <> (SELECT count(*) FROM tokens WHERE credential = credentials.id)
                     + (SELECT count(*) FROM clones WHERE credential = credentials.id)
    UNION SELECT credential FROM (
        SELECT credential, total_start, lag(total_end) OVER (PARTITION BY credential ORDER BY counter) AS below
        FROM tokens WHERE total_end > total_start
    ) AS neighbours WHERE total_start < below";

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
    SELECT id FROM credentials WHERE CASE WHEN frozen = 1 OR state > 1 THEN 1 ELSE 0 END <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 1 AND revocations.id = credentials.id), 0)";

/// Read in one transaction, so that all is as of one moment though others may write.
pub(in super::super) fn faults(books: &mut impl Sql) -> Result<Vec<Fault>, MachineError> {
    let mut faults = Vec::new();
    for mut row in books.rows(UNBALANCED, &[])? {
        faults.push(Fault::Unbalanced(codes::currency(row.take(0)?)?));
    }
    let ids: [(&'static str, fn(&mut Row) -> Result<Fault, MachineError>); 6] = [
        (BALANCES, |row| Ok(Fault::Balance(AccountPseudonym(row.take(0)?)))),
        (TOTALS, |row| Ok(Fault::Totals(CredentialId(row.take(0)?)))),
        (SETTLED_TWICE, |row| Ok(Fault::SettledTwice(RequestDigest(row.take(0)?)))),
        (REFUNDS, |row| Ok(Fault::Refunds(TokenDigest(row.take(0)?)))),
        (PAYEES_REVOKED, |row| Ok(Fault::Revocation(PayeeRef::Certificate(PayeeId(row.take(0)?))))),
        (CREDENTIALS_REVOKED, |row| Ok(Fault::Revocation(PayeeRef::Credential(CredentialId(row.take(0)?))))),
    ];
    for (sql, fault) in ids {
        for mut row in books.rows(sql, &[])? {
            faults.push(fault(&mut row)?);
        }
    }
    Ok(faults)
}
