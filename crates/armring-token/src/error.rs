//! What can go wrong, by who is to blame.

use core::fmt;

use armring_wire::DecodeError;

/// Why an object was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The caller's buffer has no room for it.
    Buffer,
    /// The signer failed: a secure element that does not answer. The machine is to blame.
    Signer,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buffer => "the buffer is too small for the object",
            Self::Signer => "the signer failed",
        })
    }
}

impl core::error::Error for SignError {}

/// Why an object is not what it claims. Whoever sent it is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not the encoding of such an object.
    Malformed,
    /// The signature does not verify.
    Signature,
    /// The key that it names is not in the key list, is for another use, or was not valid at the time.
    Key,
    /// A key list with a lower epoch than one that was seen.
    OldEpoch,
    /// It is good, and about another object than the one that was asked about.
    OtherObject,
}

impl From<DecodeError> for VerifyError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not the encoding of such an object",
            Self::Signature => "the signature does not verify",
            Self::Key => "its key is unknown, for another use, or not valid at that time",
            Self::OldEpoch => "the key list is older than one that was seen",
            Self::OtherObject => "it is about another object than the one that was asked about",
        })
    }
}

impl core::error::Error for VerifyError {}
