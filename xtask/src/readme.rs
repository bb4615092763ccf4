//! What a README tells its reader to do: what to depend on, and programs to try.

/// How a block of dependencies begins, in the manifest of whoever follows the README.
const DEPENDENCIES: &str = "[dependencies]\n";

/// What the README says that the examples need: the block of TOML that begins with `[dependencies]`, without that line.
pub(crate) fn dependencies(readme: &str) -> Option<String> {
    blocks(readme, "toml").find_map(|block| block.strip_prefix(DEPENDENCIES).map(str::to_owned))
}

/// The examples as programs, as rustdoc makes them of blocks of code.
pub(crate) fn programs(readme: &str) -> Vec<String> {
    blocks(readme, "rust").map(|block| program(&block)).collect()
}

/// The blocks of code in this language and with no other word behind it.
fn blocks(text: &str, language: &str) -> impl Iterator<Item = String> {
    let fence = format!("\n```{language}\n");
    text.split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .map(|block| format!("{block}\n"))
        .collect::<Vec<_>>()
        .into_iter()
}

fn program(block: &str) -> String {
    let lines: Vec<&str> = block.lines().map(shown).collect();
    let code = lines.join("\n");
    if code.contains("fn main(") {
        return code;
    }
    // A block whose last line says the type of its error may use `?`.
    match lines.iter().rev().find(|line| !line.trim().is_empty()) {
        Some(last) if last.trim_start().starts_with("Ok::<") => format!(
            "fn main() {{\n    fn example() -> Result<(), impl core::fmt::Debug> {{\n{code}\n    }}\n    example().unwrap();\n}}\n"
        ),
        _ => format!("fn main() {{\n{code}\n}}\n"),
    }
}

/// A line that rustdoc compiles and does not show, without its mark.
fn shown(line: &str) -> &str {
    let code = line.trim_start();
    if code == "#" { "" } else { code.strip_prefix("# ").unwrap_or(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "\
# A crate

```toml
[dependencies]
a-crate = \"1\"
```

```rust
let one = a_crate::one()?;
# assert_eq!(one, 1);
# Ok::<(), a_crate::Error>(())
```

```rust,ignore
not a program
```

```rust
fn main() {}
```
";

    #[test]
    fn dependencies_are_those_that_are_shown() {
        assert_eq!(dependencies(README).as_deref(), Some("a-crate = \"1\"\n"));
        assert_eq!(dependencies("```toml\n[features]\n```\n"), None);
    }

    #[test]
    fn examples_become_programs_as_rustdoc_makes_them() {
        let programs = programs(README);
        let [first, second] = programs.as_slice() else { panic!("{programs:?}") };
        assert!(first.starts_with("fn main() {\n    fn example() -> Result<(), impl core::fmt::Debug> {\nlet one"), "{first}");
        assert!(first.contains("\nassert_eq!(one, 1);\nOk::<(), a_crate::Error>(())\n"), "{first}");
        assert_eq!(second, "fn main() {}");
    }
}
