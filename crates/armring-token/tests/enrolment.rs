//! The proof of possession of an enrolment, and the digits that are compared outside the wallet.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_token::{Enrolment, PaymentKey, Signing, VerifyError};
use armring_wire::EnrolmentCode;
use armring_wire::records::Assurance;
use common::{band_signer, message, other_root, public, root};
use ed25519_dalek::{Signer, SigningKey};

const HANDSHAKE: [u8; 32] = [0xAB; 32];
const CODE: EnrolmentCode = EnrolmentCode(*b"sixteen of these");

fn enrolment(handshake: &[u8; 32]) -> Enrolment<'_> {
    Enrolment { handshake, code: CODE, payment_key: public(&band_signer()), assurance: Assurance::ComparedCode }
}

fn proof() -> [u8; 64] {
    enrolment(&HANDSHAKE).prove(&root(), &Signing::new(band_signer())).unwrap()
}

fn other_key() -> PaymentKey {
    public(&SigningKey::from_bytes(&[8; 32]))
}

#[test]
fn a_proof_is_over_what_the_design_says() {
    let body = [&HANDSHAKE[..], &CODE.0, &band_signer().verifying_key().to_bytes(), &[2]].concat();
    assert_eq!(proof(), band_signer().sign(&message("enrolment", &root(), &body)).to_bytes());
    assert_eq!(enrolment(&HANDSHAKE).verify(&root(), &proof()), Ok(()));
}

#[test]
fn a_proof_for_another_handshake_is_refused() {
    for bit in 0..256 {
        let mut handshake = HANDSHAKE;
        handshake[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(enrolment(&handshake).verify(&root(), &proof()), Err(VerifyError::Signature), "bit {bit}");
    }
}

#[test]
fn a_proof_for_another_users_code_is_refused() {
    for bit in 0..128 {
        let mut code = CODE;
        code.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            Enrolment { code, ..enrolment(&HANDSHAKE) }.verify(&root(), &proof()),
            Err(VerifyError::Signature),
            "bit {bit}"
        );
    }
}

/// Unknown key share: somebody else's key is enrolled in place of the band's.
#[test]
fn a_proof_by_another_key_is_refused() {
    let theirs = Enrolment { payment_key: other_key(), ..enrolment(&HANDSHAKE) };
    assert_eq!(theirs.verify(&root(), &proof()), Err(VerifyError::Signature), "the band's proof for their key");
    let other_signer = Signing::new(SigningKey::from_bytes(&[8; 32]));
    let forged = enrolment(&HANDSHAKE).prove(&root(), &other_signer).unwrap();
    assert_eq!(enrolment(&HANDSHAKE).verify(&root(), &forged), Err(VerifyError::Signature), "their proof for the band's key");
    assert_eq!(
        theirs.verify(&root(), &forged),
        Err(VerifyError::Signature),
        "their proof for the band's key, presented as theirs"
    );
    assert_eq!(theirs.verify(&root(), &theirs.prove(&root(), &other_signer).unwrap()), Ok(()));
}

#[test]
fn a_proof_for_another_assurance_is_refused() {
    for assurance in [Assurance::Press, Assurance::PrintedSecret, Assurance::DisplayedSecret] {
        let raised = Enrolment { assurance, ..enrolment(&HANDSHAKE) };
        assert_eq!(raised.verify(&root(), &proof()), Err(VerifyError::Signature), "{assurance:?}");
    }
}

#[test]
fn a_proof_for_another_issuer_is_refused() {
    assert_eq!(enrolment(&HANDSHAKE).verify(&other_root(), &proof()), Err(VerifyError::Signature));
}

#[test]
fn a_proof_of_another_length_is_malformed_and_each_of_its_bits_counts() {
    let proof = proof();
    for bytes in [&proof[..63], &[], &[&proof[..], &[0]].concat()] {
        assert_eq!(enrolment(&HANDSHAKE).verify(&root(), bytes), Err(VerifyError::Malformed), "{} bytes", bytes.len());
    }
    for bit in 0..512 {
        let mut proof = proof;
        proof[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(enrolment(&HANDSHAKE).verify(&root(), &proof), Err(VerifyError::Signature), "bit {bit}");
    }
}

#[test]
fn both_sides_compute_the_same_digits() {
    let (band, issuer) = (enrolment(&HANDSHAKE), enrolment(&[0xAB; 32]).digits(&[5; 16]));
    assert_eq!(band.digits(&[5; 16]), issuer);
    assert!(issuer.number() < 1_000_000);
}

/// Digits of different things are equal once in a million times: among these fixed ones never.
#[test]
fn digits_differ_for_another_handshake_key_or_nonce() {
    let this = enrolment(&HANDSHAKE).digits(&[5; 16]);
    for bit in 0..256 {
        let mut handshake = HANDSHAKE;
        handshake[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(enrolment(&handshake).digits(&[5; 16]), this, "handshake, bit {bit}");
    }
    for bit in 0..128 {
        let mut nonce = [5; 16];
        nonce[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(enrolment(&HANDSHAKE).digits(&nonce), this, "nonce, bit {bit}");
    }
    let theirs = Enrolment { payment_key: other_key(), ..enrolment(&HANDSHAKE) };
    assert_ne!(theirs.digits(&[5; 16]), this, "key");
}

#[test]
fn debug_of_an_enrolment_shows_no_code() {
    let text = format!("{:?}", enrolment(&HANDSHAKE));
    assert!(text.contains("EnrolmentCode(..)") && !text.contains("115, 105, 120"), "{text}");
}
