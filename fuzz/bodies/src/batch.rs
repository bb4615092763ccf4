//! Signatures of all kinds, alone and among others.

use armring_token::{
    Batch, Counter, Form, Gesture, Minor, Object, Payment, PaymentKey, PaymentToken, Presence, Unlocking, Unverified,
};
use armring_wire::{PayeeRef, RequestDigest, encode};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};

use crate::cast::{self, CREDENTIAL, Draws, TEAHOUSE};
use crate::input::Input;

/// The order of the prime group, little-endian (RFC 8032 §5.1).
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x10,
];
/// So many signatures at most, mostly and now and then.
const MOST: [usize; 2] = [3, 12];

/// Signs in all the ways there are, right and wrong: each object gets one answer, alone and in a batch, and it is the right one.
pub fn batch(data: &[u8]) {
    let mut input = Input::new(data);
    let mut rng = Draws::new(input.any());
    let most = MOST[usize::from(input.below(8) == 7)];
    let mut made: Vec<Made> = Vec::new();
    while !input.is_empty() && made.len() < most {
        let last = made.last().map(|last| last.object.clone());
        made.extend(Made::new(&mut input, last));
    }
    let root = cast::root();
    let mut together = Batch::new(root);
    let mut alone = Vec::new();
    for Made { key, object, .. } in &made {
        let object = Unverified::<PaymentToken>::parse(object).unwrap();
        alone.push(object.verify(&root, key));
        together.push(object.signed_by(*key));
    }
    assert_eq!(together.verify(&mut rng), alone, "one answer");
    let answers: Vec<bool> = alone.iter().map(Result::is_ok).collect();
    assert_eq!(answers, made.iter().map(|made| made.is_valid).collect::<Vec<_>>(), "and the right one");
}

struct Made {
    key: PaymentKey,
    object: Vec<u8>,
    is_valid: bool,
}

impl Made {
    /// `None` where the key is none.
    fn new(input: &mut Input<'_>, last: Option<Vec<u8>>) -> Option<Self> {
        let token = body(input.any());
        let mut buffer = [0; PaymentToken::MAX_LEN];
        let body = encode(&token, &mut buffer).unwrap().to_vec();
        match input.below(8) {
            // As a band signs.
            0 | 1 => {
                let seed = 10 + input.any::<u8>() % 4;
                let key = cast::public::<Payment>(seed);
                let mut object = cast::sign(&token, seed);
                let mut is_valid = true;
                match input.below(6) {
                    // Another's signature.
                    0 => {
                        let own = object.clone();
                        object[..64].copy_from_slice(&last?[..64]);
                        is_valid = object == own;
                    }
                    1 => {
                        let (at, mask) = (input.below(64), input.any::<u8>());
                        object[at] ^= mask;
                        is_valid = mask == 0;
                    }
                    2 => is_valid = !add_l(&mut object[32..64]),
                    _ => {}
                }
                Some(Self { key, object, is_valid })
            }
            // Anything at all.
            2 => {
                let (key, signature): ([u8; 32], [u8; 64]) = (input.any(), input.any());
                Some(Self { key: PaymentKey::from_bytes(key)?, object: [&signature, &body[..]].concat(), is_valid: false })
            }
            // Of small order, or not canonical: no key.
            3 => {
                let key = small_order(input);
                assert!(PaymentKey::from_bytes(key).is_none(), "{key:02x?}");
                None
            }
            _ => Self::by_hand(input, &body),
        }
    }

    /// With a key and a nonce of mixed order, as nobody makes them by chance.
    fn by_hand(input: &mut Input<'_>, body: &[u8]) -> Option<Self> {
        let (secret, nonce) = (Scalar::from(1 + input.any::<u64>() / 2), Scalar::from(input.any::<u64>()));
        let mixed =
            |scalar: &Scalar, torsion: usize| (EdwardsPoint::mul_base(scalar) + EIGHT_TORSION[torsion]).compress().to_bytes();
        let key = mixed(&secret, input.below(8));
        let mut r = mixed(&nonce, input.below(8));
        let mut is_valid = true;
        // The same point in another encoding: y + p, where that fits.
        if nonce == Scalar::ZERO && input.any() {
            let other = plus_p(r);
            is_valid = other.is_none();
            r = other.unwrap_or(r);
        }
        let message = message(body);
        let k = Sha512::new().chain_update(r).chain_update(key).chain_update(&message).finalize();
        let s = nonce + Scalar::from_bytes_mod_order_wide(&k.into()) * secret;
        let mut s = s.to_bytes();
        if input.below(8) == 7 && add_l(&mut s) {
            is_valid = false;
        }
        let key = PaymentKey::from_bytes(key)?;
        Some(Self { key, object: [&r, &s, body].concat(), is_valid })
    }
}

fn body(counter: u8) -> PaymentToken {
    PaymentToken {
        form: Form,
        credential: CREDENTIAL,
        payee: PayeeRef::Certificate(TEAHOUSE),
        request: RequestDigest([0xD1; 32]),
        amount: cast::yuan(12_50),
        counter: Counter(counter.into()),
        cumulative: Minor(99_00),
        presence: Presence { minutes_worn: 600, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
    }
}

/// What is signed (SPEC.md, section 1), put together by hand.
fn message(body: &[u8]) -> Vec<u8> {
    let label = format!("armring/1 {}", PaymentToken::LABEL);
    [&[u8::try_from(label.len()).unwrap()], label.as_bytes(), &cast::root().0, body].concat()
}

/// Adds L to `s`, where there is room. What verified before has to be refused then: S < L.
fn add_l(s: &mut [u8]) -> bool {
    let mut sum = [0; 32];
    let mut carry = 0;
    for ((sum, s), l) in sum.iter_mut().zip(s.iter()).zip(L) {
        let total = u16::from(*s) + u16::from(l) + carry;
        (*sum, carry) = (total.to_le_bytes()[0], total >> 8);
    }
    if carry == 0 {
        s.copy_from_slice(&sum);
    }
    carry == 0
}

/// The encoding of the same point with y + p in place of y; there is one where y is below 19.
fn plus_p(encoding: [u8; 32]) -> Option<[u8; 32]> {
    let [y, rest @ .., last] = encoding;
    let is_small = y < 19 && rest.iter().all(|byte| *byte == 0) && last & 0x7F == 0;
    is_small.then(|| {
        let mut other = [0xFF; 32];
        (other[0], other[31]) = (0xED + y, 0x7F | last & 0x80);
        other
    })
}

/// An encoding of a point of small order, canonical or not.
fn small_order(input: &mut Input<'_>) -> [u8; 32] {
    let point = EIGHT_TORSION[input.below(8)].compress().to_bytes();
    let sign = if input.any() { 0x80 } else { 0 };
    let mut other = if input.any() { plus_p(point).unwrap_or(point) } else { point };
    other[31] ^= sign;
    other
}
