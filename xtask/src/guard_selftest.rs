//! The guard's negative controls: small crates which break the rule in the ways this happens must be refused, each for
//! that reason, and those which keep it must pass. A guard which cannot fail proves nothing.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    guard::{Guard, Level, Verdict},
    workspace::Workspace,
};

struct Control {
    name: &'static str,
    level: Level,
    /// What the manifest lists besides armring-wire.
    dependency: &'static str,
    source: &'static str,
    /// The library that must be missed, and the crate that must miss it; `None` if the guard must let this pass.
    misses: Option<(&'static str, &'static str)>,
}

const CONTROLS: [Control; 8] = [
    Control {
        name: "control-clean",
        level: Level::Core,
        dependency: "",
        source: "#![no_std]\npub use armring_wire as wire;\n",
        misses: None,
    },
    Control {
        name: "control-extern-std",
        level: Level::Core,
        dependency: "",
        source: "#![no_std]\nextern crate std;\n",
        misses: Some(("std", "control-extern-std")),
    },
    Control {
        name: "control-extern-alloc",
        level: Level::Core,
        dependency: "",
        source: "#![no_std]\nextern crate alloc;\n",
        misses: Some(("alloc", "control-extern-alloc")),
    },
    Control {
        name: "control-forgot-no-std",
        level: Level::Core,
        dependency: "",
        source: "pub fn nothing() {}\n",
        misses: Some(("std", "control-forgot-no-std")),
    },
    // The crate itself keeps the rule; a feature, which it or any crate beside it could switch on, breaks it below.
    Control {
        name: "control-feature-off",
        level: Level::Core,
        dependency: "control-lower = { path = \"../control-lower\" }",
        source: "#![no_std]\n",
        misses: None,
    },
    Control {
        name: "control-feature-on",
        level: Level::Core,
        dependency: "control-lower = { path = \"../control-lower\", features = [\"std\"] }",
        source: "#![no_std]\n",
        misses: Some(("std", "control-lower")),
    },
    Control {
        name: "control-alloc-allowed",
        level: Level::CoreAndAlloc,
        dependency: "",
        source: "#![no_std]\nextern crate alloc;\npub use alloc::vec::Vec;\n",
        misses: None,
    },
    Control {
        name: "control-alloc-not-std",
        level: Level::CoreAndAlloc,
        dependency: "",
        source: "#![no_std]\nextern crate alloc;\nextern crate std;\n",
        misses: Some(("std", "control-alloc-not-std")),
    },
];

/// The crate below `control-feature-on`.
const LOWER_MANIFEST: &str = "[package]\nname = \"control-lower\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
    [workspace]\n\n[features]\nstd = []\n";
const LOWER_SOURCE: &str = "#![no_std]\n#[cfg(feature = \"std\")]\nextern crate std;\n";

/// Runs every control; the error names those whose verdict was wrong.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    // Controls are crates of their own, above armring-wire: what passes here is the path by which the guard works.
    workspace.package("armring-wire").context("the guard's controls stand on it")?;
    let folder = workspace.target.join("guard-selftest");
    let guard = Guard::new(folder.clone())?;
    let crates = folder.join("crates");
    write_crate(&crates.join("control-lower"), LOWER_MANIFEST, LOWER_SOURCE)?;
    let mut wrong = Vec::new();
    for control in &CONTROLS {
        let place = crates.join(control.name);
        control.write(&place, workspace)?;
        let mut check = workspace.cargo(&["check"]);
        check.current_dir(&place);
        match control.judge(&guard.check(check, control.name, control.level)?) {
            Ok(said) => eprintln!("{}: {said}", control.name),
            Err(said) => {
                eprintln!("{}: WRONG: {said}", control.name);
                wrong.push(control.name);
            }
        }
    }
    if !wrong.is_empty() {
        bail!("the guard's verdict is wrong for {}", wrong.join(", "));
    }
    Ok(())
}

impl Control {
    /// Writes the crate as a workspace of its own, with the versions that this workspace has locked.
    fn write(&self, place: &Path, workspace: &Workspace) -> Result<()> {
        let wire = workspace.root.join("crates/armring-wire");
        // JSON's strings are TOML's basic strings, backslashes included.
        let wire = serde_json::to_string(&wire).context("the path of armring-wire")?;
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [workspace]\n\n[dependencies]\narmring-wire = {{ path = {wire} }}\n{}\n",
            self.name, self.dependency
        );
        write_crate(place, &manifest, self.source)?;
        fs::copy(workspace.root.join("Cargo.lock"), place.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
        Ok(())
    }

    /// What the verdict shows if it is right, or what is wrong with it.
    fn judge(&self, verdict: &Verdict) -> Result<String, String> {
        match (verdict, self.misses) {
            (Verdict::Passed { dependencies }, None) if dependencies.iter().any(|name| name == "armring_wire") => {
                Ok("passes, as it must".to_owned())
            }
            (Verdict::Passed { .. }, None) => Err("passed, but armring-wire was not compiled with it".to_owned()),
            (Verdict::Passed { .. }, Some((library, _))) => Err(format!("passed, though it uses {library}")),
            (Verdict::Refused(why), None) => Err(format!("refused, though it keeps the rule\n{why}")),
            (Verdict::Refused(why), Some((library, culprit))) => {
                let missed = format!("error[E0463]: can't find crate for `{library}`");
                if why.contains(&missed) && why.contains(&format!("could not compile `{culprit}`")) {
                    Ok(format!("refused, as it must be: {culprit} can't find crate for `{library}`"))
                } else {
                    Err(format!("refused, but not because {culprit} misses {library}\n{why}"))
                }
            }
        }
    }
}

fn write_crate(place: &Path, manifest: &str, library: &str) -> Result<()> {
    let source = place.join("src");
    fs::create_dir_all(&source).with_context(|| format!("cannot create {}", source.display()))?;
    fs::write(place.join("Cargo.toml"), manifest)?;
    fs::write(source.join("lib.rs"), library)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(name: &str) -> &'static Control {
        CONTROLS.iter().find(|control| control.name == name).unwrap()
    }

    #[test]
    fn another_failure_is_not_the_right_reason() {
        let control = control("control-extern-std");
        assert!(control.judge(&Verdict::Refused("error: could not compile `control-extern-std`".into())).is_err());
        let right = "error[E0463]: can't find crate for `std`\nerror: could not compile `control-extern-std` (lib)";
        assert!(control.judge(&Verdict::Refused(right.into())).is_ok());
        assert!(control.judge(&Verdict::Refused(right.replace("`std`", "`alloc`"))).is_err());
    }

    #[test]
    fn passing_is_wrong_for_a_breach_and_right_only_with_the_dependency_compiled() {
        let passed = || Verdict::Passed { dependencies: vec!["armring_wire".into()] };
        assert!(control("control-extern-std").judge(&passed()).is_err());
        assert!(control("control-clean").judge(&passed()).is_ok());
        assert!(control("control-clean").judge(&Verdict::Passed { dependencies: Vec::new() }).is_err());
    }
}
