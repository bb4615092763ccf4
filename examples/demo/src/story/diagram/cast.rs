//! Who has a part in a chapter, and where they stand.

use crate::control::Trace;

/// What somebody is, which decides on their colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Band,
    Phone,
    Payee,
    Issuer,
}

impl Role {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "issuer" => Self::Issuer,
            _ if name.ends_with("band") => Self::Band,
            _ if name.ends_with("phone") => Self::Phone,
            _ => Self::Payee,
        }
    }

    /// The name of its colour.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Band => "band",
            Self::Phone => "phone",
            Self::Payee => "payee",
            Self::Issuer => "issuer",
        }
    }
}

/// Everybody in these messages, from left to right: a person's band beside the phone; of two persons the phones beside each other, since those
/// talk; then who else is paid, then the issuer.
pub(super) fn in_order<'a>(messages: impl Iterator<Item = &'a Trace>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for name in messages.flat_map(|trace| [trace.from.as_str(), trace.to.as_str()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut persons: Vec<&str> = Vec::new();
    for person in names.iter().filter_map(|name| person(name)) {
        if !persons.contains(&person) {
            persons.push(person);
        }
    }
    let place = |name: &str| {
        let role = Role::of(name);
        match person(name).and_then(|person| persons.iter().position(|known| *known == person)) {
            // Every second one is mirrored.
            Some(index) => (0, index, (role == Role::Phone) == (index % 2 == 0)),
            None => (1 + usize::from(role == Role::Issuer), 0, false),
        }
    };
    names.sort_by_key(|name| place(name));
    names
}

/// Whose device it is.
fn person(name: &str) -> Option<&str> {
    name.split_once("'s ").map(|(person, _)| person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_stand_between_bands_and_the_issuer_at_the_end() {
        let trace = |from: &str, to: &str| Trace {
            from: from.to_owned(),
            to: to.to_owned(),
            name: String::new(),
            message: 0,
            sealed: false,
            fragments: 1,
            on_air: 0,
            at: 0,
        };
        let messages = [
            trace("Mei's phone", "issuer"),
            trace("Mei's phone", "Mei's band"),
            trace("Lin's phone", "Tea House"),
            trace("Lin's band", "Lin's phone"),
        ];
        assert_eq!(in_order(messages.iter()), ["Mei's band", "Mei's phone", "Lin's phone", "Lin's band", "Tea House", "issuer"]);
    }
}
