//! What comes of a link's secret: keys, hints, tags, and the shares that it is made of.

use armring_pairing::labelled_hash;
use serde_json::{Value, json};

use crate::handshakes::band_hello;
use crate::seed::{bytes, hex};

pub(crate) fn pairing_secret() -> [u8; 32] {
    bytes("pairing secret")
}

pub(crate) fn link_secret() -> [u8; 32] {
    labelled_hash(
        "armring/1 link",
        &[&bytes::<32>("handshake hash"), &bytes::<32>("wallet's share"), &bytes::<32>("band's share")],
    )
}

pub(crate) fn hint() -> [u8; 16] {
    [0; 16]
}

pub(crate) fn vectors() -> Value {
    json!({ "link_secret": hex(link_secret()), "challenge": hex(band_hello().challenge().as_bytes()) })
}
