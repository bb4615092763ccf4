//! The oldest compiler: that all name the same one, and that the tests pass on it.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, forget_own_package, output, run as run_command};

/// What reads to a newcomer as the requirement.
const TEXTS: [&str; 2] = ["CONTRIBUTING.md", "README.md"];

/// Runs the tests on the oldest compiler.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    stated(workspace)?;
    let version = declared(workspace)?;
    let toolchain = if version.matches('.').count() == 1 { format!("{version}.0") } else { version };
    if output(Command::new("rustup").args(["run", &toolchain, "cargo", "--version"])).is_err() {
        bail!("Rust {toolchain} is not installed: `rustup toolchain install {toolchain} --profile minimal`");
    }
    let mut tests = Command::new("rustup");
    tests.args(["run", &toolchain, "cargo", "test", "--workspace", "--locked", "--target-dir"]);
    tests.arg(workspace.target.join("msrv")).current_dir(&workspace.root);
    forget_own_package(&mut tests);
    // These name the programs of the toolchain that runs us.
    for program in ["CARGO", "RUSTC", "RUSTDOC"] {
        tests.env_remove(program);
    }
    run_command(&mut tests)?;
    eprintln!("the tests pass on Rust {toolchain}");
    Ok(())
}

/// Do all crates and the texts name the same oldest compiler?
pub(crate) fn stated(workspace: &Workspace) -> Result<()> {
    let version = declared(workspace)?;
    for file in TEXTS {
        let path = workspace.root.join(file);
        if !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
        if let Some(other) = versions_named(&text).find(|named| *named != version) {
            bail!("{file} speaks of Rust {other}, but rust-version in Cargo.toml is {version}");
        }
        if file == "CONTRIBUTING.md" && versions_named(&text).next().is_none() {
            bail!("{file} does not name the oldest compiler, Rust {version}");
        }
    }
    eprintln!("Rust {version}, in all {} crates", workspace.packages.len());
    Ok(())
}

/// The `rust-version` of all crates.
fn declared(workspace: &Workspace) -> Result<String> {
    let mut versions = workspace.packages.iter().map(|package| {
        let version = package.rust_version.as_deref();
        version.with_context(|| format!("{} has no rust-version: rust-version.workspace = true", package.name))
    });
    let first = versions.next().context("the workspace has no packages")??;
    for (version, package) in versions.zip(workspace.packages.iter().skip(1)) {
        if version? != first {
            bail!("{} has another rust-version than {first}: rust-version.workspace = true", package.name);
        }
    }
    Ok(first.to_owned())
}

/// `1.95` of each `Rust 1.95`.
fn versions_named(text: &str) -> impl Iterator<Item = &str> {
    text.split("Rust ").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest.get(..end).map(|version| version.trim_end_matches('.')).filter(|version| version.contains('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_sentences() {
        let text = "Rust 1.95 or newer. Stable Rust is enough; Rust 2024 is an edition. We ran Rust 1.95.";
        assert_eq!(versions_named(text).collect::<Vec<_>>(), ["1.95", "1.95"]);
    }
}
