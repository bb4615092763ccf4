//! TLS to the database: what is said is said to the server that is meant, and to nobody else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::error::Error as _;

use armring_issuer::*;
use common::server::Server;
use common::*;

/// By the key of the authority, which nobody has any more, for `ledger.example`; until 2126.
const CERTIFICATE: &str = include_str!("tls/server.pem");
const KEY: &str = include_str!("tls/server.key");
const AUTHORITY: &[u8] = include_bytes!("tls/authority.pem");
/// Another one, which vouches for nobody here.
const STRANGER: &[u8] = include_bytes!("tls/stranger.pem");

fn failure(parameters: &str, authorities: &[u8]) -> String {
    let error = PostgresLedger::open_tls(parameters, authorities, PostgresOptions::default()).unwrap_err();
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

#[test]
fn postgres_is_spoken_to_over_tls_and_only_where_the_certificate_is_its_own() {
    let mut server = Server::start("tls");
    let address = server.listen(Some((CERTIFICATE, KEY)));
    let named = |name: &str| format!("host={name} hostaddr={address} user=armring dbname=postgres");
    let mut w = World::new(PostgresLedger::open_tls(&named("ledger.example"), AUTHORITY, PostgresOptions::default()).unwrap());
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 300), armring_wire::Outcome::Settled);
    let mut beside = ::postgres::Client::connect(&server.parameters(), ::postgres::NoTls).unwrap();
    let row = beside.query_one("SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL", &[]).unwrap();
    let (over_network, encrypted): (i64, i64) = (row.get(0), row.get(1));
    assert!(over_network > 0 && over_network == encrypted, "{encrypted} of {over_network}");

    let told = failure(&named("ledger.example"), STRANGER);
    assert!(told.contains("certificate"), "{told}");
    let told = failure(&named("other.example"), AUTHORITY);
    assert!(told.contains("certificate"), "{told}");
    let told = failure(&named("ledger.example"), b"");
    assert!(told.contains("there is no certificate among the authorities"), "{told}");

    server.listen(None);
    let told = failure(&format!("{} sslmode=prefer", named("ledger.example")), AUTHORITY);
    assert!(told.contains("TLS"), "whoever stands between and says that there is none gets nothing: {told}");
}
