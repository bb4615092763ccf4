//! The link over a real Bluetooth host stack and virtual controllers: a workspace and a Python environment of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::compiler;
use crate::workspace::{Workspace, output, run};

/// The tests' workspace.
const TESTS: &str = "crates/armring-ble/e2e";
/// What is installed, relative to it: with exact versions.
const REQUIREMENTS: &str = "air/requirements.txt";
/// Where the tests look for the Python that has it.
pub(crate) const PYTHON: &str = "ARMRING_BLE_PYTHON";
/// Why a C compiler is needed.
pub(crate) const DBUS: &str = "libdbus, which btleplug links, is compiled from C";

/// Installs what is needed, and runs the tests.
pub(crate) fn run_tests(workspace: &Workspace) -> Result<()> {
    compiler::answers(DBUS)?;
    let python = environment(workspace)?;
    run(cargo(workspace, &["test", "--locked"]).env(PYTHON, &python))?;
    // A host stack with Bluetooth's own pairing is another one than the firmware's.
    run(cargo(workspace, &["test", "--features", "security", "--test", "encrypted", "--locked"]).env(PYTHON, &python))
}

/// Formatting and lints of the tests; lints and documentation of what they alone compile: band and phone on the host stack, the phone on btleplug.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    compiler::answers(DBUS)?;
    run(&mut cargo(workspace, &["fmt", "--", "--check"]))?;
    run(&mut cargo(workspace, &["clippy", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"]))?;
    let whole = ["--package", "armring-ble", "--features", "trouble,vendored-dbus", "--locked"];
    let mut lints = workspace.cargo(&["clippy"]);
    lints.args(whole).args(["--", "-D", "warnings"]).env("CARGO_TARGET_DIR", folder(workspace));
    run(&mut lints)?;
    let mut documentation = workspace.cargo(&["doc", "--no-deps"]);
    documentation.args(whole).env("CARGO_TARGET_DIR", folder(workspace));
    run(documentation.env_remove("CARGO_ENCODED_RUSTDOCFLAGS").env("RUSTDOCFLAGS", "-D warnings"))
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(arguments);
    command.current_dir(workspace.root.join(TESTS)).env("CARGO_TARGET_DIR", folder(workspace));
    command
}

pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("ble")
}

/// The Python of an environment that has what is required, made anew where it has not.
pub(crate) fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.root.join(TESTS).join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let folder = folder(workspace).join("venv");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last, so that an installation that was cut off is not taken for a whole one.
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let own = own_python()?;
    eprintln!("installing the virtual controllers into {}", folder.display());
    let mut make = Command::new(&own);
    make.args(["-m", "venv", "--clear"]).arg(&folder).stdin(Stdio::null());
    if let Err(error) = output(&mut make) {
        bail!("`{own} -m venv` does not run. Debian, Ubuntu: sudo apt-get install python3-venv\n{error:#}");
    }
    install(&python, &requirements)?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}

/// The Python that is there already: `python3`, or what PYTHON names.
fn own_python() -> Result<String> {
    let own = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if output(Command::new(&own).args(["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])).is_err() {
        bail!(
            "no Python 3.11 or newer: `{own}` does not run, or is older; the virtual Bluetooth controllers are written in it\n  \
             Debian, Ubuntu: sudo apt-get install python3 python3-venv\n  \
             Fedora:         sudo dnf install python3\n  \
             elsewhere:      name it in PYTHON"
        );
    }
    Ok(own)
}

fn install(python: &Path, requirements: &Path) -> Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]).arg(requirements);
    output(pip.stdin(Stdio::null())).context("what the virtual controllers need cannot be installed")?;
    Ok(())
}
