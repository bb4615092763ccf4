//! The code that two people compare.

use core::fmt;

use armring_wire::Digits;

/// How many symbols a code is played in.
pub const SYMBOLS: usize = 10;

/// One of four signs that lights or a motor can give: a colour, or a number of pulses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// 00: red, or one pulse.
    Red = 1,
    /// 01: green, or two pulses.
    Green = 2,
    /// 10: blue, or three pulses.
    Blue = 3,
    /// 11: white, or four pulses.
    White = 4,
}

impl Symbol {
    /// How many pulses stand for it.
    #[must_use]
    pub const fn pulses(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::White => "white",
        })
    }
}

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

    /// Ten signs for a band without digits: the first 20 bits, two bits each, the highest first. As good as the digits: one guess in a
    /// million.
    #[must_use]
    pub fn symbols(&self) -> [Symbol; SYMBOLS] {
        let [a, b, c, ..] = self.0;
        let bits = u32::from_be_bytes([0, a, b, c]) >> 4;
        let mut shift = 20;
        [(); SYMBOLS].map(|()| {
            shift -= 2;
            match bits >> shift & 0b11 {
                0 => Symbol::Red,
                1 => Symbol::Green,
                2 => Symbol::Blue,
                _ => Symbol::White,
            }
        })
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_the_first_twenty_bits() {
        let mut hash = [0xFF; 32];
        hash[..3].copy_from_slice(&[0b00_01_10_11, 0b11_10_01_00, 0b01_10_11_11]);
        let symbols = Code::new(hash).symbols();
        assert_eq!(symbols.map(Symbol::pulses), [1, 2, 3, 4, 4, 3, 2, 1, 2, 3]);
        let mut other = hash;
        other[2] ^= 0b0000_1000;
        assert_eq!(Code::new(other).symbols(), symbols, "bit 21 is not shown");
        other[2] ^= 0b0001_0000;
        assert_ne!(Code::new(other).symbols(), symbols);
    }
}
