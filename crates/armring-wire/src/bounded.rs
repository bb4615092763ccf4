//! Bytes and text with a longest length, borrowed from the record that carried them.

use core::fmt;

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Deserializer, Serialize};

/// How many bytes postcard takes for a length of `max`.
const fn length_prefix(max: usize) -> usize {
    match max {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 3,
    }
}

/// At most `MAX` bytes that this layer carries and does not read: a signed object, or a message sealed for somebody else.
///
/// On the wire a varint length, then the bytes. `MAX` is below 65,536.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Opaque<'a, const MAX: usize>(&'a [u8]);

impl<'a, const MAX: usize> Opaque<'a, MAX> {
    /// Wraps `bytes`; `None` where there are more than `MAX`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() <= MAX { Some(Self(bytes)) } else { None }
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<const MAX: usize> fmt::Debug for Opaque<'_, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.0.len())
    }
}

impl<'de: 'a, 'a, const MAX: usize> Deserialize<'de> for Opaque<'a, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&'de [u8]>::deserialize(deserializer)?;
        Self::new(bytes).ok_or_else(|| serde::de::Error::custom("longer than it may be"))
    }
}

impl<const MAX: usize> MaxSize for Opaque<'_, MAX> {
    const POSTCARD_MAX_SIZE: usize = length_prefix(MAX) + MAX;
}

/// Text of at most `MAX` bytes of UTF-8, shown to a person. Without control characters, so that it cannot move a cursor or hide a line.
///
/// On the wire a varint length, then the bytes. `MAX` is below 65,536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Text<'a, const MAX: usize>(&'a str);

impl<'a, const MAX: usize> Text<'a, MAX> {
    /// Wraps `text`; `None` where it has more than `MAX` bytes or a control character.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        (text.len() <= MAX && !text.chars().any(char::is_control)).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl<'de: 'a, 'a, const MAX: usize> Deserialize<'de> for Text<'a, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de str>::deserialize(deserializer)?;
        Self::new(text).ok_or_else(|| serde::de::Error::custom("longer than it may be, or with a control character"))
    }
}

impl<const MAX: usize> MaxSize for Text<'_, MAX> {
    const POSTCARD_MAX_SIZE: usize = length_prefix(MAX) + MAX;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecodeError, decode};

    #[test]
    fn a_length_above_the_bound_is_refused() {
        assert!(decode::<Opaque<'_, 3>>(&[3, 1, 2, 3]).is_ok());
        assert_eq!(decode::<Opaque<'_, 2>>(&[3, 1, 2, 3]), Err(DecodeError::Malformed));
        assert_eq!(Opaque::<2>::new(&[1, 2, 3]), None);
    }

    #[test]
    fn text_holds_no_control_characters() {
        assert!(Text::<8>::new("茶馆").is_some());
        assert!(Text::<8>::new("a\x1b[2J").is_none());
        assert!(Text::<5>::new("茶馆").is_none());
        assert_eq!(decode::<Text<'_, 8>>(b"\x02a\n"), Err(DecodeError::Malformed));
    }

    #[test]
    fn debug_of_opaque_bytes_shows_their_number_alone() {
        extern crate std;
        assert_eq!(std::format!("{:?}", Opaque::<4>(&[1, 2])), "Opaque(2 bytes)");
    }
}
