//! Both URIs.

use armring_pairing::PairingLabel;
use armring_wire::encode;
use armring_wire::uri::{PaymentUri, UriKind, decode_uri, encode_uri, uri_len};

use crate::input::Input;

const ROOM: usize = 800;

/// Reads text as both URIs, and bytes as what a URI carries; what is read is written as the same.
pub fn uris(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(3) {
        0 => {
            let text = String::from_utf8_lossy(input.rest());
            label(&text);
            payment(&text);
        }
        kind => {
            let kind = if kind == 1 { UriKind::Pair } else { UriKind::Pay };
            let payload = input.rest();
            let payload = &payload[..payload.len().min(500)];
            let mut buffer = [0; ROOM];
            let uri = encode_uri(kind, payload, &mut buffer).unwrap();
            assert_eq!(uri.len(), uri_len(kind, payload.len()));
            assert_eq!(decode_uri(kind, uri, &mut [0; ROOM]).unwrap(), payload);
            let short = &mut [0; ROOM][..uri.len() - 1];
            assert!(encode_uri(kind, payload, short).is_err(), "there is no room");
            label(uri);
            payment(uri);
        }
    }
}

/// `uri` as it is written: scanners hand on capitals.
fn canonical(uri: &str) -> String {
    let (scheme, rest) = uri.split_at("armring:".len());
    scheme.to_ascii_lowercase() + rest
}

fn label(uri: &str) {
    let Ok(label) = PairingLabel::from_uri(uri) else { return };
    let mut buffer = [0; PairingLabel::URI_LEN];
    assert_eq!(label.to_uri(&mut buffer).unwrap(), canonical(uri));
    assert!(!format!("{label:?}").contains("secret"));
    assert!(PaymentUri::decode(uri, &mut [0; PaymentUri::PAYLOAD_MAX]).is_err(), "one or the other");
}

fn payment(uri: &str) {
    let mut payload = [0; PaymentUri::PAYLOAD_MAX];
    let Ok(read) = PaymentUri::decode(uri, &mut payload) else { return };
    let mut buffer = [0; PaymentUri::MAX_LEN];
    assert_eq!(read.encode(&mut buffer).unwrap(), canonical(uri));
    let mut buffer = [0; PaymentUri::PAYLOAD_MAX];
    let payload = encode(&read, &mut buffer).unwrap();
    assert!(uri_len(UriKind::Pay, payload.len()) == uri.len());
}
