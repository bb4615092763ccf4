//! The channel: two directions, each with its key and its counter.

use core::fmt;

use crate::aead::{Aead, ChaChaPoly, Key};
use crate::error::{OpenError, SealError};
use crate::padding;

/// How many records in a row may fail to verify: with this one the channel is cut.
pub const FAILURES_UNTIL_CUT: u8 = 8;

/// Record `n` is sealed under key number `n >> REKEY_SHIFT`: a key serves 65,536 records.
const REKEY_SHIFT: u32 = 16;

/// The hash of a whole handshake (Noise §11.2): the same on both sides, and on no other channel. It is not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandshakeHash([u8; 32]);

impl HandshakeHash {
    /// The hash with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What the peer sent.
#[derive(PartialEq, Eq)]
pub enum Opened<'b> {
    /// A record, without its padding: at least one byte.
    Record(&'b [u8]),
    /// The peer's last word: it sends nothing more.
    Close,
}

impl fmt::Debug for Opened<'_> {
    /// Says how long a record is and nothing else: what travels sealed does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => write!(f, "Record({} bytes)", record.len()),
            Self::Close => f.write_str("Close"),
        }
    }
}

/// One side of a channel: it seals what this side says, in order, and opens what the other said.
///
/// Everything is done in the caller's memory. What is opened must be handed over in the order in which it was sealed, as GATT, L2CAP and TCP
/// deliver it.
pub struct Channel<A: Aead = ChaChaPoly> {
    send: Direction<A>,
    receive: Direction<A>,
    closed: bool,
    peer: Peer,
    binding: HandshakeHash,
}

/// Where the peer's direction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// Records are expected; this many in a row did not verify.
    Open {
        failures: u8,
    },
    Closed,
    Cut,
}

impl<A: Aead> Channel<A> {
    /// The channel over the two keys that a handshake left, of which the peer has the same the other way round.
    ///
    /// A pair of keys makes one channel, once: a second one over the same keys would use the same counters again.
    #[must_use]
    pub fn new(send: Key, receive: Key, binding: HandshakeHash) -> Self {
        Self {
            send: Direction::new(send),
            receive: Direction::new(receive),
            closed: false,
            peer: Peer::Open { failures: 0 },
            binding,
        }
    }

    /// What names this channel and no other, to both sides alike (channel binding, Noise §11.2).
    #[must_use]
    pub const fn binding(&self) -> &HandshakeHash {
        &self.binding
    }

    /// Whether the peer said that it sends nothing more. A channel that ended without this was cut.
    #[must_use]
    pub fn is_closed_by_peer(&self) -> bool {
        self.peer == Peer::Closed
    }

    /// Whether the channel is cut: nothing can be sealed or opened any more.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.peer == Peer::Cut
    }

    /// Seals the record that is the first `len` bytes of `buffer`, and returns what to send: the first
    /// [`sealed_len(len)`](crate::sealed_len) bytes of it.
    ///
    /// # Errors
    ///
    /// See [`SealError`]; nothing has then changed.
    pub fn seal<'b>(&mut self, buffer: &'b mut [u8], len: usize) -> Result<&'b [u8], SealError> {
        if len == 0 {
            return Err(SealError::Empty);
        }
        self.seal_padded(buffer, len)
    }

    /// Seals the last word from this side in `buffer` and returns it, [`MIN_SEALED_LEN`](crate::MIN_SEALED_LEN) bytes. Nothing can be sealed
    /// afterwards; what the peer still says can be opened.
    ///
    /// # Errors
    ///
    /// See [`SealError`]; nothing has then changed.
    pub fn close<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], SealError> {
        let sealed = self.seal_padded(buffer, 0)?;
        self.closed = true;
        Ok(sealed)
    }

    fn seal_padded<'b>(&mut self, buffer: &'b mut [u8], len: usize) -> Result<&'b [u8], SealError> {
        if self.is_cut() {
            return Err(SealError::Cut);
        }
        if self.closed {
            return Err(SealError::Closed);
        }
        let sealed_len = padding::sealed_len(len).ok_or(SealError::TooLong)?;
        let sealed = buffer.get_mut(..sealed_len).ok_or(SealError::BufferTooSmall)?;
        let (padded, tag) = sealed.split_last_chunk_mut().ok_or(SealError::BufferTooSmall)?;
        let nonce = self.send.nonce().ok_or(SealError::Exhausted)?;
        padding::pad(padded, len);
        *tag = self.send.aead.seal(nonce, &[], padded);
        self.send.advance();
        Ok(sealed)
    }

    /// Opens what the peer sealed, in place. `sealed` is one whole record, as it came.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. After [`OpenError::Length`] and [`OpenError::NotAuthentic`] the channel still opens what the peer really sent next.
    pub fn open<'b>(&mut self, sealed: &'b mut [u8]) -> Result<Opened<'b>, OpenError> {
        let failures = match self.peer {
            Peer::Open { failures } => failures,
            Peer::Closed => return Err(OpenError::AfterClose),
            Peer::Cut => return Err(OpenError::Cut),
        };
        let (padded, tag) = sealed.split_last_chunk_mut().ok_or(OpenError::Length)?;
        if !padding::is_padded_len(padded.len()) {
            return Err(OpenError::Length);
        }
        let nonce = self.receive.nonce().ok_or(OpenError::Exhausted)?;
        if self.receive.aead.open(nonce, &[], padded, tag).is_err() {
            return Err(self.count_failure(failures));
        }
        self.receive.advance();
        self.peer = Peer::Open { failures: 0 };
        match padding::unpad(padded) {
            Some(0) => {
                self.peer = Peer::Closed;
                Ok(Opened::Close)
            }
            Some(len) => padded.get(..len).map(Opened::Record).ok_or(OpenError::Padding),
            None => {
                self.peer = Peer::Cut;
                Err(OpenError::Padding)
            }
        }
    }

    fn count_failure(&mut self, before: u8) -> OpenError {
        let failures = before.saturating_add(1);
        if failures < FAILURES_UNTIL_CUT {
            self.peer = Peer::Open { failures };
            OpenError::NotAuthentic
        } else {
            self.peer = Peer::Cut;
            OpenError::Cut
        }
    }
}

impl<A: Aead> fmt::Debug for Channel<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("sealed", &self.send.next)
            .field("opened", &self.receive.next)
            .field("closed", &self.closed)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// One direction: the key in use and the number of the next record.
struct Direction<A> {
    aead: A,
    next: u64,
}

impl<A: Aead> Direction<A> {
    fn new(key: Key) -> Self {
        Self { aead: A::new(key), next: 0 }
    }

    /// The nonce of the next record; `None` when only 2⁶⁴ − 1 is left, which is reserved for [`Aead::rekey`] (Noise §5.1).
    fn nonce(&self) -> Option<u64> {
        (self.next != u64::MAX).then_some(self.next)
    }

    /// Moves past a record. The old key is erased as soon as its last record is through, not when the next one comes.
    fn advance(&mut self) {
        self.next = self.next.saturating_add(1);
        if self.next.trailing_zeros() >= REKEY_SHIFT {
            self.aead = A::new(self.aead.rekey());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::padding::MIN_SEALED_LEN;

    /// The two ends of a channel of which `next` records have gone each way (under the first key: no rekeying is made up for).
    fn pair(next: u64) -> (Channel, Channel) {
        let end = |send, receive| {
            let mut channel = <Channel>::new(Key::new([send; 32]), Key::new([receive; 32]), HandshakeHash::new([0; 32]));
            (channel.send.next, channel.receive.next) = (next, next);
            channel
        };
        (end(1, 2), end(2, 1))
    }

    #[test]
    fn the_last_counter_is_never_used() {
        let (mut wallet, mut band) = pair(u64::MAX - 1);
        let mut buffer = [9; MIN_SEALED_LEN];
        wallet.seal(&mut buffer, 1).unwrap();
        assert_eq!(band.open(&mut buffer), Ok(Opened::Record(&[9])));

        for _ in 0..3 {
            let mut untouched = [9; MIN_SEALED_LEN];
            assert_eq!(wallet.seal(&mut untouched, 1), Err(SealError::Exhausted));
            assert_eq!(wallet.close(&mut untouched), Err(SealError::Exhausted));
            assert_eq!(untouched, [9; MIN_SEALED_LEN]);
            assert_eq!(band.open(&mut untouched), Err(OpenError::Exhausted));
        }
    }

    #[test]
    fn the_key_changes_with_the_number_of_the_record() {
        let (mut wallet, mut band) = pair((5 << REKEY_SHIFT) - 1);
        let next = wallet.send.aead.rekey();
        for _ in 0..2 {
            let mut buffer = [9; MIN_SEALED_LEN];
            wallet.seal(&mut buffer, 1).unwrap();
            band.open(&mut buffer).unwrap();
        }
        assert_eq!(wallet.send.aead.key(), next.as_bytes());
        assert_eq!(wallet.send.aead.key(), band.receive.aead.key());
        assert_eq!(wallet.receive.aead.key(), [2; 32], "the other direction counts for itself");
    }

    #[test]
    fn wrong_padding_under_a_right_tag_cuts_the_channel() {
        let (wallet, mut band) = pair(0);
        let mut sealed = [0; MIN_SEALED_LEN];
        let (padded, tag) = sealed.split_last_chunk_mut().unwrap();
        *tag = wallet.send.aead.seal(0, &[], padded);
        assert_eq!(band.open(&mut sealed), Err(OpenError::Padding));
        assert!(band.is_cut());
        assert_eq!(band.open(&mut sealed), Err(OpenError::Cut));
    }
}
