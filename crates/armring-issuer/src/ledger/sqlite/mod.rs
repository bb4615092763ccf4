//! A ledger in a file of SQLite. What was answered is on the disk: every transaction is synced before its answer leaves.

mod audit;
mod books;
mod entries;
mod log;
mod schema;

use core::fmt;
use core::ops::ControlFlow;
use std::path::Path;

use armring_token::Epoch;
use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, PayeeId, UnixTime};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, TransactionBehavior, params_from_iter};

use self::log::Log;
use super::credential::{CodeHash, CredentialRecord, Enrolled, Evidence, NewCredential, Pending};
use super::model::{Account, AccountState, DepositRef, Entry, Fault, PayeeRecord};
use super::refund::{RefundAnswer, RefundTerms, refund_one};
use super::revoked::RevokedPart;
use super::settle::{Answer, Terms};
use super::sql::audit::totals;
use super::sql::batch::{Book, settle_all};
use super::sql::refunds::Refunds;
use super::sql::{Column, EachRow, Row, Sql, Value, credentials, enrol, money, revoked, rows};
use super::{Ledger, Syncer, TellEntry, Upkeep};
use crate::error::{Error, MachineError};
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// How many prepared statements are kept: more than there are.
const STATEMENTS: usize = 64;

/// How much of the file is kept in memory, in KiB, for each handle.
const CACHE: i64 = 64 * 1024;

/// A ledger in a file of SQLite, over one connection.
pub struct SqliteLedger {
    connection: Connection,
    log: Log,
}

impl SqliteLedger {
    /// Opens the ledger in this file, or begins one. Two files with its name and `-wal`, `-shm` behind it belong to it.
    ///
    /// # Errors
    /// [`MachineError::Storage`] where the file cannot be used, [`MachineError::Damaged`] where a newer version of this crate wrote it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MachineError> {
        let ledger = Self::open_beside(path)?;
        // Whoever wrote last may have ended before it was durable. Nobody was answered then, but might be from now on.
        log::checkpoint(&ledger.connection)?;
        Ok(ledger)
    }

    /// Opens a file that is open already.
    fn open_beside(path: impl AsRef<Path>) -> Result<Self, MachineError> {
        let connection = Connection::open(path)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(MachineError::Damaged("the ledger's file has no write-ahead log"));
        }
        Self::begin(connection)
    }

    /// A ledger that lasts as long as this value.
    ///
    /// # Errors
    /// [`MachineError::Storage`].
    pub fn open_in_memory() -> Result<Self, MachineError> {
        Self::begin(Connection::open_in_memory()?)
    }

    fn begin(mut connection: Connection) -> Result<Self, MachineError> {
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Or statements are compiled anew whenever other values are bound to them.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, log: Log::default() })
    }

    /// `None` where it is in memory.
    fn path(&self) -> Option<&str> {
        self.connection.path().filter(|path| !path.is_empty())
    }

    /// Does `work` as one transaction, which is undone where it fails.
    fn transact<T, E: From<rusqlite::Error>>(&mut self, work: impl FnOnce(&mut Statements<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&mut Statements(&transaction))?;
        transaction.commit()?;
        Ok(result)
    }
}

/// The file, inside of a transaction or not. Whoever writes has it alone, so that what is read need not be locked.
struct Statements<'c>(&'c Connection);

impl Sql for Statements<'_> {
    // What is counted stands with the newest token.
    const CREDENTIAL: &'static str = "
        SELECT credentials.object, state, frozen, maker, coalesce(answered, 0), coalesce(total, 0)
        FROM credentials LEFT JOIN tokens ON credential = id AND counter = (SELECT max(counter) FROM tokens WHERE credential = id)
        WHERE id = $1";
    const TOTALS: &'static str = totals!(
        "SELECT id, coalesce(answered, 0), coalesce(total, 0) FROM credentials
         LEFT JOIN tokens ON credential = id AND counter = (SELECT max(counter) FROM tokens WHERE credential = id)"
    );

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, MachineError> {
        let changed = self.0.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError> {
        let mut rows = Vec::new();
        self.each(sql, values, &mut |row| {
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    fn each(&mut self, sql: &'static str, values: &[Value<'_>], tell: &mut EachRow<'_>) -> Result<(), MachineError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(found) = rows.next()? {
            let row = Row((0..columns).map(|at| column(found, at)).collect::<Result<_, _>>()?);
            if tell(row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn locked(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, MachineError> {
        self.rows(sql, values)
    }

    fn entries(&mut self, account: AccountPseudonym, tell: &mut EachRow<'_>) -> Result<(), MachineError> {
        entries::of_account(self, account, tell)
    }

    fn enter(&mut self, book: &Book, entry: &Entry) -> Result<(), MachineError> {
        entries::enter(self.0, book.account.id, entry)
    }
}

fn column(row: &rusqlite::Row<'_>, at: usize) -> Result<Column, MachineError> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Column::Null,
        ValueRef::Integer(number) => Column::Number(number),
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Column::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(MachineError::Damaged("a column is not what it was written as")),
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger").field("path", &self.connection.path()).finish_non_exhaustive()
    }
}

impl Ledger for SqliteLedger {
    fn open_account(&mut self, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
        self.transact(|books| money::open_account(books, account, currency))
    }

    fn account(&self, account: AccountPseudonym) -> Result<Option<Account>, MachineError> {
        rows::account(&mut Statements(&self.connection), account)
    }

    fn accounts(&self, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError> {
        money::accounts(&mut Statements(&self.connection), after)
    }

    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.transact(|books| money::set_account_state(books, account, state))
    }

    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| money::deposit(books, account, amount, reference, now))
    }

    fn statement(&self, account: AccountPseudonym, tell: &mut TellEntry<'_>) -> Result<(), MachineError> {
        // What is found is counted, and others may write meanwhile.
        let books = self.connection.unchecked_transaction()?;
        money::statement(&mut Statements(&books), account, tell)
    }

    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error> {
        self.transact(|books| enrol::add_payee(books, payee))
    }

    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
        rows::payee(&mut Statements(&self.connection), payee)
    }

    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| enrol::set_payee_revoked(books, payee, revoked, now))
    }

    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| enrol::store_code(books, code, account, expires, now))
    }

    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
        enrol::code_account(&mut Statements(&self.connection), code, now)
    }

    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError> {
        self.transact(|books| enrol::enrol(books, code, candidate, now))
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        credentials::pending(&mut Statements(&self.connection), account)
    }

    fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        // A wrong try is an error and must still be counted: the transaction itself succeeds.
        self.transact(|books| credentials::confirm(books, credential, digits, now))?.map_err(Error::from)
    }

    fn set_frozen(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| credentials::set_frozen(books, credential, frozen, now))
    }

    fn revoke(&mut self, credential: CredentialId, code: Option<(&CodeHash, UnixTime)>, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| credentials::revoke(books, credential, code, now))
    }

    fn revoked(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
        let books = self.connection.unchecked_transaction()?;
        revoked::part(&mut Statements(&books), since, part)
    }

    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
        rows::credential(&mut Statements(&self.connection), credential)
    }

    fn credentials(&self, credentials: &[CredentialId]) -> Result<Vec<CredentialRecord>, MachineError> {
        // All as of one moment, which is also quicker.
        let books = self.connection.unchecked_transaction()?;
        credentials.iter().filter_map(|id| rows::credential(&mut Statements(&books), *id).transpose()).collect()
    }

    fn another(&self) -> Result<Option<Self>, MachineError> {
        self.path().map(Self::open_beside).transpose()
    }

    fn upkeep(&self) -> Result<Option<Upkeep>, MachineError> {
        self.path().map(|path| self.log.upkeep(path, &self.connection)).transpose()
    }

    fn syncer(&self) -> Result<Option<Syncer>, MachineError> {
        self.path().map(log::syncer).transpose()
    }

    fn settle_early(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.log.move_rest(&self.connection);
        // The log is then made durable before it is moved, and else by the syncer.
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        let answers = self.settle(payments, terms);
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        answers
    }

    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.transact(|books| settle_all(books, payments, terms))
    }

    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError> {
        self.transact(|books| refund_one(&mut Refunds(books), refund, terms))
    }

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        credentials::evidence(&mut Statements(&self.connection), credential)
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        let books = self.connection.unchecked_transaction()?;
        audit::audit(&mut Statements(&books), &mut |_| {})
    }

    fn verify(&self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
        let books = self.connection.unchecked_transaction()?;
        audit::verify(&mut Statements(&books), tell)
    }
}
