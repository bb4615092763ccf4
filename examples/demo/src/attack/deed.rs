//! What becomes of a message in the hands of the man in the middle.

use anyhow::{Context, Result};

use super::objects::objects;
use super::recording::Session;
use crate::control::{Deed, End, Fragments, Place, Which};

/// What he sends on, and whether that was the deed.
#[derive(Default)]
pub(super) struct Acts {
    /// To whom and what; and what becomes of its fragments.
    pub(super) send: Vec<(End, Vec<u8>, Option<Fragments>)>,
    pub(super) hang_up: bool,
    pub(super) done: bool,
}

/// A deed that goes on over one connection.
pub(super) struct Doing {
    deed: Deed,
    /// A message that waits for the one that follows it.
    held: Option<Vec<u8>>,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }
}

impl Doing {
    pub(super) const fn new(deed: Deed) -> Self {
        Self { deed, held: None }
    }

    /// What he does with `message`, the one that `which` names.
    pub(super) fn act(&mut self, which: Which, message: &[u8], sessions: &[Session]) -> Result<Acts> {
        let on = |message: Vec<u8>| (which.from.other(), message, None);
        let mut acts = Acts::default();
        let is = |wanted: Which| wanted == which;
        acts.done = true;
        match self.deed {
            Deed::Change { which: wanted, place } if is(wanted) => acts.send.push(on(changed(message, place)?)),
            Deed::Forge { which: wanted, times } if is(wanted) => {
                let forged = changed(message, Place::Byte(-1))?;
                acts.send.extend((0..times).map(|_| on(forged.clone())));
                acts.send.push(on(message.to_vec()));
            }
            Deed::Drop { which: wanted } if is(wanted) => acts.hang_up = true,
            Deed::Repeat { which: wanted } if is(wanted) => acts.send.extend([on(message.to_vec()), on(message.to_vec())]),
            Deed::Swap { which: wanted } if is(wanted) => {
                self.held = Some(message.to_vec());
                acts.done = false;
            }
            Deed::Reflect { which: wanted } if is(wanted) => acts.send.push((which.from, message.to_vec(), None)),
            Deed::Replace { which: wanted, session, by } if is(wanted) => {
                let recorded = sessions.get(session).and_then(|session| session.message(by));
                acts.send.push(on(recorded.context("no such message was recorded")?.to_vec()));
            }
            Deed::Fragments { which: wanted, how } if is(wanted) => {
                acts.send.push((which.from.other(), message.to_vec(), Some(how)));
            }
            _ => {
                acts.send.push(on(message.to_vec()));
                acts.done = false;
                if matches!(self.deed, Deed::Swap { which: Which { from, .. } } if from == which.from) {
                    acts.done = self.held.is_some();
                    acts.send.extend(self.held.take().map(on));
                }
            }
        }
        Ok(acts)
    }
}

/// A copy of a message in which one byte is another.
fn changed(message: &[u8], place: Place) -> Result<Vec<u8>> {
    let at = match place {
        Place::Byte(at) if at < 0 => message.len().checked_add_signed(at),
        Place::Byte(at) => at.try_into().ok(),
        Place::Object { object, byte } => {
            let object = objects(message).and_then(|objects| objects.get(object).cloned()).context("no such object in it")?;
            Some(object.start + byte).filter(|at| object.contains(at))
        }
    };
    let mut message = message.to_vec();
    let byte = at.and_then(|at| message.get_mut(at)).context("the message is shorter")?;
    *byte ^= 0x01;
    Ok(message)
}

/// What becomes of the fragments of a message.
pub(super) fn disturb(fragments: &mut Vec<Vec<u8>>, how: Fragments) -> Result<()> {
    match how {
        Fragments::Repeat => {
            let first = fragments.first().context("no fragments")?.clone();
            fragments.insert(0, first);
        }
        Fragments::Lose | Fragments::Swap if fragments.len() < 2 => anyhow::bail!("the message has one fragment"),
        Fragments::Lose => drop(fragments.remove(0)),
        Fragments::Swap => fragments.swap(0, 1),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: [&[u8]; 3] = [b"one", b"two", b"three"];

    /// What comes out at the far end of three messages of the near end's.
    fn sent(deed: Deed) -> Vec<String> {
        let mut doing = Doing::new(deed);
        let acts =
            (0..).zip(MESSAGES).map(|(number, message)| doing.act(Which { from: End::Near, number }, message, &[]).unwrap());
        let sent = acts.flat_map(|acts| acts.send).filter(|(to, ..)| *to == End::Far);
        sent.map(|(_, message, _)| String::from_utf8(message).unwrap()).collect()
    }

    #[test]
    fn each_deed_touches_the_message_that_it_is_about_and_no_other() {
        let which = Which { from: End::Near, number: 1 };
        assert_eq!(sent(Deed::Relay), ["one", "two", "three"]);
        assert_eq!(sent(Deed::Change { which, place: Place::Byte(-1) }), ["one", "twn", "three"]);
        assert_eq!(sent(Deed::Forge { which, times: 2 }), ["one", "twn", "twn", "two", "three"]);
        assert_eq!(sent(Deed::Drop { which }), ["one", "three"]);
        assert_eq!(sent(Deed::Repeat { which }), ["one", "two", "two", "three"]);
        assert_eq!(sent(Deed::Swap { which }), ["one", "three", "two"]);
        assert_eq!(sent(Deed::Reflect { which }), ["one", "three"]);
        assert_eq!(sent(Deed::Relay), sent(Deed::Drop { which: Which { from: End::Far, number: 1 } }));
    }

    #[test]
    fn fragments_are_lost_swapped_and_repeated() {
        let after = |how, count: u8| {
            let mut fragments: Vec<Vec<u8>> = (0..count).map(|byte| vec![byte]).collect();
            disturb(&mut fragments, how).map(|()| fragments.concat())
        };
        assert_eq!(after(Fragments::Lose, 3).unwrap(), [1, 2]);
        assert_eq!(after(Fragments::Swap, 3).unwrap(), [1, 0, 2]);
        assert_eq!(after(Fragments::Repeat, 1).unwrap(), [0, 0]);
        assert!(after(Fragments::Lose, 1).is_err() && after(Fragments::Swap, 1).is_err());
    }
}
