//! What the tests of this crate share: randomness that can be repeated, and a band and a wallet with their keys.

pub(crate) mod kinds;

use std::hash::{BuildHasher, RandomState};

use armring_channel::{Channel, Opened, sealed_len};
use armring_pairing::*;
use armring_wire::{Uptime, Version, VersionRange};
use proptest::test_runner::{Config, RngSeed};
pub(crate) use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};

pub(crate) const NOW: Uptime = Uptime::from_millis(5_000);

/// Randomness that differs from run to run. A test that fails shows the seed; with `ARMRING_SEED` set to it, the run is repeated.
pub(crate) fn random() -> ChaCha20Rng {
    let seed = match std::env::var("ARMRING_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().hash_one(()),
    };
    println!("ARMRING_SEED={seed}");
    ChaCha20Rng::seed_from_u64(seed)
}

/// So many cases of a property, whose seed is shown where one fails. To run a failure again:
/// `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
pub(crate) fn cases(cases: u32) -> Config {
    let config = Config { failure_persistence: None, cases, ..Config::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(()),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    Config { rng_seed: RngSeed::Fixed(seed), ..config }
}

/// Randomness that is the same in each run.
pub(crate) fn fixed() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(0)
}

pub(crate) fn bytes<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Fails after some draws.
pub(crate) struct FailingRng(pub(crate) usize);

impl TryRng for FailingRng {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::Other)?;
        bytes.fill(0x5a);
        Ok(())
    }
}

impl TryCryptoRng for FailingRng {}

/// A key that claims a public key and computes with another, or with none: an attacker's, or a secure element that fails.
pub(crate) struct ClaimedKey(pub(crate) PublicKey, pub(crate) Option<SoftwareKey>);

impl DiffieHellman for ClaimedKey {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, DhError> {
        self.1.as_ref().ok_or(DhError::Unavailable)?.diffie_hellman(peer)
    }
}

/// The static keys of a band and of a wallet.
pub(crate) struct Two {
    pub(crate) band: SoftwareKey,
    pub(crate) wallet: SoftwareKey,
}

pub(crate) fn two(rng: &mut ChaCha20Rng) -> Two {
    Two { band: SoftwareKey::generate(rng).unwrap(), wallet: SoftwareKey::generate(rng).unwrap() }
}

impl Two {
    /// Both ends of a link, as a pairing leaves it.
    pub(crate) fn link(&self, rng: &mut ChaCha20Rng) -> (Link, Link) {
        let secret: [u8; 32] = bytes(rng);
        let end = |peer: &SoftwareKey| {
            let secret = LinkSecret::new(secret);
            Link::from_parts(peer.public_key(), secret, Version(1), Assurance::ComparedCode, LinkState::Provisional)
        };
        (end(&self.wallet), end(&self.band))
    }
}

pub(crate) fn range(lowest: u8, highest: u8) -> VersionRange {
    VersionRange { lowest: Version(lowest), highest: Version(highest) }
}

pub(crate) fn hello(rng: &mut ChaCha20Rng) -> BandHello {
    BandHello::new(VersionRange::SUPPORTED, rng).unwrap()
}

/// The same key with bit 255 set, which X25519 takes for the same.
pub(crate) fn with_high_bit(mut key: [u8; 32]) -> [u8; 32] {
    key[31] |= 0x80;
    key
}

/// A wallet's hello with one byte altered on its way.
pub(crate) fn altered(hello: &WalletHello, at: usize, alter: impl Fn(u8) -> u8) -> Result<WalletHello, Error> {
    let mut bytes = hello.encode(&mut [0; WalletHello::MAX_LEN]).to_vec();
    bytes[at] = alter(bytes[at]);
    WalletHello::from_bytes(&bytes)
}

/// `record` as `channel` seals it.
pub(crate) fn seal(channel: &mut Channel, record: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; sealed_len(record.len()).unwrap()];
    buffer[..record.len()].copy_from_slice(record);
    channel.seal(&mut buffer, record.len()).unwrap().to_vec()
}

/// Whether each end opens what the other seals.
pub(crate) fn speak(a: &mut Channel, b: &mut Channel) -> bool {
    a.binding() == b.binding()
        && b.open(&mut seal(a, b"one way")) == Ok(Opened::Record(b"one way"))
        && a.open(&mut seal(b, b"and back")) == Ok(Opened::Record(b"and back"))
}
