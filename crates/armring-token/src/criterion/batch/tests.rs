//! That a batch answers what single verification answers: for signatures made to tell criteria apart, in any company and any place.

extern crate std;

use std::vec::Vec;

use proptest::test_runner::{Config, RngSeed};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng, TryRng};

use super::*;
use crate::Signature;
use crate::criterion::vectors::{TAMING, unhex, unhex_array};
use cases::{Case, KINDS, below, pair};

mod cases;

/// A generator whose seed is printed. To run a failure again: `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
fn rng() -> ChaCha20Rng {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), "armring"),
    };
    std::println!("PROPTEST_RNG_SEED={seed}");
    ChaCha20Rng::seed_from_u64(seed)
}

fn batch(cases: &[Case], rng: &mut impl TryCryptoRng) -> Vec<bool> {
    valid(&cases.iter().map(|case| (case.key, case.equation())).collect::<Vec<_>>(), rng)
}

fn singly(cases: &[Case]) -> Vec<bool> {
    cases.iter().map(Case::is_valid).collect()
}

fn good(rng: &mut ChaCha20Rng, count: usize) -> Vec<Case> {
    (0..count).map(|_| Case::signed_with(rng, 0, 0)).collect()
}

/// Whether ed25519-zebra passes all of these as one batch.
fn zebra_passes(cases: &[Case], rng: &mut ChaCha20Rng) -> bool {
    let mut verifier = ed25519_zebra::batch::Verifier::new();
    for case in cases {
        verifier.queue((case.key.into(), case.signature, &case.message));
    }
    verifier.verify(rng).is_ok()
}

#[test]
fn an_empty_batch_has_no_answers() {
    assert!(batch(&[], &mut rng()).is_empty());
}

#[test]
fn the_12_cases_of_taming_the_many_eddsas_alone_together_and_in_any_place_among_good_ones() {
    let mut rng = rng();
    let expected = TAMING.map(|(.., valid)| valid);
    let cases = TAMING.map(|(message, key, signature, _)| Case {
        key: unhex_array(key),
        message: unhex_array(message),
        signature: Signature::from_bytes(&unhex_array(signature)),
    });
    assert!(TAMING.iter().all(|(message, ..)| unhex(message).len() == 32));
    assert_eq!(batch(&cases, &mut rng), expected, "together");
    for (number, (case, expected)) in cases.iter().zip(expected).enumerate() {
        assert_eq!(case.is_valid(), expected, "case {number}");
        assert_eq!(batch(core::slice::from_ref(case), &mut rng), [expected], "case {number} alone");
        let mut company = good(&mut rng, 9);
        for at in 0..=company.len() {
            company.insert(at, case.clone());
            let answers = batch(&company, &mut rng);
            company.remove(at);
            assert!(answers.iter().enumerate().all(|(i, valid)| *valid == (i != at || expected)), "case {number} at {at}");
        }
    }
}

#[test]
fn every_kind_of_signature_in_every_place_of_batches_of_every_size_up_to_12() {
    let mut rng = rng();
    let company = good(&mut rng, 12);
    for (name, expected, make) in KINDS {
        for size in 1..=company.len() {
            for at in 0..size {
                let mut cases = company[..size].to_vec();
                cases[at] = make(&mut rng);
                assert_eq!(cases[at].is_valid(), expected, "{name}");
                let answers = batch(&cases, &mut rng);
                assert!(answers.iter().enumerate().all(|(i, valid)| *valid == (i != at || expected)), "{name} at {at} of {size}");
            }
        }
    }
}

#[test]
fn thousands_of_signatures_of_all_kinds_in_batches_of_all_sizes_have_one_answer() {
    let (mut rng, mut valid, mut invalid, mut size) = (rng(), 0, 0, 0);
    while valid + invalid < 6000 {
        size = size % 97 + 1;
        let cases: Vec<_> = (0..size).map(|_| KINDS[below(&mut rng, KINDS.len())].2(&mut rng)).collect();
        let answers = batch(&cases, &mut rng);
        assert_eq!(answers, singly(&cases));
        let of_these = answers.iter().filter(|valid| **valid).count();
        (valid, invalid) = (valid + of_these, invalid + size - of_these);
    }
    assert!(valid > 1500 && invalid > 3000, "{valid} valid, {invalid} invalid");
}

#[test]
fn what_is_valid_passes_as_a_batch_of_zebra_s_and_what_breaks_the_equation_does_not() {
    let mut rng = rng();
    for size in 1..=60 {
        let mut cases: Vec<_> = (0..size).map(|n| KINDS[n % 5].2(&mut rng)).collect();
        assert_eq!(batch(&cases, &mut rng), vec_of(true, size));
        assert!(zebra_passes(&cases, &mut rng), "{size}");
        let at = below(&mut rng, size);
        cases[at] = KINDS[8 + size % 7].2(&mut rng);
        assert!(!batch(&cases, &mut rng)[at]);
        assert!(!zebra_passes(&cases, &mut rng), "{size}");
    }
}

fn vec_of(value: bool, size: usize) -> Vec<bool> {
    core::iter::repeat_n(value, size).collect()
}

/// Without the cofactor, points of small order cancel out or do not, by the random numbers.
#[test]
fn mixed_order_signatures_get_one_answer_single_and_batch() {
    let mut rng = rng();
    let cases: Vec<_> = (0..8).map(|_| KINDS[3].2(&mut rng)).collect();
    assert_eq!(singly(&cases), [true; 8]);
    for _ in 0..300 {
        assert_eq!(batch(&cases, &mut rng), [true; 8]);
    }
}

/// Always the same number.
struct Constant(u8);

impl TryRng for Constant {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.into())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.into())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Constant {}

/// Two invalid signatures, one with 1 more in S and the other with 1 less.
#[test]
fn signatures_made_to_cancel_each_other_out_are_refused_as_long_as_the_numbers_are_not_known() {
    let mut rng = rng();
    for _ in 0..25 {
        // Of mixed order, so that hardly a sum is zero without the cofactor.
        let mut cases: Vec<_> = (0..10).map(|_| KINDS[3].2(&mut rng)).collect();
        for (at, off) in [(3, Scalar::ONE), (8, -Scalar::ONE)] {
            cases[at].change(|signature| {
                let s = Scalar::from_bytes_mod_order(signature[32..].try_into().unwrap()) + off;
                signature[32..].copy_from_slice(&s.to_bytes());
            });
        }
        let expected: Vec<_> = (0..10).map(|i| i != 3 && i != 8).collect();
        assert_eq!(singly(&cases), expected);
        for _ in 0..4 {
            assert_eq!(batch(&cases, &mut rng), expected);
        }
        assert_eq!(batch(&cases, &mut Constant(7)), [true; 10], "one sum decides, and this is what the numbers are for");
    }
}

#[test]
fn the_same_signature_many_times_and_many_signatures_of_one_key() {
    let mut rng = rng();
    for (name, expected, make) in KINDS {
        let case = make(&mut rng);
        let cases: Vec<_> = (0..50).map(|_| case.clone()).collect();
        assert_eq!(batch(&cases, &mut rng), vec_of(expected, 50), "{name}");
    }
    let key = pair(&mut rng, 0);
    let mut cases: Vec<_> = (0..250)
        .map(|_| {
            let nonce = pair(&mut rng, 0);
            Case::signed(&mut rng, key, nonce)
        })
        .collect();
    assert_eq!(batch(&cases, &mut rng), vec_of(true, 250));
    for at in [0, 17, 124, 125, 249] {
        cases[at].message[0] ^= 1;
    }
    assert_eq!(batch(&cases, &mut rng), singly(&cases));
    assert_eq!(singly(&cases).iter().filter(|valid| !**valid).count(), 5);
}

/// Works so many times.
struct Failing(ChaCha20Rng, usize);

impl TryRng for Failing {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.1 = self.1.checked_sub(1).ok_or(std::io::ErrorKind::Other)?;
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Failing {}

#[test]
fn where_randomness_fails_the_answers_are_the_same() {
    let mut rng = rng();
    let cases: Vec<_> = (0..2 * KINDS.len()).map(|n| KINDS[n % KINDS.len()].2(&mut rng)).collect();
    let with_equation = cases.iter().filter(|case| case.equation().is_some()).count();
    for works in 0..=with_equation {
        let mut failing = Failing(rng.clone(), works);
        assert_eq!(batch(&cases, &mut failing), singly(&cases), "after {works}");
        assert_eq!(failing.1, 0, "16 bytes for each signature");
    }
}
