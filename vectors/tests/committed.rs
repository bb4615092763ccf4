//! The files in `vectors/` are what this code makes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use armring_vectors::files;

#[test]
fn the_files_are_what_the_code_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in files() {
        let committed = fs::read_to_string(folder.join(file.name)).expect(file.name);
        assert!(committed == file.text(), "{} has changed: `cargo xtask vectors` writes it anew", file.name);
    }
}

#[test]
fn there_is_no_other_file() {
    let folder = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<_> = names.filter(|name| name.ends_with(".json")).collect();
    let made: BTreeSet<_> = files().iter().map(|file| file.name.to_owned()).collect();
    assert_eq!(found, made);
}
