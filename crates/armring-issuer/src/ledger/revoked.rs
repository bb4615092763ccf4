//! The revocation list as ledgers keep it: the latest word about everyone of whom there ever was one, and the epoch of that word.
//!
//! Each change gets the next epoch. A list is *as of* its latest change: what had ceased to be valid by then is left out, and nothing else,
//! so that a list with the same epoch is the same list whenever it is asked for, and its parts fit together.

use armring_token::{ENTRIES_MAX, Epoch, Revocation};
use armring_wire::{CredentialId, PayeeId, PayeeRef};

use crate::error::MachineError;

/// A part of the revocation list, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedPart {
    /// The epoch of the latest change: 0 where there never was one.
    pub epoch: Epoch,
    /// The entries are what came after this epoch; 0 where they are everything.
    pub since: Epoch,
    /// Which part, from 0.
    pub part: u16,
    /// How many there are: at least 1.
    pub parts: u16,
    /// In order of subjects.
    pub entries: Vec<Revocation>,
}

/// The epoch that a list begins after: that of the asker, unless it has not been.
pub(super) const fn begin(since: Epoch, epoch: Epoch) -> Epoch {
    if since.0 <= epoch.0 { since } else { Epoch(0) }
}

/// How many parts a list of so many entries has.
pub(super) fn parts(entries: usize) -> Result<u16, MachineError> {
    let parts = entries.div_ceil(ENTRIES_MAX).max(1);
    u16::try_from(parts).map_err(|_| MachineError::Damaged("more is revoked than a list can say"))
}

pub(super) fn next(epoch: Epoch) -> Result<Epoch, MachineError> {
    epoch.0.checked_add(1).map(Epoch).ok_or(MachineError::Damaged("the revocation list has had all epochs"))
}

/// How a subject is kept: in the order of lists.
pub(super) const fn subject_key(subject: PayeeRef) -> (u8, [u8; 8]) {
    match subject {
        PayeeRef::Certificate(PayeeId(id)) => (0, id),
        PayeeRef::Credential(CredentialId(id)) => (1, id),
    }
}

pub(super) const fn subject_of((kind, id): (u8, [u8; 8])) -> PayeeRef {
    match kind {
        0 => PayeeRef::Certificate(PayeeId(id)),
        _ => PayeeRef::Credential(CredentialId(id)),
    }
}
