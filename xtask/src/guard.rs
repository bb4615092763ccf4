//! The guard: a sysroot which holds only core, against which the protocol crates and their dependencies must compile.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::{Package, Workspace, output};

/// What a crate may use of the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Core,
    CoreAndAlloc,
}

pub(crate) enum Verdict {
    /// It compiled, and these other crates were compiled for it against the same sysroot.
    Passed { dependencies: Vec<String> },
    /// It did not; this is what the compiler said.
    Refused(String),
}

/// Checks the marked crates, or those of them that are named.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let marked = marked(workspace)?;
    if let Some(unknown) = names.iter().find(|name| !marked.iter().any(|mark| mark.package.name == **name)) {
        bail!("{unknown} is not among the crates that the guard checks: {}", listed(&marked));
    }
    let guard = Guard::new(workspace.target.join("guard"))?;
    let mut refused = Vec::new();
    for mark @ Mark { package, level, features } in &marked {
        if !names.is_empty() && !names.contains(&package.name.as_str()) {
            continue;
        }
        let check = workspace.cargo(&["check", "--locked", "--package", &package.name, "--features", features]);
        match guard.check(check, &package.name, *level)? {
            Verdict::Passed { dependencies } => eprintln!("{}", mark.proven(&dependencies)),
            Verdict::Refused(why) => {
                eprintln!("{}: refused\n{}", mark.name(), essence(&why));
                eprintln!("\nwho switches on a feature: cargo tree -p {} -e normal,features -i <CRATE>", package.name);
                refused.push(mark.name());
            }
        }
    }
    if !refused.is_empty() {
        bail!("the guard refuses {}", refused.join(", "));
    }
    Ok(())
}

/// A crate that a manifest asks to be checked.
struct Mark<'a> {
    package: &'a Package,
    level: Level,
    /// What to check it with besides its default features.
    features: &'a str,
}

impl Mark<'_> {
    fn name(&self) -> String {
        let with = if self.features.is_empty() { String::new() } else { format!(" with {}", self.features) };
        self.package.name.clone() + &with
    }

    fn proven(&self, dependencies: &[String]) -> String {
        let mut line = self.name();
        line.push_str(match self.level {
            Level::Core => ": no std, no alloc: compiles with core alone",
            Level::CoreAndAlloc => ": no std: compiles with core and alloc alone",
        });
        match dependencies.len() {
            0 => line.push_str("; no dependencies"),
            count => {
                let _ = write!(line, ", and so do its {count} dependencies\n    {}", dependencies.join(", "));
            }
        }
        line
    }
}

/// What matters in the compiler's output. A crate that misses std misses all that std brings into scope, and so the one
/// error that counts is followed by thousands that do not.
fn essence(stderr: &str) -> String {
    const MISSING: &str = "error[E0463]";
    const LINES_SHOWN: usize = 60;
    if !stderr.contains(MISSING) {
        return stderr.lines().take(LINES_SHOWN).collect::<Vec<_>>().join("\n");
    }
    let missing = stderr.split("\n\n").filter(|paragraph| paragraph.starts_with(MISSING));
    let crates = stderr.lines().filter(|line| line.starts_with("error: could not compile"));
    missing.chain(crates).map(str::trim_end).collect::<Vec<_>>().join("\n\n")
}

fn listed(marked: &[Mark<'_>]) -> String {
    marked.iter().filter(|mark| mark.features.is_empty()).map(Mark::name).collect::<Vec<_>>().join(", ")
}

/// The crates whose manifest asks for the guard. That a mark was lost, and the guard passes by checking less, is an
/// error: a library which says `#![no_std]` must have a mark, and there must be some.
fn marked(workspace: &Workspace) -> Result<Vec<Mark<'_>>> {
    let mut marked = Vec::new();
    for package in &workspace.packages {
        let mark = package.armring.get("no-std");
        if mark.is_none() && says_no_std(package)? {
            bail!(
                "{} says #![no_std], but its Cargo.toml does not say [package.metadata.armring] no-std = …: \
                 see `cargo xtask guard --help`",
                package.name
            );
        }
        if let Some(level) = level(mark).with_context(|| format!("Cargo.toml of {}", package.name))? {
            marked.push(Mark { package, level, features: "" });
        }
        if let Some(features) = package.armring.get("alloc-features") {
            let features = features.as_str().with_context(|| format!("{}: alloc-features is a string", package.name))?;
            marked.push(Mark { package, level: Level::CoreAndAlloc, features });
        }
    }
    if marked.is_empty() {
        bail!("no crate is marked for the guard, so it would prove nothing: see `cargo xtask guard --help`");
    }
    Ok(marked)
}

fn level(mark: Option<&Value>) -> Result<Option<Level>> {
    match mark {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => Ok(Some(Level::Core)),
        Some(Value::String(word)) if word == "alloc" => Ok(Some(Level::CoreAndAlloc)),
        Some(other) => bail!("metadata.armring.no-std is true, false or \"alloc\", not {other}"),
    }
}

/// Does the library say `#![no_std]`, be it under a condition?
fn says_no_std(package: &Package) -> Result<bool> {
    let Some(library) = &package.library else { return Ok(false) };
    let source = fs::read_to_string(library).with_context(|| format!("cannot read {}", library.display()))?;
    Ok(source.lines().any(|line| line.starts_with("#![") && line.contains("no_std")))
}

/// The bare sysroots, and where builds against them go.
pub(crate) struct Guard {
    folder: PathBuf,
    host: String,
}

impl Guard {
    /// Makes the sysroots anew, from the toolchain in use.
    pub(crate) fn new(folder: PathBuf) -> Result<Self> {
        let host = rustc(&["--print", "host-tuple"])?;
        let libraries = PathBuf::from(rustc(&["--print", "target-libdir", "--target", &host])?);
        let guard = Self { folder, host };
        guard.fill(Level::Core, &libraries, &["core", "compiler_builtins"])?;
        guard.fill(Level::CoreAndAlloc, &libraries, &["core", "compiler_builtins", "alloc"])?;
        Ok(guard)
    }

    /// Adds to a `cargo check` of one package what sets it against the bare sysroot, and runs it.
    pub(crate) fn check(&self, mut check: Command, package: &str, level: Level) -> Result<Verdict> {
        // With --target, RUSTFLAGS do not reach build scripts and procedural macros: those run here and now, with std.
        check.args(["--quiet", "--message-format=json-render-diagnostics", "--target", &self.host]);
        check.arg("--target-dir").arg(self.folder.join("build"));
        // Of what is compiled only build scripts and procedural macros ever run: optimising them would take longer.
        check.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
        let sysroot = self.sysroot(level);
        let sysroot = sysroot.to_str().with_context(|| format!("{} is not Unicode", sysroot.display()))?;
        check.env("CARGO_ENCODED_RUSTFLAGS", format!("--sysroot\u{1f}{sysroot}"));

        let result = check.output().context("cannot start cargo")?;
        if !result.status.success() {
            return Ok(Verdict::Refused(String::from_utf8_lossy(&result.stderr).into_owned()));
        }
        let mut compiled = self.compiled_for_target(&String::from_utf8_lossy(&result.stdout))?;
        let own = package.replace('-', "_");
        if !compiled.contains(&own) {
            bail!("cargo check of {package} succeeded without a word of compiling it: the guard has proven nothing");
        }
        compiled.retain(|name| *name != own);
        Ok(Verdict::Passed { dependencies: compiled })
    }

    /// The libraries that cargo reports to have compiled for the target, that is against the bare sysroot.
    fn compiled_for_target(&self, messages: &str) -> Result<Vec<String>> {
        let place = self.folder.join("build").join(&self.host);
        let mut names = Vec::new();
        for line in messages.lines() {
            let message: Value = serde_json::from_str(line).context("a message of cargo check")?;
            let files = message.get("filenames").and_then(Value::as_array);
            let mut files = files.into_iter().flatten().filter_map(Value::as_str);
            if files.any(|file| Path::new(file).starts_with(&place)) {
                names.extend(message.pointer("/target/name").and_then(Value::as_str).map(str::to_owned));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn sysroot(&self, level: Level) -> PathBuf {
        self.folder.join(match level {
            Level::Core => "sysroot-core",
            Level::CoreAndAlloc => "sysroot-alloc",
        })
    }

    fn fill(&self, level: Level, libraries: &Path, wanted: &[&str]) -> Result<()> {
        let sysroot = self.sysroot(level);
        if sysroot.exists() {
            fs::remove_dir_all(&sysroot).with_context(|| format!("cannot remove {}", sysroot.display()))?;
        }
        let into = sysroot.join("lib/rustlib").join(&self.host).join("lib");
        fs::create_dir_all(&into).with_context(|| format!("cannot create {}", into.display()))?;
        for library in wanted {
            copy_library(library, libraries, &into)?;
        }
        Ok(())
    }
}

/// Copies `lib<name>-<hash>.rlib` and `.rmeta`.
fn copy_library(name: &str, from: &Path, into: &Path) -> Result<()> {
    let prefix = format!("lib{name}-");
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let file = PathBuf::from(entry.file_name());
        let kept = file.extension().is_some_and(|kind| kind == "rlib" || kind == "rmeta");
        if kept && file.to_string_lossy().starts_with(&prefix) {
            fs::copy(entry.path(), into.join(&file)).with_context(|| format!("cannot copy {}", file.display()))?;
            copied += 1;
        }
    }
    if copied == 0 {
        bail!("no {prefix}*.rlib in {}: does this toolchain have its standard library?", from.display());
    }
    Ok(())
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = output(Command::new(program).args(arguments))?.stdout;
    Ok(String::from_utf8(printed).context("rustc")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_many_errors_the_missing_crate_is_shown() {
        let missing = "error[E0463]: can't find crate for `std`\n --> lib.rs:1:1";
        let end = "error: could not compile `lower` (lib) due to 5854 previous errors";
        let said = format!("{missing}\n\nerror: cannot find macro `write`\n\nFor more information try this.\n{end}\n");
        assert_eq!(essence(&said), format!("{missing}\n\n{end}"));
        assert_eq!(essence("error: expected `;`\n"), "error: expected `;`");
    }

    #[test]
    fn marks_mean_what_the_help_says() {
        assert_eq!(level(None).unwrap(), None);
        assert_eq!(level(Some(&json!(false))).unwrap(), None);
        assert_eq!(level(Some(&json!(true))).unwrap(), Some(Level::Core));
        assert_eq!(level(Some(&json!("alloc"))).unwrap(), Some(Level::CoreAndAlloc));
        assert!(level(Some(&json!("yes"))).is_err());
    }
}
