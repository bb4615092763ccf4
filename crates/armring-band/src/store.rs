//! What has to last, as bytes under keys.

use armring_pairing::{HintKey, Link};
use armring_token::{FreeCount, Minor, PaymentToken, Unlocking};
use armring_wire::records::{CREDENTIAL_MAX, KEY_LIST_MAX};
use armring_wire::{CredentialId, EnrolmentCode, Opaque, UnixTime};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::band::LINKS;
use crate::purse::TOKENS_REMEMBERED;
use crate::secret::UNLOCK_TRIES;

/// The longest value that is stored, in bytes.
pub const VALUE_MAX: usize = KEY_LIST_MAX;

/// Where something is stored. The host keeps one value under each key and hands all of them back at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey(u8);

const KEY_LIST: u8 = 0x01;
const SECRET: u8 = 0x02;
const REPLACEMENT: u8 = 0x03;
const LINK: u8 = 0x10;
const CREDENTIAL: u8 = 0x20;
const ENROLMENT: u8 = 0x30;
const ANSWER: u8 = 0x40;
const TOKEN: u8 = 0x50;

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    KeyList,
    Secret,
    Replacement,
    Link(usize),
    Credential(usize),
    Enrolment(usize),
    Answer(usize),
    Token(usize, usize),
}

impl StoreKey {
    /// The key as one byte, for the host's own storage.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self.0
    }

    /// The key that was stored as this byte; `None` for a byte that is none.
    #[must_use]
    pub fn from_u8(byte: u8) -> Option<Self> {
        Self(byte).place().map(|_| Self(byte))
    }

    /// All keys, in the order in which what is stored under them is to be loaded; and erased, where that is not done at once. A power cut
    /// on the way then leaves no payment key without its counter, and no link without the secret that unlocks the band.
    pub fn all() -> impl Iterator<Item = Self> {
        (LINK..=u8::MAX).chain(0..LINK).filter_map(Self::from_u8)
    }

    /// How many of the first bytes of a value say which secret it is: 0 where it holds none. A value that differs there from the one that it
    /// takes the place of holds another secret, and the old one is not to be readable any more, as after an [`Erase`](crate::Output::Erase).
    #[must_use]
    pub fn secret_len(self) -> usize {
        match self.place() {
            // The kind, the salt and the hash; not the tries.
            Some(Place::Secret) => 1 + 16 + 32,
            // The other side's key and the secret; not how far the link is.
            Some(Place::Link(_)) => 32 + 32,
            Some(Place::Replacement) => 32 + 32 + 32,
            // The payment key.
            Some(Place::Credential(_) | Place::Enrolment(_)) => 32,
            Some(Place::KeyList | Place::Answer(_) | Place::Token(..)) | None => 0,
        }
    }

    pub(crate) fn place(self) -> Option<Place> {
        let low = usize::from(self.0 & 0x0F);
        let slot = (low < LINKS).then_some(low);
        match self.0 & 0xF0 {
            0x00 if self.0 == KEY_LIST => Some(Place::KeyList),
            0x00 if self.0 == SECRET => Some(Place::Secret),
            0x00 if self.0 == REPLACEMENT => Some(Place::Replacement),
            LINK => slot.map(Place::Link),
            CREDENTIAL => slot.map(Place::Credential),
            ENROLMENT => slot.map(Place::Enrolment),
            ANSWER => slot.map(Place::Answer),
            TOKEN => Some(Place::Token(low / TOKENS_REMEMBERED, low % TOKENS_REMEMBERED)),
            _ => None,
        }
    }
}

impl From<Place> for StoreKey {
    fn from(place: Place) -> Self {
        // Slots are below 4 and tokens below 4 a slot, so that they fit the low half of the byte.
        let low = |number: usize| u8::try_from(number).unwrap_or(u8::MAX) & 0x0F;
        Self(match place {
            Place::KeyList => KEY_LIST,
            Place::Secret => SECRET,
            Place::Replacement => REPLACEMENT,
            Place::Link(slot) => LINK | low(slot),
            Place::Credential(slot) => CREDENTIAL | low(slot),
            Place::Enrolment(slot) => ENROLMENT | low(slot),
            Place::Answer(slot) => ANSWER | low(slot),
            Place::Token(slot, token) => TOKEN | low(slot * TOKENS_REMEMBERED + token),
        })
    }
}

const _: () = assert!(LINKS * TOKENS_REMEMBERED <= 16, "a token's key has four bits for slot and token");

/// A provisional link that is to take the place of another when it is first reconnected. It names that one by its hint key, so that it
/// means nothing once that one is gone, whatever is left of it in the flash.
pub(crate) struct Replacement {
    pub(crate) replaces: HintKey,
    pub(crate) link: Link,
}

impl Replacement {
    const LEN: usize = 32 + Link::LEN;

    /// Whether `link` is the one whose place it is to take.
    pub(crate) fn replaces(&self, link: &Link) -> bool {
        self.replaces.ct_eq(&link.hint_key()).into()
    }

    /// As it is stored: the hint key of the link that it replaces (32), then its own link.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        let link = self.link.to_bytes();
        for (to, from) in bytes.iter_mut().zip(self.replaces.expose().iter().chain(link.iter())) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (replaces, link) = bytes.split_first_chunk()?;
        Some(Self { replaces: HintKey::new(*replaces), link: Link::from_bytes(link.try_into().ok()?)? })
    }
}

/// What the wearer unlocks the band with, hashed with a salt, and how many tries are left.
#[derive(Serialize, Deserialize, Zeroize)]
#[zeroize(drop)]
pub(crate) struct StoredSecret {
    /// An [`Unlocking`] that is entered on the band.
    pub(crate) kind: u8,
    pub(crate) salt: [u8; 16],
    pub(crate) hash: [u8; 32],
    pub(crate) tries: u8,
}

impl StoredSecret {
    /// Whether it is one that the band can have stored.
    pub(crate) const fn is_valid(&self) -> bool {
        (self.kind == Unlocking::Pin as u8 || self.kind == Unlocking::TapPattern as u8) && self.tries <= UNLOCK_TRIES
    }

    pub(crate) const fn unlocking(&self) -> Unlocking {
        if self.kind == Unlocking::Pin as u8 { Unlocking::Pin } else { Unlocking::TapPattern }
    }

    pub(crate) const fn with_tries(&self, tries: u8) -> Self {
        Self { kind: self.kind, salt: self.salt, hash: self.hash, tries }
    }
}

/// A payment key that waits for its credential.
#[derive(Serialize, Deserialize, Zeroize)]
#[zeroize(drop)]
pub(crate) struct StoredEnrolment {
    pub(crate) handle: [u8; 32],
    #[zeroize(skip)]
    pub(crate) code: EnrolmentCode,
}

/// A credential, as the issuer signed it, and its payment key.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredCredential<'a> {
    pub(crate) handle: [u8; 32],
    #[serde(borrow)]
    pub(crate) object: Opaque<'a, CREDENTIAL_MAX>,
}

impl Drop for StoredCredential<'_> {
    fn drop(&mut self) {
        self.handle.zeroize();
    }
}

/// What was signed without a gesture since the last payment with one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Free {
    pub(crate) count: FreeCount,
    pub(crate) total: Minor,
}

/// A token that is to be signed, and what counts from then on: all in one write, so that no power cut keeps the one without the other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct StoredToken {
    pub(crate) body: PaymentToken,
    pub(crate) free: Free,
    /// The latest time that the issuer had signed.
    pub(crate) latest: UnixTime,
}

/// What the latest receipt said.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StoredAnswer {
    pub(crate) credential: CredentialId,
    pub(crate) ceiling: Minor,
    pub(crate) time: UnixTime,
}

#[cfg(test)]
mod tests {
    use armring_wire::encode;

    use super::*;

    #[test]
    fn what_makes_a_secret_another_one_is_in_its_first_bytes_and_what_counts_with_it_is_not() {
        let key = |place| StoreKey::from(place).secret_len();
        let secret = StoredSecret { kind: 3, salt: [1; 16], hash: [2; 32], tries: 8 };
        let (mut one, mut other) = ([0; 64], [0; 64]);
        let (one, other) = (encode(&secret, &mut one).unwrap(), encode(&secret.with_tries(7), &mut other).unwrap());
        assert_eq!(one.iter().zip(other.iter()).position(|(one, other)| one != other), Some(key(Place::Secret)));
        let enrolment = StoredEnrolment { handle: [7; 32], code: EnrolmentCode([9; 16]) };
        let mut buffer = [0; 64];
        assert_eq!(encode(&enrolment, &mut buffer).unwrap().split_at(key(Place::Enrolment(0))), (&[7; 32][..], &[9; 16][..]));
        assert_eq!(key(Place::Link(3)), Link::LEN - 8, "then lowest version, assurance, state, generation, lost");
        assert_eq!(key(Place::Replacement), Replacement::LEN - 8);
        assert_eq!(key(Place::Credential(0)), 32);
        for place in [Place::KeyList, Place::Answer(1), Place::Token(2, 3)] {
            assert_eq!(key(place), 0, "{place:?}");
        }
    }

    #[test]
    fn every_place_has_a_key_of_its_own() {
        let places = (0..LINKS)
            .flat_map(|slot| [Place::Link(slot), Place::Credential(slot), Place::Enrolment(slot), Place::Answer(slot)])
            .chain((0..LINKS).flat_map(|slot| (0..TOKENS_REMEMBERED).map(move |token| Place::Token(slot, token))))
            .chain([Place::KeyList, Place::Secret, Place::Replacement]);
        let mut seen = [false; 256];
        for place in places {
            let key = StoreKey::from(place);
            assert_eq!(StoreKey::from_u8(key.as_u8()).and_then(StoreKey::place), Some(place));
            assert!(!core::mem::replace(&mut seen[usize::from(key.as_u8())], true), "{place:?}");
        }
        for byte in (0..=u8::MAX).filter(|byte| !seen[usize::from(*byte)]) {
            assert_eq!(StoreKey::from_u8(byte), None, "{byte}");
        }
    }
}
