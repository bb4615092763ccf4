//! Payees, enrolment codes and credentials.

use armring_wire::{AccountPseudonym, CredentialId, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::model::{
    Account, CodeHash, CredentialRecord, CredentialState, Enrolled, NewCredential, PayeeRecord, Pending, TRIES,
    digits_from_number,
};
use super::money::customer;
use super::rows;
use crate::error::{CallerError, Error, MachineError};

pub(super) fn add_payee(books: &Connection, payee: &PayeeRecord) -> Result<(), Error> {
    customer(books, payee.account)?;
    if rows::payee(books, payee.id)?.is_some() {
        return Err(CallerError::Exists.into());
    }
    books.prepare_cached("INSERT INTO payees (id, account, certificate) VALUES (?1, ?2, ?3)")?.execute(params![
        payee.id.0,
        payee.account.0,
        payee.certificate
    ])?;
    Ok(())
}

pub(super) fn store_code(
    books: &Connection,
    code: &CodeHash,
    account: AccountPseudonym,
    expires: UnixTime,
    now: UnixTime,
) -> Result<(), Error> {
    customer(books, account)?;
    if find_code(books, code, now)?.is_some() {
        return Err(CallerError::Exists.into());
    }
    books.prepare_cached("DELETE FROM codes WHERE expires <= ?1")?.execute([now.as_secs()])?;
    books.prepare_cached("INSERT INTO codes (hash, account, expires) VALUES (?1, ?2, ?3)")?.execute(params![
        code.0,
        account.0,
        expires.as_secs()
    ])?;
    Ok(())
}

/// The account and the credential of a code that is not too old.
fn find_code(
    books: &Connection,
    code: &CodeHash,
    now: UnixTime,
) -> Result<Option<(AccountPseudonym, Option<CredentialId>)>, MachineError> {
    let mut query = books.prepare_cached("SELECT account, credential FROM codes WHERE hash = ?1 AND expires > ?2")?;
    let found: Option<([u8; 8], Option<[u8; 8]>)> =
        query.query_row(params![code.0, now.as_secs()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(account, credential)| (AccountPseudonym(account), credential.map(CredentialId))))
}

pub(super) fn code_account(books: &Connection, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
    match find_code(books, code, now)? {
        Some((account, _)) => rows::account(books, account),
        None => Ok(None),
    }
}

pub(super) fn enrol(
    books: &Connection,
    code: &CodeHash,
    candidate: &NewCredential,
    now: UnixTime,
) -> Result<Enrolled, MachineError> {
    let new = &candidate.record.credential;
    let Some((account, used)) = find_code(books, code, now)? else { return Ok(Enrolled::Refused) };
    if let Some(id) = used {
        let record = rows::credential(books, id)?.ok_or(MachineError::Damaged("a code's credential is gone"))?;
        return again(books, record, candidate);
    }
    let key_in_use = books
        .prepare_cached("SELECT 1 FROM credentials WHERE payment_key = ?1 OR id = ?2")?
        .exists(params![new.payment_key, new.id.0])?;
    if account != new.account || key_in_use {
        return Ok(Enrolled::Refused);
    }
    books
        .prepare_cached(
            "INSERT INTO credentials (id, account, payment_key, object, state, digits) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            new.id.0,
            account.0,
            new.payment_key,
            candidate.record.object,
            rows::state_code(CredentialState::Inactive),
            candidate.digits.number(),
        ])?;
    books.prepare_cached("UPDATE codes SET credential = ?2 WHERE hash = ?1")?.execute(params![code.0, new.id.0])?;
    Ok(Enrolled::Stored)
}

/// A code that was used before.
fn again(books: &Connection, record: CredentialRecord, candidate: &NewCredential) -> Result<Enrolled, MachineError> {
    let same_key = record.credential.payment_key == candidate.record.credential.payment_key;
    if !same_key || record.state == CredentialState::Cancelled {
        return Ok(Enrolled::Refused);
    }
    books
        .prepare_cached("UPDATE credentials SET digits = ?2 WHERE id = ?1")?
        .execute(params![record.credential.id.0, candidate.digits.number()])?;
    Ok(Enrolled::Already(record.object))
}

pub(super) fn pending(books: &Connection, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
    let mut query = books.prepare_cached("SELECT id, digits FROM credentials WHERE account = ?1 AND state = ?2 ORDER BY id")?;
    let rows = query.query_map(params![account.0, rows::state_code(CredentialState::Inactive)], |row| {
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
pub(super) fn confirm(books: &Connection, credential: CredentialId, digits: u32) -> Result<Result<(), CallerError>, Error> {
    match find(books, credential)??.state {
        CredentialState::Inactive => {}
        CredentialState::Cancelled => return Err(CallerError::Cancelled.into()),
        CredentialState::Active | CredentialState::Frozen => return Err(CallerError::NotPending.into()),
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
    set_state(books, credential, CredentialState::Cancelled)?;
    Ok(Err(CallerError::Cancelled))
}

pub(super) fn freeze(books: &Connection, credential: CredentialId) -> Result<(), Error> {
    find(books, credential)??;
    Ok(set_state(books, credential, CredentialState::Frozen)?)
}

pub(super) fn set_state(books: &Connection, credential: CredentialId, state: CredentialState) -> Result<(), MachineError> {
    books
        .prepare_cached("UPDATE credentials SET state = ?2 WHERE id = ?1")?
        .execute(params![credential.0, rows::state_code(state)])?;
    Ok(())
}
