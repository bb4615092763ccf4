//! clatter: a responder's side of Noise XX and KKpsk0, over X25519, ChaCha20-Poly1305 and BLAKE2s as in this project.

#![no_std]
#![no_main]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measuring program stops where it cannot measure")]

use armring_meter::{Meter, finish};
use armring_peers::{Draws, Side};
use clatter::NqHandshakeCore;
use clatter::crypto::cipher::ChaChaPoly;
use clatter::crypto::dh::X25519;
use clatter::crypto::hash::Blake2s;
use clatter::handshakepattern::{HandshakePattern, noise_kk_psk0, noise_xx};
use clatter::traits::{Dh, Handshaker};
use cortex_m_rt::entry;
use rand_core_0_6::RngCore;

type Handshake = NqHandshakeCore<X25519, ChaChaPoly, Blake2s, Draws>;

#[entry]
fn main() -> ! {
    let meter = Meter::start();
    play(&meter, "clatter XX", noise_xx, None);
    play(&meter, "clatter KKpsk0", noise_kk_psk0, Some(&[7; 32]));
    finish()
}

/// Plays a handshake with empty payloads, and counts what the responder does.
fn play(meter: &Meter, name: &str, pattern: fn() -> HandshakePattern, psk: Option<&[u8; 32]>) {
    let mut draws = Draws::default();
    draws.next_u64();
    let (alice, bob) = (X25519::genkey_rng(&mut draws).unwrap(), X25519::genkey_rng(&mut draws).unwrap());
    let (known_to_alice, known_to_bob) = (psk.map(|_| bob.public), psk.map(|_| alice.public));
    let mut alice = Handshake::new(pattern(), b"", true, Some(alice), None, known_to_alice, None).unwrap();
    let mut side = Side::default();
    let new = || Handshake::new(pattern(), b"", false, Some(bob), None, known_to_bob, None).unwrap();
    let mut bob = side.step(meter, new).unwrap();
    if let Some(psk) = psk {
        alice.push_psk(psk);
        bob.push_psk(psk);
    }
    let (mut on_air, mut payload) = ([0; 256], [0; 256]);
    while !(alice.is_finished() && bob.is_finished()) {
        if alice.is_write_turn() {
            let len = alice.write_message(&[], &mut on_air).unwrap();
            side.step(meter, || bob.read_message(&on_air[..len], &mut payload).unwrap());
        } else {
            let len = side.step(meter, || bob.write_message(&[], &mut on_air).unwrap()).unwrap();
            alice.read_message(&on_air[..len], &mut payload).unwrap();
        }
    }
    side.step(meter, || bob.finalize().is_ok());
    side.report(meter, name);
}
