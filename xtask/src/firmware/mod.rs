//! The band as firmware: built for a Cortex-M4, and run in an emulator against the processes of the demo.
//!
//! ```text
//! story ──▶ machine      the emulator, its radio and its face
//!   ├─────▶ air          what is between a phone and the emulated radio
//!   ├─────▶ cast         processes of the demo
//!   └─────▶ build ──▶ toolchain      Debian's compiler and emulator, unpacked below target/
//! ```

mod air;
mod budget;
mod build;
mod cast;
mod machine;
mod radio;
mod session;
mod story;
mod toolchain;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
pub(crate) use budget::Then;
use story::Story;
use toolchain::Toolchain;

/// What the band's crates are to build for besides, whatever a wristband has inside.
const OTHER_TARGETS: [&str; 2] = ["thumbv6m-none-eabi", "riscv32imac-unknown-none-elf"];

/// Builds the firmware and plays its story.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::get(workspace)?;
    for target in OTHER_TARGETS {
        build::libraries(workspace, &toolchain, target)?;
        println!("The band and its storage build for {target}.");
    }
    let image = build::image(workspace, &toolchain, "armring-firmware", &[])?;
    let sizes = build::sizes(&image)?;
    println!("The band as firmware for {}: {} bytes of flash, with {}", build::TARGET, sizes.flash, toolchain.version()?);
    if sizes.flash == 0 || sizes.statics > sizes.flash {
        bail!("{} is not a firmware", image.display());
    }
    let demo = build::demo(workspace)?;
    Story::prepare(&toolchain, image, &demo)?.play()?;
    println!("\nAll of it held.");
    Ok(())
}

/// Lints the firmware, compiled for this machine: Debian's compiler has no clippy, and clippy's has no `core` for a microcontroller. What is
/// compiled for a microcontroller alone lies in dependencies.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    build::lint(workspace, &budget::write_day(workspace)?)
}

/// Measures what the band costs, and what its radio does.
pub(crate) fn budget(workspace: &Workspace, then: Then) -> Result<()> {
    let toolchain = Toolchain::get(workspace)?;
    let (band, radio) = (budget::run(workspace, &toolchain, then), radio::run(workspace, &toolchain, then));
    band.and(radio)
}
