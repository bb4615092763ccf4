//! What is looked up and written when payments are settled: each in one statement for all of them.

use armring_wire::{AccountPseudonym, CredentialId, Outcome, PayeeId, PayeeRef, TokenDigest, UnixTime};
use postgres::Row;
use postgres::types::ToSql;

use super::super::credential::{CredentialRecord, CredentialState};
use super::super::model::PayeeRecord;
use super::super::sql::batch::{Answered, Asked, Book, Changes, History, Run, Store};
use super::super::sql::{codes, credentials as operate, revoked, rows};
use super::{Books, row};
use crate::error::MachineError;
use crate::redeem::{Interval, VerifiedPayment};

impl Store for Books<'_> {
    fn credentials(&mut self, ids: &[CredentialId]) -> Result<Vec<CredentialRecord>, MachineError> {
        let ids: Vec<_> = ids.iter().map(|id| id.0.as_slice()).collect();
        credential_records(&self.query(CREDENTIALS_LOCKED, &[&ids])?)
    }

    fn payees(&mut self, ids: &[PayeeId]) -> Result<Vec<PayeeRecord>, MachineError> {
        let ids: Vec<_> = ids.iter().map(|id| id.0.as_slice()).collect();
        payee_records(&self.query(PAYEES, &[&ids])?)
    }

    fn accounts(&mut self, ids: &[AccountPseudonym]) -> Result<Vec<Book>, MachineError> {
        const SQL: &str = "
            SELECT id, currency, is_open, balance, entries FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE";
        let ids: Vec<_> = ids.iter().map(|id| id.0.as_slice()).collect();
        self.query(SQL, &[&ids])?.iter().map(|found| rows::book(&mut row(found)?)).collect()
    }

    fn histories(&mut self, payments: &[Asked<'_>], since: UnixTime) -> Result<Vec<History>, MachineError> {
        let around = self.around(payments, since)?;
        payments.iter().zip(around).map(|(asked, around)| self.history(asked, around)).collect()
    }

    fn write(&mut self, changes: &Changes<'_>) -> Result<(), MachineError> {
        self.write_tokens(&changes.tokens)?;
        self.write_entries(changes)?;
        let clones = changes.clones.iter().map(|(clone, _)| clone);
        self.count(changes.tokens.iter().chain(clones))?;
        for (clone, taken_by) in &changes.clones {
            self.write_clone(clone, *taken_by)?;
        }
        Ok(())
    }
}

/// What [`credential_records`] reads.
pub(super) const CREDENTIALS: &str =
    "SELECT object, state, frozen, maker, answered, total FROM credentials WHERE id = ANY($1) ORDER BY id";

const CREDENTIALS_LOCKED: &str =
    "SELECT object, state, frozen, maker, answered, total FROM credentials WHERE id = ANY($1) ORDER BY id FOR UPDATE";

/// What [`payee_records`] reads.
pub(super) const PAYEES: &str = "SELECT account, certificate, revoked FROM payees WHERE id = ANY($1)";

pub(super) fn credential_records(found: &[Row]) -> Result<Vec<CredentialRecord>, MachineError> {
    found.iter().map(|found| rows::credential_record(&mut row(found)?)).collect()
}

pub(super) fn payee_records(found: &[Row]) -> Result<Vec<PayeeRecord>, MachineError> {
    found.iter().map(|found| rows::payee_record(&mut row(found)?)).collect()
}

/// Of each payment, in the order in which they were asked about: the token with its counter, its neighbours in the order of counters, whether
/// its request was settled, and how much was settled within a day.
const AROUND: &str = "
    SELECT same.object, same.outcome, same.receipt, below.total_end, above.total_start,
           EXISTS (SELECT 1 FROM settled WHERE settled.request = asked.request),
           CAST((SELECT coalesce(sum(total_end - total_start), 0) FROM tokens
                 WHERE tokens.credential = asked.credential AND time > $4 AND outcome = 1) AS BIGINT)
    FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BYTEA[]) WITH ORDINALITY AS asked (credential, counter, request, number)
    LEFT JOIN tokens AS same ON same.credential = asked.credential AND same.counter = asked.counter
    LEFT JOIN LATERAL (
        SELECT total_end FROM tokens
        WHERE tokens.credential = asked.credential AND tokens.counter < asked.counter AND total_end > total_start
        ORDER BY tokens.counter DESC LIMIT 1) AS below ON true
    LEFT JOIN LATERAL (
        SELECT total_start FROM tokens
        WHERE tokens.credential = asked.credential AND tokens.counter > asked.counter AND total_end > total_start
        ORDER BY tokens.counter LIMIT 1) AS above ON true
    ORDER BY asked.number";

impl Books<'_> {
    fn query(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, MachineError> {
        let statement = self.prepared(sql)?;
        Ok(self.transaction.query(&statement, parameters)?)
    }

    /// Changes exactly this many rows.
    fn change(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)], rows: usize) -> Result<(), MachineError> {
        let statement = self.prepared(sql)?;
        let changed = self.transaction.execute(&statement, parameters)?;
        if usize::try_from(changed) == Ok(rows) { Ok(()) } else { Err(MachineError::Damaged("a row is gone")) }
    }

    fn around(&mut self, payments: &[Asked<'_>], since: UnixTime) -> Result<Vec<Around>, MachineError> {
        let (mut credentials, mut counters, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        for asked in payments {
            let token = asked.payment.token();
            credentials.push(token.credential.0.as_slice());
            counters.push(i64::from(token.counter.0));
            requests.push(token.request.0.as_slice());
        }
        let found = self.query(AROUND, &[&credentials, &counters, &requests, &i64::from(since.as_secs())])?;
        payments.iter().zip(&found).map(|(asked, row)| Around::read(asked.payment, row)).collect()
    }

    /// What is around a payment, and what few payments ask for.
    fn history(&mut self, asked: &Asked<'_>, around: Around) -> Result<History, MachineError> {
        let Around { mut history, totals_disagree } = around;
        if asked.payer.unfrozen == CredentialState::Cloned && history.answered.is_none() {
            history.answered = self.refused_as_cloned(asked.payment)?;
        }
        if history.answered.is_some() {
            return Ok(history);
        }
        if let (true, Some(new)) = (totals_disagree, asked.payment.interval()) {
            history.conflict = self.conflict_of_totals(asked.payment, new)?;
        }
        let mut run = Run::before(asked);
        if run.goes_on {
            const SQL: &str = "
                SELECT counter, gesture, coalesce(total_end - total_start, 0) FROM tokens
                WHERE credential = $1 AND counter < $2 ORDER BY counter DESC LIMIT $3";
            let (token, most) = (asked.payment.token(), i64::from(asked.payer.credential.limits.free_count.0));
            let before = self.query(SQL, &[&token.credential.0.as_slice(), &i64::from(token.counter.0), &most])?;
            for found in &before {
                let mut found = row(found)?;
                run.add(found.take(0)?, found.take(1)?, found.take(2)?);
            }
        }
        history.free_run = run.run;
        Ok(history)
    }

    fn refused_as_cloned(&mut self, payment: &VerifiedPayment) -> Result<Option<(Outcome, Vec<u8>)>, MachineError> {
        const SQL: &str = "SELECT receipt FROM clones WHERE credential = $1 AND digest = $2";
        let (credential, digest) = (payment.token().credential.0, payment.digest().0);
        let found = self.query(SQL, &[&credential.as_slice(), &digest.as_slice()])?;
        found.first().map(|found| Ok((Outcome::Cloned, found.try_get(0)?))).transpose()
    }

    /// The first token whose totals overlap these; else the one with the highest total below them, or the lowest above, that has the counter
    /// on the other side. It reads all tokens of the credential, which is then refused for good.
    fn conflict_of_totals(
        &mut self,
        payment: &VerifiedPayment,
        new: Interval,
    ) -> Result<Option<(u32, TokenDigest)>, MachineError> {
        const ABOVE: &str = "
            SELECT counter, object, total_start FROM tokens
            WHERE credential = $1 AND total_end > $2 AND total_end > total_start ORDER BY total_end, total_start LIMIT 1";
        const BELOW: &str = "
            SELECT counter, object, total_start FROM tokens
            WHERE credential = $1 AND total_end <= $2 AND total_end > total_start
            ORDER BY total_end DESC, total_start DESC LIMIT 1";
        let (credential, counter) = (payment.token().credential.0, payment.token().counter.0);
        let mut neighbour = |sql| -> Result<Option<(u32, TokenDigest, i64)>, MachineError> {
            let found = self.query(sql, &[&credential.as_slice(), &new.start()])?;
            let Some(found) = found.first() else { return Ok(None) };
            let mut found = row(found)?;
            Ok(Some((found.take(0)?, TokenDigest(found.take(1)?), found.take(2)?)))
        };
        let (above, below) = (neighbour(ABOVE)?, neighbour(BELOW)?);
        let overlaps = above.filter(|(_, _, start)| *start < new.end());
        let below = below.filter(|(lower, _, _)| *lower > counter);
        let above = above.filter(|(higher, _, _)| *higher < counter);
        Ok(overlaps.or(below).or(above).map(|(counter, digest, _)| (counter, digest)))
    }

    fn write_tokens(&mut self, tokens: &[Answered<'_>]) -> Result<(), MachineError> {
        const TOKENS: &str = "
            INSERT INTO tokens (credential, counter, total_start, total_end, outcome, time, gesture, object, receipt, token, request)
            SELECT * FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[],
                                 $8::BYTEA[], $9::BYTEA[], $10::BYTEA[], $11::BYTEA[])";
        const SETTLED: &str = "
            INSERT INTO settled (request, expiry, credential, counter)
            SELECT * FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[])";
        if tokens.is_empty() {
            return Ok(());
        }
        let start: Vec<Option<i64>> = column(tokens, |token| token.payment.interval().map(Interval::start));
        let end: Vec<Option<i64>> = column(tokens, |token| token.payment.interval().map(Interval::end));
        let values: [&(dyn ToSql + Sync); 11] = [
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
        ];
        self.change(TOKENS, &values, tokens.len())?;
        let settled: Vec<_> = tokens.iter().filter(|token| token.ruling.outcome.is_settled()).collect();
        let values: [&(dyn ToSql + Sync); 4] = [
            &column(&settled, |token| token.payment.token().request.0.as_slice()),
            &column(&settled, |token| i64::from(token.payment.expiry().as_secs())),
            &column(&settled, |token| token.payment.token().credential.0.as_slice()),
            &column(&settled, |token| i64::from(token.payment.token().counter.0)),
        ];
        self.change(SETTLED, &values, settled.len())
    }

    fn write_entries(&mut self, changes: &Changes<'_>) -> Result<(), MachineError> {
        const ENTRIES: &str = "
            INSERT INTO entries (account, number, time, kind, reference, change, currency)
            SELECT * FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BYTEA[], $6::BIGINT[], $7::BIGINT[])";
        const ACCOUNTS: &str = "
            UPDATE accounts SET balance = moved.balance, entries = moved.entries
            FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BIGINT[]) AS moved (id, balance, entries) WHERE accounts.id = moved.id";
        let entries = &changes.entries;
        if entries.is_empty() {
            return Ok(());
        }
        let values: [&(dyn ToSql + Sync); 7] = [
            &column(entries, |(account, _, _)| account.0.as_slice()),
            &column(entries, |(_, number, _)| *number),
            &column(entries, |(_, _, entry)| i64::from(entry.time.as_secs())),
            &column(entries, |(_, _, entry)| i64::from(codes::reference_columns(&entry.reference).0)),
            &column(entries, |(_, _, entry)| codes::reference_columns(&entry.reference).1),
            &column(entries, |(_, _, entry)| entry.change),
            &column(entries, |(_, _, entry)| i64::from(entry.currency.numeric())),
        ];
        self.change(ENTRIES, &values, entries.len())?;
        let values: [&(dyn ToSql + Sync); 3] = [
            &column(&changes.books, |book| book.account.id.0.as_slice()),
            &column(&changes.books, |book| book.account.balance),
            &column(&changes.books, |book| book.entries),
        ];
        self.change(ACCOUNTS, &values, changes.books.len())
    }

    fn count<'a, 'p: 'a>(&mut self, answered: impl Iterator<Item = &'a Answered<'p>>) -> Result<(), MachineError> {
        const SQL: &str = "
            UPDATE credentials SET answered = counted.answered, total = counted.total
            FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BIGINT[]) AS counted (id, answered, total) WHERE credentials.id = counted.id";
        const MANY: MachineError = MachineError::Damaged("a credential has too many tokens");
        let (mut credentials, mut counts, mut totals) = (Vec::new(), Vec::new(), Vec::new());
        for answered in answered {
            credentials.push(answered.payment.token().credential.0.as_slice());
            counts.push(i64::try_from(answered.ruling.sequence.0).map_err(|_| MANY)?);
            totals.push(answered.ruling.total);
        }
        if credentials.is_empty() {
            return Ok(());
        }
        self.change(SQL, &[&credentials, &counts, &totals], credentials.len())
    }

    /// Keeps both tokens as evidence, and refuses the credential for good.
    fn write_clone(&mut self, answered: &Answered<'_>, taken_by: u32) -> Result<(), MachineError> {
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
}

/// What one row of [`AROUND`] says.
struct Around {
    history: History,
    /// With the totals of the tokens before or after it.
    totals_disagree: bool,
}

impl Around {
    fn read(payment: &VerifiedPayment, row: &Row) -> Result<Self, MachineError> {
        let (request_settled, settled_within_a_day) = (row.try_get(5)?, row.try_get(6)?);
        let mut history = History { request_settled, settled_within_a_day, ..History::default() };
        let (below, above): (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
        if let Some(digest) = row.try_get::<_, Option<&[u8]>>(0)? {
            if digest == payment.digest().0 {
                let outcome = u8::try_from(row.try_get::<_, i64>(1)?);
                let outcome = outcome.map_err(|_| MachineError::Damaged("a token has no such outcome"))?;
                history.answered = Some((Outcome::from(outcome), row.try_get(2)?));
            } else {
                let digest = digest.try_into().map_err(|_| MachineError::Damaged("a digest is none"))?;
                history.conflict = Some((payment.token().counter.0, TokenDigest(digest)));
            }
            return Ok(Self { history, totals_disagree: false });
        }
        let disagree = |new: Interval| below.is_some_and(|end| end > new.start()) || above.is_some_and(|start| start < new.end());
        Ok(Self { history, totals_disagree: payment.interval().is_some_and(disagree) })
    }
}

fn column<'a, R, T>(rows: &'a [R], value: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
