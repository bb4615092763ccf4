//! An issuer, a shop and a band to try the phone with: you are the wearer, the shopkeeper, and the user on the issuer's page.
//!
//! `town [FOLDER]` has a band of the demo's, on TCP; `town --air [FOLDER]` one on a virtual Bluetooth controller, for a phone built with `hci`.
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
#[path = "../tests/suite/worn.rs"]
mod worn;

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use armring_band::{Face, Gesture};
use armring_ble_e2e::air::Air;
use armring_ble_e2e::bracelet::Act;
use serde_json::{Value, json};

use actor::Market;
use worn::Worn;

const HELP: &str = "\
the wearer:   hold  press  shake  on  off  tap (unlocks)  triple (forgets)
the shop:     sell MINOR MEMO      such as: sell 1250 tea for two
the issuer:   code (to enrol with)  confirm DIGITS  books
              quit";

/// What a wearer does: the word, how the demo's band is told, and the one on the virtual air.
const DEEDS: [(&str, &str, Option<Act>); 7] = [
    ("hold", "Hold", Some(Act::Gesture(Gesture::Hold))),
    ("press", "Press", Some(Act::Gesture(Gesture::Press))),
    ("shake", "Shake", Some(Act::Gesture(Gesture::Refuse))),
    ("triple", "TriplePress", Some(Act::Gesture(Gesture::Unpair))),
    ("on", "PutOn", Some(Act::PutOn)),
    ("off", "TakeOff", None),
    ("tap", "TapPattern", Some(Act::Recognised)),
];

fn main() {
    let known = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/armring-demo");
    let demo = std::env::var_os("ARMRING_DEMO").map_or_else(known, PathBuf::from);
    assert!(demo.exists(), "{} is not there: build it, as README.md says, or name it in ARMRING_DEMO", demo.display());
    let mut arguments = std::env::args_os().skip(1).peekable();
    let on_air = arguments.next_if(|argument| argument == "--air").is_some();
    let folder = arguments.next().map_or_else(|| std::env::temp_dir().join("armring-town"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for the town");
    let mut market = Market::open(&demo, &folder);
    let (mut band, reach) = if on_air { Band::on_air(&market) } else { Band::of_demo(&demo, &folder, &market) };
    println!("Start the phone with:\n\n  cargo run {reach} --root {} --issuer {}\n", market.root, market.issuer_at);
    println!("and pay at {}. Here you can say:\n\n{HELP}\n", market.shop_at);
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match DEEDS.iter().find(|(deed, ..)| *deed == word) {
            Some((_, told, act)) => band.does(told, *act),
            None if word == "quit" => break,
            None => serve(&mut market, word, rest),
        }
    }
}

/// The shop and the issuer's page.
fn serve(market: &mut Market, word: &str, rest: &str) {
    let sale = rest.split_once(' ').and_then(|(minor, memo)| Some((minor.parse::<u64>().ok()?, memo)));
    match (word, rest.replace(' ', "").parse::<u32>(), sale) {
        ("code", ..) => println!("{}", market.issuer.asks(&json!({ "IssueCode": { "name": "Mei" } }), "/Code/code")),
        ("books", ..) => println!("{}", market.issuer.answers(&json!("Books"), "/Books")),
        ("confirm", Ok(digits), _) => market.issuer.does(&json!({ "Confirm": { "name": "Mei", "digits": digits } })),
        ("sell", _, Some((minor, memo))) => {
            market.shop.does(&json!({ "Sell": { "minor": minor, "memo": memo } }));
            println!("for sale at {}", market.shop_at);
        }
        _ => println!("{HELP}"),
    }
}

enum Band {
    Demo(Child, ChildStdin),
    /// The air ends after what is in it.
    Air {
        worn: Worn,
        _air: Air,
    },
}

impl Band {
    /// A band of the demo's, and how a phone reaches it.
    fn of_demo(demo: &Path, folder: &Path, market: &Market) -> (Self, String) {
        let folder = folder.join("band");
        let arguments = ["band", "--folder", folder.to_str().unwrap(), "--root", &market.root];
        let mut child =
            Command::new(demo).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let wrist = child.stdin.take().unwrap();
        let mut reports = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready: Value = serde_json::from_str(&reports.next().expect("a band")).unwrap();
        let reach = format!("-- --band {}", ready["Ready"]["address"].as_str().unwrap());
        thread::spawn(move || reports.filter(|report| report != "\"Done\"").for_each(|report| println!("band: {report}")));
        (Self::Demo(child, wrist), reach)
    }

    /// A band on a virtual controller, and how a phone reaches it by another one.
    fn on_air(market: &Market) -> (Self, String) {
        let air = Air::with(2);
        let reach = format!("--features hci -- --hci 127.0.0.1:{}", air.port(1));
        let hear = |signal, label: Option<String>| println!("band: {signal:?} {}", label.unwrap_or_default());
        (Self::Air { worn: Worn::start(air.port(0), &market.root, Face::Lights, hear), _air: air }, reach)
    }

    fn does(&mut self, told: &str, act: Option<Act>) {
        match (self, act) {
            (Self::Demo(_, wrist), _) => writeln!(wrist, "{}", json!(told)).expect("the band is there"),
            (Self::Air { worn, .. }, Some(act)) => worn.does(act),
            (Self::Air { .. }, None) => println!("the band on the virtual air cannot do that"),
        }
    }
}

impl Drop for Band {
    fn drop(&mut self) {
        if let Self::Demo(child, _) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
