//! Stages: named steps that are timed, all run, and summed up in a table.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const SUM: &str = "together";

/// The steps of one command. A failure does not stop the next step, so that one run shows all that is wrong;
/// [`Stages::finish`] is then the error.
#[must_use = "a failed stage is an error only through `finish`"]
pub(crate) struct Stages {
    command: &'static str,
    done: Vec<Stage>,
}

struct Stage {
    name: &'static str,
    time: Duration,
    outcome: Result<()>,
}

impl Stages {
    pub(crate) fn of(command: &'static str) -> Self {
        Self { command, done: Vec::new() }
    }

    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let outcome = step();
        if let Err(error) = &outcome {
            eprintln!("{name}: {error:#}");
        }
        self.done.push(Stage { name, time: start.elapsed(), outcome });
    }

    /// Prints the table, and repeats each failure below it: the reason may have scrolled away.
    pub(crate) fn finish(self) -> Result<()> {
        eprint!("\n{}", self.table());
        let failed: Vec<_> = self.done.iter().filter_map(|s| Some((s.name, s.outcome.as_ref().err()?))).collect();
        if failed.is_empty() {
            return Ok(());
        }
        for (name, error) in &failed {
            eprintln!("\n{name}: {error:#}");
        }
        eprintln!();
        bail!("cargo xtask {}: {} of {} stages failed", self.command, failed.len(), self.done.len())
    }

    fn table(&self) -> String {
        let width = self.done.iter().map(|stage| stage.name.len()).chain([SUM.len()]).max().unwrap_or(0);
        let row =
            |name: &str, result: &str, time: Duration| format!("{name:width$}  {result:6}  {:>7.1} s\n", time.as_secs_f64());
        let mut table: String = self
            .done
            .iter()
            .map(|stage| row(stage.name, if stage.outcome.is_ok() { "ok" } else { "FAILED" }, stage.time))
            .collect();
        table.push_str(&row(SUM, "", self.done.iter().map(|stage| stage.time).sum()));
        table
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn one_failure_fails_the_whole_and_stops_nothing() {
        let mut stages = Stages::of("trial");
        let mut reached = false;
        stages.run("first", || Err(anyhow!("broken")));
        stages.run("second", || {
            reached = true;
            Ok(())
        });
        let table = stages.table();
        let error = stages.finish().unwrap_err().to_string();

        assert!(reached);
        assert!(table.contains("first     FAILED") && table.contains("second    ok    "), "{table}");
        assert_eq!(error, "cargo xtask trial: 1 of 2 stages failed");
    }

    #[test]
    fn without_failure_it_is_no_error() {
        let mut stages = Stages::of("trial");
        stages.run("only", || Ok(()));
        assert!(stages.finish().is_ok());
    }
}
