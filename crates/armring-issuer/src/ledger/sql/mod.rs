//! What ledgers in a database have in common: all but how payments are looked up and written, which each does in its own way.
//!
//! The same SQL goes to every database. Its placeholders are numbered in the order in which they first stand there; all numbers have 64 bits
//! and all else is bytes.

pub(super) mod audit;
pub(super) mod batch;
pub(super) mod codes;
pub(super) mod credentials;
pub(super) mod enrol;
pub(super) mod money;
pub(super) mod refunds;
pub(super) mod revoked;
pub(super) mod rows;
mod settlement;

use core::ops::ControlFlow;

use armring_wire::AccountPseudonym;

use self::batch::Book;
use super::model::Entry;
use crate::error::MachineError;

/// What SQL is sent to.
pub(super) trait Sql {
    /// Reads `object, state, frozen, maker, answered, total` of the credential with the id `$1`.
    const CREDENTIAL: &'static str;
    /// Reads the credentials whose counts are not those of their tokens: [`totals`](audit::totals) of where this database has them.
    const TOTALS: &'static str;

    /// Changes something; says how many rows.
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, MachineError>;

    /// Reads.
    fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError>;

    /// Reads row by row, until there are no more or `tell` has enough.
    fn each(&mut self, sql: &'static str, values: &[Value<'_>], tell: &mut EachRow<'_>) -> Result<(), MachineError>;

    /// Reads, and keeps what was read from being changed by others until the transaction is over.
    fn locked(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError>;

    /// Reads `time, kind, reference, change, currency` of the entries of an account, row by row, the oldest first.
    fn entries(&mut self, account: AccountPseudonym, tell: &mut EachRow<'_>) -> Result<(), MachineError>;

    /// Adds an entry to an account and its change to the balance. `book` is how the account stands before.
    fn enter(&mut self, book: &Book, entry: &Entry) -> Result<(), MachineError>;
}

/// Hears a row; says whether to go on.
pub(super) type EachRow<'a> = dyn FnMut(Row) -> Result<ControlFlow<()>, MachineError> + 'a;

/// The first of the rows.
pub(super) fn first(rows: Vec<Row>) -> Option<Row> {
    rows.into_iter().next()
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Null,
    Number(i64),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(
            impl From<$number> for Value<'_> {
                fn from(number: $number) -> Self {
                    Self::Number(number.into())
                }
            }

            impl FromColumn for $number {
                fn from_column(column: Column) -> Option<Self> {
                    if let Column::Number(number) = column { number.try_into().ok() } else { None }
                }
            }
        )+
    };
}

numbers!(u8, u16, u32, i64);

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Number(value.into())
    }
}

/// What is received.
#[derive(Clone, Debug)]
pub(super) enum Column {
    Null,
    Number(i64),
    Bytes(Vec<u8>),
}

/// The columns of a row.
#[derive(Clone, Debug)]
pub(super) struct Row(pub(super) Vec<Column>);

impl Row {
    /// Takes a column out.
    pub(super) fn take<T: FromColumn>(&mut self, column: usize) -> Result<T, MachineError> {
        let column = self.0.get_mut(column).map(|column| core::mem::replace(column, Column::Null));
        column.and_then(T::from_column).ok_or(MachineError::Damaged("a column is not what it was written as"))
    }
}

/// What a column can be read as.
pub(super) trait FromColumn: Sized {
    fn from_column(column: Column) -> Option<Self>;
}

impl FromColumn for bool {
    fn from_column(column: Column) -> Option<Self> {
        if let Column::Number(number) = column { Some(number != 0) } else { None }
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(column: Column) -> Option<Self> {
        if let Column::Bytes(bytes) = column { Some(bytes) } else { None }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_column(column: Column) -> Option<Self> {
        Vec::from_column(column)?.try_into().ok()
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(column: Column) -> Option<Self> {
        if matches!(column, Column::Null) { Some(None) } else { T::from_column(column).map(Some) }
    }
}
