//! The repository's own tool, run as `cargo xtask`: what a newcomer runs, what continuous integration runs, and the
//! guard which proves that the protocol crates need neither std nor an allocator.
//!
//! ```text
//! main ──▶ checks ──▶ stages       which stages `test` and `ci` have, and how a stage is timed and reported
//!            ├──▶ guard            the no_std guard        ◀── guard_selftest, which demands that it can fail
//!            ├──▶ firmware         the band on an emulated microcontroller, and what it costs there
//!            ├──▶ bench            what it costs beside others, and how many instructions
//!            ├──▶ attacks          the table of known attacks against the tests that there are
//!            ├──▶ fuzz ──▶ remembered  the fuzz targets, on nightly, with a curve library that remembers
//!            ├──▶ assurance        the long forms of all that attacks
//!            ├──▶ coverage         what their corpora reach
//!            ├──▶ left_out         rules inside of the crates that simulated worlds have to notice the lack of
//!            ├──▶ packed ──▶ readme each crate outside of this workspace, as its README has it used
//!            ├──▶ ble              the link over a Bluetooth host stack and virtual controllers
//!            ├──▶ compiler         whether there is one for C
//!            ├──▶ phone            the wallet for the terminal, over TCP and over those controllers
//!            ├──▶ msrv             the oldest compiler
//!            ├──▶ postgres ──▶ small_disks  the ledger against PostgreSQL, against crashes and full disks
//!            ├──▶ published        what tracked text must not contain
//!            ├──▶ vectors          the test vectors, written anew
//!            └──▶ workspace        what cargo says of this workspace, and how cargo is called
//! ```

mod apt;
mod assurance;
mod attacks;
mod bench;
mod ble;
mod checks;
mod compiler;
mod coverage;
mod firmware;
mod fuzz;
mod guard;
mod guard_selftest;
mod left_out;
mod msrv;
mod packed;
mod phone;
mod postgres;
mod published;
mod readme;
mod remembered;
mod small_disks;
mod stages;
mod vectors;
mod workspace;

use std::{env, process::ExitCode};

use anyhow::Result;

use firmware::Then;
use fuzz::Until;
use workspace::Workspace;

/// What there is to say of each command.
const HELP: &[(&str, &str)] = &[
    ("help", include_str!("help/help.txt")),
    ("test", include_str!("help/test.txt")),
    ("ci", include_str!("help/ci.txt")),
    ("guard", include_str!("help/guard.txt")),
    ("packages", include_str!("help/packages.txt")),
    ("postgres", include_str!("help/postgres.txt")),
    ("firmware", include_str!("help/firmware.txt")),
    ("budget", include_str!("help/budget.txt")),
    ("bench", include_str!("help/bench.txt")),
    ("counts", include_str!("help/counts.txt")),
    ("ble", include_str!("help/ble.txt")),
    ("phone", include_str!("help/phone.txt")),
    ("fuzz", include_str!("help/fuzz.txt")),
    ("assurance", include_str!("help/assurance.txt")),
    ("coverage", include_str!("help/coverage.txt")),
    ("rules", include_str!("help/rules.txt")),
    ("vectors", include_str!("help/vectors.txt")),
    ("msrv", include_str!("help/msrv.txt")),
];

/// How long `assurance` takes where nobody says: a night.
const HOURS: f64 = 8.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(text) = help(&words) {
        print!("{text}");
        return ExitCode::SUCCESS;
    }
    let outcome = match words.as_slice() {
        ["test"] => with_workspace(checks::test),
        ["ci"] => with_workspace(checks::ci),
        ["guard", "--self-test"] => with_workspace(guard_selftest::run),
        ["guard", crates @ ..] if are_names(crates) => with_workspace(|workspace| guard::run(workspace, crates)),
        ["packages"] => with_workspace(packed::run),
        ["postgres"] => with_workspace(postgres::run),
        ["ble"] => with_workspace(ble::run_tests),
        ["phone"] => with_workspace(phone::run_tests),
        ["vectors"] => with_workspace(vectors::run_generator),
        ["budget"] => with_workspace(|workspace| firmware::budget(workspace, Then::Compare)),
        ["bench"] => with_workspace(bench::run),
        ["bench", "--show"] => with_workspace(bench::show),
        ["bench", "--test"] => with_workspace(bench::smoke),
        ["counts"] => with_workspace(|workspace| bench::count(workspace, bench::Then::Compare)),
        ["counts", "--write"] => with_workspace(|workspace| bench::count(workspace, bench::Then::Write)),
        ["budget", "--write"] => with_workspace(|workspace| firmware::budget(workspace, Then::Write)),
        ["budget", "--markdown"] => with_workspace(|workspace| firmware::budget(workspace, Then::Markdown)),
        ["firmware"] => with_workspace(firmware::run),
        ["fuzz", options @ ..] if fuzz_options(options).is_some() => {
            let (minutes, until, names) = fuzz_options(options).unwrap_or((1, Until::Over, &[]));
            with_workspace(|workspace| fuzz::long(workspace, minutes, until, names))
        }
        ["assurance", options @ ..] if assurance_options(options).is_some() => {
            let (hours, only) = assurance_options(options).unwrap_or_default();
            with_workspace(|workspace| assurance::run(workspace, hours, only))
        }
        ["coverage"] => with_workspace(coverage::measure),
        ["rules"] => with_workspace(left_out::run),
        ["msrv"] => with_workspace(msrv::run),
        _ => return misused(&words),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn are_names(words: &[&str]) -> bool {
    words.iter().all(|word| !word.starts_with('-'))
}

fn with_workspace(command: impl FnOnce(&Workspace) -> Result<()>) -> Result<()> {
    command(&Workspace::load()?)
}

/// What is to be printed where words ask for help.
fn help(words: &[&str]) -> Option<&'static str> {
    let command = match words {
        [] | ["help" | "--help" | "-h"] | ["help", "--help" | "-h"] => "help",
        ["help", command] | [command, "--help" | "-h"] => command,
        _ => return None,
    };
    HELP.iter().find_map(|(name, text)| (*name == command).then_some(*text))
}

/// For how many minutes, until when, and which targets, all where none is named.
fn fuzz_options<'w, 'a>(words: &'w [&'a str]) -> Option<(u64, Until, &'w [&'a str])> {
    match words {
        ["--until-flat", words @ ..] => fuzz_options(words).map(|(minutes, _, names)| (minutes, Until::Flat, names)),
        ["--minutes", minutes, words @ ..] => {
            // libFuzzer takes no time for no end.
            let minutes = minutes.parse().ok().filter(|minutes| *minutes > 0)?;
            fuzz_options(words).map(|(_, until, names)| (minutes, until, names))
        }
        names => are_names(names).then_some((1, Until::Over, names)),
    }
}

/// For how many hours, and which stage if it is one alone.
fn assurance_options<'a>(words: &[&'a str]) -> Option<(f64, Option<&'a str>)> {
    let (mut hours, mut only) = (HOURS, None);
    for pair in words.chunks(2) {
        match *pair {
            ["--hours", number] => hours = number.parse().ok().filter(|hours: &f64| hours.is_finite() && *hours > 0.0)?,
            ["--only", stage] => only = Some(stage),
            _ => return None,
        }
    }
    Some((hours, only))
}

fn misused(words: &[&str]) -> ExitCode {
    eprintln!("error: `cargo xtask {}` is not a command; `cargo xtask --help` lists them", words.join(" "));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuzzer_is_told_for_how_long_and_what() {
        assert_eq!(fuzz_options(&[]), Some((1, Until::Over, &[][..])));
        assert_eq!(fuzz_options(&["--minutes", "5", "band"]), Some((5, Until::Over, &["band"][..])));
        assert_eq!(fuzz_options(&["--until-flat", "--minutes", "5"]), Some((5, Until::Flat, &[][..])));
        assert_eq!(fuzz_options(&["--minutes", "5", "--until-flat", "band"]), Some((5, Until::Flat, &["band"][..])));
        for wrong in [&["--minutes"][..], &["--minutes", "0"], &["--minutes", "-1"], &["--flat"], &["band", "--until-flat"]] {
            assert_eq!(fuzz_options(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn each_command_has_its_help_and_is_listed() {
        let list = help(&[]).unwrap();
        for (command, text) in HELP {
            assert_eq!(help(&["help", command]), Some(*text));
            assert_eq!(help(&[command, "--help"]), Some(*text));
            assert!(text.starts_with("cargo xtask"), "{command}");
            assert!(list.contains(&format!("\n  {command} ")), "{command}");
        }
        assert_eq!(help(&["help", "--help"]), Some(list));
        assert_eq!(help(&["nonsense", "--help"]), None);
    }

    #[test]
    fn options_of_assurance_come_in_any_order() {
        assert_eq!(assurance_options(&[]), Some((HOURS, None)));
        assert_eq!(assurance_options(&["--only", "fuzz", "--hours", "0.5"]), Some((0.5, Some("fuzz"))));
        for wrong in [&["--hours"][..], &["--hours", "-1"], &["--hours", "inf"], &["--hours", "0"], &["fuzz"]] {
            assert_eq!(assurance_options(wrong), None, "{wrong:?}");
        }
    }
}
