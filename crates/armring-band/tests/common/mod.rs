//! What the test files share: a band that nobody has connected to, and seeds.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::hash::{BuildHasher, RandomState};

use armring_band::{Band, Output, Signal, SoftwareKeys};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wire::Uptime;
use ed25519_dalek::SigningKey;
use proptest::test_runner::{Config, RngSeed};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) type SoftBand = Band<SoftwareKey, SoftwareKeys>;

pub(crate) fn root() -> RootKey {
    RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap()
}

pub(crate) fn band() -> (SoftBand, ChaCha20Rng) {
    (Band::new(SoftwareKey::new([7; 32]), SoftwareKeys, root()), ChaCha20Rng::seed_from_u64(1))
}

pub(crate) fn at(milliseconds: u64) -> Uptime {
    Uptime::from_millis(milliseconds)
}

/// Polls everything: signals, what was transmitted, whether the connection is to end.
pub(crate) fn drain(band: &mut SoftBand) -> (Vec<Signal>, Vec<Vec<u8>>, bool) {
    let (mut signals, mut sent, mut ends) = (Vec::new(), Vec::new(), false);
    let mut fragment = [0; 514];
    while let Some(output) = band.poll(&mut fragment) {
        match output {
            Output::Signal(signal) => signals.push(signal),
            Output::Transmit(fragment) => sent.push(fragment.to_vec()),
            Output::Disconnect => ends = true,
            _ => {}
        }
    }
    (signals, sent, ends)
}

/// A seed, which is printed. To run a failure again: `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
pub(crate) fn config(cases: u32) -> Config {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one("armring"),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    Config { failure_persistence: None, rng_seed: RngSeed::Fixed(seed), cases, ..Config::default() }
}
