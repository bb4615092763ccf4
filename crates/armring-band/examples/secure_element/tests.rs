//! The story runs to its end, and no key is where none must be.

use armring_band::{ATTESTATION_MAX, KeyError, KeyHandle, PaymentKeys};
use armring_pairing::{DhError, DiffieHellman, PublicKey};
use signature::MultipartSigner;
use zeroize::ZeroizeOnDrop;

use super::*;
use crate::driver::{ElementKey, ElementKeys, Failure};

fn maker() -> SigningKey {
    SigningKey::from_bytes(&[0x4D; 32])
}

fn chip(seed: u64) -> Bus {
    Bus::new(Element::new(maker(), ChaCha20Rng::seed_from_u64(seed)))
}

fn create(keys: &mut ElementKeys) -> std::result::Result<KeyHandle, KeyError> {
    keys.create(&mut ChaCha20Rng::seed_from_u64(0))
}

/// Whether 8 bytes in a row of any of `secrets` stand in `bytes`.
fn leaks(secrets: &[Vec<u8>], bytes: &[u8]) -> bool {
    secrets.iter().flat_map(|secret| secret.windows(8)).any(|part| bytes.windows(8).any(|window| window == part))
}

#[test]
fn no_key_leaves_the_chip_from_the_factory_to_a_payment() {
    let room = story().unwrap();
    let secrets = room.bus.opened();
    assert_eq!(secrets.len(), 1 + 3 + 1 + 3, "MAC key, attestation key, link key, payment key");
    assert!(room.flash.len() >= 5, "key list, PIN, link, credential, tokens");
    for (key, value) in &room.flash {
        assert!(!leaks(&secrets, value), "{key:?}");
    }
    let seen = room.bus.seen();
    assert!(seen.len() > 20);
    assert!(!seen.iter().any(|bytes| leaks(&secrets, bytes)));
    // With the key itself as a handle, which is what a software key's is, this finds it.
    for secret in &secrets {
        assert!(leaks(&secrets, &[b"handle: ", &secret[..]].concat()));
    }
}

#[test]
fn a_handle_says_where_the_key_is_and_nothing_of_what_it_is() {
    let handles = [1, 2].map(|seed| {
        let bus = chip(seed);
        let mut keys = ElementKeys(bus.clone());
        let handles = [create(&mut keys).unwrap(), create(&mut keys).unwrap()];
        let publics = handles.clone().map(|handle| keys.open(&handle).unwrap().public);
        assert!(!handles.iter().any(|handle| leaks(&bus.opened(), &handle.0)));
        (handles.map(|handle| handle.0), publics)
    });
    assert_eq!(handles[0].0, handles[1].0, "two chips, the same handles");
    assert_eq!(handles[0].0, [*b"secure element payment key slot\0", *b"secure element payment key slot\x01"]);
    assert!(handles[0].1.iter().all(|key| !handles[1].1.contains(key)), "and other keys");
}

#[test]
fn a_handle_that_leads_to_no_payment_key_opens_none() {
    let bus = chip(1);
    let link = ElementKey::make(&bus).unwrap();
    let mut keys = ElementKeys(bus);
    let handle = create(&mut keys).unwrap();
    assert!(keys.open(&handle).is_ok());
    for at in 0..32 {
        let mut other = handle.clone();
        other.0[at] ^= 0x40;
        assert_eq!(keys.open(&other).err(), Some(KeyError), "{at}");
    }
    let mut of_link = handle;
    of_link.0[31] = link.slot();
    assert_eq!(keys.open(&of_link).err(), Some(KeyError), "a link key is none");
}

#[test]
fn a_key_is_used_for_what_it_was_made_for_and_the_chip_refuses_the_rest() {
    let mut chip = Element::new(maker(), ChaCha20Rng::seed_from_u64(1));
    let made = [element::MAKE_LINK_KEY, element::MAKE_PAYMENT_KEY];
    let publics = made.map(|make| chip.answer(&[make]).to_vec());
    assert!(publics.iter().zip(0..).all(|(answer, slot)| answer.len() == 34 && answer[..2] == [element::OK, slot]));
    let with_key = |start: &[u8]| [start, &publics[0][2..]].concat();
    for (command, len) in [
        (vec![element::PUBLIC, 0, element::MAKE_LINK_KEY], Some(32)),
        (vec![element::PUBLIC, 1, element::MAKE_PAYMENT_KEY], Some(32)),
        (vec![element::PUBLIC, 1, element::MAKE_LINK_KEY], None),
        (vec![element::PUBLIC, 0, element::MAKE_PAYMENT_KEY], None),
        (vec![element::PUBLIC, 2, element::MAKE_LINK_KEY], None),
        (vec![element::PUBLIC, 8, element::MAKE_LINK_KEY], None),
        (with_key(&[element::AGREE, 0]), Some(32)),
        (with_key(&[element::AGREE, 1]), None),
        (with_key(&[element::AGREE, 0, 0]), None),
        (vec![element::SIGN, 1, 7], Some(64)),
        (vec![element::SIGN, 0, 7], None),
        (with_key(&[element::ATTEST, 1]), Some(72)),
        (with_key(&[element::ATTEST, 0]), None),
        (with_key(&[element::ATTEST, 1, 0]), None),
        (with_key(&[element::MAC]), Some(32)),
        (with_key(&[element::MAC, 0]), None),
        (vec![], None),
        (vec![8], None),
    ] {
        let answer = chip.answer(&command);
        assert_eq!(answer.len() - 1, len.unwrap_or(0), "{command:?}");
        assert_eq!(answer[0], if len.is_some() { element::OK } else { element::REFUSED }, "{command:?}");
    }
}

#[test]
fn a_key_of_small_order_is_refused() {
    let key = ElementKey::make(&chip(1)).unwrap();
    assert_eq!(key.diffie_hellman(&PublicKey::new([0; 32])).err(), Some(DhError::Zero));
}

#[test]
fn two_chips_agree() {
    let [one, other] = [1, 2].map(|seed| ElementKey::make(&chip(seed)).unwrap());
    let shared = one.diffie_hellman(&other.public_key()).unwrap();
    assert_eq!(shared.as_bytes(), other.diffie_hellman(&one.public_key()).unwrap().as_bytes());
}

#[test]
fn a_chip_that_does_not_answer_is_an_error_of_every_operation_and_the_next_one_works_again() {
    let bus = chip(1);
    let (key, mut keys) = (ElementKey::make(&bus).unwrap(), ElementKeys(bus.clone()));
    let handle = create(&mut keys).unwrap();
    let signer = keys.open(&handle).unwrap().signing;
    for broken in [true, false, true, false] {
        bus.set_broken(broken);
        assert_eq!(ElementKey::open(&bus, key.slot()).err(), broken.then_some(Failure::NoAnswer));
        assert_eq!(key.diffie_hellman(&PublicKey::new([9; 32])).err(), broken.then_some(DhError::Unavailable));
        assert_eq!(create(&mut keys).err(), broken.then_some(KeyError));
        assert_eq!(keys.open(&handle).err(), broken.then_some(KeyError));
        assert_eq!(signer.signer().try_multipart_sign(&[b"x"]).is_err(), broken);
        assert_eq!(keys.bind_secret(&[1; 32]).err(), broken.then_some(KeyError));
        assert_eq!(keys.attest(&handle, &[1; 32], &mut [0; ATTESTATION_MAX]).err(), broken.then_some(KeyError));
    }
}

#[test]
fn a_full_chip_makes_no_key_and_keeps_those_that_it_has() {
    let mut keys = ElementKeys(chip(1));
    let handles: Vec<_> = (0..8).map(|_| create(&mut keys).unwrap()).collect();
    let publics = |keys: &ElementKeys| handles.iter().map(|handle| keys.open(handle).unwrap().public).collect::<Vec<_>>();
    let before = publics(&keys);
    assert_eq!(create(&mut keys).err(), Some(KeyError));
    assert_eq!(publics(&keys), before);
}

#[test]
fn an_attestation_is_of_one_key_and_one_challenge_and_needs_room() {
    let mut keys = ElementKeys(chip(1));
    let handles = [create(&mut keys).unwrap(), create(&mut keys).unwrap()];
    let mut word = [0; ATTESTATION_MAX];
    assert_eq!(keys.attest(&handles[0], &[1; 32], &mut word), Ok(72));
    let signature = Signature::from_slice(&word[8..72]).unwrap();
    for (handle, challenge, holds) in [(0, [1; 32], true), (0, [2; 32], false), (1, [1; 32], false)] {
        let key = keys.open(&handles[handle]).unwrap().public;
        let message = element::attested(&challenge, key.as_bytes());
        assert_eq!(maker().verifying_key().verify(&message, &signature).is_ok(), holds, "{handle} {challenge:?}");
    }
    for len in 0..72 {
        assert_eq!(keys.attest(&handles[0], &[1; 32], &mut word[..len]), Err(KeyError), "{len}");
    }
}

#[test]
fn what_a_pin_is_bound_to_is_the_chip() {
    let [one, again, other] = [1, 1, 2].map(|seed| *ElementKeys(chip(seed)).bind_secret(&[7; 32]).unwrap());
    assert_eq!(one, again);
    assert!(one != other && one != [7; 32]);
}

#[test]
fn debug_shows_no_key_and_keys_are_erased_when_dropped() {
    let bus = chip(1);
    let (key, mut keys) = (ElementKey::make(&bus).unwrap(), ElementKeys(bus.clone()));
    let handle = create(&mut keys).unwrap();
    let opened = keys.open(&handle).unwrap();
    assert_eq!(format!("{:?}", Element::new(maker(), ChaCha20Rng::seed_from_u64(1))), "Element { .. }");
    assert_eq!(format!("{bus:?} {keys:?}"), "Bus { .. } ElementKeys(Bus { .. })");
    assert_eq!(format!("{:?}", opened.signing.signer()), "ElementSigner { bus: Bus { .. }, slot: 1 }");
    assert_eq!(format!("{key:?}"), format!("ElementKey {{ bus: Bus {{ .. }}, slot: 0, public: {:?} }}", key.public_key()));

    const fn erased<T: ZeroizeOnDrop>() {}
    erased::<SigningKey>();
    erased::<zeroize::Zeroizing<[u8; 32]>>();
    erased::<KeyHandle>();
}
