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
    use super::*;

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
