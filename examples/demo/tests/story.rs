//! The demo as its user runs it: the stories, each as a run of its own, and what is said of those that do not go as they must.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;

/// How many stories are played at once.
const AT_ONCE: usize = 2;

/// Every process of a story runs this same program.
fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_armring-demo"))
}

fn demo(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the demo starts")
}

/// The demo with something on its standard input.
fn told(input: &str, folder: &Folder, arguments: &[&str]) -> Output {
    let mut child = program()
        .args(["--dir", folder.path()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the demo starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).expect("the demo reads");
    child.wait_with_output().expect("the demo ends")
}

/// A folder for one run, which is gone after it.
struct Folder(PathBuf);

impl Folder {
    /// In memory, where there is such a place: a story makes all that must last durable, and disks take their time for that.
    fn new(name: &str) -> Self {
        let place = ["/dev/shm", env!("CARGO_TARGET_TMPDIR")].into_iter().map(|place| Path::new(place).join(own(name)));
        Self(place.into_iter().find(|place| fs::create_dir_all(place).is_ok()).expect("a place for files"))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Two runs of these tests at once do not meet.
fn own(name: &str) -> String {
    format!("armring-demo-{}-{name}", std::process::id())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What every chapter of the standard story comes down to.
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

/// A story, or the standard one, as it is played once.
struct Run {
    name: String,
    story: Option<PathBuf>,
    payload: &'static str,
}

fn runs() -> Vec<Run> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories");
    let mut stories: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.sort();
    assert!(stories.len() > 20, "only {} stories are there", stories.len());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    // The longest ones first.
    let standard = ["20", "182", "514"].map(|payload| Run { name: format!("standard at {payload}"), story: None, payload });
    let others = stories.into_iter().filter(|path| name(path) != "standard");
    standard.into_iter().chain(others.map(|path| Run { name: name(&path), story: Some(path), payload: "182" })).collect()
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Whose diagrams readers are shown.
const SHOWN: [(&str, &str); 2] = [("standard at 182", "standard-story.svg"), ("example", "example-story.svg")];

/// What a diagram says of each message, link by link: all but when it was, which differs from run to run as it differs which of two links is first.
fn messages(diagram: &Path) -> Vec<String> {
    let svg = fs::read_to_string(diagram).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let titles = document.descendants().filter(|node| node.has_tag_name("title"));
    let mut messages: Vec<String> = titles.filter_map(|node| node.text()).map(str::to_owned).collect();
    messages.sort_by_key(|message| {
        let (ends, _) = message.split_once(": ").unwrap();
        let (from, to) = ends.split_once(" → ").unwrap();
        [from.min(to), from.max(to)].map(str::to_owned)
    });
    messages
}

#[test]
fn a_diagram_that_cannot_be_written_is_named_before_anything_is_played() {
    let folder = Folder::new("undrawn");
    let nowhere = folder.0.join("nowhere/story.svg");
    let output = demo(&["--dir", folder.path(), "--diagram", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write the diagram"), "{}", text(&output.stderr));
}

/// What went wrong with a run.
fn fault(run: &Run) -> Option<String> {
    let folder = Folder::new(&run.name.replace(' ', "-"));
    let mut command = program();
    let drawn = Folder::new(&format!("{}-drawn", run.name.replace(' ', "-")));
    let diagram = drawn.0.join("story.svg");
    command.args(["--dir", folder.path(), "--att-payload", run.payload, "--diagram", diagram.to_str().unwrap()]);
    if let Some(path) = &run.story {
        command.args(["--brief", "--script", path.to_str().unwrap()]);
    }
    let output = command.output().expect("the demo starts");
    let (told, complaints) = (text(&output.stdout), text(&output.stderr));
    if !output.status.success() {
        return Some(format!("{}:\n{told}\n{complaints}", run.name));
    }
    assert!(folder.0.join("ledger.sqlite").exists(), "{}", run.name);
    let messages_drawn = messages(&diagram);
    if let Some((_, shown)) = SHOWN.iter().find(|(name, _)| *name == run.name)
        && messages_drawn != messages(&docs().join(shown))
    {
        return Some(format!("{}: draw docs/{shown} anew, with cargo demo --diagram", run.name));
    }
    let unsaid = SAID.iter().find(|said| run.story.is_none() && !told.contains(*said));
    unsaid.map(|said| format!("{}: nothing of '{said}' in\n{told}", run.name))
}

#[test]
fn every_story_goes_as_it_must_and_the_standard_one_at_the_smallest_and_the_largest_att_payload_too() {
    let (runs, faults) = (Mutex::new(runs().into_iter()), Mutex::new(Vec::new()));
    let next = || runs.lock().unwrap().next();
    let work = || {
        while let Some(run) = next() {
            faults.lock().unwrap().extend(fault(&run));
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

const BEGIN: &str = "open \"Tea House\"\nenter Mei with a band and 50 CNY\nMei: set up\npay 12.50 CNY to \"Tea House\"\n";

#[test]
fn an_expectation_that_fails_says_where_and_what_happened_and_ends_with_code_1() {
    let output = told(&format!("{BEGIN}press\nexpect refused \"worn\"\n"), &Folder::new("fails"), &["--script", "-"]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("standard input:6: expect refused \"worn\": expected refused, with \"worn\""), "{complaint}");
    assert!(complaint.contains("what happened: Settled"), "{complaint}");
}

#[test]
fn what_is_refused_and_not_expected_to_be_ends_the_story() {
    let output = told(&format!("{BEGIN}take off\npress\nsay \"paid\"\n"), &Folder::new("refused"), &["--script", "-"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("standard input:6: press: refused: "), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains("   paid"), "the story went on");
}

#[test]
fn books_that_hold_something_else_end_the_story() {
    let output = told(&format!("{BEGIN}press\nexpect books Mei 50 CNY\n"), &Folder::new("books"), &["--script", "-"]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("expected Mei to have 50.00 CNY; in the books it is 37.50 CNY"), "{complaint}");
}

#[test]
fn a_story_that_cannot_be_read_ends_with_code_2_before_anything_is_started() {
    let folder = Folder::new("unread");
    let output = told(&format!("{BEGIN}pres\n"), &folder, &["--script", "-"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("standard input:5: 'pres' does not belong here: did you mean press?"), "{complaint}");
    assert!(folder.is_empty() && output.stdout.is_empty());
    assert_eq!(demo(&["--script", "nowhere.story"]).status.code(), Some(2));
}

#[test]
fn what_comes_over_a_pipe_is_played_line_by_line_and_goes_on_after_what_is_wrong() {
    let output =
        told(&format!("help pay\n{BEGIN}pres\npress\nquit\nsay \"more\"\n"), &Folder::new("pipe"), &["--interactive", "--brief"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in ["PERSON: pay AMOUNT to PAYEE", "line:6: 'pres' does not belong here: did you mean press?", "→ Settled"] {
        assert!(said.contains(part), "nothing of '{part}' in\n{said}");
    }
    assert!(!said.contains("   more"), "{said}");
    let output = told(&format!("{BEGIN}press\nexpect refused\npress\n"), &Folder::new("pipe"), &["--interactive", "--brief"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn a_folder_that_no_demo_made_is_left_alone() {
    let folder = Folder::new("foreign");
    let thesis = folder.0.join("thesis.txt");
    fs::write(&thesis, "years of work").unwrap();
    let output = demo(&["--dir", folder.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("name another folder with --dir"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(thesis).unwrap(), "years of work");
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
fn help_says_what_it_is_for_with_or_without_dashes_and_shows_a_story() {
    let told = text(&demo(&["--help"]).stdout);
    for part in ["Watch a wristband pay", "--script <FILE>", "Mei: pay 12.50 CNY to \"Tea House\"", "Exit codes"] {
        assert!(told.contains(part), "nothing of '{part}' in\n{told}");
    }
    assert_eq!(text(&demo(&["--", "--help"]).stdout), told);
    assert!(text(&demo(&["--script-help"]).stdout).contains("expect refused [TEXT]"));
}
