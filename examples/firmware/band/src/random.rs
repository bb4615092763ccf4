//! Random bytes, of which there are none before there is entropy.

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::board::{Board, Fault};

/// ChaCha20 under a key of the board's entropy. A band cannot be handed an event without it, and there is no way to make one but this: what
/// was not seeded does not run.
///
/// # Errors
/// [`Fault::Randomness`] where the board has no entropy, or what it gives is one byte again and again, as from a generator that is stuck or
/// was never switched on.
pub(crate) fn seeded(board: &mut impl Board) -> Result<ChaCha20Rng, Fault> {
    let seed = Zeroizing::new(board.entropy()?);
    let [first, rest @ ..] = &*seed;
    if rest.iter().all(|byte| byte == first) {
        return Err(Fault::Randomness);
    }
    Ok(ChaCha20Rng::from_seed(*seed))
}
