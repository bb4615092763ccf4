//! The issuer's key list: which list is taken, and which of its keys for what.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_token::{
    Credential, Epoch, IssuerKey, KEYS_MAX, KeyEntry, KeyList, KeyUse, Object, Payment, Signing, Unverified, Verified,
    VerifyError,
};
use armring_wire::{DecodeError, KeyId, UnixTime, VersionRange};
use common::{entry, issuer_signer, key_list, kinds, message, public, root, root_signer, validity};
use ed25519_dalek::Signer;

fn at(second: u32) -> UnixTime {
    UnixTime::from_secs(second)
}

fn verified(list: &KeyList) -> Verified<KeyList> {
    let mut buffer = [0; KeyList::MAX_LEN];
    let object = list.sign(&root(), &Signing::new(root_signer()), &mut buffer).unwrap();
    Unverified::<KeyList>::parse(object).unwrap().verify(&root(), &public(&root_signer())).unwrap()
}

fn with_keys(keys: impl IntoIterator<Item = KeyEntry>) -> Verified<KeyList> {
    verified(&KeyList { keys: keys.into_iter().collect(), ..key_list() })
}

fn key(n: u8) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(&[n; 32]).verifying_key().to_bytes()
}

#[test]
fn a_list_of_a_lower_epoch_is_refused_and_the_same_or_a_higher_one_is_taken() {
    for (seen, taken) in [(0, true), (6, true), (7, true), (8, false), (u32::MAX, false)] {
        let result = verified(&key_list()).not_older_than(Epoch(seen));
        assert_eq!(
            result.map(|list| list.epoch),
            if taken { Ok(Epoch(7)) } else { Err(VerifyError::OldEpoch) },
            "{seen} was seen"
        );
    }
}

#[test]
fn a_key_outside_its_validity_is_refused() {
    let list = with_keys([
        entry(1, KeyUse::Signing, key(2), validity(100, 200)),
        entry(2, KeyUse::Enrolment, key(3), validity(150, 160)),
    ]);
    for (second, valid) in [(0, false), (99, false), (100, true), (199, true), (200, false), (u32::MAX, false)] {
        assert_eq!(list.signing_key(KeyId(1), at(second)).is_ok(), valid, "at {second}");
    }
    for (second, valid) in [(149, false), (150, true), (159, true), (160, false)] {
        assert_eq!(list.enrolment_key(at(second)), if valid { Ok(key(3)) } else { Err(VerifyError::Key) }, "at {second}");
    }
    let never = with_keys([entry(1, KeyUse::Signing, key(2), validity(200, 100))]);
    assert_eq!(never.signing_key(KeyId(1), at(150)), Err(VerifyError::Key), "from after until");
}

#[test]
fn a_key_of_another_use_is_refused() {
    let list = with_keys([entry(1, KeyUse::Enrolment, key(2), validity(0, 200))]);
    assert_eq!(list.signing_key(KeyId(1), at(100)), Err(VerifyError::Key));
    let list = with_keys([entry(1, KeyUse::Signing, key(2), validity(0, 200))]);
    assert_eq!(list.enrolment_key(at(100)), Err(VerifyError::Key));
}

#[test]
fn a_key_that_is_not_in_the_list_is_refused() {
    let list =
        with_keys([entry(1, KeyUse::Signing, key(2), validity(0, 200)), entry(2, KeyUse::Signing, key(3), validity(0, 200))]);
    assert_eq!(list.signing_key(KeyId(2), at(100)), Ok(IssuerKey::from_bytes(key(3)).unwrap()));
    assert_eq!(list.signing_key(KeyId(3), at(100)), Err(VerifyError::Key));
    assert_eq!(with_keys([]).signing_key(KeyId(1), at(100)), Err(VerifyError::Key));
}

#[test]
fn a_signing_key_that_is_no_key_is_refused() {
    let small_order = core::array::from_fn(|i| u8::from(i == 0));
    let list = with_keys([entry(1, KeyUse::Signing, small_order, validity(0, 200))]);
    assert_eq!(list.signing_key(KeyId(1), at(100)), Err(VerifyError::Key));
}

#[test]
fn a_credential_verifies_with_the_key_that_it_names_and_no_other() {
    let object = &kinds()[2].object;
    let list = with_keys([
        entry(0, KeyUse::Signing, key(9), validity(0, 200)),
        entry(1, KeyUse::Signing, issuer_signer().verifying_key().to_bytes(), validity(0, 200)),
    ]);
    let verify = |id| {
        let unverified = Unverified::<Credential>::parse(object).unwrap();
        assert_eq!(unverified.claims().key, KeyId(1));
        unverified.verify(&root(), &list.signing_key(id, at(100)).unwrap()).map(|credential| credential.payment_key())
    };
    assert_eq!(verify(KeyId(1)), Ok(Some(public::<Payment>(&common::band_signer()))));
    assert_eq!(verify(KeyId(0)), Err(VerifyError::Signature));
}

#[test]
fn a_list_of_more_keys_than_there_may_be_is_malformed_though_the_root_signed_it() {
    let object = kinds()[0].object.clone();
    assert_eq!((object[64 + 15], KEYS_MAX), (8, 8));
    let one = object[64 + 16..][..43].to_vec();
    for (more, parses) in [(0, true), (1, false), (100, false)] {
        let mut body = [&object[64..], &one.repeat(more)].concat();
        body[15] += u8::try_from(more).unwrap();
        let signature = root_signer().sign(&message("key list", &root(), &body)).to_bytes();
        let parsed = Unverified::<KeyList>::parse(&[&signature[..], &body].concat()).map(drop);
        assert_eq!(parsed, if parses { Ok(()) } else { Err(DecodeError::Malformed) }, "{more} more");
    }
}

#[test]
fn a_list_without_keys_has_80_bytes() {
    let mut buffer = [0; KeyList::MAX_LEN];
    let list = KeyList { keys: heapless::Vec::new(), versions: VersionRange::SUPPORTED, ..key_list() };
    assert_eq!(list.sign(&root(), &Signing::new(root_signer()), &mut buffer).unwrap().len(), 80);
}
