//! The rules, in one place and without side effects: what becomes of a payment that verified.

use core::time::Duration;

use armring_token::{CredentialRights, Gesture, Minor, PaymentToken, Unlocking};
use armring_wire::{Amount, Currency, Outcome, TokenDigest, UnixTime, Validity};

use crate::ledger::{Account, AccountState, CredentialRecord, CredentialState};
use crate::policy::{Attempt, Policy};
use crate::redeem::VerifiedPayment;
use crate::refund::VerifiedRefund;

/// The window of the velocity limit.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a ledger knows about a payment, all as of one moment. That this very token was not answered before has been looked up already: if it
/// was, it gets its old receipt, whatever has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// A token that no band signs which has signed this one: it has the same counter, or totals that overlap this one's, or a lower counter
    /// and higher totals, or a higher counter and lower ones. A band stores counter and total together before it signs, so that no power cut
    /// makes one go without the other.
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
    /// The payments without a gesture right before this one; of no account where this one has a gesture.
    pub free_run: FreeRun,
}

/// Payments without a gesture whose counters come right before a token's, without a gap: as many as its credential allows are looked at.
///
/// Where a counter is missing, the token with it has not come yet. It may have had a gesture, after which the band counts anew; the wearer
/// has the benefit of the doubt, so that no order of arrival makes an honest payment refused. Refused payments count: the band cannot know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeRun {
    /// How many.
    pub count: u32,
    /// What they come to, in minor units.
    pub total: i64,
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
    /// Whether it may: by its rights, and by its state.
    pub may_receive: bool,
    /// Whether it may give back: its key is not one that was revoked or frozen.
    pub may_refund: bool,
}

/// What a ledger knows about a refund and its payment, all as of one moment. That this very refund was not answered before has been looked
/// up already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundFacts {
    /// What became of the payment.
    pub outcome: Outcome,
    /// How much it was.
    pub amount: Amount,
    /// How much of it was given back before, in minor units.
    pub refunded: i64,
    /// Who paid.
    pub payer_account: Account,
    /// Who was paid.
    pub payee: Receiver,
}

impl RefundFacts {
    /// How much is left of the payment that can be given back, in minor units.
    #[must_use]
    pub fn left(&self) -> u64 {
        let paid = if self.outcome.is_settled() { self.amount.minor() } else { 0 };
        paid.saturating_sub(self.refunded.max(0).unsigned_abs())
    }
}

/// Decides about a payment that verified. It looks at nothing but its arguments.
///
/// The first rule that is broken is the outcome. A clone comes first, since it must freeze the credential whatever else is wrong.
#[must_use]
pub fn judge(payment: &VerifiedPayment, facts: &Facts, policy: &Policy, now: UnixTime) -> Outcome {
    let token = payment.token();
    let limits = &facts.payer.credential.limits;
    let amount = token.amount.minor();
    let state = facts.payer.state();
    let rules = [
        (facts.conflict.is_some(), Outcome::Cloned),
        (state == CredentialState::Inactive, Outcome::Inactive),
        (state != CredentialState::Active, Outcome::Frozen),
        (facts.payer_account.id == facts.receiver.account.id, Outcome::ToSelf),
        (!is_allowed(payment, facts, now), Outcome::NotAllowed),
        (facts.request_settled, Outcome::AlreadySettled),
        (is_expired(payment, facts, policy, now), Outcome::RequestExpired),
        (!facts.payer.credential.validity.contains(now), Outcome::CredentialExpired),
        (amount > limits.each.0, Outcome::OverLimit),
        (!is_present(token, facts, policy), Outcome::Presence),
        (exceeds(facts.settled_within_a_day, amount, policy.daily.0), Outcome::Velocity),
        (has_less(&facts.payer_account, amount), Outcome::InsufficientFunds),
    ];
    rules.into_iter().find_map(|(broken, outcome)| broken.then_some(outcome)).unwrap_or(Outcome::Settled)
}

/// Decides about a refund that verified, of a payment to the same payee. It looks at nothing but its arguments, and the first rule that is broken
/// is the outcome. A refund has no term: a payee gives back for as long as its key is good.
#[must_use]
pub fn judge_refund(refund: &VerifiedRefund, facts: &RefundFacts) -> Outcome {
    let amount = refund.refund().amount;
    let accounts = [&facts.payer_account, &facts.payee.account];
    let is_allowed = !amount.is_zero()
        && amount.currency() == facts.amount.currency()
        && facts.payee.may_refund
        && accounts.iter().all(|account| account.state == AccountState::Open);
    let rules = [
        (!facts.outcome.is_settled(), Outcome::NotSettled),
        (!is_allowed, Outcome::NotAllowed),
        (amount.minor() > facts.left(), Outcome::RefundExceeds),
        (has_less(&facts.payee.account, amount.minor()), Outcome::InsufficientFunds),
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
///
/// One above the ceiling has not, whatever its bit says: an honest band marks it as online only, since its ceiling is what the issuer had
/// answered by its latest receipt plus the offline total, and what is answered only grows. Until the request expires it settles all the same:
/// the payee may have taken it in good faith.
fn is_expired(payment: &VerifiedPayment, facts: &Facts, policy: &Policy, now: UnixTime) -> bool {
    let ceiling = facts.payer.total.max(0).unsigned_abs().saturating_add(facts.payer.credential.limits.offline_total.0);
    let (token, within) = (payment.token(), payment.token().cumulative.0 <= ceiling);
    let grace = if within && !token.presence.online_only { policy.redeem_period } else { Duration::ZERO };
    payment.expiry().checked_add(grace).is_some_and(|until| until <= now)
}

/// Whether the wearer did what the amount asks for.
fn is_present(token: &PaymentToken, facts: &Facts, policy: &Policy) -> bool {
    let (amount, presence, credential) = (token.amount.minor(), token.presence, &facts.payer.credential);
    let limits = &credential.limits;
    let is_free_run_over = presence.gesture == Gesture::None
        && (facts.free_run.count >= u32::from(limits.free_count.0) || exceeds(facts.free_run.total, amount, limits.free_total.0));
    // A wallet's word for its owner is good for what a press is, and for less where the policy says so.
    let by_unlocking =
        presence.unlocking != Unlocking::Wallet || amount <= limits.press.min(policy.wallet_unlocked.unwrap_or(limits.press)).0;
    let by_wearing = policy.worn.is_none_or(|worn| amount <= worn.above.0 || presence.minutes_worn >= worn.minutes);
    let attempt = Attempt { amount: token.amount, presence, assurance: credential.assurance };
    limits.allows(Minor(amount), presence)
        && !is_free_run_over
        && by_unlocking
        && by_wearing
        && policy.own_rule.as_ref().is_none_or(|rule| rule.allows(&attempt))
}

fn exceeds(so_far: i64, amount: u64, limit: u64) -> bool {
    so_far.max(0).unsigned_abs().checked_add(amount).is_none_or(|sum| sum > limit)
}

fn has_less(account: &Account, amount: u64) -> bool {
    account.balance.checked_sub_unsigned(amount).is_none_or(i64::is_negative)
}
