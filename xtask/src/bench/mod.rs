//! What Armring costs beside its primitives and beside others: measured, counted, shown.
//!
//! ```text
//! mod ──▶ rows        what `benches` measured, one line a contender
//!  ├────▶ page        docs/benches.md
//!  ├────▶ plot        docs/benches.svg
//!  ├────▶ summary     the tables in README.md
//!  └────▶ counts      instructions, compared with benches/counts.txt ──▶ apt
//! ```

mod counts;
mod page;
mod plot;
mod rows;
mod summary;

use std::{
    env, fs,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, output, run as run_command};
pub(crate) use counts::{Then, run as count};

/// How long each group is measured, in milliseconds.
const GROUP: &str = "6000";
const PAGE: &str = "docs/benches.md";
const PLOT: &str = "docs/benches.svg";
const README: &str = "README.md";

/// Measures, and writes page, plot and the tables of README.md.
///
/// A run that was ended goes on where it was, unless the program has changed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    run_command(&mut cargo(workspace, &["build", "--release", "--locked", "--bins"]))?;
    let program = target(workspace).join("release/compare");
    let kept = target(workspace).join("measured.tsv");
    if !is_newer(&kept, &program) {
        fs::write(&kept, format!("# {}\n", machine()?))?;
    }
    for group in groups(&target(workspace).join("release/once"))? {
        let done = fs::read_to_string(&kept)?;
        if done.lines().any(|line| line.split('\t').next() == Some(&group)) {
            continue;
        }
        eprintln!("{group}");
        let said = output(Command::new(&program).args([GROUP, &group]))?;
        OpenOptions::new().append(true).open(&kept)?.write_all(&said.stdout)?;
    }
    fs::rename(&kept, last(workspace))?;
    show(workspace)
}

/// Writes all three from what was measured last.
pub(crate) fn show(workspace: &Workspace) -> Result<()> {
    let last = last(workspace);
    let measured = fs::read_to_string(&last).with_context(|| format!("{}: `cargo xtask bench` measures", last.display()))?;
    let machine = measured.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
    let rows = rows::read(&measured)?;
    write(workspace, PAGE, &page::written(&rows, machine))?;
    write(workspace, PLOT, &plot::drawn(&rows, machine))?;
    let readme = fs::read_to_string(workspace.root.join(README)).context(README)?;
    match summary::inserted(&readme, &rows, machine) {
        Some(readme) => write(workspace, README, &readme)?,
        None => eprintln!("{README} has no place for its tables"),
    }
    print!("{}", page::targets(&rows));
    Ok(())
}

fn last(workspace: &Workspace) -> PathBuf {
    target(workspace).join("last.tsv")
}

/// Whether the benches do what they say, each once.
pub(crate) fn smoke(workspace: &Workspace) -> Result<()> {
    output(&mut cargo(workspace, &["bench", "--locked", "--profile", "dev", "--bench", "all", "--", "--test"])).map(drop)
}

fn write(workspace: &Workspace, name: &str, text: &str) -> Result<()> {
    fs::write(workspace.root.join(name), text).with_context(|| name.to_owned())?;
    eprintln!("wrote {name}");
    Ok(())
}

/// A call of cargo in `benches`, as whoever reads this would have it: without flags of the compiler's.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(arguments);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.ends_with("RUSTFLAGS") || name.starts_with("CARGO_PROFILE_") || name.starts_with("CARGO_BUILD_") {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace.root.join("benches")).env("CARGO_TARGET_DIR", target(workspace));
    command
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("benches")
}

/// The groups that there are, in order.
fn groups(once: &Path) -> Result<Vec<String>> {
    let said = String::from_utf8(output(&mut Command::new(once))?.stdout)?;
    let mut groups: Vec<String> = said.lines().filter_map(|line| Some(line.split('\t').next()?.to_owned())).collect();
    groups.dedup();
    if groups.is_empty() {
        bail!("there is nothing to measure");
    }
    Ok(groups)
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    changed(one) > changed(other)
}

/// How many programs wanted to run in the last minute.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("not known").to_owned()
}

/// On what it is measured, and when.
fn machine() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(env::consts::ARCH, |(_, name)| name);
    let cores = std::thread::available_parallelism()?;
    let compiler = String::from_utf8(output(Command::new("rustc").arg("--version"))?.stdout)?;
    let compiler = compiler.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let date = String::from_utf8(output(Command::new("date").args(["-u", "+%F"]))?.stdout)?;
    Ok(format!("{model}, {cores} cores, {compiler}, {}, load {} at the start", date.trim(), load()))
}

/// 1234 nanoseconds as people write it.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 999.5 => format!("{n:.0} ns"),
        n if n < 99_950.0 => format!("{:.2} µs", n / 1e3),
        n if n < 999_500.0 => format!("{:.0} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_three_digits_or_so() {
        let written = [7.4, 999.0, 1_234.0, 34_500.0, 345_000.0, 8_123_456.0].map(time);
        assert_eq!(written, ["7 ns", "999 ns", "1.23 µs", "34.50 µs", "345 µs", "8.12 ms"]);
    }
}
