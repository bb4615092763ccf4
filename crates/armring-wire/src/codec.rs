//! The one way from a value to bytes and back: postcard, held to a single encoding for each value.
//!
//! postcard alone takes trailing bytes and over-long varints (`[0x80, 0x00]` decodes as 0). Here both are errors: what was decoded is
//! encoded again and compared with what came, without a buffer.

use core::fmt;

use postcard::experimental::max_size::MaxSize;
use postcard::ser_flavors::{Flavor, Slice};
use serde::{Deserialize, Serialize};

/// A record of one direction of a link: an append-only enum.
pub trait Record<'a>: Serialize + Deserialize<'a> + MaxSize {
    /// How many variants this build knows. A newer peer may send others: they are [`DecodeError::UnknownVariant`], which is answered and
    /// does not end the link.
    const VARIANTS: u32;

    /// The longest encoding, in bytes.
    const MAX_LEN: usize = Self::POSTCARD_MAX_SIZE;
}

/// Encodes `value` into the front of `buffer`.
///
/// # Errors
/// [`BufferTooSmall`] where `buffer` has no room for it.
pub fn encode<'b, T: Serialize>(value: &T, buffer: &'b mut [u8]) -> Result<&'b mut [u8], BufferTooSmall> {
    postcard::serialize_with_flavor(value, Slice::new(buffer)).map_err(|_| BufferTooSmall)
}

/// Decodes a value that takes all of `bytes`.
///
/// # Errors
/// [`DecodeError::Malformed`] unless `bytes` is exactly what [`encode`] makes of some value.
pub fn decode<'a, T: Serialize + Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let value: T = postcard::from_bytes(bytes).map_err(|_| DecodeError::Malformed)?;
    postcard::serialize_with_flavor(&value, Same { expected: bytes }).map_err(|_| DecodeError::Malformed)?;
    Ok(value)
}

/// Decodes a record.
///
/// # Errors
/// [`DecodeError::UnknownVariant`] for a variant that this build does not know, else as [`decode`].
pub fn decode_record<'a, T: Record<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let (variant, rest) = postcard::take_from_bytes::<u32>(bytes).map_err(|_| DecodeError::Malformed)?;
    if variant >= T::VARIANTS {
        // What is not known has one encoding too, as far as it can be told.
        decode::<u32>(bytes.strip_suffix(rest).unwrap_or_default())?;
        return Err(DecodeError::UnknownVariant(variant));
    }
    decode(bytes)
}

/// Takes an encoding and compares it with what is expected, to the last byte.
struct Same<'a> {
    expected: &'a [u8],
}

impl Flavor for Same<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.expected = self.expected.strip_prefix(data).ok_or(postcard::Error::DeserializeBadEncoding)?;
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn finalize(self) -> postcard::Result<()> {
        if self.expected.is_empty() { Ok(()) } else { Err(postcard::Error::DeserializeBadEncoding) }
    }
}

/// The caller's buffer has no room for the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall;

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer is too small for the encoding")
    }
}

impl core::error::Error for BufferTooSmall {}

/// Why bytes from a peer are not what they should be. The peer is to blame, or whoever stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not the encoding of any value: cut short, bytes left over, a varint longer than need be, or a field outside its range.
    Malformed,
    /// A variant that this build does not know, as a newer peer may send. It is answered, and the link goes on.
    UnknownVariant(u32),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not the encoding of any record"),
            Self::UnknownVariant(variant) => write!(f, "record variant {variant} is not known to this version"),
        }
    }
}

impl core::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_over_long_varint_is_refused() {
        assert_eq!(postcard::from_bytes::<u32>(&[0x80, 0x00]), Ok(0), "postcard itself takes it");
        assert_eq!(decode::<u32>(&[0x80, 0x00]), Err(DecodeError::Malformed));
        assert_eq!(decode::<u32>(&[0x00]), Ok(0));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(decode::<u32>(&[0x01, 0x00]), Err(DecodeError::Malformed));
    }

    #[test]
    fn a_cut_encoding_is_refused() {
        assert_eq!(decode::<[u8; 4]>(&[1, 2, 3]), Err(DecodeError::Malformed));
        assert_eq!(decode::<u8>(&[]), Err(DecodeError::Malformed));
    }

    #[test]
    fn a_buffer_without_room_is_the_callers_error() {
        assert_eq!(encode(&[1u8, 2, 3], &mut [0; 2]), Err(BufferTooSmall));
    }
}
