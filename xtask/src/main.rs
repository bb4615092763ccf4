//! The repository's own tool, run as `cargo xtask`: what a newcomer runs, what continuous integration runs, and the
//! guard which proves that the protocol crates need neither std nor an allocator.
//!
//! ```text
//! main ──▶ checks ──▶ stages       which stages `test` and `ci` have, and how a stage is timed and reported
//!            ├──▶ guard            the no_std guard        ◀── guard_selftest, which demands that it can fail
//!            ├──▶ firmware         the band on an emulated microcontroller, and what it costs there
//!            ├──▶ attacks          the table of known attacks against the tests that there are
//!            ├──▶ packed ──▶ readme each crate outside of this workspace, as its README has it used
//!            ├──▶ msrv             the oldest compiler
//!            ├──▶ published        what tracked text must not contain
//!            ├──▶ vectors          the test vectors, written anew
//!            └──▶ workspace        what cargo says of this workspace, and how cargo is called
//! ```

mod attacks;
mod checks;
mod firmware;
mod guard;
mod guard_selftest;
mod msrv;
mod packed;
mod published;
mod readme;
mod stages;
mod vectors;
mod workspace;

use std::{env, process::ExitCode};

use anyhow::Result;

use firmware::Then;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask: checks this repository, from the first minute to the last check before a change is taken.

Usage: cargo xtask <COMMAND> [ARGUMENTS]

Commands:
  test      Start here. Tests and documentation examples of every crate, the no_std guard, each crate packed
            and used from outside, and the demo from pairing to payment. Needs stable Rust and a C compiler.
            Some minutes when nothing is compiled yet, mostly compilation; then a minute or two.
  ci        What a change must also pass: formatting, clippy, documentation without warnings, the guard's
            own self-test, and a reading of the tracked text. Needs rustfmt and clippy. Takes as long as `test`:
            minutes at first, then a minute or two.
  guard     Only the no_std guard: proves that the protocol crates and all their dependencies compile where
            neither std nor alloc exists. Seconds, after a first minute.
  packages  Only the published crates: packs each, and runs the examples of its README outside of this
            workspace, where nothing but the packed crates is there. Half a minute, after a first `test`.
  firmware  Runs the band as firmware: fetches a compiler and an emulator from Debian's packages into target/, builds
            for a Cortex-M4, and has it pair, enrol, pay, be paid and lose its power against the demo's phones, shop
            and issuer. Minutes at first, then one.
  budget    Counts what the band costs that microcontroller: flash, stack and instructions of each operation,
            compared with examples/firmware/budget.txt.
  vectors   Writes the test vectors in vectors/ anew, from fixed seeds. The tests compare them; what changes there
            changes the protocol.
  msrv      The tests on the oldest compiler that Cargo.toml names. Needs rustup and that toolchain. As long
            as a first `test`: it compiles everything again, apart from the rest.
  help      This text; `cargo xtask help <COMMAND>` or `cargo xtask <COMMAND> --help` says more of one.

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
  packages       as `cargo xtask packages`
  demo           the demo from beginning to end; what it prints goes to target/xtask/demo.log
  ordeal         a small story again and again: each process of it killed at each of its steps, each connection cut behind
                 each fragment; nothing may be lost, or paid twice. Its files are in memory where the system has /dev/shm
";

const HELP_CI: &str = "\
cargo xtask ci: what a change must pass besides `cargo xtask test`.

Usage: cargo xtask ci

Stages, each run even if an earlier one failed, with a table of times and results at the end:
  format            cargo fmt --all -- --check                      (repair: cargo fmt --all)
  clippy            cargo clippy --workspace --all-targets --locked -- -D warnings
  documentation     cargo doc --workspace --no-deps --locked, with warnings denied
  guard self-test   as `cargo xtask guard --self-test`
  oldest compiler   every crate and CONTRIBUTING.md name the same one (`cargo xtask msrv` runs the tests on it)
  published text    tracked files name no path of a machine or home; Cargo.lock names only crates.io
  firmware          as `cargo xtask firmware`; what it prints goes to target/xtask/firmware.log
  budget            as `cargo xtask budget`; likewise
";

const HELP_FIRMWARE: &str = "\
cargo xtask firmware: does the band run on a microcontroller?

Usage: cargo xtask firmware

Fetches a compiler that has the sources of core (Debian's rustc-web) and an emulator (qemu-system-arm) into
target/firmware, 150 MB once; nothing is installed. Needs apt, dpkg and tar of Debian 12 or newer with its security
archive, and rustup's rust-lld. Builds the band's crates for thumbv6m and riscv32imac, and examples/firmware for a Cortex-M4. Runs
it with the demo's processes: it refuses to run without entropy, pairs, enrols, pays, resumes, is paid, and is killed in
the middle of payments. Prints each message, and ends with an error if anything is not as it must be.
To fetch anew: remove target/firmware.
";

const HELP_BUDGET: &str = "\
cargo xtask budget: what does a band cost a microcontroller?

Usage: cargo xtask budget [--write | --markdown]

Plays vectors/session.json on the emulated Cortex-M4, where each instruction is counted, and demands that the band says
what stands there. Prints instructions and stack of each operation, flash of the whole image, each with and without
precomputed tables, and what others' handshakes cost; then which targets are reached. Ends with an error if a figure is not
the one in examples/firmware/budget.txt: counts are exact, and a change is explained in its commit.

  --write     writes that file anew
  --markdown  prints the tables and nothing else
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

const HELP_PACKAGES: &str = "\
cargo xtask packages: does each published crate work as somebody else's dependency?

Usage: cargo xtask packages

Packs every crate of this workspace that may be published, unpacks what would be uploaded to target/packages, a workspace
of its own, and writes there one program for each example of its README. That program depends on the packed crate alone,
or on what a block of TOML in the README that begins with [dependencies] says. Each is built by itself and run.

So this fails if a file is not packed, if an example needs what only this workspace's tests depend on, if a dependency
on another crate of ours has no version, or if a crate needs a feature that only another member switches on.
Armring's crates come from the packed files; all others have the versions of Cargo.lock, and nothing is downloaded.
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
        ["packages"] => with_workspace(packed::run),
        ["vectors"] => with_workspace(vectors::run_generator),
        ["budget"] => with_workspace(|workspace| firmware::budget(workspace, Then::Compare)),
        ["budget", "--write"] => with_workspace(|workspace| firmware::budget(workspace, Then::Write)),
        ["budget", "--markdown"] => with_workspace(|workspace| firmware::budget(workspace, Then::Markdown)),
        ["firmware"] => with_workspace(firmware::run),
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
        "firmware" => HELP_FIRMWARE,
        "budget" => HELP_BUDGET,
        "packages" => HELP_PACKAGES,
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
