//! Batches of objects: the answer for each is the one that it gets alone.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_token::{
    Batch, Counter, Credential, Issuer, KeyList, Object, PayeeCertificate, PayeeKey, PaymentKey, PaymentRequest, PaymentToken,
    PublicKey, Receipt, Signing, Unverified, Verified, VerifyError,
};
use common::{config, credential, kinds, message, other_root, payee_signer, public, request, root, seed, signature, token};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use proptest::sample::Index;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed())
}

/// The key and the token number `n` of a band.
fn signed_token(band: u8, n: u32) -> (PaymentKey, Vec<u8>) {
    let signer = SigningKey::from_bytes(&[band; 32]);
    let token = PaymentToken { counter: Counter(n), ..token() };
    (public(&signer), token.sign(&root(), &Signing::new(signer), &mut [0; PaymentToken::MAX_LEN]).unwrap().to_vec())
}

fn parse<'a, T: Object<'a>>(object: &'a [u8]) -> Unverified<'a, T> {
    Unverified::parse(object).unwrap()
}

type Answer<T> = Result<Verified<T>, VerifyError>;

fn together(tokens: &[(PaymentKey, Vec<u8>)], rng: &mut ChaCha20Rng) -> Vec<Answer<PaymentToken>> {
    let mut batch = Batch::new(root());
    for (key, token) in tokens {
        batch.push(parse::<PaymentToken>(token).signed_by(*key));
    }
    assert_eq!((batch.len(), batch.is_empty()), (tokens.len(), tokens.is_empty()));
    batch.verify(rng)
}

fn one_by_one(tokens: &[(PaymentKey, Vec<u8>)]) -> Vec<Answer<PaymentToken>> {
    tokens.iter().map(|(key, token)| parse::<PaymentToken>(token).verify(&root(), key)).collect()
}

#[test]
fn an_empty_batch_has_no_answers() {
    assert!(together(&[], &mut rng()).is_empty());
}

#[test]
fn what_verified_in_a_batch_is_what_would_have_verified_alone() {
    let tokens: Vec<_> = (0..40).map(|n| signed_token(n % 7 + 10, n.into())).collect();
    let answers = together(&tokens, &mut rng());
    assert_eq!(answers, one_by_one(&tokens), "bodies and digests");
    assert!(
        answers.iter().zip(0..).all(|(answer, n)| answer.as_ref().is_ok_and(|token| token.counter == Counter(n))),
        "in order"
    );
}

#[test]
fn a_batch_names_the_invalid_ones_wherever_they_stand() {
    let mut rng = rng();
    let tokens: Vec<_> = (0..21).map(|n| signed_token(10, n)).collect();
    for first in 0..tokens.len() {
        for second in first..tokens.len() {
            let mut tokens = tokens.clone();
            tokens[first].1[40] ^= 1;
            tokens[second].1[100] ^= 1;
            let answers = together(&tokens, &mut rng);
            for (at, answer) in answers.into_iter().enumerate() {
                let expected = if at == first || at == second { Err(VerifyError::Signature) } else { Ok(()) };
                assert_eq!(answer.map(drop), expected, "{at} of {first} and {second}");
            }
        }
    }
}

#[test]
fn the_same_token_as_often_as_one_likes() {
    let mut tokens = vec![signed_token(10, 1); 100];
    assert!(together(&tokens, &mut rng()).iter().all(Result::is_ok));
    tokens.iter_mut().for_each(|(_, token)| token[3] ^= 4);
    assert!(together(&tokens, &mut rng()).iter().all(Result::is_err));
}

/// One payment: what the issuer verifies of it has two signers, and with the payee's certificate three.
#[test]
fn a_batch_of_payments_keeps_together_what_belongs_together() {
    let (issuer, shop) = (public::<Issuer>(&common::issuer_signer()), public(&payee_signer()));
    let request = request().sign(&root(), &Signing::new(payee_signer()), &mut [0; PaymentRequest::MAX_LEN]).unwrap().to_vec();
    let certificate = kinds()[1].object.clone();
    let digest = parse::<PaymentRequest<'_>>(&request).request_digest(&root());
    let verify = |payer: PaymentKey, shop: PayeeKey, bend: usize| {
        let mut objects = [signed_token(10, 1).1, request.clone(), certificate.clone()];
        if let Some(object) = objects.get_mut(bend) {
            object[70] ^= 1;
        }
        let mut batch = Batch::new(root());
        for _ in 0..5 {
            let token = parse::<PaymentToken>(&objects[0]).signed_by(payer);
            let request = parse::<PaymentRequest<'_>>(&objects[1]).signed_by(shop);
            let certificate = parse::<PayeeCertificate<'_>>(&objects[2]).signed_by(issuer);
            batch.push((token, (request, certificate)));
        }
        let answers = batch.verify(&mut rng());
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let (token, (request, certificate)) = answers.into_iter().next().unwrap();
        assert!(request.is_err() || request.unwrap().request_digest() == digest);
        [token.is_ok(), request.is_ok(), certificate.is_ok()]
    };
    let payer = signed_token(10, 1).0;
    assert_eq!(verify(payer, shop, 9), [true, true, true]);
    assert_eq!(verify(payer, shop, 0), [false, true, true]);
    assert_eq!(verify(payer, shop, 1), [true, false, true]);
    assert_eq!(verify(payer, shop, 2), [true, true, false]);
    assert_eq!(verify(payer, payer.as_payee(), 9), [true, false, true], "the request with the payer's key");
    assert_eq!(verify(public(&common::band_signer()), shop, 9), [false, true, true], "the token with another band's");
}

#[test]
fn an_object_of_another_issuer_is_refused_among_this_one_s() {
    let mut batch = Batch::new(other_root());
    let objects = [credential().sign(&root(), &Signing::new(common::issuer_signer()), &mut [0; 169]).unwrap().to_vec(), {
        credential().sign(&other_root(), &Signing::new(common::issuer_signer()), &mut [0; 169]).unwrap().to_vec()
    }];
    for object in &objects {
        batch.push(parse::<Credential>(object).signed_by(public(&common::issuer_signer())));
    }
    let answers: Vec<_> = batch.verify(&mut rng()).into_iter().map(|answer| answer.is_ok()).collect();
    assert_eq!(answers, [false, true]);
}

#[test]
fn objects_of_every_kind_with_keys_and_nonces_of_mixed_order_verify_in_a_batch_as_alone() {
    fn check<'a, T: Object<'a>>(object: &'a [u8], rng: &mut ChaCha20Rng) {
        let encode = |scalar: u8, torsion: usize| {
            (EdwardsPoint::mul_base(&Scalar::from(scalar)) + EIGHT_TORSION[torsion]).compress().to_bytes()
        };
        let mut batch = Batch::new(root());
        for n in 0..64 {
            let (key, r) = (encode(77, n % 8), encode(5, n / 8));
            let message = message(T::LABEL, &root(), &object[64..]);
            let signature = signature(Scalar::from(77u8), &key, Scalar::from(5u8), &r, &message);
            // For as long as `T` borrows it.
            let object: &'a [u8] = [&signature, &object[64..]].concat().leak();
            let key = || PublicKey::from_bytes(key).unwrap();
            assert!(parse::<T>(object).verify(&root(), &key()).is_ok(), "{}: {n}", T::LABEL);
            batch.push(parse::<T>(object).signed_by(key()));
        }
        assert!(batch.verify(rng).iter().all(Result::is_ok), "{}", T::LABEL);
    }
    let (kinds, mut rng) = (kinds(), rng());
    check::<KeyList>(&kinds[0].object, &mut rng);
    check::<PayeeCertificate<'_>>(&kinds[1].object, &mut rng);
    check::<Credential>(&kinds[2].object, &mut rng);
    check::<PaymentRequest<'_>>(&kinds[3].object, &mut rng);
    check::<PaymentToken>(&kinds[4].object, &mut rng);
    check::<Receipt>(&kinds[5].object, &mut rng);
}

/// What is done to a token: nothing, mostly.
#[derive(Clone, Debug)]
enum Mutilation {
    None,
    Bits(Vec<(Index, u8)>),
    SignatureOf(Index),
    KeyOf(Index),
}

fn mutilation() -> impl Strategy<Value = Mutilation> {
    prop_oneof![
        6 => Just(Mutilation::None),
        2 => prop::collection::vec((any::<Index>(), 1..=u8::MAX), 1..4).prop_map(Mutilation::Bits),
        1 => any::<Index>().prop_map(Mutilation::SignatureOf),
        1 => any::<Index>().prop_map(Mutilation::KeyOf),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_batches_with_random_mutilations_are_answered_as_one_by_one(
        batch in prop::collection::vec((10..16u8, 0..3u32, mutilation()), 0..24),
        seed: u64,
    ) {
        let good: Vec<_> = batch.iter().map(|(band, n, _)| signed_token(*band, *n)).collect();
        let mut tokens = good.clone();
        for ((key, token), (.., mutilation)) in tokens.iter_mut().zip(&batch) {
            let mut mutilated = token.clone();
            match mutilation {
                Mutilation::None => {}
                Mutilation::Bits(bits) => bits.iter().for_each(|(at, mask)| mutilated[at.index(139)] ^= mask),
                Mutilation::SignatureOf(other) => mutilated[..64].copy_from_slice(&good[other.index(good.len())].1[..64]),
                Mutilation::KeyOf(other) => *key = good[other.index(good.len())].0,
            }
            // What does not parse is in no batch.
            if Unverified::<PaymentToken>::parse(&mutilated).is_ok() {
                *token = mutilated;
            }
        }
        prop_assert_eq!(together(&tokens, &mut ChaCha20Rng::seed_from_u64(seed)), one_by_one(&tokens));
    }
}

#[test]
fn a_batch_allocates_less_often_than_it_has_objects() {
    let tokens: Vec<_> = (0..64).map(|n| signed_token(u8::try_from(n).unwrap() + 10, n)).collect();
    let mut rng = rng();
    let mut batch = Batch::new(root());
    for (key, token) in &tokens {
        batch.push(parse::<PaymentToken>(token).signed_by(*key));
    }
    let counted = allocation_counter::measure(|| assert!(batch.verify(&mut rng).iter().all(Result::is_ok)));
    assert!(counted.count_total < 40, "{}", counted.count_total);
}
