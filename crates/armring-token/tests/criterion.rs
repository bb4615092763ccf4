//! Which signatures are valid: the same ones as for ed25519-zebra with two checks in front, on signatures made to tell criteria apart.
//!
//! `A = [a]B + T`, `R = [r]B + U` with `T` and `U` of small order and `S = r + k·a`, as in Chalkias, Garillot, Nikolaenko, "Taming the
//! many EdDSAs", section 3. All of these satisfy the equation with the cofactor and most do not without it. The fixed cases of that paper
//! are beside the criterion itself, in `src/criterion/vectors.rs`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_token::{IssuerKey, Object, Receipt, Signature, Unverified};
use armring_wire::{TokenDigest, encode};
use common::{challenge, encoded, message, receipt, root, seed, signature};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_zebra::VerificationKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const LABEL: &str = "receipt";

/// The group's order, little-endian.
const L: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x10,
];

/// By this crate.
fn accepted(key: &[u8; 32], object: &[u8]) -> bool {
    let unverified = Unverified::<Receipt>::parse(object).unwrap();
    IssuerKey::from_bytes(*key).is_some_and(|key| unverified.verify(&root(), &key).is_ok())
}

fn canonical(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress().filter(|point| point.compress().to_bytes() == *bytes)
}

/// By ed25519-zebra (ZIP 215), with the two checks in front that it leaves out.
fn expected(key: &[u8; 32], object: &[u8]) -> bool {
    let signature = Signature::from_slice(&object[..64]).unwrap();
    canonical(key).is_some_and(|point| !point.is_small_order())
        && canonical(signature.r_bytes()).is_some()
        && VerificationKey::try_from(*key)
            .is_ok_and(|key| key.verify(&signature, &message(LABEL, &root(), &object[64..])).is_ok())
}

/// By the equation without the cofactor: what makes implementations differ.
fn without_cofactor(key: &[u8; 32], object: &[u8]) -> bool {
    let signature = Signature::from_slice(&object[..64]).unwrap();
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .is_ok_and(|key| ed25519_dalek::Verifier::verify(&key, &message(LABEL, &root(), &object[64..]), &signature).is_ok())
}

/// How many were accepted, and rejected; and how many of the accepted ones the other equation rejects.
#[derive(Debug, Default)]
struct Count {
    accepted: usize,
    rejected: usize,
    cofactored_only: usize,
}

impl Count {
    fn compare(&mut self, key: &[u8; 32], object: &[u8]) {
        let accepted = accepted(key, object);
        assert_eq!(accepted, expected(key, object), "key {key:02x?} object {object:02x?}");
        *if accepted { &mut self.accepted } else { &mut self.rejected } += 1;
        self.cofactored_only += usize::from(accepted && !without_cofactor(key, object));
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed())
}

fn bytes<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn scalar(rng: &mut ChaCha20Rng) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&bytes(rng))
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    usize::from(bytes::<1>(rng)[0]) % bound
}

/// The body of a receipt, each time another.
fn body(rng: &mut ChaCha20Rng) -> Vec<u8> {
    encode(&Receipt { token: TokenDigest(bytes(rng)), ..receipt() }, &mut [0; Receipt::MAX_LEN]).unwrap().to_vec()
}

fn object(signature: &[u8; 64], body: &[u8]) -> Vec<u8> {
    [&signature[..], body].concat()
}

/// `[scalar]B + T`, encoded.
fn with_torsion(scalar: Scalar, torsion: usize) -> [u8; 32] {
    (EdwardsPoint::mul_base(&scalar) + EIGHT_TORSION[torsion]).compress().to_bytes()
}

/// Every encoding that decompresses to a point of small order: eight canonical ones, and those with `y ≥ p` or a sign for `x = 0`.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut encodings: Vec<_> = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    let mut p_plus_1 = [0xFF; 32];
    (p_plus_1[0], p_plus_1[31]) = (0xEE, 0x7F);
    let (mut p, mut minus_one) = (p_plus_1, p_plus_1);
    (p[0], minus_one[0]) = (0xED, 0xEC);
    let mut one = [0; 32];
    one[0] = 1;
    let signed = |mut encoding: [u8; 32]| {
        encoding[31] |= 0x80;
        encoding
    };
    encodings.extend([p, signed(p), p_plus_1, signed(p_plus_1), signed(one), signed(minus_one)]);
    encodings
}

#[test]
fn valid_signatures_and_those_with_changed_bits_are_judged_alike() {
    let (mut rng, mut count) = (rng(), Count::default());
    for _ in 0..2000 {
        let (secret, nonce, body) = (scalar(&mut rng), scalar(&mut rng), body(&mut rng));
        let key = encoded(secret);
        let good = object(&signature(secret, &key, nonce, &encoded(nonce), &message(LABEL, &root(), &body)), &body);
        count.compare(&key, &good);
        let mut changed = good.clone();
        changed[below(&mut rng, 64)] ^= 1 << below(&mut rng, 8);
        count.compare(&key, &changed);
        let mut changed = key;
        changed[below(&mut rng, 32)] ^= 1 << below(&mut rng, 8);
        count.compare(&changed, &good);
        count.compare(&bytes(&mut rng), &good);
        count.compare(&key, &object(&bytes(&mut rng), &body));
    }
    assert_eq!((count.accepted, count.rejected, count.cofactored_only), (2000, 8000, 0));
}

#[test]
fn mixed_order_keys_and_nonces_are_judged_alike_and_accepted() {
    let (mut rng, mut count) = (rng(), Count::default());
    for n in 0..3200 {
        let (secret, nonce, body) = (scalar(&mut rng), scalar(&mut rng), body(&mut rng));
        let (key, r) = (with_torsion(secret, n % 8), with_torsion(nonce, n / 8 % 8));
        count.compare(&key, &object(&signature(secret, &key, nonce, &r, &message(LABEL, &root(), &body)), &body));
    }
    // With random torsion one in eight satisfies the other equation too.
    assert_eq!((count.accepted, count.rejected), (3200, 0));
    assert!((2500..3000).contains(&count.cofactored_only), "{count:?}");
}

#[test]
fn mixed_order_signatures_with_changed_bits_are_judged_alike_and_rejected() {
    let (mut rng, mut count) = (rng(), Count::default());
    for n in 0..1600 {
        let (secret, nonce, body) = (scalar(&mut rng), scalar(&mut rng), body(&mut rng));
        let (key, r) = (with_torsion(secret, n % 8), with_torsion(nonce, n / 8 % 8));
        let mut object = object(&signature(secret, &key, nonce, &r, &message(LABEL, &root(), &body)), &body);
        object[below(&mut rng, 64)] ^= 1 << below(&mut rng, 8);
        count.compare(&key, &object);
    }
    assert_eq!((count.accepted, count.rejected), (0, 1600));
}

/// One signature that fits any message: a key of small order. And nonces of small order, in every encoding there is.
#[test]
fn small_order_keys_are_refused_and_small_order_nonces_only_where_not_canonical() {
    let (mut rng, mut count, encodings) = (rng(), Count::default(), small_order_encodings());
    assert!(encodings.iter().all(|encoding| CompressedEdwardsY(*encoding).decompress().unwrap().is_small_order()));
    for r in &encodings {
        for key in &encodings {
            for s in [Scalar::ZERO, scalar(&mut rng)] {
                count.compare(key, &object(&[*r, s.to_bytes()].concat().try_into().unwrap(), &body(&mut rng)));
            }
        }
    }
    assert_eq!((count.accepted, count.rejected), (0, 14 * 14 * 2), "keys of small order");
    for r in &encodings {
        let (secret, body) = (scalar(&mut rng), body(&mut rng));
        let key = encoded(secret);
        count.compare(&key, &object(&signature(secret, &key, Scalar::ZERO, r, &message(LABEL, &root(), &body)), &body));
    }
    assert_eq!((count.accepted, count.rejected), (8, 14 * 14 * 2 + 6), "nonces of small order");
}

#[test]
fn a_key_of_small_order_would_let_one_signature_fit_any_message() {
    let (mut rng, nonce) = (rng(), Scalar::from(5u8));
    let key = EIGHT_TORSION[1].compress().to_bytes();
    let one = object(&[encoded(nonce), nonce.to_bytes()].concat().try_into().unwrap(), &body(&mut rng));
    let zebra = VerificationKey::try_from(key).unwrap();
    let signature = Signature::from_slice(&one[..64]).unwrap();
    assert!((0..20).all(|_| zebra.verify(&signature, &body(&mut rng)).is_ok()), "ZIP 215 takes it for all of these");
    assert_eq!(IssuerKey::from_bytes(key), None);
}

#[test]
fn s_not_below_the_order_is_refused() {
    let (mut rng, mut count) = (rng(), Count::default());
    for _ in 0..200 {
        let (secret, nonce, body) = (scalar(&mut rng), scalar(&mut rng), body(&mut rng));
        let key = encoded(secret);
        let mut signature = signature(secret, &key, nonce, &encoded(nonce), &message(LABEL, &root(), &body));
        count.compare(&key, &object(&signature, &body));
        // S + L is below 2^254: the same scalar modulo L, in a second encoding.
        let mut carry = 0;
        for (byte, l) in signature[32..].iter_mut().zip(L) {
            carry += u16::from(*byte) + u16::from(l);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        let s = Scalar::from_bytes_mod_order(signature[32..].try_into().unwrap());
        assert_eq!(s, nonce + challenge(&encoded(nonce), &key, &message(LABEL, &root(), &body)) * secret);
        count.compare(&key, &object(&signature, &body));
    }
    assert_eq!((count.accepted, count.rejected), (200, 200));
}
