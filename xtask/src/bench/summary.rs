//! The tables of README.md: those whom most people compare, out of all that was measured.

use std::fmt::Write as _;

use super::rows::Row;
use super::{page, time};

/// What stands between these lines of README.md is written here.
const BEGIN: &str = "<!-- written by cargo xtask bench -->\n";
const END: &str = "<!-- to here -->\n";

/// A table: its columns, by the names of contenders and as they are shown, and its rows, by the names of groups and as they are shown.
struct Table {
    columns: &'static [(&'static str, &'static str)],
    rows: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 2] = [
    Table {
        columns: &[
            ("Armring", "Armring"),
            ("Armring, AWS-LC", "with AWS-LC"),
            ("snow", "snow"),
            ("snow, ring", "snow, ring"),
            ("clatter", "clatter"),
        ],
        rows: &[
            ("handshake XX", "`XX`, both sides"),
            ("handshake KKpsk0", "`KKpsk0`, both sides"),
            ("handshake IK", "`IK`, both sides"),
            ("handshake NNpsk0", "`NNpsk0`, both sides"),
            ("seal and open 64 B", "seal and open 64 B"),
            ("seal and open 5120 B", "seal and open 5,120 B"),
        ],
    },
    Table {
        columns: &[
            ("Armring", "Armring"),
            ("Armring, AWS-LC", "with AWS-LC"),
            ("COSE, dalek", "COSE"),
            ("Biscuit", "Biscuit"),
            ("PASETO", "PASETO"),
            ("JWT, AWS-LC", "JWT, AWS-LC"),
        ],
        rows: &[("mint a token", "mint a token"), ("verify a token", "verify a token")],
    },
];

/// README.md with the tables of this run; `None` where it has no place for them.
pub(super) fn inserted(readme: &str, rows: &[Row], machine: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{}{END}{after}", written(rows, machine)))
}

fn written(rows: &[Row], machine: &str) -> String {
    let mut text = String::new();
    for Table { columns, rows: names } in &TABLES {
        let heads: Vec<&str> = columns.iter().map(|(_, shown)| *shown).collect();
        let _ = writeln!(text, "| | {} |\n|---{}|", heads.join(" | "), "|---:".repeat(heads.len()));
        for (group, shown) in *names {
            let of = |name: &str| rows.iter().find(|row| row.group == *group && row.name == name);
            let cell = |(name, _): &(&str, &str)| of(name).map_or(String::new(), |row| time(row.nanoseconds));
            let cells: Vec<String> = columns.iter().map(cell).collect();
            let _ = writeln!(text, "| {shown} | {} |", cells.join(" | "));
        }
        text.push('\n');
    }
    let (reached, all) = page::reached(rows);
    let _ = writeln!(
        text,
        "Medians of the processor's time. {machine}. Of {all} figures that were to be reached, {reached} are;\n\
         [docs/benches.md](docs/benches.md) names them, and says why the others are not."
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::{MEASURED, read};

    #[test]
    fn the_place_between_the_lines_is_written_and_nothing_else() {
        let readme = format!("above\n{BEGIN}old\n{END}below\n");
        let written = inserted(&readme, &read(MEASURED).unwrap(), "A machine").unwrap();
        assert!(written.starts_with(&format!("above\n{BEGIN}| | Armring | with AWS-LC |")) && written.ends_with("below\n"));
        assert!(written.contains("\n| `XX`, both sides | 360 µs |  | 403 µs |  |  |\n"), "{written}");
        assert!(written.contains(" time. A machine. Of 2 figures that were to be reached, 1 are;\n") && !written.contains("old"));
        assert_eq!(inserted(&written, &read(MEASURED).unwrap(), "A machine").as_ref(), Some(&written));
        assert_eq!(inserted("no place", &[], ""), None);
    }
}
