//! Signatures of all kinds, made to tell criteria apart: `A = [a]B + T`, `R = [r]B + U` with `T` and `U` of small order and `S = r + k·a`, as in
//! Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", section 3.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use sha2::{Digest, Sha512};

use crate::Signature;
use crate::criterion::{Equation, Key, is_valid};

#[derive(Clone)]
pub(super) struct Case {
    pub(super) key: [u8; 32],
    pub(super) message: [u8; 32],
    pub(super) signature: Signature,
}

impl Case {
    /// By any key and nonce, with these points of small order added.
    pub(super) fn signed_with(rng: &mut ChaCha20Rng, key_torsion: usize, nonce_torsion: usize) -> Self {
        let (key, nonce) = (pair(rng, key_torsion), pair(rng, nonce_torsion));
        Self::signed(rng, key, nonce)
    }

    /// By the key `[secret]B`, which is encoded as `key`, with the nonce `[nonce]B`, which is encoded as `r`: whatever else is in these.
    pub(super) fn signed(rng: &mut ChaCha20Rng, (secret, key): (Scalar, [u8; 32]), (nonce, r): (Scalar, [u8; 32])) -> Self {
        let message: [u8; 32] = bytes(rng);
        let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize();
        let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
        Self { key, message, signature: Signature::from_components(r, s.to_bytes()) }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut [u8; 64])) {
        let mut bytes = self.signature.to_bytes();
        change(&mut bytes);
        self.signature = Signature::from_bytes(&bytes);
    }

    pub(super) fn equation(&self) -> Option<Equation> {
        Equation::new(&Key::new(self.key)?, &[&self.message], &self.signature)
    }

    pub(super) fn is_valid(&self) -> bool {
        is_valid(&self.key, &[&self.message], &self.signature)
    }
}

/// Makes a case, and says whether the criterion takes it.
pub(super) type Make = (&'static str, bool, fn(&mut ChaCha20Rng) -> Case);

pub(super) const KINDS: [Make; 15] = [
    ("good", true, |rng| Case::signed_with(rng, 0, 0)),
    ("key of mixed order", true, |rng| {
        let torsion = torsion(rng);
        Case::signed_with(rng, torsion, 0)
    }),
    ("nonce of mixed order", true, |rng| {
        let torsion = torsion(rng);
        Case::signed_with(rng, 0, torsion)
    }),
    ("both of mixed order", true, |rng| {
        let (key, nonce) = (torsion(rng), torsion(rng));
        Case::signed_with(rng, key, nonce)
    }),
    ("nonce of small order", true, |rng| {
        let (key, r) = (pair(rng, 0), EIGHT_TORSION[below(rng, 8)].compress().to_bytes());
        Case::signed(rng, key, (Scalar::ZERO, r))
    }),
    ("nonce of small order, not canonical", false, |rng| {
        let (key, r) = (pair(rng, 0), not_canonical(rng));
        Case::signed(rng, key, (Scalar::ZERO, r))
    }),
    ("key of small order", false, |rng| {
        let (key, nonce) = (EIGHT_TORSION[below(rng, 8)].compress().to_bytes(), pair(rng, 0));
        Case::signed(rng, (Scalar::ZERO, key), nonce)
    }),
    ("key of small order, not canonical", false, |rng| {
        let (key, nonce) = (not_canonical(rng), pair(rng, 0));
        Case::signed(rng, (Scalar::ZERO, key), nonce)
    }),
    ("S + L", false, |rng| {
        let mut case = Case::signed_with(rng, 0, 0);
        case.change(|signature| add_order(&mut signature[32..]));
        case
    }),
    ("a changed bit of S", false, |rng| {
        let (mut case, bit) = (Case::signed_with(rng, 0, 0), below(rng, 252));
        case.change(|signature| signature[32 + bit / 8] ^= 1 << (bit % 8));
        case
    }),
    ("a changed bit of R", false, |rng| {
        let (mut case, bit) = (Case::signed_with(rng, 0, 0), below(rng, 256));
        case.change(|signature| signature[bit / 8] ^= 1 << (bit % 8));
        case
    }),
    ("a changed bit of A", false, |rng| {
        let (mut case, bit) = (Case::signed_with(rng, 0, 0), below(rng, 256));
        case.key[bit / 8] ^= 1 << (bit % 8);
        case
    }),
    ("a changed bit of the message", false, |rng| {
        let (mut case, bit) = (Case::signed_with(rng, 0, 0), below(rng, 256));
        case.message[bit / 8] ^= 1 << (bit % 8);
        case
    }),
    ("another key", false, |rng| Case { key: pair(rng, 0).1, ..Case::signed_with(rng, 0, 0) }),
    ("any bytes", false, |rng| Case { key: bytes(rng), message: bytes(rng), signature: Signature::from_bytes(&bytes(rng)) }),
];

/// The encodings of points of small order that are not canonical: `y ≥ p`, or a sign for `x = 0`.
fn not_canonical(rng: &mut ChaCha20Rng) -> [u8; 32] {
    let mut encoding = [0xFF; 32];
    let (low, high) = [(0xED, 0x7F), (0xED, 0xFF), (0xEE, 0x7F), (0xEE, 0xFF), (0xEC, 0xFF), (1, 0x80)][below(rng, 6)];
    if low == 1 {
        encoding = [0; 32];
    }
    (encoding[0], encoding[31]) = (low, high);
    encoding
}

fn add_order(s: &mut [u8]) {
    // L − 1, and 1 with the first byte.
    let order_less_one = (-Scalar::ONE).to_bytes();
    let mut carry = 1;
    for (byte, order) in s.iter_mut().zip(order_less_one) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
}

fn bytes<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

pub(super) fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes(rng))) % bound
}

/// Which point of small order; not zero.
fn torsion(rng: &mut ChaCha20Rng) -> usize {
    1 + below(rng, 7)
}

/// A scalar, and `[scalar]B + T` encoded.
pub(super) fn pair(rng: &mut ChaCha20Rng, torsion: usize) -> (Scalar, [u8; 32]) {
    let scalar = Scalar::from_bytes_mod_order_wide(&bytes(rng));
    (scalar, (EdwardsPoint::mul_base(&scalar) + EIGHT_TORSION[torsion]).compress().to_bytes())
}
