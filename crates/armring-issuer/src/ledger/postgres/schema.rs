//! The tables, and how an older database gets to have them.

use postgres::Transaction;

use crate::error::MachineError;

/// What brings a database from the version before to this one. A version that was released is never edited.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];

/// Brings the database to the newest version. Of several that try at once, the others wait or begin anew, and then find nothing to do.
pub(super) fn migrate(books: &mut Transaction<'_>) -> Result<(), MachineError> {
    books.batch_execute(
        "CREATE TABLE IF NOT EXISTS armring_schema (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL)",
    )?;
    books.batch_execute("INSERT INTO armring_schema (one, version) VALUES (1, 0) ON CONFLICT (one) DO NOTHING")?;
    let version: i64 = books.query_one("SELECT version FROM armring_schema WHERE one = 1 FOR UPDATE", &[])?.get(0);
    let newer = (1..).zip(MIGRATIONS).filter(|(number, _)| *number > version);
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > newest {
        return Err(MachineError::Damaged("the ledger was written by a newer version"));
    }
    for (_, tables) in newer {
        books.batch_execute(tables)?;
    }
    if version < newest {
        books.execute("UPDATE armring_schema SET version = $1", &[&newest])?;
    }
    Ok(())
}
