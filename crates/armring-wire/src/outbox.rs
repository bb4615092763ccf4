//! One record on its way out, in memory that the caller owns.

use crate::fragment::{AttPayload, Fragmenter};

/// Holds the record that is being sent and cuts it into fragments: the counterpart of [`Reassembler`](crate::Reassembler). The next record
/// is put in when the last fragment of this one was taken.
#[derive(Debug)]
pub struct Outbox<B> {
    buffer: B,
    len: usize,
    sent: usize,
    fragmenter: Fragmenter,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Outbox<B> {
    /// Nothing to send; records may be as long as `buffer`.
    pub const fn new(buffer: B) -> Self {
        Self { buffer, len: 0, sent: 0, fragmenter: Fragmenter::new(AttPayload::MIN) }
    }

    /// Forgets what is left to send and starts the numbering of a new connection.
    pub fn reset(&mut self, payload: AttPayload) {
        self.len = 0;
        self.sent = 0;
        self.fragmenter = Fragmenter::new(payload);
    }

    /// Whether everything was sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sent == self.len
    }

    /// Puts in what `write` leaves in the front of the buffer; it returns how many bytes that are. Where something is still to be sent, or
    /// `write` fails, nothing changes.
    ///
    /// # Errors
    /// What `write` returns, or `busy` where the last record was not sent yet.
    pub fn put<E>(&mut self, busy: E, write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<(), E> {
        if !self.is_empty() {
            return Err(busy);
        }
        let buffer = self.buffer.as_mut();
        self.len = write(buffer)?.min(buffer.len());
        self.sent = 0;
        Ok(())
    }

    /// Writes the next fragment into the front of `fragment` and returns its length; `None` when there is nothing more to send, or where
    /// `fragment` has no room for two bytes.
    pub fn next_fragment(&mut self, fragment: &mut [u8]) -> Option<usize> {
        let record = self.buffer.as_ref().get(..self.len)?;
        let (len, sent) = self.fragmenter.cut(record, self.sent, fragment)?;
        self.sent = sent;
        Some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reassembler;

    #[test]
    fn a_record_leaves_before_the_next_is_put_in() {
        let mut outbox = Outbox::new([0; 64]);
        let write = |buffer: &mut [u8]| {
            buffer[..40].fill(7);
            Ok(40)
        };
        assert_eq!(outbox.put("busy", write), Ok(()));
        assert_eq!(outbox.put("busy", |_| Ok(1)), Err("busy"));
        let mut reassembler = Reassembler::new([0; 64]);
        let mut fragment = [0; 20];
        let mut arrived = 0;
        while let Some(len) = outbox.next_fragment(&mut fragment) {
            if let Some(record) = reassembler.push(&fragment[..len]).unwrap() {
                assert_eq!(record, [7; 40]);
                arrived += 1;
            }
        }
        assert_eq!((arrived, outbox.is_empty()), (1, true));
    }
}
