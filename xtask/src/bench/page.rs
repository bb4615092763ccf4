//! The page with the tables.

use std::fmt::Write as _;

use super::rows::{Row, groups};
use super::time;

const HEAD: &str = include_str!("head.md");

/// The whole page.
pub(super) fn written(rows: &[Row], machine: &str) -> String {
    let mut page = HEAD.replace("{machine}", machine).replace("{targets}", targets_table(rows).trim_end());
    for group in groups(rows) {
        let name = group.first().map(|row| row.group.as_str()).unwrap_or_default();
        let _ = write!(page, "\n### {}\n\n| | time | beside | times | allocations |\n|---|---:|---|---:|---:|\n", capital(name));
        for row in group {
            let (beside, times) = match &row.beside {
                Some((floor, ratio)) => (floor.as_str(), format!("{ratio:.2}")),
                None => ("", String::new()),
            };
            let name = if row.is_ours() { format!("**{}**", row.name) } else { row.name.clone() };
            let _ = writeln!(page, "| {name} | {} | {beside} | {times} | {} |", time(row.nanoseconds), row.allocations);
        }
    }
    page
}

/// What is to be reached, and whether it was.
fn targets_table(rows: &[Row]) -> String {
    let mut table = String::from("| to reach | at most | measured | |\n|---|---:|---:|---|\n");
    for (row, floor, ratio, target) in with_target(rows) {
        let verdict = if ratio <= target { "reached" } else { "not reached" };
        let _ = writeln!(table, "| {}: {}, beside {floor} | {target:.2} | {ratio:.3} | {verdict} |", row.group, row.name);
    }
    table
}

/// How many of the figures that are to be reached are, and how many there are.
pub(super) fn reached(rows: &[Row]) -> (usize, usize) {
    (with_target(rows).filter(|(_, _, ratio, target)| ratio <= target).count(), with_target(rows).count())
}

/// The same for whoever waits at the terminal.
pub(super) fn targets(rows: &[Row]) -> String {
    let mut lines = String::new();
    for (row, floor, ratio, target) in with_target(rows) {
        let verdict = if ratio <= target { "reached" } else { "NOT reached" };
        let _ = writeln!(lines, "{}, {}: {ratio:.3} × {floor}, at most {target:.2}: {verdict}", row.group, row.name);
    }
    lines
}

fn with_target(rows: &[Row]) -> impl Iterator<Item = (&Row, &str, f64, f64)> {
    rows.iter().filter_map(|row| {
        let (floor, ratio) = row.beside.as_ref()?;
        Some((row, floor.as_str(), *ratio, row.target?))
    })
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::{MEASURED, read};

    #[test]
    fn everybody_stands_in_the_table_with_what_was_measured() {
        let page = written(&read(MEASURED).unwrap(), "a machine");
        for line in [
            "### Handshake XX",
            "| **Armring** | 360 µs | X25519: dalek | 1.04 | 0 |",
            "| snow | 403 µs | X25519: dalek | 1.17 | 61 |",
            "| handshake XX: Armring, beside X25519: dalek | 1.05 | 1.043 | reached |",
            "| mint a token: Armring, beside Ed25519: dalek | 1.02 | 1.036 | not reached |",
        ] {
            assert!(page.lines().any(|other| other == line), "{line}\n{page}");
        }
        assert!(page.contains("a machine") && !page.contains('{'));
    }
}
