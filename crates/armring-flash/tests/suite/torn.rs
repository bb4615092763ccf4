//! Writes of which just so much got in that what is left looks right, and what is to be noticed instead.

use armring_band::{StoreKey, VALUE_MAX};
use armring_flash::{BandStore, Error, block_on};
use blake2::{Blake2s256, Digest};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

use crate::common::{Failure, Flash, Op, Raw, Torn, seed};

const PAGES: usize = 11;
const LEN: u32 = 11 * 1024;
/// What stands before the records of a page: its mark and its opening.
const FIRST: usize = 8 + 20;
type Chip = Flash<4, 1024>;

fn key(byte: u8) -> StoreKey {
    StoreKey::from_u8(byte).unwrap()
}

fn mount(chip: &Chip) -> Result<BandStore<Chip>, Error<Failure>> {
    block_on(BandStore::mount(chip.clone(), 0..LEN))
}

fn read(store: &mut BandStore<Chip>, byte: u8) -> Option<Vec<u8>> {
    block_on(store.read(key(byte))).unwrap().map(<[u8]>::to_vec)
}

/// A flash with a link and a token of ones and zeros, and the write that puts another token in its place.
fn about_to_write(token: &[u8; 89]) -> (Raw, usize, Vec<u8>) {
    let chip = Chip::new(PAGES, 1);
    let mut store = mount(&chip).unwrap();
    block_on(store.store(key(0x10), &[0x5A; 72])).unwrap();
    block_on(store.store(key(0x50), &[0xA5; 89])).unwrap();
    let raw = chip.raw();
    chip.0.borrow_mut().journal = Some(Vec::new());
    block_on(store.store(key(0x50), token)).unwrap();
    let journal = chip.0.borrow_mut().journal.take().unwrap();
    let [Op::Write { at, bytes }] = journal.as_slice() else { panic!("one write: {journal:?}") };
    (raw, *at, bytes.clone())
}

/// The token before is there, the band can go on, and what it stores then lasts.
fn nothing_happened(raw: &Raw, at: usize, left: &[u8]) {
    let mut raw = raw.clone();
    raw.bytes[at..at + left.len()].copy_from_slice(left);
    let chip = Chip::of(raw, 1);
    let mut store = mount(&chip).unwrap();
    assert_eq!(read(&mut store, 0x50).as_deref(), Some(&[0xA5; 89][..]), "{left:02x?}");
    block_on(store.store(key(0x51), &[0x33; 89])).unwrap();
    let mut store = mount(&chip).unwrap();
    let found = [0x10, 0x50, 0x51].map(|byte| read(&mut store, byte));
    assert_eq!(found, [Some(vec![0x5A; 72]), Some(vec![0xA5; 89]), Some(vec![0x33; 89])], "{left:02x?}");
}

/// Some bits, those of the second only where those of the first are left, as a write leaves them.
fn torn(bytes: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
    bytes.iter().map(|byte| byte | (rng.next_u32() & 0xFF) as u8).collect()
}

/// The check of a record, as the documentation says.
fn check(number: u32, at: usize, rest: &[u8]) -> [u8; 32] {
    let at = u32::try_from(at).unwrap();
    let hash = Blake2s256::new().chain_update("armring/1 flash record").chain_update(number.to_le_bytes());
    hash.chain_update(at.to_le_bytes()).chain_update(rest).finalize().into()
}

#[test]
fn torn_header_that_is_right_by_sixteen_bits_stops_sequential_storage_alone() {
    let chip = Chip::new(PAGES, 1);
    let mut buffer = [0; 1 + VALUE_MAX + 31];
    let mut map = MapStorage::<u8, _, Cache<Uncached, Uncached, Uncached, u8>>::new(
        chip.clone(),
        const { MapConfig::new(0..LEN) },
        Cache::new_uncached(),
    );
    // A link's length and its CRC-16, and what POWER_SEED=11838233064252071604 once left of them: both are right.
    let (whole, left) = ([0x49, 0x00, 0xB9, 0xF0], [0xEF, 0x02, 0xBB, 0xF3]);
    block_on(map.store_item(&mut buffer, &0x10, &&[0x5A; 72][..])).unwrap();
    let at = 4 + 4;
    {
        let bytes = &mut chip.0.borrow_mut().raw.bytes;
        assert_eq!(bytes[at..at + 4], whole);
        bytes[at..at + 4].copy_from_slice(&left);
        bytes[at + 4..at + 4 + 76].fill(0xFF);
    }
    let result = block_on(map.fetch_item::<&[u8]>(&mut buffer, &0x10));
    assert!(matches!(result, Err(sequential_storage::Error::BufferTooSmall(_))), "{result:?}");
}

#[test]
fn torn_record_that_is_right_by_sixteen_bits_is_not_believed() {
    let seed = seed();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut token = [0; 89];
    rng.fill_bytes(&mut token);
    let (raw, at, bytes) = about_to_write(&token);
    let record = &bytes[8..8 + 3 + 89];
    assert_eq!(check(1, at - 8, record)[..8], bytes[..8], "documented so");
    let mut found = 0;
    while found < 4 {
        // Key and length as they are: it would be another token.
        let left = [&record[..3], &torn(&record[3..], &mut rng)].concat();
        let hash = check(1, at - 8, &left);
        // Its first two bytes can be what is left of those that were to be written.
        if hash[0] & bytes[0] == bytes[0] && hash[1] & bytes[1] == bytes[1] {
            found += 1;
            nothing_happened(&raw, at, &[&hash[..2], &bytes[2..8], &left].concat());
        }
    }
}

#[test]
fn torn_length_or_key_is_not_believed_whatever_bits_got_in() {
    let (raw, at, bytes) = about_to_write(&[0xC3; 89]);
    let superset = |bits: u32, of: u8| {
        (0..8).fold(
            (of, bits),
            |(byte, bits), bit| {
                if of >> bit & 1 == 1 { (byte, bits) } else { (byte | ((bits & 1) as u8) << bit, bits >> 1) }
            },
        )
    };
    let (mut lengths, mut keys) = (0, 0);
    for bits in 1..1 << (bytes[9].count_zeros() + bytes[10].count_zeros()) {
        let mut left = bytes.clone();
        let (low, bits) = superset(bits, bytes[9]);
        (left[9], left[10]) = (low, superset(bits, bytes[10]).0);
        nothing_happened(&raw, at, &left);
        lengths += 1;
    }
    for bits in 1..1 << bytes[8].count_zeros() {
        let mut left = bytes.clone();
        left[8] = superset(bits, bytes[8]).0;
        nothing_happened(&raw, at, &left);
        keys += 1;
    }
    assert_eq!((lengths, keys), ((1 << 12) - 1, (1 << 6) - 1), "each that there is");
}

#[test]
fn torn_write_at_every_byte_and_in_each_way_leaves_room_for_the_next() {
    let seed = seed();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (raw, at, bytes) = about_to_write(&[0xC3; 89]);
    // The last byte of a word that a value ends in is as erased flash.
    for edge in 0..8 + 3 + 89 {
        let front = [&bytes[..edge], &vec![0xFF; bytes.len() - edge]].concat();
        let back = [&vec![0xFF; edge + 1], &bytes[edge + 1..]].concat();
        for left in [front, back, torn(&bytes, &mut rng)] {
            nothing_happened(&raw, at, &left);
        }
    }
}

#[test]
fn power_that_is_cut_in_every_write_for_a_thousand_times_fills_nothing_up() {
    let seed = seed();
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let chip = Chip::new(PAGES, seed);
    let mut store = mount(&chip).unwrap();
    for byte in StoreKey::all() {
        block_on(store.store(byte, &[byte.as_u8(); 72])).unwrap();
    }
    for _ in 0..1_000 {
        let torn = Torn::ALL[2 + rng.next_u32() as usize % 6];
        chip.set_cut(Some((rng.next_u32() as usize % 2, torn)));
        let _ = mount(&chip).and_then(|mut store| block_on(store.store(key(0x50), &[0xC3; 89])));
        chip.switch_on();
    }
    let mut store = mount(&chip).unwrap();
    for byte in StoreKey::all().filter(|key| key.as_u8() != 0x50) {
        assert_eq!(read(&mut store, byte.as_u8()), Some(vec![byte.as_u8(); 72]));
    }
    block_on(store.store(key(0x50), &[0x11; 89])).unwrap();
    assert_eq!(read(&mut mount(&chip).unwrap(), 0x50), Some(vec![0x11; 89]));
}

#[test]
fn a_bit_that_changes_by_itself_loses_nothing_unnoticed_but_the_last_value() {
    let chip = Chip::new(PAGES, 1);
    let mut store = mount(&chip).unwrap();
    let tokens: Vec<[u8; 89]> = (0..16).map(|number| [number; 89]).collect();
    for (at, token) in (0x50..).zip(&tokens) {
        block_on(store.store(key(at), token)).unwrap();
    }
    // Records of 100 bytes: nine in the first page, the last of the others in the second. An opening ends with a byte that says nothing.
    let last = 1024 + FIRST + 6 * 100;
    for place in (8..FIRST + 9 * 100).chain(1024 + 8..last + 100).filter(|place| place % 1024 != FIRST - 1) {
        let mut raw = chip.raw();
        raw.bytes[place] ^= 1 << (place % 8);
        let result = mount(&Chip::of(raw, 1));
        if place < last {
            assert_eq!(result.err(), Some(Error::Corrupted), "{place}");
        } else {
            let mut store = result.unwrap();
            assert_eq!((read(&mut store, 0x5E), read(&mut store, 0x5F)), (Some(vec![14; 89]), None), "{place}");
        }
    }
    let chip = Chip::of(chip.raw(), 1);
    chip.0.borrow_mut().raw.bytes[FIRST] ^= 1;
    let mut store = block_on(BandStore::format(chip, 0..LEN)).unwrap();
    assert_eq!(read(&mut store, 0x50), None);
}

#[test]
fn flash_of_the_older_form_is_refused_and_kept_until_it_is_formatted() {
    let mut raw = Raw::new(PAGES * 1024, 4);
    for page in raw.bytes.chunks_mut(1024) {
        page[..12].copy_from_slice(b"armring1\0\0\0\0");
    }
    // One page was being erased.
    raw.bytes[5 * 1024..6 * 1024].fill(0x7F);
    let chip = Chip::of(raw, 1);
    let before = chip.raw().bytes;
    assert_eq!(mount(&chip).err(), Some(Error::Version));
    assert_eq!(chip.raw().bytes, before);
    let mut store = block_on(BandStore::format(chip.clone(), 0..LEN)).unwrap();
    block_on(store.store(key(0x50), &[1; 89])).unwrap();
    assert_eq!(read(&mut mount(&chip).unwrap(), 0x50), Some(vec![1; 89]));
}
