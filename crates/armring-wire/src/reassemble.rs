//! Fragments put together again, in memory that the caller owns.

use crate::fragment::{ATT_PAYLOAD_MAX, FIRST, FragmentError, LAST, SEQUENCE};

/// Puts the fragments of one direction of a link together. It never holds more than one record and never more than the memory it was
/// given: `[u8; N]`, `&mut [u8]` or anything else that is bytes.
///
/// Loss, repetition and interleaving are noticed by the sequence number. A run of exactly 64 lost fragments, or of 63 (the next one looks
/// like a repetition), is not, nor is a fragment that was changed or cut short: what a record says is vouched for by the channel's tag,
/// never by this layer.
#[derive(Debug)]
pub struct Reassembler<B> {
    buffer: B,
    /// Bytes of the record in progress, or of the one that was handed out last.
    len: usize,
    /// The sequence number of the next fragment; unknown at the start and after an error.
    expected: Option<u8>,
    in_progress: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Reassembler<B> {
    /// Starts a connection; records may be as long as `buffer`.
    pub const fn new(buffer: B) -> Self {
        Self { buffer, len: 0, expected: None, in_progress: false }
    }

    /// Forgets a record in progress and the numbering, for a new connection.
    pub fn reset(&mut self) {
        self.give_up();
    }

    /// Whether a record has begun and not ended.
    #[must_use]
    pub const fn is_in_progress(&self) -> bool {
        self.in_progress
    }

    /// Takes a fragment. Gives the whole record with its last one, to be opened in place.
    ///
    /// # Errors
    /// A [`FragmentError`] says what is wrong; the reassembler is then ready for the next record. Where [`FragmentError::is_unread`],
    /// pushing the same fragment again begins the record that it opens.
    pub fn push(&mut self, fragment: &[u8]) -> Result<Option<&mut [u8]>, FragmentError> {
        let (header, body) = match fragment.split_first() {
            Some((header, body)) if !body.is_empty() && fragment.len() <= ATT_PAYLOAD_MAX => (*header, body),
            _ => return Err(FragmentError::Length(fragment.len())),
        };
        let sequence = header & SEQUENCE;
        self.check_order(sequence, header & FIRST != 0)?;
        if header & FIRST != 0 {
            self.len = 0;
        }
        let memory = self.buffer.as_ref().len();
        let end = self.len + body.len();
        let Some(room) = self.buffer.as_mut().get_mut(self.len..end) else {
            self.give_up();
            return Err(FragmentError::TooLong(memory));
        };
        room.copy_from_slice(body);
        self.len = end;
        self.expected = Some((sequence + 1) & SEQUENCE);
        self.in_progress = header & LAST == 0;
        Ok(if self.in_progress { None } else { self.buffer.as_mut().get_mut(..end) })
    }

    fn check_order(&mut self, sequence: u8, first: bool) -> Result<(), FragmentError> {
        if self.expected.is_some_and(|expected| sequence == expected.wrapping_sub(1) & SEQUENCE) {
            return Err(FragmentError::Repeated);
        }
        let error = match (self.expected, self.in_progress) {
            (Some(expected), _) if expected != sequence => FragmentError::Gap,
            (_, true) if first => FragmentError::Interrupted,
            (_, false) if !first => FragmentError::NotBegun,
            _ => return Ok(()),
        };
        self.give_up();
        Err(error)
    }

    fn give_up(&mut self) {
        self.len = 0;
        self.expected = None;
        self.in_progress = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: u8 = FIRST;
    const L: u8 = LAST;

    fn reassembler() -> Reassembler<[u8; 4]> {
        Reassembler::new([0; 4])
    }

    #[test]
    fn a_gap_gives_the_record_up_and_the_next_one_arrives() {
        let mut r = reassembler();
        assert_eq!(r.push(&[F, 1]), Ok(None));
        assert_eq!(r.push(&[L | 2, 3]), Err(FragmentError::Gap));
        assert_eq!(r.push(&[L | 2, 3]), Err(FragmentError::NotBegun));
        assert_eq!(r.push(&[F | L | 3, 4]), Ok(Some(&mut [4][..])));
    }

    #[test]
    fn a_repetition_is_dropped_and_the_record_goes_on() {
        let mut r = reassembler();
        assert_eq!(r.push(&[F, 1]), Ok(None));
        assert_eq!(r.push(&[F, 1]), Err(FragmentError::Repeated));
        assert_eq!(r.push(&[L | 1, 2]), Ok(Some(&mut [1, 2][..])));
        assert_eq!(r.push(&[L | 1, 2]), Err(FragmentError::Repeated));
    }

    #[test]
    fn a_record_that_begins_inside_another_is_an_error_and_may_be_pushed_again() {
        let mut r = reassembler();
        assert_eq!(r.push(&[F, 1]), Ok(None));
        let interrupted = r.push(&[F | L | 1, 2]).unwrap_err();
        assert_eq!(interrupted, FragmentError::Interrupted);
        assert!(interrupted.is_unread());
        assert_eq!(r.push(&[F | L | 1, 2]), Ok(Some(&mut [2][..])));
    }

    #[test]
    fn an_over_long_record_is_an_error_and_the_next_one_arrives() {
        let mut r = reassembler();
        assert_eq!(r.push(&[F, 1, 2, 3]), Ok(None));
        assert_eq!(r.push(&[L | 1, 4, 5]), Err(FragmentError::TooLong(4)));
        assert_eq!(r.push(&[F | L | 2, 1, 2, 3, 4]), Ok(Some(&mut [1, 2, 3, 4][..])));
    }

    #[test]
    fn fragments_without_a_body_or_above_an_att_payload_are_errors() {
        let mut r = reassembler();
        assert_eq!(r.push(&[]), Err(FragmentError::Length(0)));
        assert_eq!(r.push(&[F | L]), Err(FragmentError::Length(1)));
        assert_eq!(r.push(&[F; ATT_PAYLOAD_MAX + 1]), Err(FragmentError::Length(ATT_PAYLOAD_MAX + 1)));
    }

    #[test]
    fn the_sequence_wraps_at_64() {
        let mut r = reassembler();
        assert!(r.push(&[F | L | 63, 1]).is_ok());
        assert!(r.push(&[F | L, 2]).is_ok());
    }
}
