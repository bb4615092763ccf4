//! What a run of a target came to, read from libFuzzer's log.

/// How much of the log a failure shows, in lines.
const SHOWN: usize = 40;
/// What a target is executed at least before anybody relies on it.
const ENOUGH: u64 = 1_000_000;

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    executions: u64,
    /// Edges that were reached.
    coverage: u64,
    /// After how many executions the last one was.
    rose: u64,
}

impl Run {
    /// Reads libFuzzer's log: `#2048 NEW cov: 119 ft: 791 …`, with a tab after the number, and `stat::number_of_executed_units: 519108`.
    pub(super) fn read(log: &str) -> Self {
        let mut run = Self::default();
        for line in log.lines() {
            if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
                run.executions = number.trim().parse().unwrap_or_default();
            }
            let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once('\t')) else { continue };
            let coverage = rest.split_once("cov: ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            if let (Ok(number), Some(coverage)) = (number.parse(), coverage)
                && coverage > run.coverage
            {
                (run.coverage, run.rose) = (coverage, number);
            }
        }
        run
    }

    /// This one and the next, which began with all that this one had found.
    pub(super) fn then(self, next: &Self) -> Self {
        let executions = self.executions + next.executions;
        if next.coverage > self.coverage {
            Self { executions, coverage: next.coverage, rose: self.executions + next.rose }
        } else {
            Self { executions, ..self }
        }
    }

    /// Whether it was executed a million times, and the last quarter of the executions reached nothing new.
    pub(super) const fn is_flat(&self) -> bool {
        self.executions >= ENOUGH && !self.rises()
    }

    const fn rises(&self) -> bool {
        self.rose.saturating_mul(4) > self.executions.saturating_mul(3)
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { executions, coverage, rose } = *self;
        // What still rises is worth more time.
        let still = if self.rises() { ", so that there is more to find" } else { "" };
        write!(f, "{executions} executions, {coverage} edges, the last of them after {rose}{still}")
    }
}

/// The part of a log that says what failed: what a panic says and what follows, or the end where nothing panicked.
pub(super) fn what_failed(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    let first = panic.unwrap_or(lines.len().saturating_sub(SHOWN));
    lines.iter().skip(first).take(SHOWN).copied().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 1\n#2\tINITED cov: 10 ft: 11 corp: 1/1b\n#64\tNEW    cov: 12 ft: 20 corp: 2/9b\n\
                       #128\tNEW    cov: 12 ft: 24 corp: 3/9b\n#512\tDONE   cov: 12 ft: 24\nstat::number_of_executed_units: 512\n";

    #[test]
    fn a_log_says_how_often_and_until_when_there_was_something_new() {
        assert_eq!(Run::read(LOG), Run { executions: 512, coverage: 12, rose: 64 });
        assert_eq!(Run::read("nothing"), Run::default());
        assert_eq!(Run::read(LOG).to_string(), "512 executions, 12 edges, the last of them after 64");
        let rising = Run { executions: 512, coverage: 12, rose: 385 }.to_string();
        assert!(rising.ends_with("after 385, so that there is more to find"), "{rising}");
    }

    #[test]
    fn rounds_are_counted_together_and_what_is_reached_again_is_not_new() {
        let again = Run::read(LOG).then(&Run::read(LOG));
        assert_eq!(again, Run { executions: 1_024, coverage: 12, rose: 64 });
        let more = again.then(&Run { executions: 100, coverage: 13, rose: 40 });
        assert_eq!(more, Run { executions: 1_124, coverage: 13, rose: 1_064 });
    }

    #[test]
    fn flat_is_what_was_executed_often_and_found_nothing_for_a_quarter() {
        let flat = |executions, rose| Run { executions, coverage: 12, rose }.is_flat();
        assert!(flat(ENOUGH, ENOUGH / 4 * 3));
        assert!(!flat(ENOUGH, ENOUGH / 4 * 3 + 1));
        assert!(!flat(ENOUGH - 1, 1));
    }

    #[test]
    fn what_a_panic_says_is_shown_however_long_the_trace_behind_it_is() {
        let trace = "    #0 somewhere\n".repeat(200);
        let log = format!("#2\tINITED cov: 10\n\nthread '<unnamed>' panicked at bodies/src/band.rs:1:2:\nthe rule\n{trace}");
        let shown = what_failed(&log);
        assert!(shown.starts_with("thread '<unnamed>' panicked at bodies/src/band.rs:1:2:\nthe rule\n"), "{shown}");
        assert_eq!(shown.lines().count(), SHOWN);
        assert_eq!(what_failed(&trace).lines().count(), SHOWN);
        assert_eq!(what_failed("==1== ERROR: libFuzzer: timeout"), "==1== ERROR: libFuzzer: timeout");
    }
}
