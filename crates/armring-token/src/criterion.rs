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

/// Whether no other encoding comes before this one. To encode the point again and compare would take as long as to decode it.
///
/// Two encodings of one point differ in `y`, of which one is not below p = 2²⁵⁵ − 19, or in the sign of an `x` that is 0, for which `y` is 1 or −1.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    let (sign, high) = (last >> 7, last & 0x7F);
    let all = |byte: u8, end: u8| high == end && middle.iter().all(|other| *other == byte);
    let is_above = all(0xFF, 0x7F) && *first >= 0xED;
    let is_one = all(0, 0) && *first == 1;
    let is_minus_one = all(0xFF, 0x7F) && *first == 0xEC;
    !(is_above || sign == 1 && (is_one || is_minus_one))
}

/// The point of a public key that rules 2 and 3 allow.
fn key_point(key: &[u8; 32]) -> Option<EdwardsPoint> {
    decompress_canonical(key).filter(|point| !point.is_small_order())
}

/// A public key that keeps rules 2 and 3.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    bytes: [u8; 32],
    /// Ready for use. Where memory is short it is decoded again instead: it takes 160 bytes.
    #[cfg(not(feature = "small-stack"))]
    point: EdwardsPoint,
}

impl Key {
    /// `None` where rule 2 or 3 is broken.
    pub(crate) fn new(bytes: [u8; 32]) -> Option<Self> {
        let _point = key_point(&bytes)?;
        Some(Self {
            bytes,
            #[cfg(not(feature = "small-stack"))]
            point: _point,
        })
    }

    fn point(&self) -> Option<EdwardsPoint> {
        #[cfg(feature = "small-stack")]
        return key_point(&self.bytes);
        #[cfg(not(feature = "small-stack"))]
        Some(self.point)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether `signature` is this key's over the concatenation of `message`.
    pub(crate) fn verifies(&self, message: &[&[u8]], signature: &Signature) -> bool {
        // Not moved: it would be on the stack twice.
        match &Equation::new(self, message, signature) {
            Some(equation) => equation.holds(),
            None => false,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Key {}

/// Whether `signature` is valid for `key` over the concatenation of `message`.
#[cfg(test)]
pub(crate) fn is_valid(key: &[u8; 32], message: &[&[u8]], signature: &Signature) -> bool {
    Key::new(*key).is_some_and(|key| key.verifies(message, signature))
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
    /// `None` where rule 1 is broken, or rule 2 by `R`. Apart, so that its stack is free when the points are multiplied.
    #[inline(never)]
    pub(crate) fn new(key: &Key, message: &[&[u8]], signature: &Signature) -> Option<Self> {
        let s = Option::from(Scalar::from_canonical_bytes(*signature.s_bytes()))?;
        let r = decompress_canonical(signature.r_bytes())?;
        Some(Self { s, r, k: challenge(&key.bytes, message, signature), a: key.point()? })
    }

    #[inline(never)]
    fn holds(&self) -> bool {
        let difference = if cfg!(feature = "small-stack") { self.in_turn() } else { self.at_once() } - self.r;
        difference.mul_by_cofactor().is_identity()
    }

    /// `[S]B − [k]A` in one multiplication, for which tables of both points lie on the stack.
    fn at_once(&self) -> EdwardsPoint {
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &-self.a, &self.s)
    }

    /// `[S]B − [k]A` in one multiplication after the other, with the table of one point at a time.
    #[inline(never)]
    fn in_turn(&self) -> EdwardsPoint {
        let key = self.k * self.a;
        EdwardsPoint::mul_base(&self.s) - key
    }
}

/// `SHA-512(R ‖ A ‖ M) mod L`.
#[inline(never)]
fn challenge(key: &[u8; 32], message: &[&[u8]], signature: &Signature) -> Scalar {
    let mut hash = Sha512::new();
    hash.update(signature.r_bytes());
    hash.update(key);
    for part in message {
        hash.update(part);
    }
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
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
            assert!(Key::new(key).is_none(), "{encoding}");
            key[31] |= 0x80;
            assert!(Key::new(key).is_none(), "{encoding}, other sign");
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
        assert!(Key::new(three).is_some());
        assert!(Key::new(above).is_none());
    }

    /// Every encoding of a `y` that has two, those of ±1, and some beside them.
    #[test]
    fn canonical_is_what_encoding_again_gives_back() {
        let mut seen = [0, 0];
        for (fill, last) in [(0, 0), (0, 0x80), (0xFF, 0x7F), (0xFF, 0xFF), (0xFF, 0x7E), (0xFE, 0x7F), (0, 1)] {
            for first in 0..=u8::MAX {
                let mut bytes = [fill; 32];
                (bytes[0], bytes[31]) = (first, last);
                if let Some(point) = CompressedEdwardsY(bytes).decompress() {
                    let expected = point.compress().to_bytes() == bytes;
                    assert_eq!(is_canonical(&bytes), expected, "{bytes:02x?}");
                    seen[usize::from(expected)] += 1;
                }
            }
        }
        assert!(seen[0] > 10 && seen[1] > 400, "{seen:?}");
    }
}
