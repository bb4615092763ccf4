//! The tables, and how an older file gets to have them.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::MachineError;

/// What each version adds to the one before. A version that was released is never edited.
const MIGRATIONS: [(u32, &str); 1] = [(1, include_str!("schema_1.sql"))];

/// Brings the file to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), MachineError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let newest = MIGRATIONS.last().map_or(0, |(newest, _)| *newest);
    if version > newest {
        return Err(MachineError::Damaged("the ledger was written by a newer version"));
    }
    for (_, migration) in MIGRATIONS.iter().filter(|(number, _)| *number > version) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()?;
    Ok(())
}
