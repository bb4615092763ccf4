//! The databases, past the ledger's interface: to put many people in, and to see what plain rows cost.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use armring_issuer::float_account;
use armring_token::Credential;
use armring_wire::{AccountPseudonym, Currency, PayeeId};
use rusqlite::{Connection, params};

use crate::Result;
use crate::people::{MINOR, NOW, People, WEALTH, id};

pub(crate) struct Shop {
    pub(crate) id: PayeeId,
    pub(crate) account: AccountPseudonym,
    pub(crate) certificate: Vec<u8>,
}

pub(crate) struct Holder {
    pub(crate) number: usize,
    pub(crate) credential: Credential,
    pub(crate) object: Vec<u8>,
}

impl Holder {
    pub(crate) fn reference(&self) -> [u8; 16] {
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&id(b'd', self.number));
        reference
    }
}

/// As much as is kept of a payment.
pub(crate) const ROW: [u8; 600] = [7; 600];

pub(crate) trait Place {
    fn add_shops(&mut self, shops: &[Shop]) -> Result<()>;
    fn add_holders(&mut self, holders: &[Holder]) -> Result<()>;
    fn all_are_in(&mut self, holders: usize) -> Result<()>;
    /// Durable rows a second, each in a transaction of its own.
    fn single_inserts(&mut self, time: Duration) -> Result<f64>;
    /// Durable rows a second, so many in each transaction.
    fn batched_inserts(&mut self, time: Duration, batch: usize) -> Result<f64>;
    /// As if each had paid so often before. What was signed then is left out: it is never read again, and would only fill the disk.
    fn spend(&mut self, people: &People, each: usize) -> Result<()>;
    /// Lets the operating system forget what it has of the database in memory, where that can be done from here.
    fn forget(&mut self) -> Result<()>;
    /// What it takes on the disk, in bytes.
    fn size(&mut self) -> Result<u64>;
}

/// Says how far filling has come, ten times in all.
pub(crate) fn tell_progress(what: &str, done: usize, of: usize) {
    let tenth = |done: usize| done * 10 / of.max(1);
    if tenth(done) > tenth(done.saturating_sub(1)) {
        eprintln!("filling {what}: {done} of {of}");
    }
}

pub(crate) struct InSqlite {
    path: PathBuf,
}

impl InSqlite {
    pub(crate) fn anew(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        drop(armring_issuer::SqliteLedger::open(&path)?);
        Ok(Self { path })
    }

    /// Quick, and not durable: a load that is cut off is begun anew.
    fn connection(&self) -> Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA foreign_keys = OFF")?;
        Ok(connection)
    }

    fn rows(&self, time: Duration, batch: usize) -> Result<f64> {
        let path = self.path.with_extension("plain");
        let _ = std::fs::remove_file(&path);
        let connection = Connection::open(&path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE plain (id INTEGER PRIMARY KEY, bytes BLOB)",
        )?;
        let begin = Instant::now();
        let mut rows = 0;
        while begin.elapsed() < time {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for _ in 0..batch {
                connection.prepare_cached("INSERT INTO plain (bytes) VALUES (?1)")?.execute([ROW])?;
            }
            connection.execute_batch("COMMIT")?;
            rows += batch;
        }
        let rate = rows as f64 / begin.elapsed().as_secs_f64();
        drop(connection);
        std::fs::remove_file(&path)?;
        Ok(rate)
    }
}

fn digest(kind: u8, number: i64) -> [u8; 32] {
    let number = usize::try_from(number).unwrap_or_default();
    let mut digest = [kind; 32];
    digest[..8].copy_from_slice(&id(kind, number));
    digest
}

impl Place for InSqlite {
    fn add_shops(&mut self, shops: &[Shop]) -> Result<()> {
        let mut connection = self.connection()?;
        let transaction = connection.transaction()?;
        for shop in shops {
            transaction.execute("INSERT INTO accounts VALUES (?1, 156, 1, 0, 0, 0, NULL)", [shop.account.0])?;
            transaction
                .execute("INSERT INTO payees VALUES (?1, ?2, ?3, 0)", params![shop.id.0, shop.account.0, shop.certificate])?;
        }
        Ok(transaction.commit()?)
    }

    fn add_holders(&mut self, holders: &[Holder]) -> Result<()> {
        let (mut connection, float) = (self.connection()?, float_account(Currency::CNY).0);
        let transaction = connection.transaction()?;
        for holder in holders {
            let credential = &holder.credential;
            let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| transaction.prepare_cached(sql)?.execute(values);
            // Two entries for each: the holder's, and the float's behind it.
            let number = i64::try_from(holder.number)?;
            let (mine, of_float) = (2 * number + 1, 2 * number + 2);
            let before = (number > 0).then_some(of_float - 2);
            run("INSERT INTO accounts VALUES (?1, 156, 1, 0, ?2, 1, ?3)", &[&credential.account.0, &WEALTH, &mine])?;
            run(
                "INSERT INTO credentials (id, account, payment_key, object, state, digits) VALUES (?1, ?2, ?3, ?4, 1, 0)",
                &[&credential.id.0, &credential.account.0, &credential.payment_key, &holder.object],
            )?;
            run("INSERT INTO deposits VALUES (?1, ?2, ?3, 156)", &[&holder.reference(), &credential.account.0, &WEALTH])?;
            let entry = "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, 156)";
            let none: Option<i64> = None;
            run(entry, &[&mine, &credential.account.0, &0, &none, &NOW.as_secs(), &holder.reference(), &WEALTH])?;
            run(entry, &[&of_float, &float, &number, &before, &NOW.as_secs(), &holder.reference(), &-WEALTH])?;
        }
        Ok(transaction.commit()?)
    }

    fn all_are_in(&mut self, holders: usize) -> Result<()> {
        let (float, holders) = (float_account(Currency::CNY).0, i64::try_from(holders)?);
        let connection = self.connection()?;
        connection.execute(
            "INSERT INTO accounts VALUES (?1, 156, 1, 1, ?2, ?3, ?4)",
            params![float, -WEALTH * holders, holders, 2 * holders],
        )?;
        Ok(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    fn single_inserts(&mut self, time: Duration) -> Result<f64> {
        self.rows(time, 1)
    }

    fn batched_inserts(&mut self, time: Duration, batch: usize) -> Result<f64> {
        self.rows(time, batch)
    }

    fn spend(&mut self, people: &People, each: usize) -> Result<()> {
        let mut connection = self.connection()?;
        connection.execute_batch("PRAGMA journal_mode = OFF; DROP INDEX objects_by_digest")?;
        let mut holders: Vec<_> = (0..people.len()).map(|number| (id(b'c', number), id(b'a', number))).collect();
        holders.sort_unstable();
        let transaction = connection.transaction()?;
        {
            let mut token = transaction.prepare("INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, 1, ?5, 1, ?6, ?2, ?4)")?;
            let mut object = transaction.prepare("INSERT INTO objects VALUES (?1, ?2, x'', x'', x'')")?;
            let mut settled = transaction.prepare("INSERT INTO settled VALUES (?1, ?2, ?3, ?4)")?;
            // Each paid every eight hours, and half an hour ago at the latest.
            let newest = i64::from(NOW.as_secs()) - 5_000;
            let time = |counter: i64, number: i64| newest - 28_800 * (each as i64 - counter) + number % 3_000;
            let mut row = 0;
            for (number, (credential, _)) in holders.iter().enumerate() {
                tell_progress("tokens", number + 1, holders.len());
                for counter in 1..=each {
                    row += 1;
                    let past = time(counter as i64, number as i64);
                    let (end, minor) = ((counter as u64 * MINOR) as i64, MINOR as i64);
                    token.execute(params![credential, counter as i64, end - minor, end, past, row])?;
                    object.execute(params![row, digest(b'D', row)])?;
                }
            }
            // In the order in which they came, and of their expiry.
            let mut entry = transaction.prepare("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, 156)")?;
            let deposited: HashMap<_, _> = (0..people.len()).map(|number| (id(b'a', number), 2 * number as i64 + 1)).collect();
            let (first, all) = (2 * people.len() as i64 + 1, holders.len() as i64);
            for counter in 1..=each as i64 {
                tell_progress("requests and entries", counter as usize, each);
                for (number, (credential, account)) in (0_i64..).zip(&holders) {
                    let past = time(counter, number);
                    let object = number * each as i64 + counter;
                    settled.execute(params![past, digest(b'R', object), credential, counter])?;
                    let at = first + (counter - 1) * all + number;
                    let previous = if counter > 1 { at - all } else { deposited[account] };
                    entry.execute(params![at, account, counter, previous, past, digest(b'D', object), -(MINOR as i64)])?;
                }
            }
            let (moved, newest_entry) = ((each as u64 * MINOR) as i64, first + (each as i64 - 1) * all);
            let mut account = transaction
                .prepare("UPDATE accounts SET balance = balance - ?2, entries = entries + ?3, last = ?4 WHERE id = ?1")?;
            for (number, (_, id)) in (0_i64..).zip(&holders) {
                account.execute(params![id, moved, each as i64, newest_entry + number])?;
            }
        }
        transaction.commit()?;
        connection
            .execute_batch("CREATE INDEX objects_by_digest ON objects (substr(digest, 1, 8)); PRAGMA journal_mode = WAL")?;
        Ok(())
    }

    fn forget(&mut self) -> Result<()> {
        let file = format!("of={}", self.path.display());
        let status =
            Command::new("dd").args(["if=/dev/null", &file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"]).output()?;
        if status.status.success() { Ok(()) } else { Err("dd cannot drop what is cached of the file".into()) }
    }

    fn size(&mut self) -> Result<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
