//! Between band and issuer, inside the channel that the wallet relays and cannot read.

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use super::{ATTESTATION_MAX, Assurance, CREDENTIAL_MAX};
use crate::bounded::Opaque;
use crate::code::codes;
use crate::codec::Record;
use crate::id::EnrolmentCode;

/// What a band says to the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum EnrolToIssuer<'a> {
    /// Asks for a credential. Repeating it gives the same one.
    Request {
        /// What ties the enrolment to the signed-in user.
        code: EnrolmentCode,
        /// The band's new Ed25519 payment key.
        payment_key: [u8; 32],
        /// How the link between band and wallet was made.
        assurance: Assurance,
        /// An Ed25519 signature by the payment key, 64 bytes, over the handshake hash, the code, the key and the assurance.
        #[serde(borrow)]
        proof: Opaque<'a, 64>,
    },
    /// The issuer's record had this variant, which the band does not know.
    Unknown(u32),
    /// As [`EnrolToIssuer::Request`], with the word of the band's maker for the key.
    Attested {
        /// What ties the enrolment to the signed-in user.
        code: EnrolmentCode,
        /// The band's new Ed25519 payment key.
        payment_key: [u8; 32],
        /// How the link between band and wallet was made.
        assurance: Assurance,
        /// As in [`EnrolToIssuer::Request`].
        #[serde(borrow)]
        proof: Opaque<'a, 64>,
        /// What the maker says over the handshake hash and the key. Its form is the maker's.
        #[serde(borrow)]
        attestation: Opaque<'a, ATTESTATION_MAX>,
    },
}

impl<'a> Record<'a> for EnrolToIssuer<'a> {
    const VARIANTS: u32 = 3;
}

/// What the issuer says to a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum EnrolToBand<'a> {
    /// The credential, which stays inactive until the user confirms the digits outside the wallet.
    Issued {
        /// 16 random bytes, from which both sides compute the digits.
        nonce: [u8; 16],
        /// The signed credential.
        #[serde(borrow)]
        credential: Opaque<'a, CREDENTIAL_MAX>,
    },
    /// No credential.
    Refused(EnrolRefusal),
    /// The band's record had this variant, which the issuer does not know.
    Unknown(u32),
}

impl<'a> Record<'a> for EnrolToBand<'a> {
    const VARIANTS: u32 = 3;
}

codes!(
    /// Why an issuer refuses an enrolment. On the wire 1 byte.
    EnrolRefusal {
        /// The code is not known, was used for another key, or is older than 10 minutes.
        Code = 1, "the enrolment code is unknown, used or too old";
        /// The proof of possession does not verify.
        Proof = 2, "the proof of possession does not verify";
        /// The issuer's policy gives no credential for a link of this assurance.
        Assurance = 3, "the issuer wants a link of higher assurance";
        /// The issuer cannot answer now. It is safe to try again.
        Busy = 4, "the issuer cannot answer now";
    }
);
