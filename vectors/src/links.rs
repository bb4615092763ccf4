//! What comes of a link's secret and of a label: keys, hints, tags, URIs, the signs of a code.

use armring_pairing::{
    AdvertisingTag, Assurance, Code, DiffieHellman, Hint, Link, LinkSecret, LinkState, PairingLabel, PairingSecret, Source,
    labelled_hash,
};
use armring_wire::uri::{PaymentUri, UriError};
use armring_wire::{Opaque, Version};
use serde_json::{Value, json};

use crate::handshakes::{band_hello, static_key};
use crate::seed::{bytes, hex, rng};

pub(crate) fn pairing_secret() -> [u8; 32] {
    bytes("pairing secret")
}

pub(crate) fn link_secret() -> [u8; 32] {
    labelled_hash(
        "armring/1 link",
        &[&bytes::<32>("handshake hash"), &bytes::<32>("wallet's share"), &bytes::<32>("band's share")],
    )
}

fn link() -> Link {
    let (peer, secret) = (static_key("wallet").public_key(), LinkSecret::new(link_secret()));
    Link::from_parts(peer, secret, Version(1), Assurance::ComparedCode, LinkState::Established)
}

/// The wallet's hint on every connection in the vectors.
pub(crate) fn hint() -> [u8; 16] {
    *Hint::draw(&link().hint_key(), band_hello().challenge(), &mut rng("hint")).unwrap().as_bytes()
}

pub(crate) fn vectors() -> Value {
    let link = link();
    let tag = AdvertisingTag::draw(&link, &mut rng("tag")).unwrap();
    json!({
        "about": "H(label, parts) is BLAKE2s-256 over the label's length, the label and the parts. A hint and a tag are 8 random bytes and \
                  8 of a keyed BLAKE2s-256.",
        "link": {
            "handshake_hash": hex(bytes::<32>("handshake hash")),
            "wallet_share": hex(bytes::<32>("wallet's share")),
            "band_share": hex(bytes::<32>("band's share")),
            "secret": hex(link_secret()),
            "psk": hex(link.psk().expose()),
            "hint_key": hex(link.hint_key().expose()),
            "advertising_key": hex(link.advertising_key().expose()),
        },
        "hint": { "challenge": hex(band_hello().challenge().as_bytes()), "hint": hex(hint()) },
        "tag": hex(tag.as_bytes()),
        "codes": codes(),
        "labels": ([Source::Printed, Source::Displayed].map(label)),
        "payment_uri": payment_uri(),
        "bad_uris": bad_uris(),
    })
}

/// Codes as digits and as signs.
fn codes() -> Vec<Value> {
    let code = |name: &str| {
        let hash = bytes(name);
        let code = Code::new(hash);
        let symbols: Vec<_> = code.symbols().iter().map(ToString::to_string).collect();
        json!({ "hash": hex(hash), "digits": code.digits().to_string().replace(' ', ""), "signs": symbols })
    };
    ["code 1", "code 2", "code 3"].map(code).to_vec()
}

fn label_of(source: Source) -> PairingLabel {
    PairingLabel::new(source, PairingSecret::new(pairing_secret()), &static_key("band").public_key())
}

fn uri_of(source: Source) -> String {
    label_of(source).to_uri(&mut [0; PairingLabel::URI_LEN]).unwrap().to_owned()
}

fn label(source: Source) -> Value {
    let band = static_key("band").public_key();
    json!({
        "source": source as u8,
        "secret": hex(pairing_secret()),
        "band": hex(band.as_bytes()),
        "key_hash": hex(labelled_hash("armring/1 oob key", &[band.as_bytes()])),
        "psk": hex(labelled_hash("armring/1 oob psk", &[&pairing_secret()])),
        "uri": uri_of(source),
    })
}

fn payment_uri() -> Value {
    let (request, certificate) = (bytes::<105>("request"), bytes::<120>("certificate"));
    let uri = PaymentUri { request: Opaque::new(&request).unwrap(), certificate: Opaque::new(&certificate).unwrap() };
    let mut buffer = [0; PaymentUri::MAX_LEN];
    json!({ "request": hex(request), "certificate": hex(certificate), "uri": uri.encode(&mut buffer).unwrap() })
}

fn bad_uris() -> Vec<Value> {
    let good = uri_of(Source::Displayed);
    let cases = [
        ("another scheme", good.replace("armring", "https"), UriError::Foreign),
        ("a payment where a label is wanted", good.replace("pair", "pay"), UriError::OtherKind),
        ("a newer form", good.replace("/1/", "/2/"), UriError::Newer),
        ("a form with a zero in front", good.replace("/1/", "/01/"), UriError::Malformed),
        ("padding", format!("{good}="), UriError::Malformed),
        ("a line break at the end", format!("{good}\n"), UriError::Malformed),
        ("cut by a character", good[..good.len() - 1].to_owned(), UriError::Malformed),
        ("a character too many", format!("{good}A"), UriError::Malformed),
        ("a source that is neither", good.replacen("/1/A", "/1/B", 1), UriError::Malformed),
        ("bits left over that are not zero", format!("{}B", &good[..good.len() - 1]), UriError::Malformed),
    ];
    let case = |(name, uri, error): (&str, String, UriError)| {
        assert_eq!(PairingLabel::from_uri(&uri).err(), Some(error), "{name}: {uri}");
        json!({ "name": name, "uri": uri, "error": error.to_string() })
    };
    cases.into_iter().map(case).collect()
}
