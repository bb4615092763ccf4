//! Where the newest value under each key stands.

use core::num::NonZeroU32;

/// As many keys as a band has, and two of the storage's own.
const KEYS: usize = crate::store::KEYS;

/// Where a record is: its page and the place in it, as one number that is never zero, since a page begins with something else.
pub(crate) struct Index {
    keys: [u8; KEYS],
    places: [Option<NonZeroU32>; KEYS],
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self { keys: [0; KEYS], places: [None; KEYS] }
    }

    fn entries(&self) -> impl Iterator<Item = (u8, NonZeroU32)> {
        self.keys.iter().zip(&self.places).filter_map(|(key, place)| Some((*key, (*place)?)))
    }

    pub(crate) fn get(&self, key: u8) -> Option<NonZeroU32> {
        self.entries().find(|(known, _)| *known == key).map(|(_, place)| place)
    }

    /// A key whose place is in this range.
    pub(crate) fn any_in(&self, range: core::ops::Range<u32>) -> Option<(u8, NonZeroU32)> {
        self.entries().find(|(_, place)| range.contains(&place.get()))
    }

    /// Takes note of a place, or that there is none any more. Says whether there was room for it.
    pub(crate) fn set(&mut self, key: u8, place: Option<NonZeroU32>) -> bool {
        let mut entries = self.keys.iter_mut().zip(&mut self.places);
        if let Some((_, known)) = entries.find(|(known, place)| **known == key && place.is_some()) {
            *known = place;
            return true;
        }
        if place.is_none() {
            return true;
        }
        let free = self.keys.iter_mut().zip(&mut self.places).find(|(_, place)| place.is_none());
        free.map(|(known, free)| (*known, *free) = (key, place)).is_some()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use armring_band::StoreKey;

    use super::*;

    #[test]
    fn every_key_of_a_band_and_two_more_have_room_and_no_other_has() {
        let mut index = Index::new();
        let place = NonZeroU32::new;
        let keys: Vec<u8> = StoreKey::all().map(StoreKey::as_u8).chain([0xFE, 0xFF]).collect();
        for (number, key) in (1..).zip(&keys) {
            assert!(index.set(*key, place(number)) && index.set(*key, place(number + 100)));
        }
        assert!(!index.set(0xFD, place(1)) && index.set(0xFD, None));
        assert_eq!(index.get(keys[3]), place(104));
        assert_eq!(index.any_in(100..102), Some((keys[0], NonZeroU32::new(101).unwrap())));
        assert!(index.set(keys[3], None) && index.get(keys[3]).is_none() && index.any_in(104..105).is_none());
        assert!(index.set(0xFD, place(1)), "in its place");
    }
}
