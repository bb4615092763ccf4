//! What is looked up and written when payments are settled: each in one statement for all of them.

use armring_wire::{AccountPseudonym, CredentialId, Outcome, PayeeId, TokenDigest, UnixTime};
use postgres::Row;
use postgres::types::ToSql;

use super::super::credential::{CredentialRecord, CredentialState};
use super::super::model::PayeeRecord;
use super::super::sql::batch::{Asked, Book, Changes, History, Run, Store};
use super::super::sql::rows;
use super::pool::Books;
use super::sql::row;
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
        self.write_settled(changes)?;
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
/// its request was settled, and how much was settled within a day. Each is looked up by itself: EXISTS and a plain join, planned while the
/// table is empty, read all of it each time.
const AROUND: &str = "
    SELECT same.object, same.outcome, same.receipt, below.total_end, above.total_start,
           other.request IS NOT NULL,
           CAST((SELECT coalesce(sum(total_end - total_start), 0) FROM tokens
                 WHERE tokens.credential = asked.credential AND time > $4 AND outcome = 1) AS BIGINT)
    FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BYTEA[]) WITH ORDINALITY AS asked (credential, counter, request, number)
    LEFT JOIN LATERAL (
        SELECT object, outcome, receipt FROM tokens
        WHERE tokens.credential = asked.credential AND tokens.counter = asked.counter LIMIT 1) AS same ON true
    LEFT JOIN LATERAL (SELECT request FROM settled WHERE settled.request = asked.request LIMIT 1) AS other ON true
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
    pub(super) fn query(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, MachineError> {
        let statement = self.prepared(sql)?;
        Ok(self.transaction.query(&statement, parameters)?)
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
