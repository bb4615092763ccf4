//! Every record of every link: one encoding for each value, and nothing else is taken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_wire::records::band::{Awaited, Decline, ToBand, ToWallet};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{BufferTooSmall, DecodeError, Outcome, Record, decode, decode_record, encode};
use common::material::{
    Material, enrol_to_band, enrol_to_issuer, from_issuer, from_payee, material, to_band, to_issuer, to_payee, to_wallet,
};
use common::{config, variant_names};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One direction of a link, its type forgotten.
struct Direction {
    name: &'static str,
    variants: u32,
    names: &'static [&'static str],
    max_len: usize,
    /// Encodes one value of each variant, and sees that it decodes to the same value.
    encodings: fn(&Material) -> Vec<Vec<u8>>,
    /// Decodes and encodes again.
    again: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    /// Decodes as if the number of variants were not checked first.
    unchecked: fn(&[u8]) -> Result<(), DecodeError>,
}

macro_rules! direction {
    ($record:ident, $values:ident) => {{
        fn encoded(value: &$record<'_>) -> Vec<u8> {
            let mut buffer = [0; 5000];
            let len = encode(value, &mut buffer).unwrap().len();
            assert_eq!(encode(value, &mut buffer[..len - 1]), Err(BufferTooSmall));
            assert!(encode(value, &mut [0; <$record<'_>>::MAX_LEN]).is_ok());
            buffer[..len].to_vec()
        }
        Direction {
            name: stringify!($record),
            variants: <$record<'_>>::VARIANTS,
            names: variant_names::<$record<'static>>(),
            max_len: <$record<'_>>::MAX_LEN,
            encodings: |material| {
                let check = |value: &$record<'_>| {
                    let bytes = encoded(value);
                    assert_eq!(decode_record::<$record<'_>>(&bytes).as_ref(), Ok(value));
                    bytes
                };
                $values(material).iter().map(check).collect()
            },
            again: |bytes| decode_record::<$record<'_>>(bytes).map(|value| encoded(&value)),
            unchecked: |bytes| decode::<$record<'_>>(bytes).map(drop),
        }
    }};
}

fn directions() -> [Direction; 8] {
    [
        direction!(ToBand, to_band),
        direction!(ToWallet, to_wallet),
        direction!(EnrolToIssuer, enrol_to_issuer),
        direction!(EnrolToBand, enrol_to_band),
        direction!(ToPayee, to_payee),
        direction!(FromPayee, from_payee),
        direction!(ToIssuer, to_issuer),
        direction!(FromIssuer, from_issuer),
    ]
}

#[test]
fn the_number_of_variants_is_that_of_the_enum() {
    for Direction { name, variants, names, encodings, .. } in directions() {
        assert_eq!(names.len(), variants as usize, "{name}: {names:?}");
        let tags: Vec<_> = encodings(&Material::longest()).iter().map(|bytes| u32::from(bytes[0])).collect();
        assert_eq!(tags, (0..variants).collect::<Vec<_>>(), "{name}: these tests know every variant");
        assert!(names.contains(&"Unknown"), "{name}");
    }
}

#[test]
fn the_longest_encoding_is_as_long_as_it_says() {
    for Direction { name, max_len, encodings, .. } in directions() {
        assert_eq!(encodings(&Material::longest()).iter().map(Vec::len).max(), Some(max_len), "{name}");
    }
}

#[test]
fn a_record_cut_anywhere_is_malformed() {
    for Direction { name, encodings, again, .. } in directions() {
        for bytes in encodings(&Material::longest()) {
            for cut in 0..bytes.len() {
                assert_eq!(again(&bytes[..cut]), Err(DecodeError::Malformed), "{name} {} cut to {cut}", bytes[0]);
            }
        }
    }
}

/// Makes the byte at `at` go on: `[0x05]` and `[0x85, 0x00]` are the same varint to a lax decoder.
fn lengthened(bytes: &[u8], at: usize, by: usize) -> Vec<u8> {
    let mut long = bytes[..=at].to_vec();
    long[at] |= 0x80;
    long.extend(std::iter::repeat_n(0x80, by - 1));
    long.push(0);
    long.extend_from_slice(&bytes[at + 1..]);
    long
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_value_has_one_encoding_and_a_byte_more_or_less_is_malformed(material in material(), appended: u8, cut: Index) {
        for Direction { name, max_len, encodings, again, .. } in directions() {
            for bytes in encodings(&material) {
                prop_assert!(bytes.len() <= max_len, "{}", name);
                prop_assert_eq!(again(&[&bytes[..], &[appended]].concat()), Err(DecodeError::Malformed), "{}: appended", name);
                let cut = cut.index(bytes.len());
                prop_assert_eq!(again(&bytes[..cut]), Err(DecodeError::Malformed), "{}: cut to {}", name, cut);
            }
        }
    }

    /// In this material, bytes below 0x80 are tags, lengths, numbers and flags, and characters of text. None of them can be made longer.
    #[test]
    fn over_long_tags_lengths_and_numbers_are_malformed(material in material(), by in 1..5usize) {
        let material = Material { bytes: vec![0xFF; 5000], array: [0xFF; 32], number: u64::MAX, ..material };
        for Direction { name, encodings, again, .. } in directions() {
            for bytes in encodings(&material) {
                for at in (0..bytes.len()).filter(|at| bytes[*at] < 0x80) {
                    prop_assert_eq!(again(&lengthened(&bytes, at, by)), Err(DecodeError::Malformed), "{}: byte {}", name, at);
                }
            }
        }
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        material in material(), tag in 0..18u8, garbage in vec(any::<u8>(), 0..600), changes in vec((any::<Index>(), any::<u8>()), 1..4)
    ) {
        for Direction { name, encodings, again, .. } in directions() {
            let mut inputs = vec![garbage.clone(), [&[tag][..], &garbage].concat(), encodings(&material).concat()];
            for mut bytes in encodings(&material) {
                for (at, change) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] ^= change;
                }
                inputs.push(bytes);
            }
            for bytes in inputs {
                if let Ok(again) = again(&bytes) {
                    prop_assert_eq!(again, bytes, "{}", name);
                }
            }
        }
    }

    #[test]
    fn a_variant_of_a_newer_peer_is_unknown_and_not_malformed(
        more in prop_oneof![Just(0), 0..1000u32, any::<u32>()], tail in vec(any::<u8>(), 0..600)
    ) {
        for Direction { name, variants, again, unchecked, .. } in directions() {
            let variant = variants.saturating_add(more);
            let mut buffer = [0; 5];
            let tag = encode(&variant, &mut buffer).unwrap();
            let bytes = [&*tag, &tail].concat();
            prop_assert_eq!(again(&bytes), Err(DecodeError::UnknownVariant(variant)), "{}", name);
            prop_assert_eq!(unchecked(&bytes), Err(DecodeError::Malformed), "{}: the enum has more variants than it says", name);
            let long = lengthened(&bytes, tag.len() - 1, 1);
            prop_assert_eq!(again(&long), Err(DecodeError::Malformed), "{}: an over-long tag is no variant", name);
        }
    }
}

/// Every byte is a code, its named ones as many as `named`; and a code made by hand is no second encoding of a named one.
macro_rules! every_byte_is_a_code {
    ($code:ident, $named:literal) => {
        for byte in 0..=u8::MAX {
            let code = $code::from(byte);
            let is_named = (1..=$named).contains(&byte);
            assert_eq!(matches!(code, $code::Other(_)), !is_named, "{} {byte}", stringify!($code));
            assert_eq!(decode::<$code>(&[byte]), Ok(code));
            assert_eq!(encode(&code, &mut [0; 2]).as_deref(), Ok(&[byte][..]));
            assert_eq!(encode(&$code::Other(byte), &mut [0; 2]).as_deref(), Ok(&[byte][..]), "as the named one, if there is one");
            assert_eq!(decode::<$code>(&[byte, 0]), Err(DecodeError::Malformed));
        }
    };
}

#[test]
fn a_code_that_is_not_known_is_kept() {
    every_byte_is_a_code!(Awaited, 5);
    every_byte_is_a_code!(Decline, 14);
    every_byte_is_a_code!(EnrolRefusal, 4);
    every_byte_is_a_code!(Refusal, 10);
    every_byte_is_a_code!(Outcome, 15);
    assert_eq!(decode::<Decline>(&[1]), Ok(Decline::NotWorn), "so Decline::Other(1) arrives as this");
}
