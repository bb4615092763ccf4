//! The demo as its user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_armring-demo")).args(arguments).output().expect("the demo starts")
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What every chapter comes down to.
const SAID: [&str; 20] = [
    "The codes are the same",
    "armring:pair/1/",
    "XXpsk0 message 2",
    "A press alone does nothing",
    "NNpsk0 message 2",
    "Resumed with a secret of the connection before",
    "armring:pay/1/",
    "received 30.00 CNY",
    "the band is not worn",
    "15.00 CNY are pending, which is not settled",
    "Settled: the receipt is on her phone, and on her wrist",
    "The same receipt, byte for byte",
    "refused: more than is left of the payment",
    "The shop, on its own: the credential or the payee is revoked",
    "he pays with the new one",
    "the old list: the object is not valid here",
    "signed by key 3; that of the first payment by key 1",
    "Her finger again, for this payment: settled",
    "cloned",
    "every entry has its counterpart",
];

#[test]
fn the_story_goes_as_it_must_at_the_smallest_the_usual_and_the_largest_att_payload() {
    for payload in ["20", "182", "514"] {
        let dir = folder(&format!("story-{payload}"));
        let diagram = folder(&format!("story-{payload}.svg"));
        let output = demo(&["--dir", dir.to_str().unwrap(), "--att-payload", payload, "--diagram", diagram.to_str().unwrap()]);
        let (told, complaints) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{payload}: {told}\n{complaints}");
        for said in SAID {
            assert!(told.contains(said), "{payload}: nothing of '{said}' in\n{told}");
        }
        assert!(dir.join("ledger.sqlite").exists());
        if payload == "182" {
            is_what_readers_are_shown(&diagram, "standard-story.svg");
        }
    }
}

#[test]
fn the_diagram_of_the_example_is_that_of_a_run() {
    let (dir, diagram) = (folder("story-example"), folder("story-example.svg"));
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/stories/example.story");
    let output = demo(&["--dir", dir.to_str().unwrap(), "--script", example, "--diagram", diagram.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    is_what_readers_are_shown(&diagram, "example-story.svg");
}

fn is_what_readers_are_shown(diagram: &Path, name: &str) {
    let shown = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/");
    let (drawn, shown) = (fs::read_to_string(diagram).unwrap(), fs::read_to_string(format!("{shown}{name}")).unwrap());
    assert_eq!(messages(&drawn), messages(&shown), "draw docs/{name} anew with cargo demo --diagram");
}

/// What a diagram says of each message, link by link: all but when it was, which differs from run to run as it differs which of two links is first.
fn messages(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let titles = document.descendants().filter(|node| node.has_tag_name("title"));
    let mut messages: Vec<String> = titles.filter_map(|node| node.text()).map(str::to_owned).collect();
    messages.sort_by_key(|message| {
        let (ends, _) = message.split_once(": ").unwrap();
        let (from, to) = ends.split_once(" → ").unwrap();
        [from.min(to), from.max(to)].map(str::to_owned)
    });
    assert!(messages.len() > 10, "{messages:?}");
    messages
}

#[test]
fn a_diagram_that_cannot_be_written_is_named() {
    let (dir, nowhere) = (folder("story-undrawn"), folder("nowhere/story.svg"));
    let output = demo(&["--dir", dir.to_str().unwrap(), "--diagram", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write the diagram"), "{}", text(&output.stderr));
}

#[test]
fn a_folder_that_no_demo_made_is_left_alone() {
    let dir = folder("foreign");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("thesis.txt"), "years of work").unwrap();
    let output = demo(&["--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("name another folder with --dir"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(dir.join("thesis.txt")).unwrap(), "years of work");
}

#[test]
fn wrong_arguments_are_told_apart_from_a_story_that_went_wrong() {
    for wrong in [&["--att-payload", "19"][..], &["--att-payload", "515"], &["pay"], &["band", "--folder", "x", "--root", "zz"]] {
        let output = demo(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn help_says_what_it_is_for() {
    let told = text(&demo(&["--help"]).stdout);
    assert!(told.contains("Watch a wristband pay") && told.contains("Exit codes"), "{told}");
}
