//! What a person can say to the phone, and how it is explained.

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Look for bands.
    Find,
    /// Pair with the band there, by the code that both show.
    Pair(Option<String>),
    /// Pair with the band there, which has a button and nothing else.
    Press(Option<String>),
    /// Do what a URI says, or a picture of a QR code: pair with the band there, or pay.
    Scan {
        /// The URI, or a picture's file.
        what: String,
        /// Where the band or the payee is.
        at: Option<String>,
    },
    /// The codes are the same.
    Yes,
    /// They are not.
    No,
    /// Connect to the band there.
    Connect(Option<String>),
    /// End the connection.
    Disconnect,
    /// Ask the band how it is, and say all that is known of it.
    Status,
    /// Tell the band that this phone's owner is here.
    Unlock,
    /// Enrol the band with the issuer's code.
    Enrol([u8; 16]),
    /// Ask the payee there what is to be paid, and pay it.
    Pay(String),
    /// Go on with the payment that is on its way.
    Again,
    /// Give up what waits for the wearer.
    Cancel,
    /// Say what was paid.
    Receipts,
    /// Get the issuer's key list, and tell the band.
    Keys,
    /// Have the band forget this phone.
    Forget,
    /// Say what can be said.
    Help(Option<String>),
    /// End.
    Quit,
}

/// What can be said: the word, what may follow it, what it does.
pub const COMMANDS: [(&str, &str, &str); 18] = [
    ("find", "", "look for bands"),
    ("pair", "[WHERE]", "pair by a code: hold the band's button first; then compare the codes"),
    ("scan", "URI|FILE [at WHERE]", "pair with the band, or pay what is asked: a URI, or a picture (PNG, JPEG) of its QR code"),
    ("press", "[WHERE]", "pair with a band that has a button and nothing else"),
    ("yes", "", "the band shows the same code"),
    ("no", "", "it does not"),
    ("connect", "[WHERE]", "connect to the band, also after it was out of reach"),
    ("disconnect", "", "say goodbye to the band"),
    ("status", "", "how the band is, its limits and counters"),
    ("unlock", "", "tell the band that its owner is at this phone"),
    ("enrol", "CODE", "get a credential for the band, with the code from the issuer's page (32 hexadecimal digits)"),
    ("pay", "[URI|FILE] at WHERE", "pay what the payee there asks, or what was scanned"),
    ("again", "", "go on with the payment that is on its way"),
    ("cancel", "", "give up what waits for the band's wearer"),
    ("receipts", "", "what was paid"),
    ("keys", "", "get the issuer's newest keys, and tell the band"),
    ("forget", "", "have the band forget this phone"),
    ("quit", "", "end; all that matters is in the state file"),
];

impl Command {
    /// The command in a line; [`None`] in an empty one.
    ///
    /// # Errors
    /// What to type instead.
    pub fn parse(line: &str) -> Result<Option<Self>, String> {
        let mut words = line.split_whitespace();
        let Some(word) = words.next() else { return Ok(None) };
        let rest: Vec<&str> = words.collect();
        let command = match (word, rest.as_slice()) {
            ("find", []) => Self::Find,
            ("pair", []) => Self::Pair(None),
            ("pair", [at] | ["at", at]) => Self::Pair(Some((*at).to_owned())),
            ("press", []) => Self::Press(None),
            ("press", [at] | ["at", at]) => Self::Press(Some((*at).to_owned())),
            ("scan", [what]) => Self::Scan { what: (*what).to_owned(), at: None },
            ("scan" | "pay", [what, "at", at]) => Self::Scan { what: (*what).to_owned(), at: Some((*at).to_owned()) },
            ("pay", ["at", at]) => Self::Pay((*at).to_owned()),
            ("pay", [what]) if *what != "at" => Self::Scan { what: (*what).to_owned(), at: None },
            ("yes" | "y", []) => Self::Yes,
            ("no" | "n", []) => Self::No,
            ("connect", []) => Self::Connect(None),
            ("connect", [at] | ["at", at]) => Self::Connect(Some((*at).to_owned())),
            ("disconnect", []) => Self::Disconnect,
            ("status", []) => Self::Status,
            ("unlock", []) => Self::Unlock,
            ("enrol" | "enroll", [code]) => match crate::book::array(code) {
                Ok(code) => Self::Enrol(code),
                Err(error) => return Err(format!("that is no enrolment code: {error}. The issuer's page shows it")),
            },
            ("again", []) => Self::Again,
            ("cancel", []) => Self::Cancel,
            ("receipts", []) => Self::Receipts,
            ("keys", []) => Self::Keys,
            ("forget", []) => Self::Forget,
            ("help" | "?", []) => Self::Help(None),
            ("help" | "?", [what]) => Self::Help(Some((*what).to_owned())),
            ("quit" | "exit", []) => Self::Quit,
            (word, _) => return Err(unread(word)),
        };
        Ok(Some(command))
    }
}

/// What is answered to a line that cannot be read.
fn unread(word: &str) -> String {
    match COMMANDS.iter().find(|(known, ..)| *known == word) {
        Some((known, "", _)) => format!("'{known}' stands alone"),
        Some((known, follows, what)) => format!("{known} {follows}: {what}"),
        // Whatever was typed, or pasted, is not to be what the terminal obeys.
        None => format!("'{}' is no command here: 'help' lists them", printable(word, 24)),
    }
}

/// The help, or that on one command.
#[must_use]
pub fn help(on: Option<&str>) -> Vec<String> {
    let line = |(word, follows, what): &(&str, &str, &str)| {
        let usage = format!("{word} {follows}");
        format!("{usage:<25} {what}")
    };
    let found: Vec<String> = COMMANDS.iter().filter(|(word, ..)| on.is_none_or(|on| on == *word)).map(line).collect();
    if found.is_empty() { vec![unread(on.unwrap_or_default())] } else { found }
}

/// What of a text can be shown on a terminal: no control characters, nothing that turns the direction of writing, at most `max` characters.
#[must_use]
pub fn printable(text: &str, max: usize) -> String {
    let turns = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
    let safe = |c: char| if c.is_control() || turns(c) { '\u{FFFD}' } else { c };
    let mut shown: String = text.chars().take(max).map(safe).collect();
    if text.chars().count() > max {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read_and_explained() {
        for (word, follows, _) in COMMANDS {
            let line = match word {
                "enrol" => format!("enrol {}", "0f".repeat(16)),
                "scan" => "scan shop.png at 127.0.0.1:1".to_owned(),
                "pay" => "pay at 127.0.0.1:1".to_owned(),
                _ => word.to_owned(),
            };
            assert!(matches!(Command::parse(&line), Ok(Some(_))), "{line}");
            assert!(help(Some(word))[0].starts_with(&format!("{word} {follows}")), "{word}");
        }
        assert_eq!(help(None).len(), COMMANDS.len());
        assert!(include_str!("../../README.md").contains(&help(None).join("\n")), "the README lists other commands");
    }

    #[test]
    fn garbage_is_answered_with_what_to_type() {
        for (garbage, answer) in [
            ("pai", "'pai' is no command here: 'help' lists them"),
            ("\u{1b}[2J\u{7}", "'\u{FFFD}[2J\u{FFFD}' is no command here"),
            ("enrol 12", "that is no enrolment code"),
            ("enrol zz", "that is no enrolment code"),
            ("enrol", "enrol CODE"),
            ("pay", "pay [URI|FILE] at WHERE"),
            ("pay at", "pay [URI|FILE] at WHERE"),
            ("yes please", "'yes' stands alone"),
            ("pair here and there", "pair [WHERE]"),
        ] {
            let said = Command::parse(garbage).expect_err(garbage);
            assert!(said.starts_with(answer), "{garbage}: {said}");
        }
        assert_eq!(Command::parse("  "), Ok(None));
        assert!(Command::parse(&"x".repeat(1_000_000)).expect_err("long").len() < 200);
    }
}
