//! What SPEC.md says, for stories that quote it.

const SPEC: &str = include_str!("../../../../SPEC.md");

/// The section whose table has a row for each known attack.
const ATTACKS: u32 = 14;

/// How a section is referred to for these words, which must stand in it: in the table of attacks, as the beginning of a row. `None` where they do
/// not.
pub(super) fn quote(section: u32, words: &str) -> Option<String> {
    let text = text(section)?;
    if section == ATTACKS {
        let is_meant = |line: &&str| line.strip_prefix("| ").is_some_and(|row| row.starts_with(words));
        let row = text.lines().find(is_meant)?.trim_matches('|').split('|').next()?.trim();
        return Some(format!("SPEC.md §{section}, row '{row}'"));
    }
    flat(text).contains(&flat(words)).then(|| format!("SPEC.md §{section}: '{words}'"))
}

/// A section, without its heading.
fn text(section: u32) -> Option<&'static str> {
    let (_, rest) = SPEC.split_once(&format!("\n## {section}. "))?;
    let (_, text) = rest.split_once('\n')?;
    text.split("\n## ").next()
}

/// Words with single spaces between them, as they read: without marks of emphasis.
fn flat(text: &str) -> String {
    text.replace(['*', '`'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::story::language::{Action, read};

    #[test]
    fn all_that_stories_quote_stands_in_the_specification() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories");
        let mut quotes = 0;
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let lines = read(&fs::read_to_string(&path).unwrap()).unwrap();
            let attacks = lines.iter().any(|line| matches!(line.action, Action::Attack(_)));
            let quoted = lines.iter().filter_map(|line| match &line.action {
                Action::Quote { section, words, .. } => Some((*section, words)),
                _ => None,
            });
            let before = quotes;
            for (section, words) in quoted {
                assert!(quote(section, words).is_some(), "{}: section {section} does not say '{words}'", path.display());
                quotes += 1;
            }
            assert!(!attacks || quotes > before, "{} does not say what stops its attacks", path.display());
        }
        assert!(quotes > 40, "only {quotes} quotes");
    }

    #[test]
    fn words_are_found_in_their_section_alone() {
        assert_eq!(quote(14, "a cloned").as_deref(), Some("SPEC.md §14, row 'a cloned band'"));
        assert_eq!(quote(14, "cloned band"), None, "not the beginning of a row");
        assert_eq!(quote(9, "whoever is first has the link").as_deref(), Some("SPEC.md §9: 'whoever is first has the link'"),);
        assert!(quote(9, "second connection or timeout closes it, visibly").is_some(), "over the end of a line");
        assert_eq!(quote(10, "whoever is first has the link"), None);
        assert_eq!(quote(99, ""), None);
    }
}
