//! What parses: exactly the encodings of objects, and no field outside its range.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_token::{CredentialRights, Gesture, PayeeRights, PaymentToken, Unlocking, Unverified};
use armring_wire::DecodeError;
use common::{Kind, config, kinds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const CERTIFICATE: usize = 1;
const CREDENTIAL: usize = 2;
const REQUEST: usize = 3;
const TOKEN: usize = 4;
const RECEIPT: usize = 5;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_parses_encodes_to_the_bytes_that_were_signed(
        garbage in vec(any::<u8>(), 0..500), form in 0..8u8, changes in vec((any::<Index>(), any::<u8>()), 1..5)
    ) {
        for kind in kinds() {
            let mut object = kind.object.clone();
            for (at, byte) in &changes {
                let at = at.index(object.len());
                object[at] = *byte;
            }
            for bytes in [garbage.clone(), [&[0; 64], &[form][..], &garbage].concat(), object] {
                if let Some([signed, again]) = (kind.again)(&bytes) {
                    prop_assert_eq!(&signed, &again, "{}", kind.label);
                    prop_assert_eq!(&signed, &bytes[64..], "{}", kind.label);
                }
            }
        }
    }
}

/// For which values of the byte at `at` (after the signature) this kind of object parses.
fn allowed(kind: &Kind, at: usize) -> Vec<u8> {
    let parses = |byte: &u8| {
        let mut object = kind.object.clone();
        object[64 + at] = *byte;
        (kind.again)(&object).is_some()
    };
    (0..=u8::MAX).filter(parses).collect()
}

#[test]
fn each_kind_of_object_has_a_form_of_its_own() {
    let forms: Vec<_> = kinds().iter().map(|kind| allowed(kind, 0)).collect();
    assert_eq!(forms, [[1], [2], [3], [4], [5], [6], [7], [8], [9]]);
}

#[test]
fn a_right_that_this_version_does_not_know_makes_the_object_malformed() {
    let kinds = kinds();
    assert_eq!(allowed(&kinds[CERTIFICATE], 78), [0, 1]);
    assert_eq!(allowed(&kinds[CREDENTIAL], 96), [0, 1, 2, 3]);
    for bits in 0..=u8::MAX {
        assert_eq!(PayeeRights::try_from(bits).is_ok(), bits <= 1);
        assert_eq!(CredentialRights::try_from(bits).is_ok(), bits <= 3);
    }
    assert!(!CredentialRights::PAY.allows(CredentialRights::RECEIVE));
    assert!(!CredentialRights::NONE.allows(CredentialRights::PAY));
    assert!(CredentialRights::PAY.and(CredentialRights::RECEIVE).allows(CredentialRights::PAY));
}

#[test]
fn bits_of_presence_without_a_meaning_are_malformed() {
    let unlocking = [Unlocking::Locked, Unlocking::Wallet, Unlocking::TapPattern, Unlocking::Pin, Unlocking::Biometric];
    let gesture = [Gesture::None, Gesture::Press, Gesture::FreshUnlock];
    let mut known = Vec::new();
    for (i, online_only) in [false, true].into_iter().enumerate() {
        for (j, gesture) in gesture.into_iter().enumerate() {
            for (k, unlocking) in unlocking.into_iter().enumerate() {
                let bits = u8::try_from(i << 5 | j << 3 | k).unwrap();
                let mut object = kinds()[TOKEN].object.clone();
                object[138] = bits;
                let presence = Unverified::<PaymentToken>::parse(&object).unwrap().claims().presence;
                assert_eq!((presence.unlocking, presence.gesture, presence.online_only), (unlocking, gesture, online_only));
                known.push(bits);
            }
        }
    }
    assert_eq!(allowed(&kinds()[TOKEN], 74), known);
    assert!(unlocking.is_sorted() && gesture.is_sorted(), "from the weakest to the strongest");
}

#[test]
fn currencies_that_have_not_one_to_three_digits_are_malformed() {
    for (kind, at) in [(CERTIFICATE, 76), (CREDENTIAL, 51), (REQUEST, 18), (TOKEN, 58), (RECEIPT, 56)] {
        let Kind { object, label, again, .. } = &kinds()[kind];
        assert_eq!(object[64 + at..][..2], 156u16.to_le_bytes(), "{label}");
        for (code, expected) in [(0u16, false), (1, true), (999, true), (1000, false), (u16::MAX, false)] {
            let mut object = object.clone();
            object[64 + at..][..2].copy_from_slice(&code.to_le_bytes());
            assert_eq!(again(&object).is_some(), expected, "{label}: currency {code}");
        }
    }
}

#[test]
fn a_payee_is_a_certificate_or_a_credential() {
    assert_eq!(allowed(&kinds()[TOKEN], 9), [0, 1]);
    assert_eq!(allowed(&kinds()[REQUEST], 1), [0, 1]);
}

#[test]
fn a_name_or_memo_that_is_not_text_to_show_is_malformed() {
    for (kind, len_at) in [(CERTIFICATE, 43), (REQUEST, 40)] {
        let Kind { object, again, .. } = &kinds()[kind];
        assert_eq!(object[64 + len_at], 32);
        for bad in [&b"\0"[..], b"\n", b"\x1b[2J", b"\xFF", "\u{85}".as_bytes()] {
            let mut object = object.clone();
            object[64 + len_at + 1..][..bad.len()].copy_from_slice(bad);
            assert_eq!(again(&object), None, "{bad:?}");
        }
        let mut longer = object.clone();
        longer[64 + len_at] = 33;
        longer.insert(64 + len_at + 1, b'x');
        assert_eq!(again(&longer), None);
    }
}

#[test]
fn a_token_of_another_length_is_malformed() {
    let object = &kinds()[TOKEN].object;
    for len in (0..object.len()).chain([140, 1000]) {
        let object: Vec<_> = object.iter().copied().chain(std::iter::repeat(0)).take(len).collect();
        assert_eq!(Unverified::<PaymentToken>::parse(&object).map(drop), Err(DecodeError::Malformed), "{len}");
    }
}
