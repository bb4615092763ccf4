//! What cannot be taken back.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use armring_band::StoreKey;
use armring_wire::CredentialId;

use super::disk::{Change, Values};
use crate::common::Op;

/// What a phone has of the band's, and what it may count on.
#[derive(Clone, Hash)]
pub(crate) struct Phone {
    pub(crate) key: [u8; 32],
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) hold: Hold,
    pub(crate) credential: Option<CredentialId>,
    /// The phone whose place it takes once it has connected.
    pub(crate) replaces: Option<usize>,
}

/// Whether the band has a phone's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hold {
    /// It may: it is being made.
    Making,
    /// It does.
    Must,
    /// One of all such phones' links is there.
    OneOf,
    /// It may: it is being forgotten.
    Going,
    /// It does not, and its wearer was told so.
    Gone,
}

/// What cannot be taken back, whatever happens to the band.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    pub(crate) phones: Vec<Phone>,
    /// The phone that was connected last.
    pub(crate) at: usize,
    /// The bodies of the tokens that have left the band.
    pub(crate) tokens: Vec<Vec<u8>>,
    /// What a phone is about to have paid.
    pub(crate) request: Option<(usize, Vec<u8>)>,
    /// With which code a phone enrols, and the payment key that the issuer has heard of.
    pub(crate) enrolling: Option<(usize, [u8; 16], Option<[u8; 32]>)>,
    /// The time of the latest receipt that the wearer was told of.
    pub(crate) told_time: u32,
    /// The highest ceiling of those, of each credential.
    pub(crate) ceilings: BTreeMap<[u8; 8], u64>,
    /// What may unlock the band, and how many tries there may be left.
    pub(crate) pins: Vec<[u8; 4]>,
    pub(crate) tries: u8,
    /// The epoch of the issuer's latest key list, and when it was issued.
    pub(crate) epoch: (u32, u32),
    /// What the band was told to be stored, and what it has asked for since.
    pub(crate) acknowledged: Rc<Values>,
    pub(crate) pending: Option<Change>,
    /// Secrets that were once acknowledged.
    pub(crate) secrets: Rc<Vec<Vec<u8>>>,
}

/// All of it that matters once power is back and what was stored is known.
impl Hash for Facts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.phones, self.at, &self.tokens, &self.request, &self.enrolling).hash(state);
        (self.told_time, &self.ceilings, &self.pins, self.tries, self.epoch).hash(state);
    }
}

/// The secret in a value.
pub(crate) fn secret_in(key: u8, value: &[u8]) -> Option<&[u8]> {
    let len = StoreKey::from_u8(key)?.secret_len();
    (len > 0).then(|| &value[len - 32..len])
}

/// What was done to the flash, or happened otherwise, and what could not be taken back by then.
pub(crate) struct Entry {
    pub(crate) op: Option<Op>,
    pub(crate) facts: Rc<Facts>,
}
