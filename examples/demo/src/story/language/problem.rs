//! A line that does not fit: where it stands, what was found, what was expected.

use std::fmt;

use super::quoted;
use super::scope::{ISSUER, Scope};
use super::slot::Expected;
use super::tokens::Token;

/// How many letters of a word may be wrong for it to be taken for another.
const SIMILAR: usize = 2;

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line's number in the file, from 1.
    pub(crate) number: usize,
    line: String,
    message: String,
}

impl Problem {
    pub(super) fn new(number: usize, line: &str, message: String) -> Self {
        Self { number, line: line.trim().to_owned(), message }
    }

    /// The line begins with the name of nobody who is there.
    pub(super) fn stranger(number: usize, line: &str, name: &str, scope: &Scope) -> Self {
        let known: Vec<String> = scope.people.iter().chain(&scope.shops).cloned().chain([ISSUER.to_owned()]).collect();
        let meant = similar(name, &known);
        let message = format!("nobody here is called {name}{meant}\n   here are: {}", known.join(", "));
        Self::new(number, line, message)
    }

    /// The line stops to fit at `found`, or at its end.
    pub(super) fn parted(number: usize, line: &str, found: Option<&Token>, expected: Vec<Expected>) -> Self {
        let (mut words, mut kinds) = (Vec::new(), Vec::new());
        for expected in expected {
            match expected {
                Expected::Word(word) => words.push(quoted(&word)),
                Expected::Kind(kind) => kinds.push(kind.to_owned()),
            }
        }
        let meant = found.and_then(Token::name).map(|found| similar(found, &words)).unwrap_or_default();
        words.sort();
        words.dedup();
        kinds.dedup();
        words.extend(kinds);
        let found =
            found.map_or_else(|| "the line ends too early".to_owned(), |found| format!("{} does not belong here", found.shown()));
        let expected = if words.is_empty() { "the end of the line".to_owned() } else { words.join(", ") };
        Self::new(number, line, format!("{found}{meant}\n   expected: {expected}"))
    }

    /// The same of the file that it is in.
    pub(crate) fn of(&self, file: &str) -> String {
        format!("{file}:{}: {self}", self.number)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, more) = self.message.split_once('\n').unwrap_or((&self.message, ""));
        write!(f, "{first}\n   {}", self.line)?;
        if more.is_empty() { Ok(()) } else { write!(f, "\n{more}") }
    }
}

/// The word that was probably meant.
fn similar(found: &str, words: &[String]) -> String {
    let distance = |word: &String| strsim::osa_distance(&found.to_lowercase(), &word.trim_matches('"').to_lowercase());
    match words.iter().map(|word| (distance(word), word)).min() {
        Some((letters, word)) if letters <= SIMILAR && letters < found.chars().count() => format!(": did you mean {word}?"),
        _ => String::new(),
    }
}
