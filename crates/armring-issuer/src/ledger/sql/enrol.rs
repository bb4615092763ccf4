//! Payees, enrolment codes, and what becomes of the codes.

use armring_wire::{AccountPseudonym, CredentialId, PayeeId, PayeeRef, UnixTime};

use super::super::credential::{CodeHash, CredentialRecord, CredentialState, Enrolled, NewCredential};
use super::super::model::{Account, PayeeRecord};
use super::money::customer;
use super::{Sql, codes, first, revoked, rows};
use crate::error::{CallerError, Error, MachineError};

pub(in super::super) fn add_payee(books: &mut impl Sql, payee: &PayeeRecord) -> Result<(), Error> {
    customer(books, payee.account)?;
    if rows::payee(books, payee.id)?.is_some() {
        return Err(CallerError::Exists.into());
    }
    let values = [(&payee.id.0).into(), (&payee.account.0).into(), payee.certificate.as_slice().into()];
    books.execute("INSERT INTO payees (id, account, certificate) VALUES ($1, $2, $3)", &values)?;
    Ok(())
}

pub(in super::super) fn set_payee_revoked(
    books: &mut impl Sql,
    payee: PayeeId,
    revoked: bool,
    now: UnixTime,
) -> Result<(), Error> {
    let record = rows::payee(books, payee)?.ok_or(CallerError::UnknownPayee)?;
    books.execute("UPDATE payees SET revoked = $1 WHERE id = $2", &[revoked.into(), (&payee.0).into()])?;
    Ok(revoked::mark(books, PayeeRef::Certificate(payee), revoked, record.validity.until, now)?)
}

pub(in super::super) fn store_code(
    books: &mut impl Sql,
    code: &CodeHash,
    account: AccountPseudonym,
    expires: UnixTime,
    now: UnixTime,
) -> Result<(), Error> {
    customer(books, account)?;
    if find_code(books, code, now)?.is_some() {
        return Err(CallerError::Exists.into());
    }
    books.execute("DELETE FROM codes WHERE expires <= $1", &[now.as_secs().into()])?;
    let values = [(&code.0).into(), (&account.0).into(), expires.as_secs().into()];
    books.execute("INSERT INTO codes (hash, account, expires) VALUES ($1, $2, $3)", &values)?;
    Ok(())
}

/// The account and the credential of a code that is not too old.
fn find_code(
    books: &mut impl Sql,
    code: &CodeHash,
    now: UnixTime,
) -> Result<Option<(AccountPseudonym, Option<CredentialId>)>, MachineError> {
    const SQL: &str = "SELECT account, credential FROM codes WHERE hash = $1 AND expires > $2";
    let found = first(books.locked(SQL, &[(&code.0).into(), now.as_secs().into()])?);
    found.map(|mut row| Ok((AccountPseudonym(row.take(0)?), row.take::<Option<_>>(1)?.map(CredentialId)))).transpose()
}

pub(in super::super) fn code_account(
    books: &mut impl Sql,
    code: &CodeHash,
    now: UnixTime,
) -> Result<Option<Account>, MachineError> {
    match find_code(books, code, now)? {
        Some((account, _)) => rows::account(books, account),
        None => Ok(None),
    }
}

pub(in super::super) fn enrol(
    books: &mut impl Sql,
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
    const SAME: &str = "SELECT 1 FROM credentials WHERE payment_key = $1 OR id = $2";
    let key_in_use = books.rows(SAME, &[(&new.payment_key).into(), (&new.id.0).into()])?;
    if account != new.account || !key_in_use.is_empty() {
        return Ok(Enrolled::Refused);
    }
    let values = [
        (&new.id.0).into(),
        (&account.0).into(),
        (&new.payment_key).into(),
        candidate.record.object.as_slice().into(),
        codes::state_code(candidate.record.unfrozen).into(),
        candidate.record.maker.map(|maker| maker.0).into(),
        candidate.digits.number().into(),
    ];
    books.execute(
        "INSERT INTO credentials (id, account, payment_key, object, state, maker, digits) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &values,
    )?;
    books.execute("UPDATE codes SET credential = $1 WHERE hash = $2", &[(&new.id.0).into(), (&code.0).into()])?;
    Ok(Enrolled::Stored)
}

/// A code that was used before.
fn again(books: &mut impl Sql, record: CredentialRecord, candidate: &NewCredential) -> Result<Enrolled, MachineError> {
    let (id, new) = (record.credential.id, &candidate.record);
    if record.credential.payment_key != new.credential.payment_key || record.unfrozen.is_final() {
        return Ok(Enrolled::Refused);
    }
    let state = if new.unfrozen == CredentialState::Active { new.unfrozen } else { record.unfrozen };
    let maker = new.maker.or(record.maker).map(|maker| maker.0);
    let values = [codes::state_code(state).into(), maker.into(), candidate.digits.number().into(), (&id.0).into()];
    books.execute("UPDATE credentials SET state = $1, maker = $2, digits = $3 WHERE id = $4", &values)?;
    Ok(Enrolled::Already(record.object))
}
