//! Values in flash, by themselves: what lasts, what a power cut leaves, and what is nowhere to be found any more.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use armring_band::{Event, Output, StoreKey, VALUE_MAX};
use armring_flash::{BandStore, Error, block_on};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::common::{Failure, Flash, Raw, Torn, seed};

const PAGES: usize = 11;
type Small = Flash<4, 1024>;
type Values = BTreeMap<u8, Vec<u8>>;

fn key(byte: u8) -> StoreKey {
    StoreKey::from_u8(byte).unwrap()
}

/// The longest value that a band stores under `key`.
fn longest(key: StoreKey) -> usize {
    match key.as_u8() {
        1 => 424,
        2 => 50,
        3 => 104,
        0x10..0x20 => 72,
        0x20..0x30 => 203,
        0x30..0x40 => 48,
        0x40..0x50 => 20,
        _ => 89,
    }
}

fn mount<const WORD: usize, const PAGE: usize>(flash: &Flash<WORD, PAGE>) -> BandStore<Flash<WORD, PAGE>> {
    let len = u32::try_from(flash.raw().bytes.len()).unwrap();
    block_on(BandStore::mount(flash.clone(), 0..len)).unwrap()
}

fn values<const WORD: usize, const PAGE: usize>(store: &mut BandStore<Flash<WORD, PAGE>>) -> Values {
    StoreKey::all().filter_map(|key| Some((key.as_u8(), block_on(store.read(key)).unwrap()?.to_vec()))).collect()
}

fn random(rng: &mut ChaCha20Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// What a band may ask for.
#[derive(Clone, Debug)]
enum Change {
    Store(StoreKey, Vec<u8>),
    Erase(StoreKey),
    EraseAll,
}

impl Change {
    /// Mostly tokens, now and then a link with the same secret or another one, sometimes an erasing.
    fn any(rng: &mut ChaCha20Rng, values: &Values) -> Self {
        let keys: Vec<_> = StoreKey::all().collect();
        let any = keys[rng.next_u32() as usize % keys.len()];
        match rng.next_u32() % 16 {
            0 if rng.next_u32().is_multiple_of(8) => Self::EraseAll,
            0 | 1 => Self::Erase(any),
            2..6 => {
                let mut value = values.get(&any.as_u8()).cloned().unwrap_or_else(|| random(rng, longest(any)));
                let len = value.len();
                value[len - 1] = value[len - 1].wrapping_add(1);
                Self::Store(any, value)
            }
            6..9 => Self::Store(any, random(rng, longest(any))),
            number => Self::Store(key(0x50 + u8::try_from(number - 9).unwrap() * 2), random(rng, 89)),
        }
    }

    fn ask<F: armring_flash::MultiwriteNorFlash>(&self, store: &mut BandStore<F>) -> bool {
        let output = match self {
            Self::Store(key, value) => Output::Store { key: *key, value },
            Self::Erase(key) => Output::Erase { key: *key },
            Self::EraseAll => Output::EraseAll,
        };
        matches!(block_on(store.carry_out(&output)), Some(Event::Stored))
    }

    fn after(&self, before: &Values) -> Values {
        let mut values = before.clone();
        match self {
            Self::Store(key, value) => drop(values.insert(key.as_u8(), value.clone())),
            Self::Erase(key) => drop(values.remove(&key.as_u8())),
            Self::EraseAll => values.clear(),
        }
        values
    }
}

/// The secrets among what was once stored that are in none of `values`.
fn gone<'a>(once: &'a [(StoreKey, Vec<u8>)], values: &Values) -> impl Iterator<Item = &'a [u8]> {
    let live: Vec<Vec<u8>> = values.iter().map(|(byte, value)| value[..key(*byte).secret_len()].to_vec()).collect();
    once.iter().map(|(key, value)| &value[..key.secret_len()]).filter(move |secret| !live.iter().any(|live| live == secret))
}

#[test]
fn what_is_stored_is_there_after_a_restart_until_it_is_erased() {
    let flash = Small::new(PAGES, 1);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (mut store, mut model, mut once) = (mount(&flash), Values::new(), Vec::new());
    for _ in 0..2_000 {
        let change = Change::any(&mut rng, &model);
        assert!(change.ask(&mut store), "{change:?}");
        model = change.after(&model);
        if let Change::Store(key, value) = change {
            once.push((key, value));
        }
        if rng.next_u32().is_multiple_of(16) {
            store = mount(&flash);
            assert_eq!(values(&mut store), model);
            assert!(gone(&once, &model).all(|secret| !flash.shows(secret)), "a secret that was erased or replaced");
        }
    }
    assert!(once.len() > 1_000);
}

fn every_key_many_times<const WORD: usize, const PAGE: usize>(pages: usize) {
    let flash = Flash::<WORD, PAGE>::new(pages, 1);
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (mut store, mut model) = (mount(&flash), Values::new());
    for round in 0..40 {
        for key in StoreKey::all() {
            let value = random(&mut rng, if round == 0 || key.secret_len() == 0 { longest(key) } else { 0 });
            let value = if value.is_empty() { model[&key.as_u8()].clone() } else { value };
            block_on(store.store(key, &value)).unwrap();
            model.insert(key.as_u8(), value);
        }
    }
    let secret = key(0x10);
    block_on(store.erase(secret)).unwrap();
    assert!(!flash.shows(&model.remove(&0x10).unwrap()));
    assert_eq!(values(&mut store), model);
    assert_eq!(values(&mut mount(&flash)), model, "words of {WORD}, pages of {PAGE}");
    // One page less may do or not; it is refused.
    let len = u32::try_from((pages - 1) * PAGE).unwrap();
    assert_eq!(block_on(BandStore::mount(flash, 0..len)).err(), Some(Error::Range));
}

#[test]
fn the_smallest_range_has_room_for_everything_a_band_stores_in_any_flash() {
    every_key_many_times::<4, 1024>(10);
    every_key_many_times::<4, 2048>(5);
    every_key_many_times::<4, 4096>(4);
    every_key_many_times::<1, 4096>(4);
    every_key_many_times::<8, 2048>(5);
    every_key_many_times::<16, 8192>(3);
    every_key_many_times::<32, 4096>(4);
}

#[test]
fn a_range_or_a_value_that_does_not_do_is_the_callers_error() {
    let flash = Small::new(PAGES + 1, 1);
    for range in [0..1024, 0..0, 512..12_000, 0..11 * 1024 + 4, 1024..13 * 1024] {
        assert_eq!(block_on(BandStore::mount(flash.clone(), range)).err(), Some(Error::Range));
    }
    let mut store = block_on(BandStore::mount(flash.clone(), 1024..12 * 1024)).unwrap();
    for value in [&[][..], &[0; VALUE_MAX + 1]] {
        assert_eq!(block_on(store.store(key(1), value)), Err(Error::Value));
    }
    assert_eq!(block_on(store.store(key(1), &[7; VALUE_MAX])), Ok(()));
    assert_eq!(flash.raw().bytes[..1024], [0xFF; 1024], "outside of the range nothing is written");
}

#[test]
fn flash_that_something_else_was_in_is_erased_first() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for fill in [0x00, 0x55, 0xA5] {
        let mut raw = Raw::new(PAGES * 1024, 4);
        raw.bytes.fill(fill);
        assert_eq!(values(&mut mount(&Small::of(raw, 1))), Values::new());
    }
    let mut raw = Raw::new(PAGES * 1024, 4);
    rng.fill_bytes(&mut raw.bytes);
    let flash = Small::of(raw, 1);
    block_on(mount(&flash).store(key(0x10), &[9; 72])).unwrap();
    assert_eq!(values(&mut mount(&flash)), Values::from([(0x10, vec![9; 72])]));
    assert_eq!(values(&mut block_on(BandStore::format(flash.clone(), 0..11 * 1024)).unwrap()), Values::new());
}

/// Cuts power at each operation of a change, in each way, and looks at what is there when it is back.
fn cut_everywhere(rng: &mut ChaCha20Rng, flash: &Small, change: &Change, before: &Values, once: &[(StoreKey, Vec<u8>)]) -> usize {
    let (start, after) = (flash.raw(), change.after(before));
    let mut cuts = 0;
    for operation in 0.. {
        // The value itself in all ways, the long purge after it in some.
        let all = operation < 8;
        for torn in Torn::ALL.into_iter().filter(|_| all || rng.next_u32().is_multiple_of(4)).collect::<Vec<_>>() {
            let flash = Small::of(start.clone(), rng.next_u64());
            let mut store = mount(&flash);
            flash.set_cut(Some((operation, torn)));
            let acknowledged = change.ask(&mut store);
            let was_cut = flash.switch_on();
            assert_ne!(acknowledged, was_cut, "what is not cut is acknowledged, and nothing else");
            if !was_cut {
                return cuts;
            }
            cuts += 1;
            let mut store = survive(rng, &flash);
            let found = values(&mut store);
            assert!(found == *before || found == after, "{change:?} {operation} {torn:?}: {before:?} {found:?}");
            assert!(gone(once, &found).all(|secret| !flash.shows(secret)), "{change:?} {operation} {torn:?}");
            // Whatever is left behind, the flash goes on.
            let next = Change::any(rng, &found);
            assert!(next.ask(&mut store), "{change:?} {operation} {torn:?}, then {next:?}");
            assert_eq!(values(&mut mount(&flash)), next.after(&found), "{change:?} {operation} {torn:?}, then {next:?}");
        }
    }
    cuts
}

/// Mounts, and loses power on the way once more, in one of two cases.
fn survive(rng: &mut ChaCha20Rng, flash: &Small) -> BandStore<Small> {
    let torn = Torn::ALL[rng.next_u32() as usize % Torn::ALL.len()];
    if rng.next_u32().is_multiple_of(2) {
        flash.set_cut(Some((rng.next_u32() as usize % 40, torn)));
        let _ = block_on(BandStore::mount(flash.clone(), 0..11 * 1024));
        flash.switch_on();
    }
    mount(flash)
}

#[test]
fn a_power_cut_at_any_operation_leaves_the_value_before_or_after_and_no_secret_that_went() {
    let seed = seed();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let flash = Small::new(PAGES, seed);
    let (mut model, mut once, mut cuts) = (Values::new(), Vec::new(), 0);
    while cuts < 2_000 {
        // Some more that nobody disturbs, so that pages fill up.
        for _ in 0..rng.next_u32() % 12 {
            let change = Change::any(&mut rng, &model);
            assert!(change.ask(&mut mount(&flash)));
            model = change.after(&model);
            if let Change::Store(key, value) = change {
                once.push((key, value));
            }
        }
        let change = Change::any(&mut rng, &model);
        cuts += cut_everywhere(&mut rng, &flash, &change, &model, &once);
    }
    println!("{cuts} cuts");
}

#[test]
fn a_driver_that_fails_once_loses_nothing_and_a_power_cut_after_it_neither() {
    let seed = seed();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let flash = Small::new(PAGES, seed);
    let (mut store, mut model) = (mount(&flash), Values::new());
    let (mut failures, mut twice) = (0, 0);
    for _ in 0..3_000 {
        let change = Change::any(&mut rng, &model);
        let torn = Torn::ALL[rng.next_u32() as usize % Torn::ALL.len()];
        flash.0.borrow_mut().fails = Some((rng.next_u32() as usize % 8, torn));
        let stored = change.ask(&mut store);
        flash.0.borrow_mut().fails = None;
        let after = change.after(&model);
        if stored {
            model = after;
            continue;
        }
        failures += 1;
        if rng.next_u32().is_multiple_of(2) {
            // The band asks for something else meanwhile, and power is cut.
            twice += 1;
            flash.set_cut(Some((rng.next_u32() as usize % 8, torn)));
            let _ = block_on(store.erase(key(0x53)));
            let _ = block_on(store.store(key(0x53), &[1; 89]));
            flash.switch_on();
            store = mount(&flash);
            let found = values(&mut store);
            let rest = |values: &Values| -> Values { values.clone().into_iter().filter(|(key, _)| *key != 0x53).collect() };
            assert!(rest(&found) == rest(&model) || rest(&found) == rest(&after), "{change:?}");
            model = found;
        } else {
            assert!(change.ask(&mut store), "{change:?}: the flash works again");
            model = after;
            assert_eq!(values(&mut store), model);
        }
    }
    assert!(failures > 300 && twice > 100, "{failures} {twice}");
}

#[test]
fn a_future_that_is_dropped_at_any_time_is_like_a_power_cut() {
    let flash = Small::new(PAGES, 1);
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (mut store, mut model) = (mount(&flash), Values::new());
    for _ in 0..400 {
        let change = Change::any(&mut rng, &model);
        assert!(change.ask(&mut store));
        model = change.after(&model);
        let (address, value) = (key(0x10), random(&mut rng, 72));
        flash.0.borrow_mut().is_slow = true;
        {
            let mut future = Box::pin(store.store(address, &value));
            let mut context = Context::from_waker(Waker::noop());
            let polls = rng.next_u32() % 30;
            let done = (0..polls).any(|_| matches!(future.as_mut().poll(&mut context), Poll::Ready(Ok(()))));
            if done {
                model.insert(0x10, value.clone());
            }
        }
        flash.0.borrow_mut().is_slow = false;
        let found = block_on(store.read(address)).unwrap().map(<[u8]>::to_vec);
        assert!(found == model.get(&0x10).cloned() || found == Some(value));
        model.remove(&0x10);
        model.extend(found.map(|value| (0x10, value)));
        assert_eq!(values(&mut store), model);
    }
}

/// One wallet, which reconnects for each payment and brings a receipt.
#[test]
fn pages_wear_evenly_and_last_for_hundreds_of_thousands_of_payments() {
    const PAYMENTS: usize = 5_000;
    let flash = Flash::<4, 4096>::new(4, 1);
    let mut store = mount(&flash);
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    for (at, len) in [(1, 250), (2, 50), (0x10, 72), (0x20, 203), (0x30, 48)] {
        block_on(store.store(key(at), &random(&mut rng, len))).unwrap();
    }
    let mut link = block_on(store.read(key(0x10))).unwrap().unwrap().to_vec();
    flash.0.borrow_mut().erasings = [0; 64];
    for payment in 0..PAYMENTS {
        link[71] = link[71].wrapping_add(1);
        block_on(store.store(key(0x10), &link)).unwrap();
        block_on(store.store(key(0x50 + u8::try_from(payment % 4).unwrap()), &random(&mut rng, 89))).unwrap();
        block_on(store.store(key(0x40), &random(&mut rng, 20))).unwrap();
    }
    let erasings = flash.0.borrow().erasings;
    let (most, least) = (erasings[..4].iter().max().unwrap(), erasings[..4].iter().min().unwrap());
    println!("{PAYMENTS} payments: {most} erasings of a page");
    assert!(most - least <= 1, "{erasings:?}");
    assert!(10_000 / most * PAYMENTS >= 500_000, "{most}: with 10,000 erasings a page");
}

#[test]
fn flash_that_is_worn_out_is_noticed() {
    let flash = Small::new(PAGES, 1);
    let mut store = mount(&flash);
    block_on(store.store(key(0x10), &[1; 72])).unwrap();
    // Where the next value is to be, bits are stuck at zero.
    flash.0.borrow_mut().raw.bytes[140..1_000].iter_mut().for_each(|byte| *byte &= 0xFE);
    assert_eq!(block_on(store.store(key(0x11), &[0xFF; 72])), Err(Error::ReadBack));
    assert_eq!(block_on(store.read(key(0x10))).unwrap(), Some(&[1; 72][..]));
}

#[test]
fn it_fits_into_a_small_machine() {
    let size = size_of::<BandStore<Small>>();
    println!("{size} bytes");
    assert!(size <= 768, "{size} bytes");
}

#[test]
fn debug_and_errors_say_nothing_of_values() {
    let store = mount(&Small::new(PAGES, 1));
    assert_eq!(format!("{store:?}"), "BandStore { .. }");
    assert_eq!(Error::Driver(Failure).to_string(), "the flash driver failed: Failure");
    for error in [Error::<Failure>::ReadBack, Error::Corrupted, Error::Version, Error::Range, Error::Value] {
        assert!(error.to_string().len() > 20);
    }
}
