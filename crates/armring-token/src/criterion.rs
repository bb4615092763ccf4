//! The one criterion by which a signature is valid, on every device and in every version.
//!
//! RFC 8032 leaves room: implementations differ on small-order keys, on encodings that are not canonical, and on whether the equation is
//! multiplied by the cofactor. Where two parties of one payment differ, money is lost between them, so the criterion is spelled out here
//! (Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs", Algorithm 2):
//!
//! 1. `S < L`;
//! 2. `A` and `R` are canonical encodings of points;
//! 3. `A` is not of small order;
//! 4. `[8]([S]B − R − [k]A) = 0` with `k = SHA-512(R ‖ A ‖ M) mod L`.
//!
//! It is the one cofactored criterion that batches without answering by chance. `verify`, `verify_strict` and `verify_batch` of
//! ed25519-dalek are other criteria. ed25519-zebra with 2 and 3 in front is this one, and the tests compare with it; it is not used here
//! because it always brings the precomputed tables, 38 KB of a firmware's flash.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ed25519_dalek::Signature;
use sha2::{Digest, Sha512};

/// The point that `bytes` encode, if they are its canonical encoding (RFC 8032 §5.1.3 leaves it open whether others are taken).
fn decompress_canonical(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    if is_canonical(bytes) { CompressedEdwardsY(*bytes).decompress() } else { None }
}

/// Whether a point that these bytes encode has no other encoding that is the canonical one: `y < p`, and no sign where `x = 0`. Said of the
/// bytes alone, since to encode the point again costs as much as to decode it.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    let (sign, high) = (last >> 7, last & 0x7F);
    let all = |value: u8| middle.iter().all(|byte| *byte == value);
    // p = 2²⁵⁵ − 19 is ED FF … FF 7F.
    let above = high == 0x7F && all(0xFF) && *first >= 0xED;
    // x = 0 where y is 1 or p − 1.
    let without_x = (high == 0 && all(0) && *first == 1) || (high == 0x7F && all(0xFF) && *first == 0xEC);
    let other = above || (sign == 1 && without_x);
    !other
}

/// The point of a public key that rules 2 and 3 allow.
fn key_point(key: &[u8; 32]) -> Option<EdwardsPoint> {
    decompress_canonical(key).filter(|point| !point.is_small_order())
}

/// Whether rules 2 and 3 allow `key`.
pub(crate) fn is_valid_key(key: &[u8; 32]) -> bool {
    key_point(key).is_some()
}

/// Whether `signature` is valid for `key` over the concatenation of `message`.
pub(crate) fn is_valid(key: &[u8; 32], message: &[&[u8]], signature: &Signature) -> bool {
    Equation::new(key, message, signature).is_some_and(|equation| equation.holds())
}

/// Rule 4 of a signature that keeps rules 1 to 3.
#[derive(Clone, Copy)]
pub(crate) struct Equation {
    s: Scalar,
    r: EdwardsPoint,
    k: Scalar,
    a: EdwardsPoint,
}

impl Equation {
    /// `None` where rule 1, 2 or 3 is broken.
    pub(crate) fn new(key: &[u8; 32], message: &[&[u8]], signature: &Signature) -> Option<Self> {
        let s = Option::from(Scalar::from_canonical_bytes(*signature.s_bytes()))?;
        let a = key_point(key)?;
        let r = decompress_canonical(signature.r_bytes())?;
        let mut hash = Sha512::new();
        hash.update(signature.r_bytes());
        hash.update(key);
        for part in message {
            hash.update(part);
        }
        Some(Self { s, r, k: Scalar::from_bytes_mod_order_wide(&hash.finalize().into()), a })
    }

    fn holds(&self) -> bool {
        let difference = EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &-self.a, &self.s) - self.r;
        difference.mul_by_cofactor().is_identity()
    }
}

#[cfg(feature = "batch")]
pub(crate) mod batch;

#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod tests {
    use super::*;

    /// The points of small order, canonically encoded, without those that differ from one of these in the sign alone ("Taming the many
    /// EdDSAs", table 6a).
    const SMALL_ORDER: [&str; 5] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];

    fn unhex(text: &str) -> [u8; 32] {
        core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        for encoding in SMALL_ORDER {
            let mut key = unhex(encoding);
            assert!(!is_valid_key(&key), "{encoding}");
            key[31] |= 0x80;
            assert!(!is_valid_key(&key), "{encoding}, other sign");
        }
    }

    #[test]
    fn encodings_that_are_not_canonical_are_refused() {
        // y = p + 3: the same point as y = 3, encoded above the prime.
        let mut three = [0u8; 32];
        three[0] = 3;
        let mut above = [0xFF; 32];
        (above[0], above[31]) = (0xF0, 0x7F);
        assert!(CompressedEdwardsY(above).decompress().is_some(), "the curve library takes it");
        assert!(is_valid_key(&three));
        assert!(!is_valid_key(&above));
    }

    /// Whether decoding and encoding again gives the same bytes: what canonical means.
    fn survives(bytes: &[u8; 32]) -> bool {
        CompressedEdwardsY(*bytes).decompress().is_some_and(|point| point.compress().as_bytes() == bytes)
    }

    #[test]
    fn canonical_is_what_is_the_same_when_it_is_encoded_again() {
        // The 256 numbers from 0 on, and those that p is among, with either sign.
        for low in 0..=u8::MAX {
            for (middle, high) in [(0, 0), (0xFF, 0x7F)] {
                for sign in [0, 0x80] {
                    let mut bytes = [middle; 32];
                    (bytes[0], bytes[31]) = (low, high | sign);
                    assert_eq!(decompress_canonical(&bytes).is_some(), survives(&bytes), "{bytes:x?}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_no_canonical_encoding_of_a_point_is_none(bytes: [u8; 32]) {
            proptest::prop_assert_eq!(decompress_canonical(&bytes).is_some(), survives(&bytes));
        }
    }
}
