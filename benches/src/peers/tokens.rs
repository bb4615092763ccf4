//! Signed tokens by others, each with what a payment token says, in the form in which they say it.

use std::hint::black_box;

use armring_token::{Object, PaymentToken, SIGNATURE_LEN};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use biscuit_auth::builder::{Algorithm, BiscuitBuilder};
use biscuit_auth::{Biscuit, KeyPair, PrivateKey};
use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use ed25519_dalek::{Signature, Signer, SigningKey};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use pasetors::Public;
use pasetors::keys::{AsymmetricPublicKey, AsymmetricSecretKey};
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use serde::{Deserialize, Serialize};

use crate::tokens::SEED;

const BODY: usize = PaymentToken::MAX_LEN - SIGNATURE_LEN;

fn cose() -> Vec<u8> {
    let key = SigningKey::from_bytes(&SEED);
    let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(vec![7; 8]).build();
    let builder = CoseSign1Builder::new().protected(protected).payload(black_box(vec![5; BODY]));
    builder.create_signature(&[9; 32], |bytes| key.sign(bytes).to_bytes().to_vec()).build().to_vec().expect("encodes")
}

/// coset with dalek: a body of as many bytes, the key's id, and 32 bytes beside it for the issuer.
pub fn cose_mint() -> impl FnMut() {
    let key = SigningKey::from_bytes(&SEED);
    move || {
        let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(vec![7; 8]).build();
        let builder = CoseSign1Builder::new().protected(protected).payload(black_box(vec![5; BODY]));
        let signed = builder.create_signature(&[9; 32], |bytes| key.sign(bytes).to_bytes().to_vec()).build();
        black_box(signed.to_vec()).expect("encodes");
    }
}

/// coset with dalek.
pub fn cose_verify() -> impl FnMut() {
    let (object, key) = (cose(), SigningKey::from_bytes(&SEED).verifying_key());
    move || {
        let parsed = CoseSign1::from_slice(black_box(&object)).expect("a signed object");
        let verify = |signature: &[u8], bytes: &[u8]| key.verify_strict(bytes, &Signature::from_slice(signature)?);
        parsed.verify_signature(&[9; 32], verify).expect("valid");
        black_box(parsed);
    }
}

fn biscuit_keys() -> KeyPair {
    KeyPair::from(&PrivateKey::from_bytes(&SEED, Algorithm::Ed25519).expect("32 bytes"))
}

fn biscuit_of(keys: &KeyPair) -> Vec<u8> {
    use biscuit_auth::builder::{bytes, fact, int, string};

    let terms = [
        bytes(b"wristpay"),
        bytes(b"teahouse"),
        bytes(&[5; 32]),
        int(12_50),
        string("CNY"),
        int(7),
        int(100_000),
        int(42),
        int(11),
    ];
    let token = BiscuitBuilder::new().fact(fact("payment", &terms)).and_then(|builder| builder.build(keys)).expect("a token");
    token.to_vec().expect("encodes")
}

/// Biscuit: one fact.
pub fn biscuit_mint() -> impl FnMut() {
    let keys = biscuit_keys();
    move || drop(black_box(biscuit_of(black_box(&keys))))
}

/// Biscuit: parsed and its signatures verified; nothing is asked of its logic.
pub fn biscuit_verify() -> impl FnMut() {
    let keys = biscuit_keys();
    let (token, public) = (biscuit_of(&keys), keys.public());
    move || drop(black_box(Biscuit::from(black_box(&token), public)).expect("valid"))
}

/// What a token says, as claims.
#[derive(Serialize, Deserialize)]
struct Claims {
    credential: String,
    payee: String,
    request: String,
    amount: u64,
    currency: u16,
    counter: u32,
    cumulative: u64,
    minutes_worn: u16,
    presence: u8,
}

fn claims() -> Claims {
    let (credential, payee, request) = ("7772697374706179".into(), "7465616868757365".into(), "05".repeat(32));
    Claims {
        credential,
        payee,
        request,
        amount: 12_50,
        currency: 156,
        counter: 7,
        cumulative: 100_000,
        minutes_worn: 42,
        presence: 11,
    }
}

fn paseto_secret() -> AsymmetricSecretKey<V4> {
    let key = SigningKey::from_bytes(&SEED);
    AsymmetricSecretKey::from(&key.to_keypair_bytes()).expect("a key")
}

fn paseto_of(secret: &AsymmetricSecretKey<V4>) -> String {
    let message = serde_json::to_vec(black_box(&claims())).expect("JSON");
    PublicToken::sign(secret, &message, None, Some(&[9; 32])).expect("a token")
}

/// PASETO v4.public, claims in JSON.
pub fn paseto_mint() -> impl FnMut() {
    let secret = paseto_secret();
    move || drop(black_box(paseto_of(&secret)))
}

/// PASETO v4.public.
pub fn paseto_verify() -> impl FnMut() {
    let token = paseto_of(&paseto_secret());
    let public = AsymmetricPublicKey::<V4>::from(SigningKey::from_bytes(&SEED).verifying_key().as_bytes()).expect("a key");
    move || {
        let untrusted = UntrustedToken::<Public, V4>::try_from(black_box(token.as_str())).expect("a token");
        let trusted = PublicToken::verify(&public, &untrusted, None, Some(&[9; 32])).expect("valid");
        black_box(serde_json::from_str::<Claims>(trusted.payload())).expect("claims");
    }
}

fn jwt_of(header: &Header, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, black_box(&claims()), key).expect("a token")
}

fn jwt_key() -> EncodingKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("32 bytes");
    EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("a key").as_ref())
}

/// JWT with EdDSA by AWS-LC.
pub fn jwt_mint() -> impl FnMut() {
    let (header, key) = (Header::new(jsonwebtoken::Algorithm::EdDSA), jwt_key());
    move || drop(black_box(jwt_of(&header, &key)))
}

/// JWT with EdDSA by AWS-LC.
pub fn jwt_verify() -> impl FnMut() {
    let token = jwt_of(&Header::new(jsonwebtoken::Algorithm::EdDSA), &jwt_key());
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("32 bytes");
    let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
    let mut validation = Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    move || drop(black_box(jsonwebtoken::decode::<Claims>(black_box(&token), &key, &validation)).expect("valid"))
}

/// The encoding of a COSE object, without its signature's arithmetic.
pub fn cose_codec() -> impl FnMut() {
    let object = cose();
    move || {
        let parsed = CoseSign1::from_slice(black_box(&object)).expect("a signed object");
        black_box(parsed.to_vec()).expect("encodes");
    }
}
