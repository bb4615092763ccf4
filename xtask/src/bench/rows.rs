//! What was measured: lines with tabs, as `benches/src/bin/compare.rs` says them.

use anyhow::{Context, Result};

/// One contender.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) nanoseconds: f64,
    /// Beside whom it is seen, and how many times the time of that it takes.
    pub(super) beside: Option<(String, f64)>,
    /// How many times it may be.
    pub(super) target: Option<f64>,
    pub(super) allocations: u64,
}

impl Row {
    /// Whether it is this project's.
    pub(super) fn is_ours(&self) -> bool {
        self.name.starts_with("Armring")
    }
}

pub(super) fn read(measured: &str) -> Result<Vec<Row>> {
    measured
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| row(line).with_context(|| format!("not a row: {line}")))
        .collect()
}

fn row(line: &str) -> Option<Row> {
    let [group, name, nanoseconds, floor, ratio, target, allocations] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let beside = if floor == "-" { None } else { Some((floor.to_owned(), ratio.parse().ok()?)) };
    let target = if target == "-" { None } else { Some(target.parse().ok()?) };
    let (nanoseconds, allocations) = (nanoseconds.parse().ok()?, allocations.parse().ok()?);
    Some(Row { group: group.to_owned(), name: name.to_owned(), nanoseconds, beside, target, allocations })
}

/// The rows of each group, in order.
pub(super) fn groups(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|one, other| one.group == other.group)
}

#[cfg(test)]
pub(super) const MEASURED: &str = "# a machine\n\
    handshake XX\tX25519: dalek\t345000\t-\t-\t-\t0\n\
    handshake XX\tArmring\t360000\tX25519: dalek\t1.043\t1.050\t0\n\
    handshake XX\tsnow\t403000\tX25519: dalek\t1.168\t-\t61\n\
    mint a token\tEd25519: dalek\t16600\t-\t-\t-\t0\n\
    mint a token\tArmring\t17200\tEd25519: dalek\t1.036\t1.020\t0\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_rows_and_rows_are_groups() {
        let rows = read(MEASURED).unwrap();
        assert_eq!(groups(&rows).map(<[Row]>::len).collect::<Vec<_>>(), [3, 2]);
        assert_eq!((rows[1].beside.clone(), rows[1].target), (Some(("X25519: dalek".to_owned(), 1.043)), Some(1.05)));
        assert_eq!((rows[2].allocations, rows[2].is_ours(), rows[1].is_ours()), (61, false, true));
        assert!(read("handshake XX\tsnow\tfast").is_err());
    }
}
