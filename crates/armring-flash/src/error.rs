//! What can go wrong with a band's storage, by who is to blame.

use core::fmt;

/// Why the storage did not do what it was asked. `E` is the flash driver's error. What was stored before is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The machine: the flash driver failed.
    Driver(E),
    /// The machine: what was written or erased does not read back as it should. The flash is worn out, or not what its driver says.
    ReadBack,
    /// The machine: what is in the flash is none of this crate's, nor what a power cut can have left. [`BandStore::format`](crate::BandStore::format) erases it, as a
    /// reset would.
    Corrupted,
    /// The machine: an older version of this crate has stored it, in another form. Nothing was changed; [`BandStore::format`](crate::BandStore::format) erases it.
    Version,
    /// The caller: the range is not one of whole pages of the flash, or too small. See [`BandStore::mount`](crate::BandStore::mount).
    Range,
    /// The caller: a value that no band gives, empty or longer than [`VALUE_MAX`](armring_band::VALUE_MAX).
    Value,
    /// The band does not take back what was stored.
    Band(armring_band::Error),
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => write!(f, "the flash driver failed: {error:?}"),
            Self::ReadBack => f.write_str("the flash does not read back what was written"),
            Self::Corrupted => f.write_str("what is in the flash cannot be understood"),
            Self::Version => f.write_str("the flash was written by an older version, in another form"),
            Self::Range => f.write_str("this part of the flash does not do"),
            Self::Value => f.write_str("a value that cannot be stored"),
            Self::Band(error) => write!(f, "the band does not take back what was stored: {error}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}
