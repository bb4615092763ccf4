//! What is looked up and written when a payment is settled.

use armring_token::{FreeCount, Gesture};
use armring_wire::{AccountPseudonym, CredentialId, Outcome, PayeeRef, TokenDigest, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::super::credential::{CredentialRecord, CredentialState, Evidence};
use super::super::model::Account;
use super::super::settle::{Answer, Books, Ruling};
use super::money::{Cause, transfer};
use super::{credentials, rows};
use crate::error::MachineError;
use crate::judge::{Facts, FreeRun, Receiver};
use crate::redeem::{Interval, VerifiedPayment};

/// The books, while a transaction holds them.
pub(super) struct InTransaction<'t>(pub(super) &'t Transaction<'t>);

impl Books for InTransaction<'_> {
    fn answered(&self, payment: &VerifiedPayment) -> Result<Option<Answer>, MachineError> {
        let (credential, digest) = (payment.token().credential.0, payment.digest());
        let mut query = self.0.prepare_cached(
            "SELECT outcome, receipt FROM tokens WHERE credential = ?1 AND counter = ?2 AND digest = ?3
             UNION ALL SELECT ?4, receipt FROM clones WHERE credential = ?1 AND digest = ?3 LIMIT 1",
        )?;
        let found = query.query_row(params![credential, payment.token().counter.0, digest.0, u8::from(Outcome::Cloned)], |row| {
            let outcome = Outcome::from(row.get::<_, u8>(0)?);
            Ok(Answer { token: digest, outcome, receipt: row.get(1)?, repeated: true })
        });
        Ok(found.optional()?)
    }

    fn facts(&self, payment: &VerifiedPayment, since: UnixTime) -> Result<Facts, MachineError> {
        let token = payment.token();
        let payer = rows::credential(self.0, token.credential)?.ok_or(MachineError::Damaged("a payment's credential is gone"))?;
        let free_run = match token.presence.gesture {
            Gesture::None => free_run(self.0, payment, payer.credential.limits.free_count)?,
            Gesture::Press | Gesture::FreshUnlock => FreeRun::default(),
        };
        Ok(Facts {
            conflict: conflict(self.0, payment)?.map(|(_, digest)| digest),
            request_settled: self
                .0
                .prepare_cached("SELECT 1 FROM tokens WHERE request = ?1 AND outcome = 1")?
                .exists([token.request.0])?,
            payer_account: find_account(self.0, payer.credential.account)?,
            payer,
            receiver: receiver(self.0, token.payee)?,
            settled_within_a_day: settled_since(self.0, token.credential, since)?,
            free_run,
        })
    }

    fn record(&mut self, payment: &VerifiedPayment, facts: &Facts, ruling: &Ruling, receipt: &[u8]) -> Result<(), MachineError> {
        let answered = i64::try_from(ruling.sequence.0).map_err(|_| MachineError::Damaged("a credential has too many tokens"))?;
        self.0.prepare_cached("UPDATE credentials SET answered = ?2, total = ?3 WHERE id = ?1")?.execute(params![
            payment.token().credential.0,
            answered,
            ruling.total
        ])?;
        if ruling.outcome == Outcome::Cloned {
            return record_clone(self.0, payment, &facts.payer, ruling, receipt);
        }
        let token = record_token(self.0, payment, ruling, receipt)?;
        if ruling.outcome.is_settled() {
            let minor = payment.interval().map(Interval::len).ok_or(MachineError::Damaged("a payment without an amount"))?;
            transfer(self.0, (&facts.payer_account, &facts.receiver.account), minor, Cause::Token(token), ruling.time)?;
        }
        Ok(())
    }
}

/// A token with which this one is a clone's.
type Conflict = (i64, TokenDigest);

/// The token that has this one's counter; else the first one whose totals overlap its; else the one with the highest total below its, or
/// the lowest above, that has the counter on the other side.
fn conflict(books: &Connection, payment: &VerifiedPayment) -> Result<Option<Conflict>, MachineError> {
    let (credential, counter) = (payment.token().credential.0, payment.token().counter.0);
    let found = books
        .prepare_cached("SELECT id, digest FROM tokens WHERE credential = ?1 AND counter = ?2")?
        .query_row(params![credential, counter], |row| Ok((row.get(0)?, TokenDigest(row.get(1)?))))
        .optional()?;
    let (None, Some(new)) = (found, payment.interval()) else { return Ok(found) };
    // What is recorded does not overlap, and is in the order of its counters: so the new one's neighbours speak for all.
    let neighbour = |query: &str| -> Result<Option<(Conflict, u32, i64)>, MachineError> {
        let neighbour = |row: &Row<'_>| Ok(((row.get(0)?, TokenDigest(row.get(1)?)), row.get(2)?, row.get(3)?));
        Ok(books.prepare_cached(query)?.query_row(params![credential, new.start()], neighbour).optional()?)
    };
    let above = neighbour(
        "SELECT id, digest, counter, total_start FROM tokens WHERE credential = ?1 AND total_end > ?2 AND total_end > total_start
         ORDER BY total_end, total_start LIMIT 1",
    )?;
    let below = neighbour(
        "SELECT id, digest, counter, total_start FROM tokens WHERE credential = ?1 AND total_end <= ?2 AND total_end > total_start
         ORDER BY total_end DESC, total_start DESC LIMIT 1",
    )?;
    let overlaps = above.filter(|(_, _, start)| *start < new.end());
    let below = below.filter(|(_, lower, _)| *lower > counter);
    let above = above.filter(|(_, higher, _)| *higher < counter);
    Ok(overlaps.or(below).or(above).map(|(token, _, _)| token))
}

/// The payments without a gesture right before this one, of a credential that allows `most`.
fn free_run(books: &Connection, payment: &VerifiedPayment, most: FreeCount) -> Result<FreeRun, MachineError> {
    let (credential, mut expected) = (payment.token().credential.0, payment.token().counter.0);
    let mut query = books.prepare_cached(
        "SELECT counter, gesture, coalesce(total_end - total_start, 0) FROM tokens WHERE credential = ?1 AND counter < ?2
         ORDER BY counter DESC LIMIT ?3",
    )?;
    let mut rows = query.query(params![credential, expected, most.0])?;
    let mut run = FreeRun::default();
    while let Some(row) = rows.next()? {
        expected = expected.saturating_sub(1);
        let (counter, gesture, minor): (u32, u8, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if counter != expected || gesture != rows::gesture_code(Gesture::None) {
            break;
        }
        run = FreeRun { count: run.count.saturating_add(1), total: run.total.saturating_add(minor) };
    }
    Ok(run)
}

pub(super) fn find_account(books: &Connection, account: AccountPseudonym) -> Result<Account, MachineError> {
    rows::account(books, account)?.ok_or(MachineError::Damaged("an account is gone"))
}

pub(super) fn receiver(books: &Connection, payee: PayeeRef) -> Result<Receiver, MachineError> {
    const NO_PAYEE: MachineError = MachineError::Damaged("a payment's payee is gone");
    match payee {
        PayeeRef::Certificate(id) => {
            let payee = rows::payee(books, id)?.ok_or(NO_PAYEE)?;
            Ok(payee.receiver(find_account(books, payee.account)?))
        }
        PayeeRef::Credential(id) => {
            let record = rows::credential(books, id)?.ok_or(NO_PAYEE)?;
            Ok(record.receiver(find_account(books, record.credential.account)?))
        }
    }
}

fn settled_since(books: &Connection, credential: CredentialId, since: UnixTime) -> Result<i64, MachineError> {
    // The parts of one total do not overlap, so their sum is one more number of the same width.
    Ok(books
        .prepare_cached(
            "SELECT coalesce(sum(total_end - total_start), 0) FROM tokens WHERE credential = ?1 AND time > ?2 AND outcome = 1",
        )?
        .query_row(params![credential.0, since.as_secs()], |row| row.get(0))?)
}

fn record_token(books: &Connection, payment: &VerifiedPayment, ruling: &Ruling, receipt: &[u8]) -> Result<i64, MachineError> {
    let (token, interval) = (payment.token(), payment.interval());
    Ok(books
        .prepare_cached(
            "INSERT INTO tokens (credential, counter, digest, total_start, total_end, request, outcome, time,
                                 receipt, token_object, request_object, gesture)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .insert(params![
            token.credential.0,
            token.counter.0,
            ruling.token.0,
            interval.map(Interval::start),
            interval.map(Interval::end),
            token.request.0,
            u8::from(ruling.outcome),
            ruling.time.as_secs(),
            receipt,
            payment.token_object(),
            payment.request_object(),
            rows::gesture_code(token.presence.gesture),
        ])?)
}

/// Keeps both tokens as evidence, and refuses the credential for good.
fn record_clone(
    books: &Connection,
    payment: &VerifiedPayment,
    payer: &CredentialRecord,
    ruling: &Ruling,
    receipt: &[u8],
) -> Result<(), MachineError> {
    let (taken_by, _) = conflict(books, payment)?.ok_or(MachineError::Damaged("a clone of nothing"))?;
    books
        .prepare_cached(
            "INSERT INTO clones (credential, digest, taken_by, time, receipt, token_object, request_object)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            payment.token().credential.0,
            ruling.token.0,
            taken_by,
            ruling.time.as_secs(),
            receipt,
            payment.token_object(),
            payment.request_object(),
        ])?;
    credentials::refuse_for_good(books, payer, CredentialState::Cloned, ruling.time)
}

pub(super) fn evidence(books: &Connection, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
    let mut query = books.prepare_cached(
        "SELECT tokens.token_object, clones.token_object, clones.time
         FROM clones JOIN tokens ON tokens.id = taken_by WHERE clones.credential = ?1 ORDER BY clones.digest",
    )?;
    let rows = query
        .query_map([credential.0], |row| Ok(Evidence { first: row.get(0)?, second: row.get(1)?, time: rows::time(row, 2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
