//! What becomes of payments, against every ledger: each rule by name.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::time::Duration;

use armring_issuer::*;
use armring_token::{Counter, CredentialRights, Minor};
use armring_wire::*;
use common::*;

against_every_ledger!(
    one_wearer_pays_another,
    a_request_settles_once,
    a_request_expires,
    a_credential_is_valid_for_a_time,
    a_payee_is_paid_while_its_certificate_is_valid,
    a_credential_does_what_its_rights_allow,
    an_inactive_credential_does_not_pay,
    a_frozen_credential_does_not_pay_and_is_not_paid,
    nobody_pays_themselves,
    more_than_one_payment_may_be_is_refused,
    velocity_is_over_a_rolling_day,
    velocity_counts_what_comes_late_and_what_was_paid_before_a_clock_went_back,
    an_account_never_goes_below_zero,
    a_blocked_account_neither_pays_nor_is_paid,
    another_currency_is_refused,
    nothing_is_no_payment,
    a_total_that_the_books_cannot_hold_is_refused,
);

fn one_wearer_pays_another<L: Ledger>(mut w: World<L>) {
    let (mut payer, payee) = (w.band(1_000), w.band(0));
    let request = payee.request(&mut w, 300);
    let token = payer.token(&w, &request);
    assert_eq!(w.outcome(&request, &token), Outcome::Settled);
    assert_eq!((w.balance(payer.account), w.balance(payee.account)), (700, 300));
}

fn a_request_settles_once<L: Ledger>(mut w: World<L>) {
    let (shop, mut first, mut second) = (w.shop(), w.band(1_000), w.band(1_000));
    let request = shop.request(&mut w, 100);
    for (band, expected) in [(&mut first, Outcome::Settled), (&mut second, Outcome::AlreadySettled)] {
        let token = band.token(&w, &request);
        assert_eq!(w.outcome(&request, &token), expected);
    }
    let again = first.token(&w, &request);
    assert_eq!(w.outcome(&request, &again), Outcome::AlreadySettled, "not by another token of the same band either");
    assert_eq!(w.balance(shop.account), 100);
}

fn a_request_expires<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    for (after, expected) in [(599, Outcome::Settled), (600, Outcome::RequestExpired), (601, Outcome::RequestExpired)] {
        let request = shop.request(&mut w, 100);
        let token = band.token(&w, &request);
        assert_eq!(w.settle(&request, &token, later(after)).outcome, expected, "{after}");
    }
}

fn a_credential_is_valid_for_a_time<L: Ledger>(mut w: World<L>) {
    w.issuer.set_policy(Policy { credential_validity: Duration::from_secs(100), ..generous() });
    let (shop, mut band) = (w.shop(), w.band(1_000));
    for (at, expected) in [
        (NOW, Outcome::Settled),
        (later(100), Outcome::CredentialExpired),
        (UnixTime::from_secs(1_799_999_999), Outcome::CredentialExpired),
    ] {
        let request = shop.request(&mut w, 10);
        let token = band.token(&w, &request);
        assert_eq!(w.settle(&request, &token, at).outcome, expected);
    }
}

fn a_payee_is_paid_while_its_certificate_is_valid<L: Ledger>(mut w: World<L>) {
    let mut band = w.band(1_000);
    let account = w.account(0);
    let shop = w.shop_valid(account, Validity { from: later(100), until: later(200) });
    for (after, expected) in
        [(99, Outcome::NotAllowed), (100, Outcome::Settled), (199, Outcome::Settled), (200, Outcome::NotAllowed)]
    {
        let request = shop.request(&mut w, 10);
        let token = band.token(&w, &request);
        assert_eq!(w.settle(&request, &token, later(after)).outcome, expected, "{after}");
    }
}

fn a_credential_does_what_its_rights_allow<L: Ledger>(mut w: World<L>) {
    let mut with = |rights| {
        w.issuer.set_policy(Policy { rights, ..generous() });
        w.band(1_000)
    };
    let (mut pays, mut receives) = (with(CredentialRights::PAY), with(CredentialRights::RECEIVE));
    let request = receives.request(&mut w, 10);
    let token = pays.token(&w, &request);
    assert_eq!(w.outcome(&request, &token), Outcome::Settled);
    let shop = w.shop();
    assert_eq!(w.pay(&mut receives, &shop, 10), Outcome::NotAllowed, "it may only be paid");
    w.issuer.set_policy(generous());
    let (mut other, request) = (w.band(1_000), pays.request(&mut w, 10));
    let token = other.token(&w, &request);
    assert_eq!(w.outcome(&request, &token), Outcome::NotAllowed, "it may only pay");
}

fn an_inactive_credential_does_not_pay<L: Ledger>(mut w: World<L>) {
    let (shop, account) = (w.shop(), w.account(1_000));
    let mut band = w.inactive_band_of(account);
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Inactive);
}

fn a_frozen_credential_does_not_pay_and_is_not_paid<L: Ledger>(mut w: World<L>) {
    let (shop, mut payer, mut frozen) = (w.shop(), w.band(1_000), w.band(1_000));
    w.issuer.freeze(frozen.credential.id, NOW).unwrap();
    assert_eq!(w.pay(&mut frozen, &shop, 10), Outcome::Frozen);
    let request = frozen.request(&mut w, 10);
    let token = payer.token(&w, &request);
    assert_eq!(w.outcome(&request, &token), Outcome::NotAllowed);
}

fn nobody_pays_themselves<L: Ledger>(mut w: World<L>) {
    let mut band = w.band(1_000);
    let (shop, second) = (w.shop_of(band.account), w.band_of(band.account));
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::ToSelf);
    let request = second.request(&mut w, 10);
    let token = band.token(&w, &request);
    assert_eq!(w.outcome(&request, &token), Outcome::ToSelf);
}

fn more_than_one_payment_may_be_is_refused<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(10_000));
    assert_eq!(w.pay(&mut band, &shop, 1_001), Outcome::OverLimit);
}

fn velocity_is_over_a_rolling_day<L: Ledger>(mut w: World<L>) {
    w.issuer.set_policy(Policy { daily: Minor(500), ..generous() });
    let (shop, mut band) = (w.shop(), w.band(10_000));
    let day = DAY.as_secs();
    let cases = [
        (0, 300, Outcome::Settled),
        (10, 201, Outcome::Velocity),
        (20, 200, Outcome::Settled),
        (day - 1, 1, Outcome::Velocity),
        (day, 300, Outcome::Settled),
        (day + 19, 1, Outcome::Velocity),
        (day + 20, 200, Outcome::Settled),
    ];
    for (after, minor, expected) in cases {
        let mut body = request_body(shop.payee(), minor, random(&mut w.rng));
        body.expiry = ALWAYS.until;
        let request = sign(&body, &w.root, &shop.signing);
        let token = band.token(&w, &request);
        assert_eq!(w.settle(&request, &token, later(after)).outcome, expected, "{after}");
    }
}

/// Tokens of 100 each, signed in one order and sent in another, by a clock that need not go on.
fn velocity_counts_what_comes_late_and_what_was_paid_before_a_clock_went_back<L: Ledger>(mut w: World<L>) {
    w.issuer.set_policy(Policy { daily: Minor(300), ..generous() });
    let day = DAY.as_secs();
    let cases: [&[(usize, u64, Outcome)]; 5] = [
        // The second of a band's tokens comes after four days, when the fourth has been too old for long.
        &[
            (3, 0, Outcome::Settled),
            (1, 4 * day, Outcome::Settled),
            (0, 4 * day, Outcome::Settled),
            (4, 4 * day, Outcome::Settled),
            (5, 5 * day - 1, Outcome::Velocity),
            (6, 5 * day, Outcome::Settled),
        ],
        // Late ones of two days, so that what is known of the first has to be forgotten and nothing else.
        &[
            (9, 0, Outcome::Settled),
            (1, 0, Outcome::Settled),
            (7, 4 * day, Outcome::Settled),
            (0, 4 * day, Outcome::Settled),
            (8, 4 * day, Outcome::Settled),
            (10, 4 * day, Outcome::Velocity),
            (2, 5 * day - 1, Outcome::Velocity),
            (3, 5 * day, Outcome::Settled),
        ],
        // The clock goes back by an hour, and the highest counter has the lowest time.
        &[
            (0, 7_200, Outcome::Settled),
            (1, 7_200, Outcome::Settled),
            (2, 3_600, Outcome::Settled),
            (3, day + 3_599, Outcome::Velocity),
            (4, day + 3_600, Outcome::Settled),
            (5, day + 7_199, Outcome::Velocity),
            (6, day + 7_200, Outcome::Settled),
            (7, day + 7_200, Outcome::Settled),
        ],
        // One came late a day and a half before another one that did. Then the clock goes back by a day, to where both count.
        &[
            (2, 0, Outcome::Settled),
            (1, 3 * day, Outcome::Settled),
            (10, 4 * day + day / 2, Outcome::Settled),
            (3, 4 * day + day / 2, Outcome::Settled),
            (11, 3 * day + day / 2, Outcome::Velocity),
        ],
        // All in order.
        &[
            (0, 0, Outcome::Settled),
            (1, 1, Outcome::Settled),
            (2, 2, Outcome::Settled),
            (3, day - 1, Outcome::Velocity),
            (4, day, Outcome::Settled),
            (5, day, Outcome::Velocity),
        ],
    ];
    for (number, cases) in cases.into_iter().enumerate() {
        let (shop, mut band) = (w.shop(), w.band(10_000));
        let mut signed = Vec::new();
        for _ in 0..12 {
            let mut body = request_body(shop.payee(), 100, random(&mut w.rng));
            body.expiry = ALWAYS.until;
            let request = sign(&body, &w.root, &shop.signing);
            signed.push((band.token(&w, &request), request));
        }
        for (which, after, expected) in cases {
            let (token, request) = &signed[*which];
            assert_eq!(w.settle(request, token, later(*after)).outcome, *expected, "{number}: {which} after {after}");
        }
        assert_eq!(w.statement(band.account).len(), 1 + cases.iter().filter(|case| case.2.is_settled()).count());
    }
    assert_eq!(w.issuer.ledger().audit().unwrap(), []);
}

fn an_account_never_goes_below_zero<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(100));
    assert_eq!(w.pay(&mut band, &shop, 101), Outcome::InsufficientFunds);
    assert_eq!(w.pay(&mut band, &shop, 100), Outcome::Settled);
    assert_eq!(w.pay(&mut band, &shop, 1), Outcome::InsufficientFunds);
}

fn a_blocked_account_neither_pays_nor_is_paid<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    for account in [shop.account, band.account] {
        w.issuer.set_account_state(account, AccountState::Blocked).unwrap();
        assert_eq!(w.pay(&mut band, &shop, 10), Outcome::NotAllowed);
        w.issuer.set_account_state(account, AccountState::Open).unwrap();
        assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
    }
}

fn another_currency_is_refused<L: Ledger>(mut w: World<L>) {
    let (shop, band) = (w.shop(), w.band(1_000));
    let mut body = request_body(shop.payee(), 10, [3; 16]);
    body.amount = Amount::new(10, Currency::EUR);
    let request = sign(&body, &w.root, &shop.signing);
    let token = band.token_with(&w, &request, |_| {});
    assert_eq!(w.outcome(&request, &token), Outcome::NotAllowed);
    let euros = w.issuer.open_account(Currency::EUR, &mut w.rng).unwrap();
    let shop = w.shop_of(euros);
    let request = shop.request(&mut w, 10);
    let token = band.token_with(&w, &request, |body| (body.counter, body.cumulative) = (Counter(2), Minor(20)));
    assert_eq!(w.outcome(&request, &token), Outcome::NotAllowed);
}

fn nothing_is_no_payment<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 0), Outcome::NotAllowed);
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
    assert_eq!(w.pay(&mut band, &shop, 0), Outcome::NotAllowed);
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled, "nothing takes no part of the total");
}

fn a_total_that_the_books_cannot_hold_is_refused<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    for (minor, cumulative) in [(10, u64::MAX), (u64::MAX, u64::MAX), (10, 1 << 63)] {
        let request = shop.request(&mut w, minor);
        let token = band.token_with(&w, &request, |body| body.cumulative = Minor(cumulative));
        band.counter += 1;
        assert_eq!(w.outcome(&request, &token), Outcome::NotAllowed);
    }
    let request = shop.request(&mut w, 10);
    let token = band.token_with(&w, &request, |body| body.cumulative = Minor((1 << 63) - 1));
    assert_eq!(w.outcome(&request, &token), Outcome::Settled);
}
