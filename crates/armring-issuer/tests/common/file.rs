//! A ledger's file, for the tests.

use std::path::PathBuf;

/// A file that is gone when the test is over.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("armring-{name}-{}.db", std::process::id())));
        file.remove();
        file
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }

    /// A second connection, past the ledger and what its tables say of each other.
    pub(crate) fn sql(&self, sql: &str) {
        let connection = rusqlite::Connection::open(&self.0).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}
