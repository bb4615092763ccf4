//! What became of a payment.

use serde::{Deserialize, Serialize};

use crate::code::codes;

codes!(
    /// What the issuer decided about a token whose signatures verified. It is final: the same token always gets the same receipt.
    ///
    /// On the wire 1 byte.
    Outcome {
        /// The payee has the money.
        Settled = 1, "settled";
        /// The user has not confirmed the enrolment's digits.
        Inactive = 2, "refused: the credential has not been confirmed";
        /// The credential is frozen or revoked.
        Frozen = 3, "refused: the credential is frozen";
        /// The payment request had expired.
        RequestExpired = 4, "refused: the payment request has expired";
        /// The credential is not valid at this time.
        CredentialExpired = 5, "refused: the credential is not valid now";
        /// More than the credential allows in one payment.
        OverLimit = 6, "refused: more than one payment may be";
        /// More than the issuer allows in a day.
        Velocity = 7, "refused: too much within a day";
        /// The account has too little.
        InsufficientFunds = 8, "refused: not enough money";
        /// Another token settled this request.
        AlreadySettled = 9, "refused: the request is already paid";
        /// Its counter or its interval of the cumulative total is taken by another token: there are two bands with one key. The credential
        /// is frozen.
        Cloned = 10, "refused: this band has been cloned, its credential is frozen";
        /// Payer and payee are the same account.
        ToSelf = 11, "refused: payer and payee are the same";
        /// The payer may not pay, or the payee may not be paid, or not in this currency.
        NotAllowed = 12, "refused: not allowed";
        /// The wearer did less than the amount asks for: no gesture, not worn, or not freshly unlocked.
        Presence = 13, "refused: the wearer has to do more for this amount";
        /// A refund of more than is left of its payment.
        RefundExceeds = 14, "refused: more than is left of the payment";
        /// A refund of a payment that was never settled.
        NotSettled = 15, "refused: the payment was not settled";
    }
);

impl Outcome {
    /// Whether money moved.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Settled)
    }
}
