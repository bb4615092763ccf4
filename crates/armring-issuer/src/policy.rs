//! What an issuer allows.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use armring_token::{CredentialRights, FreeCount, Limits, Minor, Presence};
use armring_wire::Amount;
use armring_wire::records::Assurance;

/// What an issuer allows: which limits a new credential gets, and what every payment is held to.
///
/// Limits are numbers of minor units, whichever currency an account is in. What a credential has once been given stands in it, signed; all
/// that comes after [`credential_validity`](Self::credential_validity) is the issuer's own and holds for everything from the moment it changes.
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
    /// The most for one payment where nothing but the wallet has unlocked the band, in minor units; `None` for the credential's press limit.
    /// It is never more than that: what needs a fresh unlock needs one that no infected wallet can give.
    pub wallet_unlocked: Option<Minor>,
    /// For how long the band must have been worn before it pays much; `None` asks for nothing.
    pub worn: Option<Worn>,
    /// What else the operator asks of a payment, after all other rules of presence.
    pub own_rule: Option<OwnRule>,
    /// Whether a key for which a maker gives its word is active at once, without digits.
    ///
    /// The word says that the key is in a genuine band, not whose band it is: whoever steals an enrolment code may enrol a genuine band of
    /// their own with it. Where codes can be stolen, let the digits be compared as well.
    pub active_when_attested: bool,
    /// For how long a payee without network may rely on a revocation list.
    pub revocation_period: Duration,
}

/// For how long a band must have been worn before it pays much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worn {
    /// Up to this amount it need not have been worn for long, in minor units.
    pub above: Minor,
    /// Above it, for so many minutes, or more.
    pub minutes: u16,
}

/// A payment as the operator's own rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// How much is to be paid.
    pub amount: Amount,
    /// What the wearer did, as the band signed it.
    pub presence: Presence,
    /// How the link was made that the credential was enrolled over.
    pub assurance: Assurance,
}

/// The operator's own rule: whether the wearer did enough for a payment. Where it says no, the outcome is `Presence`, for good.
///
/// It is asked inside the ledger's transaction, once for each token that no other rule refuses, so it should look at nothing but its argument
/// and be quick.
#[derive(Clone)]
pub struct OwnRule(Arc<dyn Fn(&Attempt) -> bool + Send + Sync>);

impl OwnRule {
    /// A rule that says whether a payment may be made.
    ///
    /// ```
    /// use armring_issuer::{OwnRule, Policy};
    /// use armring_token::Unlocking;
    ///
    /// let pin_above_fifty =
    ///     OwnRule::new(|attempt| attempt.amount.minor() <= 50_00 || attempt.presence.unlocking >= Unlocking::Pin);
    /// let policy = Policy { own_rule: Some(pin_above_fifty), ..Policy::default() };
    /// # assert!(policy.own_rule.is_some());
    /// ```
    pub fn new(allows: impl Fn(&Attempt) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(allows))
    }

    pub(crate) fn allows(&self, attempt: &Attempt) -> bool {
        (self.0)(attempt)
    }
}

impl fmt::Debug for OwnRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnRule(..)")
    }
}

/// The same rule, not one that says the same.
impl PartialEq for OwnRule {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OwnRule {}

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
    /// Nothing over a link that was not verified, little where a label may have been seen before, nothing without a gesture, nothing without
    /// digits. Of a currency with two decimals, 200 and 1,000 for one payment, 2,000 a day. Revocation lists are good for a day.
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
            wallet_unlocked: None,
            worn: None,
            own_rule: None,
            active_when_attested: false,
            revocation_period: Duration::from_secs(24 * 60 * 60),
        }
    }
}
