//! The table of known attacks in SPEC.md: each has a test that exists, or a reason why it is not defended.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, bail};

use crate::packed;
use crate::workspace::{Workspace, output};

/// The heading under which the table stands.
const HEADING: &str = "## 14. Known attacks";
/// With these words a row says why there is no test.
const NOT_DEFENDED: &str = "Not defended:";

/// One attack of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    attack: &'a str,
    tests: Vec<&'a str>,
    not_defended: bool,
}

/// Compares the table with the tests that there are.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let spec = fs::read_to_string(workspace.root.join("SPEC.md")).context("SPEC.md")?;
    let rows = rows(&spec)?;
    let mut list = packed::light_tests(workspace);
    list.args(["--lib", "--bins", "--tests", "--", "--list", "--format", "terse"]);
    let list = String::from_utf8(output(&mut list)?.stdout).context("the list of tests is not text")?;
    let wrong = faults(&rows, &names(&list));
    if !wrong.is_empty() {
        bail!("the table of known attacks in SPEC.md is wrong:\n  {}", wrong.join("\n  "));
    }
    let undefended = rows.iter().filter(|row| row.not_defended).count();
    let tests: usize = rows.iter().map(|row| row.tests.len()).sum();
    eprintln!("{} attacks, {tests} tests named and found, {undefended} not defended and said why", rows.len());
    Ok(())
}

/// The rows of the table, its head left out.
fn rows(spec: &str) -> Result<Vec<Row<'_>>> {
    let (_, section) = spec.split_once(HEADING).with_context(|| format!("SPEC.md has no '{HEADING}'"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines: Vec<_> = section.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    if lines.is_empty() {
        bail!("the table of known attacks is empty");
    }
    lines.into_iter().map(|line| row(line).with_context(|| format!("not a row of three columns: {line}"))).collect()
}

fn row(line: &str) -> Option<Row<'_>> {
    let [attack, _, answer] = line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().try_into().ok()?;
    // What stands between backticks.
    let tests = answer.split('`').skip(1).step_by(2).collect();
    Some(Row { attack, tests, not_defended: answer.contains(NOT_DEFENDED) })
}

/// The last parts of the names of all tests.
fn names(list: &str) -> BTreeSet<&str> {
    let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
    tests.filter_map(|path| path.rsplit("::").next()).collect()
}

fn faults(rows: &[Row<'_>], names: &BTreeSet<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    for Row { attack, tests, not_defended } in rows {
        if tests.is_empty() && !not_defended {
            faults.push(format!("'{attack}' has neither a test nor the words '{NOT_DEFENDED}'"));
        }
        let missing = tests.iter().filter(|test| !names.contains(*test));
        faults.extend(missing.map(|test| format!("'{attack}': there is no test `{test}`")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "\
## 14. Known attacks
Words.

| attack | answer | test |
|---|---|---|
| ground SAS | commitment | `sas_is_not_ground`, `nor_is_it_chosen` |
| physics | none | Not defended: nobody can |

## 15. More
| not | a | row |
";

    #[test]
    fn rows_are_read_and_compared() {
        let rows = rows(SPEC).unwrap();
        assert_eq!(rows.len(), 2);
        let list = "pair::sas_is_not_ground: test\nnor_is_it_chosen: test\nspeed: benchmark\n";
        assert_eq!(faults(&rows, &names(list)), Vec::<String>::new());
        let fewer = faults(&rows, &names("nor_is_it_chosen: test\n"));
        assert_eq!(fewer, ["'ground SAS': there is no test `sas_is_not_ground`"]);
    }

    #[test]
    fn a_row_without_a_test_or_a_reason_is_a_fault() {
        let spec = SPEC.replace("Not defended: nobody can", "we trust");
        let rows = rows(&spec).unwrap();
        assert_eq!(faults(&rows, &names("a: test\n")).len(), 3);
    }

    #[test]
    fn a_spec_without_the_table_is_an_error() {
        assert!(rows("# Nothing").is_err());
        assert!(rows("## 14. Known attacks\n\nNone.\n").is_err());
    }
}
