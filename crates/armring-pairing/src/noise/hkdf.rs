//! HMAC-BLAKE2s (RFC 2104) and HKDF (RFC 5869 with empty info, which is Noise §4.3).
//!
//! The `hmac` crate has the same, but keeps the key of its outer hash in memory when it is dropped; here all of it is erased.

use blake2::digest::block_api::{Block, Buffer, CoreProxy, UpdateCore};
use blake2::{Blake2s256, Digest};
use zeroize::Zeroizing;

/// BLAKE2s after whole blocks.
type State = <Blake2s256 as CoreProxy>::Core;

/// Bytes that BLAKE2s takes at a time.
const BLOCK_LEN: usize = 64;

/// What HMAC's inner and outer hash begin with, besides the key.
const PADS: [u8; 2] = [0x36, 0x5c];

/// The key, as the block with which a hash begins.
fn block(key: &[u8; 32], pad: u8) -> Zeroizing<[u8; BLOCK_LEN]> {
    let mut block = Zeroizing::new([pad; BLOCK_LEN]);
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    block
}

/// The rest of HMAC, once both hashes have begun.
fn authenticate([mut inner, outer]: [Blake2s256; 2], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    for part in parts {
        inner.update(part);
    }
    let inner = Zeroizing::new(<[u8; 32]>::from(inner.finalize()));
    Zeroizing::new(outer.chain_update(*inner).finalize().into())
}

/// `N` outputs out of a chaining key and some input (Noise `HKDF`). The first outputs do not depend on how many there are.
pub(crate) fn hkdf<const N: usize>(chaining_key: &[u8; 32], input: &[u8]) -> [Zeroizing<[u8; 32]>; N] {
    let mut outputs = [(); N].map(|()| Zeroizing::new([0; 32]));
    fill(&mut outputs, chaining_key, input);
    outputs
}

fn fill(outputs: &mut [Zeroizing<[u8; 32]>], chaining_key: &[u8; 32], input: &[u8]) {
    let key = authenticate(PADS.map(|pad| Blake2s256::new().chain_update(*block(chaining_key, pad))), &[input]);
    // All outputs have this key, whose blocks are hashed once. Something follows on them each time: BLAKE2s marks the last block.
    let begun = PADS.map(|pad| {
        let mut state = State::default();
        state.update_blocks(core::slice::from_ref::<Block<State>>((&*block(&key, pad)).into()));
        state
    });
    let mut previous: &[u8] = &[];
    for (output, number) in outputs.iter_mut().zip(1u8..) {
        let hashes = begun.each_ref().map(|state| Blake2s256::compose(state.clone(), Buffer::<State>::default()));
        *output = authenticate(hashes, &[previous, &[number]]);
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
