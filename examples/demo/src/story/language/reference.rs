//! The reference of the language, made of the table that reads it.

use std::fmt::Write as _;

use super::scope::Role;
use super::slot::Slot;
use super::table::{CHAPTERS, Verb};

const HEAD: &str = "\
# The language of stories

A story is a text file. `cargo demo --script FILE` reads all of it, then plays it with processes that are started for it: an issuer, and whoever
enters. `cargo demo --interactive` takes the same lines from you, one at a time. This page is what `cargo demo --script-help` prints.

```text
";

const RULES: &str = "\
```

- One line says one thing. What follows a `#` is a comment; empty lines and spaces in front say nothing.
- Who does it stands in front, with a colon. Without a name it is the person, or the shop, that was named last.
- Names of more than one word, and texts, stand in double quotes; `\\\"` and `\\\\` stand for `\"` and `\\`.
- `expect` is about the line before it. What follows `expect refused` and the like in double quotes must be part of what was said, and what follows
  `tell` is told in place of the usual words, with what was said for `{}`.
- What is refused, and not expected to be, ends the story. It then says where, and ends with code 1. A story that cannot be read ends with code 2
  before anything is started.

";

/// The example of the reference and of the help.
pub(crate) const EXAMPLE: &str = include_str!("../../../stories/example.story");

/// The whole reference, in Markdown.
pub(crate) fn reference() -> String {
    let mut page = format!("{HEAD}{EXAMPLE}{RULES}");
    for (title, verbs) in CHAPTERS {
        let _ = writeln!(page, "## {title}\n\n| line | what it means |\n|---|---|");
        for verb in verbs {
            let _ = writeln!(page, "| `{}` | {} |", whole(verb), verb.help);
        }
        page.push('\n');
    }
    page.push_str(
        "## What stands for what\n\nWhat is in brackets may be left out.\n\n| in capitals | what belongs there |\n|---|---|\n",
    );
    for (name, _, kind) in Slot::ALL {
        let _ = writeln!(page, "| `{name}` | {kind} |");
    }
    page
}

/// What may be typed, where it begins with `word`, or with anything.
pub(crate) fn help(word: &str) -> String {
    let mut page = String::new();
    for (title, verbs) in CHAPTERS {
        let verbs: Vec<&Verb> = verbs.iter().filter(|verb| verb.pattern.starts_with(word)).collect();
        if !verbs.is_empty() {
            let _ = writeln!(page, "{title}");
        }
        for verb in verbs {
            let _ = match word {
                "" => writeln!(page, "   {}", whole(verb)),
                _ => writeln!(page, "   {}\n      {}", whole(verb), verb.help),
            };
        }
    }
    if page.is_empty() { format!("   nothing begins with {word}: 'help' lists all that there is\n") } else { page }
}

/// A pattern with whose doing it is in front.
fn whole(verb: &Verb) -> String {
    let front = match verb.role {
        Role::Story => "",
        Role::Person => "PERSON: ",
        Role::Shop => "SHOP: ",
        Role::Issuer => "issuer: ",
        Role::Attacker => "ATTACKER: ",
    };
    format!("{front}{}", verb.pattern)
}
