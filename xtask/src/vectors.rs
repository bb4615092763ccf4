//! The test vectors in `vectors/`, written anew.

use anyhow::{Context, Result};

use crate::workspace::{Workspace, run};

const PACKAGE: &str = "armring-vectors";

/// Has the package that makes the vectors write them.
pub(crate) fn run_generator(workspace: &Workspace) -> Result<()> {
    workspace.package(PACKAGE).context("the generator is expected in vectors/")?;
    run(&mut workspace.cargo(&["run", "--quiet", "--locked", "--package", PACKAGE]))
}
