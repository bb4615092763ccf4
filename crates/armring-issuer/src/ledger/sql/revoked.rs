//! The revocation list.

use armring_token::{ENTRIES_MAX, Epoch, Revocation};
use armring_wire::{PayeeRef, UnixTime};

use super::super::revoked::{RevokedPart, begin, next, parts, subject_key, subject_of};
use super::{Sql, first};
use crate::error::MachineError;

/// Lists whether `subject` is revoked, unless that is known.
pub(in super::super) fn mark(
    books: &mut impl Sql,
    subject: PayeeRef,
    revoked: bool,
    until: UnixTime,
    now: UnixTime,
) -> Result<(), MachineError> {
    let (kind, id) = subject_key(subject);
    let known = books.rows("SELECT revoked FROM revocations WHERE kind = $1 AND id = $2", &[kind.into(), (&id).into()])?;
    let known = first(known).map(|mut row| row.take(0)).transpose()?.unwrap_or(false);
    if known == revoked {
        return Ok(());
    }
    let (epoch, _) = latest(books)?;
    let values = [kind.into(), (&id).into(), revoked.into(), next(epoch)?.0.into(), now.as_secs().into(), until.as_secs().into()];
    books.execute(
        "INSERT INTO revocations (kind, id, revoked, epoch, time, until) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (kind, id) DO UPDATE
         SET revoked = excluded.revoked, epoch = excluded.epoch, time = excluded.time, until = excluded.until",
        &values,
    )?;
    Ok(())
}

/// The epoch and the time of the latest change.
fn latest(books: &mut impl Sql) -> Result<(Epoch, u32), MachineError> {
    let found = books.rows("SELECT epoch, time FROM revocations ORDER BY epoch DESC LIMIT 1", &[])?;
    match first(found) {
        Some(mut row) => Ok((Epoch(row.take(0)?), row.take(1)?)),
        None => Ok((Epoch(0), 0)),
    }
}

/// Read in one transaction, so that epoch, number and entries are as of one moment though others may write.
pub(in super::super) fn part(books: &mut impl Sql, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
    /// Everything that counts, and what came after an epoch; as of the latest change.
    const COUNT: [&str; 2] = [
        "SELECT count(*) FROM revocations WHERE until > $1 AND $2 = CAST(0 AS BIGINT) AND revoked = 1",
        "SELECT count(*) FROM revocations WHERE until > $1 AND epoch > $2",
    ];
    const ENTRIES: [&str; 2] = [
        "SELECT kind, id, revoked FROM revocations WHERE until > $1 AND $2 = CAST(0 AS BIGINT) AND revoked = 1
         ORDER BY kind, id LIMIT $3 OFFSET $4",
        "SELECT kind, id, revoked FROM revocations WHERE until > $1 AND epoch > $2 ORDER BY kind, id LIMIT $3 OFFSET $4",
    ];
    let (epoch, changed) = latest(books)?;
    let since = begin(since, epoch);
    let [all, news] = [COUNT, ENTRIES].map(|[all, news]| if since == Epoch(0) { all } else { news });
    let count = first(books.rows(all, &[changed.into(), since.0.into()])?).map(|mut row| row.take::<i64>(0)).transpose()?;
    let parts = parts(usize::try_from(count.unwrap_or_default()).unwrap_or_default())?;
    if part >= parts {
        return Ok(None);
    }
    let most = i64::try_from(ENTRIES_MAX).unwrap_or(i64::MAX);
    let skipped = most.saturating_mul(part.into());
    let mut entries = Vec::new();
    for mut row in books.rows(news, &[changed.into(), since.0.into(), most.into(), skipped.into()])? {
        entries.push(Revocation { subject: subject_of((row.take(0)?, row.take(1)?)), revoked: row.take(2)? });
    }
    Ok(Some(RevokedPart { epoch, since, part, parts, entries }))
}
