//! Payees, enrolment codes, and what becomes of the codes.

use armring_wire::{AccountPseudonym, CredentialId, PayeeId, PayeeRef, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::codes;
use super::super::credential::{CodeHash, CredentialRecord, CredentialState, Enrolled, NewCredential};
use super::super::model::{Account, PayeeRecord};
use super::money::customer;
use super::{revoked, rows};
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

pub(super) fn set_payee_revoked(books: &Connection, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
    let record = rows::payee(books, payee)?.ok_or(CallerError::UnknownPayee)?;
    books.prepare_cached("UPDATE payees SET revoked = ?2 WHERE id = ?1")?.execute(params![payee.0, revoked])?;
    Ok(revoked::mark(books, PayeeRef::Certificate(payee), revoked, record.validity.until, now)?)
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
            "INSERT INTO credentials (id, account, payment_key, object, state, maker, digits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            new.id.0,
            account.0,
            new.payment_key,
            candidate.record.object,
            codes::state_code(candidate.record.unfrozen),
            candidate.record.maker.map(|maker| maker.0),
            candidate.digits.number(),
        ])?;
    books.prepare_cached("UPDATE codes SET credential = ?2 WHERE hash = ?1")?.execute(params![code.0, new.id.0])?;
    Ok(Enrolled::Stored)
}

/// A code that was used before.
fn again(books: &Connection, record: CredentialRecord, candidate: &NewCredential) -> Result<Enrolled, MachineError> {
    let (id, new) = (record.credential.id, &candidate.record);
    if record.credential.payment_key != new.credential.payment_key || record.unfrozen.is_final() {
        return Ok(Enrolled::Refused);
    }
    let state = if new.unfrozen == CredentialState::Active { new.unfrozen } else { record.unfrozen };
    let maker = new.maker.or(record.maker).map(|maker| maker.0);
    books.prepare_cached("UPDATE credentials SET state = ?2, maker = ?3, digits = ?4 WHERE id = ?1")?.execute(params![
        id.0,
        codes::state_code(state),
        maker,
        candidate.digits.number()
    ])?;
    Ok(Enrolled::Already(record.object))
}
