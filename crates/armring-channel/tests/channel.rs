//! The channel through its public interface: what arrives, what is refused, and what a refusal changes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

use armring_channel::{
    Channel, FAILURES_UNTIL_CUT, HandshakeHash, Key, MAX_RECORD_LEN, OpenError, Opened, SealError, sealed_len,
};
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};
use proptest::prelude::*;

fn pair() -> (Channel, Channel) {
    let hash = HandshakeHash::new([7; 32]);
    (
        Channel::new(Key::new([0xa1; 32]), Key::new([0xb2; 32]), hash),
        Channel::new(Key::new([0xb2; 32]), Key::new([0xa1; 32]), hash),
    )
}

fn seal(channel: &mut Channel, record: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0xee; sealed_len(record.len()).unwrap()];
    buffer[..record.len()].copy_from_slice(record);
    let sealed = channel.seal(&mut buffer, record.len()).unwrap().to_vec();
    assert_eq!(sealed.len(), buffer.len());
    sealed
}

/// ChaCha20-Poly1305 over `record`, padded to 32 bytes, step by step as Noise and this crate's documentation say.
fn expected(key: &[u8; 32], number: u64, record: &[u8]) -> Vec<u8> {
    let mut key = *key;
    for _ in 0..number >> 16 {
        let mut next = [0; 32];
        let nonce = [0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
        ChaCha20Poly1305::new(&key.into()).encrypt_inout_detached(&nonce.into(), &[], (&mut next[..]).into()).unwrap();
        key = next;
    }
    let mut sealed = record.to_vec();
    sealed.push(0x80);
    sealed.resize(32, 0);
    let nonce: [u8; 12] = [&[0; 4][..], &number.to_le_bytes()].concat().try_into().unwrap();
    let tag = ChaCha20Poly1305::new(&key.into()).encrypt_inout_detached(&nonce.into(), &[], (&mut sealed[..]).into()).unwrap();
    sealed.extend_from_slice(&tag);
    sealed
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(records in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..2000), any::<bool>()), 1..10)) {
        let (mut wallet, mut band) = pair();
        for (record, from_wallet) in records {
            let (from, to) = if from_wallet { (&mut wallet, &mut band) } else { (&mut band, &mut wallet) };
            let mut sealed = seal(from, &record);
            prop_assert_eq!(to.open(&mut sealed), Ok(Opened::Record(&record)));
        }
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic(mut garbage in prop::collection::vec(any::<u8>(), 0..700), len in any::<usize>()) {
        let (mut wallet, mut band) = pair();
        prop_assert!(band.open(&mut garbage).is_err());
        let fits = (1..=MAX_RECORD_LEN).contains(&len) && sealed_len(len).is_some_and(|sealed| sealed <= garbage.len());
        prop_assert_eq!(wallet.seal(&mut garbage, len).is_ok(), fits);
    }
}

#[test]
fn the_longest_record_and_the_next() {
    let (mut wallet, mut band) = pair();
    let record = vec![5; MAX_RECORD_LEN];
    assert_eq!(band.open(&mut seal(&mut wallet, &record)), Ok(Opened::Record(&record)));
    assert_eq!(wallet.seal(&mut vec![0; 100_000], MAX_RECORD_LEN + 1), Err(SealError::TooLong));
}

#[test]
fn a_caller_s_mistake_changes_nothing() {
    let (mut wallet, mut band) = pair();
    let mut buffer = [1; 47];
    assert_eq!(wallet.seal(&mut buffer, 0), Err(SealError::Empty));
    assert_eq!(wallet.seal(&mut buffer, 1), Err(SealError::BufferTooSmall));
    assert_eq!(wallet.seal(&mut buffer, usize::MAX), Err(SealError::TooLong));
    assert_eq!(wallet.close(&mut buffer), Err(SealError::BufferTooSmall));
    assert_eq!(buffer, [1; 47]);
    assert_eq!(band.open(&mut seal(&mut wallet, b"first")), Ok(Opened::Record(b"first")));
}

#[test]
fn each_byte_counts_and_a_failure_leaves_the_channel_as_it_was() {
    let (mut wallet, mut band) = pair();
    let sealed = seal(&mut wallet, b"pay 12.50");
    for at in 0..sealed.len() {
        let (_, mut fresh) = pair();
        let mut tampered = sealed.clone();
        tampered[at] ^= 1;
        let before = tampered.clone();
        assert_eq!(fresh.open(&mut tampered), Err(OpenError::NotAuthentic), "byte {at}");
        assert_eq!(tampered, before, "no plaintext is written");
        assert_eq!(fresh.open(&mut sealed.clone()), Ok(Opened::Record(b"pay 12.50")), "byte {at}");
    }
    assert_eq!(band.open(&mut sealed.clone()), Ok(Opened::Record(b"pay 12.50")));
}

#[test]
fn replayed_reordered_and_reflected_records_are_refused() {
    let (mut wallet, mut band) = pair();
    let (first, second) = (seal(&mut wallet, b"first"), seal(&mut wallet, b"second"));
    assert_eq!(band.open(&mut second.clone()), Err(OpenError::NotAuthentic), "out of order");
    assert_eq!(wallet.open(&mut first.clone()), Err(OpenError::NotAuthentic), "reflected");
    assert!(band.open(&mut first.clone()).is_ok());
    assert_eq!(band.open(&mut first.clone()), Err(OpenError::NotAuthentic), "replayed");
    assert!(band.open(&mut second.clone()).is_ok());
}

#[test]
fn a_length_that_no_record_has_is_refused_and_not_counted() {
    let (mut wallet, mut band) = pair();
    let sealed = seal(&mut wallet, &[3; 100]);
    for len in (0..sealed.len()).filter(|len| ![48, 80].contains(len)) {
        assert_eq!(band.open(&mut sealed.clone()[..len]), Err(OpenError::Length), "{len}");
    }
    assert_eq!(band.open(&mut sealed.clone()[..80]), Err(OpenError::NotAuthentic), "truncated to a length that is allowed");
    assert_eq!(band.open(&mut sealed.clone()), Ok(Opened::Record(&[3; 100])));
}

#[test]
fn eight_failures_in_a_row_cut_and_a_success_resets_the_count() {
    let (mut wallet, mut band) = pair();
    for _ in 0..3 {
        for _ in 1..FAILURES_UNTIL_CUT {
            assert_eq!(band.open(&mut [0; 48]), Err(OpenError::NotAuthentic));
        }
        assert!(band.open(&mut seal(&mut wallet, b"still here")).is_ok());
    }
    for _ in 1..FAILURES_UNTIL_CUT {
        assert_eq!(band.open(&mut [0; 48]), Err(OpenError::NotAuthentic));
    }
    assert_eq!(band.open(&mut [0; 48]), Err(OpenError::Cut));
    assert!(band.is_cut() && !band.is_closed_by_peer());
    assert_eq!(band.open(&mut seal(&mut wallet, b"too late")), Err(OpenError::Cut));
    assert_eq!(band.seal(&mut [1; 48], 1), Err(SealError::Cut));
    assert_eq!(band.close(&mut [1; 48]), Err(SealError::Cut));
}

#[test]
fn close_is_the_last_word_of_its_side_only() {
    let (mut wallet, mut band) = pair();
    let mut buffer = [0; 48];
    wallet.close(&mut buffer).unwrap();
    assert_eq!(wallet.close(&mut [0; 48]), Err(SealError::Closed));
    assert_eq!(wallet.seal(&mut [1; 48], 1), Err(SealError::Closed));

    assert!(!band.is_closed_by_peer(), "cut, as far as the band knows");
    assert_eq!(band.open(&mut buffer), Ok(Opened::Close));
    assert!(band.is_closed_by_peer());
    assert_eq!(band.open(&mut [0; 48]), Err(OpenError::AfterClose));

    assert_eq!(wallet.open(&mut seal(&mut band, b"the answer")), Ok(Opened::Record(b"the answer")));
    band.close(&mut buffer).unwrap();
    assert_eq!(wallet.open(&mut buffer), Ok(Opened::Close));
}

#[test]
fn the_key_changes_at_record_65536_on_both_sides() {
    let (mut wallet, mut band) = pair();
    for number in 0..=65_537u64 {
        let mut sealed = seal(&mut wallet, b"tick");
        if [0, 1, 65_535, 65_536, 65_537].contains(&number) {
            assert_eq!(sealed, expected(&[0xa1; 32], number, b"tick"), "record {number}");
        }
        assert_eq!(band.open(&mut sealed), Ok(Opened::Record(b"tick")), "record {number}");
    }
}

#[test]
fn debug_shows_no_key_and_no_record() {
    let (wallet, _) = pair();
    assert_eq!(format!("{:?}", Key::new([0xa1; 32])), "Key(..)");
    assert_eq!(format!("{wallet:?}"), "Channel { sealed: 0, opened: 0, closed: false, peer: Open { failures: 0 }, .. }");
    assert_eq!(format!("{:?}", Opened::Record(b"secret")), "Record(6 bytes)");
}
