//! Giving back what was paid, in whole or in part.

use armring_wire::{Amount, KeyId, Outcome, PayeeRef, RefundDigest, TokenDigest, UnixTime};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use crate::fields::Form;
use crate::objects::digest;
use crate::sign::{Issuer, Object, Payee, Unverified, Verified};

/// A payee's word that it gives back some or all of a payment that it got. 132 bytes, always.
///
/// The random bytes make one refund another than the next of the same amount; the same refund again is the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Refund {
    /// 8.
    pub form: Form<8>,
    /// Who gives back: the payee of the token.
    pub payee: PayeeRef,
    /// Of which payment.
    pub token: TokenDigest,
    /// How much, of what is left.
    pub amount: Amount,
    /// 16 random bytes.
    pub nonce: [u8; 16],
}

impl Object<'_> for Refund {
    type By = Payee;
    const LABEL: &'static str = "refund";
}

/// What the issuer decided about a refund. It is final: the same refund always gets the same receipt. 146 bytes, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct RefundReceipt {
    /// 9.
    pub form: Form<9>,
    /// The issuer's key that signed it.
    pub key: KeyId,
    /// Which refund.
    pub refund: RefundDigest,
    /// Of which payment.
    pub token: TokenDigest,
    /// What became of it: [`Outcome::Settled`] where the payer has the money.
    pub outcome: Outcome,
    /// How much of the payment is left that can be given back.
    pub left: Amount,
    /// When it was decided, by the issuer's clock.
    pub time: UnixTime,
}

impl Object<'_> for RefundReceipt {
    type By = Issuer;
    const LABEL: &'static str = "refund receipt";
}

digest!(Refund, RefundDigest, refund_digest, "What the refund is known by.");
