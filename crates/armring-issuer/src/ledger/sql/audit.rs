//! Reads all books and compares.

use armring_token::{PaymentToken, Receipt, Unverified};
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
         WHERE substr(digest, 1, 8) = substr(refunds.token, 1, 8) AND digest = refunds.token AND outcome = 1), 0)
    UNION SELECT refunds.token FROM refunds
        LEFT JOIN entries ON reference = refunds.digest AND kind = 2 AND change > 0
        WHERE coalesce(change, 0) <> given";

const PAYEES_REVOKED: &str = "
    SELECT id FROM payees WHERE revoked <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 0 AND revocations.id = payees.id), 0)";

const CREDENTIALS_REVOKED: &str = "
    SELECT id FROM credentials WHERE CASE WHEN frozen = 1 OR state > 1 THEN 1 ELSE 0 END <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 1 AND revocations.id = credentials.id), 0)";

const NOT_SETTLED: &str = "
    SELECT settled.request FROM settled
    LEFT JOIN tokens ON tokens.credential = settled.credential AND tokens.counter = settled.counter
    WHERE outcome IS NULL OR outcome <> 1";

const SIGNED: &str = "
    SELECT tokens.credential, counter, outcome, objects.digest, objects.receipt, objects.token
    FROM tokens JOIN objects ON objects.id = object WHERE (tokens.credential, counter) > ($1, $2)
    ORDER BY tokens.credential, counter LIMIT 1000";

/// What is told, the SQL that finds what does not agree, and what that is.
type Check = (&'static str, &'static str, fn(&mut Row) -> Result<Fault, MachineError>);

const CHECKS: [Check; 7] = [
    ("entries sum to zero", UNBALANCED, |row| Ok(Fault::Unbalanced(codes::currency(row.take(0)?)?))),
    ("balances are the sums of their entries", BALANCES, |row| Ok(Fault::Balance(AccountPseudonym(row.take(0)?)))),
    ("no two tokens take the same part of a total", TOTALS, |row| Ok(Fault::Totals(CredentialId(row.take(0)?)))),
    ("no request was settled twice", SETTLED_TWICE, |row| Ok(Fault::SettledTwice(RequestDigest(row.take(0)?)))),
    ("refunds are no more than payments", REFUNDS, |row| Ok(Fault::Refunds(TokenDigest(row.take(0)?)))),
    ("revoked payees are listed", PAYEES_REVOKED, |row| Ok(Fault::Revocation(PayeeRef::Certificate(PayeeId(row.take(0)?))))),
    ("revoked credentials are listed", CREDENTIALS_REVOKED, |row| {
        Ok(Fault::Revocation(PayeeRef::Credential(CredentialId(row.take(0)?))))
    }),
];

/// Read in one transaction, so that all is as of one moment though others may write.
pub(in super::super) fn faults(books: &mut impl Sql, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
    let mut faults = Vec::new();
    for (what, sql, fault) in CHECKS {
        tell(what);
        for mut row in books.rows(sql, &[])? {
            faults.push(fault(&mut row)?);
        }
    }
    Ok(faults)
}

/// The same, and every object that was signed: each token has its receipt, and what it says is what is written beside it.
pub(in super::super) fn all_faults(books: &mut impl Sql, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
    let mut faults = faults(books, tell)?;
    tell("what is listed as settled was settled");
    for mut row in books.rows(NOT_SETTLED, &[])? {
        faults.push(Fault::NotSettled(RequestDigest(row.take(0)?)));
    }
    tell("every token has its receipt");
    let (mut after, mut read) = (([0; 8], -1), 0_u64);
    loop {
        let signed = books.rows(SIGNED, &[(&after.0).into(), after.1.into()])?;
        if signed.is_empty() {
            return Ok(faults);
        }
        for mut row in signed {
            after = (row.take(0)?, row.take(1)?);
            faults.extend(receipt_fault(after, &mut row)?);
            read += 1;
            if read.is_multiple_of(1_000_000) {
                tell(&format!("every token has its receipt: {read} read"));
            }
        }
    }
}

fn receipt_fault((credential, counter): ([u8; 8], i64), row: &mut Row) -> Result<Option<Fault>, MachineError> {
    let (outcome, digest): (u8, [u8; 32]) = (row.take(2)?, row.take(3)?);
    let (receipt, token): (Vec<u8>, Vec<u8>) = (row.take(4)?, row.take(5)?);
    let receipt = Unverified::<Receipt>::parse(&receipt);
    let token = Unverified::<PaymentToken>::parse(&token);
    let agrees = receipt.is_ok_and(|receipt| receipt.claims().token.0 == digest && u8::from(receipt.claims().outcome) == outcome)
        && token.is_ok_and(|token| token.claims().credential.0 == credential && i64::from(token.claims().counter.0) == counter);
    Ok((!agrees).then_some(Fault::Receipt(TokenDigest(digest))))
}
