//! Connections, kept open, and transactions that are tried again.

use core::time::Duration;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex};
use std::thread::sleep;

use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, IsolationLevel, Row, Statement, Transaction};

use super::PostgresOptions;
use crate::error::{Error, MachineError};

/// How often a transaction is tried that others keep from being done.
const TRIES: u32 = 12;

/// How often one is tried whose connection is lost, where it may be tried again.
const TRIES_LOST: u32 = 3;

/// The longest rest before a transaction is tried again.
const REST_MOST: Duration = Duration::from_millis(100);

type Connect = dyn Fn() -> Result<Client, postgres::Error> + Send + Sync;

/// Opens connections.
pub(super) struct Manager(pub(super) Arc<Connect>);

/// A connection, and what was prepared on it.
pub(super) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Connection;
    type Error = postgres::Error;

    fn connect(&self) -> Result<Connection, postgres::Error> {
        let mut client = (self.0)()?;
        // An answer leaves only after what it says is on the disk, whatever the server's own setting.
        client.batch_execute("SET synchronous_commit = on")?;
        // Statements are planned once, when tables may be small: what is right for them then is not later. Other databases may not know this.
        let _ = client.batch_execute(
            "SET enable_seqscan = off; SET enable_mergejoin = off; SET enable_material = off; SET jit = off;
             SET plan_cache_mode = force_generic_plan",
        );
        Ok(Connection { client, statements: HashMap::new() })
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), postgres::Error> {
        connection.client.is_valid(Duration::from_secs(1))
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.client.is_closed()
    }
}

/// Why a connection was not made the last time, with all causes: the pool's own error has but a line of it.
#[derive(Clone, Debug, Default)]
pub(super) struct LastFailure(Arc<Mutex<Option<postgres::Error>>>);

impl LastFailure {
    pub(super) fn take(&self) -> Option<postgres::Error> {
        self.0.lock().ok()?.take()
    }
}

impl r2d2::HandleError<postgres::Error> for LastFailure {
    fn handle_error(&self, error: postgres::Error) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(error);
        }
    }
}

/// A transaction on one of the connections.
pub(super) struct Books<'c> {
    pub(super) transaction: Transaction<'c>,
    pub(super) statements: &'c mut HashMap<String, Statement>,
}

impl Books<'_> {
    /// Until the transaction ends, statements are planned for the tables as they are: what reads all of them must not look up each row.
    pub(super) fn plan_for_all_rows(&mut self) -> Result<(), MachineError> {
        let mut part = self.transaction.savepoint("plans")?;
        let set = part.batch_execute(
            "SET LOCAL enable_seqscan = on; SET LOCAL enable_mergejoin = on; SET LOCAL enable_material = on;
             SET LOCAL plan_cache_mode = force_custom_plan",
        );
        // Other databases may not know this.
        if set.is_ok() {
            part.commit()?
        } else {
            part.rollback()?
        }
        Ok(())
    }

    pub(super) fn prepared(&mut self, sql: &str) -> Result<Statement, MachineError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It changes nothing, and sees the books as of one moment.
    Reading,
    /// Doing it again does nothing, so that it is tried again though it may have been done.
    Repeatable,
    /// It is tried again only where it certainly was not done.
    Once,
}

/// Does `work` as one transaction, which is undone where it fails, and tries again what others kept from being done.
pub(super) fn transact<T, E: Failure>(
    pool: &r2d2::Pool<Manager>,
    options: PostgresOptions,
    purpose: Purpose,
    mut work: impl FnMut(&mut Books<'_>) -> Result<T, E>,
) -> Result<T, E> {
    persist(purpose, || attempt(pool, options, purpose, &mut work))
}

/// Reads by one statement, which needs no transaction around it.
pub(super) fn look_up(
    pool: &r2d2::Pool<Manager>,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, MachineError> {
    persist(Purpose::Reading, || {
        let mut connection = pool.get().map_err(|error| MachineError::Storage(Box::new(error)))?;
        let Connection { client, statements } = &mut *connection;
        if let Some(statement) = statements.get(sql) {
            return Ok(client.query(statement, parameters)?);
        }
        let statement = client.prepare(sql)?;
        statements.insert(sql.to_owned(), statement.clone());
        Ok(client.query(&statement, parameters)?)
    })
}

/// Tries again what may be tried again.
fn persist<T, E: Failure>(purpose: Purpose, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match attempt() {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let again = match failure.machine().map_or(Kind::Other, kind) {
            Kind::Conflict => tries < TRIES,
            Kind::Lost => purpose != Purpose::Once && tries < TRIES_LOST,
            Kind::Other => false,
        };
        if !again {
            return Err(failure);
        }
        sleep(rest(tries));
    }
}

fn attempt<T, E: Failure>(
    pool: &r2d2::Pool<Manager>,
    options: PostgresOptions,
    purpose: Purpose,
    work: &mut impl FnMut(&mut Books<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut connection = pool.get().map_err(|error| MachineError::Storage(Box::new(error)))?;
    let Connection { client, statements } = &mut *connection;
    let isolation = match (purpose, options.serializable) {
        (_, true) => IsolationLevel::Serializable,
        (Purpose::Reading, false) => IsolationLevel::RepeatableRead,
        (_, false) => IsolationLevel::ReadCommitted,
    };
    let transaction = client.build_transaction().isolation_level(isolation).read_only(purpose == Purpose::Reading);
    let transaction = transaction.start().map_err(MachineError::from)?;
    let mut books = Books { transaction, statements };
    let done = work(&mut books)?;
    books.transaction.commit().map_err(MachineError::from)?;
    Ok(done)
}

/// Longer with each try, and not the same for everyone.
fn rest(tries: u32) -> Duration {
    let most = Duration::from_millis(1).saturating_mul(1 << tries.min(7)).min(REST_MOST);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    most.saturating_mul(1 + nanos / 1_000 % 4) / 4
}

/// Why a transaction was not done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Another one did something at the same time.
    Conflict,
    /// The connection is gone: whether it was done is not known.
    Lost,
    Other,
}

fn kind(error: &MachineError) -> Kind {
    let MachineError::Storage(error) = error else { return Kind::Other };
    if error.is::<r2d2::Error>() {
        return Kind::Other;
    }
    let Some(error) = error.downcast_ref::<postgres::Error>() else { return Kind::Other };
    match error.code() {
        Some(code)
            if [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED, &SqlState::UNIQUE_VIOLATION]
                .contains(&code) =>
        {
            Kind::Conflict
        }
        Some(code) if [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN, &SqlState::CANNOT_CONNECT_NOW].contains(&code) => {
            Kind::Lost
        }
        Some(_) => Kind::Other,
        None if error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>()) => Kind::Lost,
        None => Kind::Other,
    }
}

/// An error of which the machine's part can be looked at.
pub(super) trait Failure: From<MachineError> {
    fn machine(&self) -> Option<&MachineError>;
}

impl Failure for MachineError {
    fn machine(&self) -> Option<&MachineError> {
        Some(self)
    }
}

impl Failure for Error {
    fn machine(&self) -> Option<&MachineError> {
        if let Self::Machine(error) = self { Some(error) } else { None }
    }
}
