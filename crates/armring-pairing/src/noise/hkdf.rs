//! HMAC-BLAKE2s (RFC 2104) and HKDF (RFC 5869 with empty info, which is Noise §4.3).
//!
//! The `hmac` crate has the same, but keeps the key of its outer hash in memory when it is dropped; here all of it is erased.

use blake2::{Blake2s256, Digest};
use zeroize::Zeroizing;

/// Bytes that BLAKE2s takes at a time.
const BLOCK_LEN: usize = 64;

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let padded = |pad: u8| {
        let mut block = Zeroizing::new([pad; BLOCK_LEN]);
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        Blake2s256::new().chain_update(*block)
    };
    let mut inner = padded(0x36);
    for part in parts {
        inner.update(part);
    }
    let inner = Zeroizing::new(<[u8; 32]>::from(inner.finalize()));
    Zeroizing::new(padded(0x5c).chain_update(*inner).finalize().into())
}

/// `N` outputs out of a chaining key and some input (Noise `HKDF`). The first outputs do not depend on how many there are.
pub(crate) fn hkdf<const N: usize>(chaining_key: &[u8; 32], input: &[u8]) -> [Zeroizing<[u8; 32]>; N] {
    let key = hmac(chaining_key, &[input]);
    let mut outputs = [(); N].map(|()| Zeroizing::new([0; 32]));
    let mut previous: &[u8] = &[];
    for (output, number) in outputs.iter_mut().zip(1u8..) {
        *output = hmac(&key, &[previous, &[number]]);
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
            prop_assert_eq!(hkdf::<3>(&chaining_key, &input).map(|output| *output), expected);
            prop_assert_eq!(hkdf::<2>(&chaining_key, &input).map(|output| *output), [expected[0], expected[1]]);
        }
    }
}
