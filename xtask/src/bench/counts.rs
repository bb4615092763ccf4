//! How many instructions the work takes, compared with what is committed: what must not get slower is seen on any machine, at any load.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::cargo;
use crate::{
    apt::Apt,
    workspace::{Workspace, output, run as run_command},
};

/// Where the figures are committed.
const COMMITTED: &str = "benches/counts.txt";
/// What valgrind counts: calls of this function, in `benches/src/bin/once.rs`.
const COUNTED: &str = "--toggle-collect=armring_counted";
/// Which code runs is else chosen by the processor that there is.
const BACKENDS: &str = "--cfg curve25519_dalek_backend=\"serial\" --cfg poly1305_backend=\"soft\" --cfg chacha20_backend=\"soft\" \
    --cfg sha2_backend=\"soft\"";
/// And so does the C library for copying memory. Valgrind's own processor has no more than these.
const LIBC: &str = "glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2,-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load";
/// One part in so many is no change: where memory lies differs from run to run.
const LAYOUT: u64 = 500;
/// Nor are so few.
const FEW: u64 = 100;

type Figures = BTreeMap<String, u64>;

/// What to do with what was counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Compare,
    Write,
}

/// Counts, and compares with what is committed, or writes that anew.
pub(crate) fn run(workspace: &Workspace, then: Then) -> Result<()> {
    let valgrind = Valgrind::get(workspace)?;
    let program = build(workspace)?;
    let mut figures = Figures::new();
    for line in String::from_utf8(output(&mut Command::new(&program))?.stdout)?.lines() {
        let (group, name) = line.split_once('\t').context("a group and a name")?;
        if name.starts_with("Armring") {
            figures.insert(format!("{group}: {name}"), valgrind.count(&program, group, name)?);
        }
    }
    let compiler = String::from_utf8(output(Command::new("rustc").arg("--version"))?.stdout)?;
    let build = format!("{} on {}", compiler.trim(), env::consts::ARCH);
    let path = workspace.root.join(COMMITTED);
    if then == Then::Write {
        return fs::write(&path, committed(&figures, &build)).with_context(|| COMMITTED.to_owned());
    }
    let before = fs::read_to_string(&path).with_context(|| format!("{COMMITTED}: `cargo xtask counts --write` writes it"))?;
    let known: BTreeMap<&str, &str> = before.lines().filter_map(|line| line.split_once(" = ")).collect();
    if known.get("build") != Some(&build.as_str()) {
        println!(
            "Not compared: the committed figures are of another build ({}) than this one ({build}).",
            known.get("build").unwrap_or(&"none")
        );
        return Ok(());
    }
    let differ = differences(&known, &figures);
    if !differ.is_empty() {
        bail!(
            "counts changed; if they should, `cargo xtask counts --write`, and say why in the commit\n  {}",
            differ.join("\n  ")
        );
    }
    println!("All {} figures are those of {COMMITTED}.", figures.len());
    Ok(())
}

/// The program without anything of others', for one processor.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("counts");
    let mut command = cargo(workspace, &["build", "--quiet", "--release", "--locked", "--no-default-features", "--bin", "once"]);
    run_command(command.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", BACKENDS))?;
    Ok(folder.join("release/once"))
}

/// Valgrind, from the machine or, where it has none, out of Debian's package.
struct Valgrind {
    program: PathBuf,
    library: Option<PathBuf>,
}

impl Valgrind {
    fn get(workspace: &Workspace) -> Result<Self> {
        if output(Command::new("valgrind").arg("--version")).is_ok() {
            return Ok(Self { program: "valgrind".into(), library: None });
        }
        let folder = workspace.target.join("valgrind");
        let found = Self { program: folder.join("usr/bin/valgrind"), library: Some(folder.join("usr/libexec/valgrind")) };
        if !found.program.exists() {
            eprintln!("fetching Debian's valgrind into {} (once)", folder.display());
            Apt::new(&folder.join("apt"))?.unpack(&["valgrind".to_owned()], &folder)?;
            fs::remove_dir_all(folder.join("apt"))?;
        }
        output(found.call().arg("--version")).context("the unpacked valgrind does not run")?;
        Ok(found)
    }

    fn call(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(library) = &self.library {
            command.env("VALGRIND_LIB", library);
        }
        command
    }

    fn count(&self, program: &Path, group: &str, name: &str) -> Result<u64> {
        let mut command = self.call();
        command.args(["--tool=callgrind", COUNTED, "--callgrind-out-file=/dev/null"]).arg(program).args([group, name]);
        let said = output(command.env("GLIBC_TUNABLES", LIBC))?.stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        collected.filter(|count| *count > 0).with_context(|| format!("nothing was counted of {group}: {name}\n{said}"))
    }
}

/// The figures as they are committed.
fn committed(figures: &Figures, build: &str) -> String {
    let mut text =
        format!("# Written by `cargo xtask counts --write`. A change here is explained in its commit.\nbuild = {build}\n");
    for (name, figure) in figures {
        let _ = writeln!(text, "{name} = {figure}");
    }
    text
}

/// Which figures are not what they were, and by how much.
fn differences(known: &BTreeMap<&str, &str>, figures: &Figures) -> Vec<String> {
    let mut differ = Vec::new();
    for (name, figure) in figures {
        match known.get(name.as_str()).and_then(|before| before.parse::<u64>().ok()) {
            Some(before) if figure.abs_diff(before) <= before / LAYOUT + FEW => {}
            Some(before) => differ.push(format!("{name}: {figure}, before {before}")),
            None => differ.push(format!("{name}: {figure}, before not counted")),
        }
    }
    let gone = known.keys().filter(|name| **name != "build" && !figures.contains_key(**name));
    differ.extend(gone.map(|name| format!("{name}: not counted any more")));
    differ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_named_and_what_layout_changes_is_none() {
        let figures =
            [("mint: Armring", 90_000), ("new", 1), ("laid out", 100_250)].map(|(name, figure)| (name.to_owned(), figure)).into();
        let known = [("build", "x"), ("mint: Armring", "100000"), ("laid out", "100000"), ("gone", "7")].into();
        let expected = ["mint: Armring: 90000, before 100000", "new: 1, before not counted", "gone: not counted any more"];
        assert_eq!(differences(&known, &figures), expected);
    }
}
