//! The language: one entry for each thing that a line can say. Reading, errors, completion and the reference all come from here.
//!
//! Something new is an entry here, a variant of [`Action`], and a function that plays it.

mod attacks;
mod expectations;
mod people;
mod services;
mod telling;

use super::action::Action;
use super::args::Args;
use super::scope::Role;

/// One thing that a line can say.
pub(crate) struct Verb {
    pub(crate) role: Role,
    /// What the line looks like, without a name in front.
    pub(crate) pattern: &'static str,
    pub(crate) help: &'static str,
    pub(crate) make: fn(&mut Args) -> Option<Action>,
}

const fn verb(role: Role, pattern: &'static str, make: fn(&mut Args) -> Option<Action>, help: &'static str) -> Verb {
    Verb { role, pattern, help, make }
}

const fn story(pattern: &'static str, make: fn(&mut Args) -> Option<Action>, help: &'static str) -> Verb {
    verb(Role::Story, pattern, make, help)
}

const fn person(pattern: &'static str, make: fn(&mut Args) -> Option<Action>, help: &'static str) -> Verb {
    verb(Role::Person, pattern, make, help)
}

const fn shop(pattern: &'static str, make: fn(&mut Args) -> Option<Action>, help: &'static str) -> Verb {
    verb(Role::Shop, pattern, make, help)
}

const fn issuer(pattern: &'static str, make: fn(&mut Args) -> Option<Action>, help: &'static str) -> Verb {
    verb(Role::Issuer, pattern, make, help)
}

const fn attacker(pattern: &'static str, make: fn(&mut Args) -> Option<Action>, help: &'static str) -> Verb {
    verb(Role::Attacker, pattern, make, help)
}

/// All that a line can say, by what it is about.
pub(crate) const CHAPTERS: [(&str, &[Verb]); 7] = [
    ("The story", &telling::STORY),
    ("What a person does", &people::PERSON),
    ("What a shop does", &services::SHOP),
    ("What the issuer does", &services::ISSUER),
    ("What a man in the middle does", &attacks::MIDDLE),
    ("What malware and strangers do to a person", &attacks::WALLET),
    ("What is expected", &expectations::EXPECT),
];

/// All that a line can say.
pub(crate) fn verbs() -> impl Iterator<Item = &'static Verb> {
    CHAPTERS.iter().flat_map(|(_, verbs)| verbs.iter())
}
