//! What a band takes back from its storage after a restart, and what it does not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_band::{CallerError, Error, Event, StoreKey, VALUE_MAX};
use armring_pairing::Link;
use armring_token::{
    Counter, Credential, CredentialRights, Form, FreeCount, Gesture as Made, Limits, Minor, Object, PaymentToken, Presence,
    Signing, Unlocking,
};
use armring_wire::records::Assurance;
use armring_wire::{
    AccountPseudonym, Amount, AttPayload, CredentialId, Currency, KeyId, Opaque, PayeeId, PayeeRef, RequestDigest, UnixTime,
    Validity, encode,
};
use common::{at, band, config, root};
use ed25519_dalek::SigningKey;
use proptest::collection::vec;
use proptest::prelude::*;

fn credential(key: &SigningKey) -> Credential {
    let (some, none) = (Minor(5_000), Minor(0));
    Credential {
        form: Form,
        key: KeyId(1),
        id: CredentialId(*b"wristpay"),
        payment_key: key.verifying_key().to_bytes(),
        account: AccountPseudonym(*b"somebody"),
        currency: Currency::CNY,
        limits: Limits { each: some, press: some, free: none, free_count: FreeCount(0), free_total: none, offline_total: some },
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY,
        validity: Validity { from: UnixTime::from_secs(1), until: UnixTime::from_secs(9_000) },
    }
}

/// What a band stores of `credential` whose key has this seed.
fn stored_credential(credential: &Credential, seed: [u8; 32]) -> Vec<u8> {
    let mut object = [0; Credential::MAX_LEN];
    let object = credential.sign(&root().fingerprint(), &Signing::new(SigningKey::from_bytes(&[2; 32])), &mut object).unwrap();
    let object: Opaque<'_, 288> = Opaque::new(object).unwrap();
    encode(&(seed, object), &mut [0; VALUE_MAX]).unwrap().to_vec()
}

#[test]
fn loading_garbage_is_a_bad_value_and_changes_nothing() {
    let (mut band, _) = band();
    let bad = Err(Error::Caller(CallerError::BadValue));
    for key in StoreKey::all() {
        for len in [0, 1, 32, 48, 50, Link::LEN - 1, Link::LEN, Link::LEN + 1, 75, 89, 100, VALUE_MAX, VALUE_MAX + 1, 5_000] {
            // An enrolment is 48 bytes of key and code, whatever they are.
            let expected = if key.as_u8() & 0xF0 == 0x30 && len == 48 { Ok(()) } else { bad };
            assert_eq!(band.load(key, &vec![0xFF; len]), expected, "{key:?} {len}");
        }
    }
}

#[test]
fn loading_any_bytes_never_panics() {
    let key = (0..=u8::MAX).prop_filter_map("a key", StoreKey::from_u8);
    proptest!(config(512), |(values in vec((key, vec(any::<u8>(), 0..600)), 0..8))| {
        let (mut band, mut rng) = band();
        for (key, value) in values {
            let _ = band.load(key, &value);
        }
        prop_assert_eq!(band.handle(Event::Connected(AttPayload::MIN), at(1), &mut rng), Ok(()));
    });
}

#[test]
fn a_credential_of_another_key_and_a_token_under_another_number_are_bad_values() {
    let (mut band, _) = band();
    let bad = Err(Error::Caller(CallerError::BadValue));
    let key = SigningKey::from_bytes(&[5; 32]);
    let at_slot = |kind: u8| StoreKey::from_u8(kind).unwrap();
    assert_eq!(band.load(at_slot(0x20), &stored_credential(&credential(&key), [6; 32])), bad);
    assert_eq!(band.load(at_slot(0x20), &stored_credential(&credential(&key), [5; 32])), Ok(()));
    let token = |id: &[u8; 8], counter| {
        let token = PaymentToken {
            form: Form,
            credential: CredentialId(*id),
            payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
            request: RequestDigest([1; 32]),
            amount: Amount::new(1, Currency::CNY),
            counter: Counter(counter),
            cumulative: Minor(1),
            presence: Presence { minutes_worn: 0, unlocking: Unlocking::Pin, gesture: Made::Press, online_only: false },
        };
        encode(&(token, FreeCount(0), Minor(0), UnixTime::EPOCH), &mut [0; PaymentToken::LEN]).unwrap().to_vec()
    };
    assert_eq!(band.load(at_slot(0x51), &token(b"wristpay", 1)), Ok(()));
    assert_eq!(band.load(at_slot(0x52), &token(b"wristpay", 1)), bad);
    // What an erasing that power cut short left behind belongs to nobody, and does not keep the band from starting.
    assert_eq!(band.load(at_slot(0x51), &token(b"another1", 1)), Ok(()));
    assert_eq!(band.load(at_slot(0x5F), &token(b"wristpay", 3)), Ok(()));
}
