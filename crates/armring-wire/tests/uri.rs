//! URIs: one for each payload, nothing else is taken for it, and whatever comes is answered with an error and never with a panic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_wire::records::{CREDENTIAL_MAX, OBJECT_MAX};
use armring_wire::uri::{PaymentUri, UriError, UriKind, decode_uri, encode_uri, uri_len};
use armring_wire::{BufferTooSmall, Opaque};
use common::config;
use proptest::prelude::*;

fn uri_of(kind: UriKind, payload: &[u8]) -> String {
    encode_uri(kind, payload, &mut vec![0; uri_len(kind, payload.len())]).unwrap().to_owned()
}

fn payload_of(kind: UriKind, uri: &str) -> Result<Vec<u8>, UriError> {
    decode_uri(kind, uri, &mut [0; 600]).map(<[u8]>::to_vec)
}

fn kinds() -> impl Strategy<Value = UriKind> {
    prop_oneof![Just(UriKind::Pair), Just(UriKind::Pay)]
}

#[test]
fn this_is_what_they_look_like() {
    assert_eq!(uri_of(UriKind::Pair, b""), "armring:pair/1/");
    assert_eq!(uri_of(UriKind::Pair, &[0xfb, 0xff, 0xfe, 0x00]), "armring:pair/1/-__-AA");
    let payment = PaymentUri { request: Opaque::new(&[1, 2]).unwrap(), certificate: Opaque::new(&[]).unwrap() };
    assert_eq!(payment.encode(&mut [0; PaymentUri::MAX_LEN]), Ok("armring:pay/1/AgECAA"));
    assert_eq!((PaymentUri::PAYLOAD_MAX, PaymentUri::MAX_LEN), (448, 612));
}

#[test]
fn a_length_that_no_payload_has_is_no_panic() {
    assert_eq!(uri_len(UriKind::Pair, 65), 102);
    assert!(uri_len(UriKind::Pay, usize::MAX) >= usize::MAX / 3);
}

#[test]
fn the_longest_payment_fits_and_a_longer_one_does_not() {
    let (request, certificate) = ([0xff; OBJECT_MAX], [0xff; CREDENTIAL_MAX]);
    let payment = PaymentUri { request: Opaque::new(&request).unwrap(), certificate: Opaque::new(&certificate).unwrap() };
    let mut buffer = [0; PaymentUri::MAX_LEN];
    let uri = payment.encode(&mut buffer).unwrap();
    assert_eq!(uri.len(), PaymentUri::MAX_LEN);
    assert_eq!(PaymentUri::decode(uri, &mut [0; PaymentUri::PAYLOAD_MAX]), Ok(payment));
    assert_eq!(payment.encode(&mut [0; PaymentUri::MAX_LEN - 1]), Err(BufferTooSmall));
    let longer = uri_of(UriKind::Pay, &[0; PaymentUri::PAYLOAD_MAX + 1]);
    assert_eq!(PaymentUri::decode(&longer, &mut [0; PaymentUri::PAYLOAD_MAX]), Err(UriError::Malformed));
}

#[test]
fn a_payment_has_one_payload() {
    let decode = |payload: &[u8]| PaymentUri::decode(&uri_of(UriKind::Pay, payload), &mut [0; PaymentUri::PAYLOAD_MAX]).err();
    assert_eq!(decode(&[1, 7, 0]), None);
    for (payload, name) in [
        (&[][..], "nothing"),
        (&[1, 7], "no certificate"),
        (&[2, 7, 0], "cut short"),
        (&[1, 7, 0, 0], "a byte left over"),
        (&[0x81, 0x00, 7, 0], "a length that takes two bytes"),
        (&[0x9d, 0x01], "a request that is too long"),
    ] {
        assert_eq!(decode(payload), Some(UriError::Malformed), "{name}");
    }
}

#[test]
fn each_way_of_being_wrong_has_its_name() {
    let decode = |uri: &str| payload_of(UriKind::Pair, uri);
    assert_eq!(decode("armring:pair/1/AA"), Ok(vec![0]));
    for scheme in ["ARMRING:", "Armring:", "aRMRING:"] {
        assert_eq!(decode(&format!("{scheme}pair/1/AA")), Ok(vec![0]), "platforms write the scheme as they like");
    }
    for other in ["", "a", "armring", "armring;pair/1/AA", " armring:pair/1/AA", "https://armring/pair/1/AA", "ärmring:pair/1/AA"]
    {
        assert_eq!(decode(other), Err(UriError::Foreign), "{other:?}");
    }
    for other in ["armring:pay/1/AA", "armring:PAIR/1/AA", "armring:refund/1/AA", "armring:/1/AA", "armring://pair/1/AA"] {
        assert_eq!(decode(other), Err(UriError::OtherKind), "{other:?}");
    }
    for newer in ["armring:pair/2/AA", "armring:pair/10/??", "armring:pair/99999999999999999999999999/"] {
        assert_eq!(decode(newer), Err(UriError::Newer), "{newer:?}");
    }
    for malformed in [
        "armring:",
        "armring:pair",
        "armring:pair/",
        "armring:pair/1",
        "armring:pair//AA",
        "armring:pair/0/AA",
        "armring:pair/01/AA",
        "armring:pair/+1/AA",
        "armring:pair/1a/AA",
        "armring:pair/1/A",
        "armring:pair/1/AB",
        "armring:pair/1/AA==",
        "armring:pair/1/AA=",
        "armring:pair/1/AA ",
        "armring:pair/1/ AA",
        "armring:pair/1/A A",
        "armring:pair/1/AA\n",
        "armring:pair/1/+/8A",
        "armring:pair/1/AA/",
        "armring:pair/1/AA?a=b",
        "armring:pair/1/AA#a",
        "armring:pair/1/A%41",
        "armring:pair/1/ÄA",
    ] {
        assert_eq!(decode(malformed), Err(UriError::Malformed), "{malformed:?}");
    }
}

#[test]
fn bits_left_over_are_refused() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (start, canonical) in [("A", 4), ("AA", 16), ("AAA", 64)] {
        let taken = ALPHABET.chars().filter(|last| payload_of(UriKind::Pay, &format!("armring:pay/1/{start}{last}")).is_ok());
        assert_eq!(taken.count(), canonical, "after {start}");
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn what_is_written_is_read(kind in kinds(), payload in prop::collection::vec(any::<u8>(), 0..500)) {
        let uri = uri_of(kind, &payload);
        prop_assert!(uri.is_ascii() && uri.len() == uri_len(kind, payload.len()));
        prop_assert_eq!(payload_of(kind, &uri), Ok(payload.clone()));
        let mut exact = vec![0; payload.len()];
        prop_assert_eq!(decode_uri(kind, &uri, &mut exact), Ok(payload.as_slice()));
        if !payload.is_empty() {
            prop_assert_eq!(decode_uri(kind, &uri, &mut exact[1..]), Err(UriError::Malformed));
        }
        let mut short = vec![0; uri.len() - 1];
        prop_assert_eq!(encode_uri(kind, &payload, &mut short), Err(BufferTooSmall));
    }

    #[test]
    fn what_is_read_is_what_would_be_written(kind in kinds(), payload in "[-_A-Za-z0-9+/=%\\PC]{0,12}") {
        let uri = uri_of(kind, &[]) + &payload;
        if let Ok(payload) = payload_of(kind, &uri) {
            prop_assert_eq!(uri_of(kind, &payload), uri);
        }
    }

    #[test]
    fn one_character_changed_is_another_payload_or_none(
        kind in kinds(),
        payload in prop::collection::vec(any::<u8>(), 1..100),
        at: prop::sample::Index,
        by in "[-_A-Za-z0-9+/=]",
    ) {
        let uri = uri_of(kind, &payload);
        let start = uri_of(kind, &[]).len();
        let at = start + at.index(uri.len() - start);
        prop_assume!(uri[at..=at] != by);
        let changed = format!("{}{by}{}", &uri[..at], &uri[at + 1..]);
        prop_assert_ne!(payload_of(kind, &changed), Ok(payload));
    }

    #[test]
    fn payments_come_back(
        request in prop::collection::vec(any::<u8>(), 0..=OBJECT_MAX),
        certificate in prop::collection::vec(any::<u8>(), 0..=CREDENTIAL_MAX),
    ) {
        let payment = PaymentUri { request: Opaque::new(&request).unwrap(), certificate: Opaque::new(&certificate).unwrap() };
        let mut buffer = [0; PaymentUri::MAX_LEN];
        let uri = payment.encode(&mut buffer).unwrap();
        let mut payload = [0; PaymentUri::PAYLOAD_MAX];
        prop_assert_eq!(PaymentUri::decode(uri, &mut payload), Ok(payment));
    }

    #[test]
    fn garbage_is_answered_with_an_error(text in "\\PC{0,80}", payload in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(payload_of(UriKind::Pair, &text).is_err());
        prop_assert!(PaymentUri::decode(&text, &mut [0; PaymentUri::PAYLOAD_MAX]).is_err());
        let uri = uri_of(UriKind::Pay, &payload);
        let mut buffer = [0; PaymentUri::PAYLOAD_MAX];
        if let Ok(payment) = PaymentUri::decode(&uri, &mut buffer) {
            let mut again = [0; PaymentUri::MAX_LEN];
            prop_assert_eq!(payment.encode(&mut again), Ok(uri.as_str()));
        }
    }
}
