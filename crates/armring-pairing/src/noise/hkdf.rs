//! HMAC-BLAKE2s (RFC 2104) and HKDF (RFC 5869 with empty info, which is Noise §4.3).
//!
//! The `hmac` crate has the same, but keeps the key of its outer hash in memory when it is dropped; here all of it is erased.

use core::slice;

use blake2::digest::block_api::{Block, Buffer, CoreProxy, UpdateCore};
use blake2::{Blake2s256, Digest};
use zeroize::Zeroizing;

/// BLAKE2s after whole blocks.
type State = <Blake2s256 as CoreProxy>::Core;

/// Bytes that BLAKE2s takes at a time.
const BLOCK_LEN: usize = 64;

/// What HMAC's inner and outer hash begin with, besides the key.
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// The key as the first block of the inner hash, then of the outer one.
fn blocks<T>(key: &[u8; 32], mut begin: impl FnMut(&[u8; BLOCK_LEN]) -> T) -> (T, T) {
    let mut block = Zeroizing::new([INNER; BLOCK_LEN]);
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let inner = begin(&block);
    for byte in block.iter_mut() {
        *byte ^= INNER ^ OUTER;
    }
    (inner, begin(&block))
}

/// The rest of HMAC, once both hashes have begun.
fn finish(mut inner: Blake2s256, mut outer: Blake2s256, parts: &[&[u8]], output: &mut [u8; 32]) {
    for part in parts {
        inner.update(part);
    }
    inner.finalize_into(output.into());
    outer.update(&*output);
    outer.finalize_into(output.into());
}

/// `N` outputs out of a chaining key and some input (Noise `HKDF`). The first outputs do not depend on how many there are.
pub(crate) fn hkdf<const N: usize>(chaining_key: &[u8; 32], input: &[u8]) -> [Zeroizing<[u8; 32]>; N] {
    let mut outputs = [(); N].map(|()| Zeroizing::new([0; 32]));
    fill(&mut outputs, chaining_key, input);
    outputs
}

fn fill(outputs: &mut [Zeroizing<[u8; 32]>], chaining_key: &[u8; 32], input: &[u8]) {
    let mut key = Zeroizing::new([0; 32]);
    let (inner, outer) = blocks(chaining_key, |block| Blake2s256::new().chain_update(block));
    finish(inner, outer, &[input], &mut key);
    // All outputs have this key, whose blocks are hashed once. Something follows on them each time: BLAKE2s marks the last block.
    let (inner, outer) = blocks(&key, |block| {
        let mut state = State::default();
        state.update_blocks(slice::from_ref::<Block<State>>(block.into()));
        state
    });
    let mut previous: &[u8] = &[];
    for (output, number) in outputs.iter_mut().zip(1u8..) {
        let behind = |state: &State| Blake2s256::compose(state.clone(), Buffer::<State>::default());
        finish(behind(&inner), behind(&outer), &[previous, &[number]], output);
        previous = output.as_slice();
    }
}

#[cfg(test)]
mod tests {
    use ::hkdf::SimpleHkdf;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_hkdf_of_rfc_5869(chaining_key: [u8; 32], input in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut expected = [[0; 32]; 3];
            SimpleHkdf::<Blake2s256>::new(Some(&chaining_key), &input).expand(&[], expected.as_flattened_mut()).unwrap();
            prop_assert_eq!(hkdf::<3>(&chaining_key, &input).map(|output| *output), expected);
            prop_assert_eq!(hkdf::<2>(&chaining_key, &input).map(|output| *output), [expected[0], expected[1]]);
            prop_assert_eq!(hkdf::<1>(&chaining_key, &input).map(|output| *output), [expected[0]]);
        }
    }
}
