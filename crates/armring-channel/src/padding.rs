//! How records are padded, so that their length says little about them.

use crate::aead::TAG_LEN;

/// The longest record in bytes. Sealed it takes 40,976 bytes: the last step that fits a Noise message (65,535 bytes, Noise §3).
pub const MAX_RECORD_LEN: usize = 40_959;

/// The length of the shortest sealed record in bytes: up to 31 bytes of record, which `Close` is too.
pub const MIN_SEALED_LEN: usize = 48;

/// The first byte of padding; what follows it is zero (ISO/IEC 7816-4). There is always at least this one.
const PADDING: u8 = 0x80;

/// How many bytes a record of `len` bytes takes when sealed: padding and tag included. `None` above [`MAX_RECORD_LEN`].
///
/// ```
/// use armring_channel::sealed_len;
///
/// // One write of a phone whose ATT payload is 182 bytes carries a record of up to 159.
/// assert_eq!(sealed_len(159), Some(176));
/// assert_eq!(sealed_len(160), Some(336));
/// ```
#[must_use]
pub const fn sealed_len(len: usize) -> Option<usize> {
    match padded_len(len) {
        Some(padded) => Some(padded + TAG_LEN),
        None => None,
    }
}

/// The smallest of 32, 64, 160, 320, 640 … (doubling) that holds `len` bytes and one of padding.
pub(crate) const fn padded_len(len: usize) -> Option<usize> {
    if len > MAX_RECORD_LEN {
        return None;
    }
    if len < 32 {
        return Some(32);
    }
    if len < 64 {
        return Some(64);
    }
    let mut padded = 160;
    while padded <= len {
        padded *= 2;
    }
    Some(padded)
}

/// Whether `padded` is one of the lengths that [`padded_len`] gives.
pub(crate) const fn is_padded_len(padded: usize) -> bool {
    match padded.checked_sub(1) {
        Some(longest) => matches!(padded_len(longest), Some(length) if length == padded),
        None => false,
    }
}

/// Writes the padding of a record whose bytes are the first `len` of `padded`.
pub(crate) fn pad(padded: &mut [u8], len: usize) {
    if let Some((first, rest)) = padded.get_mut(len..).and_then(|padding| padding.split_first_mut()) {
        *first = PADDING;
        rest.fill(0);
    }
}

/// The length of the record in `padded`; `None` if it was not padded as [`padded_len`] says, more than was needed included.
pub(crate) fn unpad(padded: &[u8]) -> Option<usize> {
    let len = padded.iter().rposition(|&byte| byte != 0)?;
    (padded.get(len) == Some(&PADDING) && padded_len(len) == Some(padded.len())).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_padded_to_the_smallest_step_that_holds_it() {
        let steps = [32, 64, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960];
        for len in 0..=MAX_RECORD_LEN {
            assert_eq!(padded_len(len), steps.into_iter().find(|step| *step > len));
        }
        assert_eq!([MAX_RECORD_LEN + 1, usize::MAX].map(padded_len), [None; 2]);
        for padded in 0..70_000 {
            assert_eq!(is_padded_len(padded), steps.contains(&padded));
        }
        assert!(!is_padded_len(usize::MAX));
        assert_eq!(sealed_len(0), Some(MIN_SEALED_LEN));
    }

    #[test]
    fn only_the_one_way_to_pad_is_removed() {
        let mut padded = [0xff; 64];
        pad(&mut padded, 40);
        assert_eq!(unpad(&padded), Some(40));

        for (name, len, last) in [("nothing but zeros", 0, 0), ("no 0x80", 40, 1), ("more than was needed", 31, PADDING)] {
            let mut padded = [0; 64];
            padded[len] = last;
            assert_eq!(unpad(&padded), None, "{name}");
        }
        assert_eq!(unpad(&[0xff; 64]), None, "no padding");
        assert_eq!(unpad(&[]), None, "nothing");
    }
}
