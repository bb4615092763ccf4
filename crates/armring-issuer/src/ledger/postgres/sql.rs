//! SQL that goes to every database, sent to this one.

use armring_wire::AccountPseudonym;
use postgres::types::ToSql;

use super::super::model::Entry;
use super::super::sql::audit::totals;
use super::super::sql::batch::Book;
use super::super::sql::{Column, EachRow, Row, Sql, Value, codes};
use super::pool::Books;
use crate::error::MachineError;

/// How many rows of many are in memory at once.
const AT_ONCE: i32 = 1_000;

const CREDENTIAL: &str = "SELECT object, state, frozen, maker, answered, total FROM credentials WHERE id = $1";
const TOTALS: &str = totals!("SELECT id, answered, total FROM credentials");

/// A transaction that changes nothing, and so locks nothing.
pub(super) struct Reading<'b, 'c>(pub(super) &'b mut Books<'c>);

impl Sql for Reading<'_, '_> {
    const CREDENTIAL: &'static str = CREDENTIAL;
    const TOTALS: &'static str = TOTALS;

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, MachineError> {
        self.0.execute(sql, values)
    }

    fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError> {
        self.0.rows(sql, values)
    }

    fn each(&mut self, sql: &'static str, values: &[Value<'_>], tell: &mut EachRow<'_>) -> Result<(), MachineError> {
        self.0.each(sql, values, tell)
    }

    fn locked(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError> {
        self.0.rows(sql, values)
    }

    fn entries(&mut self, account: AccountPseudonym, tell: &mut EachRow<'_>) -> Result<(), MachineError> {
        self.0.entries(account, tell)
    }

    fn enter(&mut self, book: &Book, entry: &Entry) -> Result<(), MachineError> {
        self.0.enter(book, entry)
    }
}

impl Sql for Books<'_> {
    const CREDENTIAL: &'static str = CREDENTIAL;
    const TOTALS: &'static str = TOTALS;

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, MachineError> {
        let statement = self.prepared(sql)?;
        Ok(self.transaction.execute(&statement, &parameters(values))?)
    }

    fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError> {
        let statement = self.prepared(sql)?;
        self.transaction.query(&statement, &parameters(values))?.iter().map(row).collect()
    }

    fn each(&mut self, sql: &'static str, values: &[Value<'_>], tell: &mut EachRow<'_>) -> Result<(), MachineError> {
        let statement = self.prepared(sql)?;
        let portal = self.transaction.bind(&statement, &parameters(values))?;
        loop {
            let found = self.transaction.query_portal(&portal, AT_ONCE)?;
            if found.is_empty() {
                return Ok(());
            }
            for found in &found {
                if tell(row(found)?)?.is_break() {
                    return Ok(());
                }
            }
        }
    }

    fn locked(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError> {
        let statement = self.prepared(&format!("{sql} FOR UPDATE"))?;
        self.transaction.query(&statement, &parameters(values))?.iter().map(row).collect()
    }

    fn entries(&mut self, account: AccountPseudonym, tell: &mut EachRow<'_>) -> Result<(), MachineError> {
        const SQL: &str = "SELECT time, kind, reference, change, currency FROM entries WHERE account = $1 ORDER BY number";
        self.each(SQL, &[(&account.0).into()], tell)
    }

    fn enter(&mut self, book: &Book, entry: &Entry) -> Result<(), MachineError> {
        const ENTRY: &str =
            "INSERT INTO entries (account, number, time, kind, reference, change, currency) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (kind, reference) = codes::reference_columns(&entry.reference);
        let values = [
            (&book.account.id.0).into(),
            book.entries.into(),
            entry.time.as_secs().into(),
            kind.into(),
            reference.into(),
            entry.change.into(),
            entry.currency.numeric().into(),
        ];
        self.execute(ENTRY, &values)?;
        const ACCOUNT: &str = "UPDATE accounts SET balance = balance + $1, entries = entries + 1 WHERE id = $2";
        self.execute(ACCOUNT, &[entry.change.into(), (&book.account.id.0).into()])?;
        Ok(())
    }
}

fn parameters<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    let parameter = |value: &'v Value<'v>| -> &'v (dyn ToSql + Sync) {
        match value {
            // Of no type: it is sent as no bytes at all.
            Value::Null => &Nothing,
            Value::Number(number) => number,
            Value::Bytes(bytes) => bytes,
        }
    };
    values.iter().map(parameter).collect()
}

/// NULL, whatever the type of its place.
#[derive(Debug)]
struct Nothing;

impl ToSql for Nothing {
    fn to_sql(
        &self,
        _: &postgres::types::Type,
        _: &mut postgres::types::private::BytesMut,
    ) -> Result<postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(postgres::types::IsNull::Yes)
    }

    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

pub(super) fn row(row: &postgres::Row) -> Result<Row, MachineError> {
    use postgres::types::Type;
    let column = |(at, column): (usize, &postgres::Column)| {
        Ok::<_, postgres::Error>(match *column.type_() {
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map_or(Column::Null, Column::Bytes),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map_or(Column::Null, |number| Column::Number(number.into())),
            _ => row.try_get::<_, Option<i64>>(at)?.map_or(Column::Null, Column::Number),
        })
    };
    Ok(Row(row.columns().iter().enumerate().map(column).collect::<Result<_, _>>()?))
}
