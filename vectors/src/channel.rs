//! Sealed records: padding, counters, rekeying, close; and what must not open.

use armring_channel::{Aead, ChaChaPoly, Channel, HandshakeHash, Key, OpenError, Opened, sealed_len};
use serde_json::{Value, json};

use crate::seed::{bytes, hex};

/// Record `n` is sealed under key number `n >> 16`.
const KEY_SERVES: u64 = 1 << 16;

fn end(send: &str, receive: &str) -> Channel {
    Channel::new(Key::new(bytes(send)), Key::new(bytes(receive)), HandshakeHash::new([0; 32]))
}

fn wallet() -> Channel {
    end("wallet to band", "band to wallet")
}

fn band() -> Channel {
    end("band to wallet", "wallet to band")
}

fn seal(channel: &mut Channel, record: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; sealed_len(record.len()).unwrap()];
    buffer[..record.len()].copy_from_slice(record);
    channel.seal(&mut buffer, record.len()).unwrap().to_vec()
}

pub(crate) fn vectors() -> Value {
    json!({
        "about": "One direction of a channel. Record n is sealed with the key number n >> 16, nonce n, empty associated data, after padding.",
        "key": hex(bytes::<32>("wallet to band")),
        "keys": keys(),
        "padding": padding(),
        "records": records(),
        "bad": bad(),
    })
}

/// The keys after each rekey.
fn keys() -> Vec<Value> {
    let mut key = Key::new(bytes("wallet to band"));
    (0..3)
        .map(|number| {
            let this = json!({ "number": number, "first_record": KEY_SERVES * number, "key": hex(key.as_bytes()) });
            key = ChaChaPoly::new(key.clone()).rekey();
            this
        })
        .collect()
}

/// The first record of each length around the steps.
fn padding() -> Vec<Value> {
    let lens = [1, 31, 32, 63, 64, 159, 160, 319, 320, 499];
    let sealed = |len: usize| {
        let record: Vec<u8> = (1..=u8::MAX).cycle().take(len).collect();
        json!({ "n": 0, "record": hex(&record), "padded_len": sealed_len(len).unwrap() - 16, "sealed": hex(seal(&mut wallet(), &record)) })
    };
    let mut buffer = [0; 48];
    let close =
        json!({ "n": 0, "record": "", "padded_len": 32, "sealed": hex(wallet().close(&mut buffer).unwrap()), "means": "close" });
    lens.into_iter().map(sealed).chain([close]).collect()
}

/// One record after the other, across a rekey.
fn records() -> Vec<Value> {
    let shown = [0, 1, 2, KEY_SERVES - 1, KEY_SERVES, KEY_SERVES + 1];
    let (mut wallet, mut band) = (wallet(), band());
    let mut vectors = Vec::new();
    for n in 0..=KEY_SERVES + 1 {
        let record = n.to_be_bytes();
        let mut sealed = seal(&mut wallet, &record);
        if shown.contains(&n) {
            vectors.push(json!({ "n": n, "record": hex(record), "sealed": hex(&sealed) }));
        }
        assert_eq!(band.open(&mut sealed), Ok(Opened::Record(&record)));
    }
    vectors
}

/// What a band whose next record is number 0 must not open.
fn bad() -> Vec<Value> {
    let good = seal(&mut wallet(), b"pay");
    let changed = |at: usize| {
        let mut sealed = good.clone();
        sealed[at] ^= 1;
        sealed
    };
    let raw = |padded: &[u8]| {
        let mut sealed = padded.to_vec();
        let tag = ChaChaPoly::new(Key::new(bytes("wallet to band"))).seal(0, &[], &mut sealed);
        sealed.extend(tag);
        sealed
    };
    let padded = |marker: u8, at: usize, len: usize| {
        let mut padded = vec![0; len];
        padded[..3].copy_from_slice(b"pay");
        padded[at] = marker;
        padded
    };
    let mut second = wallet();
    seal(&mut second, b"first");
    let cases = [
        ("the first byte of the ciphertext is changed", changed(0), OpenError::NotAuthentic),
        ("the last byte of the tag is changed", changed(good.len() - 1), OpenError::NotAuthentic),
        ("record 1 comes in place of record 0", seal(&mut second, b"pay"), OpenError::NotAuthentic),
        ("sealed under the key of the other direction", seal(&mut band(), b"pay"), OpenError::NotAuthentic),
        ("a byte is missing", good[..good.len() - 1].to_vec(), OpenError::Length),
        ("a byte too many", [&good[..], &[0]].concat(), OpenError::Length),
        ("a tag alone", good[..16].to_vec(), OpenError::Length),
        ("padded to 33 bytes", raw(&padded(0x80, 3, 33)), OpenError::Length),
        ("no padding: 32 zeros", raw(&[0; 32]), OpenError::Padding),
        ("the padding begins with 81", raw(&padded(0x81, 3, 32)), OpenError::Padding),
        ("padded to 64 bytes where 32 are enough", raw(&padded(0x80, 3, 64)), OpenError::Padding),
        ("padded to 160 bytes where 32 are enough", raw(&padded(0x80, 3, 160)), OpenError::Padding),
    ];
    let case = |(name, mut sealed, error): (&str, Vec<u8>, OpenError)| {
        let shown = hex(&sealed);
        assert_eq!(band().open(&mut sealed), Err(error), "{name}");
        json!({ "name": name, "n": 0, "sealed": shown, "error": format!("{error:?}") })
    };
    cases.into_iter().map(case).collect()
}
