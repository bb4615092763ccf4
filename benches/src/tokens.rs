//! Making and verifying one payment token, and others' tokens that say the same.

use std::hint::black_box;

use armring_token::{
    Counter, Form, Gesture, Minor, Object, Payment, PaymentKey, PaymentToken, Presence, RootKey, SIGNATURE_LEN, Signature,
    Signing, Unlocking, Unverified,
};
use armring_wire::{Amount, CredentialId, Currency, PayeeId, PayeeRef, RequestDigest, RootFingerprint};
use ed25519_dalek::{Signer, SigningKey, Verifier};
use signature::MultipartSigner;

#[cfg(feature = "peers")]
use crate::peers::tokens as peers;
use crate::{Group, Plan};

pub(crate) const SEED: [u8; 32] = [7; 32];
/// What is signed besides the body: the length of the label, the label and the fingerprint of the root.
const BESIDES: usize = 1 + "armring/1 payment token".len() + 32;
/// What is signed of a token, in bytes.
const SIGNED: usize = BESIDES + PaymentToken::MAX_LEN - SIGNATURE_LEN;

pub fn plans() -> Vec<Plan> {
    vec![Plan::new("mint a token", mint), Plan::new("verify a token", verify)]
}

/// The issuer that tokens are for.
pub(crate) fn root() -> RootFingerprint {
    RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).expect("a key").fingerprint()
}

pub(crate) fn token(counter: u32) -> PaymentToken {
    PaymentToken {
        form: Form,
        credential: CredentialId(*b"wristpay"),
        payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
        request: RequestDigest([5; 32]),
        amount: Amount::new(12_50, Currency::CNY),
        counter: Counter(counter),
        cumulative: Minor(100_000),
        presence: Presence { minutes_worn: 42, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
    }
}

fn mint(group: Group) -> Group {
    let (key, signer) = (SigningKey::from_bytes(&SEED), SigningKey::from_bytes(&SEED));
    let group = group
        .with("Ed25519: dalek", move || {
            black_box(key.sign(black_box(&[3; SIGNED])));
        })
        .beside("Ed25519: dalek", Some(1.02), "Armring", ours(signer));
    #[cfg(feature = "peers")]
    let group = {
        let fast = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&SEED).expect("32 bytes");
        let signer = armring_aws_lc::SigningKey::from_bytes(&SEED).expect("a key");
        group
            .with("Ed25519: AWS-LC", move || {
                black_box(fast.sign(black_box(&[3; SIGNED])));
            })
            .beside("Ed25519: AWS-LC", Some(1.02), "Armring, AWS-LC", ours(signer))
            .beside("Ed25519: dalek", None, "COSE, dalek", peers::cose_mint())
            .beside("Ed25519: dalek", None, "Biscuit", peers::biscuit_mint())
            .beside("Ed25519: dalek", None, "PASETO", peers::paseto_mint())
            .beside("Ed25519: dalek", None, "JWT, AWS-LC", peers::jwt_mint())
    };
    group
}

fn ours<S: MultipartSigner<Signature>>(signer: S) -> impl FnMut() {
    let (root, signer, token) = (root(), Signing::<Payment, _>::new(signer), token(7));
    move || {
        let mut buffer = [0; PaymentToken::MAX_LEN];
        black_box(black_box(&token).sign(&root, &signer, &mut buffer).expect("room"));
    }
}

fn verify(group: Group) -> Group {
    const STRICT: &str = "Ed25519: dalek, strict";
    let (root, signer) = (root(), SigningKey::from_bytes(&SEED));
    let (message, public) = ([3; SIGNED], signer.verifying_key());
    let signature = signer.sign(&message);
    let key = PaymentKey::from_bytes(public.to_bytes()).expect("a key");
    let mut buffer = [0; PaymentToken::MAX_LEN];
    let object = token(7).sign(&root, &Signing::<Payment, _>::new(signer), &mut buffer).expect("room").to_vec();
    let unparsed = object.clone();
    let group = group
        .with(STRICT, move || public.verify_strict(black_box(&message), &signature).expect("valid"))
        .with("Ed25519: dalek", move || public.verify(black_box(&message), &signature).expect("valid"))
        .beside(STRICT, Some(1.02), "Armring", move || {
            let token = Unverified::<PaymentToken>::parse(black_box(&object)).expect("a token");
            black_box(token.verify(&root, &key)).expect("valid");
        })
        .beside(STRICT, None, "Armring, key from its bytes", move || {
            let key = PaymentKey::from_bytes(*black_box(public.as_bytes())).expect("a key");
            let token = Unverified::<PaymentToken>::parse(black_box(&unparsed)).expect("a token");
            black_box(token.verify(&root, &key)).expect("valid");
        });
    #[cfg(feature = "peers")]
    let group = {
        use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

        let fast = ParsedPublicKey::new(&ED25519, public.as_bytes()).expect("a key");
        group
            .with("Ed25519: AWS-LC", move || fast.verify_sig(black_box(&message), &signature.to_bytes()).expect("valid"))
            .beside(STRICT, None, "COSE, dalek", peers::cose_verify())
            .beside(STRICT, None, "Biscuit", peers::biscuit_verify())
            .beside(STRICT, None, "PASETO", peers::paseto_verify())
            .beside(STRICT, None, "JWT, AWS-LC", peers::jwt_verify())
    };
    group
}
