//! What users and the operator make of credentials.

use armring_wire::{AccountPseudonym, CredentialId, PayeeRef, UnixTime};
use rusqlite::{Connection, params};

use super::super::codes;
use super::super::credential::{CodeHash, CredentialRecord, CredentialState, Pending, TRIES, digits_from_number};
use super::{enrol, revoked, rows};
use crate::error::{CallerError, Error, MachineError};

pub(super) fn pending(books: &Connection, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
    let mut query = books
        .prepare_cached("SELECT id, digits FROM credentials WHERE account = ?1 AND state = ?2 AND NOT frozen ORDER BY id")?;
    let rows = query.query_map(params![account.0, codes::state_code(CredentialState::Inactive)], |row| {
        Ok((CredentialId(row.get(0)?), digits_from_number(row.get(1)?)))
    })?;
    let mut pending = Vec::new();
    for row in rows {
        let (credential, digits) = row?;
        let record = find(books, credential)?.map_err(|_| MachineError::Damaged("a credential is gone"))?;
        pending.push(Pending { credential, digits, enrolled: record.credential.validity.from });
    }
    Ok(pending)
}

fn find(books: &Connection, credential: CredentialId) -> Result<Result<CredentialRecord, CallerError>, MachineError> {
    Ok(rows::credential(books, credential)?.ok_or(CallerError::UnknownCredential))
}

/// The inner error is what the caller is told of a try that was counted.
pub(super) fn confirm(
    books: &Connection,
    credential: CredentialId,
    digits: u32,
    now: UnixTime,
) -> Result<Result<(), CallerError>, Error> {
    let record = find(books, credential)??;
    match record.state() {
        CredentialState::Inactive => {}
        CredentialState::Cancelled => return Err(CallerError::Cancelled.into()),
        _ => return Err(CallerError::NotPending.into()),
    }
    let (right, wrong): (u32, u8) = books
        .prepare_cached("SELECT digits, wrong FROM credentials WHERE id = ?1")?
        .query_row([credential.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if right == digits {
        set_state(books, credential, CredentialState::Active)?;
        return Ok(Ok(()));
    }
    let wrong = wrong.saturating_add(1);
    books.prepare_cached("UPDATE credentials SET wrong = ?2 WHERE id = ?1")?.execute(params![credential.0, wrong])?;
    let left = TRIES.saturating_sub(wrong);
    if left > 0 {
        return Ok(Err(CallerError::WrongDigits { left }));
    }
    refuse_for_good(books, &record, CredentialState::Cancelled, now)?;
    Ok(Err(CallerError::Cancelled))
}

pub(super) fn set_frozen(books: &Connection, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
    let record = find(books, credential)??;
    if record.unfrozen.is_final() {
        return if frozen { Ok(()) } else { Err(CallerError::Final.into()) };
    }
    books.prepare_cached("UPDATE credentials SET frozen = ?2 WHERE id = ?1")?.execute(params![credential.0, frozen])?;
    let until = record.credential.validity.until;
    Ok(revoked::mark(books, PayeeRef::Credential(credential), frozen, until, now)?)
}

pub(super) fn revoke(
    books: &Connection,
    credential: CredentialId,
    code: Option<(&CodeHash, UnixTime)>,
    now: UnixTime,
) -> Result<(), Error> {
    let record = find(books, credential)??;
    if let Some((code, expires)) = code {
        enrol::store_code(books, code, record.credential.account, expires, now)?;
    }
    if !record.unfrozen.is_final() {
        refuse_for_good(books, &record, CredentialState::Revoked, now)?;
    }
    Ok(())
}

/// Makes the state a final one, and lists it.
pub(super) fn refuse_for_good(
    books: &Connection,
    record: &CredentialRecord,
    state: CredentialState,
    now: UnixTime,
) -> Result<(), MachineError> {
    let credential = &record.credential;
    set_state(books, credential.id, state)?;
    revoked::mark(books, PayeeRef::Credential(credential.id), true, credential.validity.until, now)
}

pub(super) fn set_state(books: &Connection, credential: CredentialId, state: CredentialState) -> Result<(), MachineError> {
    books
        .prepare_cached("UPDATE credentials SET state = ?2 WHERE id = ?1")?
        .execute(params![credential.0, codes::state_code(state)])?;
    Ok(())
}
