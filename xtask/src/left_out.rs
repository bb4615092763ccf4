//! Rules inside of handshake and channel that are left out of a copy of the crates, for simulated worlds to notice.
//!
//! What a band, a phone or an issuer does around the crates can be left out by its host in `sim/`. What the crates do inside cannot: so they are copied below
//! `target`, where each of [`RULES`] is put behind a switch, and nothing else is compiled with that copy.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// A rule, and what is to notice that it is left out.
struct Rule {
    name: &'static str,
    invariant: &'static str,
    file: &'static str,
    /// What stands there, once, and what is put in its place.
    old: &'static str,
    new: &'static str,
}

/// Their numbers are those that the switch knows, from 1 on.
const RULES: [Rule; 5] = [
    Rule {
        name: "the prologue is in the transcript",
        invariant: "ChangedIsRefused",
        file: "armring-pairing/src/noise/handshake.rs",
        old: "        symmetric.mix_hash(prologue);",
        new: "        if !crate::left_out::is(1) {\n            symmetric.mix_hash(prologue);\n        }",
    },
    Rule {
        name: "a tag that does not fit is no record",
        invariant: "ChangedIsRefused",
        file: "armring-channel/src/channel.rs",
        old: "        if self.receive.aead.open(nonce, &[], padded, tag).is_err() {",
        new: "        if crate::left_out::is(2) {\n            let _ = self.receive.aead.seal(nonce, &[], padded);\n        } else if self.receive.aead.open(nonce, &[], padded, tag).is_err() {",
    },
    Rule {
        name: "a nonce serves once",
        invariant: "NothingTwice",
        file: "armring-channel/src/channel.rs",
        old: "(self.next != u64::MAX).then_some(self.next)",
        new: "(self.next != u64::MAX).then_some(if crate::left_out::is(3) { 0 } else { self.next })",
    },
    Rule {
        name: "an ephemeral key serves once",
        invariant: "NothingTwice",
        file: "armring-pairing/src/suite.rs",
        old: "    Ok(S::ephemeral(&*draw(rng)?)?)",
        new: "    let mut drawn = draw(rng)?;\n    if crate::left_out::is(4) {\n        *drawn = [drawn[0] & 7; 32];\n    }\n    Ok(S::ephemeral(&*drawn)?)",
    },
    Rule {
        name: "the challenge is in the transcript",
        invariant: "ChangedIsRefused",
        file: "armring-pairing/src/prologue.rs",
        old: "            &prefixed(challenge),",
        new: "            &prefixed(if crate::left_out::is(5) { &[][..] } else { challenge }),",
    },
];

/// The switch, the modules that it is in, and where it is turned.
const SWITCH: &str = "#![allow(missing_docs)]\nuse core::sync::atomic::{AtomicU8, Ordering};\nstatic RULE: AtomicU8 = AtomicU8::new(0);\n\
    pub fn set(rule: u8) {\n    RULE.store(rule, Ordering::Relaxed);\n}\npub fn is(rule: u8) -> bool {\n    RULE.load(Ordering::Relaxed) == rule\n}\n";
const PARTS: [(&str, &str, &str); 3] = [
    ("crates/armring-channel/src/lib.rs", "mod channel;\n", "mod channel;\npub mod left_out;\n"),
    ("crates/armring-pairing/src/lib.rs", "mod code;\n", "mod code;\npub use armring_channel::left_out;\n"),
    (
        "sim/src/main.rs",
        "fn main() -> ExitCode {\n",
        "fn main() -> ExitCode {\n    armring_pairing::left_out::set(std::env::var(\"LEFT_OUT\").ok().and_then(|rule| rule.parse().ok()).unwrap_or(0));\n",
    ),
];
/// Where the copy is, below `target`.
const COPY: &str = "left_out";
/// How many faults a rule is looked for in.
const FAULTS: &str = "100000";

/// Leaves out each of them, after a run in which none is.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let copy = workspace.target.join(COPY);
    copied(workspace, &copy)?;
    let mut missed = Vec::new();
    if let Some(said) = lives(&copy, workspace, 0)? {
        bail!("a world with all rules does not hold:\n{said}");
    }
    for (number, rule) in (1..).zip(&RULES) {
        let said = lives(&copy, workspace, number)?;
        let noticed = said.as_ref().is_some_and(|said| said.contains(&format!("{} is broken", rule.invariant)));
        eprintln!("{:40} {}", rule.name, if noticed { rule.invariant } else { "not noticed" });
        missed.extend((!noticed).then_some(rule.name));
    }
    if missed.is_empty() { Ok(()) } else { bail!("nothing noticed that these were left out: {}", missed.join(", ")) }
}

/// Lives through worlds without this rule. What is said where they do not hold.
fn lives(copy: &Path, workspace: &Workspace, rule: u8) -> Result<Option<String>> {
    let faults = if rule == 0 { "5000" } else { FAULTS };
    let world =
        ["run", "--quiet", "--offline", "--package", "armring-sim", "--", "--faults", faults, "--seed", "1", "--tries", "0"];
    let mut cargo: Command = workspace.cargo(&world);
    cargo.current_dir(copy).env("CARGO_TARGET_DIR", &workspace.target).env("LEFT_OUT", rule.to_string()).stdin(Stdio::null());
    let output = cargo.output().context("cargo does not run")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(None),
        Some(1) if said.contains(" is broken at ") => Ok(Some(said)),
        _ => bail!("the copy of the crates does not run:\n{said}"),
    }
}

/// Writes the copy: the crates that the simulator needs, with the switch and what is behind it. What is there and the same keeps its time.
fn copied(workspace: &Workspace, copy: &Path) -> Result<()> {
    let crates =
        ["wire", "channel", "pairing", "token", "band", "wallet", "payee", "issuer"].map(|name| format!("crates/armring-{name}"));
    for folder in crates.iter().map(String::as_str).chain(["sim"]) {
        copy_folder(workspace, copy, Path::new(folder))?;
    }
    let manifest = fs::read_to_string(workspace.root.join("Cargo.toml"))?;
    let (before, rest) = manifest.split_once("members = [").context("Cargo.toml names its members")?;
    let (_, after) = rest.split_once(']').context("Cargo.toml names its members")?;
    let manifest = format!("{before}members = [\"crates/*\", \"sim\"]{after}");
    write(&copy.join("Cargo.toml"), manifest.as_bytes())?;
    if !copy.join("Cargo.lock").exists() {
        write(&copy.join("Cargo.lock"), &fs::read(workspace.root.join("Cargo.lock"))?)?;
    }
    write(&copy.join("crates/armring-channel/src/left_out.rs"), SWITCH.as_bytes())
}

fn copy_folder(workspace: &Workspace, copy: &Path, folder: &Path) -> Result<()> {
    let from = workspace.root.join(folder);
    for entry in fs::read_dir(&from).with_context(|| from.display().to_string())? {
        let path = folder.join(entry?.file_name());
        if workspace.root.join(&path).is_dir() {
            copy_folder(workspace, copy, &path)?;
        } else {
            let bytes = fs::read(workspace.root.join(&path))?;
            write(&copy.join(&path), &switched(&path, bytes)?)?;
        }
    }
    Ok(())
}

/// The file as it is in the copy.
fn switched(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let parts = PARTS.iter().filter(|(file, ..)| path == Path::new(file)).map(|(_, old, new)| (*old, *new));
    let rules = RULES.iter().filter(|rule| path == Path::new("crates").join(rule.file)).map(|rule| (rule.old, rule.new));
    let changes: Vec<_> = parts.chain(rules).collect();
    if changes.is_empty() {
        return Ok(bytes);
    }
    let mut text = String::from_utf8(bytes).with_context(|| path.display().to_string())?;
    for (old, new) in changes {
        if text.matches(old).count() != 1 {
            bail!("{} has changed: '{old}' is not there once; xtask/src/left_out.rs says what is replaced", path.display());
        }
        text = text.replace(old, new);
    }
    Ok(text.into_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_stands_where_it_is_left_out() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for file in PARTS.iter().map(|part| part.0.into()).chain(RULES.iter().map(|rule| Path::new("crates").join(rule.file))) {
            let bytes = fs::read(root.join(&file)).unwrap();
            assert_ne!(switched(&file, bytes.clone()).unwrap(), bytes, "{}", file.display());
        }
    }
}
