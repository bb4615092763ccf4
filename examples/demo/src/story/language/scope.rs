//! Who is in a story so far, and who a line without a name is about.

use super::action::Action;

/// The issuer's name in stories. There is one, from the beginning.
pub(crate) const ISSUER: &str = "issuer";

/// Who is there, as far as the story was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) people: Vec<String>,
    pub(crate) shops: Vec<String>,
    pub(crate) attackers: Vec<String>,
    /// Who was named last.
    pub(crate) last_person: Option<String>,
    pub(crate) last_shop: Option<String>,
    pub(crate) last_attacker: Option<String>,
}

/// Whose doing something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nobody's: it is the story that goes on.
    Story,
    Person,
    Shop,
    Issuer,
    Attacker,
}

impl Scope {
    /// Whether a newcomer may have this name.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        name != ISSUER && self.role(name).is_none()
    }

    pub(crate) fn role(&self, name: &str) -> Option<Role> {
        let among = |names: &[String]| names.iter().any(|known| known == name);
        match name {
            ISSUER => Some(Role::Issuer),
            _ if among(&self.people) => Some(Role::Person),
            _ if among(&self.shops) => Some(Role::Shop),
            _ if among(&self.attackers) => Some(Role::Attacker),
            _ => None,
        }
    }

    /// Whom a line without a name is about.
    pub(crate) fn last(&self, role: Role) -> Option<&str> {
        match role {
            Role::Story => Some(""),
            Role::Issuer => Some(ISSUER),
            Role::Person => self.last_person.as_deref(),
            Role::Shop => self.last_shop.as_deref(),
            Role::Attacker => self.last_attacker.as_deref(),
        }
    }

    /// Takes note of a line.
    pub(crate) fn follow(&mut self, who: &str, action: &Action) {
        match action {
            Action::Enter { name, .. } => {
                self.people.push(name.clone());
                self.last_person = Some(name.clone());
            }
            Action::Open { name } => {
                self.shops.push(name.clone());
                self.last_shop = Some(name.clone());
            }
            Action::Middle { name } => {
                self.attackers.push(name.clone());
                self.last_attacker = Some(name.clone());
            }
            _ => match self.role(who) {
                Some(Role::Person) => self.last_person = Some(who.to_owned()),
                Some(Role::Shop) => self.last_shop = Some(who.to_owned()),
                Some(Role::Attacker) => self.last_attacker = Some(who.to_owned()),
                _ => {}
            },
        }
    }
}
