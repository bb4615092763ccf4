//! The fuzzer's bytes, read from the front.

use arbitrary::{Arbitrary, Unstructured};

/// What is left of the input. Where it has come to its end, everything read is zero.
pub(crate) struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Any number, array of numbers, or boolean.
    pub(crate) fn any<T: Arbitrary<'a>>(&mut self) -> T {
        T::arbitrary(&mut self.0).unwrap_or_else(|_| unreachable!("plain values are made of any bytes"))
    }

    /// A number below `end`, which is 256 at most.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.any::<u8>()) % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// The next bytes, as many as a first one says, `most` at most.
    pub(crate) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let len = if most < 256 { self.below(most + 1) } else { usize::from(self.any::<u16>()) % (most + 1) };
        self.0.bytes(len.min(self.0.len())).unwrap_or_default()
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.0.bytes(self.0.len()).unwrap_or_default()
    }

    /// Changes some of `bytes`, as the input says: replaces them, flips bits, or cuts them. Whether they are others now.
    pub(crate) fn alter(&mut self, bytes: &mut Vec<u8>) -> bool {
        let before = bytes.clone();
        match self.below(4) {
            0 => *bytes = self.bytes(700).to_vec(),
            1 => bytes.truncate(usize::from(self.any::<u16>()) % (bytes.len() + 1)),
            2 => bytes.extend_from_slice(self.bytes(40)),
            _ => {
                for _ in 0..=self.below(4) {
                    let (at, mask) = (usize::from(self.any::<u16>()), self.any::<u8>());
                    let len = bytes.len().max(1);
                    if let Some(byte) = bytes.get_mut(at % len) {
                        *byte ^= mask;
                    }
                }
            }
        }
        *bytes != before
    }
}
