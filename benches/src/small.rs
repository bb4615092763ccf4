//! What is not cryptography, and an issuer's work with a ledger in memory.

mod issuer;

use std::hint::black_box;

use armring_token::{Object, PaymentToken, SIGNATURE_LEN};
use armring_wire::records::band::ToBand;
use armring_wire::{AttPayload, Fragmenter, Opaque, Reassembler, decode, decode_record, encode};

use crate::tokens::token;
use crate::{Group, Plan};

const BODY: usize = PaymentToken::MAX_LEN - SIGNATURE_LEN;

pub fn plans() -> Vec<Plan> {
    let cut = |payload| {
        let name = format!("cut 176 B into fragments of {payload} B and join them");
        Plan::new(name, move |group| fragments(group, payload))
    };
    let mut plans = vec![Plan::new("encode and decode a token's body", body), Plan::new("encode and decode a record", record)];
    plans.extend([20, 182].map(cut));
    plans.push(Plan::new("issuer: verify a payment", issuer::verify));
    plans.push(Plan::new("issuer: ask, pay, verify, settle, receipt", issuer::settle));
    plans
}

/// A token's body of 75 bytes.
fn body(group: Group) -> Group {
    let body = token(7);
    let group = group
        .with("postcard", move || {
            let mut buffer = [0; BODY];
            let bytes = postcard::to_slice(black_box(&body), &mut buffer).expect("room");
            black_box(postcard::from_bytes::<PaymentToken>(bytes)).expect("a token");
        })
        .beside("postcard", None, "Armring", move || {
            let mut buffer = [0; BODY];
            let bytes = encode(black_box(&body), &mut buffer).expect("room");
            black_box(decode::<PaymentToken>(bytes)).expect("a token");
        });
    #[cfg(feature = "peers")]
    let group = group.beside("postcard", None, "COSE", crate::peers::tokens::cose_codec());
    group
}

/// A record with an object of 139 bytes.
fn record(group: Group) -> Group {
    group.with("Armring", || {
        let mut buffer = [0; 512];
        let receipt = Opaque::new(black_box(&[5; 139])).expect("short");
        let bytes = encode(&ToBand::Paid { receipt }, &mut buffer).expect("room");
        assert!(matches!(decode_record(bytes), Ok(ToBand::Paid { .. })));
    })
}

/// A sealed record of 176 bytes over a radio.
fn fragments(group: Group, payload: usize) -> Group {
    let att = AttPayload::new(payload).expect("20 to 514");
    let (mut from, mut to) = (Fragmenter::new(att), Reassembler::new([0; 512]));
    group.with("Armring", move || {
        let (message, mut fragment, mut sent, mut whole) = ([5; 176], [0; 514], 0, 0);
        while let Some((len, next)) = from.cut(black_box(&message), sent, &mut fragment[..payload]) {
            sent = next;
            whole += to.push(&fragment[..len]).expect("in order").map_or(0, |message| message.len());
        }
        assert_eq!(whole, message.len());
    })
}
