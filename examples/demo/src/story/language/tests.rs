//! How stories are read, and what is said of those that cannot be.

use std::fs;
use std::path::Path;

use super::*;

const CAST: &str = "open \"Tea House\"\nenter Mei with a band and 50 CNY\n";

fn problem(line: &str) -> String {
    read(&format!("{CAST}{line}\n")).unwrap_err().of("tea.story")
}

#[test]
fn a_line_without_a_name_is_about_whoever_was_named_last() {
    let lines = read(&format!("{CAST}enter Lin with a band\nMei: press\npress\nLin: press\npress\n")).unwrap();
    let who: Vec<&str> = lines.iter().skip(3).map(|line| line.who.as_str()).collect();
    assert_eq!(who, ["Mei", "Mei", "Lin", "Lin"]);
    assert_eq!(lines.last().unwrap().number, 7);
}

#[test]
fn a_line_that_does_not_fit_says_where_it_is_and_what_was_expected() {
    assert_eq!(
        problem("Mei: pay 12.50 CNY two \"Tea House\""),
        "tea.story:3: 'two' does not belong here: did you mean to?\n   Mei: pay 12.50 CNY two \"Tea House\"\n   expected: to"
    );
    assert_eq!(
        problem("Mei: pay 12.50 CNY to \"Coffee House\""),
        "tea.story:3: \"Coffee House\" does not belong here\n   Mei: pay 12.50 CNY to \"Coffee House\"\n   expected: \"Tea House\", Mei"
    );
    assert!(problem("wait 2").contains("the line ends too early"));
    assert!(problem("wait 2").contains("expected: a time, such as"));
    assert!(problem("Mei: prss").contains("did you mean press?"), "{}", problem("Mei: prss"));
}

#[test]
fn a_line_about_a_stranger_is_refused() {
    assert!(problem("Mai: press").starts_with("tea.story:3: nobody here is called Mai: did you mean Mei?"));
    let nobody = read("press\n").unwrap_err().to_string();
    assert!(nobody.contains("nobody is here who could do that"), "{nobody}");
    assert!(problem("enter Mei with a band").contains("a name that nobody has yet"));
}

#[test]
fn every_entry_of_the_table_reads_its_own_example_and_no_two_read_the_same() {
    for verb in verbs() {
        for line in examples(verb.pattern) {
            let mut scope = Scope {
                people: vec!["Mei".into()],
                shops: vec!["Tea".into()],
                attackers: vec!["Eve".into()],
                ..Scope::default()
            };
            (scope.last_person, scope.last_shop) = (Some("Mei".into()), Some("Tea".into()));
            scope.last_attacker = Some("Eve".into());
            let read_it = |verb: &Verb| pattern::read(verb.pattern, &tokens(&line).unwrap(), &scope).is_ok();
            let readers: Vec<&str> = verbs().filter(|verb| read_it(verb)).map(|verb| verb.pattern).collect();
            assert_eq!(readers, [verb.pattern], "{line}");
            let read = read_line(&line, 1, &mut scope).unwrap();
            assert!(read.is_some(), "{line}");
        }
    }
}

/// A line for this pattern with all that may be left out, and one without.
fn examples(pattern: &str) -> [String; 2] {
    let with = pattern.replace(['[', ']'], "");
    let without: String = pattern.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect();
    [with, without].map(|line| {
        let word = |word: &str| match word {
            "NEW" => "Bo".to_owned(),
            "PERSON" | "PAYEE" => "Mei".to_owned(),
            "PERSON's" => "Mei's".to_owned(),
            "SHOP" => "Tea".to_owned(),
            "TEXT" => "\"words\"".to_owned(),
            "AMOUNT" => "1.50 CNY".to_owned(),
            "DURATION" => "2 h".to_owned(),
            "NUMBER" => "14".to_owned(),
            "BALANCES" => "Mei 1 CNY, Tea 2 CNY".to_owned(),
            other => other.to_owned(),
        };
        line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn completion_offers_what_fits_and_begins_like_that() {
    let mut scope = Scope::default();
    for line in CAST.lines() {
        read_line(line, 1, &mut scope).unwrap();
    }
    let complete = |line| complete(line, &scope).1;
    assert_eq!(complete("Mei: pay 5 CNY "), ["to"]);
    assert_eq!(complete("Mei: pay 5 CNY to "), ["\"Tea House\"", "Mei"]);
    assert_eq!(complete("Mei: pay 5 CNY to \"Tea Ho"), ["\"Tea House\""], "a text may be begun");
    assert_eq!(complete("enter Bo with a pho"), ["phone"]);
    assert!(complete("M").contains(&"Mei:".to_owned()));
    assert_eq!(complete("nonsense "), Vec::<String>::new());
}

#[test]
fn the_reference_beside_the_stories_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("STORIES.md");
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == reference(), "{} is not what `cargo demo --script-help` prints", path.display());
}

#[test]
fn every_entry_of_the_table_is_played_by_a_story() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories");
    let mut unused: Vec<&str> = verbs().map(|verb| verb.pattern).collect();
    for entry in fs::read_dir(folder).unwrap() {
        let (text, mut scope) = (fs::read_to_string(entry.unwrap().path()).unwrap(), Scope::default());
        for line in text.lines() {
            let tokens = tokens(line).unwrap();
            let said = tokens.iter().position(|token| *token == Token::Mark(':')).map_or(0, |colon| colon + 1);
            unused.retain(|pattern| pattern::read(pattern, &tokens[said..], &scope).is_err());
            read_line(line, 1, &mut scope).unwrap();
        }
    }
    assert!(unused.is_empty(), "no story has a line like: {unused:#?}");
}
