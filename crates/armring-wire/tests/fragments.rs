//! Fragments under faults: what arrives was sent, and what is sent afterwards arrives.
//!
//! What this layer can promise and what it cannot:
//!
//! - loss, repetition and reordering never make a record that was not sent, as long as fragments that arrive in a row are less than 64
//!   apart: the sequence number has six bits;
//! - a fragment that is cut short or changed is *not* noticed: it makes another record, which the channel's tag refuses. What holds is
//!   that nothing else is mixed in, that nothing is handed out beyond the memory given, and that the link goes on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_wire::{ATT_PAYLOAD_MAX, ATT_PAYLOAD_MIN, AttPayload, FragmentError, Fragmenter, Reassembler};
use common::config;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

const RECORD_MAX: usize = 700;
/// Faults happen within blocks of so many fragments, of which at least one arrives whole: so two fragments that arrive in a row are less
/// than 64 apart, and the sequence number is not ambiguous.
const BLOCK: usize = 24;
const RECORDS: usize = 7;
const BLOCKS: usize = (RECORDS * RECORD_MAX).div_ceil((ATT_PAYLOAD_MIN - 1) * BLOCK) + 1;

const FIRST: u8 = 0x80;
const LAST: u8 = 0x40;

fn fragments(fragmenter: &mut Fragmenter, record: &[u8]) -> Vec<Vec<u8>> {
    let mut fragments = Vec::new();
    let (mut sent, mut buffer) = (0, [0; ATT_PAYLOAD_MAX]);
    while let Some((len, next)) = fragmenter.cut(record, sent, &mut buffer) {
        fragments.push(buffer[..len].to_vec());
        sent = next;
    }
    assert_eq!(fragments.len(), fragmenter.payload().fragments(record.len()));
    fragments
}

/// Pushes as the contract says: what was left unread is pushed once more.
fn push<B: AsRef<[u8]> + AsMut<[u8]>>(
    reassembler: &mut Reassembler<B>,
    fragment: &[u8],
) -> Result<Option<Vec<u8>>, FragmentError> {
    let result = match reassembler.push(fragment) {
        Err(error) if error.is_unread() => reassembler.push(fragment),
        result => result,
    };
    assert!(!matches!(result, Err(error) if error.is_unread()), "unread twice");
    result.map(|record| record.map(|record| record.to_vec()))
}

/// Pushes all of `fragments` and gives the records that arrived.
fn deliver<'a>(reassembler: &mut Reassembler<Vec<u8>>, fragments: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<Vec<u8>> {
    fragments.into_iter().filter_map(|fragment| push(reassembler, fragment).ok().flatten()).collect()
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 1..=RECORD_MAX)
}

fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(record(), 1..=RECORDS)
}

/// The sizes that phones really have, and every other one.
fn payload() -> impl Strategy<Value = AttPayload> {
    prop_oneof![Just(ATT_PAYLOAD_MIN), Just(182), Just(244), Just(ATT_PAYLOAD_MAX), ATT_PAYLOAD_MIN..=ATT_PAYLOAD_MAX]
        .prop_map(|bytes| AttPayload::new(bytes).unwrap())
}

/// For each block: nothing happens, so that records arrive whole among those that do not; or which of its fragments arrive, in this order,
/// each any number of times. One arrives at least.
fn faults() -> impl Strategy<Value = Vec<Option<Vec<Index>>>> {
    vec(option::weighted(0.4, vec(any::<Index>(), 1..2 * BLOCK)), BLOCKS)
}

/// The fragments as they arrive.
fn with_faults<'a>(sent: &'a [Vec<u8>], faults: &[Option<Vec<Index>>]) -> Vec<&'a Vec<u8>> {
    let mut arrived = Vec::new();
    for (block, fault) in sent.chunks(BLOCK).zip(faults) {
        match fault {
            None => arrived.extend(block),
            Some(order) => arrived.extend(order.iter().map(|index| &block[index.index(block.len())])),
        }
    }
    arrived
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn without_faults_every_record_arrives_in_order(records in records(), payload in payload()) {
        let mut fragmenter = Fragmenter::new(payload);
        let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
        for record in &records {
            let sent = fragments(&mut fragmenter, record);
            prop_assert!(sent.iter().all(|fragment| fragment.len() <= payload.bytes()));
            prop_assert_eq!(deliver(&mut reassembler, &sent), [record.clone()]);
            prop_assert!(!reassembler.is_in_progress());
        }
    }

    #[test]
    fn repetitions_alone_lose_nothing(records in records(), payload in payload(), times in vec(1..4usize, 1..20)) {
        let mut fragmenter = Fragmenter::new(payload);
        let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
        let sent: Vec<_> = records.iter().flat_map(|record| fragments(&mut fragmenter, record)).collect();
        let mut arrived = Vec::new();
        for (fragment, times) in sent.iter().zip(times.iter().cycle()) {
            arrived.extend(push(&mut reassembler, fragment).unwrap());
            for _ in 1..*times {
                prop_assert_eq!(push(&mut reassembler, fragment), Err(FragmentError::Repeated));
            }
        }
        prop_assert_eq!(arrived, records);
    }

    #[test]
    fn lost_repeated_and_reordered_fragments_never_make_a_record_that_was_not_sent(
        records in records(), next in record(), payload in payload(), faults in faults()
    ) {
        let mut fragmenter = Fragmenter::new(payload);
        let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
        let sent: Vec<_> = records.iter().flat_map(|record| fragments(&mut fragmenter, record)).collect();
        for arrived in deliver(&mut reassembler, with_faults(&sent, &faults)) {
            prop_assert!(records.contains(&arrived), "{} bytes that were not sent", arrived.len());
        }
        prop_assert_eq!(deliver(&mut reassembler, &fragments(&mut fragmenter, &next)), [next]);
    }

    /// Some Bluetooth stacks cut what is longer than the connection carries, without a word. This layer cannot see it.
    #[test]
    fn a_cut_fragment_shortens_its_record_and_mixes_nothing_in(
        records in records(), next in record(), payload in payload(), faults in faults(), cuts in vec(any::<Option<Index>>(), 1..50)
    ) {
        let mut fragmenter = Fragmenter::new(payload);
        let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
        let (mut sent, mut shortened, mut cuts) = (Vec::new(), Vec::new(), cuts.iter().cycle());
        for record in &records {
            let mut pieces = fragments(&mut fragmenter, record);
            for piece in &mut pieces {
                // At least one byte of body is left: without one it is an error, below.
                piece.truncate(cuts.next().unwrap().map_or(usize::MAX, |index| 2 + index.index(piece.len() - 1)));
            }
            shortened.push(pieces.iter().flat_map(|piece| &piece[1..]).copied().collect::<Vec<u8>>());
            sent.append(&mut pieces);
        }
        for arrived in deliver(&mut reassembler, with_faults(&sent, &faults)) {
            prop_assert!(shortened.contains(&arrived), "{} bytes that are not what is left of one record", arrived.len());
        }
        prop_assert_eq!(deliver(&mut reassembler, &fragments(&mut fragmenter, &next)), [next]);
    }

    #[test]
    fn a_fragment_cut_to_nothing_or_to_its_header_is_refused_and_changes_nothing(record in record(), payload in payload(), header: u8) {
        let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
        let mut arrived = Vec::new();
        for fragment in fragments(&mut Fragmenter::new(payload), &record) {
            prop_assert_eq!(push(&mut reassembler, &[]), Err(FragmentError::Length(0)));
            prop_assert_eq!(push(&mut reassembler, &[header]), Err(FragmentError::Length(1)));
            arrived.extend(push(&mut reassembler, &fragment).unwrap());
        }
        prop_assert_eq!(arrived, [record]);
    }

    #[test]
    fn a_record_longer_than_the_memory_is_refused_and_the_next_one_arrives(
        record in record(), shorter in any::<Index>(), payload in payload()
    ) {
        let memory = shorter.index(record.len());
        let mut fragmenter = Fragmenter::new(payload);
        let mut reassembler = Reassembler::new(vec![0; memory]);
        let results: Vec<_> = fragments(&mut fragmenter, &record).iter().map(|fragment| push(&mut reassembler, fragment)).collect();
        prop_assert!(results.contains(&Err(FragmentError::TooLong(memory))));
        prop_assert!(results.iter().all(|result| !matches!(result, Ok(Some(_)))));
        if memory > 0 {
            prop_assert_eq!(deliver(&mut reassembler, &fragments(&mut fragmenter, &record[..memory])), [&record[..memory]]);
        }
    }

    /// Whatever comes: what is handed out is the bodies of the fragments that were taken, in the memory that was given.
    #[test]
    fn garbage_hands_out_what_was_pushed_and_never_more_than_the_memory(
        memory in 0..=RECORD_MAX, garbage in vec((0u8..4, 0u8..3, vec(any::<u8>(), 0..520)), 1..60)
    ) {
        let mut reassembler = Reassembler::new(vec![0; memory]);
        let mut held = Vec::new();
        for (flags, sequence, body) in &garbage {
            // Few sequence numbers, so that many of the fragments go on from the one before.
            let fragment: Vec<_> = std::iter::once(flags << 6 | sequence).chain(body.iter().copied()).collect();
            match push(&mut reassembler, &fragment) {
                Ok(whole) => {
                    if fragment[0] & FIRST != 0 {
                        held.clear();
                    }
                    held.extend_from_slice(body);
                    prop_assert!(held.len() <= memory);
                    prop_assert_eq!(whole.is_some(), fragment[0] & LAST != 0);
                    prop_assert!(whole.is_none_or(|whole| whole == held));
                }
                Err(FragmentError::Repeated | FragmentError::Length(_)) => {}
                Err(_) => prop_assert!(!reassembler.is_in_progress()),
            }
        }
    }

    /// A forged header can claim the number of the fragment that comes next, which then looks repeated: one record is lost, not two.
    #[test]
    fn after_garbage_the_next_record_arrives_or_the_one_after_it(
        garbage in vec(vec(any::<u8>(), 0..600), 1..20), before in 0..64usize, next in record(), after in record(), payload in payload()
    ) {
        let mut fragmenter = Fragmenter::new(payload);
        (0..before).for_each(|_| drop(fragments(&mut fragmenter, &[0])));
        let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
        deliver(&mut reassembler, &garbage);
        let sent = fragments(&mut fragmenter, &next);
        let results: Vec<_> = sent.iter().map(|fragment| push(&mut reassembler, fragment)).collect();
        if results[0] != Err(FragmentError::Repeated) {
            prop_assert_eq!(results.last(), Some(&Ok(Some(next))));
        }
        prop_assert_eq!(deliver(&mut reassembler, &fragments(&mut fragmenter, &after)), [after]);
    }
}

/// What a receiver makes of two-fragment records, each filled with its own number, when `lost` fragments after the very first are lost.
fn with_a_run_lost(lost: usize) -> Vec<Vec<u8>> {
    let mut fragmenter = Fragmenter::new(AttPayload::MIN);
    let sent: Vec<_> = (0..40).flat_map(|record| fragments(&mut fragmenter, &[record; 38])).collect();
    let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
    deliver(&mut reassembler, sent[..1].iter().chain(&sent[1 + lost..]))
}

#[test]
fn a_run_of_63_or_64_lost_fragments_is_not_noticed_and_any_other_is() {
    let mixed = |records: Vec<Vec<u8>>| records.iter().any(|record| record.iter().any(|byte| byte != &record[0]));
    let unnoticed: Vec<_> = (0..70).filter(|lost| mixed(with_a_run_lost(*lost))).collect();
    assert_eq!(unnoticed, [63, 64]);
}

#[test]
fn a_connection_that_begins_anew_forgets_what_was_in_progress() {
    let mut reassembler = Reassembler::new(vec![0; RECORD_MAX]);
    let sent = fragments(&mut Fragmenter::new(AttPayload::MIN), &[7; 50]);
    assert_eq!(push(&mut reassembler, &sent[0]), Ok(None));
    reassembler.reset();
    assert!(!reassembler.is_in_progress());
    assert_eq!(push(&mut reassembler, &sent[1]), Err(FragmentError::NotBegun));
    assert_eq!(deliver(&mut reassembler, &sent), [[7; 50]]);
}
