//! Which credentials and payees no longer count, by epoch.
//!
//! A list is compact (9 bytes an entry, sorted, searched without being unpacked) and incremental: one that says what came since an epoch is
//! all that a payee needs who has the list of that epoch. A list that is too long for one object comes in parts, each signed.

use armring_wire::records::REVOCATIONS_MAX;
use armring_wire::{CredentialId, KeyId, PayeeId, PayeeRef, UnixTime};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Deserializer, Serialize};

use crate::fields::{Epoch, Form};
use crate::sign::{Issuer, Object, SIGNATURE_LEN};

/// Bytes of an entry: what it is about (1), id (8).
const ENTRY_LEN: usize = 9;
/// Set in the first byte of an entry that takes an earlier one back.
const RESTORED: u8 = 0x80;
/// Bytes of a body besides its entries: form, key, epoch, since, part, parts, issued, next update, length of the entries.
const HEAD_LEN: usize = 1 + 2 + 4 + 4 + 2 + 2 + 4 + 4 + 2;

/// How many entries one part has at most.
pub const ENTRIES_MAX: usize = (REVOCATIONS_MAX - SIGNATURE_LEN - HEAD_LEN) / ENTRY_LEN;

/// One part of a revocation list, signed by the issuer: 89 bytes and 9 an entry, at most 4,096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationList<'a> {
    /// 7.
    pub form: Form<7>,
    /// The issuer's key that signed it.
    pub key: KeyId,
    /// Which list. A lower epoch than one seen before is refused.
    pub epoch: Epoch,
    /// It says what came after the list of this epoch; [`Epoch`] 0 where it says everything.
    pub since: Epoch,
    /// Which part of the list, from 0.
    #[serde(with = "postcard::fixint::le")]
    pub part: u16,
    /// How many parts the list has: at least 1.
    #[serde(with = "postcard::fixint::le")]
    pub parts: u16,
    /// When it was signed.
    pub issued: UnixTime,
    /// Until when a payee without network may rely on it.
    pub next_update: UnixTime,
    /// Who is revoked, or restored.
    #[serde(borrow)]
    pub entries: Revocations<'a>,
}

impl MaxSize for RevocationList<'_> {
    const POSTCARD_MAX_SIZE: usize = HEAD_LEN + ENTRIES_MAX * ENTRY_LEN;
}

impl<'a> Object<'a> for RevocationList<'a> {
    type By = Issuer;
    const LABEL: &'static str = "revocation list";
}

/// What a list says about one credential or payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// About whom.
    pub subject: PayeeRef,
    /// Revoked, or else restored: it was revoked and counts again.
    pub revoked: bool,
}

/// The entries of a part: each about another subject, in ascending order of subject, kind first.
///
/// On the wire a varint length in bytes, then 9 bytes an entry: a reference as in a token (1 of kind, 8 of id), with bit 7 of the first byte
/// set where it is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Revocations<'a>(&'a [u8]);

impl<'a> Revocations<'a> {
    /// No entry.
    pub const NONE: Self = Self(&[]);

    /// Writes `entries` into `buffer` and gives them; `None` where they are not in ascending order of different subjects, are more than
    /// [`ENTRIES_MAX`], or do not fit `buffer`.
    #[must_use]
    pub fn write(entries: impl IntoIterator<Item = Revocation>, buffer: &'a mut [u8]) -> Option<Self> {
        let mut len = 0;
        for entry in entries {
            let place = buffer.get_mut(len..)?.first_chunk_mut::<ENTRY_LEN>()?;
            *place = encoded(entry);
            len += ENTRY_LEN;
        }
        Self::from_bytes(buffer.get(..len)?)
    }

    fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_LEN>();
        let known = |entry: &[u8; ENTRY_LEN]| subject(entry) <= Some([1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        let fits = rest.is_empty() && entries.len() <= ENTRIES_MAX && entries.iter().all(known);
        (fits && entries.is_sorted_by(|lower, upper| subject(lower) < subject(upper))).then_some(Self(bytes))
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len() / ENTRY_LEN
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What this part says about `subject`; `None` where it says nothing.
    #[must_use]
    pub fn find(&self, subject: PayeeRef) -> Option<Revocation> {
        let (entries, _) = self.0.as_chunks::<ENTRY_LEN>();
        let wanted = encoded(Revocation { subject, revoked: true });
        let at = entries.binary_search_by_key(&Some(wanted), self::subject).ok()?;
        entries.get(at).map(decoded)
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = Revocation> + use<'a> {
        let (entries, _) = self.0.as_chunks::<ENTRY_LEN>();
        entries.iter().map(decoded)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Revocations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&'de [u8]>::deserialize(deserializer)?;
        Self::from_bytes(bytes).ok_or_else(|| serde::de::Error::custom("entries that are not whole, known, few or in order"))
    }
}

/// An entry without the bit that says which way it goes.
fn subject(entry: &[u8; ENTRY_LEN]) -> Option<[u8; ENTRY_LEN]> {
    let mut subject = *entry;
    *subject.first_mut()? &= !RESTORED;
    Some(subject)
}

fn encoded(entry: Revocation) -> [u8; ENTRY_LEN] {
    let (kind, id) = match entry.subject {
        PayeeRef::Certificate(PayeeId(id)) => (0, id),
        PayeeRef::Credential(CredentialId(id)) => (1, id),
    };
    let [a, b, c, d, e, f, g, h] = id;
    [if entry.revoked { kind } else { kind | RESTORED }, a, b, c, d, e, f, g, h]
}

fn decoded(entry: &[u8; ENTRY_LEN]) -> Revocation {
    let [kind, id @ ..] = *entry;
    let subject = match kind & !RESTORED {
        0 => PayeeRef::Certificate(PayeeId(id)),
        _ => PayeeRef::Credential(CredentialId(id)),
    };
    Revocation { subject, revoked: kind & RESTORED == 0 }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn entry(kind: bool, id: [u8; 8], revoked: bool) -> Revocation {
        let subject = if kind { PayeeRef::Credential(CredentialId(id)) } else { PayeeRef::Certificate(PayeeId(id)) };
        Revocation { subject, revoked }
    }

    #[test]
    fn the_longest_part_fits_its_record() {
        assert_eq!(ENTRIES_MAX, 445);
    }

    #[test]
    fn entries_out_of_order_or_of_an_unknown_kind_are_refused() {
        let [low, high] = [1, 2].map(|last| entry(false, [0, 0, 0, 0, 0, 0, 0, last], true));
        let mut buffer = [0; 64];
        assert!(Revocations::write([low, high], &mut buffer).is_some());
        assert!(Revocations::write([high, low], &mut buffer).is_none());
        let restored = Revocation { revoked: false, ..low };
        assert!(Revocations::write([low, restored], &mut buffer).is_none(), "two words about one");
        for (kind, known) in [(0, true), (1, true), (2, false), (0x7F, false), (0x80, true), (0x81, true), (0x82, false)] {
            assert_eq!(Revocations::from_bytes(&[kind, 0, 0, 0, 0, 0, 0, 0, 1]).is_some(), known, "{kind:#x}");
        }
        assert!(Revocations::from_bytes(&[0; 8]).is_none(), "cut");
        assert!(Revocations::from_bytes(&[0; 10]).is_none(), "with a byte more");
        assert!(Revocations::from_bytes(&[]).is_some_and(|none| none.is_empty()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_found_and_nothing_else_is(
            subjects in prop::collection::btree_map((any::<bool>(), any::<[u8; 8]>()), any::<bool>(), 0..50), kind: bool, other: [u8; 8]
        ) {
            let mut buffer = [0; 50 * ENTRY_LEN];
            let entries: Vec<_> = subjects.iter().map(|((kind, id), revoked)| entry(*kind, *id, *revoked)).collect();
            let written = Revocations::write(entries.iter().copied(), &mut buffer).unwrap();
            prop_assert_eq!(written.len(), entries.len());
            prop_assert!(written.iter().eq(entries.iter().copied()));
            for entry in &entries {
                prop_assert_eq!(written.find(entry.subject), Some(*entry));
            }
            let absent = entry(kind, other, true);
            let expected = subjects.get(&(kind, other)).map(|revoked| Revocation { revoked: *revoked, ..absent });
            prop_assert_eq!(written.find(absent.subject), expected);
        }
    }
}
