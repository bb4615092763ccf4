//! What the band's end of Bluetooth LE costs a microcontroller: an image with it, less one without.

use std::{fmt::Write as _, fs};

use anyhow::{Context, Result};

use super::{
    budget::{Figures, Then, committed, compare, measured, spaced},
    build::{self, sizes},
    toolchain::Toolchain,
};
use crate::workspace::Workspace;

/// Where the figures are committed.
const COMMITTED: &str = "examples/firmware/radio.txt";
/// The package of both images.
const PACKAGE: &str = "armring-radio";

const FLASH: &str = "host stack flash";
const STATICS: &str = "host stack statics";
const LOOPS: &str = "host stack loops";

/// Measures, and compares with what is committed, or writes that anew.
pub(super) fn run(workspace: &Workspace, toolchain: &Toolchain, then: Then) -> Result<()> {
    let figures = measure(workspace, toolchain)?;
    let version = toolchain.version()?;
    match then {
        Then::Markdown => print!("{}", table(&figures)),
        Then::Write => fs::write(workspace.root.join(COMMITTED), committed(&figures, &version))?,
        Then::Compare => {
            print!("{}", table(&figures));
            compare(workspace, COMMITTED, &figures, &version)?;
        }
    }
    Ok(())
}

fn measure(workspace: &Workspace, toolchain: &Toolchain) -> Result<Figures> {
    let built = build::image(workspace, toolchain, PACKAGE, &[])?;
    let (with, without) = (built.with_file_name("radio"), built.with_file_name("wired"));
    let (more, less) = (sizes(&with)?, sizes(&without)?);
    let loops = measured(toolchain, &with)?.into_iter().find(|(what, ..)| what == "loops");
    let (_, _, loops) = loops.with_context(|| format!("{} does not say how large its loops are", with.display()))?;
    let cost = |more: u64, less: u64| more.checked_sub(less).context("the image with a radio is smaller than the one without");
    Ok([(FLASH, cost(more.flash, less.flash)?), (STATICS, cost(more.statics, less.statics)?), (LOOPS, loops)]
        .map(|(name, figure)| (name.to_owned(), figure))
        .into())
}

/// A table for people, in Markdown.
fn table(figures: &Figures) -> String {
    let figure = |name: &str| spaced(figures.get(name).copied().unwrap_or_default());
    let mut table = String::from("\n| Bluetooth LE on trouble-host, beyond an image without | bytes |\n|---|---:|\n");
    for (what, name) in [
        ("flash: host stack, GATT server, the band's loop", FLASH),
        ("memory, statics: two connections, and 16 packets of 251 bytes", STATICS),
        ("memory, the loops, without the stack that they need while they run", LOOPS),
    ] {
        let _ = writeln!(table, "| {what} | {} |", figure(name));
    }
    table
}
