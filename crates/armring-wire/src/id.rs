//! Identifiers. Each is a type of its own, so that one is never taken for another, and none of them opens anything by itself.

use core::fmt;

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// Defines an identifier of fixed width that prints as hexadecimal.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $width:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, MaxSize)]
        pub struct $name(pub [u8; $width]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

identifier!(
    /// Names a credential: 8 random bytes, drawn by the issuer. Payees see it, so it links the payments made under it.
    CredentialId, 8
);
identifier!(
    /// Names a payee with a certificate: 8 bytes, given by the issuer.
    PayeeId, 8
);
identifier!(
    /// Stands for an account in a credential: 8 random bytes that mean something to the issuer alone.
    AccountPseudonym, 8
);
identifier!(
    /// What one payment request is known by: a 32-byte hash over its signed bytes (see `armring-token`).
    RequestDigest, 32
);
identifier!(
    /// What one payment token is known by: a 32-byte hash over its signed bytes (see `armring-token`).
    TokenDigest, 32
);
identifier!(
    /// What one refund is known by: a 32-byte hash over its signed bytes (see `armring-token`).
    RefundDigest, 32
);
identifier!(
    /// What an issuer is known by: a 32-byte hash over its root key (see `armring-token`). It is part of everything that is signed and is
    /// never transmitted.
    RootFingerprint, 32
);

/// Names one of an issuer's keys in its key list. On the wire 2 bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(#[serde(with = "postcard::fixint::le")] pub u16);

impl MaxSize for KeyId {
    const POSTCARD_MAX_SIZE: usize = 2;
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.0)
    }
}

/// Who is to be paid: a payee with a certificate, or the holder of a credential that may receive.
///
/// On the wire 9 bytes: 1 of kind, 8 of id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, MaxSize)]
pub enum PayeeRef {
    /// A shop or a person with a payee certificate.
    Certificate(PayeeId),
    /// A wearer, by the credential that stands in for a certificate.
    Credential(CredentialId),
}

impl fmt::Display for PayeeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(id) => write!(f, "payee {id}"),
            Self::Credential(id) => write!(f, "credential {id}"),
        }
    }
}

/// What ties an enrolment to a signed-in user: 16 random bytes that the issuer hands out, good for one payment key within 10 minutes.
///
/// Whoever has it can enrol a key of their own, so it is left out of `Debug`; what stops them is that the digits are confirmed elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, MaxSize)]
pub struct EnrolmentCode(pub [u8; 16]);

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentCode(..)")
    }
}
