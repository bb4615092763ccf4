//! A value as it stands in a page: believed whole or not at all.

use core::fmt;

use armring_band::VALUE_MAX;
use blake2::{Blake2s256, Digest};

/// The hash is of this form of storage, and of nothing else.
const LABEL: &[u8] = b"armring/1 flash record";

/// How much of the hash stands before a record, in bytes. What a power cut leaves of a write is right by chance in one of 2⁶⁴ cases.
const CHECK_LEN: usize = 8;

/// What stands before a value: the check (8), the key (1), how long the value is (2, little-endian).
pub(crate) const HEAD_LEN: usize = CHECK_LEN + 1 + 2;

/// The longest record, with room up to the end of a word.
pub(crate) const RECORD_MAX: usize = HEAD_LEN + VALUE_MAX + 31;

/// What is hashed with a record, so that it is one in its place alone.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The number of the page, of which each is used once.
    pub(crate) number: u32,
    /// The place in the page, in bytes.
    pub(crate) at: u32,
}

/// A record's bytes in a buffer, with room for the longest.
pub(crate) struct Record<'a>(pub(crate) &'a mut [u8]);

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").finish_non_exhaustive()
    }
}

/// The length of a record with a value of `len` bytes, in whole words.
pub(crate) const fn size(len: usize, word: usize) -> usize {
    (HEAD_LEN + len).next_multiple_of(word)
}

impl Record<'_> {
    /// The key, and how long the value would be. It is not known yet whether this is a record.
    pub(crate) fn claims(&self) -> Option<(u8, usize)> {
        let [key, low, high] = *self.0.get(CHECK_LEN..HEAD_LEN)?.first_chunk()?;
        let len = usize::from(u16::from_le_bytes([low, high]));
        (len <= VALUE_MAX).then_some((key, len))
    }

    /// Whether this is a record, whole and in its place.
    pub(crate) fn is_whole(&self, place: Place) -> bool {
        let check = self.claims().and_then(|(_, len)| self.check(place, len));
        check.is_some_and(|check| self.0.get(..CHECK_LEN) == Some(&check))
    }

    /// The value of a record with one of `len` bytes.
    pub(crate) fn value(&mut self, len: usize) -> Option<&mut [u8]> {
        self.0.get_mut(HEAD_LEN..HEAD_LEN + len)
    }

    /// Writes what stands before the value, which is there already, and after it up to the end of a word. Gives what is to be written to the flash.
    pub(crate) fn seal(&mut self, place: Place, key: u8, len: usize, word: usize) -> Option<&[u8]> {
        let [low, high] = u16::try_from(len).ok()?.to_le_bytes();
        self.0.get_mut(CHECK_LEN..HEAD_LEN)?.copy_from_slice(&[key, low, high]);
        // Erased flash, so that nothing is programmed.
        self.0.get_mut(HEAD_LEN + len..size(len, word))?.fill(0xFF);
        let check = self.check(place, len)?;
        self.0.get_mut(..CHECK_LEN)?.copy_from_slice(&check);
        self.0.get(..size(len, word))
    }

    /// Of place, key, length and value.
    fn check(&self, place: Place, len: usize) -> Option<[u8; CHECK_LEN]> {
        let hash = Blake2s256::new()
            .chain_update(LABEL)
            .chain_update(place.number.to_le_bytes())
            .chain_update(place.at.to_le_bytes())
            .chain_update(self.0.get(CHECK_LEN..HEAD_LEN + len)?)
            .finalize();
        hash.first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { number: 7, at: 128 };

    fn sealed(value: &[u8]) -> [u8; RECORD_MAX] {
        let mut buffer = [0; RECORD_MAX];
        let mut record = Record(&mut buffer);
        record.value(value.len()).unwrap().copy_from_slice(value);
        assert_eq!(record.seal(PLACE, 0x50, value.len(), 4).unwrap().len(), size(value.len(), 4));
        buffer
    }

    #[test]
    fn a_record_is_whole_in_its_place_alone() {
        let mut buffer = sealed(b"some value");
        let record = Record(&mut buffer);
        assert_eq!((record.claims(), record.is_whole(PLACE)), (Some((0x50, 10)), true));
        assert!(!record.is_whole(Place { number: 8, ..PLACE }), "in another page, or in this one after it was erased");
        assert!(!record.is_whole(Place { at: 132, ..PLACE }), "somewhere else in the page");
        for place in 0..HEAD_LEN + 10 {
            for bit in 0..8 {
                record.0[place] ^= 1 << bit;
                assert!(!record.is_whole(PLACE), "{place} {bit}");
                record.0[place] ^= 1 << bit;
            }
        }
        assert!(record.is_whole(PLACE));
    }

    #[test]
    fn a_length_that_no_value_has_is_none() {
        let mut buffer = [0xFF; RECORD_MAX];
        assert_eq!(Record(&mut buffer).claims(), None, "erased flash");
        assert!(!Record(&mut buffer).is_whole(PLACE));
        let mut buffer = sealed(&[7; VALUE_MAX]);
        assert!(Record(&mut buffer).is_whole(PLACE));
        buffer[9..11].copy_from_slice(&u16::try_from(VALUE_MAX + 1).unwrap().to_le_bytes());
        assert_eq!(Record(&mut buffer).claims(), None);
    }
}
