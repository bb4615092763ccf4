//! Sealing a record on one side and opening it on the other.
//!
//! Records are padded; everybody else seals as many bytes as a record has with its padding.

use std::hint::black_box;

use armring_channel::{Aead, ChaChaPoly, Channel, HandshakeHash, Key, Opened};
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};
use orion::hazardous::aead::chacha20poly1305 as orion;

use crate::{Group, Plan};

/// Bytes of a record with its padding: from the shortest to the first that holds 16 KiB. The longest are 40,960.
const PADDED: [usize; 7] = [32, 64, 160, 320, 1280, 5120, 20_480];
/// Up to here `armring-channel` has Orion's cipher on x86, as its README says.
const SHORT: usize = 512;

pub fn plans() -> Vec<Plan> {
    let plan = |padded| Plan::new(format!("seal and open {padded} B"), move |group| contenders(group, padded));
    PADDED.into_iter().map(plan).collect()
}

fn contenders(group: Group, padded: usize) -> Group {
    let floor = if padded <= SHORT { "Orion" } else { "RustCrypto" };
    let target = |most| (padded == 64).then_some(most);
    let group = group.with("RustCrypto", rust_crypto(padded)).with("Orion", by_orion(padded)).beside(
        floor,
        target(1.03),
        "Armring",
        ours::<ChaChaPoly>(padded),
    );
    #[cfg(feature = "peers")]
    let group = {
        use crate::peers::noise::{clatter_message, snow_message};

        group
            .with("AWS-LC", aws_lc(padded))
            .beside("AWS-LC", target(1.03), "Armring, AWS-LC", ours::<armring_aws_lc::ChaChaPoly>(padded))
            .beside(floor, None, "snow", snow_message(padded, false))
            .beside(floor, None, "snow, ring", snow_message(padded, true))
            .beside(floor, None, "clatter", clatter_message(padded))
    };
    group
}

fn ours<A: Aead + 'static>(padded: usize) -> impl FnMut() {
    let end = |send, receive| Channel::<A>::new(Key::new([send; 32]), Key::new([receive; 32]), HandshakeHash::new([0; 32]));
    let (mut from, mut to) = (end(1, 2), end(2, 1));
    let mut buffer = vec![5; padded + 16];
    move || {
        from.seal(&mut buffer, padded - 1).expect("room");
        assert!(matches!(to.open(black_box(&mut buffer)), Ok(Opened::Record(_))));
    }
}

fn nonce(count: &mut u64) -> [u8; 12] {
    *count += 1;
    let [a, b, c, d, e, f, g, h] = count.to_le_bytes();
    [0, 0, 0, 0, a, b, c, d, e, f, g, h]
}

fn rust_crypto(len: usize) -> impl FnMut() {
    let (cipher, mut text, mut count) = (ChaCha20Poly1305::new(&[1; 32].into()), vec![5; len], 0);
    move || {
        let nonce = nonce(&mut count).into();
        let tag = cipher.encrypt_inout_detached(&nonce, &[], text.as_mut_slice().into()).expect("short");
        cipher.decrypt_inout_detached(&nonce, &[], black_box(&mut text).as_mut_slice().into(), &tag).expect("authentic");
    }
}

fn by_orion(len: usize) -> impl FnMut() {
    let (key, mut text, mut count) = (orion::SecretKey::from([1; 32]), vec![5; len], 0);
    move || {
        let nonce = nonce(&mut count).into();
        let tag = orion::ChaCha20Poly1305::seal_inplace(&key, &nonce, None, &mut text).expect("short");
        orion::ChaCha20Poly1305::open_inplace(&key, &nonce, &tag, None, black_box(&mut text)).expect("authentic");
    }
}

#[cfg(feature = "peers")]
fn aws_lc(len: usize) -> impl FnMut() {
    use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[1; 32]).expect("32 bytes"));
    let (mut text, mut count) = (vec![5; len], 0);
    move || {
        let nonce = nonce(&mut count);
        let once = || Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(once(), Aad::empty(), &mut text).expect("short");
        key.open_in_place_separate_tag(once(), Aad::empty(), tag.as_ref(), black_box(&mut text)).expect("authentic");
    }
}
