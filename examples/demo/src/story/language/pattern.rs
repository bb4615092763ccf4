//! What a line may look like: words, places in capitals, and what may be left out in brackets. The same pattern reads lines, says what it
//! expected where one does not fit, offers what may come next, and stands in the reference.

use super::scope::Scope;
use super::slot::{Expected, Slot, Value};
use super::tokens::Token;

enum Item<'p> {
    Word(&'p str),
    Slot(Slot),
    /// May be left out, if it does not begin with its word.
    Optional(Vec<Item<'p>>),
}

/// Where a pattern and a line part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parted {
    /// At this token, which may be the end of the line.
    pub(crate) at: usize,
    pub(crate) expected: Vec<Expected>,
}

/// What filled the places of a pattern, in order. One that was left out is `None`.
pub(crate) type Values = Vec<Option<Value>>;

/// Reads a line.
///
/// # Errors
/// Where it parts from the pattern.
pub(crate) fn read(pattern: &str, tokens: &[Token], scope: &Scope) -> Result<Values, Parted> {
    let mut reader = Reader { tokens, scope, at: 0, values: Vec::new(), optional: Vec::new() };
    reader.all(&items(pattern))?;
    if reader.at < tokens.len() {
        return Err(reader.part(Vec::new()));
    }
    Ok(reader.values)
}

/// What may follow a line that has been read as far as that; with whether it may end here.
pub(crate) fn next(pattern: &str, tokens: &[Token], scope: &Scope) -> Vec<Expected> {
    let mut reader = Reader { tokens, scope, at: 0, values: Vec::new(), optional: Vec::new() };
    match reader.all(&items(pattern)) {
        Err(parted) if parted.at == tokens.len() => parted.expected,
        Ok(()) if reader.at == tokens.len() => reader.part(Vec::new()).expected,
        _ => Vec::new(),
    }
}

struct Reader<'l> {
    tokens: &'l [Token],
    scope: &'l Scope,
    at: usize,
    values: Values,
    /// What may also have stood where.
    optional: Vec<(usize, Expected)>,
}

impl Reader<'_> {
    fn all(&mut self, items: &[Item<'_>]) -> Result<(), Parted> {
        items.iter().try_for_each(|item| self.item(item))
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Parted> {
        match item {
            Item::Word(word) => {
                if !self.tokens.get(self.at).is_some_and(|token| token.is_word(word)) {
                    return Err(self.part(vec![Expected::Word((*word).to_owned())]));
                }
                self.at += 1;
            }
            Item::Slot(slot) => match slot.read(self.tokens.get(self.at..).unwrap_or_default(), self.scope) {
                Ok((value, taken)) => {
                    self.at += taken;
                    self.values.push(Some(value));
                }
                Err(good) => {
                    let parted = self.part(slot.expected(self.scope));
                    return Err(Parted { at: parted.at + good, ..parted });
                }
            },
            Item::Optional(group) => {
                let begins = match group.first() {
                    Some(Item::Word(word)) => {
                        self.optional.push((self.at, Expected::Word((*word).to_owned())));
                        self.tokens.get(self.at).is_some_and(|token| token.is_word(word))
                    }
                    Some(Item::Slot(slot)) => {
                        self.optional.extend(slot.expected(self.scope).into_iter().map(|expected| (self.at, expected)));
                        slot.read(self.tokens.get(self.at..).unwrap_or_default(), self.scope).is_ok()
                    }
                    _ => false,
                };
                if begins {
                    return self.all(group);
                }
                self.values.extend(group.iter().filter(|item| matches!(item, Item::Slot(_))).map(|_| None));
            }
        }
        Ok(())
    }

    /// The line and the pattern part here, where any of these was expected.
    fn part(&self, mut expected: Vec<Expected>) -> Parted {
        expected.extend(self.optional.iter().filter(|(at, _)| *at == self.at).map(|(_, expected)| expected.clone()));
        Parted { at: self.at, expected }
    }
}

fn items(pattern: &str) -> Vec<Item<'_>> {
    let (mut items, mut group) = (Vec::new(), None);
    for piece in pattern.split_whitespace() {
        let (opens, closes) = (piece.starts_with('['), piece.ends_with(']'));
        let word = piece.trim_matches(['[', ']']);
        let item = Slot::named(word).map_or(Item::Word(word), Item::Slot);
        if opens {
            group = Some(Vec::new());
        }
        group.as_mut().unwrap_or(&mut items).push(item);
        if closes {
            items.extend(group.take().map(Item::Optional));
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::language::tokens::tokens;

    const PAY: &str = "pay NUMBER to PAYEE [for TEXT] [again]";

    fn scope() -> Scope {
        Scope { people: vec!["Mei".into()], shops: vec!["Tea House".into()], ..Scope::default() }
    }

    fn word(word: &str) -> Expected {
        Expected::Word(word.to_owned())
    }

    #[test]
    fn what_is_left_out_has_no_value() {
        let read = |line: &str| read(PAY, &tokens(line).unwrap(), &scope());
        let (number, payee) = (Some(Value::Number(5)), Some(Value::Name("Mei".into())));
        assert_eq!(read("pay 5 to Mei again"), Ok(vec![number.clone(), payee.clone(), None]));
        assert_eq!(read("pay 5 to Mei for \"tea\""), Ok(vec![number, payee, Some(Value::Text("tea".into()))]));
    }

    #[test]
    fn a_line_parts_where_it_first_differs_and_all_that_fits_there_is_named() {
        let parted = |line: &str| read(PAY, &tokens(line).unwrap(), &scope()).unwrap_err();
        assert_eq!(parted("pay 5 two Mei"), Parted { at: 2, expected: vec![word("to")] });
        assert_eq!(parted("pay 5 to Bo"), Parted { at: 3, expected: vec![word("Tea House"), word("Mei")] });
        assert_eq!(parted("pay 5 to Mei four"), Parted { at: 4, expected: vec![word("for"), word("again")] });
        assert_eq!(parted("pay"), Parted { at: 1, expected: vec![Expected::Kind("a whole number")] });
    }

    #[test]
    fn what_comes_next_is_offered_only_after_what_fits() {
        let next = |line: &str| next(PAY, &tokens(line).unwrap(), &scope());
        assert_eq!(next(""), [word("pay")]);
        assert_eq!(next("pay 5"), [word("to")]);
        assert_eq!(next("pay 5 to Mei"), [word("for"), word("again")]);
        assert_eq!(next("receive"), []);
        assert_eq!(next("pay 5 to Mei again"), []);
    }
}
