//! Each published crate as somebody else has it: packed, unpacked outside of this workspace, and depended on by a program which is the example in
//! its README.
//!
//! Inside of the workspace an example may work for reasons that do not travel: a file that is not packed, a dependency that only the tests have, a
//! feature that another member switches on. Here the other members are gone.

use std::{fs, path::Path, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    readme,
    workspace::{Package, Workspace, output, run as run_command, strings},
};

/// Which crates are tried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// All that are compiled soon, and without the features that are not.
    Light,
    /// What is compiled from C for a minute, and those that have it unless told otherwise.
    Heavy,
}

/// Packs every published crate, and builds and runs the examples of its README in a workspace of its own. What takes long to compile from C has a
/// stage of its own in `cargo xtask ci`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    try_out(workspace, Parts::Light)
}

/// The same for that.
pub(crate) fn heavy(workspace: &Workspace) -> Result<()> {
    try_out(workspace, Parts::Heavy)
}

/// Whether its manifest says `heavy = true` in `[package.metadata.armring]`.
fn is_heavy(package: &Package) -> bool {
    package.armring.get("heavy").and_then(Value::as_bool) == Some(true)
}

/// The features that it has unless told otherwise, but for those that its manifest names as `heavy-features`. `None` where it names none.
fn light_features(package: &Package) -> Option<Vec<&str>> {
    let heavy = strings(package.armring.get("heavy-features")?);
    Some(package.default_features.iter().filter(|feature| !heavy.contains(feature)).map(String::as_str).collect())
}

/// A call of `cargo test` for all packages that are compiled soon, without the features that are not: the same ones each time, since with others
/// the features of all would be others.
pub(crate) fn light_tests(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo(&["test", "--workspace", "--locked", "--no-default-features"]);
    for package in &workspace.packages {
        if is_heavy(package) {
            command.args(["--exclude", &package.name]);
            continue;
        }
        let all = || package.default_features.iter().map(String::as_str).collect();
        for feature in light_features(package).unwrap_or_else(all) {
            command.args(["--features", &format!("{}/{feature}", package.name)]);
        }
    }
    command
}

fn try_out(workspace: &Workspace, parts: Parts) -> Result<()> {
    let published: Vec<&Package> = workspace.packages.iter().filter(|package| package.published).collect();
    let tried = published.iter().filter(|package| match parts {
        Parts::Light => !is_heavy(package),
        Parts::Heavy => is_heavy(package) || light_features(package).is_some(),
    });
    let tried: Vec<&Package> = tried.copied().collect();
    if tried.is_empty() {
        bail!("no crate of this workspace is published: nothing was checked");
    }
    pack(workspace, &published)?;
    let outside = Outside { workspace, folder: workspace.target.join("packages"), parts };
    for package in &published {
        outside.unpack(package)?;
    }
    outside.settle(&published)?;
    let mut wrong = Vec::new();
    for package in tried {
        match outside.try_out(package) {
            Ok(examples) => eprintln!("{} {}: packed, and {examples} of its README ran", package.name, package.version),
            Err(error) => {
                eprintln!("{}: {error:#}", package.name);
                wrong.push(package.name.as_str());
            }
        }
    }
    if !wrong.is_empty() {
        bail!("what a README shows does not work outside of this workspace: {}", wrong.join(", "));
    }
    Ok(())
}

/// Makes the files that would be uploaded. Cargo's own trial build is left out: what follows is one with a user.
fn pack(workspace: &Workspace, published: &[&Package]) -> Result<()> {
    let mut command = workspace.cargo(&["package", "--quiet", "--no-verify", "--allow-dirty", "--offline"]);
    for package in published {
        command.args(["--package", &package.name]);
    }
    output(&mut command).context("`cargo fetch --locked` gets what is missing, if that is what is wrong")?;
    Ok(())
}

/// The place outside: a workspace of its own, with one program a crate.
struct Outside<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    parts: Parts,
}

impl Outside<'_> {
    fn unpacked(&self, package: &Package) -> PathBuf {
        self.folder.join("unpacked").join(format!("{}-{}", package.name, package.version))
    }

    /// Unpacks a crate, unless the same bytes are there already. Its files get the time of now: what the archive says is the same for every
    /// version, and cargo would take a changed file for the old one.
    fn unpack(&self, package: &Package) -> Result<()> {
        let (place, file) = (self.unpacked(package), format!("{}-{}.crate", package.name, package.version));
        let archive = self.workspace.target.join("package").join(&file);
        let bytes = fs::read(&archive).with_context(|| format!("cargo did not make {}", archive.display()))?;
        let known = self.folder.join("unpacked").join(&file);
        if place.exists() && fs::read(&known).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        empty(&place)?;
        let parent = place.parent().context("a folder is in another")?;
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        let mut tar = Command::new("tar");
        tar.args(["-x", "-z", "-m", "-f"]).arg(&archive).arg("-C").arg(parent);
        output(&mut tar)?;
        fs::write(&known, bytes).with_context(|| known.display().to_string())
    }

    /// Writes the workspace: what is not ours has the versions of our Cargo.lock, and profiles are ours, so that it is not compiled again.
    fn settle(&self, published: &[&Package]) -> Result<()> {
        let ours = self.workspace.root.join("Cargo.toml");
        let ours = fs::read_to_string(&ours).with_context(|| ours.display().to_string())?;
        let names: Vec<String> = published.iter().map(|package| format!("\"{}\"", user(package))).collect();
        let mut manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{}]\nexclude = [\"unpacked\"]\n\n[patch.crates-io]\n",
            names.join(", ")
        );
        for package in published {
            // JSON's strings are TOML's basic strings, backslashes included.
            let place = serde_json::to_string(&self.unpacked(package)).context("a path")?;
            manifest += &format!("{} = {{ path = {place} }}\n", package.name);
        }
        manifest += &profiles(&ours);
        for package in published {
            self.write_user(package)?;
        }
        fs::write(self.folder.join("Cargo.toml"), manifest)?;
        fs::copy(self.workspace.root.join("Cargo.lock"), self.folder.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
        Ok(())
    }

    /// Writes the program of somebody who has the README and nothing else.
    fn write_user(&self, package: &Package) -> Result<()> {
        let readme = self.unpacked(package).join("README.md");
        let readme = fs::read_to_string(&readme).with_context(|| format!("{} is packed without README.md", package.name))?;
        let dependencies =
            readme::dependencies(&readme).unwrap_or_else(|| format!("{} = \"{}\"\n", package.name, package.version));
        let dependencies = match light_features(package).filter(|_| self.parts == Parts::Light) {
            Some(features) => lightened(&dependencies, &package.name, &features),
            None => dependencies,
        };
        let place = self.folder.join(user(package));
        empty(&place)?;
        let programs = place.join("src/bin");
        fs::create_dir_all(&programs).with_context(|| programs.display().to_string())?;
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{dependencies}",
            user(package)
        );
        fs::write(place.join("Cargo.toml"), manifest)?;
        for (number, program) in (1..).zip(readme::programs(&readme)) {
            fs::write(programs.join(format!("{}-{number}.rs", user(package))), program)?;
        }
        Ok(())
    }

    /// Builds and runs the programs of one crate, without the others: no feature is on that they would switch on. Says how many there are.
    fn try_out(&self, package: &Package) -> Result<String> {
        let place = self.folder.join(user(package));
        let programs: Vec<String> = names(&place.join("src/bin"))?;
        if programs.is_empty() {
            bail!("README.md shows no example: a block of code that begins with ```rust");
        }
        for program in &programs {
            let mut command =
                self.workspace.cargo(&["run", "--quiet", "--offline", "--package", &user(package), "--bin", program]);
            command.arg("--target-dir").arg(&self.workspace.target).current_dir(&self.folder);
            run_command(&mut command)?;
        }
        Ok(match programs.len() {
            1 => "the example".to_owned(),
            count => format!("the {count} examples"),
        })
    }
}

/// The name of the program that uses a crate.
fn user(package: &Package) -> String {
    format!("user-of-{}", package.name)
}

/// These dependencies with the crate `name` as somebody has it who wants no more than `features` of it.
fn lightened(dependencies: &str, name: &str, features: &[&str]) -> String {
    let light = |line: &str| match line.strip_prefix(name).and_then(|rest| rest.strip_prefix(" = \"")?.strip_suffix('"')) {
        Some(version) => format!("{name} = {{ version = \"{version}\", default-features = false, features = {features:?} }}\n"),
        None => format!("{line}\n"),
    };
    dependencies.lines().map(light).collect()
}

/// Removes a folder with all that is in it, if it exists.
fn empty(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).with_context(|| format!("cannot empty {}", place.display()))?;
    }
    Ok(())
}

/// The names of the programs in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        names.extend(entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// What takes longest to compile, from C: it is compiled as ours is, and so not once more.
const FROM_C: &str = "profile.dev.package.libsqlite3-sys]";

/// Of a manifest's development profiles, as they are written there, what concerns all crates, and [`FROM_C`]. What makes the others fast makes
/// them slow to compile, and programs that run once gain nothing from it.
fn profiles(manifest: &str) -> String {
    let kept = ["profile.dev]", "profile.dev.package.\"*\"]", FROM_C];
    let sections = manifest.split("\n[").filter(|section| kept.iter().any(|kept| section.starts_with(kept)));
    sections.map(|section| format!("\n[{section}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_features_are_left_out_and_everything_else_stays() {
        let readme = "armring-issuer = \"0.1\"\narmring-wire = \"0.1\"\n";
        let light =
            "armring-issuer = { version = \"0.1\", default-features = false, features = [\"sqlite\"] }\narmring-wire = \"0.1\"\n";
        assert_eq!(lightened(readme, "armring-issuer", &["sqlite"]), light);
        let workspace = Workspace::load().unwrap();
        let issuer = workspace.package("armring-issuer").unwrap();
        assert_eq!(light_features(issuer), Some(vec!["sqlite"]), "its default features are these and AWS-LC");
        assert!(issuer.default_features.iter().any(|feature| feature == "aws-lc"));
        assert_eq!(light_features(workspace.package("armring-wire").unwrap()), None);
    }

    #[test]
    fn profiles_of_all_crates_are_kept_and_those_of_single_ones_are_not() {
        let kept = "\n[profile.dev.package.\"*\"]\ndebug = false\n";
        let manifest =
            format!("[workspace]\n{kept}\n[profile.dev.package.sha2]\nopt-level = 3\n\n[profile.release]\nlto = true\n");
        assert_eq!(profiles(&manifest).trim(), kept.trim());
    }
}
