//! The revocation list.

use armring_token::{ENTRIES_MAX, Epoch, Revocation};
use armring_wire::{PayeeRef, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::revoked::{RevokedPart, begin, next, parts, subject_key, subject_of};
use crate::error::MachineError;

/// Everything that counts, as of the latest change.
const ALL: &str = "FROM revocations INDEXED BY revocations_in_force WHERE ?2 = 0 AND revoked = 1 AND until > ?1";
/// What came after an epoch, as of the latest change.
const SINCE: &str = "FROM revocations INDEXED BY revocations_by_epoch WHERE epoch > ?2 AND until > ?1";

/// Lists whether `subject` is revoked, unless that is known.
pub(super) fn mark(
    books: &Connection,
    subject: PayeeRef,
    revoked: bool,
    until: UnixTime,
    now: UnixTime,
) -> Result<(), MachineError> {
    let (kind, id) = subject_key(subject);
    let known: Option<bool> = books
        .prepare_cached("SELECT revoked FROM revocations WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind, id], |row| row.get(0))
        .optional()?;
    if known.unwrap_or(false) == revoked {
        return Ok(());
    }
    let (epoch, _) = latest(books)?;
    books
        .prepare_cached(
            "INSERT OR REPLACE INTO revocations (kind, id, revoked, epoch, time, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![kind, id, revoked, next(epoch)?.0, now.as_secs(), until.as_secs()])?;
    Ok(())
}

/// The epoch and the time of the latest change.
fn latest(books: &Connection) -> Result<(Epoch, u32), MachineError> {
    let found = books
        .prepare_cached("SELECT epoch, time FROM revocations ORDER BY epoch DESC LIMIT 1")?
        .query_row([], |row| Ok((Epoch(row.get(0)?), row.get(1)?)))
        .optional()?;
    Ok(found.unwrap_or((Epoch(0), 0)))
}

pub(super) fn part(books: &Connection, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
    // One transaction, so that epoch, number and entries are as of one moment though others may write.
    let books = books.unchecked_transaction()?;
    let (epoch, changed) = latest(&books)?;
    let since = begin(since, epoch);
    let from = if since == Epoch(0) { ALL } else { SINCE };
    let count = books
        .prepare_cached(&format!("SELECT count(*) {from}"))?
        .query_row(params![changed, since.0], |row| row.get::<_, i64>(0))?;
    let parts = parts(usize::try_from(count).unwrap_or_default())?;
    if part >= parts {
        return Ok(None);
    }
    let limit = i64::try_from(ENTRIES_MAX).unwrap_or(i64::MAX);
    let mut query =
        books.prepare_cached(&format!("SELECT kind, id, revoked {from} ORDER BY kind, id LIMIT ?3 OFFSET ?3 * ?4"))?;
    let entries = query.query_map(params![changed, since.0, limit, part], |row| {
        Ok(Revocation { subject: subject_of((row.get(0)?, row.get(1)?)), revoked: row.get(2)? })
    })?;
    let entries = entries.collect::<Result<_, _>>()?;
    Ok(Some(RevokedPart { epoch, since, part, parts, entries }))
}
