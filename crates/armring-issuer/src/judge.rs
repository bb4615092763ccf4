//! The rules, in one place and without side effects: what becomes of a payment that verified.

use core::time::Duration;

use armring_token::{CredentialRights, Minor};
use armring_wire::{Currency, Outcome, TokenDigest, UnixTime, Validity};

use crate::ledger::{Account, AccountState, CredentialRecord, CredentialState};
use crate::policy::Policy;
use crate::redeem::VerifiedPayment;

/// The window of the velocity limit.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a ledger knows about a payment, all as of one moment. That this very token was not answered before has been looked up already: if it
/// was, it gets its old receipt, whatever has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The token that has this one's counter, or totals that overlap this one's.
    pub conflict: Option<TokenDigest>,
    /// Whether another token settled the request.
    pub request_settled: bool,
    /// The credential that pays.
    pub payer: CredentialRecord,
    /// Its account.
    pub payer_account: Account,
    /// Who is paid.
    pub receiver: Receiver,
    /// How much was settled under the credential within the last 24 hours, in minor units.
    pub settled_within_a_day: i64,
}

/// Who is paid: a payee with a certificate, or the holder of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Where the money goes.
    pub account: Account,
    /// The currency that certificate or credential is for.
    pub currency: Currency,
    /// When it may receive.
    pub validity: Validity,
    /// Whether it may: by its rights, and for a credential by its state.
    pub may_receive: bool,
}

/// Decides about a payment that verified. It looks at nothing but its arguments.
///
/// The first rule that is broken is the outcome. A clone comes first, since it must freeze the credential whatever else is wrong.
#[must_use]
pub fn judge(payment: &VerifiedPayment, facts: &Facts, policy: &Policy, now: UnixTime) -> Outcome {
    let token = payment.token();
    let limits = &facts.payer.credential.limits;
    let amount = token.amount.minor();
    let rules = [
        (facts.conflict.is_some(), Outcome::Cloned),
        (facts.payer.state == CredentialState::Inactive, Outcome::Inactive),
        (facts.payer.state != CredentialState::Active, Outcome::Frozen),
        (facts.payer_account.id == facts.receiver.account.id, Outcome::ToSelf),
        (!is_allowed(payment, facts, now), Outcome::NotAllowed),
        (facts.request_settled, Outcome::AlreadySettled),
        (is_expired(payment, policy, now), Outcome::RequestExpired),
        (!facts.payer.credential.validity.contains(now), Outcome::CredentialExpired),
        (amount > limits.each.0, Outcome::OverLimit),
        (!limits.allows(Minor(amount), token.presence), Outcome::Presence),
        (exceeds(facts.settled_within_a_day, amount, policy.daily.0), Outcome::Velocity),
        (facts.payer_account.balance.checked_sub_unsigned(amount).is_none_or(i64::is_negative), Outcome::InsufficientFunds),
    ];
    rules.into_iter().find_map(|(broken, outcome)| broken.then_some(outcome)).unwrap_or(Outcome::Settled)
}

/// Whether the payer may pay this and the payee may be paid: rights, validity of the payee, states of the accounts, currency. Nothing at all
/// is no payment, and neither is what no band signs: a cumulative total below the amount, or above 2⁶³ − 1.
fn is_allowed(payment: &VerifiedPayment, facts: &Facts, now: UnixTime) -> bool {
    let (amount, receiver) = (payment.token().amount, &facts.receiver);
    let currencies =
        [facts.payer.credential.currency, facts.payer_account.currency, receiver.currency, receiver.account.currency];
    !amount.is_zero()
        && payment.interval().is_some()
        && facts.payer.credential.rights.allows(CredentialRights::PAY)
        && receiver.may_receive
        && receiver.validity.contains(now)
        && [facts.payer_account.state, receiver.account.state].iter().all(|state| *state == AccountState::Open)
        && currencies.iter().all(|currency| *currency == amount.currency())
}

/// Whether it is too late. A token that may have been accepted without network has the redeem period on top.
fn is_expired(payment: &VerifiedPayment, policy: &Policy, now: UnixTime) -> bool {
    let grace = if payment.token().presence.online_only { Duration::ZERO } else { policy.redeem_period };
    payment.expiry().checked_add(grace).is_some_and(|until| until <= now)
}

fn exceeds(so_far: i64, amount: u64, limit: u64) -> bool {
    so_far.max(0).unsigned_abs().checked_add(amount).is_none_or(|sum| sum > limit)
}
