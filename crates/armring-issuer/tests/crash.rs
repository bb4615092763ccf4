//! A process that settles is killed at any moment, again and again: what it had answered is in the books, and the books balance.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use armring_issuer::*;
use common::*;
use rand_chacha::rand_core::SeedableRng;

const FILE: &str = "ARMRING_TEST_SETTLES_INTO";
const ROUNDS: usize = 40;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2).unwrap(), 16).unwrap()).collect()
}

/// The same issuer each time, since it is made from the same randomness: only the ledger differs, and knows everyone already.
fn world(path: &Path) -> (World<SqliteLedger>, Shop, Band) {
    // Whoever opens the file for the first time also puts everyone into it.
    let mut made = World::new(MemoryLedger::new());
    let (shop, band) = (made.shop(), made.band(1_000_000));
    let ledger = SqliteLedger::open(path).unwrap();
    let known = ledger.credential(band.credential.id).unwrap();
    let mut w = World::with_policy(ledger, Policy { daily: armring_token::Minor(u64::MAX), ..generous() });
    if known.is_none() {
        let (_, enrolled) = (w.shop(), w.band(1_000_000));
        assert_eq!(enrolled.credential.id, band.credential.id);
    }
    let answered = w.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
    let counter = u32::try_from(answered.answered().0).unwrap();
    let cumulative = u64::try_from(answered.answered_total()).unwrap();
    (w, shop, Band { counter, cumulative, ..band })
}

/// Not a test of its own: what the process does that is going to be killed. Each line is a receipt that has left.
#[test]
fn child_settles_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let (mut w, shop, mut band) = world(Path::new(&path));
    w.rng = SeedableRng::seed_from_u64(u64::from(band.counter));
    let mut out = std::io::stdout().lock();
    loop {
        let request = shop.request(&mut w, 1);
        let token = band.token(&w, &request);
        let receipt = w.redeem(&request, &token).unwrap();
        writeln!(out, "\nanswered {} {} {}", hex(&request), hex(&token), hex(&receipt)).unwrap();
        out.flush().unwrap();
    }
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child_settles_until_it_is_killed", "--exact", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads `lines` answers, kills, and reads what else had left by then.
fn answers_until_killed(path: &Path, lines: usize) -> Vec<[Vec<u8>; 3]> {
    let mut child = spawn(path);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut answers = Vec::new();
    let mut killed = false;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 {
        // The last line may be cut: then the receipt had not left as a whole.
        if let (true, Some(answer)) = (line.ends_with('\n'), line.trim_end().strip_prefix("answered ")) {
            let parts: Vec<_> = answer.split(' ').map(unhex).collect();
            answers.push(parts.try_into().unwrap());
        }
        line.clear();
        if answers.len() >= lines && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the child ended by itself");
    child.wait().unwrap();
    answers
}

#[test]
fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let path = std::env::temp_dir().join(format!("armring-crash-{}.db", std::process::id()));
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        all.extend(answers_until_killed(&path, 1 + round * 7 % 23));
        assert_eq!(SqliteLedger::open(&path).unwrap().audit().unwrap(), [], "round {round}");
    }
    let (mut w, shop, band) = world(&path);
    for [request, token, receipt] in &all {
        let answer = w.issuer.settle(&[w.payment(request, token)], NOW).unwrap().pop().unwrap();
        assert!(answer.repeated && answer.receipt == *receipt, "the books have this very receipt");
    }
    let (settled, answered) = (w.balance(shop.account), usize::try_from(band.counter).unwrap());
    assert_eq!(usize::try_from(settled).unwrap(), answered, "one minor unit each");
    assert!((all.len()..=all.len() + ROUNDS).contains(&answered), "at most one a round was settled and not yet answered");
    drop(w);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}
