//! Objects of every kind: their sizes, that they verify, and that nothing else does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_token::{
    Counter, Form, Gesture, Limits, Minor, Object, Payee, PayeeKey, Payment, PaymentKey, PaymentRequest, PaymentToken, Presence,
    SignError, Signature, Signing, Unlocking, Unverified, VerifyError,
};
use armring_wire::{Amount, CredentialId, Currency, DecodeError, PayeeId, PayeeRef, RequestDigest, Text, UnixTime};
use common::{
    band_signer, certificate, config, credential, encoded, kinds, message, other_root, public, request, root, signature, token,
};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use proptest::sample::Index;

#[test]
fn sizes() {
    let sizes: Vec<_> = kinds().iter().map(|kind| (kind.label, kind.object.len(), kind.max_len)).collect();
    assert_eq!(
        sizes,
        [
            ("key list", 424, 424),
            ("payee certificate", 151, 151),
            ("credential", 169, 169),
            ("payment request", 137, 137),
            ("payment token", 139, 139),
            ("receipt", 122, 122),
            ("revocation list", 4094, 4094),
            ("refund", 132, 132),
            ("refund receipt", 146, 146),
        ]
    );
    // The records that carry them: a key list of 480 bytes, a credential of 288, a revocation list of 4,096, all others of 156.
    assert!(sizes.iter().zip([480, 156, 288, 156, 156, 156, 4096, 156, 156]).all(|((_, _, max_len), bound)| *max_len <= bound));
    assert_eq!(PaymentToken::LEN, 139);
}

fn presence() -> impl Strategy<Value = Presence> {
    let unlocking = prop::sample::select(vec![
        Unlocking::Locked,
        Unlocking::Wallet,
        Unlocking::TapPattern,
        Unlocking::Pin,
        Unlocking::Biometric,
    ]);
    let gesture = prop::sample::select(vec![Gesture::None, Gesture::Press, Gesture::FreshUnlock]);
    (prop_oneof![Just(0), Just(u16::MAX), any::<u16>()], unlocking, gesture, any::<bool>())
        .prop_map(|(minutes_worn, unlocking, gesture, online_only)| Presence { minutes_worn, unlocking, gesture, online_only })
}

fn any_token() -> impl Strategy<Value = PaymentToken> {
    let number = || prop_oneof![Just(0), Just(u64::MAX), any::<u64>()];
    let payee = prop_oneof![
        any::<[u8; 8]>().prop_map(|id| PayeeRef::Certificate(PayeeId(id))),
        any::<[u8; 8]>().prop_map(|id| PayeeRef::Credential(CredentialId(id)))
    ];
    let counter = prop_oneof![Just(0), Just(u32::MAX), any::<u32>()];
    (any::<[u8; 8]>(), payee, any::<[u8; 32]>(), (number(), 1..1000u16), counter, number(), presence()).prop_map(
        |(credential, payee, request, (minor, currency), counter, cumulative, presence)| PaymentToken {
            form: Form,
            credential: CredentialId(credential),
            payee,
            request: RequestDigest(request),
            amount: Amount::new(minor, Currency::from_numeric(currency).unwrap()),
            counter: Counter(counter),
            cumulative: Minor(cumulative),
            presence,
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_token_has_139_bytes_and_says_what_was_signed(token in any_token()) {
        let mut buffer = [0; PaymentToken::LEN];
        let object = token.sign(&root(), &Signing::new(band_signer()), &mut buffer).unwrap();
        prop_assert_eq!(object.len(), 139);
        let verified = Unverified::<PaymentToken>::parse(object).unwrap().verify(&root(), &public(&band_signer())).unwrap();
        prop_assert_eq!(verified.body(), &token);
        prop_assert_eq!(verified.token_digest(), token.digest(&root()));
    }

    #[test]
    fn a_request_with_any_memo_says_what_was_signed(memo in "[^\\pC]{0,8}", nonce: [u8; 16], expiry: u32) {
        let request = PaymentRequest { memo: Text::new(&memo).unwrap(), nonce, expiry: UnixTime::from_secs(expiry), ..request() };
        let mut buffer = [0; PaymentRequest::MAX_LEN];
        let object = request.sign(&root(), &Signing::new(common::payee_signer()), &mut buffer).unwrap();
        prop_assert_eq!(object.len(), 105 + memo.len());
        let verified = Unverified::<PaymentRequest<'_>>::parse(object).unwrap().verify(&root(), &public(&common::payee_signer())).unwrap();
        prop_assert_eq!(verified.body(), &request);
    }

    #[test]
    fn changed_objects_are_refused(changes in prop::collection::vec((any::<Index>(), 1..=u8::MAX), 1..5)) {
        for kind in kinds() {
            let mut object = kind.object.clone();
            for (at, mask) in &changes {
                let at = at.index(object.len());
                object[at] ^= mask;
            }
            prop_assert_eq!(kind.verify(&object).is_ok(), object == kind.object, "{}", kind.label);
        }
    }
}

#[test]
fn each_bit_of_each_object_counts() {
    for kind in kinds() {
        assert!(kind.verify(&kind.object).is_ok(), "{}", kind.label);
        for bit in 0..kind.object.len() * 8 {
            let mut object = kind.object.clone();
            object[bit / 8] ^= 1 << (bit % 8);
            assert!(kind.verify(&object).is_err(), "{}: bit {bit}", kind.label);
        }
    }
}

#[test]
fn objects_cut_or_with_a_byte_more_are_malformed() {
    for kind in kinds() {
        for len in 0..kind.object.len() {
            assert_eq!(kind.verify(&kind.object[..len]), Err(VerifyError::Malformed), "{} of {len} bytes", kind.label);
        }
        assert_eq!(kind.verify(&[&kind.object[..], &[0]].concat()), Err(VerifyError::Malformed), "{}", kind.label);
    }
}

#[test]
fn an_object_signed_for_another_issuer_or_with_another_key_is_refused() {
    for kind in kinds() {
        let other_key = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
        assert_eq!((kind.verify)(&kind.object, &other_root(), kind.key()), Err(VerifyError::Signature), "{}", kind.label);
        assert_eq!((kind.verify)(&kind.object, &root(), other_key), Err(VerifyError::Signature), "{}", kind.label);
    }
}

/// Two issuers gave out one credential id, and to make it worse for one and the same payment key: what was signed for one pays nothing at
/// the other. Nor does a key that another band has.
#[test]
fn credential_id_of_one_issuer_used_at_another() {
    let mut buffer = [0; PaymentToken::LEN];
    let object = token().sign(&root(), &Signing::new(band_signer()), &mut buffer).unwrap();
    let at = |root, key: &PaymentKey| {
        Unverified::<PaymentToken>::parse(object).unwrap().verify(&root, key).map(|token| token.credential)
    };
    let (key, other_band) = (public(&band_signer()), public(&SigningKey::from_bytes(&[8; 32])));
    assert_eq!(at(root(), &key), Ok(token().credential));
    assert_eq!(at(other_root(), &key), Err(VerifyError::Signature));
    assert_eq!(at(root(), &other_band), Err(VerifyError::Signature));
    assert_ne!(token().digest(&root()), token().digest(&other_root()), "nor has it the same name there");
}

/// The same key over the same body, but what was signed is another kind of object, or no label, or without the issuer's root.
#[test]
fn a_signature_made_under_another_label_is_refused() {
    for kind in kinds() {
        let body = &kind.object[64..];
        let signed = |message: &[u8]| [&kind.signer.sign(message).to_bytes(), body].concat();
        let labels = kinds().map(|kind| kind.label).into_iter().chain(["enrolment", "", "payment", "Receipt", "receipt\0"]);
        for label in labels {
            let verified = kind.verify(&signed(&message(label, &root(), body)));
            assert_eq!(verified.is_ok(), label == kind.label, "{} signed as {label:?}", kind.label);
        }
        let whole = message(kind.label, &root(), body);
        assert_eq!(kind.verify(&signed(body)), Err(VerifyError::Signature), "no label");
        assert_eq!(kind.verify(&signed(&whole[1..])), Err(VerifyError::Signature), "no length");
        assert_eq!(
            kind.verify(&signed(&[&whole[..kind.label.len() + 11], body].concat())),
            Err(VerifyError::Signature),
            "no root"
        );
    }
}

#[test]
fn an_object_presented_as_another_kind_is_malformed() {
    let kinds = kinds();
    for (i, kind) in kinds.iter().enumerate() {
        for (j, other) in kinds.iter().enumerate().filter(|(j, _)| *j != i) {
            let verified = (other.verify)(&kind.object, &root(), kind.key());
            assert_eq!(verified, Err(VerifyError::Malformed), "{i}, a {}, as {j}, a {}", kind.label, other.label);
        }
    }
}

#[test]
fn the_digest_does_not_depend_on_which_valid_signature_came() {
    let (secret, body) = (Scalar::from(77u8), &kinds()[4].object[64..]);
    let key = encoded(secret);
    let digests = [1u8, 2].map(|nonce| {
        let signature = signature(secret, &key, nonce.into(), &encoded(nonce.into()), &message("payment token", &root(), body));
        let object = [&signature[..], body].concat();
        let unverified = Unverified::<PaymentToken>::parse(&object).unwrap();
        let digest = unverified.token_digest(&root());
        assert_eq!(unverified.verify(&root(), &PaymentKey::from_bytes(key).unwrap()).unwrap().token_digest(), digest);
        (signature, digest)
    });
    assert_ne!(digests[0].0, digests[1].0, "two signatures");
    assert_eq!(digests[0].1, digests[1].1);
    assert_eq!(digests[0].1, token().digest(&root()));
    assert_ne!(digests[0].1, PaymentToken { counter: Counter(4), ..token() }.digest(&root()), "another token");
}

#[test]
fn a_wearer_s_key_signs_requests_as_a_payee_s_and_a_request_is_no_token() {
    let band = Signing::<Payment, _>::new(band_signer());
    let mut buffer = [0; PaymentRequest::MAX_LEN];
    let object = request().sign(&root(), &band.as_payee(), &mut buffer).unwrap();
    let key: PayeeKey = public::<Payment>(&band_signer()).as_payee();
    assert!(Unverified::<PaymentRequest<'_>>::parse(object).unwrap().verify(&root(), &key).is_ok());
    assert_eq!(Unverified::<PaymentToken>::parse(object).map(drop), Err(DecodeError::Malformed));
    assert_eq!(credential().payment_key(), Some(public(&band_signer())));
    assert_eq!(certificate().payee_key(), Some(public::<Payee>(&common::payee_signer())));
}

/// A secure element that takes the parts of a message, or does not answer.
struct Element(Option<SigningKey>);

impl signature::MultipartSigner<Signature> for Element {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        self.0.as_ref().map(|key| key.sign(&message.concat())).ok_or_else(signature::Error::new)
    }
}

#[test]
fn a_secure_element_signs_the_same_and_its_failure_is_an_error() {
    let mut buffer = [0; PaymentToken::LEN];
    let element = Signing::new(Element(Some(band_signer())));
    assert_eq!(token().sign(&root(), &element, &mut buffer).unwrap(), kinds()[4].object);
    assert_eq!(token().sign(&root(), &Signing::new(Element(None)), &mut buffer), Err(SignError::Signer));
    for len in 0..PaymentToken::LEN {
        assert_eq!(token().sign(&root(), &element, &mut buffer[..len]), Err(SignError::Buffer), "{len}");
    }
}

#[test]
fn debug_of_a_signer_shows_no_key() {
    let signing = Signing::<Payment, _>::new(band_signer());
    assert_eq!(format!("{signing:?}"), "Signing(..)");
    assert_eq!(format!("{:?}", signing.as_payee()), "Signing(..)");
}

#[test]
fn what_a_payment_takes_grows_with_its_amount() {
    let limits = Limits { each: Minor(100), press: Minor(50), free: Minor(10), ..credential().limits };
    for (amount, unlocking, gesture, allowed) in [
        (10, Unlocking::Wallet, Gesture::None, true),
        (10, Unlocking::Locked, Gesture::None, false),
        (11, Unlocking::Biometric, Gesture::None, false),
        (50, Unlocking::Wallet, Gesture::Press, true),
        (50, Unlocking::Locked, Gesture::Press, false),
        (51, Unlocking::Biometric, Gesture::Press, false),
        (51, Unlocking::TapPattern, Gesture::FreshUnlock, true),
        (51, Unlocking::Locked, Gesture::FreshUnlock, false),
        (100, Unlocking::Pin, Gesture::FreshUnlock, true),
        (101, Unlocking::Pin, Gesture::FreshUnlock, false),
    ] {
        let presence = Presence { minutes_worn: 1, unlocking, gesture, online_only: false };
        assert_eq!(limits.allows(Minor(amount), presence), allowed, "{amount} {unlocking:?} {gesture:?}");
    }
    let free = Limits { press: Minor(5), ..limits };
    let nothing = Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Gesture::None, online_only: false };
    assert!(!free.allows(Minor(10), nothing), "a free limit above the press limit does not lift it");
}
