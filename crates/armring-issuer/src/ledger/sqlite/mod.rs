//! A ledger in a file of SQLite. What was answered is on the disk: every transaction is synced before its answer leaves.

mod audit;
mod books;
mod credentials;
mod enrol;
mod money;
mod refunds;
mod revoked;
mod rows;
mod schema;

use core::fmt;
use std::path::Path;

use armring_token::Epoch;
use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, PayeeId, UnixTime};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::Ledger;
use super::batch::settle_all;
use super::credential::{CodeHash, CredentialRecord, Enrolled, Evidence, NewCredential, Pending};
use super::model::{Account, AccountState, DepositRef, Entry, Fault, PayeeRecord};
use super::refund::{RefundAnswer, RefundTerms, refund_one};
use super::revoked::RevokedPart;
use super::settle::{Answer, Terms};
use crate::error::{Error, MachineError};
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// How many prepared statements are kept: more than there are.
const STATEMENTS: usize = 64;

/// A ledger in a file of SQLite, over one connection.
pub struct SqliteLedger {
    connection: Connection,
}

impl SqliteLedger {
    /// Opens the ledger in this file, or begins one. Two files with its name and `-wal`, `-shm` behind it belong to it.
    ///
    /// # Errors
    /// [`MachineError::Storage`] where the file cannot be used, [`MachineError::Damaged`] where a newer version of this crate wrote it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MachineError> {
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
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        schema::migrate(&mut connection)?;
        Ok(Self { connection })
    }

    /// Does `work` as one transaction, which is undone where it fails.
    fn transact<T, E: From<rusqlite::Error>>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
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
        rows::account(&self.connection, account)
    }

    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.transact(|books| money::set_account_state(books, account, state))
    }

    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| money::deposit(books, account, amount, reference, now))
    }

    fn statement(&self, account: AccountPseudonym) -> Result<Vec<Entry>, MachineError> {
        money::statement(&self.connection, account)
    }

    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error> {
        self.transact(|books| enrol::add_payee(books, payee))
    }

    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
        rows::payee(&self.connection, payee)
    }

    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| enrol::set_payee_revoked(books, payee, revoked, now))
    }

    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error> {
        self.transact(|books| enrol::store_code(books, code, account, expires, now))
    }

    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
        enrol::code_account(&self.connection, code, now)
    }

    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError> {
        self.transact(|books| enrol::enrol(books, code, candidate, now))
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        credentials::pending(&self.connection, account)
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
        revoked::part(&self.connection, since, part)
    }

    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
        rows::credential(&self.connection, credential)
    }

    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.transact(|books| settle_all(&mut books::InTransaction(books), payments, terms))
    }

    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError> {
        self.transact(|books| refund_one(&mut books::InTransaction(books), refund, terms))
    }

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        books::evidence(&self.connection, credential)
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        audit::faults(&self.connection)
    }
}
