//! What can go wrong, by who is to blame.

use armring_token::{SignError, VerifyError};
use thiserror::Error;

/// Why a payee cannot ask, or be set up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The issuer's: the key list or the certificate does not verify.
    #[error("the key list or the certificate does not verify: {0}")]
    NotVerified(VerifyError),
    /// The caller's: the signer does not sign with the key that the certificate names.
    #[error("the certificate is for another key")]
    OtherKey,
    /// The caller's: the certificate, or the credential that stands in for it, does not allow this, by its currency, its rights or its validity.
    #[error("the certificate or the credential does not allow this")]
    NotAllowed,
    /// The caller's: a request without money, or with a memo of more than 32 bytes or with control characters.
    #[error("a request needs an amount, and a memo of at most 32 bytes without control characters")]
    Request,
    /// The machine's: the random generator failed.
    #[error("the random generator failed")]
    Randomness,
    /// The machine's: the signer failed.
    #[error("the signer failed: {0}")]
    Signer(SignError),
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        Self::NotVerified(error)
    }
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        Self::Signer(error)
    }
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
    /// Another token for this sale was accepted without network and waits to be redeemed.
    #[error("another token for this sale was accepted already")]
    AlreadyPending,
}

/// Why a receipt is not taken. The issuer is to blame, or who stands between; the sale is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It does not verify.
    #[error("the receipt does not verify: {0}")]
    NotVerified(VerifyError),
    /// It is for another token or another refund than the one that was asked about, or for one that this sale does not have.
    #[error("the receipt is for another token or another refund")]
    OtherToken,
    /// Not an answer to what was asked.
    #[error("the issuer's answer is neither a receipt nor a refusal")]
    NoAnswer,
}

impl From<VerifyError> for ReceiptError {
    fn from(error: VerifyError) -> Self {
        Self::NotVerified(error)
    }
}

/// Why a token is not accepted without asking the issuer. All is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// The payer's: the token is not for this sale, or there is nothing to pay any more.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer has answered this token: its receipt is what counts.
    #[error("the issuer has answered this token already")]
    Answered,
    /// The payee's: its key list is not good any more.
    #[error("the key list is stale")]
    StaleKeyList,
    /// The payee's: it has no revocation list, or none that is good any more.
    #[error("the revocation list is stale")]
    StaleRevocations,
    /// The payer's: the credential or the token does not verify.
    #[error("the credential or the token does not verify: {0}")]
    NotVerified(VerifyError),
    /// The payer's: the token was signed under another credential.
    #[error("the token is of another credential")]
    OtherCredential,
    /// The payer's credential, or the payee, is revoked.
    #[error("the credential or the payee is revoked")]
    Revoked,
    /// The payer may not pay this: by its rights, its currency or its validity, because it is the payee itself, or with totals that no band
    /// signs.
    #[error("the credential does not allow this")]
    NotAllowed,
    /// The request has expired.
    #[error("the request has expired")]
    Expired,
    /// The band marked the token: it is not to be accepted without asking the issuer.
    #[error("the token is for online use only")]
    OnlineOnly,
    /// More than the credential allows in one payment, or for what the wearer did.
    #[error("the amount is above the credential's limits for what the wearer did")]
    OverLimit,
    /// The payer's credential has signed another token with this counter or over a part of this interval: that one is pending.
    #[error("the credential's counter or interval is taken by a pending token")]
    DoubleSpend,
    /// The payee's floor limits have no room for it.
    #[error("the payee's floor limits have no room for this payment")]
    Floor,
}

impl From<VerifyError> for OfflineError {
    fn from(error: VerifyError) -> Self {
        Self::NotVerified(error)
    }
}

/// Why a refund is not signed. The caller is to blame, unless it says otherwise; all is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RefundError {
    /// The sale is not settled: there is nothing to give back.
    #[error("the sale is not settled")]
    NotSettled,
    /// The sale is another payee's.
    #[error("the sale is another payee's")]
    OtherPayee,
    /// Nothing, another currency, or more than is left.
    #[error("the refund is nothing, of another currency, or more than is left")]
    Exceeds,
    /// The machine's: the random generator failed.
    #[error("the random generator failed")]
    Randomness,
    /// The machine's: the signer failed.
    #[error("the signer failed: {0}")]
    Signer(SignError),
}

impl From<SignError> for RefundError {
    fn from(error: SignError) -> Self {
        Self::Signer(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RevokedError;

    /// Whoever prints an error with all its causes, as anyhow does, prints each once.
    #[test]
    fn an_error_that_says_its_cause_has_it_not_as_a_source_as_well() {
        let verify = VerifyError::Signature;
        let causes: [(&dyn core::error::Error, String); 6] = [
            (&Error::from(verify), verify.to_string()),
            (&Error::from(SignError::Signer), SignError::Signer.to_string()),
            (&ReceiptError::from(verify), verify.to_string()),
            (&OfflineError::from(verify), verify.to_string()),
            (&RefundError::from(SignError::Signer), SignError::Signer.to_string()),
            (&RevokedError::from(verify), verify.to_string()),
        ];
        for (error, cause) in causes {
            assert!(error.to_string().contains(&cause) && error.source().is_none(), "{error}: {:?}", error.source());
        }
    }
}
