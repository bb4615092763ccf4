//! Messages cut to ATT payloads, and fragments that do not fit together.

use armring_wire::{AttPayload, FragmentError, Fragmenter, Reassembler};
use serde_json::{Value, json};

use crate::seed::{bytes, hex};

fn cut(fragmenter: &mut Fragmenter, message: &[u8]) -> Vec<Vec<u8>> {
    let (mut fragments, mut sent, mut fragment) = (Vec::new(), 0, [0; 514]);
    while let Some((len, next)) = fragmenter.cut(message, sent, &mut fragment) {
        fragments.push(fragment[..len].to_vec());
        sent = next;
    }
    fragments
}

fn shown(fragments: &[Vec<u8>]) -> Vec<String> {
    fragments.iter().map(hex).collect()
}

pub(crate) fn vectors() -> Value {
    let messages = [bytes::<18>("hello").to_vec(), bytes::<96>("handshake").to_vec(), bytes::<656>("record").to_vec()];
    let connection = |payload: usize| {
        let mut fragmenter = Fragmenter::new(AttPayload::new(payload).unwrap());
        let cut = |message: &Vec<u8>| json!({ "message": hex(message), "fragments": shown(&cut(&mut fragmenter, message)) });
        json!({ "att_payload": payload, "messages": messages.iter().map(cut).collect::<Vec<_>>() })
    };
    json!({
        "about": "Each connection counts its fragments from 0. A bad sequence is pushed into a receiver with memory for 64 bytes, fragment \
                  after fragment: the last one gives the error.",
        "connections": ([20, 23, 182, 514].map(connection)),
        "wrapped": wrapped(),
        "bad": bad(),
    })
}

/// The count goes from 63 to 0.
fn wrapped() -> Value {
    let mut fragmenter = Fragmenter::new(AttPayload::MIN);
    let fragments: Vec<_> = (0..66u8).flat_map(|n| cut(&mut fragmenter, &[n])).collect();
    json!({ "about": "66 messages of one byte on one connection", "fragments": shown(&fragments) })
}

fn bad() -> Vec<Value> {
    const F: u8 = 0x80;
    const L: u8 = 0x40;
    let piece = |header: u8, len: usize| [vec![header], vec![7; len]].concat();
    let cases = [
        ("no fragment at all", vec![vec![]], FragmentError::Length(0)),
        ("a header without a body", vec![vec![F | L]], FragmentError::Length(1)),
        ("longer than an ATT payload", vec![piece(F | L, 514)], FragmentError::Length(515)),
        ("a fragment comes twice", vec![piece(F, 1), piece(F, 1)], FragmentError::Repeated),
        ("the fragment between is lost", vec![piece(F, 1), piece(L | 2, 1)], FragmentError::Gap),
        ("a message begins inside another", vec![piece(F, 1), piece(F | L | 1, 1)], FragmentError::Interrupted),
        ("a message continues that has not begun", vec![piece(L, 1)], FragmentError::NotBegun),
        ("the message is longer than the memory", vec![piece(F, 60), piece(L | 1, 5)], FragmentError::TooLong(64)),
    ];
    let case = |(name, fragments, error): (&str, Vec<Vec<u8>>, FragmentError)| {
        let mut reassembler = Reassembler::new([0; 64]);
        let (last, before) = fragments.split_last().unwrap();
        assert!(before.iter().all(|fragment| reassembler.push(fragment).is_ok()), "{name}");
        assert_eq!(reassembler.push(last), Err(error), "{name}");
        json!({ "name": name, "fragments": shown(&fragments), "error": format!("{error:?}") })
    };
    cases.into_iter().map(case).collect()
}
