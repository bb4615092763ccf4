//! What is in the flash of a band that is paired and enrolled.

use std::collections::BTreeMap;

use armring_band::StoreKey;
use armring_pairing::{DiffieHellman, Link, LinkSecret, LinkState};
use armring_token::{Credential, Limits};
use armring_wire::Version;
use armring_wire::records::Assurance;

use crate::cast::{self, BAND, ISSUER, Shared};

pub(crate) type Flash = BTreeMap<StoreKey, Vec<u8>>;

/// Where what is stored.
pub(crate) const KEY_LIST: u8 = 0x01;
pub(crate) const SECRET: u8 = 0x02;
pub(crate) const REPLACEMENT: u8 = 0x03;
pub(crate) const LINK: u8 = 0x10;
pub(crate) const CREDENTIAL: u8 = 0x20;

/// The end of phone `n`'s link that the band has, or the one that the phone has.
pub(crate) fn link(n: u8, peer: &Shared) -> Link {
    let (secret, code) = (LinkSecret::new([0xA0 + n; 32]), Assurance::ComparedCode);
    Link::from_parts(peer.public_key(), secret, Version(1), code, LinkState::Established)
}

pub(crate) fn credential(limits: Limits) -> Vec<u8> {
    let payment_key = cast::signer(BAND).verifying_key().to_bytes();
    cast::sign(&Credential { limits, ..cast::credential_body(payment_key) }, ISSUER)
}

/// Phones 0 and 1 are paired, and phone 0's link has a credential with these limits.
pub(crate) fn ready(limits: Limits) -> Flash {
    let object = credential(limits);
    let (handle, len) = ([BAND; 32], u8::try_from(object.len()).unwrap());
    // A length of two bytes, as postcard writes it.
    let credential = [&handle[..], &[len | 0x80, 1], &object].concat();
    let links = [0, 1].map(|n| (LINK + n, link(n, &Shared::phone(n)).to_bytes().to_vec()));
    let key_list = cast::key_list(1, *Shared::issuer().public_key().as_bytes());
    let all = [(KEY_LIST, key_list), (CREDENTIAL, credential)].into_iter().chain(links);
    all.map(|(key, value)| (StoreKey::from_u8(key).unwrap(), value)).collect()
}
