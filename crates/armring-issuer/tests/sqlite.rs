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
    assert_eq!(ledger.statement(shop.account).unwrap()[0].reference, Reference::Payment(answer.token));
    assert_eq!(ledger.audit().unwrap(), []);
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

#[test]
fn the_audit_finds_what_others_changed() {
    let file = File::new("audited");
    let mut w = World::new(SqliteLedger::open(&file.0).unwrap());
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 300), Outcome::Settled);
    let audit = |w: &World<SqliteLedger>| w.issuer.ledger().audit().unwrap();

    file.sql("UPDATE accounts SET balance = balance + 1 WHERE balance = 300");
    assert_eq!(audit(&w), [Fault::Balance(shop.account)]);
    file.sql("UPDATE accounts SET balance = 300 WHERE balance = 301; UPDATE credentials SET total = 299");
    assert_eq!(audit(&w), [Fault::Totals(band.credential.id)]);
    file.sql("UPDATE credentials SET total = 300; UPDATE entries SET change = 299 WHERE change = 300");
    assert_eq!(audit(&w), [Fault::Unbalanced(Currency::CNY), Fault::Balance(shop.account)]);
    file.sql("UPDATE entries SET change = 300 WHERE change = 299");
    assert_eq!(audit(&w), []);
    for (damage, repair) in [
        ("UPDATE accounts SET last = last - 1 WHERE balance = 300", "UPDATE accounts SET last = last + 1 WHERE balance = 300"),
        ("UPDATE accounts SET last = NULL WHERE balance = 300", "UPDATE accounts SET last = 4 WHERE balance = 300"),
    ] {
        file.sql(damage);
        assert_eq!(audit(&w), [Fault::Entries(shop.account)], "{damage}");
        assert!(matches!(w.issuer.statement(shop.account), Err(Error::Machine(MachineError::Damaged(_)))));
        file.sql(repair);
        assert_eq!(audit(&w), []);
    }

    file.sql("UPDATE credentials SET frozen = 1");
    assert_eq!(audit(&w), [Fault::Revocation(band.payee())]);
    file.sql("UPDATE credentials SET frozen = 0; UPDATE payees SET revoked = 1");
    assert_eq!(audit(&w), [Fault::Revocation(shop.payee())]);
    file.sql("UPDATE payees SET revoked = 0");
    let Reference::Payment(token) = w.issuer.statement(shop.account).unwrap()[0].reference else { panic!() };
    let refund = shop.refund(&mut w, token, 100);
    assert_eq!(w.refund(&refund, NOW).0.outcome, Outcome::Settled);
    for (damage, repair) in [
        ("UPDATE refunds SET given = 99", "UPDATE refunds SET given = 100"),
        ("UPDATE refunds SET given = 301", "UPDATE refunds SET given = 100"),
        ("UPDATE tokens SET outcome = 8", "UPDATE tokens SET outcome = 1"),
    ] {
        file.sql(damage);
        assert_eq!(audit(&w), [Fault::Refunds(token)], "{damage}");
        file.sql(repair);
        assert_eq!(audit(&w), []);
    }
}
