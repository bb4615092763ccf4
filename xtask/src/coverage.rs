//! What the corpora reach of the crates: the replay test, instrumented, and LLVM's tools to read what it counted.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::{Workspace, output, run};

const BODIES: &str = "armring-fuzz-bodies";
/// Debian's LLVM, newest first. One that is older than the compiler's may read its counts, or say that it does not.
const DEBIAN: [u8; 4] = [22, 21, 20, 19];

/// Replays the corpora and says of each file how much was reached; which lines were not goes to `target/coverage/missed.txt`.
pub(crate) fn measure(workspace: &Workspace) -> Result<()> {
    let tools = Tools::find(workspace)?;
    let folder = workspace.target.join("coverage");
    let raw = folder.join("raw");
    let _ = fs::remove_dir_all(&raw);
    fs::create_dir_all(&raw).with_context(|| format!("cannot create {}", raw.display()))?;
    let test = build(workspace, &folder)?;
    run(Command::new(&test).env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw")).current_dir(workspace.root.join("fuzz/bodies")))?;

    let counts = folder.join("counts.profdata");
    let mut merge = tools.command("llvm-profdata");
    merge.args(["merge", "--sparse", "-o"]).arg(&counts);
    for file in fs::read_dir(&raw)? {
        merge.arg(file?.path());
    }
    output(&mut merge)?;
    let read = |command: &str| {
        let mut cov = tools.command("llvm-cov");
        cov.arg(command).arg(&test).arg(format!("--instr-profile={}", counts.display()));
        // Ours, and not what drives it.
        cov.arg(r"--ignore-filename-regex=(/registry/|/rustc/|/fuzz/bodies/)");
        cov
    };
    run(read("report").arg("--show-branch-summary=false"))?;
    let lcov = output(read("export").arg("--format=lcov"))?;
    let missed = missed(&String::from_utf8_lossy(&lcov.stdout), &workspace.root);
    let path = folder.join("missed.txt");
    fs::write(&path, &missed).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("{} lines were not reached: {}", missed.lines().count(), path.display());
    Ok(())
}

/// Builds the replay test with counters: its program.
fn build(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    let mut build = workspace.cargo(&["test", "--locked", "--package", BODIES, "--test", "replay", "--no-run"]);
    build.arg("--message-format=json-render-diagnostics").arg("--target-dir").arg(folder.join("build"));
    build.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", "-Cinstrument-coverage");
    // Build scripts are instrumented too, and would leave their counts wherever they run.
    build.env("LLVM_PROFILE_FILE", folder.join("build-%m.profraw"));
    build.stderr(std::process::Stdio::inherit());
    let said = output(&mut build)?.stdout;
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let name = message.pointer("/target/name")?.as_str()?;
        let path = message.get("executable")?.as_str()?;
        (name == "replay").then(|| PathBuf::from(path))
    };
    String::from_utf8_lossy(&said).lines().find_map(executable).context("cargo names no program of the test `replay`")
}

/// `crates/…:12` for each line that was not reached.
fn missed(lcov: &str, root: &Path) -> String {
    let (mut file, mut missed) = (String::new(), String::new());
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Path::new(path).strip_prefix(root).unwrap_or(Path::new(path)).display().to_string();
        }
        if let Some(number) = line.strip_prefix("DA:").and_then(|data| data.strip_suffix(",0")) {
            missed += &format!("{file}:{number}\n");
        }
    }
    missed
}

/// llvm-profdata and llvm-cov.
struct Tools {
    programs: PathBuf,
    /// Where their libraries are, if not where the system looks.
    libraries: Vec<PathBuf>,
}

impl Tools {
    /// Those of rustup's component; those of Debian that were fetched before; or those, fetched into `target/llvm`.
    fn find(workspace: &Workspace) -> Result<Self> {
        let sysroot = output(Command::new("rustc").args(["--print", "target-libdir"]))?.stdout;
        let libraries = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
        let component = libraries.with_file_name("bin");
        if component.join("llvm-cov").exists() && component.join("llvm-profdata").exists() {
            return Ok(Self { programs: component, libraries: Vec::new() });
        }
        let folder = workspace.target.join("llvm");
        let fetched = || DEBIAN.into_iter().find_map(|version| Self::unpacked(&folder, version));
        if let Some(tools) = fetched() {
            return Ok(tools);
        }
        eprintln!("fetching Debian's LLVM into {}", folder.display());
        fs::create_dir_all(&folder)?;
        DEBIAN.into_iter().find_map(|version| fetch(&folder, version).ok().and_then(|()| Self::unpacked(&folder, version))).context(
            "no llvm-cov and llvm-profdata:\n  \
             rustup component add llvm-tools\n  \
             (on Debian `apt-get download` is tried before that, and got none: is there a network, and was `apt-get update` run?)",
        )
    }

    fn unpacked(folder: &Path, version: u8) -> Option<Self> {
        let home = folder.join(format!("usr/lib/llvm-{version}"));
        let programs = home.join("bin");
        let libraries = vec![home.join("lib"), folder.join(format!("usr/lib/{}-linux-gnu", env::consts::ARCH))];
        programs.join("llvm-cov").exists().then_some(Self { programs, libraries })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        if let Ok(libraries) = env::join_paths(&self.libraries)
            && !self.libraries.is_empty()
        {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// Fetches Debian's packages and unpacks them here. Nothing is installed.
fn fetch(folder: &Path, version: u8) -> Result<()> {
    let packages =
        [format!("llvm-{version}"), format!("libllvm{version}"), format!("llvm-{version}-linker-tools"), "libz3-4".into()];
    output(Command::new("apt-get").arg("download").args(&packages).current_dir(folder))?;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            output(Command::new("dpkg").arg("-x").arg(&path).arg(folder))?;
            fs::remove_file(&path)?;
        }
    }
    if folder.join(format!("usr/lib/llvm-{version}")).exists() { Ok(()) } else { bail!("there is no llvm-{version} in it") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_count_are_missed() {
        let lcov = "SF:/a/crates/x/src/lib.rs\nDA:1,4\nDA:2,0\nDA:10,10\nend_of_record\nSF:/b.rs\nDA:7,0\n";
        assert_eq!(missed(lcov, Path::new("/a")), "crates/x/src/lib.rs:2\n/b.rs:7\n");
    }
}
