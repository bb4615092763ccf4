//! The fuzz targets in `fuzz/`: built with the nightly toolchain, run, and their corpora kept small.

mod outcome;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    remembered,
    workspace::{Workspace, forget_own_package, output, run},
};
use outcome::Run;

/// The package of the targets, and that of what they do.
const TARGETS: &str = "armring-fuzz";
const BODIES: &str = "armring-fuzz-bodies";
/// Edges as a counter of one byte each: what libFuzzer is guided by.
const EDGES: [&str; 4] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
];
/// The operands of comparisons, too. It takes a third of the time where much is compared.
const COMPARISONS: &str = "-Cllvm-args=-sanitizer-coverage-trace-compares";
/// In which crates: those that read what a peer sends.
const READERS: [&str; 4] = ["armring-channel", "armring-pairing", "armring-token", "armring-wire"];
/// For how long each target runs in `cargo xtask ci`, in seconds.
const SHORT: u64 = 4;
/// Inputs are no longer than this: a party's life in some hundred events.
const LONGEST: usize = 700;

/// How long a target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until its time is over.
    Over,
    /// In rounds of that time, until it has been executed often and found nothing new for long: [`Run::is_flat`].
    Flat,
}

/// Runs the targets, or those that are named, for so many minutes each; what they found goes to their corpora, as few files as cover the same.
pub(crate) fn long(workspace: &Workspace, minutes: u64, until: Until, names: &[&str]) -> Result<()> {
    Fuzz::new(workspace, names)?.run_long(minutes * 60, until)
}

/// Runs all targets for as long together.
pub(crate) fn in_time(workspace: &Workspace, time: Duration) -> Result<()> {
    let fuzz = Fuzz::new(workspace, &[])?;
    let targets = u64::try_from(fuzz.targets.len())?;
    fuzz.run_long((time.as_secs() / targets).max(1), Until::Over)
}

/// Runs each target for some seconds.
pub(crate) fn short(workspace: &Workspace) -> Result<()> {
    let fuzz = Fuzz::new(workspace, &[])?;
    for target in &fuzz.targets {
        eprintln!("{target}: {}", fuzz.run(target, SHORT)?);
    }
    Ok(())
}

/// The targets, ready to run.
struct Fuzz {
    /// `fuzz/`.
    folder: PathBuf,
    /// Where cargo compiles them to, and where what they find is kept meanwhile.
    target: PathBuf,
    /// For which machine they are built.
    host: String,
    targets: Vec<String>,
}

impl Fuzz {
    fn new(workspace: &Workspace, names: &[&str]) -> Result<Self> {
        let (folder, target) = (workspace.root.join("fuzz"), workspace.target.join("fuzz"));
        let all = targets(&folder)?;
        if let Some(unknown) = names.iter().find(|name| !all.iter().any(|target| target == *name)) {
            bail!("{unknown} is not a target: {}", all.join(", "));
        }
        let targets = all.into_iter().filter(|target| names.is_empty() || names.contains(&target.as_str())).collect();
        let fuzz = Self { folder, target, host: nightly_host()?, targets };
        cxx_compiler()?;
        fuzz.build(&remembered::copy(workspace, &fuzz.target)?)?;
        Ok(fuzz)
    }

    /// Runs each for so many seconds and keeps what is new. One that finds something does not keep the next from running.
    fn run_long(&self, seconds: u64, until: Until) -> Result<()> {
        let mut found = Vec::new();
        for target in &self.targets {
            match self.run_until(target, seconds, until) {
                Ok(run) => eprintln!("{target}: {run}; {} inputs kept", self.minimise(target)?),
                Err(error) => {
                    eprintln!("{error:#}");
                    found.push(target.as_str());
                }
            }
        }
        if found.is_empty() { Ok(()) } else { bail!("found something: {}", found.join(", ")) }
    }

    fn run_until(&self, target: &str, seconds: u64, until: Until) -> Result<Run> {
        let mut whole = self.run(target, seconds)?;
        while until == Until::Flat && !whole.is_flat() {
            eprintln!("{target}: {whole}; it goes on");
            whole = whole.then(&self.run(target, seconds)?);
        }
        Ok(whole)
    }

    /// Builds the targets, with the curve library that is in `curve`.
    fn build(&self, curve: &Path) -> Result<()> {
        let mut build = Command::new("rustup");
        build.args(["run", "nightly", "cargo", "build", "--release", "--locked", "-Zprofile-rustflags", "--target", &self.host]);
        build.arg("--target-dir").arg(&self.target).current_dir(&self.folder).stdin(Stdio::null());
        forget_own_package(&mut build);
        // These name the programs of the toolchain that runs us.
        for program in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
            build.env_remove(program);
        }
        // They run where they are built.
        build.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", "-Ctarget-cpu=native");
        build.arg("--config").arg(format!("paths=[{:?}]", curve.display().to_string()));
        // Its warnings are not ours.
        build.args(["--config", "profile.release.package.curve25519-dalek.rustflags=[\"--cap-lints=allow\"]"]);
        for name in self.instrumented()? {
            let profile = format!("profile.release.package.{name}");
            let flags = EDGES.iter().chain(READERS.contains(&name.as_str()).then_some(&COMPARISONS));
            build.arg("--config").arg(format!("{profile}.rustflags={:?}", flags.collect::<Vec<_>>()));
            // An overflow and a broken assumption are finds.
            build.arg("--config").arg(format!("{profile}.debug-assertions=true"));
            build.arg("--config").arg(format!("{profile}.overflow-checks=true"));
        }
        for target in &self.targets {
            build.args(["--bin", target]);
        }
        run(&mut build)
    }

    /// Our own libraries among what the targets are built of. In what these call, a covered edge says nothing of ours.
    fn instrumented(&self) -> Result<Vec<String>> {
        let lock = fs::read_to_string(self.folder.join("Cargo.lock")).context("fuzz/Cargo.lock")?;
        let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let ours: Vec<_> = names.filter(|name| name.starts_with("armring-") && *name != TARGETS).map(str::to_owned).collect();
        if ours.is_empty() { bail!("fuzz/Cargo.lock names no crate of ours: nothing would be instrumented") } else { Ok(ours) }
    }

    /// The target's program. What it prints goes to a log.
    fn program(&self, target: &str) -> Command {
        let mut program = Command::new(self.target.join(&self.host).join("release").join(target));
        program.arg(format!("-max_len={LONGEST}")).current_dir(&self.folder).stdin(Stdio::null());
        program
    }

    fn corpus(&self, target: &str) -> PathBuf {
        self.folder.join("corpus").join(target)
    }

    /// What was found and is not minimised yet.
    fn found(&self, target: &str) -> PathBuf {
        self.target.join("found").join(target)
    }

    fn run(&self, target: &str, seconds: u64) -> Result<Run> {
        let (found, corpus, artifacts) = (self.found(target), self.corpus(target), self.folder.join("artifacts").join(target));
        for folder in [&found, &corpus, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let mut program = self.program(target);
        program.arg(format!("-max_total_time={seconds}")).args(["-timeout=20", "-print_final_stats=1"]);
        // The trailing separator makes it a folder.
        program.arg(format!("-artifact_prefix={}/", artifacts.display())).args([&found, &corpus]);
        let result = program.output().with_context(|| format!("cannot start the target {target}"))?;
        let log = String::from_utf8_lossy(&result.stderr);
        if !result.status.success() {
            bail!(
                "{target} found something\n{}\n{target}: the input is in fuzz/artifacts/{target}, and `cargo test -p {BODIES} {target}` replays it",
                outcome::what_failed(&log)
            );
        }
        // Where there is nothing in it, git would not know the folder.
        let _ = fs::remove_dir(&artifacts);
        Ok(Run::read(&log))
    }

    /// Puts as few inputs into the corpus as reach what it and all that was found reach. How many there are then.
    fn minimise(&self, target: &str) -> Result<usize> {
        let (corpus, found, small) = (self.corpus(target), self.found(target), self.target.join("minimised").join(target));
        let _ = fs::remove_dir_all(&small);
        fs::create_dir_all(&small)?;
        let mut program = self.program(target);
        // How often an edge was taken makes many inputs that differ in nothing else.
        program.args(["-set_cover_merge=1", "-use_counters=0"]).args([&small, &corpus, &found]);
        output(&mut program)?;
        fs::remove_dir_all(&corpus)?;
        fs::create_dir_all(&corpus)?;
        let mut kept = 0;
        for entry in fs::read_dir(&small)? {
            let entry = entry?;
            fs::copy(entry.path(), corpus.join(entry.file_name()))?;
            kept += 1;
        }
        Ok(kept)
    }
}

/// The names of the targets: their files.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let files = fs::read_dir(folder.join("fuzz_targets")).context("fuzz/fuzz_targets")?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    if names.is_empty() {
        bail!("fuzz/fuzz_targets is empty");
    }
    Ok(names)
}

/// The machine that the nightly toolchain builds for.
fn nightly_host() -> Result<String> {
    let mut rustc = Command::new("rustup");
    rustc.args(["run", "nightly", "rustc", "-vV"]);
    let Ok(said) = output(&mut rustc) else {
        bail!(
            "no nightly Rust, which libFuzzer's instrumentation needs and nothing else here does:\n  \
             rustup toolchain install nightly --profile minimal"
        );
    };
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

fn cxx_compiler() -> Result<()> {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if output(Command::new(&compiler).arg("--version")).is_err() {
        bail!(
            "no C++ compiler, from which libFuzzer is compiled: `{compiler} --version` does not run; on Debian: apt-get install g++"
        );
    }
    Ok(())
}
