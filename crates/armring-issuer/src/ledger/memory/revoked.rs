//! The revocation list.

use std::collections::BTreeMap;

use armring_token::{ENTRIES_MAX, Epoch, Revocation};
use armring_wire::{PayeeRef, UnixTime};

use super::super::revoked::{RevokedPart, begin, next, parts, subject_key, subject_of};
use crate::error::MachineError;

/// The latest word about everyone of whom there was one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RevokedList {
    words: BTreeMap<(u8, [u8; 8]), Word>,
    /// Of the latest change, and when that was.
    epoch: Epoch,
    changed: UnixTime,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Word {
    revoked: bool,
    epoch: Epoch,
    /// When certificate or credential ceases to be valid anyway.
    until: UnixTime,
}

impl Default for RevokedList {
    fn default() -> Self {
        Self { words: BTreeMap::new(), epoch: Epoch(0), changed: UnixTime::EPOCH }
    }
}

impl RevokedList {
    /// Lists whether `subject` is revoked, unless that is known.
    pub(super) fn mark(&mut self, subject: PayeeRef, revoked: bool, until: UnixTime, now: UnixTime) -> Result<(), MachineError> {
        if self.is_revoked(subject) == revoked {
            return Ok(());
        }
        let epoch = next(self.epoch)?;
        self.words.insert(subject_key(subject), Word { revoked, epoch, until });
        (self.epoch, self.changed) = (epoch, now);
        Ok(())
    }

    pub(super) fn is_revoked(&self, subject: PayeeRef) -> bool {
        self.words.get(&subject_key(subject)).is_some_and(|word| word.revoked)
    }

    pub(super) fn part(&self, since: Epoch, part: u16) -> Result<Option<RevokedPart>, MachineError> {
        let since = begin(since, self.epoch);
        let counts = |word: &Word| word.until > self.changed && word.epoch > since && (word.revoked || since > Epoch(0));
        let entries: Vec<_> = self.words.iter().filter(|(_, word)| counts(word)).collect();
        let parts = parts(entries.len())?;
        let skipped = ENTRIES_MAX.saturating_mul(usize::from(part));
        let entry = |(key, word): (&(u8, [u8; 8]), &Word)| Revocation { subject: subject_of(*key), revoked: word.revoked };
        let entries = entries.into_iter().skip(skipped).take(ENTRIES_MAX).map(entry).collect();
        Ok((part < parts).then_some(RevokedPart { epoch: self.epoch, since, part, parts, entries }))
    }
}
