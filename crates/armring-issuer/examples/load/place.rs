//! The databases, past the ledger's interface: to put many people in, and to see what plain rows cost.

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
    fn reference(&self) -> [u8; 16] {
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&id(b'd', self.number));
        reference
    }
}

/// As much as is kept of a payment.
const ROW: [u8; 600] = [7; 600];

pub(crate) trait Place {
    fn add_shops(&mut self, shops: &[Shop]) -> Result<()>;
    fn add_holders(&mut self, holders: &[Holder]) -> Result<()>;
    fn all_are_in(&mut self, holders: usize) -> Result<()>;
    /// Durable rows a second, each in a transaction of its own.
    fn single_inserts(&mut self, time: Duration) -> Result<f64>;
    /// Durable rows a second, so many in each transaction.
    fn batched_inserts(&mut self, time: Duration, batch: usize) -> Result<f64>;
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

    /// As if each had paid so often before. What was signed then is left out: it is never read again, and would only fill the disk.
    pub(crate) fn spend(&mut self, people: &People, each: usize) -> Result<()> {
        let mut connection = self.connection()?;
        connection.execute_batch("PRAGMA journal_mode = OFF; DROP INDEX objects_by_digest; DROP INDEX tokens_settled_by_time")?;
        let mut holders: Vec<_> = (0..people.len()).map(|number| (id(b'c', number), id(b'a', number))).collect();
        holders.sort_unstable();
        let transaction = connection.transaction()?;
        {
            let mut token = transaction.prepare("INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, 1, ?5, 1, ?6)")?;
            let mut object = transaction.prepare("INSERT INTO objects VALUES (?1, ?2, x'', x'', x'')")?;
            let mut settled = transaction.prepare("INSERT INTO settled VALUES (?1, ?2, ?3, ?4)")?;
            let mut row = 0;
            for (number, (credential, _)) in holders.iter().enumerate() {
                for counter in 1..=each {
                    row += 1;
                    let past = i64::from(NOW.as_secs()) - 40_000_000 + 3_000 * counter as i64 + (number % 3_000) as i64;
                    let (end, minor) = ((counter as u64 * MINOR) as i64, MINOR as i64);
                    token.execute(params![credential, counter as i64, end - minor, end, past, row])?;
                    object.execute(params![row, digest(b'D', row)])?;
                }
            }
            // In the order of their expiry, as they came.
            for counter in 1..=each {
                for (number, (credential, _)) in holders.iter().enumerate() {
                    let past = i64::from(NOW.as_secs()) - 40_000_000 + 3_000 * counter as i64 + (number % 3_000) as i64;
                    settled.execute(params![past, digest(b'R', (number * each + counter) as i64), credential, counter as i64])?;
                }
            }
            let mut entry = transaction.prepare("INSERT INTO entries VALUES (?1, ?2, ?3, 1, ?4, ?5, 156)")?;
            holders.sort_unstable_by_key(|(_, account)| *account);
            for (number, (_, account)) in holders.iter().enumerate() {
                for counter in 1..=each {
                    let reference = digest(b'D', (number * each + counter) as i64);
                    entry.execute(params![
                        account,
                        counter as i64,
                        i64::from(NOW.as_secs()) - 40_000_000,
                        reference,
                        -(MINOR as i64)
                    ])?;
                }
            }
            let moved = (each as u64 * MINOR) as i64;
            transaction.execute("UPDATE credentials SET answered = ?1, total = ?2", params![each as i64, moved])?;
            transaction.execute(
                "UPDATE accounts SET balance = balance - ?1, entries = entries + ?2 WHERE is_float = 0 AND balance > 0",
                params![moved, each as i64],
            )?;
        }
        transaction.commit()?;
        connection.execute_batch(
            "CREATE UNIQUE INDEX objects_by_digest ON objects (digest);
             CREATE INDEX tokens_settled_by_time ON tokens (credential, time, total_end, total_start) WHERE outcome = 1;
             PRAGMA journal_mode = WAL",
        )?;
        Ok(())
    }

    /// Lets the operating system forget what it has of the file in memory.
    pub(crate) fn forget(&self) -> Result<()> {
        let file = format!("of={}", self.path.display());
        let status =
            Command::new("dd").args(["if=/dev/null", &file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"]).output()?;
        if status.status.success() { Ok(()) } else { Err("dd cannot drop what is cached of the file".into()) }
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
            transaction.execute("INSERT INTO accounts VALUES (?1, 156, 1, 0, 0, 0)", [shop.account.0])?;
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
            run("INSERT INTO accounts VALUES (?1, 156, 1, 0, ?2, 1)", &[&credential.account.0, &WEALTH])?;
            run(
                "INSERT INTO credentials VALUES (?1, ?2, ?3, ?4, 1, 0, NULL, 0, 0, 0, 0)",
                &[&credential.id.0, &credential.account.0, &credential.payment_key, &holder.object],
            )?;
            run("INSERT INTO deposits VALUES (?1, ?2, ?3, 156)", &[&holder.reference(), &credential.account.0, &WEALTH])?;
            let entry = "INSERT INTO entries VALUES (?1, ?2, ?3, 0, ?4, ?5, 156)";
            run(entry, &[&credential.account.0, &0, &NOW.as_secs(), &holder.reference(), &WEALTH])?;
            run(entry, &[&float, &i64::try_from(holder.number)?, &NOW.as_secs(), &holder.reference(), &-WEALTH])?;
        }
        Ok(transaction.commit()?)
    }

    fn all_are_in(&mut self, holders: usize) -> Result<()> {
        let (float, holders) = (float_account(Currency::CNY).0, i64::try_from(holders)?);
        let connection = self.connection()?;
        connection.execute("INSERT INTO accounts VALUES (?1, 156, 1, 1, ?2, ?3)", params![float, -WEALTH * holders, holders])?;
        Ok(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    fn single_inserts(&mut self, time: Duration) -> Result<f64> {
        self.rows(time, 1)
    }

    fn batched_inserts(&mut self, time: Duration, batch: usize) -> Result<f64> {
        self.rows(time, batch)
    }
}

#[cfg(feature = "postgres")]
pub(crate) use postgres_place::InPostgres;

#[cfg(feature = "postgres")]
mod postgres_place {
    use ::postgres::types::ToSql;
    use ::postgres::{Client, NoTls};

    use super::*;

    pub(crate) struct InPostgres(Client);

    impl InPostgres {
        pub(crate) fn open(parameters: &str) -> Result<Self> {
            let mut client = Client::connect(parameters, NoTls)?;
            client.batch_execute("DROP TABLE IF EXISTS plain; CREATE TABLE plain (id BIGINT PRIMARY KEY, bytes BYTEA); SET synchronous_commit = on")?;
            Ok(Self(client))
        }

        fn rows(&mut self, time: Duration, batch: usize) -> Result<f64> {
            self.0.batch_execute("TRUNCATE plain")?;
            let statement = self.0.prepare("INSERT INTO plain SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[])")?;
            let begin = Instant::now();
            let mut rows = 0;
            while begin.elapsed() < time {
                let ids: Vec<_> = (rows..rows + batch as i64).collect();
                self.0.execute(&statement, &[&ids, &vec![ROW.as_slice(); batch]])?;
                rows += batch as i64;
            }
            Ok(rows as f64 / begin.elapsed().as_secs_f64())
        }

        fn insert(&mut self, sql: &str, columns: &[&(dyn ToSql + Sync)]) -> Result<()> {
            self.0.execute(sql, columns)?;
            Ok(())
        }
    }

    impl Place for InPostgres {
        fn add_shops(&mut self, shops: &[Shop]) -> Result<()> {
            for shop in shops {
                self.insert("INSERT INTO accounts VALUES ($1, 156, 1, 0, 0, 0)", &[&shop.account.0.as_slice()])?;
                let values: [&(dyn ToSql + Sync); 3] = [&shop.id.0.as_slice(), &shop.account.0.as_slice(), &shop.certificate];
                self.insert("INSERT INTO payees VALUES ($1, $2, $3, 0)", &values)?;
            }
            Ok(())
        }

        fn add_holders(&mut self, holders: &[Holder]) -> Result<()> {
            let float = float_account(Currency::CNY).0;
            let ids: Vec<_> = holders.iter().map(|holder| holder.credential.id.0.as_slice()).collect();
            let accounts: Vec<_> = holders.iter().map(|holder| holder.credential.account.0.as_slice()).collect();
            let keys: Vec<_> = holders.iter().map(|holder| holder.credential.payment_key.as_slice()).collect();
            let objects: Vec<_> = holders.iter().map(|holder| holder.object.as_slice()).collect();
            let references: Vec<_> = holders.iter().map(|holder| holder.reference().to_vec()).collect();
            let numbers: Vec<_> = holders.iter().map(|holder| holder.number as i64).collect();
            self.insert(
                "INSERT INTO accounts SELECT id, 156, 1, 0, $2, 1 FROM unnest($1::BYTEA[]) AS a (id)",
                &[&accounts, &WEALTH],
            )?;
            self.insert(
                "INSERT INTO credentials SELECT id, a, k, o, 1, 0, NULL, 0, 0, 0, 0
                 FROM unnest($1::BYTEA[], $2::BYTEA[], $3::BYTEA[], $4::BYTEA[]) AS c (id, a, k, o)",
                &[&ids, &accounts, &keys, &objects],
            )?;
            self.insert(
                "INSERT INTO deposits SELECT r, a, $3, 156 FROM unnest($1::BYTEA[], $2::BYTEA[]) AS d (r, a)",
                &[&references, &accounts, &WEALTH],
            )?;
            let now = i64::from(NOW.as_secs());
            self.insert(
                "INSERT INTO entries SELECT a, 0, $3, 0, r, $4, 156 FROM unnest($1::BYTEA[], $2::BYTEA[]) AS e (r, a)",
                &[&references, &accounts, &now, &WEALTH],
            )?;
            self.insert(
                "INSERT INTO entries SELECT $5, n, $3, 0, r, $4, 156 FROM unnest($1::BYTEA[], $2::BIGINT[]) AS e (r, n)",
                &[&references, &numbers, &now, &-WEALTH, &float.as_slice()],
            )
        }

        fn all_are_in(&mut self, holders: usize) -> Result<()> {
            let (float, holders) = (float_account(Currency::CNY).0, i64::try_from(holders)?);
            self.insert(
                "INSERT INTO accounts VALUES ($1, 156, 1, 1, $2, $3)",
                &[&float.as_slice(), &(-WEALTH * holders), &holders],
            )?;
            Ok(self.0.batch_execute("VACUUM ANALYZE")?)
        }

        fn single_inserts(&mut self, time: Duration) -> Result<f64> {
            self.rows(time, 1)
        }

        fn batched_inserts(&mut self, time: Duration, batch: usize) -> Result<f64> {
            self.rows(time, batch)
        }
    }
}
