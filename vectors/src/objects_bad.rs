//! Objects that must not verify, each with what is wrong with it.

use armring_wire::RootFingerprint;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signer;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use crate::objects::{Kind, kinds, root, signed, signer};
use crate::seed::hex;

/// The order of the group, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x10,
];

pub(crate) fn vectors() -> Vec<Value> {
    let kinds = kinds();
    let mut vectors: Vec<_> = kinds.iter().flat_map(of_any_kind).collect();
    for (kind, other) in kinds.iter().zip(kinds.iter().cycle().skip(1)) {
        let name = format!("a {} in its place", other.label);
        vectors.push(case(kind, &name, &other.object, None));
    }
    vectors.extend(of_one_kind(&kinds));
    vectors
}

fn case(kind: &Kind, name: &str, object: &[u8], key: Option<[u8; 32]>) -> Value {
    let used = key.unwrap_or_else(|| signer(kind.signer).verifying_key().to_bytes());
    let error = (kind.verify)(object, &root(), used).expect_err(name);
    let mut vector = json!({ "as": kind.label, "name": name, "object": hex(object), "error": error });
    if key.is_some() {
        vector["key"] = hex(used).into();
    }
    vector
}

fn signed_again(kind: &Kind, message: &[u8], body: &[u8]) -> Vec<u8> {
    [&signer(kind.signer).sign(message).to_bytes()[..], body].concat()
}

/// What can be wrong with an object of any kind.
fn of_any_kind(kind: &Kind) -> Vec<Value> {
    let (object, body) = (&kind.object, &kind.object[64..]);
    let changed = |at: usize| {
        let mut object = object.clone();
        object[at] ^= 1;
        object
    };
    let whole = signed(kind.label, &root(), body);
    let elsewhere = RootFingerprint([7; 32]);
    vec![
        case(kind, "the first byte of the signature is changed", &changed(0), None),
        case(kind, "the last byte of the body is changed", &changed(object.len() - 1), None),
        case(kind, "cut by a byte", &object[..object.len() - 1], None),
        case(kind, "a byte left over", &[object, &[0][..]].concat(), None),
        case(kind, "a signature alone", &object[..64], None),
        case(kind, "signed for another issuer", &signed_again(kind, &signed(kind.label, &elsewhere, body), body), None),
        case(kind, "signed under another label", &signed_again(kind, &signed("something", &root(), body), body), None),
        case(kind, "signed without a label", &signed_again(kind, body, body), None),
        case(kind, "signed without the label's length", &signed_again(kind, &whole[1..], body), None),
        case(kind, "verified with another key", object, Some(signer("somebody").verifying_key().to_bytes())),
        case(kind, "S + L in place of S", &[&object[..32], &s_plus_l(object), body].concat(), None),
        case(kind, "a key of small order, which any signature would fit", &small_order_signature(body), Some(identity())),
        case(kind, "R in an encoding that is not canonical", &not_canonical(kind, body), None),
    ]
}

/// The same signature to whoever does not check that S is below the order.
fn s_plus_l(object: &[u8]) -> [u8; 32] {
    let mut carry = 0;
    std::array::from_fn(|i| {
        let sum = u16::from(object[32 + i]) + u16::from(L[i]) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    })
}

/// The neutral element, encoded.
fn identity() -> [u8; 32] {
    let mut one = [0; 32];
    one[0] = 1;
    one
}

/// R = [1]B, S = 1: valid for the neutral element as a key, over any message, where such keys are taken.
fn small_order_signature(body: &[u8]) -> Vec<u8> {
    let r = EdwardsPoint::mul_base(&Scalar::ONE).compress().to_bytes();
    [&r[..], &Scalar::ONE.to_bytes(), body].concat()
}

/// R is the neutral element, encoded as y = 1 + p: a signature that a lax decoder takes.
fn not_canonical(kind: &Kind, body: &[u8]) -> Vec<u8> {
    let mut r = [0xFF; 32];
    (r[0], r[31]) = (0xEE, 0x7F);
    let key = signer(kind.signer);
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key.verifying_key().as_bytes())
        .chain_update(signed(kind.label, &root(), body))
        .finalize();
    let s = Scalar::from_bytes_mod_order_wide(&hash.into()) * key.to_scalar();
    [&r[..], &s.to_bytes(), body].concat()
}

/// Bodies that no party signs, with signatures that would verify.
fn of_one_kind(kinds: &[Kind]) -> Vec<Value> {
    let with = |label: &str, name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let kind = kinds.iter().find(|kind| kind.label == label).unwrap();
        let mut body = kind.object[64..].to_vec();
        change(&mut body);
        case(kind, name, &signed_again(kind, &signed(label, &root(), &body), &body), None)
    };
    let set = |at: usize, byte: u8| move |body: &mut Vec<u8>| body[at] = byte;
    let last = |byte: u8| {
        move |body: &mut Vec<u8>| {
            let at = body.len() - 1;
            body[at] = byte;
        }
    };
    vec![
        with("credential", "a right that has no meaning", &set(96, 4)),
        with("credential", "an assurance that has no meaning", &set(95, 4)),
        with("credential", "currency 000", &|body| body[51..53].fill(0)),
        with("payee certificate", "a right that has no meaning", &|body| {
            let at = body.len() - 9;
            body[at] = 2;
        }),
        with("payment token", "a presence with bit 6 set", &last(0x4B)),
        with("payment token", "a presence with a way of unlocking that has no meaning", &last(0x0D)),
        with("payment token", "a payee that is neither", &set(9, 2)),
        with("payment request", "a payee that is neither", &set(1, 2)),
        with("payment request", "a memo with a line break", &last(b'\n')),
        with("revocation list", "two entries in the wrong order", &|body| {
            let at = body.len() - 18;
            body[at..].rotate_left(9);
        }),
        with("revocation list", "an entry about neither a payee nor a credential", &|body| {
            let at = body.len() - 18;
            body[at] = 2;
        }),
        with("revocation list", "entries that are not whole", &|body| {
            body.pop();
            let at = body.len() - 18;
            body[at] = 17;
        }),
        with("refund", "currency 1000", &|body| body[50..52].copy_from_slice(&1000u16.to_le_bytes())),
    ]
}
