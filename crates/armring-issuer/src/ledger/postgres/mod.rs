//! A ledger in PostgreSQL, or in a distributed database that speaks as PostgreSQL does.

mod books;
mod pool;
mod schema;
mod sql;
#[cfg(feature = "tls")]
mod tls;
mod write;

use core::fmt;
use core::ops::ControlFlow;
use core::time::Duration;
use std::sync::Arc;

use armring_token::Epoch;
use armring_wire::{AccountPseudonym, Amount, CredentialId, Currency, PayeeId, UnixTime};
use postgres::tls::{MakeTlsConnect, TlsConnect};
use postgres::{Config, NoTls, Socket};

use self::pool::{Books, Failure, LastFailure, Manager, Purpose, look_up, transact};
use self::sql::Reading;
use super::audit::Faults;
use super::credential::{CodeHash, CredentialRecord, Enrolled, Evidence, NewCredential, Pending};
use super::model::{Account, AccountState, DepositRef, Fault, PayeeRecord};
use super::refund::{RefundAnswer, RefundTerms, refund_one};
use super::revoked::RevokedPart;
use super::settle::{Answer, Terms};
use super::sql::batch::settle_all;
use super::sql::refunds::Refunds;
use super::sql::{audit, credentials, enrol, money, revoked, rows};
use super::{Ledger, TellEntry};
use crate::error::{Error, MachineError};
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// How a ledger in PostgreSQL is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// How many connections are open at most, for all handles together.
    pub connections: u32,
    /// How long to wait for one of them, or for the database to accept another one.
    pub patience: Duration,
    /// Whether every transaction is SERIALIZABLE. Those of PostgreSQL need not be: they lock what they read, and what must be one of its kind is
    /// by an index. Distributed databases may know nothing else.
    pub serializable: bool,
}

impl Default for PostgresOptions {
    /// 8 connections, 2 seconds, READ COMMITTED with locks.
    fn default() -> Self {
        Self { connections: 8, patience: Duration::from_secs(2), serializable: false }
    }
}

/// A ledger in PostgreSQL, over a pool of connections. Any number of processes may have the same one.
///
/// Its tables are made and brought up to date when it is opened. A transaction that another one keeps from being done (SQLSTATE 40001, 40P01,
/// 23505) is tried again, a dozen times and longer each time; then it is the machine's error, and safe to repeat.
#[derive(Clone)]
pub struct PostgresLedger {
    pool: r2d2::Pool<Manager>,
    options: PostgresOptions,
}

impl PostgresLedger {
    /// Opens the ledger that a connection string names, without TLS: over a Unix socket, or a network that is one's own.
    ///
    /// `host=/run/postgresql user=issuer dbname=ledger`, or `postgresql://issuer:secret@host/ledger`.
    ///
    /// # Errors
    /// [`MachineError::Storage`] where the database cannot be used, [`MachineError::Damaged`] where a newer version of this crate wrote it.
    pub fn open(parameters: &str, options: PostgresOptions) -> Result<Self, MachineError> {
        Self::open_with(parameters.parse()?, NoTls, options)
    }

    /// The same with TLS by whatever makes it: `postgres-native-tls`, `tokio-postgres-rustls`. Set [`Config::ssl_mode`] to `Require`: by default
    /// a server that says it has no TLS is spoken to without. The feature `tls` has `open_tls`, which does.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with<T>(config: Config, tls: T, options: PostgresOptions) -> Result<Self, MachineError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::TlsConnect: Send,
        T::Stream: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let manager = Manager(Arc::new(move || config.connect(tls.clone())));
        let failure = LastFailure::default();
        let pool = r2d2::Pool::builder()
            .max_size(options.connections.max(1))
            .min_idle(Some(1))
            .connection_timeout(options.patience)
            // Each use would be one more round trip; a connection that is lost is found out by using it.
            .test_on_check_out(false)
            .error_handler(Box::new(failure.clone()))
            .build(manager)
            .map_err(|error| failure.take().map_or_else(|| MachineError::Storage(Box::new(error)), MachineError::from))?;
        let ledger = Self { pool, options };
        ledger.transact(Purpose::Repeatable, |books| schema::migrate(&mut books.transaction))?;
        Ok(ledger)
    }

    fn transact<T, E: Failure>(&self, purpose: Purpose, work: impl FnMut(&mut Books<'_>) -> Result<T, E>) -> Result<T, E> {
        transact(&self.pool, self.options, purpose, work)
    }

    fn read<T>(&self, mut work: impl FnMut(&mut Reading<'_, '_>) -> Result<T, MachineError>) -> Result<T, MachineError> {
        self.transact(Purpose::Reading, |books| work(&mut Reading(books)))
    }

    fn once<T>(&self, work: impl FnMut(&mut Books<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.transact(Purpose::Once, work)
    }
}

impl fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLedger").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Ledger for PostgresLedger {
    fn open_account(&mut self, account: AccountPseudonym, currency: Currency) -> Result<(), Error> {
        self.once(|books| money::open_account(books, account, currency))
    }

    fn account(&self, account: AccountPseudonym) -> Result<Option<Account>, MachineError> {
        self.read(|books| rows::account(books, account))
    }

    fn accounts(&self, after: Option<AccountPseudonym>) -> Result<Vec<Account>, MachineError> {
        self.read(|books| money::accounts(books, after))
    }

    fn set_account_state(&mut self, account: AccountPseudonym, state: AccountState) -> Result<(), Error> {
        self.once(|books| money::set_account_state(books, account, state))
    }

    fn deposit(&mut self, account: AccountPseudonym, amount: Amount, reference: DepositRef, now: UnixTime) -> Result<(), Error> {
        self.transact(Purpose::Repeatable, |books| money::deposit(books, account, amount, reference, now))
    }

    fn statement(&self, account: AccountPseudonym, tell: &mut TellEntry<'_>) -> Result<(), MachineError> {
        // Entries stay as they are, and new ones come behind them: where it is tried again, what was told is passed over.
        let mut told = 0_u64;
        self.read(|books| {
            let mut number = 0_u64;
            money::statement(books, account, &mut |entry| {
                number = number.saturating_add(1);
                if number <= told {
                    return ControlFlow::Continue(());
                }
                told = number;
                tell(entry)
            })
        })
    }

    fn add_payee(&mut self, payee: &PayeeRecord) -> Result<(), Error> {
        self.once(|books| enrol::add_payee(books, payee))
    }

    fn payee(&self, payee: PayeeId) -> Result<Option<PayeeRecord>, MachineError> {
        self.read(|books| rows::payee(books, payee))
    }

    fn set_payee_revoked(&mut self, payee: PayeeId, revoked: bool, now: UnixTime) -> Result<(), Error> {
        self.once(|books| enrol::set_payee_revoked(books, payee, revoked, now))
    }

    fn store_code(&mut self, code: &CodeHash, account: AccountPseudonym, expires: UnixTime, now: UnixTime) -> Result<(), Error> {
        self.once(|books| enrol::store_code(books, code, account, expires, now))
    }

    fn code_account(&self, code: &CodeHash, now: UnixTime) -> Result<Option<Account>, MachineError> {
        self.read(|books| enrol::code_account(books, code, now))
    }

    fn enrol(&mut self, code: &CodeHash, candidate: &NewCredential, now: UnixTime) -> Result<Enrolled, MachineError> {
        self.transact(Purpose::Once, |books| enrol::enrol(books, code, candidate, now))
    }

    fn pending(&self, account: AccountPseudonym) -> Result<Vec<Pending>, MachineError> {
        self.read(|books| credentials::pending(books, account))
    }

    fn confirm(&mut self, credential: CredentialId, digits: u32, now: UnixTime) -> Result<(), Error> {
        // A wrong try is an error and must still be counted: the transaction itself succeeds.
        self.once(|books| credentials::confirm(books, credential, digits, now))?.map_err(Error::from)
    }

    fn set_frozen(&mut self, credential: CredentialId, frozen: bool, now: UnixTime) -> Result<(), Error> {
        self.once(|books| credentials::set_frozen(books, credential, frozen, now))
    }

    fn revoke(&mut self, credential: CredentialId, code: Option<(&CodeHash, UnixTime)>, now: UnixTime) -> Result<(), Error> {
        self.once(|books| credentials::revoke(books, credential, code, now))
    }

    fn revoked(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
        self.read(|books| revoked::part(books, since, part))
    }

    fn credential(&self, credential: CredentialId) -> Result<Option<CredentialRecord>, MachineError> {
        self.read(|books| rows::credential(books, credential))
    }

    fn credentials(&self, credentials: &[CredentialId]) -> Result<Vec<CredentialRecord>, MachineError> {
        let ids: Vec<_> = credentials.iter().map(|id| id.0.as_slice()).collect();
        books::credential_records(&look_up(&self.pool, books::CREDENTIALS, &[&ids])?)
    }

    fn payees(&self, payees: &[PayeeId]) -> Result<Vec<PayeeRecord>, MachineError> {
        let ids: Vec<_> = payees.iter().map(|id| id.0.as_slice()).collect();
        books::payee_records(&look_up(&self.pool, books::PAYEES, &[&ids])?)
    }

    fn another(&self) -> Result<Option<Self>, MachineError> {
        Ok(Some(self.clone()))
    }

    fn settle(&mut self, payments: &[VerifiedPayment], terms: &Terms<'_>) -> Result<Vec<Answer>, MachineError> {
        self.transact(Purpose::Repeatable, |books| settle_all(books, payments, terms))
    }

    fn refund(&mut self, refund: &VerifiedRefund, terms: &RefundTerms<'_>) -> Result<Option<RefundAnswer>, MachineError> {
        self.transact(Purpose::Repeatable, |books| refund_one(&mut Refunds(books), refund, terms))
    }

    fn evidence(&self, credential: CredentialId) -> Result<Vec<Evidence>, MachineError> {
        self.read(|books| credentials::evidence(books, credential))
    }

    fn audit(&self) -> Result<Vec<Fault>, MachineError> {
        self.read(|books| {
            books.0.plan_for_all_rows()?;
            let mut found = Faults::default();
            audit::faults(books, &mut found, &mut |_| {})?;
            Ok(found.into_vec())
        })
    }

    fn verify(&self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Fault>, MachineError> {
        self.read(|books| {
            books.0.plan_for_all_rows()?;
            let mut found = Faults::default();
            audit::all_faults(books, &mut found, tell)?;
            Ok(found.into_vec())
        })
    }
}
