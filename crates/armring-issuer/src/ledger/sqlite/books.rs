//! What is looked up and written when payments are settled.

use armring_wire::{AccountPseudonym, CredentialId, Outcome, PayeeId, PayeeRef, TokenDigest, UnixTime};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::credential::{CredentialRecord, CredentialState};
use super::super::model::PayeeRecord;
use super::super::settle::Ruling;
use super::super::sql::batch::{Answered, Asked, Book, Changes, History, Run, Store};
use super::super::sql::{codes, credentials, revoked, rows};
use super::{Statements, entries};
use crate::error::MachineError;
use crate::judge::DAY;
use crate::redeem::{Interval, VerifiedPayment};

impl Store for Statements<'_> {
    fn credentials(&mut self, ids: &[CredentialId]) -> Result<Vec<CredentialRecord>, MachineError> {
        ids.iter().filter_map(|id| rows::credential(self, *id).transpose()).collect()
    }

    fn payees(&mut self, ids: &[PayeeId]) -> Result<Vec<PayeeRecord>, MachineError> {
        ids.iter().filter_map(|id| rows::payee(self, *id).transpose()).collect()
    }

    fn accounts(&mut self, ids: &[AccountPseudonym]) -> Result<Vec<Book>, MachineError> {
        ids.iter().filter_map(|id| entries::find_book(self, *id).transpose()).collect()
    }

    fn histories(&mut self, payments: &[Asked<'_>], since: UnixTime) -> Result<Vec<History>, MachineError> {
        payments.iter().map(|asked| history(self.0, asked, since)).collect()
    }

    fn write(&mut self, changes: &Changes<'_>) -> Result<(), MachineError> {
        for token in &changes.tokens {
            write_token(self.0, token)?;
        }
        entries::write(self.0, changes)?;
        for (clone, taken_by) in &changes.clones {
            write_clone(self.0, clone, *taken_by)?;
        }
        Ok(())
    }
}

fn history(books: &Connection, asked: &Asked<'_>, since: UnixTime) -> Result<History, MachineError> {
    let token = asked.payment.token();
    let mut history = History::default();
    if asked.payer.unfrozen == CredentialState::Cloned {
        history.answered = refused_as_cloned(books, asked.payment)?;
    }
    recent(books, asked, since, &mut history)?;
    if history.is_late {
        around(books, asked, &mut history)?;
    }
    if history.answered.is_none() {
        history.request_settled = books
            .prepare_cached("SELECT 1 FROM settled WHERE expiry = ?1 AND request = ?2")?
            .exists(params![asked.payment.expiry().as_secs(), token.request.0])?;
    }
    Ok(history)
}

/// The tokens of a credential from the highest counter down: how much of them was settled within a day, and what is right before this one
/// where no other has its counter or a higher one.
fn recent(books: &Connection, asked: &Asked<'_>, since: UnixTime, history: &mut History) -> Result<(), MachineError> {
    const SQL: &str = "
        SELECT time, counter, late_from, late_until, outcome, total_start, total_end, gesture
        FROM credentials JOIN tokens ON credential = id WHERE id = ?1 ORDER BY counter DESC";
    let (token, since) = (asked.payment.token(), since.as_secs());
    let mut query = books.prepare_cached(SQL)?;
    let mut rows = query.query([token.credential.0])?;
    let (mut below, mut run, mut is_recent) = (None, Run::before(asked), true);
    while let Some(row) = rows.next()? {
        let (time, at): (u32, u32) = (row.get(0)?, row.get(1)?);
        history.is_late |= at >= token.counter.0;
        history.newest.get_or_insert(UnixTime::from_secs(time));
        // Those that came in order are older the lower their counters are.
        is_recent &= time > since || (row.get::<_, u32>(3)? > since && at >= row.get::<_, u32>(2)?);
        let settles_it = history.is_late || (below.is_some() && !run.goes_on);
        if !is_recent && settles_it {
            break;
        }
        let interval = row.get::<_, Option<i64>>(5)?.zip(row.get::<_, Option<i64>>(6)?).filter(|(start, end)| start < end);
        let minor = interval.map_or(0, |(start, end)| end.saturating_sub(start));
        if is_recent && time > since && Outcome::from(row.get::<_, u8>(4)?).is_settled() {
            // The parts of one total do not overlap, so their sum is one more number of the same width.
            history.settled_within_a_day = history.settled_within_a_day.saturating_add(minor);
        }
        if !settles_it {
            run.add(at, row.get(7)?, minor);
            below = below.or(interval.map(|(_, end)| end));
        }
    }
    if !history.is_late {
        history.free_run = run.run;
        if let Some(new) = asked.payment.interval().filter(|new| below.is_some_and(|end| end > new.start())) {
            history.conflict = conflict_of_totals(books, asked.payment, new)?;
        }
    }
    Ok(())
}

fn refused_as_cloned(books: &Connection, payment: &VerifiedPayment) -> Result<Option<(Outcome, Vec<u8>)>, MachineError> {
    Ok(books
        .prepare_cached("SELECT receipt FROM clones WHERE credential = ?1 AND digest = ?2")?
        .query_row(params![payment.token().credential.0, payment.digest().0], |row| Ok((Outcome::Cloned, row.get(0)?)))
        .optional()?)
}

/// What there is around a token that is not the newest, in the order of counters: itself, one with which it is a clone's, and those without a gesture right
/// before it.
fn around(books: &Connection, asked: &Asked<'_>, history: &mut History) -> Result<(), MachineError> {
    let (payment, token) = (asked.payment, asked.payment.token());
    let (credential, counter) = (token.credential.0, token.counter.0);
    let mut query = books.prepare_cached(
        "SELECT counter, gesture, total_start, total_end, outcome, object FROM tokens WHERE credential = ?1 AND counter <= ?2
         ORDER BY counter DESC",
    )?;
    let mut rows = query.query(params![credential, counter])?;
    let (mut below, mut run) = (None, Run::before(asked));
    while below.is_none() || run.goes_on {
        let Some(row) = rows.next()? else { break };
        let (at, minor): (u32, Option<i64>) = (row.get(0)?, row.get(3)?);
        if at == counter {
            let object = Object::find(books, row.get(5)?)?;
            if object.digest == payment.digest() {
                history.answered = history.answered.take().or(Some((Outcome::from(row.get::<_, u8>(4)?), object.receipt)));
            } else {
                history.conflict = Some((at, object.digest));
            }
            return Ok(());
        }
        let start: Option<i64> = row.get(2)?;
        let taken = start.zip(minor).filter(|(start, end)| start < end);
        run.add(at, row.get(1)?, taken.map_or(0, |(start, end)| end.saturating_sub(start)));
        below = below.or(taken.map(|(_, end)| end));
    }
    history.free_run = run.run;
    let Some(new) = payment.interval() else { return Ok(()) };
    let above: Option<i64> = books
        .prepare_cached(
            "SELECT total_start FROM tokens WHERE credential = ?1 AND counter > ?2 AND total_end > total_start ORDER BY counter LIMIT 1",
        )?
        .query_row(params![credential, counter], |row| row.get(0))
        .optional()?;
    // What is recorded does not overlap, and is in the order of its counters: so the new one's neighbours speak for all.
    if below.is_some_and(|end| end > new.start()) || above.is_some_and(|start| start < new.end()) {
        history.conflict = conflict_of_totals(books, payment, new)?;
    }
    Ok(())
}

/// The first token whose totals overlap these; else the one with the highest total below them, or the lowest above, that has the counter on
/// the other side. It reads all tokens of the credential, which is then refused for good.
fn conflict_of_totals(
    books: &Connection,
    payment: &VerifiedPayment,
    new: Interval,
) -> Result<Option<(u32, TokenDigest)>, MachineError> {
    type Neighbour = (u32, i64, i64);
    let (credential, counter) = (payment.token().credential.0, payment.token().counter.0);
    let neighbour = |query: &str| -> Result<Option<Neighbour>, MachineError> {
        let neighbour = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(books.prepare_cached(query)?.query_row(params![credential, new.start()], neighbour).optional()?)
    };
    let above = neighbour(
        "SELECT counter, object, total_start FROM tokens WHERE credential = ?1 AND total_end > ?2 AND total_end > total_start
         ORDER BY total_end, total_start LIMIT 1",
    )?;
    let below = neighbour(
        "SELECT counter, object, total_start FROM tokens WHERE credential = ?1 AND total_end <= ?2 AND total_end > total_start
         ORDER BY total_end DESC, total_start DESC LIMIT 1",
    )?;
    let overlaps = above.filter(|(_, _, start)| *start < new.end());
    let below = below.filter(|(lower, _, _)| *lower > counter);
    let above = above.filter(|(higher, _, _)| *higher < counter);
    let found = overlaps.or(below).or(above);
    found.map(|(counter, object, _)| Ok((counter, Object::find(books, object)?.digest))).transpose()
}

/// What was signed.
struct Object {
    digest: TokenDigest,
    receipt: Vec<u8>,
}

impl Object {
    fn find(books: &Connection, id: i64) -> Result<Self, MachineError> {
        let mut query = books.prepare_cached("SELECT digest, receipt FROM objects WHERE id = ?1")?;
        let object = |row: &Row<'_>| Ok(Self { digest: TokenDigest(row.get(0)?), receipt: row.get(1)? });
        query.query_row([id], object).optional()?.ok_or(MachineError::Damaged("what was signed is gone"))
    }
}

fn write_token(books: &Connection, answered: &Answered<'_>) -> Result<(), MachineError> {
    let (payment, ruling, token) = (answered.payment, &answered.ruling, answered.payment.token());
    let (sequence, total) = counts(ruling)?;
    let object = books
        .prepare_cached("INSERT INTO objects (digest, receipt, token, request) VALUES (?1, ?2, ?3, ?4)")?
        .insert(params![ruling.token.0, answered.receipt, payment.token_object(), payment.request_object()])?;
    books
        .prepare_cached(
            "INSERT INTO tokens (credential, counter, total_start, total_end, outcome, time, gesture, object, answered, total)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            token.credential.0,
            token.counter.0,
            payment.interval().map(Interval::start),
            payment.interval().map(Interval::end),
            u8::from(ruling.outcome),
            ruling.time.as_secs(),
            codes::gesture_code(token.presence.gesture),
            object,
            sequence,
            total,
        ])?;
    if ruling.outcome.is_settled() {
        books
            .prepare_cached("INSERT INTO settled (expiry, request, credential, counter) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![payment.expiry().as_secs(), token.request.0, token.credential.0, token.counter.0])?;
    }
    if answered.is_late {
        count(books, token.credential, (sequence, total))?;
    }
    if answered.is_late || answered.newest > Some(ruling.time) { remember_late(books, answered) } else { Ok(()) }
}

/// How many tokens of the credential were answered, and what those that took a part of its total come to.
fn counts(ruling: &Ruling) -> Result<(i64, i64), MachineError> {
    let answered = i64::try_from(ruling.sequence.0).map_err(|_| MachineError::Damaged("a credential has too many tokens"))?;
    Ok((answered, ruling.total))
}

/// Writes what is counted where it stands: with the token that has the highest counter.
fn count(books: &Connection, credential: CredentialId, (answered, total): (i64, i64)) -> Result<(), MachineError> {
    const SQL: &str = "
        UPDATE tokens SET answered = ?2, total = ?3
        WHERE credential = ?1 AND counter = (SELECT max(counter) FROM tokens WHERE credential = ?1)";
    let counted = books.prepare_cached(SQL)?.execute(params![credential.0, answered, total])?;
    if counted == 1 { Ok(()) } else { Err(MachineError::Damaged("a credential has no newest token")) }
}

/// Remembers a token that came after one with a higher counter, or at a time before the newest. Those that came late before count no more once
/// they are two days old: a day is what velocity looks at, and another one for clocks that go back.
fn remember_late(books: &Connection, answered: &Answered<'_>) -> Result<(), MachineError> {
    const SQL: &str = "
        UPDATE credentials SET late_until = max(late_until, ?2),
            late_from = CASE WHEN late_until < ?4 THEN ?3 ELSE min(late_from, ?3) END
        WHERE id = ?1";
    let (token, time) = (answered.payment.token(), answered.ruling.time);
    let latest = answered.newest.map_or(time, |newest| newest.max(time)).as_secs();
    let old = time.saturating_sub(DAY).saturating_sub(DAY).as_secs();
    books.prepare_cached(SQL)?.execute(params![token.credential.0, latest, token.counter.0, old])?;
    Ok(())
}

/// Keeps both tokens as evidence, and refuses the credential for good.
fn write_clone(books: &Connection, answered: &Answered<'_>, taken_by: u32) -> Result<(), MachineError> {
    let (payment, ruling) = (answered.payment, &answered.ruling);
    let credential = payment.token().credential;
    books
        .prepare_cached(
            "INSERT INTO clones (credential, digest, taken_by, time, receipt, token_object, request_object)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            credential.0,
            ruling.token.0,
            taken_by,
            ruling.time.as_secs(),
            answered.receipt,
            payment.token_object(),
            payment.request_object(),
        ])?;
    count(books, credential, counts(ruling)?)?;
    let books = &mut Statements(books);
    credentials::set_state(books, credential, CredentialState::Cloned)?;
    revoked::mark(books, PayeeRef::Credential(credential), true, answered.until, ruling.time)
}
