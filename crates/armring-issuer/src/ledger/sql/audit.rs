//! Reads all books and compares.

use core::ops::ControlFlow;
use std::collections::BTreeMap;

use armring_wire::{
    AccountPseudonym, CredentialId, Currency, Outcome, PayeeId, PayeeRef, RefundDigest, RequestDigest, TokenDigest, UnixTime,
};

use super::super::audit::Faults;
use super::super::audit::matching::{Cause, Group, Moved};
use super::super::audit::signed::{SignedRefund, SignedToken};
use super::super::model::{Fault, Reference, float_account};
use super::settlement::Settlement;
use super::{Row, Sql, Value, codes};
use crate::error::MachineError;

/// What a payee with a certificate has before its id, in what is signed.
const CERTIFICATE: &[u8; 1] = &[0];

/// How often progress is told, in rows.
const TOLD: u64 = 1_000_000;

/// Everything that explains entries, and every entry: `kind, reference, part, from or of, to, minor, currency as signed, currency, time`, where
/// the part is 0 for what explains, 1 for what a refund gives back, 2 for an entry. A token has its payee from byte 73 on and its currency from
/// byte 121; a refund 65 and 114; it is of the payment with the token in 74 to 105, whose credential is in 65 to 72. SQL counts from 1.
const MATCHED: &str = "
    SELECT 1, objects.digest, 0, payer.account, coalesce(payees.account, wearer.account),
           CASE outcome WHEN 1 THEN coalesce(total_end - total_start, 0) ELSE 0 END, substr(objects.token, 123, 2),
           CAST(NULL AS BIGINT), tokens.time
    FROM tokens JOIN objects ON objects.id = tokens.object
    LEFT JOIN credentials AS payer ON payer.id = tokens.credential
    LEFT JOIN payees ON substr(objects.token, 74, 1) = $1 AND payees.id = substr(objects.token, 75, 8)
    LEFT JOIN credentials AS wearer ON substr(objects.token, 74, 1) <> $1 AND wearer.id = substr(objects.token, 75, 8)
    UNION ALL SELECT 1, digest, 0, NULL, NULL, 0, substr(token_object, 123, 2), NULL, time FROM clones
    UNION ALL SELECT 2, refunds.digest, 0, coalesce(payees.account, wearer.account), payer.account,
           given, substr(refunds.object, 115, 2), NULL, refunds.time
    FROM refunds
    LEFT JOIN objects ON substr(objects.digest, 1, 8) = substr(refunds.token, 1, 8) AND objects.digest = refunds.token
    LEFT JOIN credentials AS payer ON payer.id = substr(objects.token, 66, 8)
    LEFT JOIN payees ON substr(refunds.object, 66, 1) = $1 AND payees.id = substr(refunds.object, 67, 8)
    LEFT JOIN credentials AS wearer ON substr(refunds.object, 66, 1) <> $1 AND wearer.id = substr(refunds.object, 67, 8)
    UNION ALL SELECT 1, token, 1, NULL, NULL, given, NULL, NULL, time FROM refunds
    UNION ALL SELECT 0, reference, 0, NULL, account, minor, NULL, currency, NULL FROM deposits
    UNION ALL SELECT kind, reference, 2, account, NULL, change, NULL, currency, time FROM entries
    ORDER BY 1, 2, 3";

/// Every token that settled a request, and every request that is listed as settled: `request, part, credential, counter, expiry as signed,
/// expiry`. A token has its request from byte 82 on; a request has its expiry from byte 100.
const SETTLED: &str = "
    SELECT substr(objects.token, 83, 32), 0, tokens.credential, tokens.counter, substr(objects.request, 101, 4),
           CAST(NULL AS BIGINT)
    FROM tokens JOIN objects ON objects.id = tokens.object WHERE outcome = 1
    UNION ALL SELECT request, 1, credential, counter, NULL, expiry FROM settled
    ORDER BY 1, 2";

const BALANCES: &str = "
    SELECT accounts.id FROM accounts
    LEFT JOIN (SELECT account, sum(change) AS moved FROM entries GROUP BY account) AS sums ON account = accounts.id
    WHERE coalesce(moved, 0) <> balance OR (balance < 0 AND is_float = 0)";

const NUMBERS: &str = "
    SELECT accounts.id FROM accounts
    LEFT JOIN (SELECT account, count(*) AS found, max(number) + 1 AS next FROM entries GROUP BY account) AS counts
    ON account = accounts.id WHERE coalesce(found, 0) <> accounts.entries OR coalesce(next, 0) <> accounts.entries";

/// The SQL that finds credentials whose counts, `id, answered, total` of each, are not those of their tokens; and those of which two tokens take the
/// same part of the total, or which are not there.
macro_rules! totals {
    ($counted:literal) => {
        concat!(
            "WITH counted (id, answered, total) AS (",
            $counted,
            ") SELECT id FROM counted WHERE
        total <> (SELECT coalesce(sum(total_end - total_start), 0) FROM tokens WHERE credential = counted.id)
        OR answered <> (SELECT count(*) FROM tokens WHERE credential = counted.id)
                     + (SELECT count(*) FROM clones WHERE credential = counted.id)
    UNION SELECT credential FROM (
        SELECT credential, total_start, lag(total_end) OVER (PARTITION BY credential ORDER BY counter) AS below
        FROM tokens WHERE total_end > total_start
    ) AS neighbours WHERE total_start < below
    UNION SELECT credential FROM tokens LEFT JOIN credentials ON id = credential WHERE id IS NULL"
        )
    };
}
pub(in super::super) use totals;

const COUNTERS: &str = "SELECT credential, counter FROM tokens GROUP BY credential, counter HAVING count(*) > 1";

const PAYEES_REVOKED: &str = "
    SELECT id FROM payees WHERE revoked <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 0 AND revocations.id = payees.id), 0)";

const CREDENTIALS_REVOKED: &str = "
    SELECT id FROM credentials WHERE CASE WHEN frozen = 1 OR state > 1 THEN 1 ELSE 0 END <>
        coalesce((SELECT revoked FROM revocations WHERE kind = 1 AND revocations.id = credentials.id), 0)";

const CLONES: &str = "
    SELECT clones.digest FROM clones
    LEFT JOIN tokens ON tokens.credential = clones.credential AND tokens.counter = taken_by
    LEFT JOIN credentials ON credentials.id = clones.credential
    WHERE tokens.counter IS NULL OR state IS NULL OR state <> 4";

const SIGNED_TOKENS: &str = "
    SELECT objects.digest, tokens.credential, outcome, tokens.time, objects.receipt, objects.token, objects.request,
           tokens.counter, total_start, total_end
    FROM tokens JOIN objects ON objects.id = object";

/// The outcome is that of all of them: cloned.
const SIGNED_CLONES: &str = "SELECT digest, credential, 10, time, receipt, token_object, request_object FROM clones";

const SIGNED_REFUNDS: &str = "SELECT digest, token, given, outcome, time, receipt, object FROM refunds";

/// What is told, the SQL that finds what does not agree, and what that is.
type Check = (&'static str, &'static str, fn(&mut Row) -> Result<Fault, MachineError>);

const fn checks<S: Sql>() -> [Check; 7] {
    [
        ("balances are the sums of their entries", BALANCES, |row| Ok(Fault::Balance(AccountPseudonym(row.take(0)?)))),
        ("entries are numbered without a gap", NUMBERS, |row| Ok(Fault::Entries(AccountPseudonym(row.take(0)?)))),
        ("no two tokens take the same part of a total", S::TOTALS, |row| Ok(Fault::Totals(CredentialId(row.take(0)?)))),
        ("no counter was taken twice", COUNTERS, |row| Ok(Fault::CounterTwice(CredentialId(row.take(0)?), row.take(1)?))),
        ("clones are of something", CLONES, |row| Ok(Fault::Clone(TokenDigest(row.take(0)?)))),
        ("revoked payees are listed", PAYEES_REVOKED, |row| Ok(Fault::Revocation(PayeeRef::Certificate(PayeeId(row.take(0)?))))),
        ("revoked credentials are listed", CREDENTIALS_REVOKED, |row| {
            Ok(Fault::Revocation(PayeeRef::Credential(CredentialId(row.take(0)?))))
        }),
    ]
}

/// Read in one transaction, so that all is as of one moment though others may write.
pub(in super::super) fn faults<S: Sql>(
    books: &mut S,
    faults: &mut Faults,
    tell: &mut dyn FnMut(&str),
) -> Result<(), MachineError> {
    entries_are_explained(books, faults, tell)?;
    requests_settled_once(books, faults, tell)?;
    for (what, sql, fault) in checks::<S>() {
        tell(what);
        faults.next_check();
        books.each(sql, &[], &mut |mut row| Ok(faults.push(fault(&mut row)?)))?;
    }
    Ok(())
}

/// The same, and every object that was signed: each token has its receipt, and what it says is what is written beside it.
pub(in super::super) fn all_faults(
    books: &mut impl Sql,
    found: &mut Faults,
    tell: &mut dyn FnMut(&str),
) -> Result<(), MachineError> {
    faults(books, found, tell)?;
    read_all(books, (SIGNED_TOKENS, &[]), "every token has its receipt", tell, &mut |mut row| {
        let (start, end): (Option<i64>, Option<i64>) = (row.take(8)?, row.take(9)?);
        let took = (row.take(7)?, start.zip(end));
        Ok(found.extend(signed_token(&mut row, Some(took))?))
    })?;
    read_all(books, (SIGNED_CLONES, &[]), "so has every one that was refused as cloned", tell, &mut |mut row| {
        Ok(found.extend(signed_token(&mut row, None)?))
    })?;
    read_all(books, (SIGNED_REFUNDS, &[]), "every refund has its receipt", tell, &mut |mut row| {
        let (receipt, object): (Vec<u8>, Vec<u8>) = (row.take(5)?, row.take(6)?);
        let signed = SignedRefund {
            digest: RefundDigest(row.take(0)?),
            token: TokenDigest(row.take(1)?),
            given: row.take(2)?,
            outcome: Outcome::from(row.take::<u8>(3)?),
            time: UnixTime::from_secs(row.take(4)?),
            receipt: &receipt,
            object: &object,
        };
        Ok(found.extend(signed.fault()))
    })
}

fn signed_token(row: &mut Row, took: Option<(u32, Option<(i64, i64)>)>) -> Result<Option<Fault>, MachineError> {
    let (receipt, token, request): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.take(4)?, row.take(5)?, row.take(6)?);
    let signed = SignedToken {
        digest: TokenDigest(row.take(0)?),
        credential: CredentialId(row.take(1)?),
        took,
        outcome: Outcome::from(row.take::<u8>(2)?),
        time: UnixTime::from_secs(row.take(3)?),
        receipt: &receipt,
        token: &token,
        request: &request,
    };
    Ok(signed.fault())
}

/// Each token, refund and deposit has exactly its entries, and each entry its token, refund or deposit; and they sum to zero.
fn entries_are_explained(books: &mut impl Sql, faults: &mut Faults, tell: &mut dyn FnMut(&str)) -> Result<(), MachineError> {
    let (mut sums, mut group) = (BTreeMap::<u16, i128>::new(), None::<(Reference, Group)>);
    read_all(books, (MATCHED, &[CERTIFICATE.into()]), "every entry is explained, and once", tell, &mut |mut row| {
        let reference = codes::reference(row.take(0)?, &row.take::<Vec<u8>>(1)?)?;
        let mut go_on = ControlFlow::Continue(());
        if let Some((before, group)) = group.take_if(|(before, _)| *before != reference) {
            go_on = faults.extend(group.faults(before));
        }
        let (_, group) = group.get_or_insert_with(|| (reference, Group::default()));
        if let Some((currency, change)) = gather(group, &mut row)? {
            *sums.entry(currency).or_default() += i128::from(change);
        }
        Ok(go_on)
    })?;
    faults.next_check();
    let _ = faults.extend(group.into_iter().flat_map(|(reference, group)| group.faults(reference).collect::<Vec<_>>()));
    faults.next_check();
    let unbalanced = sums.into_iter().filter(|(_, sum)| *sum != 0);
    let _ = faults.extend(unbalanced.filter_map(|(currency, _)| Currency::from_numeric(currency).map(Fault::Unbalanced)));
    Ok(())
}

/// Adds a row of [`MATCHED`] to its group; says how much of which currency an entry moved.
fn gather(group: &mut Group, row: &mut Row) -> Result<Option<(u16, i64)>, MachineError> {
    let (part, minor): (u8, i64) = (row.take(2)?, row.take(5)?);
    let (signed, plain): (Option<[u8; 2]>, Option<u16>) = (row.take(6)?, row.take(7)?);
    let currency = signed.map(u16::from_le_bytes).or(plain).unwrap_or_default();
    let (account, to): (Option<[u8; 8]>, Option<[u8; 8]>) = (row.take(3)?, row.take(4)?);
    let time = row.take::<Option<u32>>(8)?.map(UnixTime::from_secs);
    match part {
        0 => {
            // Deposits alone say their currency plainly: they come out of its float.
            let float = plain.and_then(Currency::from_numeric).map(float_account);
            let from = account.map(AccountPseudonym).or(float);
            group.cause(Cause { from, to: to.map(AccountPseudonym), minor, currency, time });
        }
        1 => group.give_back(minor),
        _ => {
            const NONE: MachineError = MachineError::Damaged("an entry has no account or no time");
            let (account, time) = account.zip(time).ok_or(NONE)?;
            group.entry(Moved { account: AccountPseudonym(account), change: minor, currency, time });
            return Ok(Some((currency, minor)));
        }
    }
    Ok(None)
}

fn requests_settled_once(books: &mut impl Sql, faults: &mut Faults, tell: &mut dyn FnMut(&str)) -> Result<(), MachineError> {
    let mut request = None::<(RequestDigest, Settlement)>;
    read_all(books, (SETTLED, &[]), "no request was settled twice, and each is listed", tell, &mut |mut row| {
        let digest = RequestDigest(row.take(0)?);
        let mut go_on = ControlFlow::Continue(());
        if let Some((before, settlement)) = request.take_if(|(before, _)| *before != digest) {
            go_on = faults.extend(settlement.faults(before));
        }
        let (_, settlement) = request.get_or_insert_with(|| (digest, Settlement::default()));
        let (signed, plain): (Option<[u8; 4]>, Option<u32>) = (row.take(4)?, row.take(5)?);
        let expiry = UnixTime::from_secs(signed.map(u32::from_le_bytes).or(plain).unwrap_or_default());
        let settling = (CredentialId(row.take(2)?), row.take(3)?, expiry);
        if row.take::<u8>(1)? == 0 {
            settlement.token(settling)
        } else {
            settlement.listed(settling)
        }
        Ok(go_on)
    })?;
    faults.next_check();
    let _ = faults.extend(request.into_iter().flat_map(|(digest, settlement)| settlement.faults(digest).collect::<Vec<_>>()));
    faults.next_check();
    Ok(())
}

/// Reads every row, and tells how many at times.
pub(in super::super) fn read_all(
    books: &mut impl Sql,
    (sql, values): (&'static str, &[Value<'_>]),
    what: &str,
    tell: &mut dyn FnMut(&str),
    row: &mut super::EachRow<'_>,
) -> Result<(), MachineError> {
    tell(what);
    let mut read = 0_u64;
    books.each(sql, values, &mut |found| {
        read = read.saturating_add(1);
        if read.is_multiple_of(TOLD) {
            tell(&format!("{what}: {read} rows"));
        }
        row(found)
    })
}
