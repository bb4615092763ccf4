//! Where the vectors' keys and random bytes come from, and how bytes are written.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Bytes that are called `name`: the first bytes of ChaCha20 under a key that is the name, filled up with zeros.
pub(crate) fn bytes<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    rng(name).fill_bytes(&mut bytes);
    bytes
}

/// A generator that is called `name`.
pub(crate) fn rng(name: &str) -> ChaCha20Rng {
    let mut key = [0; 32];
    key[..name.len()].copy_from_slice(name.as_bytes());
    ChaCha20Rng::from_seed(key)
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
