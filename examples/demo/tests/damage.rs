//! What the demo's processes say of files that are not as they were left. Whoever reads it knows which file it is and what to do next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A root key that decodes: that of a band which is started by hand matters only once it is enrolled.
const ROOT: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const BOOKS: &str = r#""Books""#;

/// Runs a process of the demo until its input ends.
fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // One that complains at once may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_armring-demo"));
    command.args(arguments);
    command
}

fn issuer(place: &Path, input: &str) -> Output {
    run(program(&["issuer", "--ledger", place.join("ledger.sqlite").to_str().unwrap()]), input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folders that a story leaves: Mei has bought tea.
fn story(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/stories/example.story");
    let output = run(program(&["--brief", "--dir", place.to_str().unwrap(), "--script", example]), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    // What SQLite has beside the ledger goes into it.
    assert!(text(&issuer(&place, BOOKS).stdout).contains(BALANCED));
    place
}

const BALANCED: &str = r#"{"Books":{"balances":[["Tea House",1250],["Mei",3750]],"faults":[]}}"#;

/// It ended with code 1, named the file, said what to do, and did not panic.
fn is_told(output: &Output, file: &Path, advice: &str) {
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}\n{}", text(&output.stdout));
    assert!(complaint.contains(file.to_str().unwrap()) && complaint.contains(advice), "{complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
}

/// The root key of a story's issuer.
fn root(place: &Path) -> String {
    let said = text(&issuer(place, "").stdout);
    let (_, rest) = said.split_once(r#"{"Root":{"root":""#).expect("an issuer says its root key");
    rest[..64].to_owned()
}

/// A file that is empty, cut off, or longer than it was; zeroes or noise in its place; and with a bit flipped in the middle and at the end.
fn damages(whole: &[u8]) -> [Vec<u8>; 7] {
    let half = whole.len() / 2;
    let (mut flipped, mut end) = (whole.to_vec(), whole.to_vec());
    flipped[half] ^= 0x55;
    *end.last_mut().unwrap() ^= 1;
    [Vec::new(), whole[..half].to_vec(), [whole, b"more"].concat(), vec![0; whole.len()], noise(whole.len()), flipped, end]
}

fn noise(len: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().map(|byte| byte.wrapping_mul(131).wrapping_add(89)).take(len).collect()
}

#[test]
fn a_damaged_ledger_is_named_and_a_copy_put_back_has_the_money() {
    let place = story("damaged-ledger");
    let ledger = place.join("ledger.sqlite");
    let whole = fs::read(&ledger).unwrap();
    let with_noise = |from: usize, len: usize| [&whole[..from], &noise(len), &whole[from + len..]].concat();
    for bytes in [Vec::new(), whole[..whole.len() / 2].to_vec(), with_noise(0, 100), noise(whole.len())] {
        fs::write(&ledger, bytes).unwrap();
        is_told(&issuer(&place, BOOKS), &ledger, "put back a copy");
    }
    // Of a page in the middle nobody may have need yet. What is said of the money is right, or nothing is.
    let mut found = 0;
    for page in 1..whole.len() / 4096 {
        fs::write(&ledger, with_noise(page * 4096, 4096)).unwrap();
        let output = issuer(&place, BOOKS);
        if output.status.success() {
            assert!(text(&output.stdout).contains(BALANCED), "page {page}: {}", text(&output.stdout));
        } else {
            is_told(&output, &ledger, "put back a copy");
            found += 1;
        }
    }
    assert!(found > 3, "only {found} pages are read at the start");
    fs::write(&ledger, &whole).unwrap();
    assert!(text(&issuer(&place, BOOKS).stdout).contains(BALANCED));
}

#[test]
fn damaged_keys_and_accounts_of_the_issuer_are_named() {
    let place = story("damaged-issuer");
    for name in ["keys", "accounts"] {
        let file = place.join("ledger.keys").join(name);
        let whole = fs::read(&file).unwrap();
        for bytes in damages(&whole) {
            fs::write(&file, bytes).unwrap();
            is_told(&issuer(&place, BOOKS), &file, "put a copy back");
        }
        fs::write(&file, whole).unwrap();
    }
    assert!(text(&issuer(&place, BOOKS).stdout).contains(BALANCED));
}

/// A limit on how long files may get, which the system enforces on everybody, is a full disk to whoever writes.
#[cfg(unix)]
#[test]
fn a_full_disk_stops_what_cannot_be_written_and_the_books_stay_balanced() {
    let place = story("full-disk");
    let opened = (0..200).map(|number| format!("{{\"OpenAccount\":{{\"name\":\"{number}\",\"minor\":500}}}}\n"));
    let input = opened.collect::<String>() + BOOKS;
    // 512 bytes a block. The signal that comes with the error is for programs that do not look at errors.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_armring-demo")]);
    command.args(["issuer", "--ledger", place.join("ledger.sqlite").to_str().unwrap()]);
    let output = run(command, &input);
    let said = text(&output.stdout);
    let failed = said.lines().filter(|line| line.starts_with(r#"{"Failed""#)).count();
    assert!(failed > 0 && said.contains(r#""faults":[]"#), "{said}");
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
    // There is room again: whoever was told that it is done has the money, and opening the others goes on where it stopped.
    let again = text(&issuer(&place, &input).stdout);
    assert!(!again.contains(r#"{"Failed""#), "{again}");
    let books = again.lines().last().unwrap();
    assert_eq!(books.matches(",500]").count(), 200, "{books}");
    assert!(books.contains(r#"["Mei",3750]"#) && books.contains(r#""faults":[]"#), "{books}");
}

#[test]
fn a_damaged_file_of_a_band_is_named() {
    let place = story("damaged-band");
    let folder = place.join("mei-band");
    let root = root(&place);
    let start = || run(program(&["band", "--folder", folder.to_str().unwrap(), "--root", &root]), "");
    assert!(start().status.success());
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let whole = fs::read(&file).unwrap();
        for bytes in damages(&whole) {
            fs::write(&file, bytes).unwrap();
            is_told(&start(), &file, "put a copy back");
        }
        fs::write(&file, whole).unwrap();
    }
    assert!(start().status.success());
}

#[test]
fn a_damaged_file_of_a_phone_is_named_when_it_is_needed() {
    let place = story("damaged-phone");
    let folder = place.join("mei-phone");
    let phone = |command: &str| {
        let folder = folder.to_str().unwrap();
        let arguments = ["phone", "--owner", "Mei", "--folder", folder, "--root", ROOT, "--issuer", "127.0.0.1:9"];
        run(program(&arguments), command)
    };
    let again = r#"{"Again":{"payee":"Tea House","address":"127.0.0.1:9"}}"#;
    for (name, command) in
        [("link", r#"{"Connect":{"band":"127.0.0.1:9"}}"#), ("payment", again), ("key-list", r#""CheckReceipts""#)]
    {
        let file = folder.join(name);
        let whole = fs::read(&file).unwrap();
        for bytes in damages(&whole) {
            fs::write(&file, bytes).unwrap();
            let said = text(&phone(command).stdout);
            assert!(said.contains(file.to_str().unwrap()) && said.contains("put a copy back"), "{said}");
        }
        fs::write(&file, whole).unwrap();
    }
    let identity = folder.join("identity");
    fs::write(&identity, b"short").unwrap();
    is_told(&phone(""), &identity, "put a copy back");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("unwritable");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    let taken = place.join("taken");
    fs::write(&taken, "a file").unwrap();
    let folder = taken.to_str().unwrap();
    let band = ["band", "--folder", folder, "--root", ROOT];
    let phone = ["phone", "--owner", "Mei", "--folder", folder, "--root", ROOT, "--issuer", "127.0.0.1:9"];
    let shop = ["shop", "--name", "Tea House", "--folder", folder, "--root", ROOT, "--issuer", "127.0.0.1:9"];
    for arguments in [&band[..], &phone, &shop] {
        is_told(&run(program(arguments), ""), &taken, "something else is in its place");
    }
    // A file that cannot be made, whoever this is run by: a folder has its name.
    let free = place.join("free");
    fs::create_dir_all(free.join("identity.new")).unwrap();
    let output = run(program(&["band", "--folder", free.to_str().unwrap(), "--root", ROOT]), "");
    is_told(&output, &free.join("identity"), "something else is in its place");
    fs::remove_dir(free.join("identity.new")).unwrap();
    assert!(run(program(&["band", "--folder", free.to_str().unwrap(), "--root", ROOT]), "").status.success());
}
