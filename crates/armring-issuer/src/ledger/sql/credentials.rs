//! What users and the operator make of credentials.

use armring_wire::{AccountPseudonym, CredentialId, PayeeRef, UnixTime};

use super::super::credential::{CodeHash, CredentialRecord, CredentialState, Evidence, Pending, TRIES, digits_from_number};
use super::{Row, Sql, codes, enrol, first, revoked, rows};
use crate::error::{CallerError, Error, MachineError};

pub(in super::super) fn pending(books: &mut impl Sql, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
    const SQL: &str = "SELECT id, digits FROM credentials WHERE account = $1 AND state = $2 AND frozen = 0 ORDER BY id";
    let inactive = codes::state_code(CredentialState::Inactive);
    let mut pending = Vec::new();
    for mut row in books.rows(SQL, &[(&account.0).into(), inactive.into()])? {
        let (credential, digits) = (CredentialId(row.take(0)?), digits_from_number(row.take(1)?));
        let record = find(books, credential)?.map_err(|_| MachineError::Damaged("a credential is gone"))?;
        pending.push(Pending { credential, digits, enrolled: record.credential.validity.from });
    }
    Ok(pending)
}

fn find(books: &mut impl Sql, credential: CredentialId) -> Result<Result<CredentialRecord, CallerError>, MachineError> {
    Ok(rows::credential(books, credential)?.ok_or(CallerError::UnknownCredential))
}

/// The inner error is what the caller is told of a try that was counted.
pub(in super::super) fn confirm(
    books: &mut impl Sql,
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
    let kept = books.rows("SELECT digits, wrong FROM credentials WHERE id = $1", &[(&credential.0).into()])?;
    let mut kept = first(kept).ok_or(MachineError::Damaged("a credential is gone"))?;
    let (right, wrong): (u32, u8) = (kept.take(0)?, kept.take(1)?);
    if right == digits {
        set_state(books, credential, CredentialState::Active)?;
        return Ok(Ok(()));
    }
    let wrong = wrong.saturating_add(1);
    books.execute("UPDATE credentials SET wrong = $1 WHERE id = $2", &[wrong.into(), (&credential.0).into()])?;
    let left = TRIES.saturating_sub(wrong);
    if left > 0 {
        return Ok(Err(CallerError::WrongDigits { left }));
    }
    refuse_for_good(books, &record, CredentialState::Cancelled, now)?;
    Ok(Err(CallerError::Cancelled))
}

pub(in super::super) fn set_frozen(
    books: &mut impl Sql,
    credential: CredentialId,
    frozen: bool,
    now: UnixTime,
) -> Result<(), Error> {
    let record = find(books, credential)??;
    if record.unfrozen.is_final() {
        return if frozen { Ok(()) } else { Err(CallerError::Final.into()) };
    }
    books.execute("UPDATE credentials SET frozen = $1 WHERE id = $2", &[frozen.into(), (&credential.0).into()])?;
    let until = record.credential.validity.until;
    Ok(revoked::mark(books, PayeeRef::Credential(credential), frozen, until, now)?)
}

pub(in super::super) fn revoke(
    books: &mut impl Sql,
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
pub(in super::super) fn refuse_for_good(
    books: &mut impl Sql,
    record: &CredentialRecord,
    state: CredentialState,
    now: UnixTime,
) -> Result<(), MachineError> {
    let credential = &record.credential;
    set_state(books, credential.id, state)?;
    revoked::mark(books, PayeeRef::Credential(credential.id), true, credential.validity.until, now)
}

pub(in super::super) fn set_state(
    books: &mut impl Sql,
    credential: CredentialId,
    state: CredentialState,
) -> Result<(), MachineError> {
    let values = [codes::state_code(state).into(), (&credential.0).into()];
    books.execute("UPDATE credentials SET state = $1 WHERE id = $2", &values)?;
    Ok(())
}

pub(in super::super) fn evidence(books: &mut impl Sql, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
    const SQL: &str = "
        SELECT objects.token, clones.token_object, clones.time FROM clones
        JOIN tokens ON tokens.credential = clones.credential AND tokens.counter = taken_by JOIN objects ON objects.id = object
        WHERE clones.credential = $1 ORDER BY clones.digest";
    let evidence =
        |row: &mut Row| Ok(Evidence { first: row.take(0)?, second: row.take(1)?, time: UnixTime::from_secs(row.take(2)?) });
    books.rows(SQL, &[(&credential.0).into()])?.iter_mut().map(evidence).collect()
}
