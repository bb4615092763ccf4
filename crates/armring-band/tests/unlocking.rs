//! Unlocking on the band: what a thief who tries PINs gets, and what nobody can set back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::collections::BTreeMap;

use armring_band::{CallerError, Error, Event, Gesture, MachineError, Output, Secret, Signal, StoreKey, UNLOCK_TRIES};
use armring_token::Unlocking;
use common::{SoftBand, at, band, config};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const SECRET: u8 = 0x02;

fn pin(digits: &[u8]) -> Secret<'_> {
    Secret::pin(digits).unwrap()
}

/// A band and its flash.
struct Host {
    band: SoftBand,
    rng: ChaCha20Rng,
    storage: BTreeMap<StoreKey, Vec<u8>>,
    /// How many stores there are still before the flash fails.
    works_for: usize,
    signals: Vec<Signal>,
    now: u64,
}

impl Host {
    /// A band that is worn.
    fn new() -> Self {
        let (band, rng) = band();
        let mut host = Self { band, rng, storage: BTreeMap::new(), works_for: usize::MAX, signals: Vec::new(), now: 1_000 };
        host.happens(Event::PutOn).unwrap();
        host
    }

    /// A band that is worn, unlocks by this PIN, and is locked.
    fn with_pin(digits: &[u8]) -> Self {
        let mut host = Self::new();
        host.happens(Event::Chosen(pin(digits))).unwrap();
        assert_eq!(host.signals(), [Signal::SecretChosen]);
        host
    }

    /// Something happens, and all that the band then wants stored is stored.
    fn happens(&mut self, event: Event<'_>) -> Result<(), Error> {
        let mut result = self.band.handle(event, at(self.now), &mut self.rng);
        while let Some(wanted) = self.poll() {
            let works = self.works_for > 0;
            self.works_for = self.works_for.saturating_sub(1);
            if works {
                self.keep(wanted);
            }
            let report = if works { Event::Stored } else { Event::StoreFailed };
            result = result.and(self.band.handle(report, at(self.now), &mut self.rng));
        }
        result
    }

    /// Polls everything. Gives what is to be stored, nothing standing for an erasing.
    fn poll(&mut self) -> Option<Option<(StoreKey, Vec<u8>)>> {
        let (mut fragment, mut wanted) = ([0; 514], None);
        while let Some(output) = self.band.poll(&mut fragment) {
            match output {
                Output::Store { key, value } => wanted = Some(Some((key, value.to_vec()))),
                Output::EraseAll => wanted = Some(None),
                Output::Signal(signal) => self.signals.push(signal),
                other => panic!("{other:?}"),
            }
        }
        wanted
    }

    fn keep(&mut self, wanted: Option<(StoreKey, Vec<u8>)>) {
        match wanted {
            Some((key, value)) => drop(self.storage.insert(key, value)),
            None => self.storage.clear(),
        }
    }

    fn enters(&mut self, digits: &[u8]) -> Vec<Signal> {
        self.happens(Event::Entered(pin(digits))).unwrap();
        self.signals()
    }

    fn signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.signals)
    }

    fn restart(&mut self) {
        self.band = band().0;
        for key in StoreKey::all() {
            if let Some(value) = self.storage.get(&key) {
                self.band.load(key, value).unwrap();
            }
        }
        self.happens(Event::PutOn).unwrap();
    }

    fn off_for(&mut self, milliseconds: u64) {
        self.happens(Event::TakenOff).unwrap();
        self.now += milliseconds;
        self.happens(Event::PutOn).unwrap();
    }
}

#[test]
fn the_right_pin_unlocks_after_a_restart_too_and_no_other_does() {
    let mut host = Host::with_pin(b"2580");
    for _ in 0..2 {
        assert_eq!(host.enters(b"2581"), [Signal::WrongSecret(7)]);
        assert_eq!(host.enters(b"258"[..3].repeat(2).as_slice()), [Signal::WrongSecret(6)]);
        assert_eq!(host.enters(b"25800"), [Signal::WrongSecret(5)]);
        assert_eq!(host.enters(b"2580\0"), [Signal::WrongSecret(4)]);
        assert_eq!(host.enters(b"2580"), [Signal::Unlocked]);
        host.restart();
    }
    assert_eq!(host.band.unlocking(), Some(Unlocking::Pin));
}

#[test]
fn no_secret_is_shorter_than_four_or_longer_than_sixteen_bytes() {
    for (len, is) in [(0, false), (3, false), (4, true), (16, true), (17, false)] {
        assert_eq!(Secret::pin(&vec![1; len]).is_some(), is, "{len}");
        assert_eq!(Secret::tap_pattern(&vec![1; len]).is_some(), is, "{len}");
    }
}

#[test]
fn a_thief_has_eight_tries_and_then_not_even_the_right_pin_or_a_finger_unlocks() {
    let mut host = Host::with_pin(b"2580");
    for left in (0..UNLOCK_TRIES).rev() {
        assert_eq!(host.enters(b"0000"), [Signal::WrongSecret(left)]);
        host.restart();
    }
    for _ in 0..2 {
        assert_eq!(host.enters(b"2580"), [Signal::WrongSecret(0)]);
        host.happens(Event::Recognised).unwrap();
        assert_eq!(host.signals(), [Signal::WrongSecret(0)]);
        assert_eq!(host.happens(Event::Chosen(pin(b"1111"))), Err(Error::Caller(CallerError::Locked)));
        host.restart();
    }
    host.happens(Event::Gesture(Gesture::Reset)).unwrap();
    assert_eq!(host.signals(), [Signal::Erased]);
    assert!(host.storage.is_empty() && host.band.unlocking().is_none());
    host.happens(Event::Chosen(pin(b"1111"))).unwrap();
    assert_eq!((host.signals(), host.enters(b"1111")), (vec![Signal::SecretChosen], vec![Signal::Unlocked]));
}

#[test]
fn tries_that_are_used_up_while_the_band_is_unlocked_are_not_had_again_by_choosing_another_pin() {
    let mut host = Host::with_pin(b"2580");
    host.enters(b"2580");
    for _ in 0..UNLOCK_TRIES {
        host.enters(b"0000");
    }
    assert_eq!(host.happens(Event::Chosen(pin(b"1111"))), Err(Error::Caller(CallerError::Locked)));
}

#[test]
fn a_thief_who_cuts_the_power_before_the_answer_gains_no_try() {
    let mut host = Host::with_pin(b"2580");
    for left in (0..UNLOCK_TRIES).rev() {
        // Stored is that there is a try less; what the entry was worth is known only afterwards.
        host.band.handle(Event::Entered(pin(b"0000")), at(host.now), &mut host.rng).unwrap();
        let wanted = host.poll().unwrap();
        assert_eq!((host.signals(), wanted.as_ref().unwrap().1.last()), (vec![], Some(&left)));
        host.keep(wanted);
        host.restart();
    }
    assert_eq!(host.enters(b"2580"), [Signal::WrongSecret(0)]);
}

#[test]
fn a_store_that_fails_unlocks_nothing_and_gives_nothing_away() {
    let mut host = Host::with_pin(b"2580");
    let fault = Err(Error::Machine(MachineError::Storage));
    for digits in [b"2580", b"0000"] {
        host.works_for = 0;
        assert_eq!(host.happens(Event::Entered(pin(digits))), fault, "a try that cannot be counted");
        assert_eq!(host.signals(), [Signal::Fault], "right or wrong");
    }
    host.works_for = 1;
    assert_eq!(host.happens(Event::Entered(pin(b"2580"))), fault, "tries that cannot be given back");
    assert_eq!(host.signals(), [Signal::Fault]);
    host.works_for = usize::MAX;
    assert_eq!(host.enters(b"0000"), [Signal::WrongSecret(6)], "the try before is gone");
    assert_eq!((host.enters(b"2580"), host.enters(b"0000")), (vec![Signal::Unlocked], vec![Signal::WrongSecret(7)]));
    host.works_for = 0;
    assert_eq!(host.happens(Event::Chosen(pin(b"1111"))), fault);
    host.works_for = usize::MAX;
    host.restart();
    host.signals();
    assert_eq!(host.enters(b"1111"), [Signal::WrongSecret(6)], "the old one is the one");
}

#[test]
fn off_the_wrist_nothing_is_compared_and_nothing_is_counted() {
    let mut host = Host::with_pin(b"2580");
    host.happens(Event::TakenOff).unwrap();
    let before = host.storage.clone();
    assert_eq!((host.enters(b"2580"), host.enters(b"0000")), (vec![], vec![]));
    host.now += 2_000;
    assert_eq!((host.enters(b"2580"), host.storage == before), (vec![Signal::Locked], true));
    host.happens(Event::PutOn).unwrap();
    assert_eq!(host.enters(b"0000"), [Signal::WrongSecret(7)]);
}

/// The wearer entered it, and somebody else has the band when the flash is done.
#[test]
fn what_one_wearer_entered_does_not_unlock_for_the_next() {
    for stores in 0..2 {
        let mut host = Host::with_pin(b"2580");
        host.band.handle(Event::Entered(pin(b"2580")), at(host.now), &mut host.rng).unwrap();
        let mut wanted = host.poll().unwrap();
        for _ in 0..stores {
            host.keep(wanted);
            host.band.handle(Event::Stored, at(host.now), &mut host.rng).unwrap();
            wanted = host.poll().unwrap();
        }
        host.band.handle(Event::TakenOff, at(host.now), &mut host.rng).unwrap();
        host.now += 2_000;
        host.band.handle(Event::PutOn, at(host.now), &mut host.rng).unwrap();
        assert_eq!(host.poll(), None);
        host.keep(wanted);
        host.happens(Event::Stored).unwrap();
        assert!(!host.signals().contains(&Signal::Unlocked), "{stores}");
    }
}

#[test]
fn another_secret_is_chosen_only_by_one_who_unlocked_the_band_on_the_band() {
    let mut host = Host::with_pin(b"2580");
    let locked = Err(Error::Caller(CallerError::Locked));
    assert_eq!(host.happens(Event::Chosen(pin(b"1111"))), locked);
    host.enters(b"2580");
    host.off_for(2_000);
    assert_eq!(host.happens(Event::Chosen(pin(b"1111"))), locked, "that was another wearing");
    host.enters(b"2580");
    host.happens(Event::Chosen(Secret::tap_pattern(b"1111").unwrap())).unwrap();
    assert_eq!(host.band.unlocking(), Some(Unlocking::TapPattern));
    for digits in [b"2580", b"1111"] {
        let none = Err(Error::Caller(CallerError::NoSecret));
        assert_eq!(host.happens(Event::Entered(pin(digits))), none, "there is no PIN any more");
    }
    host.restart();
    host.happens(Event::Recognised).unwrap();
    host.happens(Event::Chosen(pin(b"3333"))).unwrap();
    host.signals();
    assert_eq!(host.enters(b"3333"), [Signal::Unlocked]);
}

#[test]
fn while_something_is_stored_the_host_is_told_to_report_again() {
    let mut host = Host::with_pin(b"2580");
    host.band.handle(Event::Entered(pin(b"0000")), at(host.now), &mut host.rng).unwrap();
    let wanted = host.poll().unwrap();
    let storing = Err(Error::Caller(CallerError::Storing));
    for event in [Event::Entered(pin(b"2580")), Event::Chosen(pin(b"2580"))] {
        assert_eq!(host.band.handle(event, at(host.now), &mut host.rng), storing);
    }
    host.keep(wanted);
    host.happens(Event::Stored).unwrap();
    assert_eq!((host.signals(), host.enters(b"2580")), (vec![Signal::WrongSecret(7)], vec![Signal::Unlocked]));
}

#[test]
fn a_reset_while_a_try_is_stored_unlocks_nothing() {
    let mut host = Host::with_pin(b"2580");
    host.band.handle(Event::Entered(pin(b"2580")), at(host.now), &mut host.rng).unwrap();
    let wanted = host.poll().unwrap();
    host.band.handle(Event::Gesture(Gesture::Reset), at(host.now), &mut host.rng).unwrap();
    assert_eq!(host.poll(), None, "that is waited for first");
    host.keep(wanted);
    host.happens(Event::Stored).unwrap();
    assert_eq!((host.signals(), host.storage.len(), host.band.unlocking()), (vec![Signal::Erased], 0, None));
}

/// Else who resets a band whose flash fails would choose what unlocks it, or try for ever.
#[test]
fn a_reset_that_overtakes_a_store_and_fails_gives_back_no_try_and_no_secret() {
    let (mut choosing, mut trying) = (Host::new(), Host::with_pin(b"2580"));
    for (host, event, signal) in [
        (&mut choosing, Event::Chosen(pin(b"2580")), Signal::SecretChosen),
        (&mut trying, Event::Entered(pin(b"0000")), Signal::WrongSecret(UNLOCK_TRIES - 1)),
    ] {
        host.band.handle(event, at(host.now), &mut host.rng).unwrap();
        let wanted = host.poll().unwrap();
        host.band.handle(Event::Gesture(Gesture::Reset), at(host.now), &mut host.rng).unwrap();
        host.keep(wanted);
        host.works_for = 0;
        assert_eq!(host.happens(Event::Stored), Err(Error::Machine(MachineError::Storage)));
        assert_eq!(host.signals(), [signal, Signal::Fault], "it is not erased");
        host.works_for = usize::MAX;
        assert_eq!(host.happens(Event::Chosen(pin(b"1111"))), Err(Error::Caller(CallerError::Locked)));
    }
    assert_eq!(choosing.enters(b"2580"), [Signal::Unlocked]);
    assert_eq!(trying.enters(b"0000"), [Signal::WrongSecret(UNLOCK_TRIES - 2)]);
}

/// An erasing that is not done at once goes in the order of the keys: links go before what unlocks the band.
#[test]
fn a_thief_who_cuts_a_reset_short_finds_no_link_without_its_secret() {
    let keys: Vec<u8> = StoreKey::all().map(StoreKey::as_u8).collect();
    let place = |key: u8| keys.iter().position(|other| *other == key).unwrap();
    assert!((0x10..0x60).filter(|key| keys.contains(key)).all(|key| place(key) < place(SECRET)));
    assert!((0x20..0x24).all(|credential| place(credential) < place(0x50)), "nor a payment key without its counter");
}

#[test]
fn the_stored_secret_is_none_of_its_bytes_salted_and_nothing_shows_it() {
    let (mut host, mut other) = (Host::with_pin(b"25802580"), Host::new());
    other.rng = ChaCha20Rng::seed_from_u64(2);
    other.happens(Event::Chosen(pin(b"25802580"))).unwrap();
    let key = StoreKey::from_u8(SECRET).unwrap();
    assert_eq!(host.storage[&key].len(), 50);
    assert!(!host.storage[&key].windows(4).any(|bytes| bytes == b"2580"));
    assert_ne!(host.storage[&key][17..49], other.storage[&key][17..49], "another salt, another hash");
    assert_eq!(format!("{:?}", Event::Entered(pin(b"25802580"))), "Entered(Secret(Pin, ..))");
    assert_eq!(host.enters(b"25802580"), [Signal::Unlocked]);
}

#[test]
fn a_stored_secret_that_is_none_is_a_bad_value() {
    let mut host = Host::with_pin(b"2580");
    let key = StoreKey::from_u8(SECRET).unwrap();
    let good = host.storage[&key].clone();
    for (place, byte) in [(0, 0), (0, 1), (0, 4), (49, UNLOCK_TRIES + 1), (49, 255)] {
        let mut bad = good.clone();
        bad[place] = byte;
        assert_eq!(host.band.load(key, &bad), Err(Error::Caller(CallerError::BadValue)), "{place} {byte}");
    }
    assert_eq!(host.band.load(key, &good), Ok(()));
}

#[derive(Clone, Copy, Debug)]
enum Try {
    Wrong,
    Right,
    Restart,
    Off,
    Flash(usize),
    CutAfter(usize),
}

/// Whatever a thief does with power and flash, there are never more comparisons than tries since the last right one.
#[test]
fn whatever_happens_there_are_no_more_than_eight_wrong_answers_in_a_row() {
    let try_ = prop_oneof![
        8 => Just(Try::Wrong),
        1 => Just(Try::Right),
        2 => Just(Try::Restart),
        2 => Just(Try::Off),
        2 => (0usize..4).prop_map(Try::Flash),
        2 => (0usize..2).prop_map(Try::CutAfter),
    ];
    proptest!(config(256), |(tries in proptest::collection::vec(try_, 0..60))| {
        let mut host = Host::with_pin(b"2580");
        let mut wrong = 0;
        for step in tries {
            match step {
                Try::Wrong => drop(host.happens(Event::Entered(pin(b"0000")))),
                Try::Right => drop(host.happens(Event::Entered(pin(b"2580")))),
                Try::Restart => host.restart(),
                Try::Off => host.off_for(2_000),
                Try::Flash(works_for) => host.works_for = works_for * works_for * 10,
                Try::CutAfter(stores) => {
                    host.band.handle(Event::Entered(pin(b"2580")), at(host.now), &mut host.rng).unwrap();
                    for _ in 0..stores {
                        if let Some(wanted) = host.poll() {
                            host.keep(wanted);
                            let _ = host.band.handle(Event::Stored, at(host.now), &mut host.rng);
                        }
                    }
                    host.poll();
                    host.restart();
                }
            }
            for signal in host.signals() {
                match signal {
                    Signal::WrongSecret(left) if left > 0 => wrong += 1,
                    Signal::Unlocked => wrong = 0,
                    _ => {}
                }
                prop_assert!(wrong < usize::from(UNLOCK_TRIES));
            }
        }
    });
}
