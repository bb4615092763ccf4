//! An issuer, a shop and a band of the demo to try the phone with: you are the wearer, the shopkeeper, and the user on the issuer's page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "it shares the tests' tools, which say what they expect by panicking"
)]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/suite/actor.rs"]
mod actor;

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use actor::Market;
use serde_json::{Value, json};

const HELP: &str = "\
the wearer:   hold  press  shake  on  off  tap (unlocks)  triple (forgets)
the shop:     sell MINOR MEMO      such as: sell 1250 tea for two
the issuer:   code (to enrol with)  confirm DIGITS  books
              quit";

fn main() {
    let demo = std::env::var_os("ARMRING_DEMO")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/armring-demo")), PathBuf::from);
    assert!(demo.exists(), "{} is not there: build it, as README.md says, or name it in ARMRING_DEMO", demo.display());
    let folder = std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("armring-town"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for the town");
    let mut market = Market::open(&demo, &folder);
    let band = folder.join("band");
    let arguments = ["band", "--folder", band.to_str().unwrap(), "--root", &market.root];
    let mut child =
        Command::new(&demo).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the demo starts");
    let mut wrist = child.stdin.take().unwrap();
    let mut reports = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready: Value = serde_json::from_str(&reports.next().expect("a band")).unwrap();
    println!("Start the phone with:\n");
    let band_at = ready["Ready"]["address"].as_str().unwrap();
    println!("  cargo run -- --root {} --issuer {} --band {band_at}\n", market.root, market.issuer_at);
    println!("and pay at {}. Here you can say:\n\n{HELP}\n", market.shop_at);
    thread::spawn(move || {
        for report in reports.filter(|report| report != "\"Done\"") {
            println!("band: {report}");
        }
    });
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let gesture = match word {
            "hold" => "Hold",
            "press" => "Press",
            "shake" => "Shake",
            "on" => "PutOn",
            "off" => "TakeOff",
            "tap" => "TapPattern",
            "triple" => "TriplePress",
            "quit" => break,
            _ => "",
        };
        if !gesture.is_empty() {
            writeln!(wrist, "{}", json!(gesture)).expect("the band is there");
            continue;
        }
        match (word, rest.split_once(' ')) {
            ("code", _) => println!("{}", market.issuer.asks(&json!({ "IssueCode": { "name": "Mei" } }), "/Code/code")),
            ("books", _) => println!("{}", market.issuer.answers(&json!("Books"), "/Books")),
            ("confirm", _) => match rest.replace(' ', "").parse::<u32>() {
                Ok(digits) => market.issuer.does(&json!({ "Confirm": { "name": "Mei", "digits": digits } })),
                Err(_) => println!("confirm DIGITS, as the band shows them"),
            },
            ("sell", Some((minor, memo))) if minor.parse::<u64>().is_ok() => {
                let minor: u64 = minor.parse().unwrap();
                market.shop.does(&json!({ "Sell": { "minor": minor, "memo": memo } }));
                println!("for sale at {}", market.shop_at);
            }
            _ => println!("{HELP}"),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}
