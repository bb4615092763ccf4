//! What is written when payments are settled.

use armring_wire::PayeeRef;
use postgres::types::ToSql;

use super::super::credential::CredentialState;
use super::super::sql::batch::{Answered, Changes};
use super::super::sql::{codes, credentials as operate, revoked};
use super::Books;
use crate::error::MachineError;
use crate::redeem::Interval;

/// Writes tokens, requests, entries, accounts and credentials, and counts the rows. None of the parts sees what another one writes. Rows are
/// named by ANY besides, or else a plan that was made for few of them reads all of them.
const WRITE: &str = "
    WITH signed AS (
        INSERT INTO tokens (credential, counter, total_start, total_end, outcome, time, gesture, object, receipt, token, request)
        SELECT * FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[],
                             $8::BYTEA[], $9::BYTEA[], $10::BYTEA[], $11::BYTEA[])
        RETURNING 1
    ), asked AS (
        INSERT INTO settled (request, expiry, credential, counter)
        SELECT * FROM unnest($12::BYTEA[], $13::BIGINT[], $14::BYTEA[], $15::BIGINT[])
        RETURNING 1
    ), entered AS (
        INSERT INTO entries (account, number, time, kind, reference, change, currency)
        SELECT * FROM unnest($16::BYTEA[], $17::BIGINT[], $18::BIGINT[], $19::BIGINT[], $20::BYTEA[], $21::BIGINT[], $22::BIGINT[])
        RETURNING 1
    ), moved AS (
        UPDATE accounts SET balance = book.balance, entries = book.entries
        FROM unnest($23::BYTEA[], $24::BIGINT[], $25::BIGINT[]) AS book (id, balance, entries) WHERE accounts.id = book.id AND accounts.id = ANY($23)
        RETURNING 1
    ), counted AS (
        UPDATE credentials SET answered = tally.answered, total = tally.total
        FROM unnest($26::BYTEA[], $27::BIGINT[], $28::BIGINT[]) AS tally (id, answered, total)
        WHERE credentials.id = tally.id AND credentials.id = ANY($26)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM signed) + (SELECT count(*) FROM asked) + (SELECT count(*) FROM entered)
         + (SELECT count(*) FROM moved) + (SELECT count(*) FROM counted)";

impl Books<'_> {
    /// All but clones, in one statement: each is one more trip to the database and back, during which everyone waits.
    pub(super) fn write_settled(&mut self, changes: &Changes<'_>) -> Result<(), MachineError> {
        let clones = changes.clones.iter().map(|(clone, _)| clone);
        let counts = Counts::of(changes.tokens.iter().chain(clones))?;
        let (tokens, entries, books) = (&changes.tokens, &changes.entries, &changes.books);
        let settled: Vec<_> = tokens.iter().filter(|token| token.ruling.outcome.is_settled()).collect();
        if counts.credentials.is_empty() {
            return Ok(());
        }
        let start: Vec<Option<i64>> = column(tokens, |token| token.payment.interval().map(Interval::start));
        let end: Vec<Option<i64>> = column(tokens, |token| token.payment.interval().map(Interval::end));
        let values: [&(dyn ToSql + Sync); 28] = [
            &column(tokens, |token| token.payment.token().credential.0.as_slice()),
            &column(tokens, |token| i64::from(token.payment.token().counter.0)),
            &start,
            &end,
            &column(tokens, |token| i64::from(u8::from(token.ruling.outcome))),
            &column(tokens, |token| i64::from(token.ruling.time.as_secs())),
            &column(tokens, |token| i64::from(codes::gesture_code(token.payment.token().presence.gesture))),
            &column(tokens, |token| token.ruling.token.0.as_slice()),
            &column(tokens, |token| token.receipt.as_slice()),
            &column(tokens, |token| token.payment.token_object()),
            &column(tokens, |token| token.payment.request_object()),
            &column(&settled, |token| token.payment.token().request.0.as_slice()),
            &column(&settled, |token| i64::from(token.payment.expiry().as_secs())),
            &column(&settled, |token| token.payment.token().credential.0.as_slice()),
            &column(&settled, |token| i64::from(token.payment.token().counter.0)),
            &column(entries, |(account, _, _)| account.0.as_slice()),
            &column(entries, |(_, number, _)| *number),
            &column(entries, |(_, _, entry)| i64::from(entry.time.as_secs())),
            &column(entries, |(_, _, entry)| i64::from(codes::reference_columns(&entry.reference).0)),
            &column(entries, |(_, _, entry)| codes::reference_columns(&entry.reference).1),
            &column(entries, |(_, _, entry)| entry.change),
            &column(entries, |(_, _, entry)| i64::from(entry.currency.numeric())),
            &column(books, |book| book.account.id.0.as_slice()),
            &column(books, |book| book.account.balance),
            &column(books, |book| book.entries),
            &counts.credentials,
            &counts.answered,
            &counts.totals,
        ];
        let written = self.query(WRITE, &values)?;
        let written = written.first().map(|row| row.try_get::<_, i64>(0)).transpose()?;
        let rows = [tokens.len(), settled.len(), entries.len(), books.len(), counts.credentials.len()];
        let all = rows.into_iter().fold(0, usize::saturating_add);
        if written == i64::try_from(all).ok() { Ok(()) } else { Err(MachineError::Damaged("a row is gone")) }
    }

    /// Keeps both tokens as evidence, and refuses the credential for good.
    pub(super) fn write_clone(&mut self, answered: &Answered<'_>, taken_by: u32) -> Result<(), MachineError> {
        const SQL: &str = "
            INSERT INTO clones (credential, digest, taken_by, time, receipt, token_object, request_object)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (payment, ruling) = (answered.payment, &answered.ruling);
        let credential = payment.token().credential;
        let values: [&(dyn ToSql + Sync); 7] = [
            &credential.0.as_slice(),
            &ruling.token.0.as_slice(),
            &i64::from(taken_by),
            &i64::from(ruling.time.as_secs()),
            &answered.receipt,
            &payment.token_object(),
            &payment.request_object(),
        ];
        self.change(SQL, &values, 1)?;
        operate::set_state(self, credential, CredentialState::Cloned)?;
        revoked::mark(self, PayeeRef::Credential(credential), true, answered.until, ruling.time)
    }

    /// Changes exactly this many rows.
    fn change(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)], rows: usize) -> Result<(), MachineError> {
        let statement = self.prepared(sql)?;
        let changed = self.transaction.execute(&statement, parameters)?;
        if usize::try_from(changed) == Ok(rows) { Ok(()) } else { Err(MachineError::Damaged("a row is gone")) }
    }
}

/// How many tokens of each credential were answered now, and what they come to.
#[derive(Default)]
struct Counts<'a> {
    credentials: Vec<&'a [u8]>,
    answered: Vec<i64>,
    totals: Vec<i64>,
}

impl<'a> Counts<'a> {
    fn of<'p: 'a>(answered: impl Iterator<Item = &'a Answered<'p>>) -> Result<Self, MachineError> {
        let mut counts = Self::default();
        for answered in answered {
            let count = i64::try_from(answered.ruling.sequence.0);
            counts.credentials.push(answered.payment.token().credential.0.as_slice());
            counts.answered.push(count.map_err(|_| MachineError::Damaged("a credential has too many tokens"))?);
            counts.totals.push(answered.ruling.total);
        }
        Ok(counts)
    }
}

fn column<'a, R, T>(rows: &'a [R], value: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
