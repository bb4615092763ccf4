//! The repository's own tool, run as `cargo xtask`: what a newcomer runs, what continuous integration runs, and the
//! guard which proves that the protocol crates need neither std nor an allocator.
//!
//! ```text
//! main ──▶ checks ──▶ stages       which stages `test` and `ci` have, and how a stage is timed and reported
//!            ├──▶ guard            the no_std guard        ◀── guard_selftest, which demands that it can fail
//!            ├──▶ attacks          the table of known attacks against the tests that there are
//!            ├──▶ ble              the link over a Bluetooth host stack and virtual controllers
//!            ├──▶ msrv             the oldest compiler
//!            ├──▶ published        what tracked text must not contain
//!            ├──▶ vectors          the test vectors, written anew
//!            └──▶ workspace        what cargo says of this workspace, and how cargo is called
//! ```

mod attacks;
mod ble;
mod checks;
mod guard;
mod guard_selftest;
mod msrv;
mod published;
mod stages;
mod vectors;
mod workspace;

use std::{env, process::ExitCode};

use anyhow::Result;

use workspace::Workspace;

const HELP: &str = "\
cargo xtask: checks this repository, from the first minute to the last check before a change is taken.

Usage: cargo xtask <COMMAND> [ARGUMENTS]

Commands:
  test    Start here. Tests and documentation examples of every crate, the no_std guard, and the demo
          from pairing to payment. Needs stable Rust and a C compiler. Some minutes when nothing is
          compiled yet, mostly compilation; then a minute or two.
  ci      What a change must also pass: formatting, clippy, documentation without warnings, the guard's
          own self-test, and a reading of the tracked text. Needs rustfmt and clippy. Takes as long as `test`:
          minutes at first, then a minute or two.
  guard   Only the no_std guard: proves that the protocol crates and all their dependencies compile where
          neither std nor alloc exists. Seconds, after a first minute.
  vectors Writes the test vectors in vectors/ anew, from fixed seeds. The tests compare them; what changes there
          changes the protocol.
  ble     The link over a real Bluetooth host stack, against virtual controllers that it starts by itself. Needs
          Python 3.11 or newer, and what pip installs into target/ble. Part of `ci`.
  msrv    The tests on the oldest compiler that Cargo.toml names. Needs rustup and that toolchain. As long
          as a first `test`: it compiles everything again, apart from the rest.
  help    This text; `cargo xtask help <COMMAND>` or `cargo xtask <COMMAND> --help` says more of one.

A whole check is `cargo xtask test` and then `cargo xtask ci`; `.ci/run` does just that.
";

const HELP_TEST: &str = "\
cargo xtask test: does everything work on this machine?

Usage: cargo xtask test

Stages, each run even if an earlier one failed, with a table of times and results at the end:
  C compiler     `cc` (or what CC names) answers: SQLite and the C header's example are compiled with it
  tests          cargo test --workspace --locked: unit and integration tests, documentation examples
  known attacks  each row of SPEC.md's table of attacks names tests that exist, or says why it is not defended
  no_std guard   as `cargo xtask guard`
  demo           the demo from beginning to end; what it prints goes to target/xtask/demo.log
";

const HELP_CI: &str = "\
cargo xtask ci: what a change must pass besides `cargo xtask test`.

Usage: cargo xtask ci

Stages, each run even if an earlier one failed, with a table of times and results at the end:
  format            cargo fmt --all -- --check                      (repair: cargo fmt --all)
  clippy            cargo clippy --workspace --all-targets --locked -- -D warnings
  documentation     cargo doc --workspace --no-deps --locked, with warnings denied
  guard self-test   as `cargo xtask guard --self-test`
  Bluetooth lints   as format and clippy, for the tests over Bluetooth
  Bluetooth         as `cargo xtask ble`
  oldest compiler   every crate and CONTRIBUTING.md name the same one (`cargo xtask msrv` runs the tests on it)
  published text    tracked files name no path of a machine or home; Cargo.lock names only crates.io
";

const HELP_GUARD: &str = "\
cargo xtask guard: do the protocol crates really need neither std nor an allocator?

Usage: cargo xtask guard [CRATE...]
       cargo xtask guard --self-test

`#![no_std]` in a crate says nothing of its dependencies, one of which may pull in std through a feature. The guard
makes a sysroot which holds only core and compiler_builtins and runs `cargo check` against it, for this machine's own
target: whatever asks for std or alloc, at any depth, is a compile error. Build scripts and procedural macros run on
the machine that compiles and keep the real std. No other target or component needs to be installed.

Checked are the crates whose Cargo.toml says so, with their default features; or only those that are named:
  [package.metadata.armring]
  no-std = true       # core only
  no-std = \"alloc\"    # core and alloc
  no-std = false      # a crate with #![no_std] must say one of the three
  alloc-features = \"batch\"  # checked once more with these features, core and alloc

--self-test gives the guard small crates which use std or alloc in the ways this happens, and demands that it refuses
each for that reason; and some which do not, and demands that it lets them pass.
";

const HELP_BLE: &str = "\
cargo xtask ble: do band and phone find each other over Bluetooth LE?

Usage: cargo xtask ble

Runs the tests of crates/armring-ble/e2e: the band and the phone, each on a host stack (trouble-host) over HCI to a
virtual controller (bumble), with all that can go wrong between them; and bumble's own host as the phone. No radio is needed.
It needs Python 3.11 or newer with venv, and installs exact versions of bumble and what that needs into target/ble/venv, once.
A workspace of its own: the first time it compiles the host stack, which takes some minutes.
";

const HELP_VECTORS: &str = "\
cargo xtask vectors: writes vectors/*.json, which other implementations of the protocol compare themselves with.

Usage: cargo xtask vectors

Runs the package armring-vectors, whose keys and random bytes come from fixed seeds, and says which files changed.
A changed file means that bytes on the wire changed: SPEC.md has to say so in the same commit.
";

const HELP_MSRV: &str = "\
cargo xtask msrv: do the tests pass on the oldest compiler that Cargo.toml names?

Usage: cargo xtask msrv

Runs cargo test --workspace --locked on the toolchain of `rust-version`, into target/msrv. The toolchain is not
installed for you; the error says how.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => return print(HELP),
        ["help", command] | [command, "--help" | "-h"] => match help_of(command) {
            Some(text) => return print(text),
            None => return misused(&words),
        },
        ["test"] => with_workspace(checks::test),
        ["ci"] => with_workspace(checks::ci),
        ["guard", "--self-test"] => with_workspace(guard_selftest::run),
        ["guard", crates @ ..] if crates.iter().all(|name| !name.starts_with('-')) => {
            with_workspace(|workspace| guard::run(workspace, crates))
        }
        ["ble"] => with_workspace(ble::run_tests),
        ["vectors"] => with_workspace(vectors::run_generator),
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

fn with_workspace(command: impl FnOnce(&Workspace) -> Result<()>) -> Result<()> {
    command(&Workspace::load()?)
}

fn help_of(command: &str) -> Option<&'static str> {
    Some(match command {
        "test" => HELP_TEST,
        "ci" => HELP_CI,
        "guard" => HELP_GUARD,
        "ble" => HELP_BLE,
        "vectors" => HELP_VECTORS,
        "msrv" => HELP_MSRV,
        "help" => HELP,
        _ => return None,
    })
}

fn print(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

fn misused(words: &[&str]) -> ExitCode {
    eprintln!("error: `cargo xtask {}` is not a command; `cargo xtask --help` lists them", words.join(" "));
    ExitCode::from(2)
}
