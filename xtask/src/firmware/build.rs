//! What is built from `examples/firmware`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::toolchain::{FOLDER, Toolchain};
use crate::workspace::{Workspace, output, run};

/// The board of the example: a Cortex-M4 with a floating-point unit, as the nRF52840 is.
pub(super) const TARGET: &str = "thumbv7em-none-eabihf";

/// Builds a program for the microcontroller. Gives where it lies.
pub(super) fn image(workspace: &Workspace, toolchain: &Toolchain, package: &str, more: &[&str]) -> Result<PathBuf> {
    run(&mut toolchain.cargo(workspace, &[&arguments(package), more].concat())?)?;
    Ok(lies(toolchain, package))
}

/// Builds the libraries that a band consists of for another microcontroller.
pub(super) fn libraries(workspace: &Workspace, toolchain: &Toolchain, target: &str) -> Result<()> {
    let what = ["--package", "armring-band", "--package", "armring-flash"];
    let arguments = ["build", "--quiet", "--locked", "--release", "-Zbuild-std=core", "--target", target];
    run(&mut toolchain.cargo(workspace, &[&arguments[..], &what].concat())?)
}

/// Builds a measuring program that plays the day in this file.
pub(super) fn with_day(
    workspace: &Workspace,
    toolchain: &Toolchain,
    package: &str,
    more: &[&str],
    day: &Path,
) -> Result<PathBuf> {
    let mut command = toolchain.cargo(workspace, &[&arguments(package), more].concat())?;
    run(command.env("ARMRING_SESSION", day))?;
    Ok(lies(toolchain, package))
}

/// Lints everything in `examples/firmware`. Released, since nothing there can unwind.
pub(super) fn lint(workspace: &Workspace, day: &Path) -> Result<()> {
    let host = host()?;
    let arguments = ["clippy", "--workspace", "--locked", "--release", "--target", &host, "--", "-D", "warnings"];
    let mut command = workspace.cargo(&arguments);
    command.current_dir(workspace.root.join("examples/firmware")).env("ARMRING_SESSION", day);
    run(command.env("CARGO_TARGET_DIR", workspace.target.join(FOLDER).join("lint")))
}

/// The machine that this runs on, in the compiler's words.
fn host() -> Result<String> {
    let said = String::from_utf8(output(std::process::Command::new("rustc").arg("-vV"))?.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

fn arguments(package: &str) -> [&str; 9] {
    ["build", "--quiet", "--locked", "--release", "-Zbuild-std=core", "--target", TARGET, "--package", package]
}

fn lies(toolchain: &Toolchain, package: &str) -> PathBuf {
    toolchain.folder().join("build").join(TARGET).join("release").join(package)
}

/// What a program takes of the flash and, before its stack, of the memory, in bytes.
pub(super) struct Sizes {
    pub(super) flash: u64,
    pub(super) statics: u64,
}

/// Reads the sections of an image (ELF32, little-endian): what is loaded lies in flash, what is written lies in memory.
pub(super) fn sizes(image: &Path) -> Result<Sizes> {
    let bytes = std::fs::read(image).with_context(|| image.display().to_string())?;
    let sections = sections(&bytes).with_context(|| format!("{} is not an image", image.display()))?;
    let mut sizes = Sizes { flash: 0, statics: 0 };
    for Section { kind, flags, size } in sections.into_iter().filter(|section| section.flags & ALLOCATED != 0) {
        let is_written = flags & WRITABLE != 0;
        sizes.statics += if is_written { size } else { 0 };
        // What is written and not zero at first is copied from flash.
        sizes.flash += if kind == NO_BITS { 0 } else { size };
    }
    Ok(sizes)
}

const WRITABLE: u32 = 1;
const ALLOCATED: u32 = 2;
const NO_BITS: u32 = 8;

struct Section {
    kind: u32,
    flags: u32,
    size: u64,
}

fn sections(elf: &[u8]) -> Option<Vec<Section>> {
    let half = |at: usize| Some(u16::from_le_bytes(elf.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(elf.get(at..at + 4)?.try_into().ok()?));
    // The header says where the table of sections is (e_shoff), how long a row (e_shentsize), and how many there are (e_shnum).
    let (table, row, rows) = (usize::try_from(word(0x20)?).ok()?, usize::from(half(0x2E)?), usize::from(half(0x30)?));
    let section = |index: usize| {
        let at = table + index * row;
        Some(Section { kind: word(at + 4)?, flags: word(at + 8)?, size: u64::from(word(at + 20)?) })
    };
    elf.starts_with(b"\x7FELF\x01\x01").then_some(())?;
    (0..rows).map(section).collect()
}

/// The demo, whose processes are the phone, the shop and the issuer.
pub(super) fn demo(workspace: &Workspace) -> Result<PathBuf> {
    run(&mut workspace.cargo(&["build", "--quiet", "--locked", "--package", "armring-demo"]))?;
    let demo = workspace.target.join("debug/armring-demo");
    output(std::process::Command::new(&demo).arg("--version"))?;
    Ok(demo)
}
