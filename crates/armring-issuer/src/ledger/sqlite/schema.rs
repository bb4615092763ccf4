//! The tables, and how an older file gets to have them.

use armring_token::{Credential, PaymentRequest, PaymentToken, Unverified};
use armring_wire::{CredentialId, PayeeRef, UnixTime};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::super::sql::revoked;
use super::Statements;
use crate::error::MachineError;

/// What brings a file from the version before to this one: tables, then what SQL cannot say.
struct Migration {
    version: u32,
    tables: &'static str,
    rest: fn(&Transaction<'_>) -> Result<(), MachineError>,
}

/// A version that was released is never edited.
const MIGRATIONS: [Migration; 5] = [
    Migration { version: 1, tables: include_str!("schema_1.sql"), rest: |_| Ok(()) },
    Migration { version: 2, tables: include_str!("schema_2.sql"), rest: list_who_is_refused },
    Migration { version: 3, tables: include_str!("schema_3.sql"), rest: list_what_is_settled },
    Migration { version: 4, tables: include_str!("schema_4.sql"), rest: |_| Ok(()) },
    Migration { version: 5, tables: include_str!("schema_5.sql"), rest: |_| Ok(()) },
];

/// Brings the file to the newest version, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), MachineError> {
    // A table that others refer to can be made anew only where nobody watches. The pragma does nothing inside of a transaction.
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let newest = MIGRATIONS.last().map_or(0, |newest| newest.version);
    if version > newest {
        return Err(MachineError::Damaged("the ledger was written by a newer version"));
    }
    if version < newest {
        // Before each and after it: what an older version compares, a newer one may not.
        compare(&transaction)?;
        for migration in MIGRATIONS.iter().filter(|migration| migration.version > version) {
            transaction.execute_batch(migration.tables)?;
            (migration.rest)(&transaction)?;
            compare(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", newest)?;
    }
    transaction.commit()?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

fn compare(books: &Transaction<'_>) -> Result<(), MachineError> {
    if books.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(MachineError::Damaged("a row refers to one that is gone"));
    }
    Ok(())
}

/// Version 1 had no revocation list: whoever it refuses is put on it. Nobody knows since when, which is what the epoch of time says.
fn list_who_is_refused(books: &Transaction<'_>) -> Result<(), MachineError> {
    let mut query = books.prepare("SELECT id, object FROM credentials WHERE state > 1 OR frozen ORDER BY id")?;
    let refused: Vec<([u8; 8], Vec<u8>)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (id, object) in refused {
        let credential = Unverified::<Credential>::parse(&object).map_err(|_| MachineError::Damaged("a credential is none"))?;
        let until = credential.claims().validity.until;
        revoked::mark(&mut Statements(books), PayeeRef::Credential(CredentialId(id)), true, until, UnixTime::EPOCH)?;
    }
    Ok(())
}

/// Version 2 knew no expiry of requests: it is in what was signed.
fn list_what_is_settled(books: &Transaction<'_>) -> Result<(), MachineError> {
    const NO_OBJECT: MachineError = MachineError::Damaged("what was signed cannot be read");
    let mut query = books.prepare(
        "SELECT credential, counter, objects.token, objects.request FROM tokens JOIN objects ON id = object WHERE outcome = 1",
    )?;
    let mut insert = books.prepare("INSERT INTO settled (expiry, request, credential, counter) VALUES (?1, ?2, ?3, ?4)")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (credential, counter): ([u8; 8], u32) = (row.get(0)?, row.get(1)?);
        let (token, request): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let token = Unverified::<PaymentToken>::parse(&token).map_err(|_| NO_OBJECT)?;
        let request = Unverified::<PaymentRequest<'_>>::parse(&request).map_err(|_| NO_OBJECT)?;
        insert.execute(params![request.claims().expiry.as_secs(), token.claims().request.0, credential, counter])?;
    }
    Ok(())
}
