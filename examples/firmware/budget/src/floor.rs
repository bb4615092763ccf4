//! What nobody can do without: the scalar multiplications, the signatures and the cipher, each alone.

use core::hint::black_box;

use armring_channel::{Channel, HandshakeHash, Key, sealed_len};
use armring_meter::Meter;
use ed25519_dalek::{Signer, SigningKey};
use x25519_dalek::{PublicKey, StaticSecret};

/// What is signed for a payment: `len ‖ "armring/1 " ‖ "payment token" ‖ root fingerprint (32) ‖ body (75)`.
const SIGNED: usize = 1 + 10 + 13 + 32 + 75;

/// What a record of 64 bytes comes to.
const SEALED: usize = match sealed_len(64) {
    Some(len) => len,
    None => 0,
};

#[inline(never)]
pub(crate) fn measure(meter: &Meter) {
    let secret = StaticSecret::from(black_box([7; 32]));
    let public = meter.measure("X25519 public key", || PublicKey::from(&secret));
    let other = StaticSecret::from(black_box([9; 32]));
    meter.measure("X25519 shared secret", || black_box(other.diffie_hellman(&public)));

    let key = SigningKey::from_bytes(&black_box([3; 32]));
    let message = black_box([0x5A; SIGNED]);
    let signature = meter.measure("Ed25519 sign", || key.sign(&message));
    meter.measure("Ed25519 verify", || key.verifying_key().verify_strict(&message, &signature).expect("it is valid"));

    // A channel counts its records: each call has one of its own.
    let mut sealed = [0; SEALED];
    let mut wallets = [channel(1, 2), channel(1, 2)].into_iter();
    meter.measure("seal 64 B", || wallets.next().map(|mut wallet| wallet.seal(&mut sealed, 64).is_ok()));
    let (mut bands, mut copies) = ([channel(2, 1), channel(2, 1)].into_iter(), [sealed, sealed].into_iter());
    let opened = meter.measure("open 64 B", || {
        let (mut band, mut sealed) = (bands.next()?, copies.next()?);
        Some(band.open(&mut sealed).is_ok())
    });
    assert!(opened == Some(true), "what was sealed opens");
}

fn channel(send: u8, receive: u8) -> Channel {
    <Channel>::new(Key::new([send; 32]), Key::new([receive; 32]), HandshakeHash::new([7; 32]))
}
