//! Debian's packages, unpacked below `target/` and installed nowhere.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace::output;

/// What unpacking needs besides cargo, and which Debian package has it.
const TOOLS: [(&str, &str); 5] =
    [("apt-get", "apt"), ("apt-cache", "apt"), ("dpkg", "dpkg"), ("dpkg-deb", "dpkg"), ("tar", "tar")];
/// What to tell whoever cannot have them.
pub(crate) const NEEDED: &str = "needed: Debian 12 or newer, or a container of it, with apt, dpkg and tar, and the network once";

/// Where Debian puts shared libraries on this machine.
pub(crate) fn libraries() -> Result<&'static str> {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Ok("x86_64-linux-gnu"),
        ("linux", "aarch64") => Ok("aarch64-linux-gnu"),
        (system, machine) => {
            bail!("Debian's packages are unpacked, not on {system} on {machine}\n  {NEEDED}")
        }
    }
}

/// apt with lists and downloads of its own, so that the machine's stay as they are.
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// With its lists fetched, in a folder of its own.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        for (tool, package) in TOOLS {
            if output(Command::new(tool).arg("--version")).is_err() {
                bail!("no {tool}: tools are unpacked from Debian's packages with it\n  {NEEDED} ({package})");
            }
        }
        for part in ["lists/partial", "archives/partial", "packages"] {
            fs::create_dir_all(folder.join(part)).with_context(|| folder.display().to_string())?;
        }
        let apt = Self { folder: folder.canonicalize()? };
        output(&mut apt.call("apt-get", &["update", "-qq"])).context("cannot fetch Debian's lists of packages")?;
        Ok(apt)
    }

    fn call(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        let folder = self.folder.display();
        for option in [
            format!("Dir::State={folder}"),
            format!("Dir::State::lists={folder}/lists"),
            "Dir::State::status=/var/lib/dpkg/status".to_owned(),
            format!("Dir::Cache={folder}"),
            "Debug::NoLocking=1".to_owned(),
            // Its usual user may not write here.
            "APT::Sandbox::User=".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command.args(arguments).current_dir(self.folder.join("packages")).env("LC_ALL", "C");
        command
    }

    fn said(&self, program: &str, arguments: &[&str]) -> Result<String> {
        Ok(String::from_utf8_lossy(&output(&mut self.call(program, arguments))?.stdout).into_owned())
    }

    pub(crate) fn candidate(&self, package: &str) -> Result<String> {
        let policy = self.said("apt-cache", &["policy", package])?;
        let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
        let candidate = candidate.filter(|version| *version != "(none)");
        candidate.map(str::to_owned).with_context(|| format!("this system's sources have no {package}\n  {NEEDED}"))
    }

    pub(crate) fn shown(&self, package: &str) -> Result<String> {
        self.said("apt-cache", &["show", package])
    }

    /// A package and all that would be installed with it.
    pub(crate) fn with_dependencies(&self, package: &str) -> Result<Vec<String>> {
        let plan = self.said("apt-get", &["install", "-s", "--no-install-recommends", package])?;
        let planned = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
        let mut packages: Vec<String> = planned.map(str::to_owned).collect();
        // Of what is installed already nothing is planned, and it is found where it is installed.
        packages.extend([package, "qemu-system-common", "qemu-system-data"].map(str::to_owned));
        packages.sort();
        packages.dedup();
        Ok(packages)
    }

    /// Downloads packages, and gives their files.
    fn download(&self, packages: &[String]) -> Result<Vec<PathBuf>> {
        let folder = self.folder.join("packages");
        fs::remove_dir_all(&folder)?;
        fs::create_dir_all(&folder)?;
        let words: Vec<&str> = ["download", "-qq"].into_iter().chain(packages.iter().map(String::as_str)).collect();
        output(&mut self.call("apt-get", &words))?;
        Ok(fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect())
    }

    pub(crate) fn unpack(&self, packages: &[String], to: &Path) -> Result<()> {
        for file in self.download(packages)? {
            output(Command::new("dpkg").arg("-x").arg(file).arg(to))?;
        }
        Ok(())
    }

    /// Unpacks the files of a package that fit one of `patterns`.
    pub(crate) fn unpack_some(&self, package: &str, patterns: &[&str], to: &Path) -> Result<()> {
        for file in self.download(&[package.to_owned()])? {
            let mut archive =
                Command::new("dpkg-deb").arg("--fsys-tarfile").arg(file).stdout(std::process::Stdio::piped()).spawn()?;
            let stream = archive.stdout.take().context("dpkg-deb says nothing")?;
            output(Command::new("tar").arg("-x").arg("-C").arg(to).arg("--wildcards").args(patterns).stdin(stream))?;
            archive.wait()?;
        }
        Ok(())
    }
}
