//! The phone of the examples: a workspace of its own, whose tests have the demo's processes and virtual Bluetooth controllers around them.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use anyhow::Result;

use crate::workspace::{Workspace, run};
use crate::{ble, compiler};

const PHONE: &str = "examples/phone";
/// Where its tests look for the demo.
const DEMO: &str = "ARMRING_DEMO";

/// Builds the demo, and runs the tests with and without a radio.
pub(crate) fn run_tests(workspace: &Workspace) -> Result<()> {
    compiler::answers(ble::DBUS)?;
    let python = ble::environment(workspace)?;
    run(&mut workspace.cargo(&["build", "--package", "armring-demo", "--locked"]))?;
    let demo = workspace.target.join("debug").join(format!("armring-demo{EXE_SUFFIX}"));
    run(cargo(workspace, &["test", "--all-features", "--locked"]).env(ble::PYTHON, python).env(DEMO, demo))
}

/// Formatting and lints; with all features, and with neither Bluetooth nor AWS-LC.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    compiler::answers(ble::DBUS)?;
    run(&mut cargo(workspace, &["fmt", "--", "--check"]))?;
    run(&mut cargo(workspace, &["clippy", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"]))?;
    run(&mut cargo(workspace, &["clippy", "--no-default-features", "--locked", "--", "-D", "warnings"]))
}

/// The host stack is compiled already, for the tests of the radio.
fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(arguments);
    command.current_dir(workspace.root.join(PHONE)).env("CARGO_TARGET_DIR", ble::folder(workspace));
    command
}
