//! Each signed object.

use armring_token::{
    Credential, Issuer, KeyList, KeyUse, Payee, PayeeCertificate, Payment, PaymentRequest, PaymentToken, PublicKey, Receipt,
    Refund, RefundReceipt, RevocationList, Root, Unverified,
};
use armring_wire::{RootFingerprint, encode};

use crate::cast::{self, BAND, ISSUER, ROOT, SHOP};
use crate::input::Input;

const SIGNATURE_LEN: usize = 64;
/// Longer than any object.
const ROOM: usize = 4_200;

/// Parses bytes as the body of one object. Those that are one are signed, and are that object under its key and its root alone.
pub fn objects(data: &[u8]) {
    macro_rules! check {
        ($object:ty, $by:ty, $seed:expr, $signed:expr, $bytes:expr, $input:expr) => {{
            let unsigned = [&[0; SIGNATURE_LEN], $bytes].concat();
            let Ok(unverified) = Unverified::<$object>::parse(&unsigned) else { return };
            let mut buffer = [0; ROOM];
            assert_eq!(encode(unverified.claims(), &mut buffer).unwrap(), $bytes, "one encoding: {:?}", unverified.claims());
            assert_eq!(unverified.signed_bytes(), $bytes);
            assert!(unsigned.len() <= <$object as armring_token::Object<'_>>::MAX_LEN);
            if !$signed {
                return;
            }
            let (root, key) = (cast::root(), cast::public::<$by>($seed));
            let object = cast::sign(unverified.claims(), $seed);
            let digest = unverified.digest(&root);
            assert!(unverified.verify(&root, &key).is_err(), "without a signature");
            let verify = |object: &[u8], root: &RootFingerprint, key: &PublicKey<$by>| {
                Unverified::<$object>::parse(object)
                    .map_err(drop)?
                    .verify(root, key)
                    .map(|verified| *verified.digest())
                    .map_err(drop)
            };
            assert_eq!(verify(&object, &root, &key), Ok(digest));
            let mut other = object.clone();
            match $input.below(3) {
                0 => assert!(verify(&object, &root, &cast::public::<$by>(99)).is_err(), "another's key"),
                1 => assert!(verify(&object, &RootFingerprint($input.any()), &key).is_err(), "another issuer's"),
                _ if $input.alter(&mut other) => assert!(verify(&other, &root, &key).is_err(), "other bytes"),
                _ => {}
            }
            object
        }};
    }
    let mut input = Input::new(data);
    let (kind, signed) = (input.below(9), input.any::<bool>());
    // What is done to the object comes first, so that the body is all of the rest.
    let mut change = Input::new(input.bytes(32));
    let body = input.rest();
    match kind {
        0 => key_list(&check!(KeyList, Root, ROOT, signed, body, change)),
        1 => drop(check!(PayeeCertificate<'_>, Issuer, ISSUER, signed, body, change)),
        2 => drop(check!(Credential, Issuer, ISSUER, signed, body, change)),
        3 => drop(check!(PaymentRequest<'_>, Payee, SHOP, signed, body, change)),
        4 => token(&check!(PaymentToken, Payment, BAND, signed, body, change)),
        5 => drop(check!(Receipt, Issuer, ISSUER, signed, body, change)),
        6 => revocations(&check!(RevocationList<'_>, Issuer, ISSUER, signed, body, change)),
        7 => drop(check!(Refund, Payee, SHOP, signed, body, change)),
        _ => drop(check!(RefundReceipt, Issuer, ISSUER, signed, body, change)),
    }
}

/// The key that a list gives is one of its own, for this use and this time.
fn key_list(object: &[u8]) {
    let list = cast::verified(object);
    for entry in &list.keys {
        for at in [entry.validity.from, entry.validity.until, cast::NOW] {
            let serves = |key_use| list.keys.iter().filter(move |other| other.key_use == key_use && other.validity.contains(at));
            if let Ok(key) = list.signing_key(entry.id, at) {
                assert!(serves(KeyUse::Signing).any(|other| other.id == entry.id && other.key == *key.as_bytes()));
            }
            let enrols = list.enrolment_key(at).ok();
            assert_eq!(enrols, serves(KeyUse::Enrolment).next().map(|other| other.key));
        }
    }
    let epoch = list.epoch;
    assert!(list.not_older_than(epoch).is_ok());
}

/// Its interval ends where its total does.
fn token(object: &[u8]) {
    let unverified = Unverified::<PaymentToken>::parse(object).unwrap();
    let token = unverified.claims();
    assert_eq!(token.digest(&cast::root()), unverified.token_digest(&cast::root()));
    let start = token.interval_start();
    assert_eq!(start.map(|start| start.0.checked_add(token.amount.minor())), start.map(|_| Some(token.cumulative.0)));
}

/// What is listed is found, and is said once.
fn revocations(object: &[u8]) {
    let list = Unverified::<RevocationList<'_>>::parse(object).unwrap();
    let entries = list.claims().entries;
    assert_eq!(entries.iter().count(), entries.len());
    for entry in entries.iter() {
        assert_eq!(entries.find(entry.subject), Some(entry));
    }
}
