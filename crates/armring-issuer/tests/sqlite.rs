//! What only a file can do: last, fail, and have been written by another version.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::error::Error as _;

use armring_issuer::*;
use armring_wire::records::issuer::Refusal;
use armring_wire::*;
use common::*;

#[test]
fn what_was_written_is_there_when_the_file_is_opened_again() {
    let file = File::new("reopened");
    let mut w = World::new(SqliteLedger::open(&file.0).unwrap());
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 300);
    let token = band.token(&w, &request);
    let answer = w.settle(&request, &token, NOW);
    let (account, credential) = (w.issuer.account(band.account).unwrap(), band.credential.id);
    drop(w.issuer.into_ledger());

    let ledger = SqliteLedger::open(&file.0).unwrap();
    assert_eq!(ledger.account(band.account).unwrap(), Some(account));
    assert_eq!(ledger.credential(credential).unwrap().unwrap().state(), CredentialState::Active);
    assert_eq!(statement(&ledger, shop.account)[0].reference, Reference::Payment(answer.token));
    assert_eq!(ledger.audit().unwrap(), []);
}

/// The log of a process that was killed is in the memory of the operating system; what is answered from now on has to outlast that.
#[test]
fn what_is_in_the_log_is_in_the_file_once_that_is_opened() {
    let [file, killed, lost] = ["log", "log-killed", "log-lost"].map(File::new);
    let mut w = World::new(SqliteLedger::open(&file.0).unwrap());
    let band = w.band(1_000);
    for suffix in ["", "-wal"] {
        let of = |file: &File| format!("{}{suffix}", file.0.display());
        std::fs::copy(of(&file), of(&killed)).unwrap();
    }
    let opened = SqliteLedger::open(&killed.0).unwrap();
    std::fs::copy(&killed.0, &lost.0).unwrap();
    let without_log = SqliteLedger::open(&lost.0).unwrap();
    for ledger in [opened, without_log] {
        assert_eq!(ledger.account(band.account).unwrap().map(|account| account.balance), Some(1_000));
    }
}

#[test]
fn a_write_that_fails_half_way_leaves_the_books_as_they_were() {
    let file = File::new("half-way");
    let mut w = World::new(SqliteLedger::open(&file.0).unwrap());
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 300);
    let token = band.token(&w, &request);
    // The payee's entry is the last but one thing that is written.
    file.sql("CREATE TRIGGER full BEFORE INSERT ON entries WHEN new.change = 300 BEGIN SELECT raise(ABORT, 'disk full'); END");
    assert_eq!(w.redeem(&request, &token), Err(Refusal::Busy));
    let failure = w.issuer.settle(&[w.payment(&request, &token)], NOW).unwrap_err();
    let told = [failure.to_string(), failure.source().unwrap().to_string()];
    assert_eq!(told, ["the storage failed", "disk full"], "each cause is told once");
    let failure = Error::Machine(failure);
    assert_eq!([failure.to_string(), failure.source().unwrap().to_string()], told);
    assert_eq!((w.balance(band.account), w.balance(shop.account)), (1_000, 0));
    assert_eq!(w.issuer.ledger().credential(band.credential.id).unwrap().unwrap().answered().0, 0);
    assert_eq!(w.issuer.ledger().audit().unwrap(), []);

    file.sql("DROP TRIGGER full");
    assert_eq!(w.outcome(&request, &token), Outcome::Settled);
}

#[test]
fn a_file_of_a_newer_version_is_not_touched() {
    let file = File::new("newer");
    drop(SqliteLedger::open(&file.0).unwrap());
    file.sql("PRAGMA user_version = 99");
    assert!(matches!(SqliteLedger::open(&file.0), Err(MachineError::Damaged(_))));
}

#[test]
fn a_file_that_is_no_ledger_is_refused() {
    let file = File::new("other");
    std::fs::write(&file.0, [7; 4096]).unwrap();
    assert!(matches!(SqliteLedger::open(&file.0), Err(MachineError::Storage(_))));
}
