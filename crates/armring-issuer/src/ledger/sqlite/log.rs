//! The write-ahead log: made durable apart from writing it, moved to the file, and begun anew.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::super::{Syncer, Upkeep};
use crate::error::MachineError;

/// From how many pages on the log is to begin anew once that costs little: 64 MiB.
const LONG: i64 = 1 << 14;
/// How many pages come in a second where that costs little: 8 MiB, of which the writer finds a few to move.
const CALM: i64 = 1 << 11;
/// From how many pages on it is to begin anew whatever that costs: 1 GiB.
const LONGEST: i64 = 1 << 18;

/// SQLite begins the log anew with a transaction that finds all of it in the file. While one transaction follows the other, only the writer
/// itself can see to that, which waits for the disk meanwhile: so another thread moves the most, and says when the rest is due.
#[derive(Clone, Default)]
pub(super) struct Log {
    rest_is_due: Arc<AtomicBool>,
}

impl Log {
    /// The thread beside the writer. It moves seldom, so that a page that many transactions wrote is moved once. What is moved is made durable
    /// where all is moved, which takes a fraction of a second after much was written, and keeps transactions waiting for the disk: so it moves all
    /// where the log shall begin anew, and else does not try.
    pub(super) fn upkeep(&self, path: &str, writer: &Connection) -> Result<Upkeep, MachineError> {
        // Where the thread does not keep up, or fails.
        writer.pragma_update(None, "wal_autocheckpoint", 2 * LONGEST)?;
        let (connection, file, log, mut before) = (Connection::open(path)?, kept_open(path)?, self.clone(), 0);
        Ok(Box::new(move || {
            let length = checkpoint(&connection)?;
            let grew = length.checked_sub(before).filter(|grew| *grew >= 0).unwrap_or(length);
            before = length;
            if begins_anew(length, grew) {
                // The most of it, or the writer would wait for that.
                file.sync_data().map_err(storage)?;
                checkpoint(&connection)?;
                file.sync_data().map_err(storage)?;
                checkpoint(&connection)?;
                log.rest_is_due.store(true, Ordering::Release);
            }
            Ok(())
        }))
    }

    /// Moves the rest if it is due: the writer, before it begins a transaction.
    pub(super) fn move_rest(&self, writer: &Connection) {
        if self.rest_is_due.swap(false, Ordering::AcqRel) {
            // What fails is tried again by the other thread; a transaction that finds the same fault tells.
            let _ = checkpoint(writer);
        }
    }
}

/// Whether a log of this length shall begin anew, which grew by so much since the last look.
const fn begins_anew(length: i64, grew: i64) -> bool {
    length > LONGEST || (length > LONG && grew < CALM)
}

/// Makes the log durable, and moves what can be moved without waiting for anybody. How many pages it has.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}

/// Makes the log durable. SQLite needs no more of it than that: what is whole at its beginning counts.
pub(super) fn syncer(path: &str) -> Result<Syncer, MachineError> {
    let log = OpenOptions::new().write(true).open(format!("{path}-wal")).map_err(storage)?;
    Ok(Box::new(move || log.sync_data().map_err(storage)))
}

/// The file, open for ever: to close it would release what SQLite has locked of it in this process (POSIX, `fcntl`). One for each path.
fn kept_open(path: &str) -> Result<&'static File, MachineError> {
    static FILES: Mutex<BTreeMap<String, &'static File>> = Mutex::new(BTreeMap::new());
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = files.get(path) {
        return Ok(file);
    }
    let file: &File = Box::leak(Box::new(OpenOptions::new().write(true).open(path).map_err(storage)?));
    files.insert(path.to_owned(), file);
    Ok(file)
}

fn storage(error: std::io::Error) -> MachineError {
    MachineError::Storage(Box::new(error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests say what they expect by panicking")]
mod tests {
    use armring_wire::{AccountPseudonym, Currency, UnixTime};

    use super::super::SqliteLedger;
    use super::*;
    use crate::ledger::{Ledger, Terms};
    use crate::policy::Policy;

    /// A ledger in a file, which is gone at the end.
    struct InFile(std::path::PathBuf, SqliteLedger);

    impl InFile {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("armring-log-{name}-{}", std::process::id()));
            let ledger = SqliteLedger::open(&path).unwrap();
            Self(path, ledger)
        }

        fn open_accounts(&mut self, numbers: std::ops::Range<u8>) {
            numbers.for_each(|number| self.1.open_account(AccountPseudonym([number; 8]), Currency::CNY).unwrap());
        }

        fn settle_nothing_early(&mut self) {
            let sign = |_: &_| Err(MachineError::Damaged("nothing to sign"));
            let terms = Terms { now: UnixTime::from_secs(1), policy: &Policy::default(), sign: &sign };
            assert_eq!(self.1.settle_early(&[], &terms).unwrap(), []);
        }
    }

    impl Drop for InFile {
        fn drop(&mut self) {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
            }
        }
    }

    #[test]
    fn the_log_begins_anew_once_the_writer_has_moved_the_rest_and_not_before() {
        let mut file = InFile::new("anew");
        file.open_accounts(0..20);
        file.settle_nothing_early();
        file.open_accounts(20..21);
        let log = file.1.log.clone();
        log.rest_is_due.store(true, Ordering::Release);
        let salts_of =
            |file: &InFile| std::fs::read(format!("{}-wal", file.0.display())).unwrap().get(16..24).map(<[u8]>::to_vec);
        let salts = salts_of(&file);
        file.settle_nothing_early();
        assert!(!log.rest_is_due.load(Ordering::Acquire));
        assert_eq!(salts_of(&file), salts, "nothing was written");
        file.open_accounts(21..22);
        assert_ne!(salts_of(&file), salts, "a log that begins anew has other salts");
        assert!(checkpoint(&file.1.connection).unwrap() < 20);
    }

    #[test]
    fn a_long_log_begins_anew_while_little_is_written_and_a_very_long_one_in_any_case() {
        let anew = [(LONG, 0), (LONG + 1, CALM - 1), (LONG + 1, CALM), (LONGEST, CALM), (LONGEST + 1, LONGEST)];
        assert_eq!(anew.map(|(length, grew)| begins_anew(length, grew)), [false, true, false, false, true]);
    }

    #[test]
    fn what_is_not_settled_early_is_durable_as_before() {
        const FULL: i64 = 2;
        let mut file = InFile::new("early");
        let level =
            |file: &InFile| file.1.connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(level(&file), FULL);
        file.settle_nothing_early();
        assert_eq!(level(&file), FULL);
        file.1.syncer().unwrap().unwrap()().unwrap();
        assert!(SqliteLedger::open_in_memory().unwrap().syncer().unwrap().is_none(), "there is nothing to make durable");
    }
}
