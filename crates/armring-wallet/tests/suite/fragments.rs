//! Records over a pipe that loses, repeats, reorders, cuts and corrupts: what arrives is equal and in order, or does not arrive.

use armring_channel::{Channel, HandshakeHash, Key, OpenError, Opened, sealed_len};
use armring_pairing::MESSAGE_MAX;
use armring_wire::{AttPayload, Fragmenter, Reassembler};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::steps::config;

/// What becomes of a fragment.
#[derive(Clone, Debug)]
enum Fate {
    Arrives,
    Lost,
    Repeated,
    Later,
    Cut(usize),
    Corrupted(usize, u8),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        30 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Repeated),
        1 => Just(Fate::Later),
        1 => any::<usize>().prop_map(Fate::Cut),
        1 => (any::<usize>(), 1..=u8::MAX).prop_map(|(at, bits)| Fate::Corrupted(at, bits)),
    ]
}

fn channels() -> (Channel, Channel) {
    let end = |send, receive| <Channel>::new(Key::new([send; 32]), Key::new([receive; 32]), HandshakeHash::new([0; 32]));
    (end(1, 2), end(2, 1))
}

fn fragments(records: &[Vec<u8>], channel: &mut Channel, payload: AttPayload) -> Vec<Vec<u8>> {
    let (mut fragmenter, mut all) = (Fragmenter::new(payload), Vec::new());
    for record in records {
        let mut buffer = vec![0; sealed_len(record.len()).unwrap()];
        buffer[..record.len()].copy_from_slice(record);
        let sealed = channel.seal(&mut buffer, record.len()).unwrap();
        let (mut sent, mut fragment) = (0, vec![0; payload.bytes()]);
        while let Some((len, next)) = fragmenter.cut(sealed, sent, &mut fragment) {
            sent = next;
            all.push(fragment[..len].to_vec());
        }
    }
    all
}

/// What the pipe makes of `fragments`.
fn pipe(fragments: Vec<Vec<u8>>, fates: &[Fate]) -> Vec<Vec<u8>> {
    let (mut through, mut later) = (Vec::new(), Vec::new());
    for (number, mut fragment) in fragments.into_iter().enumerate() {
        match fates[number % fates.len()] {
            Fate::Arrives => through.push(fragment),
            Fate::Lost => continue,
            Fate::Repeated => through.extend([fragment.clone(), fragment]),
            Fate::Later => {
                later.push(fragment);
                continue;
            }
            Fate::Cut(at) => {
                fragment.truncate(at % fragment.len());
                through.push(fragment);
            }
            Fate::Corrupted(at, bits) => {
                let at = at % fragment.len();
                fragment[at] ^= bits;
                through.push(fragment);
            }
        }
        through.append(&mut later);
    }
    through.append(&mut later);
    through
}

/// What arrives, and whether anything was noticed.
fn arrive(fragments: &[Vec<u8>], reassembler: &mut Reassembler<Vec<u8>>, channel: &mut Channel) -> (Vec<Vec<u8>>, bool) {
    let (mut arrived, mut noticed) = (Vec::new(), false);
    for fragment in fragments {
        match reassembler.push(fragment) {
            Ok(None) => {}
            Ok(Some(sealed)) => match channel.open(sealed) {
                Ok(Opened::Record(record)) => arrived.push(record.to_vec()),
                Ok(Opened::Close) => panic!("nobody closed"),
                Err(OpenError::Padding) => panic!("nobody pads wrongly"),
                Err(_) => noticed = true,
            },
            Err(_) => noticed = true,
        }
    }
    (arrived, noticed)
}

#[test]
fn what_arrives_is_equal_and_in_order_or_an_error_and_a_fresh_connection_works() {
    let records = vec(vec(any::<u8>(), 1..=640), 1..8);
    proptest!(config(512), |(records in records, payload in 20usize..=514, fates in vec(fate(), 1..200))| {
        let records: Vec<_> = records.into_iter().filter(|record| sealed_len(record.len()).unwrap() <= MESSAGE_MAX).collect();
        let payload = AttPayload::new(payload).unwrap();
        let (mut wallet, mut band) = channels();
        let sent = fragments(&records, &mut wallet, payload);
        let through = pipe(sent.clone(), &fates);
        let unharmed = through == sent;
        let mut reassembler = Reassembler::new(vec![0; MESSAGE_MAX]);
        let (arrived, noticed) = arrive(&through, &mut reassembler, &mut band);
        prop_assert_eq!(&arrived[..], &records[..arrived.len()], "nothing else and in no other order");
        prop_assert!(!unharmed || (arrived.len() == records.len() && !noticed));
        if !noticed && arrived.len() < records.len() {
            // All that can go missing unnoticed is the end, which only a close would have vouched for, or fragments in the order of a whole turn
            // of their numbers.
            let (mut again, _) = channels();
            let whole = fragments(&records[..arrived.len()], &mut again, payload).len();
            prop_assert!(through.len() <= sent.len() && whole <= through.len());
        }

        reassembler.reset();
        let (mut wallet, mut band) = channels();
        let next = fragments(&[vec![7; 100]], &mut wallet, payload);
        prop_assert_eq!(arrive(&next, &mut reassembler, &mut band), (vec![vec![7; 100]], false));
    });
}
