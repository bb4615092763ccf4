//! Six digits for people to compare.

use core::fmt;

/// Six decimal digits that two people, or two screens, compare. An attacker who must guess them has one chance in a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits(u32);

impl Digits {
    /// The digits of a 32-byte hash: its first 8 bytes, big-endian, modulo 10⁶.
    #[must_use]
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let mut number = 0u64;
        for byte in &hash[..8] {
            number = number << 8 | u64::from(*byte);
        }
        let digits = (number % 1_000_000) as u32;
        Self(digits)
    }

    /// The six digits as a number below 10⁶.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn digits_keep_their_zeros() {
        let mut hash = [0; 32];
        hash[6..8].copy_from_slice(&42_017u16.to_be_bytes());
        let digits = Digits::from_hash(&hash);
        assert_eq!(digits.number(), 42_017);
        assert_eq!(std::format!("{digits}"), "042 017");
    }
}
