//! Between a payer's wallet and a payee, over whatever the two have: a checkout page, a local network, a cable. What matters is signed;
//! where it must be private, the transport sees to that (TLS).

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use super::issuer::Refusal;
use super::{CREDENTIAL_MAX, Object};
use crate::bounded::Opaque;
use crate::codec::Record;

/// What a payer's wallet says to a payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToPayee<'a> {
    /// What is there to pay?
    Ask,
    /// The band's token. Sending it again gives the same answer.
    Token(#[serde(borrow)] Object<'a>),
    /// The payee's record had this variant, which the wallet does not know.
    Unknown(u32),
    /// The band's token, with the credential that a payee without network verifies it by.
    Offline {
        /// The signed payment token.
        #[serde(borrow)]
        token: Object<'a>,
        /// The payer's signed credential.
        #[serde(borrow)]
        credential: Opaque<'a, CREDENTIAL_MAX>,
    },
}

impl<'a> Record<'a> for ToPayee<'a> {
    const VARIANTS: u32 = 4;
}

/// What a payee says to a payer's wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum FromPayee<'a> {
    /// Please pay this.
    Request {
        /// The signed payment request.
        #[serde(borrow)]
        request: Object<'a>,
        /// The payee certificate that its key is in.
        #[serde(borrow)]
        certificate: Object<'a>,
    },
    /// The issuer's receipt for the token: settled or finally refused, as it says.
    Receipt(#[serde(borrow)] Object<'a>),
    /// The token was not taken, or the issuer did not verify it. Nothing was recorded.
    Refused(Refusal),
    /// There is nothing to pay.
    Nothing,
    /// The wallet's record had this variant, which the payee does not know.
    Unknown(u32),
    /// The token was accepted without asking the issuer. It is not settled; the receipt comes to whoever sends the token again later.
    Pending,
    /// Please pay this to a wearer, whose credential stands in for a certificate.
    Person {
        /// The payment request that the wearer's band signed.
        #[serde(borrow)]
        request: Object<'a>,
        /// The wearer's signed credential.
        #[serde(borrow)]
        credential: Opaque<'a, CREDENTIAL_MAX>,
    },
}

impl<'a> Record<'a> for FromPayee<'a> {
    const VARIANTS: u32 = 7;
}
