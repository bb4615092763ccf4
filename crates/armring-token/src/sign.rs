//! Keys by use, and what exactly is signed.

use core::fmt;
use core::marker::PhantomData;

use armring_wire::{DecodeError, RootFingerprint, encode};
use ed25519_dalek::Signature;
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};
use signature::MultipartSigner;

use crate::criterion;
use crate::error::{SignError, VerifyError};
use crate::hash::{PREFIX, hash, label_len};

#[cfg(feature = "batch")]
mod batch;

#[cfg(feature = "batch")]
pub use batch::{Batch, Item, Signed};

/// How many bytes a signature takes at the front of an object.
pub const SIGNATURE_LEN: usize = 64;

/// Marks what a key is for. A key of one use is never taken for a key of another.
pub trait Use: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

/// Defines the uses of keys.
macro_rules! uses {
    ($($(#[$doc:meta])* $use:ident => $key:ident, $key_doc:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $use {}
            impl sealed::Sealed for $use {}
            impl Use for $use {}
            #[doc = $key_doc]
            pub type $key = PublicKey<$use>;
        )+
    };
}

uses!(
    /// Signs key lists and nothing else.
    Root => RootKey, "An issuer's root key, pinned in a band's firmware.";
    /// Signs credentials, payee certificates, receipts and revocation lists.
    Issuer => IssuerKey, "A signing key of an issuer, out of its key list.";
    /// Signs payment requests and refunds.
    Payee => PayeeKey, "A payee's key, out of its certificate.";
    /// Signs payment tokens, and payment requests of a wearer who may receive.
    Payment => PaymentKey, "A band's payment key, one for each credential.";
);

/// An Ed25519 public key for one use: 32 bytes, a canonical encoding of a point that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<U> {
    /// With its point: to find that takes a tenth of the time of a verification, and was done to know that it is a key.
    key: criterion::Key,
    used_for: PhantomData<U>,
}

impl<U: Use> PublicKey<U> {
    /// Takes a key's 32 bytes (RFC 8032 §5.1.2); `None` where they are not canonical, no point, or a point of small order.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        Some(Self { key: criterion::Key::new(bytes)?, used_for: PhantomData })
    }

    /// The key's 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

impl RootKey {
    /// What the issuer is known by. It is part of everything that is signed under this root and is never transmitted, so that nothing
    /// signed for one issuer is of use at another.
    #[must_use]
    pub fn fingerprint(&self) -> RootFingerprint {
        RootFingerprint(hash("root", &[self.key.as_bytes()]))
    }
}

impl<U> fmt::Debug for PublicKey<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.key.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A signer for one use: software, or a secure element that never shows its key.
///
/// `S` is anything that implements [`MultipartSigner`], such as [`ed25519_dalek::SigningKey`].
pub struct Signing<U, S> {
    signer: S,
    used_for: PhantomData<U>,
}

impl<U: Use, S: MultipartSigner<Signature>> Signing<U, S> {
    /// Dedicates `signer` to a use.
    pub const fn new(signer: S) -> Self {
        Self { signer, used_for: PhantomData }
    }

    /// The signer itself.
    pub const fn signer(&self) -> &S {
        &self.signer
    }

    /// Signs the concatenation of `message` under `label`, for the issuer with this root.
    pub(crate) fn sign(&self, label: &str, root: &RootFingerprint, message: &[u8]) -> Result<Signature, SignError> {
        let len = label_len(label);
        self.signer.try_multipart_sign(&parts(&len, label, root, message)).map_err(|_| SignError::Signer)
    }
}

impl PaymentKey {
    /// This key where a payee's is asked for: a wearer signs payment requests with their payment key.
    #[must_use]
    pub const fn as_payee(&self) -> PayeeKey {
        PublicKey { key: self.key, used_for: PhantomData }
    }
}

impl<S> Signing<Payment, S> {
    /// This signer where a payee's is asked for: a wearer signs payment requests with their payment key. Tokens and requests have labels of
    /// their own, so that one never stands for the other.
    pub const fn as_payee(&self) -> Signing<Payee, Borrowed<'_, S>> {
        Signing { signer: Borrowed(&self.signer), used_for: PhantomData }
    }
}

/// A signer that somebody else owns.
pub struct Borrowed<'a, S>(&'a S);

impl<S: MultipartSigner<Signature>> MultipartSigner<Signature> for Borrowed<'_, S> {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        self.0.try_multipart_sign(message)
    }
}

impl<U, S> fmt::Debug for Signing<U, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signing(..)")
    }
}

impl<U: Use> PublicKey<U> {
    /// Whether `signature` is this key's over `message` under `label`, for the issuer with this root.
    pub(crate) fn verifies(&self, label: &str, root: &RootFingerprint, message: &[u8], signature: &Signature) -> bool {
        let len = label_len(label);
        self.key.verifies(&parts(&len, label, root, message), signature)
    }
}

/// What is signed, in parts: `len ‖ "armring/1 " ‖ label ‖ root fingerprint ‖ message`. The length of what it counts stands in front, so that
/// no label is a prefix of another.
fn parts<'a>(len: &'a [u8; 1], label: &'a str, root: &'a RootFingerprint, message: &'a [u8]) -> [&'a [u8]; 5] {
    [len, PREFIX.as_bytes(), label.as_bytes(), &root.0, message]
}

/// An object that is signed: what stands in it is its body, and on the wire it is `signature (64) ‖ body`.
///
/// Signed is `label ‖ issuer root fingerprint ‖ the body's bytes as they were received`: nothing is encoded again to be verified.
pub trait Object<'a>: Serialize + Deserialize<'a> + MaxSize {
    /// Who signs it.
    type By: Use;
    /// What the signature is over, besides the body.
    const LABEL: &'static str;
    /// The longest object, signature included, in bytes.
    const MAX_LEN: usize = SIGNATURE_LEN + Self::POSTCARD_MAX_SIZE;

    /// Signs this body and writes the object into the front of `buffer`, [`Object::MAX_LEN`] bytes at most.
    ///
    /// # Errors
    /// [`SignError::Buffer`] where `buffer` is too small, [`SignError::Signer`] where the signer fails.
    fn sign<'b, S: MultipartSigner<Signature>>(
        &self,
        root: &RootFingerprint,
        key: &Signing<Self::By, S>,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], SignError> {
        let (signature, rest) = buffer.split_first_chunk_mut::<SIGNATURE_LEN>().ok_or(SignError::Buffer)?;
        let body = encode(self, rest).map_err(|_| SignError::Buffer)?;
        *signature = key.sign(Self::LABEL, root, body)?.to_bytes();
        let len = SIGNATURE_LEN + body.len();
        buffer.get(..len).ok_or(SignError::Buffer)
    }
}

/// An object as it came: it parses, and that is all that is known of it.
#[derive(Clone, Copy, Debug)]
#[must_use = "an object says nothing until it is verified"]
pub struct Unverified<'a, T> {
    signature: &'a [u8; SIGNATURE_LEN],
    bytes: &'a [u8],
    body: T,
}

impl<'a, T: Object<'a>> Unverified<'a, T> {
    /// Parses `signature (64) ‖ body`.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] unless `object` is exactly the encoding of one.
    pub fn parse(object: &'a [u8]) -> Result<Self, DecodeError> {
        let (signature, bytes) = object.split_first_chunk().ok_or(DecodeError::Malformed)?;
        Ok(Self { signature, bytes, body: armring_wire::decode(bytes)? })
    }

    /// What the object claims, to find the key that it is to be verified with. Nothing may be done on the strength of it.
    pub const fn claims(&self) -> &T {
        &self.body
    }

    /// The bytes that were signed.
    #[must_use]
    pub const fn signed_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// [`VerifyError::Signature`] where it is not `key`'s, for this issuer, over what was received.
    pub fn verify(self, root: &RootFingerprint, key: &PublicKey<T::By>) -> Result<Verified<T>, VerifyError> {
        if key.verifies(T::LABEL, root, self.bytes, &Signature::from_bytes(self.signature)) {
            Ok(Verified { body: self.body, digest: object_digest(T::LABEL, root, self.bytes) })
        } else {
            Err(VerifyError::Signature)
        }
    }

    /// The digest by which others name this object. It is over the signed bytes, not over the signature, so that one body has one digest
    /// whichever valid signature came with it.
    #[must_use]
    pub fn digest(&self, root: &RootFingerprint) -> [u8; 32] {
        object_digest(T::LABEL, root, self.bytes)
    }
}

pub(crate) fn object_digest(label: &str, root: &RootFingerprint, bytes: &[u8]) -> [u8; 32] {
    hash("digest", &parts(&label_len(label), label, root, bytes))
}

/// An object whose signature verified. There is no other way to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    body: T,
    digest: [u8; 32],
}

impl<T> Verified<T> {
    /// What it says.
    pub const fn body(&self) -> &T {
        &self.body
    }

    /// The digest by which others name this object.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl<T> core::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}
