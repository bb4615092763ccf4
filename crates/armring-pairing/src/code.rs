//! The code that two people compare.

use core::fmt;

use armring_wire::Digits;

/// A hash that two people compare, as far as they can: 32 bytes of which [`digits`](Self::digits) shows some.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; 32]);

impl Code {
    /// The code of this hash.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Six decimal digits, printed as `042 117`: the first 8 bytes, big-endian, modulo 10⁶.
    #[must_use]
    pub fn digits(&self) -> Digits {
        Digits::from_hash(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.digits())
    }
}
