//! Records cut to the size of an ATT payload.
//!
//! A fragment is one header byte and at least one byte of the record. The header: bit 7 set on the first fragment of a record, bit 6 on
//! the last, bits 5–0 a sequence number that goes on from fragment to fragment and from record to record, modulo 64.

use core::fmt;

/// The smallest ATT payload, in bytes: the default ATT MTU of 23 less 3 of its header.
pub const ATT_PAYLOAD_MIN: usize = 20;
/// The largest ATT payload, in bytes: the largest useful ATT MTU of 517 less 3 of its header.
pub const ATT_PAYLOAD_MAX: usize = 514;

pub(crate) const FIRST: u8 = 0x80;
pub(crate) const LAST: u8 = 0x40;
pub(crate) const SEQUENCE: u8 = 0x3F;

/// How many bytes one write or notification carries: [`ATT_PAYLOAD_MIN`] to [`ATT_PAYLOAD_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttPayload(usize);

impl AttPayload {
    /// What every BLE link can do: 20 bytes.
    pub const MIN: Self = Self(ATT_PAYLOAD_MIN);

    /// A payload of `bytes`; `None` outside the range.
    #[must_use]
    pub const fn new(bytes: usize) -> Option<Self> {
        if ATT_PAYLOAD_MIN <= bytes && bytes <= ATT_PAYLOAD_MAX { Some(Self(bytes)) } else { None }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// How many fragments a record of `len` bytes takes.
    #[must_use]
    pub const fn fragments(self, len: usize) -> usize {
        len.div_ceil(self.0 - 1)
    }
}

/// Cuts the records of one direction of a link into fragments and numbers them. One value lives as long as the connection.
///
/// ```
/// use armring_wire::{AttPayload, Fragmenter, Reassembler};
///
/// let mut fragmenter = Fragmenter::new(AttPayload::MIN);
/// let mut reassembler = Reassembler::new([0; 64]);
/// let record = *b"twenty-five bytes of text";
/// let mut sent = 0;
/// let mut fragment = [0; 20];
/// let mut arrived = false;
/// while let Some((len, next)) = fragmenter.cut(&record, sent, &mut fragment) {
///     sent = next;
///     if let Some(whole) = reassembler.push(&fragment[..len])? {
///         assert_eq!(whole, record);
///         arrived = true;
///     }
/// }
/// assert!(arrived);
/// # Ok::<(), armring_wire::FragmentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fragmenter {
    payload: AttPayload,
    sequence: u8,
}

impl Fragmenter {
    /// Starts a connection whose writes carry `payload` bytes.
    #[must_use]
    pub const fn new(payload: AttPayload) -> Self {
        Self { payload, sequence: 0 }
    }

    /// How many bytes one fragment has at most, its header included.
    #[must_use]
    pub const fn payload(&self) -> AttPayload {
        self.payload
    }

    /// Writes the fragment that carries `record` from byte `sent` on into the front of `fragment`. Gives its length and the `sent` of the
    /// next one; `None` when all of the record was sent, or where `fragment` has no room for a header and a byte.
    ///
    /// The fragment is as long as the ATT payload and `fragment` allow.
    pub fn cut(&mut self, record: &[u8], sent: usize, fragment: &mut [u8]) -> Option<(usize, usize)> {
        let rest = record.get(sent..)?;
        let (header, body) = fragment.split_first_mut()?;
        let take = rest.len().min(body.len()).min(self.payload.bytes() - 1);
        if take == 0 {
            return None;
        }
        body.get_mut(..take)?.copy_from_slice(rest.get(..take)?);
        let first = if sent == 0 { FIRST } else { 0 };
        let last = if take == rest.len() { LAST } else { 0 };
        *header = first | last | self.sequence;
        self.sequence = (self.sequence + 1) & SEQUENCE;
        Some((take + 1, sent + take))
    }
}

/// What is wrong with a fragment, or what was lost before it. The peer is to blame, the radio, or whoever stands between.
///
/// After any of these the reassembler is ready: the next first fragment begins a record. A record that was in progress is given up, but for
/// [`Length`](Self::Length) and [`Repeated`](Self::Repeated), which change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FragmentError {
    /// Not one byte of header and at least one of record, or longer than an ATT payload.
    Length(usize),
    /// The same sequence number as the fragment before: a repetition, which is dropped.
    Repeated,
    /// Fragments before this one were lost. Nothing of this one was read: push it again, if it is a first one it begins a record.
    Gap,
    /// A first fragment where the record before has not ended. Nothing of this one was read: push it again and it begins a record.
    Interrupted,
    /// A continuation where no record has begun: what is left of a record that was given up.
    NotBegun,
    /// The record is longer than the memory that the caller set aside for it, in bytes.
    TooLong(usize),
}

impl FragmentError {
    /// Whether the fragment was left unread, so that it may be pushed again.
    #[must_use]
    pub const fn is_unread(self) -> bool {
        matches!(self, Self::Gap | Self::Interrupted)
    }
}

impl fmt::Display for FragmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(len) => write!(f, "a fragment has 2 to {ATT_PAYLOAD_MAX} bytes, not {len}"),
            Self::Repeated => f.write_str("the fragment came twice"),
            Self::Gap => f.write_str("fragments were lost before this one"),
            Self::Interrupted => f.write_str("a new record began before the last one ended"),
            Self::NotBegun => f.write_str("the fragment continues a record that has not begun"),
            Self::TooLong(memory) => write!(f, "the record is longer than {memory} bytes"),
        }
    }
}

impl core::error::Error for FragmentError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_that_of_an_att_mtu_between_23_and_517() {
        let known = [19, 20, 514, 515].map(|bytes| AttPayload::new(bytes).is_some());
        assert_eq!(known, [false, true, true, false]);
    }

    #[test]
    fn headers_count_on_from_record_to_record() {
        let mut fragmenter = Fragmenter::new(AttPayload::MIN);
        let mut headers = [0; 4];
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        let mut n = 0;
        for record in [&[1; 39][..], &[2; 5][..]] {
            let mut sent = 0;
            while let Some((_, next)) = fragmenter.cut(record, sent, &mut fragment) {
                (headers[n], sent, n) = (fragment[0], next, n + 1);
            }
        }
        assert_eq!(headers, [FIRST, 1, LAST | 2, FIRST | LAST | 3]);
        assert_eq!(AttPayload::MIN.fragments(39), 3);
    }
}
