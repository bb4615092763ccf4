//! Ledgers in a PostgreSQL that is there for the tests: `cargo xtask ci` starts one.

use std::sync::atomic::{AtomicU32, Ordering};

use armring_issuer::{PostgresLedger, PostgresOptions};

/// Where it is: a connection string.
pub(crate) const SERVER: &str = "ARMRING_TEST_POSTGRES";

/// Whether every transaction is to be serializable.
pub(crate) const SERIALIZABLE: &str = "ARMRING_TEST_SERIALIZABLE";

pub(crate) fn options() -> PostgresOptions {
    PostgresOptions { connections: 6, serializable: std::env::var_os(SERIALIZABLE).is_some(), ..PostgresOptions::default() }
}

/// An empty schema of its own on the server: what to connect to.
pub(crate) fn schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var(SERVER).unwrap_or_else(|_| panic!("{SERVER} names no PostgreSQL; `cargo xtask ci` starts one"));
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
    client.batch_execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).unwrap();
    format!("{server} options='-c search_path={name}'")
}

pub(crate) fn open(parameters: &str) -> PostgresLedger {
    PostgresLedger::open(parameters, options()).unwrap()
}

/// An empty ledger.
pub(crate) fn fresh() -> PostgresLedger {
    open(&schema())
}
