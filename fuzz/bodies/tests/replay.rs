//! Every input that a fuzzer has found worth keeping, on stable Rust.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use armring_fuzz_bodies::{Body, TARGETS};

/// The workspace of the fuzz targets.
fn fuzz() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The files of this folder; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

/// Gives the target what is in its corpus, and what once made it fail.
fn replay(name: &str) {
    let body: Body = TARGETS.iter().find(|(other, _)| *other == name).expect("a target").1;
    let corpus = files(&fuzz().join("corpus").join(name));
    assert!(!corpus.is_empty(), "{name} has no corpus");
    for file in corpus.iter().chain(&files(&fuzz().join("artifacts").join(name))) {
        // Shown where the test fails.
        println!("{}", file.display());
        body(&fs::read(file).unwrap());
    }
}

macro_rules! replays {
    ($($target:ident),+ $(,)?) => {
        $(#[test] fn $target() { replay(stringify!($target)); })+

        #[test]
        fn each_target_is_replayed_and_has_a_binary_of_its_own() {
            let replayed = BTreeSet::from([$(stringify!($target)),+]);
            assert_eq!(TARGETS.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), replayed);
            let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
            for name in replayed {
                let body = fs::read_to_string(fuzz().join("fuzz_targets").join(name).with_extension("rs")).unwrap();
                assert!(body.contains(&format!("armring_fuzz_bodies::{name}(data)")), "{name}");
                assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} in fuzz/Cargo.toml");
            }
            assert_eq!(files(&fuzz().join("fuzz_targets")).len(), TARGETS.len());
        }
    };
}

replays!(
    reassembler,
    fragments,
    records,
    objects,
    batch,
    uris,
    stored,
    handshake,
    channel,
    band,
    wallet,
    payment,
    payee,
    revoked,
    issuer,
);

#[test]
fn no_input_breaks_no_rule() {
    TARGETS.iter().for_each(|(_, body)| body(&[]));
}
