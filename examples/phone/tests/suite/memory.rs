//! The file: what is in it outlives the program, nobody else reads it, and what is damaged is named and left as it is.

use std::fs;

use crate::hand::{Folder, Phone, program, run};

const ROOT: &str = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";

fn first(folder: &Folder) -> std::path::PathBuf {
    let state = folder.path("phone.state");
    let output = run(program(&state).args(["--root", ROOT, "--issuer", "127.0.0.1:1"]), "quit\n");
    assert!(output.status.success(), "{output:?}");
    state
}

#[test]
fn a_state_file_that_is_damaged_anywhere_is_named_and_left_as_it_is() {
    let folder = Folder::new();
    let state = first(&folder);
    let good = fs::read(&state).unwrap();
    for place in (0..good.len()).step_by(good.len() / 8) {
        let mut bad = good.clone();
        bad[place] ^= 4;
        fs::write(&state, &bad).unwrap();
        let output = run(&mut program(&state), "pair\n");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{place}");
        assert!(complaint.contains("is damaged, and was left as it is. Put a copy of it back"), "{complaint}");
        assert_eq!(fs::read(&state).unwrap(), bad, "{place}");
    }
    fs::write(&state, &good[..good.len() / 2]).unwrap();
    assert_eq!(run(&mut program(&state), "").status.code(), Some(1));
    fs::write(&state, &good).unwrap();
    assert!(run(&mut program(&state), "status\n").status.success(), "the copy that was put back");
}

#[test]
fn a_new_phone_says_what_it_has_to_know() {
    let folder = Folder::new();
    let state = folder.path("phone.state");
    let output = run(&mut program(&state), "");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("--root KEY, which the issuer publishes, and --issuer ADDRESS"), "{complaint}");
    assert!(!state.exists());
    first(&folder);
    let output = run(program(&state).args(["--root", &"58".repeat(32)]), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("of another issuer"), "{output:?}");
}

#[test]
fn one_phone_uses_a_file_and_a_second_one_is_told() {
    let folder = Folder::new();
    let state = first(&folder);
    let mut phone = Phone::start(&mut program(&state));
    phone.types("status");
    phone.tells("no band is paired");
    let output = run(&mut program(&state), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("another phone uses"), "{output:?}");
    phone.quit();
    assert!(run(&mut program(&state), "").status.success());
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let state = first(&folder);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&mut program(&state), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"), "{output:?}");
}

#[test]
fn garbage_at_the_keyboard_is_answered_and_the_exit_code_says_that_something_was_wrong() {
    let folder = Folder::new();
    let state = first(&folder);
    let output = run(&mut program(&state), "pai\n\u{1b}]0;title\u{7}\nyes\nconnect\npair\nscan thesis.pdf\n\n");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.matches("error: ").count(), 6, "{told}");
    assert!(told.contains("'pai' is no command here: 'help' lists them"), "{told}");
    assert!(!told.contains('\u{1b}'), "what is typed is not what the terminal obeys");
    assert!(run(&mut program(&state), "help\nhelp pair\nstatus\n").status.success());
}
