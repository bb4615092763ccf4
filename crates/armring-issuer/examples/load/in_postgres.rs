//! PostgreSQL, past the ledger's interface.

use std::time::{Duration, Instant};

use armring_issuer::float_account;
use armring_wire::Currency;
use postgres::types::ToSql;
use postgres::{Client, NoTls};

use crate::Result;
use crate::people::{MINOR, NOW, People, WEALTH};
use crate::place::{Holder, Place, ROW, Shop, tell_progress};

pub(crate) struct InPostgres(Client);

/// Where growth is measured: a schema of its own, which is made anew.
const SCHEMA: &str = "armring_growth";

/// An empty schema in that database: what to connect to.
pub(crate) fn anew(parameters: &str) -> Result<String> {
    let mut client = Client::connect(parameters, NoTls)?;
    client.batch_execute(&format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}"))?;
    Ok(format!("{parameters} options='-c search_path={SCHEMA}'"))
}

impl InPostgres {
    pub(crate) fn open(parameters: &str) -> Result<Self> {
        let mut client = Client::connect(parameters, NoTls)?;
        client.batch_execute(
            "DROP TABLE IF EXISTS plain; CREATE TABLE plain (id BIGINT PRIMARY KEY, bytes BYTEA); SET synchronous_commit = on",
        )?;
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
        self.insert("INSERT INTO accounts VALUES ($1, 156, 1, 1, $2, $3)", &[&float.as_slice(), &(-WEALTH * holders), &holders])?;
        Ok(self.0.batch_execute("VACUUM ANALYZE")?)
    }

    fn single_inserts(&mut self, time: Duration) -> Result<f64> {
        self.rows(time, 1)
    }

    fn batched_inserts(&mut self, time: Duration, batch: usize) -> Result<f64> {
        self.rows(time, batch)
    }

    fn spend(&mut self, _: &People, each: usize) -> Result<()> {
        // Without keys, which are made anew afterwards: each row would else look for its place.
        self.0.batch_execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '256MB';
             ALTER TABLE tokens DROP CONSTRAINT tokens_pkey; DROP INDEX tokens_settled_by_time, tokens_by_digest;
             ALTER TABLE settled DROP CONSTRAINT settled_pkey; ALTER TABLE entries DROP CONSTRAINT entries_pkey",
        )?;
        // Each paid every eight hours, and half an hour ago at the latest.
        let newest = i64::from(NOW.as_secs()) - 5_000;
        for counter in 1..=each as i64 {
            let (end, time) = (counter * MINOR as i64, newest - 28_800 * (each as i64 - counter));
            let paid: [&(dyn ToSql + Sync); 4] = [&counter, &(end - MINOR as i64), &end, &time];
            self.insert(
                "INSERT INTO tokens SELECT id, $1, $2, $3, 1, $4, 1, sha256(id || int8send($1)), '', '', '' FROM credentials",
                &paid,
            )?;
            self.insert(
                "INSERT INTO settled SELECT sha256(int8send($1) || id), $2, id, $1 FROM credentials",
                &[&counter, &time],
            )?;
            self.insert(
                "INSERT INTO entries SELECT account, $1, $2, 1, sha256(id || int8send($1)), $3, 156 FROM credentials",
                &[&counter, &time, &-(MINOR as i64)],
            )?;
            tell_progress("payments of each", counter as usize, each);
        }
        let (each, moved) = (each as i64, (each as u64 * MINOR) as i64);
        self.insert("UPDATE credentials SET answered = $1, total = $2", &[&each, &moved])?;
        self.insert(
            "UPDATE accounts SET balance = balance - $1, entries = entries + $2
             FROM credentials WHERE accounts.id = credentials.account",
            &[&moved, &each],
        )?;
        eprintln!("filling: keys");
        Ok(self.0.batch_execute(
            "ALTER TABLE tokens ADD CONSTRAINT tokens_pkey PRIMARY KEY (credential, counter);
             CREATE INDEX tokens_settled_by_time ON tokens (credential, time) WHERE outcome = 1;
             CREATE UNIQUE INDEX tokens_by_digest ON tokens (object);
             ALTER TABLE settled ADD CONSTRAINT settled_pkey PRIMARY KEY (request);
             ALTER TABLE entries ADD CONSTRAINT entries_pkey PRIMARY KEY (account, number);
             SET synchronous_commit = on",
        )?)
    }

    /// What its server has in memory is the server's own affair.
    fn forget(&mut self) -> Result<()> {
        self.0.batch_execute("VACUUM ANALYZE")?;
        Ok(self.0.batch_execute("CHECKPOINT")?)
    }

    fn size(&mut self) -> Result<u64> {
        const SQL: &str = "
            SELECT CAST(sum(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class
            WHERE relnamespace = CAST(current_schema() AS REGNAMESPACE) AND relkind = 'r'";
        Ok(u64::try_from(self.0.query_one(SQL, &[])?.get::<_, i64>(0))?)
    }
}
