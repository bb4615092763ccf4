//! Noise by snow and clatter.

use std::hint::black_box;

use clatter::bytearray::ByteArray;
use clatter::crypto::cipher::ChaChaPoly;
use clatter::crypto::dh::X25519;
use clatter::crypto::hash::Blake2s;
use clatter::handshakepattern::{HandshakePattern, noise_ik, noise_kk_psk0, noise_nn_psk0, noise_xx};
use clatter::traits::{Dh, Handshaker};
use clatter::transportstate::TransportState as ClatterTransport;
use clatter::{KeyPair, NqHandshake};
use snow::resolvers::{BoxedCryptoResolver, DefaultResolver, FallbackResolver, RingResolver};
use snow::{Builder, HandshakeState, TransportState};

use crate::handshakes::STATIC;

/// The longest message of a handshake here, with room.
const BUFFER: usize = 256;

/// snow, as it comes. It derives the public keys of both static keys anew each time.
pub fn snow(name: &'static str, psk: [u8; 32]) -> impl FnMut() {
    move || drop(black_box(play(name, &psk, || Box::new(DefaultResolver))))
}

/// snow with ring for what ring has: the cipher.
pub fn snow_with_ring(name: &'static str, psk: [u8; 32]) -> impl FnMut() {
    move || drop(black_box(play(name, &psk, ring)))
}

fn ring() -> BoxedCryptoResolver {
    Box::new(FallbackResolver::new(Box::new(RingResolver), Box::new(DefaultResolver)))
}

fn play(name: &str, psk: &[u8; 32], resolver: fn() -> BoxedCryptoResolver) -> [TransportState; 2] {
    let publics = [0, 1].map(|at: usize| x25519(at));
    let side = |at: usize| {
        let mut builder = Builder::with_resolver(name.parse().expect("a name"), resolver());
        if !name.contains("_NN") {
            builder = builder.local_private_key(&STATIC[at]).expect("once");
        }
        let knows = name.contains("_KK") || name.contains("_IK") && at == 0;
        if knows {
            builder = builder.remote_public_key(&publics[1 - at]).expect("once");
        }
        if name.contains("psk0") { builder.psk(0, psk).expect("once") } else { builder }
    };
    let mut writer: HandshakeState = side(0).build_initiator().expect("all keys");
    let mut reader = side(1).build_responder().expect("all keys");
    let (mut on_air, mut payload) = ([0; BUFFER], [0; BUFFER]);
    let mut turns = 0;
    while !(writer.is_handshake_finished() && reader.is_handshake_finished()) {
        let len = writer.write_message(&[], &mut on_air).expect("its turn");
        reader.read_message(&on_air[..len], &mut payload).expect("authentic");
        (writer, reader) = (reader, writer);
        turns += 1;
    }
    let sides = if turns % 2 == 0 { [writer, reader] } else { [reader, writer] };
    sides.map(|side| side.into_transport_mode().expect("the last"))
}

/// The public keys of [`STATIC`], computed once.
fn x25519(at: usize) -> [u8; 32] {
    static PUBLIC: std::sync::LazyLock<[[u8; 32]; 2]> = std::sync::LazyLock::new(|| {
        STATIC.map(|secret| x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(secret)).to_bytes())
    });
    PUBLIC[at]
}

type Clatter = NqHandshake<X25519, ChaChaPoly, Blake2s>;

/// clatter.
pub fn clatter(pattern: &'static str, psk: [u8; 32]) -> impl FnMut() {
    let statics = STATIC.map(|secret| {
        let secret = <X25519 as Dh>::PrivateKey::from_slice(&secret);
        KeyPair { public: X25519::pubkey(&secret), secret }
    });
    let make: fn() -> HandshakePattern = match pattern {
        "XX" => noise_xx,
        "KKpsk0" => noise_kk_psk0,
        "NNpsk0" => noise_nn_psk0,
        _ => noise_ik,
    };
    move || drop(black_box(clatter_play(pattern, make, &psk, &statics)))
}

type Pair = KeyPair<<X25519 as Dh>::PubKey, <X25519 as Dh>::PrivateKey>;

fn clatter_play(
    pattern: &str,
    make: fn() -> HandshakePattern,
    psk: &[u8; 32],
    statics: &[Pair; 2],
) -> [ClatterTransport<ChaChaPoly, Blake2s>; 2] {
    let side = |at: usize| {
        let own = (pattern != "NNpsk0").then(|| statics[at].clone());
        let knows = pattern == "KKpsk0" || pattern == "IK" && at == 0;
        let peer = knows.then(|| statics[1 - at].public);
        let mut side = Clatter::new(make(), b"", at == 0, own, None, peer, None).expect("all keys");
        if pattern.ends_with("psk0") {
            side.push_psk(psk);
        }
        side
    };
    let (mut writer, mut reader) = (side(0), side(1));
    let (mut on_air, mut payload) = ([0; BUFFER], [0; BUFFER]);
    let mut turns = 0;
    while !(writer.is_finished() && reader.is_finished()) {
        let len = writer.write_message(&[], &mut on_air).expect("its turn");
        reader.read_message(&on_air[..len], &mut payload).expect("authentic");
        (writer, reader) = (reader, writer);
        turns += 1;
    }
    let sides = if turns % 2 == 0 { [writer, reader] } else { [reader, writer] };
    sides.map(|side| side.finalize().expect("the last"))
}

const NN: &str = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";

/// A message of so many bytes by snow, from one side to the other.
pub fn snow_message(len: usize, with_ring: bool) -> impl FnMut() {
    let [mut from, mut to] = play(NN, &[7; 32], if with_ring { ring } else { || Box::new(DefaultResolver) });
    let (mut text, mut sealed) = (vec![5; len], vec![0; len + 16]);
    move || {
        from.write_message(&text, &mut sealed).expect("room");
        to.read_message(black_box(&sealed), &mut text).expect("authentic");
    }
}

/// A message of so many bytes by clatter, in place.
pub fn clatter_message(len: usize) -> impl FnMut() {
    let statics = STATIC.map(|secret| {
        let secret = <X25519 as Dh>::PrivateKey::from_slice(&secret);
        KeyPair { public: X25519::pubkey(&secret), secret }
    });
    let [mut from, mut to] = clatter_play("NNpsk0", noise_nn_psk0, &[7; 32], &statics);
    let mut buffer = vec![5; len + 16];
    move || {
        from.send_in_place(&mut buffer, len).expect("room");
        to.receive_in_place(black_box(&mut buffer), len + 16).expect("authentic");
    }
}
