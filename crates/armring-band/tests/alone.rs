//! A band by itself: what its host may do wrong, and what strangers may send.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_band::{
    CallerError, Error, Event, Gesture, HANDSHAKE_TIMEOUT, KeyHandle, MachineError, Output, PaymentKeys, PeerError, Secret,
    Signal, SoftwareKeys, StoreKey,
};
use armring_pairing::BandHello;
use armring_wire::AttPayload;
use common::{SoftBand, at, band, config, drain};
use proptest::collection::vec;
use proptest::prelude::*;
use rand_chacha::rand_core::{TryCryptoRng, TryRng};

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
    for event in [Event::CodeShown, Event::Tick, Event::TakenOff, Event::Recognised] {
        assert_eq!(band.handle(event, at(1), &mut rng), Ok(()));
    }
    for gesture in [Gesture::Press, Gesture::DoublePress, Gesture::Refuse, Gesture::Unpair] {
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
        (hello(2, 0), PeerError::NotPairing),
        (hello(3, 0), PeerError::NotPairing),
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
fn hints_that_nobody_knows_find_nobody() {
    for kind in [4, 5] {
        let (mut band, mut rng) = band();
        band.handle(Event::Connected(AttPayload::new(182).unwrap()), at(1), &mut rng).unwrap();
        drain(&mut band);
        let hello = [&[0xC0, kind, 1, 1, 16][..], &[9; 16]].concat();
        assert_eq!(band.handle(Event::Fragment(&hello), at(2), &mut rng), Ok(()), "which is known when message 1 comes");
        let message = [&[0xC1][..], &[9; 48]].concat();
        assert_eq!(band.handle(Event::Fragment(&message), at(3), &mut rng), Err(Error::Peer(PeerError::UnknownLink)), "{kind}");
        assert_eq!(drain(&mut band), (vec![], vec![], true), "{kind}");
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
            let gestures =
                [Gesture::Press, Gesture::DoublePress, Gesture::Hold, Gesture::Refuse, Gesture::Unpair, Gesture::Reset];
            let event = match &step {
                Step::Fragment(bytes) => Event::Fragment(bytes),
                Step::Event(number) => match number % 12 {
                    0..2 => Event::Connected(AttPayload::MIN),
                    2 => Event::Disconnected,
                    3 => Event::PutOn,
                    4 => Event::TakenOff,
                    5 => match number / 12 % 3 {
                        0 => Event::Recognised,
                        1 => Event::Entered(Secret::pin(b"2580").unwrap()),
                        _ => Event::Chosen(Secret::pin(b"2580").unwrap()),
                    },
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
