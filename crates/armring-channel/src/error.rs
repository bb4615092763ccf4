//! What can go wrong with a channel, and whose fault it is.

use core::{error, fmt};

/// Why a record was not sealed. Nothing has changed: neither the channel nor the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The caller's: a record of no bytes. That stands for [`close`](crate::Channel::close).
    Empty,
    /// The caller's: a record longer than [`MAX_RECORD_LEN`](crate::MAX_RECORD_LEN).
    TooLong,
    /// The caller's: a buffer shorter than the [`sealed_len`](crate::sealed_len) of the record.
    BufferTooSmall,
    /// The caller's: the channel was closed from here.
    Closed,
    /// The peer's, or of whom sits between: the channel is cut.
    Cut,
    /// Nobody's: 2⁶⁴ − 1 records were sealed, and there is no counter left for another.
    Exhausted,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty record stands for close",
            Self::TooLong => "the record is too long",
            Self::BufferTooSmall => "the buffer is too small for the sealed record",
            Self::Closed => "the channel was closed from here",
            Self::Cut => "the channel is cut",
            Self::Exhausted => "the channel has no counter left",
        })
    }
}

impl error::Error for SealError {}

/// Why a record was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer's, or of whom sits between: no sealed record has this length. Nothing has changed.
    Length,
    /// The peer's, or of whom sits between: forged, altered, repeated or out of order. Only the count of failures in a row has changed.
    NotAuthentic,
    /// The peer's alone: what it sealed is not padded as it must be. The channel is now cut.
    Padding,
    /// The peer's, or of whom sits between: too many records in a row did not verify, or one was padded wrongly. The channel stays cut.
    Cut,
    /// The peer's, or of whom sits between: something came after the peer's close.
    AfterClose,
    /// Nobody's: 2⁶⁴ − 1 records were opened, and there is no counter left for another.
    Exhausted,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "no sealed record has this length",
            Self::NotAuthentic => "the record is not authentic",
            Self::Padding => "the peer padded a record wrongly",
            Self::Cut => "the channel is cut",
            Self::AfterClose => "the peer had closed the channel",
            Self::Exhausted => "the channel has no counter left",
        })
    }
}

impl error::Error for OpenError {}
