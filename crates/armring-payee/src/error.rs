//! What can go wrong, by who is to blame.

use armring_token::{SignError, VerifyError};
use thiserror::Error;

/// Why a payee cannot ask, or be set up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The issuer's: the key list or the certificate does not verify.
    #[error("the key list or the certificate does not verify: {0}")]
    NotVerified(#[from] VerifyError),
    /// The caller's: the signing key is not the one that the certificate names.
    #[error("the certificate is for another key")]
    OtherKey,
    /// The caller's: the certificate does not allow this, by its currency, its rights or its validity.
    #[error("the certificate does not allow this")]
    NotAllowed,
    /// The caller's: a request without money, or with a memo of more than 32 bytes or with control characters.
    #[error("a request needs an amount, and a memo of at most 32 bytes without control characters")]
    Request,
    /// The machine's: the random generator failed.
    #[error("the random generator failed")]
    Randomness,
    /// The machine's: the signer failed.
    #[error("the signer failed: {0}")]
    Signer(#[from] SignError),
}

/// Why a token is not taken. Whoever sent it is to blame; the sale is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not the encoding of a token.
    #[error("not a payment token")]
    Malformed,
    /// It answers another request, or pays another amount or another payee.
    #[error("the token is not for this request")]
    OtherRequest,
    /// Too many tokens for this sale wait for the issuer's answer.
    #[error("too many tokens for this sale wait for the issuer")]
    TooMany,
    /// Another token has settled this sale.
    #[error("the sale is already paid")]
    AlreadySettled,
}

/// Why a receipt is not taken. The issuer is to blame, or who stands between; the sale is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It does not verify.
    #[error("the receipt does not verify: {0}")]
    NotVerified(#[from] VerifyError),
    /// It is for a token that this sale has not taken.
    #[error("the receipt is for another token")]
    OtherToken,
    /// Not an answer to what was asked.
    #[error("the issuer's answer is neither a receipt nor a refusal")]
    NoAnswer,
}
