//! A compiler with the sources of `core` for other targets, and an emulator: Debian's packages, unpacked below `target/` and installed nowhere.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::build::TARGET;
use crate::apt::{Apt, libraries};
use crate::workspace::{Workspace, output};

/// Where everything of the firmware's is, relative to the folder that cargo compiles to.
pub(super) const FOLDER: &str = "firmware";
/// Written last: whoever finds it finds everything else.
const READY: &str = "toolchain.txt";
/// Of the sources only these are needed: 300 MB are not.
const SOURCES: [&str; 2] = ["./usr/src/rustc-*/library/*", "./usr/lib/*"];

/// The unpacked tools.
pub(super) struct Toolchain {
    folder: PathBuf,
    /// Where Debian puts shared libraries on this machine.
    libraries: &'static str,
}

impl Toolchain {
    /// The tools, fetched if they are not there yet: 150 MB, half a minute.
    pub(super) fn get(workspace: &Workspace) -> Result<Self> {
        let toolchain = Self { folder: workspace.target.join(FOLDER), libraries: libraries()? };
        if !toolchain.folder.join(READY).exists() {
            toolchain.fetch()?;
        }
        Ok(toolchain)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which compiler it is, in its own words.
    pub(super) fn version(&self) -> Result<String> {
        let version = String::from_utf8(output(Command::new(self.rustc()).arg("--version"))?.stdout)?;
        Ok(version.trim().to_owned())
    }

    fn rustc(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    /// A call of cargo in `examples/firmware` that builds for microcontrollers.
    pub(super) fn cargo(&self, workspace: &Workspace, arguments: &[&str]) -> Result<Command> {
        let mut command = workspace.cargo(arguments);
        command.current_dir(workspace.root.join("examples/firmware"));
        // What the reader's shell says of flags would take the place of what .cargo/config.toml says.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.ends_with("RUSTFLAGS") || name.starts_with("CARGO_PROFILE_") || name.starts_with("CARGO_BUILD_") {
                command.env_remove(name);
            }
        }
        // A panic says where it stands: the same length of path wherever sources and crates lie.
        let root = workspace.root.display();
        let crates = crates_folder().display().to_string();
        command.arg("--config").arg(format!(
            "target.{TARGET}.rustflags=[{:?}, {:?}]",
            format!("--remap-path-prefix={root}=/armring"),
            format!("--remap-path-prefix={crates}=/crates")
        ));
        let linker = linker()?;
        for target in ["THUMBV7EM_NONE_EABIHF", "THUMBV6M_NONE_EABI", "RISCV32IMAC_UNKNOWN_NONE_ELF"] {
            command.env(format!("CARGO_TARGET_{target}_LINKER"), &linker);
        }
        // Without it a compiler of Debian's does not take -Z build-std, which compiles the sources of core.
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", self.rustc()).env("CARGO_TARGET_DIR", self.folder.join("build"));
        Ok(command)
    }

    /// The emulator.
    pub(super) fn qemu(&self) -> Command {
        let root = self.folder.join("qemu");
        let mut command = Command::new(root.join("usr/bin/qemu-system-arm"));
        let [first, second] = ["usr/lib", "lib"].map(|lib| root.join(lib).join(self.libraries).display().to_string());
        command.env("LD_LIBRARY_PATH", format!("{first}:{second}")).arg("-L").arg(root.join("usr/share/qemu"));
        command
    }

    fn fetch(&self) -> Result<()> {
        eprintln!("fetching Debian's rustc-web and qemu-system-arm into {} (once)", self.folder.display());
        let apt = Apt::new(&self.folder.join("apt"))?;
        let version = apt.candidate("rustc-web")?;
        let header = apt.shown(&format!("rustc-web={version}"))?;
        let standard = word_with(&header, "libstd-rust-web-dev").context("rustc-web depends on no libstd-rust-web-dev")?;
        let header = apt.shown(&format!("{standard}={version}"))?;
        let library = word_with(&header, "libstd-rust-web-1").context("libstd-rust-web-dev depends on no library")?;
        let header = apt.shown(&format!("{library}={version}"))?;
        let llvm = word_with(&header, "libllvm").context("the compiler depends on no LLVM")?;

        let rust = self.folder.join("rust");
        let same = |name: &str| format!("{name}={version}");
        apt.unpack(&[same("rustc-web"), same(&standard), same(&library), llvm], &rust)?;
        apt.unpack_some(&same("rust-web-src"), &SOURCES, &rust)?;
        apt.unpack(&apt.with_dependencies("qemu-system-arm")?, &self.folder.join("qemu"))?;
        self.write_rustc()?;
        fs::remove_dir_all(self.folder.join("apt"))?;
        let found = self.version().context("the unpacked compiler does not run")?;
        output(self.qemu().arg("--version")).context("the unpacked emulator does not run")?;
        fs::write(self.folder.join(READY), format!("{found}\n{version}\n"))?;
        eprintln!("unpacked {found}");
        Ok(())
    }

    /// The compiler with its libraries beside it, wherever the folder is moved to.
    fn write_rustc(&self) -> Result<()> {
        let libraries = self.libraries;
        let script = format!(
            "#!/bin/sh\nhere=$(dirname \"$0\")/rust/usr\nLD_LIBRARY_PATH=\"$here/lib/{libraries}\" exec \"$here/bin/rustc\" \"$@\"\n"
        );
        fs::write(self.rustc(), script)?;
        output(Command::new("chmod").arg("+x").arg(self.rustc()))?;
        Ok(())
    }
}

/// Where cargo keeps the sources of crates.
fn crates_folder() -> PathBuf {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    home.unwrap_or_default().join("registry/src")
}

/// The linker that comes with rustup's toolchains.
fn linker() -> Result<PathBuf> {
    let sysroot = String::from_utf8(output(Command::new("rustc").args(["--print", "sysroot"]))?.stdout)?;
    let targets = Path::new(sysroot.trim()).join("lib/rustlib");
    let found = fs::read_dir(&targets).with_context(|| targets.display().to_string())?.flatten();
    let mut linkers = found.map(|target| target.path().join("bin/rust-lld"));
    linkers
        .find(|linker| linker.exists())
        .with_context(|| format!("no rust-lld in {}: toolchains of rustup have it (https://rustup.rs)", targets.display()))
}

/// The first name in the dependencies of a package that starts so.
fn word_with(header: &str, start: &str) -> Option<String> {
    let depends = header.lines().find(|line| line.starts_with("Depends: "))?;
    let mut words = depends.split([' ', ',', '|', '(', ')']);
    words.find(|word| word.starts_with(start)).map(str::to_owned)
}
