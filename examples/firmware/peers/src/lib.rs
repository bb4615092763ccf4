//! What the measurements of others have in common.

#![no_std]

use armring_meter::Meter;
use rand_core_0_6::{CryptoRng, Error, RngCore};

/// One side of a handshake, of which each step is counted.
#[derive(Default)]
pub struct Side {
    instructions: u32,
    stack: usize,
}

impl Side {
    /// A step of this side.
    pub fn step<R>(&mut self, meter: &Meter, work: impl FnOnce() -> R) -> Option<R> {
        let (mut work, mut result) = (Some(work), None);
        let (instructions, stack) = meter.stack(&mut || {
            let Some(work) = work.take() else { return 0 };
            let (gave, instructions) = meter.count(work);
            result = Some(gave);
            instructions
        });
        self.instructions = self.instructions.saturating_add(instructions);
        self.stack = self.stack.max(stack);
        result
    }

    /// Reports all steps together.
    pub fn report(&self, meter: &Meter, name: &str) {
        meter.report(name, self.instructions, self.stack);
    }
}

/// Random bytes that are the same in each run, so that the figures are.
#[derive(Clone, Default)]
pub struct Draws(u64);

impl RngCore for Draws {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        // SplitMix64: as good as any, for keys of nobody.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(to, from)| *to = from);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Draws {}
