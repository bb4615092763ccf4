//! Tokens that a payee took without network and redeems later, against every ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::time::Duration;

use armring_issuer::*;
use armring_wire::*;
use common::*;

against_every_ledger!(
    a_token_may_be_redeemed_until_the_expiry_and_the_redeem_period,
    without_a_redeem_period_the_expiry_is_the_end,
    a_redeem_period_past_the_calendar_never_ends,
    what_is_late_is_refused_for_good,
    late_tokens_within_the_ceiling_settle_in_whatever_order_they_come,
    a_band_that_goes_on_above_its_ceiling_gets_no_redeem_period,
    a_settled_token_gets_its_receipt_however_late,
);

/// Requests expire 600 s after `NOW`; the offline total is 300.
fn with_redeem_period<L: Ledger>(w: &mut World<L>, seconds: u64) -> (Shop, Band) {
    w.issuer.set_policy(Policy { redeem_period: Duration::from_secs(seconds), ..generous() });
    (w.shop(), w.band(10_000))
}

fn signed<L>(w: &mut World<L>, shop: &Shop, band: &mut Band, minor: u64, online_only: bool) -> (Vec<u8>, Vec<u8>) {
    let request = shop.request(w, minor);
    let token = band.token_with(w, &request, |body| body.presence.online_only = online_only);
    (band.counter, band.cumulative) = (band.counter + 1, band.cumulative + minor);
    (request, token)
}

fn redeem_at<L: Ledger>(w: &mut World<L>, (request, token): &(Vec<u8>, Vec<u8>), seconds: u64) -> Outcome {
    w.settle(request, token, later(seconds)).outcome
}

fn a_token_may_be_redeemed_until_the_expiry_and_the_redeem_period<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, 60);
    let cases = [
        (false, 599, Outcome::Settled),
        (false, 600, Outcome::Settled),
        (false, 659, Outcome::Settled),
        (false, 660, Outcome::RequestExpired),
        (true, 599, Outcome::Settled),
        (true, 600, Outcome::RequestExpired),
        (true, 659, Outcome::RequestExpired),
    ];
    for (online_only, after, expected) in cases {
        let payment = signed(&mut w, &shop, &mut band, 10, online_only);
        assert_eq!(redeem_at(&mut w, &payment, after), expected, "{online_only} {after}");
    }
}

fn without_a_redeem_period_the_expiry_is_the_end<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, 0);
    for (after, expected) in [(599, Outcome::Settled), (600, Outcome::RequestExpired)] {
        let payment = signed(&mut w, &shop, &mut band, 10, false);
        assert_eq!(redeem_at(&mut w, &payment, after), expected);
    }
}

fn a_redeem_period_past_the_calendar_never_ends<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, u64::MAX);
    let payment = signed(&mut w, &shop, &mut band, 10, false);
    assert_eq!(redeem_at(&mut w, &payment, 1_000_000), Outcome::Settled);
}

fn what_is_late_is_refused_for_good<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, 60);
    let payment = signed(&mut w, &shop, &mut band, 10, false);
    assert_eq!(redeem_at(&mut w, &payment, 660), Outcome::RequestExpired);
    w.issuer.set_policy(Policy { redeem_period: Duration::from_secs(600), ..generous() });
    assert_eq!(redeem_at(&mut w, &payment, 660), Outcome::RequestExpired);
}

fn late_tokens_within_the_ceiling_settle_in_whatever_order_they_come<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, 60);
    // As much as the credential's ceiling allows before any receipt.
    let payments: Vec<_> = (0..3).map(|_| signed(&mut w, &shop, &mut band, 100, false)).collect();
    for number in [2, 0, 1] {
        assert_eq!(redeem_at(&mut w, &payments[number], 650), Outcome::Settled);
    }
    // A receipt brought a ceiling of 600.
    let next: Vec<_> = (0..3).map(|_| signed(&mut w, &shop, &mut band, 100, false)).collect();
    for number in [2, 1, 0] {
        assert_eq!(redeem_at(&mut w, &next[number], 650), Outcome::Settled);
    }
}

/// Only a band that was tampered with signs more for use without network than its ceiling allows.
fn a_band_that_goes_on_above_its_ceiling_gets_no_redeem_period<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, 60);
    let payments: Vec<_> = (0..5).map(|_| signed(&mut w, &shop, &mut band, 100, false)).collect();
    assert_eq!(redeem_at(&mut w, &payments[4], 600), Outcome::RequestExpired);
    assert_eq!(redeem_at(&mut w, &payments[3], 600), Outcome::Settled, "100 were answered, so that 400 are within");
    assert_eq!(redeem_at(&mut w, &payments[0], 600), Outcome::Settled);
    let (shop, mut band) = with_redeem_period(&mut w, 60);
    let payments: Vec<_> = (0..4).map(|_| signed(&mut w, &shop, &mut band, 100, false)).collect();
    assert_eq!(redeem_at(&mut w, &payments[3], 599), Outcome::Settled, "before the expiry it makes no difference");
    assert_eq!(w.issuer.state(band.credential.id).unwrap(), CredentialState::Active, "no other band has signed");
}

fn a_settled_token_gets_its_receipt_however_late<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = with_redeem_period(&mut w, 60);
    let (request, token) = signed(&mut w, &shop, &mut band, 10, false);
    let first = w.settle(&request, &token, later(659));
    let again = w.settle(&request, &token, later(9_999));
    assert_eq!((first.outcome, again.repeated, again.receipt), (Outcome::Settled, true, first.receipt));
}
