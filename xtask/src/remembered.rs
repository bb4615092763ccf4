//! The curve library that the fuzz targets are built with: the one in their lock file, with the results of its slow functions remembered.
//!
//! Its source is copied from cargo's registry into `target/fuzz`, where each of [`SLOW`] first asks `fuzz/curve/remembered.rs`. Nothing
//! else is built with the copy; the replay of the corpora is not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::{Workspace, output};

const LIBRARY: &str = "curve25519-dalek";
/// The file in which it says what it consists of, and the line behind which it has a part more.
const PARTS: (&str, &str) = ("src/lib.rs", "pub mod scalar;\n");

/// A function of the library that is slow.
struct Slow {
    file: &'static str,
    /// What it is called, the rest of its head up to its body, and how it is called in `remembered.rs`, where its old body is `NAME_anew`.
    name: &'static str,
    head: &'static str,
    call: &'static str,
}

const SLOW: [Slow; 6] = [
    slow("src/edwards.rs", "decompress", "(&self) -> Option<EdwardsPoint> {", "decompress(self)"),
    slow("src/edwards.rs", "compress", "(&self) -> CompressedEdwardsY {", "compress(self)"),
    slow("src/edwards.rs", "to_montgomery", "(&self) -> MontgomeryPoint {", "to_montgomery(self)"),
    slow("src/edwards.rs", "mul_base", "(scalar: &Scalar) -> Self {", "mul_base(scalar)"),
    slow(
        "src/edwards.rs",
        "vartime_double_scalar_mul_basepoint",
        "(\n        a: &Scalar,\n        A: &EdwardsPoint,\n        b: &Scalar,\n    ) -> EdwardsPoint {",
        "vartime_double_scalar_mul_basepoint(a, A, b)",
    ),
    slow("src/montgomery.rs", "mul_clamped", "(self, bytes: [u8; 32]) -> Self {", "mul_clamped(self, bytes)"),
];

const fn slow(file: &'static str, name: &'static str, head: &'static str, call: &'static str) -> Slow {
    Slow { file, name, head, call }
}

/// Writes the copy below `target`: its folder. What is there and the same already keeps its time, by which cargo knows what to compile.
pub(crate) fn copy(workspace: &Workspace, target: &Path) -> Result<PathBuf> {
    let (from, to) = (source(workspace)?, target.join(LIBRARY));
    copy_folder(&from, &to, Path::new(""))?;
    let added = workspace.root.join("fuzz/curve/remembered.rs");
    let added = fs::read(&added).with_context(|| format!("cannot read {}", added.display()))?;
    write(&to.join("src/remembered.rs"), &added)?;
    Ok(to)
}

/// Where cargo has the library's source.
fn source(workspace: &Workspace) -> Result<PathBuf> {
    let manifest = ["metadata", "--format-version=1", "--locked", "--manifest-path", "fuzz/Cargo.toml"];
    let metadata: Value = serde_json::from_slice(&output(&mut workspace.cargo(&manifest))?.stdout).context("cargo metadata")?;
    let packages = metadata.pointer("/packages").and_then(Value::as_array).context("cargo metadata: packages")?;
    let path = packages.iter().find(|package| package["name"] == LIBRARY).and_then(|package| package["manifest_path"].as_str());
    let path = path.with_context(|| format!("fuzz/Cargo.lock has no {LIBRARY}"))?;
    Path::new(path).parent().map(Path::to_owned).context("a manifest lies in a folder")
}

fn copy_folder(from: &Path, to: &Path, within: &Path) -> Result<()> {
    for entry in fs::read_dir(from.join(within)).with_context(|| from.display().to_string())? {
        let path = within.join(entry?.file_name());
        if from.join(&path).is_dir() {
            copy_folder(from, to, &path)?;
        } else {
            let bytes = fs::read(from.join(&path))?;
            write(&to.join(&path), &with_memory(&path, bytes)?)?;
        }
    }
    Ok(())
}

/// The file as it is in the copy.
fn with_memory(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let slow: Vec<&Slow> = SLOW.iter().filter(|slow| path == Path::new(slow.file)).collect();
    let has_parts = path == Path::new(PARTS.0);
    if slow.is_empty() && !has_parts {
        return Ok(bytes);
    }
    let mut text = String::from_utf8(bytes).with_context(|| path.display().to_string())?;
    for Slow { name, head, call, .. } in slow {
        let (old, anew) = (format!("pub fn {name}{head}"), format!("pub(crate) fn {name}_anew{head}"));
        text = replaced(&text, &old, &format!("{old}\n        crate::remembered::{call}\n    }}\n\n    {anew}"))?;
    }
    if has_parts {
        text = replaced(&text, PARTS.1, &format!("{}mod remembered;\n", PARTS.1))?;
    }
    Ok(text.into_bytes())
}

/// `text` with `new` in place of `old`, which has to be there once.
fn replaced(text: &str, old: &str, new: &str) -> Result<String> {
    if text.matches(old).count() != 1 {
        bail!("{LIBRARY} has changed: '{old}' is not there once; xtask/src/remembered.rs says what is replaced");
    }
    Ok(text.replace(old, new))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_has_changed_is_an_error() {
        let file = "impl MontgomeryPoint {\n    pub fn mul_clamped(self, bytes: [u8; 32]) -> Self {\n        body()\n    }\n}\n";
        let changed = with_memory(Path::new("src/montgomery.rs"), file.into()).unwrap();
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            changed.contains("crate::remembered::mul_clamped(self, bytes)\n    }\n\n    pub(crate) fn mul_clamped_anew(self"),
            "{changed}"
        );
        assert!(with_memory(Path::new("src/montgomery.rs"), b"pub fn mul_clamped(other".to_vec()).is_err());
        assert_eq!(with_memory(Path::new("src/scalar.rs"), b"as it was".to_vec()).unwrap(), b"as it was");
    }
}
