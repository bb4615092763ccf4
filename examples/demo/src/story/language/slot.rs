//! The places in a pattern: what belongs there, and how it is read.

use armring_wire::{Amount, Currency};

use super::scope::Scope;
use super::tokens::Token;

/// A place in a pattern, in capitals there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Somebody who is not here yet.
    New,
    Person,
    Shop,
    Payee,
    Owner,
    Text,
    Amount,
    Number,
    Duration,
    Balances,
}

/// What filled a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Name(String),
    Text(String),
    Amount(Amount),
    Number(u32),
    /// Seconds.
    Duration(u64),
    /// Names with minor units.
    Balances(Vec<(String, i64)>),
}

/// What may stand in a place of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// This word, or this name.
    Word(String),
    /// Anything of this kind.
    Kind(&'static str),
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const UNITS: [(&str, u64); 10] = [
    ("s", SECOND),
    ("min", MINUTE),
    ("h", HOUR),
    ("day", DAY),
    ("days", DAY),
    ("second", SECOND),
    ("seconds", SECOND),
    ("minutes", MINUTE),
    ("hour", HOUR),
    ("hours", HOUR),
];

impl Slot {
    /// All places with their names in patterns and what belongs there.
    pub(crate) const ALL: [(&'static str, Self, &'static str); 10] = [
        ("NEW", Self::New, "a name that nobody has yet, in double quotes if it is more than one word"),
        ("PERSON", Self::Person, "the name of a person who has entered"),
        ("SHOP", Self::Shop, "the name of a shop that has opened"),
        ("PAYEE", Self::Payee, "the name of a shop that has opened, or of a person"),
        ("PERSON's", Self::Owner, "the name of a person with 's behind it"),
        ("TEXT", Self::Text, "a text in double quotes"),
        ("AMOUNT", Self::Amount, "an amount, such as 12.50 CNY"),
        ("NUMBER", Self::Number, "a whole number"),
        ("DURATION", Self::Duration, "a time, such as 30 s, 15 min, 2 h or 3 days"),
        ("BALANCES", Self::Balances, "names with amounts, such as Mei 487.50 CNY, Lin 200 CNY"),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == name).map(|(_, slot, _)| *slot)
    }

    /// What may stand here now.
    pub(crate) fn expected(self, scope: &Scope) -> Vec<Expected> {
        let words = |names: &mut dyn Iterator<Item = &String>| names.cloned().map(Expected::Word).collect::<Vec<_>>();
        let mut expected = match self {
            Self::Person => words(&mut scope.people.iter()),
            Self::Shop => words(&mut scope.shops.iter()),
            Self::Payee => words(&mut scope.shops.iter().chain(&scope.people)),
            Self::Owner => scope.people.iter().map(|name| Expected::Word(format!("{name}'s"))).collect(),
            _ => Vec::new(),
        };
        if expected.is_empty() {
            let kind = Self::ALL.iter().find(|(_, slot, _)| *slot == self).map_or("", |(.., kind)| *kind);
            expected.push(Expected::Kind(kind));
        }
        expected
    }

    /// Reads what stands here from the front of `tokens`. Gives it with the number of tokens that it took; or how many were as they should be.
    pub(crate) fn read(self, tokens: &[Token], scope: &Scope) -> Result<(Value, usize), usize> {
        let first = tokens.first().ok_or(0_usize)?;
        let known = |names: &[String]| {
            let name = first.name().filter(|name| names.iter().any(|known| known == name))?;
            Some((Value::Name(name.to_owned()), 1))
        };
        match self {
            Self::New => first.name().filter(|name| scope.is_free(name)).map(|name| (Value::Name(name.to_owned()), 1)),
            Self::Person => known(&scope.people),
            Self::Shop => known(&scope.shops),
            Self::Payee => known(&scope.people).or_else(|| known(&scope.shops)),
            Self::Owner => first
                .name()
                .and_then(|name| name.strip_suffix("'s"))
                .and_then(|name| scope.people.iter().any(|known| known == name).then(|| (Value::Name(name.to_owned()), 1))),
            Self::Text => match first {
                Token::Text(text) => Some((Value::Text(text.clone()), 1)),
                _ => None,
            },
            Self::Number => number(first).and_then(|number| Some((Value::Number(u32::try_from(number).ok()?), 1))),
            Self::Amount => return amount(tokens).map(|minor| (Value::Amount(Amount::new(minor, Currency::CNY)), 2)),
            Self::Duration => return duration(tokens).map(|seconds| (Value::Duration(seconds), 2)),
            Self::Balances => return balances(tokens, scope),
        }
        .ok_or(0)
    }
}

fn number(token: &Token) -> Option<u64> {
    match token {
        Token::Word(word) if word.bytes().all(|byte| byte.is_ascii_digit()) => word.parse().ok(),
        _ => None,
    }
}

fn amount(tokens: &[Token]) -> Result<u64, usize> {
    let Some(Token::Word(word)) = tokens.first() else { return Err(0) };
    let minor = minor_units(word).ok_or(0_usize)?;
    // The issuer of the demo keeps its accounts in one currency.
    tokens.get(1).filter(|unit| unit.is_word("CNY")).map(|_| minor).ok_or(1)
}

/// `12.50`, `12.5` or `12` in hundredths.
fn minor_units(word: &str) -> Option<u64> {
    let (whole, hundredths) = word.split_once('.').unwrap_or((word, "00"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(hundredths) || hundredths.len() > 2 {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(format!("{hundredths:0<2}").parse().ok()?)
}

fn duration(tokens: &[Token]) -> Result<u64, usize> {
    let count = tokens.first().and_then(number).ok_or(0_usize)?;
    let Some(Token::Word(unit)) = tokens.get(1) else { return Err(1) };
    let (_, seconds) = UNITS.iter().find(|(name, _)| name == unit).ok_or(1_usize)?;
    count.checked_mul(*seconds).ok_or(0)
}

/// Names with amounts and commas between them, to the end of the line.
fn balances(tokens: &[Token], scope: &Scope) -> Result<(Value, usize), usize> {
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        let name = tokens.get(at).and_then(Token::name).filter(|name| !scope.is_free(name)).ok_or(at)?;
        let minor = amount(tokens.get(at + 1..).unwrap_or_default()).map_err(|more| at + 1 + more)?;
        found.push((name.to_owned(), i64::try_from(minor).map_err(|_| at + 1)?));
        at += 3;
        match tokens.get(at) {
            Some(Token::Mark(',')) => at += 1,
            _ => return Ok((Value::Balances(found), at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::language::tokens::tokens;

    fn read(slot: Slot, line: &str) -> Result<(Value, usize), usize> {
        let scope = Scope { people: vec!["Mei".into(), "Lin".into()], shops: vec!["Tea House".into()], ..Scope::default() };
        slot.read(&tokens(line).unwrap(), &scope)
    }

    #[test]
    fn amounts_are_read_to_the_hundredth_and_no_further() {
        for (line, minor) in [("12.50 CNY", 12_50), ("12.5 CNY", 12_50), ("0.05 CNY", 5), ("500 CNY", 500_00)] {
            assert_eq!(read(Slot::Amount, line), Ok((Value::Amount(Amount::new(minor, Currency::CNY)), 2)), "{line}");
        }
        for wrong in
            ["12.505 CNY", "12. CNY", ".5 CNY", "-1 CNY", "1e3 CNY", "99999999999999999999 CNY", "184467440737095517 CNY"]
        {
            assert_eq!(read(Slot::Amount, wrong), Err(0), "{wrong}");
        }
        assert_eq!(read(Slot::Amount, "12.50 EUR"), Err(1), "the currency is what is wrong");
        assert_eq!(read(Slot::Amount, "12.50"), Err(1));
    }

    #[test]
    fn times_have_a_unit() {
        for (line, seconds) in [("30 s", 30), ("15 min", 900), ("2 h", 7200), ("1 day", 86_400), ("3 days", 259_200)] {
            assert_eq!(read(Slot::Duration, line), Ok((Value::Duration(seconds), 2)), "{line}");
        }
        assert_eq!(read(Slot::Duration, "2 fortnights"), Err(1));
        assert_eq!(read(Slot::Duration, "soon"), Err(0));
    }

    #[test]
    fn names_are_of_those_who_are_there() {
        assert_eq!(read(Slot::Person, "Mei"), Ok((Value::Name("Mei".into()), 1)));
        assert_eq!(read(Slot::Person, "\"Tea House\""), Err(0));
        assert_eq!(read(Slot::Payee, "\"Tea House\""), Ok((Value::Name("Tea House".into()), 1)));
        assert_eq!(read(Slot::Owner, "Lin's"), Ok((Value::Name("Lin".into()), 1)));
        assert_eq!(read(Slot::New, "Mei"), Err(0), "there is a Mei already");
        assert_eq!(read(Slot::New, "issuer"), Err(0), "there is one issuer");
    }

    #[test]
    fn balances_are_names_with_amounts_and_say_where_they_are_wrong() {
        let expected = Value::Balances(vec![("Mei".into(), 4_00), ("Tea House".into(), 0)]);
        assert_eq!(read(Slot::Balances, "Mei 4 CNY, \"Tea House\" 0 CNY"), Ok((expected, 7)));
        assert_eq!(read(Slot::Balances, "Mei 4 CNY, Bo 1 CNY"), Err(4));
        assert_eq!(read(Slot::Balances, "Mei 4 CNY, Lin much"), Err(5));
    }
}
