//! What went through the hands of the man in the middle.

use crate::control::{End, Which};

/// So many bytes in a row, found again, are no chance.
const TELLING: usize = 8;

/// Everything that was said over one connection, in order.
#[derive(Default)]
pub(super) struct Session(Vec<(End, Vec<u8>)>);

impl Session {
    /// Takes note of a message, as it came. Says which it is.
    pub(super) fn note(&mut self, from: End, message: &[u8]) -> Which {
        let number = self.count(from);
        self.0.push((from, message.to_vec()));
        Which { from, number }
    }

    pub(super) fn count(&self, from: End) -> usize {
        self.said(from).count()
    }

    pub(super) fn said(&self, from: End) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |(end, _)| *end == from).map(|(_, message)| message.as_slice())
    }

    pub(super) fn message(&self, which: Which) -> Option<&[u8]> {
        self.said(which.from).nth(which.number)
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|(_, message)| message.as_slice())
    }

    /// Whether any 8 bytes in a row of `thing` stand in any message: all of it, where it is shorter. A run of one and the same byte says
    /// nothing.
    pub(super) fn holds(&self, thing: &[u8]) -> bool {
        let len = TELLING.min(thing.len());
        let is_telling = |run: &&[u8]| run.iter().any(|byte| Some(byte) != run.first());
        len > 0
            && thing.windows(len).filter(is_telling).any(|run| self.messages().any(|said| said.windows(len).any(|at| at == run)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_in_the_clear_is_found() {
        let mut session = Session::default();
        assert_eq!(session.note(End::Far, b"....Tea House, 12.50"), Which { from: End::Far, number: 0 });
        assert_eq!(session.note(End::Near, b"yes"), Which { from: End::Near, number: 0 });
        assert!(session.holds(b"Tea House") && session.holds(b"The Tea House of Lin") && session.holds(b"yes"));
        assert!(!session.holds(b"Tea Hut of Mei") && !session.holds(&[0; 32]) && !session.holds(b""));
    }
}
