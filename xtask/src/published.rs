//! What tracked files must not contain: paths of the machine or the home on which they were written, and packages from
//! elsewhere than crates.io, which nobody else could fetch.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, output};

/// First components of paths which are somebody's home wherever they occur.
const HOMES: [&str; 3] = ["home", "Users", "root"];

/// First components that exist on any Unix machine and give nothing away.
const COMMON: [&str; 17] = [
    "bin", "boot", "dev", "etc", "lib", "lib64", "media", "mnt", "opt", "private", "proc", "run", "sbin", "sys", "tmp", "usr",
    "var",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Reads every file that git tracks, or would with `git add --all`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&workspace.root);
    let files = output(&mut git).context("which files are published is asked of git")?.stdout;
    let files = String::from_utf8(files).context("a file's name is not Unicode")?;

    let (mut read, mut found) = (0, Vec::new());
    for file in files.split_terminator('\0') {
        // Deleted but still tracked, or not text: nothing to read.
        let Ok(text) = fs::read_to_string(workspace.root.join(file)) else { continue };
        read += 1;
        for (number, line) in (1..).zip(text.lines()) {
            found.extend(machine_path(line, Path::exists).map(|path| format!("{file}:{number}: {path}")));
            if file.ends_with("Cargo.lock") {
                found.extend(foreign_source(line).map(|source| format!("{file}:{number}: {source}")));
            }
        }
    }
    if read == 0 {
        bail!("git names no files: nothing was checked");
    }
    if !found.is_empty() {
        bail!("paths and sources that mean nothing on another machine:\n  {}", found.join("\n  "));
    }
    eprintln!("{read} files");
    Ok(())
}

/// The first absolute path in the line that is a home, or that exists here and not on every machine.
fn machine_path(line: &str, exists: fn(&Path) -> bool) -> Option<&str> {
    let mut absolute = line.match_indices('/').filter_map(|(at, _)| path_at(line, at));
    absolute.find(|path| is_of_machine(path, exists)).or_else(|| {
        // A drive's letter, a colon, and Users; in source text the backslash is written twice.
        let at = [r"\Users", r"\\Users"].iter().find_map(|users| line.find(&format!(":{users}\\")))?;
        line.get(at.saturating_sub(1)..)
    })
}

/// The absolute path that starts at this slash, unless the slash stands inside of a relative path or an address.
fn path_at(line: &str, at: usize) -> Option<&str> {
    let (before, rest) = line.split_at_checked(at)?;
    let inside = |c: char| c.is_alphanumeric() || "._-~/)}>]*$".contains(c);
    if rest.starts_with("//") || before.ends_with(inside) && !before.ends_with("file://") {
        return None;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && !"/._-+@".contains(c)).unwrap_or(rest.len());
    rest.get(..end)
}

fn is_of_machine(path: &str, exists: fn(&Path) -> bool) -> bool {
    let mut parts = path.split('/').skip(1).filter(|part| !part.is_empty());
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else { return false };
    HOMES.contains(&first) || !COMMON.contains(&first) && exists(&Path::new("/").join(first).join(second))
}

/// The source of a locked package that is not crates.io.
fn foreign_source(line: &str) -> Option<&str> {
    let source = line.strip_prefix("source = \"")?.trim_end_matches('"');
    (source != CRATES_IO).then_some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a path together, so that this file does not contain it.
    fn home(start: &str, rest: &str) -> String {
        format!("{start}/{}/{rest}", HOMES.first().unwrap())
    }

    fn nothing_exists(_: &Path) -> bool {
        false
    }

    #[test]
    fn homes_are_found_wherever_they_stand() {
        for start in ["", "see ", "`", "(", "PATH=", "a:", "file://"] {
            let line = home(start, "somebody/notes");
            assert!(machine_path(&line, nothing_exists).is_some(), "{line}");
        }
        let drive = format!(r"C:\{}\somebody\notes", "Users");
        assert!(machine_path(&drive, nothing_exists).is_some(), "{drive}");
    }

    #[test]
    fn a_path_that_exists_here_and_not_everywhere_is_found() {
        let exists = |path: &Path| path == Path::new("/builds/armring");
        assert_eq!(machine_path("in /builds/armring/src, say", exists), Some("/builds/armring/src"));
        assert_eq!(machine_path("in /builds/other/src", exists), None);
    }

    #[test]
    fn addresses_relative_paths_and_common_places_pass() {
        let relative = home("docs", "index.md");
        let address = home("https://example.org", "page");
        for line in ["/target", "/usr/bin/cc", "/tmp/armring/log", "a / b / c", "// words", &relative, &address] {
            assert_eq!(machine_path(line, |_| true), None, "{line}");
        }
    }

    #[test]
    fn only_crates_io_is_a_source() {
        assert_eq!(foreign_source(&format!("source = \"{CRATES_IO}\"")), None);
        assert_eq!(foreign_source("source = \"git+https://example.org/x#1\""), Some("git+https://example.org/x#1"));
    }
}
