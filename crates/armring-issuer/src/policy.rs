//! What an issuer allows.

use core::time::Duration;

use armring_token::{CredentialRights, FreeCount, Limits, Minor};
use armring_wire::records::Assurance;

/// What an issuer allows: which limits a new credential gets, and what every payment is held to.
///
/// Limits are numbers of minor units, whichever currency an account is in. What a credential has once been given stands in it, signed;
/// [`daily`](Self::daily) and [`redeem_period`](Self::redeem_period) are the issuer's own and hold for every payment from the moment they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The limits of a credential over a link for which a button was pressed and nothing compared; `None` gives no credential.
    pub press: Option<Limits>,
    /// The same where a printed label carried the link's secret.
    pub printed_secret: Option<Limits>,
    /// The same where six digits were compared.
    pub compared_code: Option<Limits>,
    /// The same where the band's display showed the link's secret.
    pub displayed_secret: Option<Limits>,
    /// What a new credential may do.
    pub rights: CredentialRights,
    /// For how long a new credential is valid.
    pub credential_validity: Duration,
    /// How much may be settled under one credential within any 24 hours, in minor units.
    pub daily: Minor,
    /// For how long after a request's expiry a token may still be redeemed that was not signed for online use only: the payee may have had
    /// no network. Zero allows it until the expiry alone.
    pub redeem_period: Duration,
}

impl Policy {
    /// The limits of a credential over a link of this assurance; `None` where there is to be no credential.
    #[must_use]
    pub const fn limits(&self, assurance: Assurance) -> Option<Limits> {
        match assurance {
            Assurance::Press => self.press,
            Assurance::PrintedSecret => self.printed_secret,
            Assurance::ComparedCode => self.compared_code,
            Assurance::DisplayedSecret => self.displayed_secret,
        }
    }
}

impl Default for Policy {
    /// Nothing over a link that was not verified, little where a label may have been seen before, nothing without a gesture. Of a currency with
    /// two decimals, 200 and 1,000 for one payment, 2,000 a day.
    fn default() -> Self {
        let limits = |each, press| Limits {
            each: Minor(each),
            press: Minor(press),
            free: Minor(0),
            free_count: FreeCount(0),
            free_total: Minor(0),
            offline_total: Minor(press),
        };
        Self {
            press: None,
            printed_secret: Some(limits(20_000, 5_000)),
            compared_code: Some(limits(100_000, 20_000)),
            displayed_secret: Some(limits(100_000, 20_000)),
            rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
            credential_validity: Duration::from_secs(365 * 24 * 60 * 60),
            daily: Minor(200_000),
            redeem_period: Duration::ZERO,
        }
    }
}
