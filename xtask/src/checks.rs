//! Which stages `cargo xtask test` and `cargo xtask ci` have.

use std::{
    fs,
    fs::File,
    path::Path,
    process::{self, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    attacks, bench, ble, compiler, firmware, fuzz, guard, guard_selftest, msrv, packed, phone, postgres, published,
    stages::Stages,
    workspace::{Workspace, output, run},
};

/// The workspace of what runs on a microcontroller.
const FIRMWARE: &str = "examples/firmware";
const DEMO: &str = "armring-demo";
/// How much of a log a failure shows, in lines.
const TAIL: usize = 30;

/// What a newcomer runs: stable Rust and a C compiler are enough.
pub(crate) fn test(workspace: &Workspace) -> Result<()> {
    let mut stages = Stages::of("test");
    stages.run("C compiler", || compiler::answers("SQLite is compiled from C"));
    stages.run("tests", || {
        let counts = [("power cuts", "power_cuts.txt"), ("simulated world", "simulated_world.txt")];
        let counts = counts.map(|(name, file)| (name, workspace.target.join("tmp").join(file)));
        for (_, file) in &counts {
            // What an earlier run left is not to pass for this one's.
            let _ = fs::remove_file(file);
        }
        run(&mut packed::light_tests(workspace))?;
        for (name, file) in &counts {
            eprint!("{name}: {}", fs::read_to_string(file).with_context(|| file.display().to_string())?);
        }
        Ok(())
    });
    stages.run("known attacks", || attacks::run(workspace));
    stages.run("no_std guard", || guard::run(workspace, &[]));
    stages.run("packages", || packed::run(workspace));
    stages.run("demo", || demo(workspace, "demo", "checks held", &[]));
    stages.run("ordeal", || demo(workspace, "ordeal", "points at which", &["ordeal", "--dir", &scratch(workspace)]));
    stages.finish()
}

/// What a change must pass besides [`test()`]: needs rustfmt, clippy, and for the fuzz targets a nightly toolchain and a C++ compiler.
pub(crate) fn ci(workspace: &Workspace) -> Result<()> {
    let mut stages = Stages::of("ci");
    stages.run("format", || {
        component(workspace, "fmt", "rustfmt")?;
        run(&mut workspace.cargo(&["fmt", "--all", "--", "--check"])).context("repair with `cargo fmt --all`")?;
        let mut firmware = workspace.cargo(&["fmt", "--all", "--", "--check"]);
        run(firmware.current_dir(workspace.root.join(FIRMWARE))).context("repair with `cargo fmt --all` in examples/firmware")
    });
    stages.run("clippy", || {
        component(workspace, "clippy", "clippy")?;
        run(&mut workspace.cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    });
    stages.run("firmware lints", || firmware::lint(workspace));
    stages.run("documentation", || documentation(workspace));
    stages.run("AWS-LC", || {
        let packages = ["--package", "armring-aws-lc", "--package", "armring-issuer", "--package", "armring-wallet"];
        // These two have to do with the ledger alone, and take as long as all others.
        let others = ["--", "--skip", "when_the_process_is_killed", "--skip", "a_thousand_random_sequences"];
        run(workspace.cargo(&["test", "--locked", "--features", "armring-wallet/aws-lc"]).args(packages).args(others))?;
        packed::heavy(workspace)
    });
    stages.run("benches", || benches(workspace));
    stages.run("counts", || bench::count(workspace, bench::Then::Compare));
    stages.run("simulated world", || simulated_world(workspace));
    stages.run("guard self-test", || guard_selftest::run(workspace));
    stages.run("postgresql", || {
        let mut command = workspace.cargo(&["clippy", "--package", "armring-issuer", "--features", "tls,tools", "--all-targets"]);
        run(command.args(["--locked", "--", "-D", "warnings"]))?;
        postgres::run(workspace)
    });
    stages.run("fuzz targets", || fuzz::short(workspace));
    stages.run("Bluetooth lints", || ble::lint(workspace));
    stages.run("Bluetooth", || ble::run_tests(workspace));
    stages.run("phone lints", || phone::lint(workspace));
    stages.run("phone", || phone::run_tests(workspace));
    stages.run("oldest compiler", || msrv::stated(workspace));
    stages.run("published text", || published::run(workspace));
    stages.run("firmware", || logged(workspace, "firmware"));
    stages.run("budget", || logged(workspace, "budget"));
    stages.finish()
}

/// Each rule left out once, then a million faults from a seed that is drawn.
fn simulated_world(workspace: &Workspace) -> Result<()> {
    // What the tests do without is worth its minute of compiling here: half of what a fault costs.
    let quick =
        ["wire", "wallet", "payee", "issuer"].map(|role| format!("--config=profile.dev.package.armring-{role}.opt-level=2"));
    let quick: Vec<&str> = quick.iter().map(String::as_str).collect();
    let live = |arguments: &[&str]| {
        let world = ["run", "--quiet", "--locked", "--package", "armring-sim"];
        run(&mut workspace.cargo(&[&world[..], &quick, &["--"], arguments].concat()))
    };
    live(&["--rules", "8"])?;
    live(&["--faults", "1000000"])
}

/// Is a part of the toolchain there that rustup's minimal profile leaves out?
fn component(workspace: &Workspace, subcommand: &str, component: &str) -> Result<()> {
    if output(&mut workspace.cargo(&[subcommand, "--version"])).is_err() {
        bail!("`cargo {subcommand}` does not run: install it with `rustup component add {component}`");
    }
    Ok(())
}

/// Their format and lints, and each once.
fn benches(workspace: &Workspace) -> Result<()> {
    for arguments in [&["fmt", "--all", "--", "--check"][..], &["clippy", "--all-targets", "--locked", "--", "-D", "warnings"]] {
        run(&mut bench::cargo(workspace, arguments)).context("in benches")?;
    }
    bench::smoke(workspace)
}

fn documentation(workspace: &Workspace) -> Result<()> {
    let mut command = workspace.cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    // The encoded form would take precedence.
    command.env_remove("CARGO_ENCODED_RUSTDOCFLAGS").env("RUSTDOCFLAGS", "-D warnings");
    run(&mut command)
}

/// Where many small files are written and soon removed: in memory if the system has a place for that.
fn scratch(workspace: &Workspace) -> String {
    let memory = Path::new("/dev/shm");
    let place =
        if memory.is_dir() { memory.join(format!("armring-ordeal-{}", process::id())) } else { workspace.target.join("ordeal") };
    place.display().to_string()
}

/// The demo from beginning to end, without anyone at the keyboard. Of what it prints, the line with these words is shown.
fn demo(workspace: &Workspace, name: &str, words: &str, arguments: &[&str]) -> Result<()> {
    workspace.package(DEMO).context("the demo is expected in examples/demo")?;
    let command = [&["run", "--quiet", "--locked", "--package", DEMO, "--"], arguments].concat();
    let log = quietly(workspace, name, &command, &[])?;
    let Some(said) = log.lines().find(|line| line.contains(words)) else { bail!("it did not say '{words}'") };
    eprintln!("{said}");
    Ok(())
}

/// Another command of this tool.
fn logged(workspace: &Workspace, command: &str) -> Result<()> {
    quietly(workspace, command, &["run", "--quiet", "--locked", "--package", "xtask", "--", command], &[]).map(drop)
}

/// Calls cargo, with these settings in its environment, for what prints much: only a failure is shown. Gives what it printed.
pub(crate) fn quietly(workspace: &Workspace, name: &str, arguments: &[&str], settings: &[(&str, String)]) -> Result<String> {
    let folder = workspace.target.join("xtask");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{name}.log"));
    let log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;

    let mut command = workspace.cargo(arguments);
    command.envs(settings.iter().map(|(name, value)| (name, value))).stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
    let outcome = run(&mut command);
    let log = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
    let lines: Vec<&str> = log.lines().collect();
    if outcome.is_err() {
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        eprintln!("{}\n(the end of {})", tail.join("\n"), path.display());
    } else {
        eprintln!("ran to its end; {} lines in {}", lines.len(), path.display());
    }
    outcome.map(|()| log)
}
