//! A band by itself: what its host may do wrong, what its storage may hold, and what strangers may send.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

use std::hash::{BuildHasher, RandomState};

use armring_band::{
    Band, CallerError, Error, Event, Gesture, HANDSHAKE_TIMEOUT, KeyHandle, MachineError, Output, PaymentKeys, PeerError, Signal,
    SoftwareKeys, StoreKey, VALUE_MAX,
};
use armring_pairing::{BandHello, Link, SoftwareKey};
use armring_token::{
    Counter, Credential, CredentialRights, Form, FreeCount, Gesture as Made, Limits, Minor, Object, PaymentToken, Presence,
    RootKey, Signing, Unlocking,
};
use armring_wire::records::Assurance;
use armring_wire::{
    AccountPseudonym, Amount, AttPayload, CredentialId, Currency, KeyId, Opaque, PayeeId, PayeeRef, RequestDigest, UnixTime,
    Uptime, Validity, encode,
};
use ed25519_dalek::SigningKey;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng, TryCryptoRng, TryRng};

type SoftBand = Band<SoftwareKey, SoftwareKeys>;

fn root() -> RootKey {
    RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap()
}

fn band() -> (SoftBand, ChaCha20Rng) {
    (Band::new(SoftwareKey::new([7; 32]), SoftwareKeys, root()), ChaCha20Rng::seed_from_u64(1))
}

fn at(milliseconds: u64) -> Uptime {
    Uptime::from_millis(milliseconds)
}

/// Polls everything: signals, what was transmitted, whether the connection is to end.
fn drain(band: &mut SoftBand) -> (Vec<Signal>, Vec<Vec<u8>>, bool) {
    let (mut signals, mut sent, mut ends) = (Vec::new(), Vec::new(), false);
    let mut fragment = [0; 514];
    while let Some(output) = band.poll(&mut fragment) {
        match output {
            Output::Signal(signal) => signals.push(signal),
            Output::Transmit(fragment) => sent.push(fragment.to_vec()),
            Output::Disconnect => ends = true,
            _ => {}
        }
    }
    (signals, sent, ends)
}

/// A seed, which is printed. To run a failure again: `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
fn config(cases: u32) -> Config {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one("armring"),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    Config { failure_persistence: None, rng_seed: RngSeed::Fixed(seed), cases, ..Config::default() }
}

fn credential(key: &SigningKey) -> Credential {
    let (some, none) = (Minor(5_000), Minor(0));
    Credential {
        form: Form,
        key: KeyId(1),
        id: CredentialId(*b"wristpay"),
        payment_key: key.verifying_key().to_bytes(),
        account: AccountPseudonym(*b"somebody"),
        currency: Currency::CNY,
        limits: Limits { each: some, press: some, free: none, free_count: FreeCount(0), free_total: none, offline_total: some },
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY,
        validity: Validity { from: UnixTime::from_secs(1), until: UnixTime::from_secs(9_000) },
    }
}

/// What a band stores of `credential` whose key has this seed.
fn stored_credential(credential: &Credential, seed: [u8; 32]) -> Vec<u8> {
    let mut object = [0; Credential::MAX_LEN];
    let object = credential.sign(&root().fingerprint(), &Signing::new(SigningKey::from_bytes(&[2; 32])), &mut object).unwrap();
    let object: Opaque<'_, 288> = Opaque::new(object).unwrap();
    encode(&(seed, object), &mut [0; VALUE_MAX]).unwrap().to_vec()
}

#[test]
fn loading_garbage_is_a_bad_value_and_changes_nothing() {
    let (mut band, _) = band();
    let bad = Err(Error::Caller(CallerError::BadValue));
    for key in StoreKey::all() {
        for len in [0, 1, 32, 48, Link::LEN - 1, Link::LEN, Link::LEN + 1, 75, 100, VALUE_MAX, VALUE_MAX + 1, 5_000] {
            // An enrolment is 48 bytes of key and code, whatever they are.
            let expected = if key.as_u8() & 0xF0 == 0x30 && len == 48 { Ok(()) } else { bad };
            assert_eq!(band.load(key, &vec![0xFF; len]), expected, "{key:?} {len}");
        }
    }
}

#[test]
fn loading_any_bytes_never_panics() {
    let key = (0..=u8::MAX).prop_filter_map("a key", StoreKey::from_u8);
    proptest!(config(512), |(values in vec((key, vec(any::<u8>(), 0..600)), 0..8))| {
        let (mut band, mut rng) = band();
        for (key, value) in values {
            let _ = band.load(key, &value);
        }
        prop_assert_eq!(band.handle(Event::Connected(AttPayload::MIN), at(1), &mut rng), Ok(()));
    });
}

#[test]
fn a_credential_of_another_key_and_a_token_under_another_number_are_bad_values() {
    let (mut band, _) = band();
    let bad = Err(Error::Caller(CallerError::BadValue));
    let key = SigningKey::from_bytes(&[5; 32]);
    let at_slot = |kind: u8| StoreKey::from_u8(kind).unwrap();
    assert_eq!(band.load(at_slot(0x20), &stored_credential(&credential(&key), [6; 32])), bad);
    assert_eq!(band.load(at_slot(0x20), &stored_credential(&credential(&key), [5; 32])), Ok(()));
    let token = |id: &[u8; 8], counter| {
        let token = PaymentToken {
            form: Form,
            credential: CredentialId(*id),
            payee: PayeeRef::Certificate(PayeeId(*b"teahouse")),
            request: RequestDigest([1; 32]),
            amount: Amount::new(1, Currency::CNY),
            counter: Counter(counter),
            cumulative: Minor(1),
            presence: Presence { minutes_worn: 0, unlocking: Unlocking::Pin, gesture: Made::Press, online_only: false },
        };
        encode(&token, &mut [0; PaymentToken::LEN]).unwrap().to_vec()
    };
    assert_eq!(band.load(at_slot(0x51), &token(b"wristpay", 1)), Ok(()));
    assert_eq!(band.load(at_slot(0x52), &token(b"wristpay", 1)), bad);
    // What an erasing that power cut short left behind belongs to nobody, and does not keep the band from starting.
    assert_eq!(band.load(at_slot(0x51), &token(b"another1", 1)), Ok(()));
    assert_eq!(band.load(at_slot(0x5F), &token(b"wristpay", 3)), Ok(()));
}

#[test]
fn events_that_do_not_belong_are_the_hosts_errors_and_change_nothing() {
    let (mut band, mut rng) = band();
    for (event, error) in [
        (Event::Fragment(&[0xC0, 1]), CallerError::NotConnected),
        (Event::Disconnected, CallerError::NotConnected),
        (Event::Stored, CallerError::NothingToStore),
        (Event::StoreFailed, CallerError::NothingToStore),
    ] {
        assert_eq!(band.handle(event, at(1), &mut rng), Err(Error::Caller(error)), "{event:?}");
    }
    for event in [Event::CodeShown, Event::Tick, Event::TakenOff, Event::Unlocked(Unlocking::Pin)] {
        assert_eq!(band.handle(event, at(1), &mut rng), Ok(()));
    }
    for gesture in [Gesture::Press, Gesture::DoublePress, Gesture::Refuse] {
        assert_eq!(band.handle(Event::Gesture(gesture), at(1), &mut rng), Ok(()));
    }
    assert_eq!((drain(&mut band), band.deadline()), ((vec![], vec![], false), None));
}

#[test]
fn an_event_before_the_outputs_were_polled_is_to_be_reported_again() {
    let (mut band, mut rng) = band();
    let undrained = Err(Error::Caller(CallerError::Undrained));
    band.handle(Event::Connected(AttPayload::MIN), at(1), &mut rng).unwrap();
    for event in [Event::Fragment(&[0xC0, 1]), Event::Gesture(Gesture::Hold), Event::Stored] {
        assert_eq!(band.handle(event, at(2), &mut rng), undrained);
    }
    assert_eq!(drain(&mut band).0, []);
    assert_eq!(band.handle(Event::Gesture(Gesture::Hold), at(2), &mut rng), Ok(()));
    assert_eq!(drain(&mut band).0, [Signal::PairingOpen]);
}

#[test]
fn the_band_says_hello_with_another_challenge_each_time() {
    let (mut band, mut rng) = band();
    let mut hellos = Vec::new();
    for _ in 0..3 {
        band.handle(Event::Connected(AttPayload::MIN), at(1), &mut rng).unwrap();
        let sent = drain(&mut band).1;
        assert_eq!((sent.len(), sent[0].len()), (1, 1 + BandHello::LEN));
        assert!(!hellos.contains(&sent));
        hellos.push(sent);
        band.handle(Event::Disconnected, at(2), &mut rng).unwrap();
    }
}

/// Fails at every draw.
struct Broken;

impl TryRng for Broken {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn randomness_that_fails_ends_the_connection_and_the_next_one_works() {
    let (mut band, mut rng) = band();
    let failed = Err(Error::Machine(MachineError::Randomness));
    assert_eq!(band.handle(Event::Connected(AttPayload::MIN), at(1), &mut Broken), failed);
    assert_eq!(drain(&mut band), (vec![], vec![], true));
    band.handle(Event::Disconnected, at(2), &mut rng).unwrap();
    assert_eq!(band.handle(Event::Connected(AttPayload::MIN), at(3), &mut rng), Ok(()));
    assert!(SoftwareKeys.create(&mut Broken).is_err());
}

#[test]
fn a_stranger_who_says_nothing_is_cut_off_in_time() {
    let (mut band, mut rng) = band();
    band.handle(Event::Connected(AttPayload::MIN), at(5), &mut rng).unwrap();
    drain(&mut band);
    let deadline = at(5).saturating_add(HANDSHAKE_TIMEOUT);
    assert_eq!(band.deadline(), Some(deadline));
    band.handle(Event::Tick, deadline, &mut rng).unwrap();
    assert_eq!((drain(&mut band).2, band.deadline()), (true, None));
}

#[test]
fn at_its_deadline_a_window_is_closed() {
    let (mut band, mut rng) = band();
    band.handle(Event::Gesture(Gesture::Hold), at(5), &mut rng).unwrap();
    let deadline = band.deadline().unwrap();
    assert_eq!(deadline, at(60_005));
    drain(&mut band);
    band.handle(Event::Tick, deadline, &mut rng).unwrap();
    assert_eq!((drain(&mut band).0, band.deadline()), (vec![Signal::PairingClosed], None));
}

#[test]
fn strangers_get_no_further_than_the_hello() {
    let hello = |kind: u8, hint: usize| [&[0xC0, kind, 1, 1, u8::try_from(hint).unwrap()][..], &vec![9; hint][..]].concat();
    for (sent, error) in [
        (hello(1, 0), PeerError::NotPairing),
        (hello(2, 0), PeerError::Unexpected),
        (hello(3, 0), PeerError::Unexpected),
        (hello(5, 16), PeerError::Unexpected),
        (hello(6, 0), PeerError::Handshake(armring_pairing::PeerError::Malformed)),
        (vec![0xC0, 1, 2, 3, 0], PeerError::Handshake(armring_pairing::PeerError::Unsupported)),
        (vec![0xC0, 1], PeerError::Handshake(armring_pairing::PeerError::Malformed)),
    ] {
        let (mut band, mut rng) = band();
        band.handle(Event::Connected(AttPayload::new(182).unwrap()), at(1), &mut rng).unwrap();
        drain(&mut band);
        assert_eq!(band.handle(Event::Fragment(&sent), at(2), &mut rng), Err(Error::Peer(error)), "{sent:?}");
        let (signals, answer, ends) = drain(&mut band);
        // The one answer that is not authenticated: no version in common.
        let unsupported = error == PeerError::Handshake(armring_pairing::PeerError::Unsupported);
        assert_eq!((signals.len(), answer.len(), ends), (0, usize::from(unsupported), true));
    }
}

#[test]
fn debug_shows_no_secret() {
    assert_eq!(format!("{:?}", KeyHandle([0xA5; 32])), "KeyHandle(..)");
    let key = StoreKey::from_u8(0x10).unwrap();
    assert_eq!(format!("{:?}", Output::Store { key, value: &[0xA5; 67] }), "Store(StoreKey(16), 67 bytes)");
    assert_eq!(format!("{:?}", Output::Transmit(&[1, 2])), "Transmit(2 bytes)");
    assert_eq!(format!("{:?}", band().0), "Band { .. }");
}

#[test]
fn a_band_fits_into_a_small_machine() {
    let size = size_of::<SoftBand>();
    println!("{size} bytes");
    assert!(size <= 12 * 1024, "{size} bytes");
}

#[derive(Clone, Debug)]
enum Step {
    Event(u8),
    Fragment(Vec<u8>),
}

#[test]
fn whatever_happens_a_band_by_itself_says_hello_to_the_next_who_connects() {
    let fragment = vec(any::<u8>(), 0..60).prop_map(|mut bytes| {
        if let Some(first) = bytes.first_mut().filter(|first| **first % 2 == 0) {
            *first = 0xC0;
        }
        Step::Fragment(bytes)
    });
    let step = prop_oneof![any::<u8>().prop_map(Step::Event), fragment];
    proptest!(config(512), |(steps in vec((step, 0u64..20_000, any::<bool>()), 0..60))| {
        let ((mut band, mut rng), mut now) = (band(), 0);
        for (step, later, polls) in steps {
            now += later;
            let gestures = [Gesture::Press, Gesture::DoublePress, Gesture::Hold, Gesture::Refuse, Gesture::Reset];
            let event = match &step {
                Step::Fragment(bytes) => Event::Fragment(bytes),
                Step::Event(number) => match number % 12 {
                    0..2 => Event::Connected(AttPayload::MIN),
                    2 => Event::Disconnected,
                    3 => Event::PutOn,
                    4 => Event::TakenOff,
                    5 => Event::Unlocked(Unlocking::Pin),
                    6 => Event::CodeShown,
                    7 => Event::Stored,
                    8 => Event::StoreFailed,
                    9 => Event::Tick,
                    _ => Event::Gesture(gestures[usize::from(number / 12) % gestures.len()]),
                },
            };
            let _ = band.handle(event, at(now), &mut rng);
            if polls {
                drain(&mut band);
            }
        }
        drain(&mut band);
        let _ = band.handle(Event::Disconnected, at(now), &mut rng);
        prop_assert_eq!(band.handle(Event::Connected(AttPayload::MIN), at(now), &mut rng), Ok(()));
        prop_assert_eq!(drain(&mut band).1.len(), 1);
    });
}
