//! `armring-ledger` as whoever runs a ledger sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::process::Command;

use armring_issuer::*;
#[cfg(feature = "postgres")]
use common::postgres;
use common::*;

/// The exit code, what is printed, and what is said beside it.
fn tool(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_armring-ledger")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A payment of 300 out of 1,000: the ledger's name, and the accounts of the two.
fn paid<L: Ledger>(ledger: L) -> [String; 2] {
    let mut w = World::new(ledger);
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 300), armring_wire::Outcome::Settled);
    [band.account, shop.account].map(|account| account.0.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn looks_into(ledger: &str, [band, shop]: &[String; 2]) {
    let (code, faults, told) = tool(&["verify", ledger]);
    assert_eq!((code, faults.as_str()), (0, ""), "{told}");
    assert!(told.contains("every token has its receipt") && told.trim_end().ends_with("0 faults"), "{told}");

    let (code, statement, _) = tool(&["statement", ledger, band]);
    let lines: Vec<_> = statement.lines().collect();
    assert_eq!((code, lines.len()), (0, 4), "a head, a deposit, a payment, the balance: {statement}");
    assert!(lines[1].ends_with(" 1000") && lines[2].ends_with(" -300") && lines[3].starts_with("balance 700 "), "{statement}");

    let (code, all, _) = tool(&["export", ledger]);
    let rows: Vec<Vec<_>> = all.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((code, rows[0].join(",").as_str()), (0, "account,number,time,kind,reference,change,currency,balance"));
    let sum: i64 = rows[1..].iter().map(|row| row[5].parse::<i64>().unwrap()).sum();
    assert_eq!((rows.len(), sum), (1 + 4, 0), "two of a deposit, two of a payment: {all}");
    let (code, one, _) = tool(&["export", ledger, shop]);
    let rows: Vec<_> = one.lines().collect();
    assert_eq!((code, rows.len()), (0, 2));
    assert!(rows[1].starts_with(&format!("{shop},0,")) && rows[1].ends_with(",300,156,300"), "{one}");

    for (arguments, expected) in [
        (["statement", ledger, "0102"], "16 hexadecimal digits"),
        (["statement", ledger, "0102030405060708"], "there is no such account"),
        (["export", ledger, "0102030405060708"], "there is no account 0102030405060708"),
    ] {
        let (code, _, told) = tool(&arguments);
        assert!(code == 2 && told.contains(expected), "{told}");
    }
}

#[test]
fn it_looks_into_a_file() {
    let file = File::new("tool");
    let path = file.0.display().to_string();
    looks_into(&path, &paid(SqliteLedger::open(&file.0).unwrap()));
    file.sql("UPDATE accounts SET balance = balance + 1 WHERE balance = 300");
    let (code, faults, told) = tool(&["verify", &path]);
    assert!(code == 1 && faults.starts_with("Balance(") && told.trim_end().ends_with("1 faults"), "{faults}{told}");

    let (code, _, told) = tool(&["--tls", "authorities.pem", "verify", &path]);
    assert!(code == 2 && told.contains("--tls is for PostgreSQL"), "{told}");
    let missing = format!("{path}.gone");
    let (code, _, told) = tool(&["verify", &missing]);
    assert!(code == 2 && told.contains("there is no file"), "{told}");
    assert!(!std::fs::exists(missing).unwrap(), "none is made");
    std::fs::write(&file.0, b"garbage, and more of it than a header has: nobody can read this as a ledger of any version")
        .unwrap();
    let (code, _, told) = tool(&["verify", &path]);
    assert!(code == 2 && told.contains("because: "), "{told}");
}

#[cfg(feature = "postgres")]
#[test]
fn it_looks_into_postgres() {
    let schema = postgres::schema();
    looks_into(&schema, &paid(postgres::open(&schema)));
}
