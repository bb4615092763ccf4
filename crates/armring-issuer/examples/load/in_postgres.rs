//! PostgreSQL, past the ledger's interface.

use std::time::{Duration, Instant};

use armring_issuer::float_account;
use armring_wire::Currency;
use postgres::types::ToSql;
use postgres::{Client, NoTls};

use crate::Result;
use crate::people::{NOW, WEALTH};
use crate::place::{Holder, Place, ROW, Shop};

pub(crate) struct InPostgres(Client);

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
}
