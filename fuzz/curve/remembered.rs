//! Part of a copy of curve25519-dalek that `cargo xtask fuzz` builds the targets with: its slow functions, remembered.
//!
//! The keys of a fuzz target and its randomness are the same in each execution, so that most points are too. What the functions give does
//! not change; they were 8 of 10 parts of an execution's time.

extern crate std;

use core::cell::RefCell;
use core::hash::{BuildHasherDefault, Hash, Hasher};
use std::collections::HashMap;

use crate::edwards::{CompressedEdwardsY, EdwardsPoint};
use crate::montgomery::MontgomeryPoint;
use crate::scalar::Scalar;

/// With so many entries a memory is full and begins anew.
const MOST: usize = 1 << 14;

macro_rules! remembered {
    ($(fn $name:ident($($argument:ident: $of:ty),+) -> $gives:ty { $key:expr => $key_of:ty, $anew:expr })+) => { $(
        pub(crate) fn $name($($argument: $of),+) -> $gives {
            std::thread_local!(static MEMORY: Memory<$key_of, $gives> = Memory::default());
            let key = $key;
            if let Some(known) = MEMORY.with_borrow(|memory| memory.get(&key).copied()) {
                return known;
            }
            let value = $anew;
            MEMORY.with_borrow_mut(|memory| {
                if memory.len() == MOST {
                    memory.clear();
                }
                memory.insert(key, value);
            });
            value
        }
    )+ };
}

// Of each: all that its result depends on, and what it was.
remembered! {
    fn decompress(bytes: &CompressedEdwardsY) -> Option<EdwardsPoint> { bytes.0 => [u8; 32], bytes.decompress_anew() }
    fn compress(point: &EdwardsPoint) -> CompressedEdwardsY { limbs(point) => [[u64; 5]; 4], point.compress_anew() }
    fn to_montgomery(point: &EdwardsPoint) -> MontgomeryPoint { limbs(point) => [[u64; 5]; 4], point.to_montgomery_anew() }
    fn mul_base(scalar: &Scalar) -> EdwardsPoint { scalar.bytes => [u8; 32], EdwardsPoint::mul_base_anew(scalar) }
    fn vartime_double_scalar_mul_basepoint(a: &Scalar, point: &EdwardsPoint, b: &Scalar) -> EdwardsPoint {
        (a.bytes, limbs(point), b.bytes) => ([u8; 32], [[u64; 5]; 4], [u8; 32]),
        EdwardsPoint::vartime_double_scalar_mul_basepoint_anew(a, point, b)
    }
    fn mul_clamped(point: MontgomeryPoint, scalar: [u8; 32]) -> MontgomeryPoint {
        (point.0, scalar) => ([u8; 32], [u8; 32]),
        point.mul_clamped_anew(scalar)
    }
}

/// A point as it is in memory: one that is equal may be another here, which costs time alone.
fn limbs(point: &EdwardsPoint) -> [[u64; 5]; 4] {
    [point.X.0, point.Y.0, point.Z.0, point.T.0]
}

type Memory<K, V> = RefCell<HashMap<K, V, BuildHasherDefault<Mix>>>;

/// Quick, and good enough for points and scalars.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks_exact(8) {
            let word = u64::from_le_bytes(core::array::from_fn(|i| word[i]));
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
