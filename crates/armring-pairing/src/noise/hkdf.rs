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

/// The key, as the block with which a hash begins.
fn block(key: &[u8; 32], pad: u8) -> Zeroizing<[u8; BLOCK_LEN]> {
    let mut block = Zeroizing::new([pad; BLOCK_LEN]);
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    block
}

/// A hash behind the block of the key. Something must follow on it: BLAKE2s marks its last block.
fn behind(key: &[u8; 32], pad: u8) -> State {
    let mut state = State::default();
    state.update_blocks(slice::from_ref::<Block<State>>((&*block(key, pad)).into()));
    state
}

/// The rest of HMAC, once its inner hash has all that it is over.
fn finish(inner: Blake2s256, outer: &State, output: &mut [u8; 32]) {
    inner.finalize_into(output.into());
    let mut outer = Blake2s256::compose(outer.clone(), Buffer::<State>::default());
    outer.update(output.as_slice());
    outer.finalize_into(output.into());
}

/// The first outputs out of a chaining key and some input (Noise `HKDF`), as many as `count` says, three at most. They do not depend on how many
/// there are; the others are zero.
pub(crate) fn hkdf(chaining_key: &[u8; 32], input: &[u8], count: usize) -> [Zeroizing<[u8; 32]>; 3] {
    let mut key = Zeroizing::new([0; 32]);
    let inner = Blake2s256::new().chain_update(block(chaining_key, INNER).as_slice()).chain_update(input);
    finish(inner, &behind(chaining_key, OUTER), &mut key);

    // All outputs have this key, whose blocks are hashed once.
    let (begun, outer) = (behind(&key, INNER), behind(&key, OUTER));
    let mut outputs = [(); 3].map(|()| Zeroizing::new([0; 32]));
    let mut previous: &[u8] = &[];
    for (output, number) in outputs.iter_mut().zip(1u8..).take(count) {
        let inner = Blake2s256::compose(begun.clone(), Buffer::<State>::default());
        finish(inner.chain_update(previous).chain_update([number]), &outer, output);
        previous = output.as_slice();
    }
    outputs
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
            for count in 0..=3 {
                let mut first = expected;
                first.iter_mut().skip(count).for_each(|output| *output = [0; 32]);
                prop_assert_eq!(hkdf(&chaining_key, &input, count).map(|output| *output), first);
            }
        }
    }
}
