//! The language that stories are written in: one line for one thing that happens, read whole before anything is played.
//!
//! ```text
//! a line ──tokens──▶ words, texts ──pattern, for each entry of the table──▶ values ──make──▶ Action
//! ```

mod action;
mod args;
mod pattern;
mod problem;
mod reference;
mod scope;
mod slot;
mod table;
mod tokens;

pub(crate) use self::action::{Action, Attack, Device, Door, Equipment, Face, Line, Pairing, Wanted};
pub(crate) use self::problem::Problem;
pub(crate) use self::reference::{EXAMPLE, help, reference};
pub(crate) use self::scope::Scope;

use self::args::Args;
use self::pattern::Parted;
use self::scope::Role;
use self::slot::Expected;
use self::table::{Verb, verbs};
use self::tokens::{Token, tokens};

/// Reads a whole story.
///
/// # Errors
/// The first line that does not fit.
pub(crate) fn read(text: &str) -> Result<Vec<Line>, Problem> {
    let mut scope = Scope::default();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        lines.extend(read_line(line, number, &mut scope)?);
    }
    Ok(lines)
}

/// Reads one line. `None` where there is nothing on it.
///
/// # Errors
/// What was expected where it does not fit. `scope` is then as it was.
pub(crate) fn read_line(line: &str, number: usize, scope: &mut Scope) -> Result<Option<Line>, Problem> {
    let problem = |message: String| Problem::new(number, line, message);
    let tokens = tokens(line).map_err(problem)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let (named, rest) = match tokens.as_slice() {
        [name, Token::Mark(':'), rest @ ..] => (Some(name.name().unwrap_or_default()), rest),
        all => (None, all),
    };
    let role = named.map(|name| scope.role(name).ok_or_else(|| Problem::stranger(number, line, name, scope))).transpose()?;
    let (mut parted, before) = (Vec::<Parted>::new(), tokens.len() - rest.len());
    for verb in may_say(role) {
        match pattern::read(verb.pattern, rest, scope) {
            Ok(values) => {
                let who = named.or_else(|| scope.last(verb.role)).ok_or_else(|| problem(whose(verb)))?.to_owned();
                let action =
                    (verb.make)(&mut Args::new(values)).ok_or_else(|| problem(format!("'{}' is not in order", verb.pattern)))?;
                scope.follow(&who, &action);
                return Ok(Some(Line { number, who, action }));
            }
            Err(other) => parted.push(other),
        }
    }
    let at = parted.iter().map(|parted| parted.at).max().unwrap_or_default();
    let expected = parted.into_iter().filter(|parted| parted.at == at).flat_map(|parted| parted.expected).collect();
    Err(Problem::parted(number, line, tokens.get(before + at), expected))
}

/// The words that may stand at the end of `line`, whose last word may be begun; with the place in it where that begins.
pub(crate) fn complete(line: &str, scope: &Scope) -> (usize, Vec<String>) {
    let opened = line.match_indices('"').map(|(place, _)| place).enumerate().filter(|(nth, _)| nth % 2 == 0).last();
    let closed = line.matches('"').count().is_multiple_of(2);
    let place = match opened {
        Some((_, place)) if !closed => place,
        _ => line.rfind(char::is_whitespace).map_or(0, |space| space + 1),
    };
    let (whole, begun) = line.split_at_checked(place).unwrap_or((line, ""));
    let Ok(tokens) = tokens(whole) else { return (place, Vec::new()) };
    let (role, rest) = match tokens.as_slice() {
        [name, Token::Mark(':'), rest @ ..] => (scope.role(name.name().unwrap_or_default()), rest),
        all => (None, all),
    };
    let mut words: Vec<String> = Vec::new();
    for verb in may_say(role) {
        let expected = pattern::next(verb.pattern, rest, scope);
        words.extend(expected.into_iter().filter_map(|expected| match expected {
            Expected::Word(word) => Some(quoted(&word)),
            Expected::Kind(_) => None,
        }));
    }
    if tokens.is_empty() {
        words.extend(scope.people.iter().chain(&scope.shops).map(|name| format!("{}:", quoted(name))));
        words.push(format!("{}:", scope::ISSUER));
    }
    words.retain(|word| word.starts_with(begun));
    words.sort();
    words.dedup();
    (place, words)
}

/// What a line may say that begins with the name of such a one, or with none.
fn may_say(role: Option<Role>) -> impl Iterator<Item = &'static Verb> {
    verbs().filter(move |verb| role.is_none_or(|role| verb.role == role))
}

fn whose(verb: &Verb) -> String {
    let who = if verb.role == Role::Shop { "a shop: open \"Tea House\"" } else { "somebody: enter Mei with a band" };
    format!("nobody is here who could do that; first comes {who}")
}

/// A word as it stands in a line.
fn quoted(name: &str) -> String {
    if name.contains(|c: char| c.is_whitespace() || ":,\"#".contains(c)) { format!("\"{name}\"") } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
