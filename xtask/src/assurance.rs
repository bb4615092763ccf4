//! The long forms of what attacks this project, each for its share of the hours that there are.
//!
//! A stage does the same thing again with another seed until its time is over, once at least. What fails says with which line it is run again.

use std::{
    env, fs,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

use crate::{ble, checks::quietly, fuzz, left_out, postgres, stages::Stages, workspace::Workspace};

/// A stage: what it is called, which part of the time is its, and what it does with that.
struct Stage {
    name: &'static str,
    /// In hundredths.
    share: u32,
    does: fn(&Workspace, Duration) -> Result<()>,
}

const STAGES: [Stage; 6] = [
    Stage { name: "fuzz", share: 50, does: fuzz_targets },
    Stage { name: "power", share: 15, does: power_cuts },
    Stage { name: "world", share: 10, does: worlds },
    Stage { name: "properties", share: 10, does: properties },
    Stage { name: "crashes", share: 10, does: crashes },
    Stage { name: "bluetooth", share: 5, does: bluetooth },
];

/// Runs all stages in so much time, or the one of this name in its share of it.
pub(crate) fn run(workspace: &Workspace, hours: f64, only: Option<&str>) -> Result<()> {
    let all = Duration::try_from_secs_f64(hours * 3_600.0).context("that is no time")?;
    if let Some(name) = only
        && !STAGES.iter().any(|stage| stage.name == name)
    {
        bail!("{name} is not a stage: {}", STAGES.map(|stage| stage.name).join(", "));
    }
    let mut stages = Stages::of("assurance");
    for Stage { name, share, does } in STAGES {
        if only.is_none_or(|only| only == name) {
            stages.run(name, || does(workspace, all * share / 100));
        }
    }
    stages.finish()
}

fn fuzz_targets(workspace: &Workspace, time: Duration) -> Result<()> {
    fuzz::in_time(workspace, time)
}

/// Band and flash lose power, with another seed each time: as often as POWER_CUTS says, or 100,000 times.
fn power_cuts(workspace: &Workspace, time: Duration) -> Result<()> {
    let counts = workspace.target.join("tmp/power_cuts.txt");
    let each = env::var("POWER_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(100_000);
    let (mut cuts, mut seeds) = (0, 0);
    until(time, |seed| {
        let test = ["test", "--locked", "--package", "armring-flash", "--test", "suite", "power"];
        with(workspace, "power", &test, &[("POWER_SEED", seed), ("POWER_CUTS", each)])?;
        let said = fs::read_to_string(&counts).with_context(|| counts.display().to_string())?;
        cuts += all_cuts(&said).with_context(|| format!("{} does not say how often power was cut", counts.display()))?;
        seeds += 1;
        Ok(())
    })?;
    eprintln!("power was cut {cuts} times, with {seeds} seeds");
    Ok(())
}

/// Rules left out inside of the crates, then a million faults in simulated worlds, others each time.
fn worlds(workspace: &Workspace, time: Duration) -> Result<()> {
    const FAULTS: u64 = 1_000_000;
    left_out::run(workspace)?;
    let mut runs = 0;
    until(time, |seed| {
        // A world's seed follows the one before: far enough apart, no two runs have the same ones.
        let (faults, seed) = (FAULTS.to_string(), seed.wrapping_mul(1 << 20).to_string());
        let world = ["run", "--release", "--locked", "--package", "armring-sim", "--", "--faults", &faults, "--seed", &seed];
        with(workspace, "world", &world, &[])?;
        runs += 1;
        Ok(())
    })?;
    eprintln!("{} faults in simulated worlds", runs * FAULTS);
    Ok(())
}

/// The row `~ all` of the table that the test writes: how often power was cut.
fn all_cuts(table: &str) -> Option<u64> {
    table.lines().find_map(|line| line.strip_prefix("~ all"))?.split_whitespace().next()?.parse().ok()
}

/// What is said of any input, with other inputs each time: the tests of the crates, whose generators take these seeds.
fn properties(workspace: &Workspace, time: Duration) -> Result<()> {
    let roles =
        ["wire", "channel", "pairing", "token", "band", "wallet", "payee", "issuer"].map(|role| format!("armring-{role}"));
    let mut runs = 0;
    until(time, |seed| {
        let mut test = vec!["test", "--locked", "--tests"];
        test.extend(roles.iter().flat_map(|role| ["--package", role.as_str()]));
        with(workspace, "properties", &test, &[("PROPTEST_RNG_SEED", seed), ("ARMRING_SEED", seed), ("PROPTEST_CASES", 2_048)])?;
        runs += 1;
        Ok(())
    })?;
    eprintln!("the tests of {} crates ran with {runs} seeds", roles.len());
    Ok(())
}

/// Processes that settle are killed, and the databases beneath them. When is not drawn from a seed: each time is another.
fn crashes(workspace: &Workspace, time: Duration) -> Result<()> {
    let mut runs = 0;
    until(time, |_| {
        postgres::crashes(workspace)?;
        runs += 1;
        Ok(())
    })?;
    eprintln!("{} processes were killed for each database", runs * postgres::KILLS);
    Ok(())
}

fn bluetooth(workspace: &Workspace, time: Duration) -> Result<()> {
    let mut runs = 0;
    until(time, |_| {
        ble::run_tests(workspace)?;
        runs += 1;
        Ok(())
    })?;
    eprintln!("{runs} runs of the Bluetooth tests");
    Ok(())
}

/// Does it once and then until the time is over, with a seed that is another each time.
fn until(time: Duration, mut does: impl FnMut(u64) -> Result<()>) -> Result<()> {
    let start = Instant::now();
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    loop {
        does(seed)?;
        seed += 1;
        if start.elapsed() >= time {
            return Ok(());
        }
    }
}

/// Calls cargo with these settings. An error shows the end of what was said, and the line that runs it again.
fn with(workspace: &Workspace, name: &str, arguments: &[&str], settings: &[(&str, u64)]) -> Result<()> {
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let line: String = settings.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    quietly(workspace, name, arguments, &settings).with_context(|| format!("again: {line}cargo {}", arguments.join(" ")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_share_all_of_the_time() {
        assert_eq!(STAGES.iter().map(|stage| stage.share).sum::<u32>(), 100);
    }

    #[test]
    fn a_stage_runs_once_where_there_is_no_time() {
        let mut seeds = Vec::new();
        until(Duration::ZERO, |seed| {
            seeds.push(seed);
            Ok(())
        })
        .unwrap();
        assert_eq!(seeds.len(), 1);
    }

    #[test]
    fn the_table_of_power_cuts_says_how_many_there_were() {
        let table = "seed 1\nflow                    cuts    left\npay                       12       3\n~ all                 100000      40\n";
        assert_eq!(all_cuts(table), Some(100_000));
        assert_eq!(all_cuts("nothing"), None);
    }
}
