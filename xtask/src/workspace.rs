//! What cargo says of this workspace, and how cargo and other programs are called.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// The workspace in which `cargo xtask` was called, as `cargo metadata` describes it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo compiles to: `target`, unless the caller's settings say otherwise.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One crate of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it may be published: its manifest does not say `publish = false`.
    pub(crate) published: bool,
    pub(crate) rust_version: Option<String>,
    /// The root file of the library, if the package has one.
    pub(crate) library: Option<PathBuf>,
    /// The features that it has unless told otherwise.
    pub(crate) default_features: Vec<String>,
    /// The table `[package.metadata.armring]`, or null.
    pub(crate) armring: Value,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--format-version=1", "--no-deps"]);
        // Cargo says where this program's package lies, wherever in the workspace it was called.
        command.current_dir(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into()));
        let metadata: Value = serde_json::from_slice(&output(&mut command)?.stdout).context("cargo metadata")?;
        let packages = metadata.pointer("/packages").and_then(Value::as_array).context("cargo metadata: packages")?;
        Ok(Self {
            root: text(&metadata, "workspace_root")?.into(),
            target: text(&metadata, "target_directory")?.into(),
            packages: packages.iter().map(Package::read).collect::<Result<_>>()?,
        })
    }

    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        let found = self.packages.iter().find(|package| package.name == name);
        found.with_context(|| format!("this workspace has no package {name}"))
    }

    /// A call of cargo at the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo();
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null());
        command
    }
}

impl Package {
    fn read(package: &Value) -> Result<Self> {
        let targets = package.get("targets").and_then(Value::as_array).context("cargo metadata: targets")?;
        let is_library = |target: &&Value| {
            let kinds = target.get("kind").and_then(Value::as_array);
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str().is_some_and(|kind| kind.ends_with("lib"))))
        };
        let library = targets.iter().find(is_library).map(|target| text(target, "src_path")).transpose()?;
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            version: text(package, "version")?.to_owned(),
            // A list of registries that it may go to; null means any.
            published: package.get("publish").is_none_or(Value::is_null),
            rust_version: package.get("rust_version").and_then(Value::as_str).map(str::to_owned),
            library: library.map(PathBuf::from),
            default_features: package.pointer("/features/default").map(strings).unwrap_or_default(),
            armring: package.pointer("/metadata/armring").cloned().unwrap_or_default(),
        })
    }
}

/// The cargo that runs this program. Cargo tells a program that it runs about that program's own package; to the
/// builds which we start from here, this would be a difference from builds that the reader starts.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_own_package(&mut command);
    command
}

pub(crate) fn forget_own_package(command: &mut Command) {
    let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| own.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
}

/// Runs to the end and lets through what the program prints; its failure is an error that repeats the call.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if status.success() { Ok(()) } else { Err(anyhow!("`{}` failed ({status})", shown(command))) }
}

/// Runs to the end and returns what the program printed; its failure is an error that carries stderr.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})\n{}", shown(command), output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output)
}

/// `cargo test --workspace`, as the reader would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    let words: Vec<OsString> = [program].into_iter().chain(command.get_args()).map(Into::into).collect();
    words.join(" ".as_ref()).to_string_lossy().into_owned()
}

/// The strings of a list.
pub(crate) fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("cargo metadata: {key}"))
}
