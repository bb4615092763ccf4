//! Many signatures at once.

use std::hint::black_box;

use armring_token::{
    Batch, Credential, CredentialRights, Form, FreeCount, Issuer, IssuerKey, Limits, Minor, Object, Payment, PaymentKey,
    PaymentToken, Signing, Unverified,
};
use armring_wire::records::Assurance;
use armring_wire::{AccountPseudonym, CredentialId, Currency, KeyId, RootFingerprint, UnixTime, Validity};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ed25519_zebra::batch::Verifier;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::tokens::{root, token};
use crate::{Group, Plan};

const MANY: usize = 256;

pub fn plans() -> Vec<Plan> {
    let of_bands = |count| {
        let target = (count == MANY).then_some(0.45);
        Plan::new(format!("verify {count} tokens of {count} bands"), move |group| distinct(group, count, target))
    };
    let of_one = Plan::new(format!("verify {MANY} tokens of one band"), |group| one_key(group, MANY));
    let of_pairs = Plan::new(format!("verify {MANY} pairs of credential and token"), |group| pairs(group, MANY));
    [16, 64, MANY].map(of_bands).into_iter().chain([of_one, of_pairs]).collect()
}

/// A token and the key that it is to be verified with, parsed.
type Token = (PaymentKey, Vec<u8>);

fn signer(band: usize) -> SigningKey {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&(band as u64).to_le_bytes());
    SigningKey::from_bytes(&seed)
}

fn tokens(count: usize, key_of: impl Fn(usize) -> usize) -> Vec<Token> {
    let root = root();
    let token = |number: usize| {
        let signer = signer(key_of(number));
        let key = PaymentKey::from_bytes(signer.verifying_key().to_bytes()).expect("a key");
        let mut buffer = [0; PaymentToken::MAX_LEN];
        let body = token(u32::try_from(number).expect("few"));
        (key, body.sign(&root, &Signing::<Payment, _>::new(signer), &mut buffer).expect("room").to_vec())
    };
    (0..count).map(token).collect()
}

/// Tokens of as many bands.
fn distinct(group: Group, count: usize, target: Option<f64>) -> Group {
    singly_and_together(group, tokens(count, |band| band), bare(count, |band| band), target)
}

/// As many signatures of one key: an issuer's.
fn one_key(group: Group, count: usize) -> Group {
    singly_and_together(group, tokens(count, |_| 0), bare(count, |_| 0), None)
}

const ONE_BY_ONE: &str = "Armring, one by one";

fn singly_and_together(group: Group, tokens: Vec<Token>, bare: Vec<Bare>, target: Option<f64>) -> Group {
    let (root, singly, mut rng) = (root(), tokens.clone(), ChaCha20Rng::seed_from_u64(1));
    let (bare_too, mut zebra_rng) = (bare.clone(), ChaCha20Rng::seed_from_u64(1));
    let group = group
        .with(ONE_BY_ONE, move || {
            for (key, object) in black_box(&singly) {
                parsed(object).verify(&root, key).expect("valid");
            }
        })
        .beside(ONE_BY_ONE, target, "Armring, batch", move || {
            let mut batch = Batch::new(root);
            for (key, object) in black_box(&tokens) {
                batch.push(parsed(object).signed_by(*key));
            }
            assert!(batch.verify(&mut rng).iter().all(Result::is_ok));
        })
        .beside(ONE_BY_ONE, None, "zebra, batch", move || zebra(black_box(&bare_too), &mut zebra_rng));
    #[cfg(feature = "peers")]
    let group = group.beside(ONE_BY_ONE, None, "dalek, batch", move || dalek(black_box(&bare)));
    group
}

fn parsed(object: &[u8]) -> Unverified<'_, PaymentToken> {
    Unverified::parse(object).expect("a token")
}

/// A signature over as many bytes as a token's.
type Bare = (VerifyingKey, [u8; 131], Signature);

fn bare(count: usize, key_of: impl Fn(usize) -> usize) -> Vec<Bare> {
    let signed = |number: usize| {
        let signer = signer(key_of(number));
        let mut message = [3; 131];
        message[..8].copy_from_slice(&(number as u64).to_le_bytes());
        (signer.verifying_key(), message, signer.sign(&message))
    };
    (0..count).map(signed).collect()
}

fn zebra(signed: &[Bare], rng: &mut ChaCha20Rng) {
    let mut verifier = Verifier::new();
    for (key, message, signature) in signed {
        verifier.queue((key.to_bytes().into(), *signature, message));
    }
    verifier.verify(rng).expect("valid");
}

#[cfg(feature = "peers")]
fn dalek(signed: &[Bare]) {
    let messages: Vec<&[u8]> = signed.iter().map(|(_, message, _)| message.as_slice()).collect();
    let signatures: Vec<_> = signed.iter().map(|(.., signature)| *signature).collect();
    let keys: Vec<_> = signed.iter().map(|(key, ..)| *key).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).expect("valid");
}

/// Tokens, each with the credential of its band, which one issuer signed. The band's key is taken from the credential, as its bytes.
fn pairs(group: Group, count: usize) -> Group {
    let (root, issuer) = (root(), SigningKey::from_bytes(&[2; 32]));
    let issuer_key = IssuerKey::from_bytes(issuer.verifying_key().to_bytes()).expect("a key");
    let issuer = Signing::<Issuer, _>::new(issuer);
    let tokens = tokens(count, |band| band);
    let credentials: Vec<_> = tokens.iter().map(|(key, _)| credential(key, &root, &issuer)).collect();
    let (singly, bands) = (tokens.clone(), credentials.clone());
    let (alone, mut rng) = (tokens.clone(), ChaCha20Rng::seed_from_u64(1));
    group
        .with("Armring, the tokens one by one", move || {
            for (key, object) in black_box(&alone) {
                parsed(object).verify(&root, key).expect("valid");
            }
        })
        .beside("Armring, the tokens one by one", None, ONE_BY_ONE, move || {
            for ((_, object), credential) in black_box(&singly).iter().zip(&bands) {
                let credential =
                    Unverified::<Credential>::parse(credential).expect("one").verify(&root, &issuer_key).expect("valid");
                let key = PaymentKey::from_bytes(credential.payment_key).expect("a key");
                parsed(object).verify(&root, &key).expect("valid");
            }
        })
        .beside("Armring, the tokens one by one", Some(0.65), "Armring, batch", move || {
            let mut batch = Batch::new(root);
            for ((_, object), credential) in black_box(&tokens).iter().zip(&credentials) {
                let credential = Unverified::<Credential>::parse(credential).expect("one");
                let key = PaymentKey::from_bytes(credential.claims().payment_key).expect("a key");
                batch.push((credential.signed_by(issuer_key), parsed(object).signed_by(key)));
            }
            assert!(batch.verify(&mut rng).iter().all(|(credential, token)| credential.is_ok() && token.is_ok()));
        })
}

fn credential(key: &PaymentKey, root: &RootFingerprint, issuer: &Signing<Issuer, SigningKey>) -> Vec<u8> {
    let none = Minor(0);
    let credential = Credential {
        form: Form,
        key: KeyId(1),
        id: CredentialId(*b"wristpay"),
        payment_key: *key.as_bytes(),
        account: AccountPseudonym(*b"somebody"),
        currency: Currency::CNY,
        limits: Limits { each: none, press: none, free: none, free_count: FreeCount(0), free_total: none, offline_total: none },
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY,
        validity: Validity { from: UnixTime::from_secs(0), until: UnixTime::from_secs(1) },
    };
    credential.sign(root, issuer, &mut [0; Credential::MAX_LEN]).expect("room").to_vec()
}
