//! A ledger that an older version wrote is brought up to date when it is opened, and goes on.
//!
//! `data/ledger_1.sql` was written when the schema was at version 1. A shop with the key `[0x22; 32]` was paid 300 and 600 by the credential of
//! the key `[0x11; 32]`, which was also refused three tokens. Those of `[0x12; 32]` and `[0x13; 32]` were frozen, the first after it had paid
//! 10, the second before it was confirmed. That of `[0x14; 32]` paid 10 and was then cloned; that of `[0x15; 32]` was cancelled; that of
//! `[0x16; 32]` waits for its digits. All are of one account, which had 10,000.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_token::{Payee, Payment, Signing};
use armring_wire::*;
use common::*;
use ed25519_dalek::SigningKey;
use rusqlite::Connection;

const SCHEMA: &str = include_str!("../src/ledger/sqlite/schema_1.sql");
const ROWS: &str = include_str!("data/ledger_1.sql");

/// A file of version 1, with everything in it.
fn file(name: &str) -> File {
    let file = File::new(name);
    let connection = Connection::open(&file.0).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection.execute_batch(ROWS).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    file
}

fn column<T: rusqlite::types::FromSql>(file: &File, query: &str) -> Vec<T> {
    let connection = Connection::open(&file.0).unwrap();
    let mut query = connection.prepare(query).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn opened(file: &File) -> World<SqliteLedger> {
    World::new(SqliteLedger::open(&file.0).unwrap())
}

fn shop(file: &File) -> Shop {
    let signing = Signing::<Payee, _>::new(SigningKey::from_bytes(&[0x22; 32]));
    let (id, account) = (column(file, "SELECT id FROM payees")[0], column(file, "SELECT account FROM payees")[0]);
    Shop { id: PayeeId(id), account: AccountPseudonym(account), signing }
}

/// The band with this key, as it was left.
fn band(w: &World<SqliteLedger>, file: &File, seed: u8) -> Band {
    let signing = Signing::<Payment, _>::new(SigningKey::from_bytes(&[seed; 32]));
    let key = signing.signer().verifying_key().to_bytes();
    let hex = key.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let id = CredentialId(column(file, &format!("SELECT id FROM credentials WHERE payment_key = X'{hex}'"))[0]);
    let record = w.issuer.ledger().credential(id).unwrap().unwrap();
    let credential = *record.credential();
    let (counter, cumulative) = (record.answered().0.try_into().unwrap(), record.answered_total().unsigned_abs());
    Band { account: credential.account, credential, signing, counter, cumulative }
}

#[test]
fn the_books_are_those_of_before() {
    let file = file("migrated-books");
    let entries = column::<i64>(&file, "SELECT change FROM entries ORDER BY account, id");
    let w = opened(&file);
    let ledger = w.issuer.ledger();
    assert_eq!(verified(ledger), []);
    assert_eq!(column::<i64>(&file, "SELECT change FROM entries ORDER BY account, number"), entries);
    assert_eq!(column::<u32>(&file, "PRAGMA user_version"), [5]);
    let account = band(&w, &file, 0x11).account;
    assert_eq!((w.balance(account), w.balance(shop(&file).account)), (9_080, 920));
    let statement = statement(ledger, account);
    let deposits = statement.iter().filter(|entry| matches!(entry.reference, Reference::Deposit(_))).count();
    assert_eq!((statement.len(), deposits), (5, 1));
    let waits = ledger.pending(account).unwrap();
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].credential, band(&w, &file, 0x16).credential.id);
}

#[test]
fn opening_again_changes_nothing() {
    let file = file("migrated-twice");
    drop(opened(&file));
    let dump = |file: &File| column::<String>(file, "SELECT group_concat(sql, ';') FROM sqlite_schema ORDER BY name");
    let before = dump(&file);
    assert_eq!(verified(opened(&file).issuer.ledger()), []);
    assert_eq!(dump(&file), before);
    let fresh = File::new("fresh");
    drop(opened(&fresh));
    let tables = "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name";
    assert_eq!(column::<String>(&file, tables), column::<String>(&fresh, tables), "a new file has the same tables");
}

#[test]
fn the_states_are_those_of_before_and_a_clone_is_told_from_a_frozen_one() {
    let file = file("migrated-states");
    let mut w = opened(&file);
    let expected = [
        (0x11, CredentialState::Active),
        (0x12, CredentialState::Frozen),
        (0x13, CredentialState::Frozen),
        (0x14, CredentialState::Cloned),
        (0x15, CredentialState::Cancelled),
        (0x16, CredentialState::Inactive),
    ];
    for (seed, state) in expected {
        let record = w.issuer.ledger().credential(band(&w, &file, seed).credential.id).unwrap().unwrap();
        assert_eq!((record.state(), record.maker()), (state, None), "{seed:#x}");
    }
    assert_eq!(w.issuer.evidence(band(&w, &file, 0x14).credential.id).unwrap().len(), 1);
    for (seed, state) in [(0x12, CredentialState::Active), (0x13, CredentialState::Inactive)] {
        let id = band(&w, &file, seed).credential.id;
        w.issuer.unfreeze(id, NOW).unwrap();
        assert_eq!(w.issuer.state(id).unwrap(), state, "{seed:#x}: what has paid was confirmed");
    }
}

#[test]
fn who_was_refused_is_on_the_revocation_list() {
    let file = file("migrated-list");
    let mut w = opened(&file);
    let mut expected: Vec<_> = [0x12, 0x13, 0x14, 0x15].map(|seed| band(&w, &file, seed).credential.id).into();
    expected.sort();
    let (epoch, _, entries) = w.revocations(0, NOW);
    let listed: Vec<_> = entries.iter().map(|entry| entry.subject).collect();
    assert_eq!((epoch, listed), (4, expected.into_iter().map(PayeeRef::Credential).collect()));
}

#[test]
fn each_token_has_the_gesture_that_its_band_signed() {
    let file = file("migrated-gestures");
    drop(opened(&file));
    assert_eq!(column::<u8>(&file, "SELECT gesture FROM tokens ORDER BY object"), [1, 1, 2, 0, 0, 1, 1]);
}

#[test]
fn old_tokens_keep_their_receipts_and_are_given_back_and_new_ones_are_paid() {
    let file = file("migrated-goes-on");
    let mut w = opened(&file);
    let (shop, mut band) = (shop(&file), band(&w, &file, 0x11));
    let objects = |column: &str| self::column::<Vec<u8>>(&file, &format!("SELECT {column} FROM objects ORDER BY id"));
    let (requests, tokens, receipts) = (objects("request"), objects("token"), objects("receipt"));
    let mut digests = Vec::new();
    for ((request, token), receipt) in requests.iter().zip(&tokens).zip(&receipts) {
        let answer = w.issuer.settle(&[w.payment(request, token)], NOW).unwrap().pop().unwrap();
        assert!(answer.repeated && answer.receipt == *receipt);
        digests.push(answer.token);
    }
    assert_eq!(w.pay(&mut band, &shop, 80), Outcome::Settled);
    let refund = shop.refund(&mut w, digests[0], 300);
    assert_eq!(w.refund(&refund, NOW).0.outcome, Outcome::Settled);
    assert_eq!((w.balance(band.account), w.balance(shop.account)), (9_300, 700));
}

#[test]
fn a_file_whose_rows_refer_to_nothing_is_refused_and_stays_as_it_is() {
    let file = file("migrated-damaged");
    file.sql("PRAGMA foreign_keys = OFF; DELETE FROM accounts WHERE is_float");
    assert!(matches!(SqliteLedger::open(&file.0), Err(MachineError::Damaged(_))));
    assert_eq!(column::<u32>(&file, "PRAGMA user_version"), [1]);
    assert_eq!(column::<u32>(&file, "SELECT count(*) FROM sqlite_schema WHERE name = 'refunds'"), [0]);
}
