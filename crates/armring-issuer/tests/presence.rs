//! What the wearer has to do for an amount, and what a band may do without them, against every ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_token::{FreeCount, Gesture, Limits, Minor, Presence, Unlocking};
use armring_wire::records::Assurance;
use armring_wire::*;
use common::*;

against_every_ledger!(
    a_large_amount_needs_a_fresh_unlock,
    a_locked_band_does_not_pay,
    without_a_free_limit_nothing_is_paid_without_a_gesture,
    payments_without_a_gesture_are_held_to_amount_count_and_total,
    a_gesture_begins_the_free_payments_anew,
    a_refused_free_payment_counts,
    a_token_that_has_not_come_may_have_had_a_gesture,
    free_payments_are_counted_by_their_counters_in_whatever_order_they_come,
    a_wallet_alone_unlocks_for_no_more_than_the_policy_says,
    a_band_just_put_on_does_not_pay_much,
    the_operator_s_own_rule_is_asked_last,
);

const NO_GESTURE: Presence = Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Gesture::None, online_only: false };
const PIN: Presence = Presence { gesture: Gesture::Press, ..NO_GESTURE };

/// A band whose user may pay three times, 20 each and 50 together, without a gesture.
fn free_band<L: Ledger>(w: &mut World<L>) -> (Shop, Band) {
    let limits = Limits { free: Minor(20), free_count: FreeCount(3), free_total: Minor(50), ..generous().compared_code.unwrap() };
    w.issuer.set_policy(Policy { compared_code: Some(limits), ..generous() });
    (w.shop(), w.band(10_000))
}

/// Signs for `minor`, and counts.
fn sign_for<L>(w: &mut World<L>, shop: &Shop, band: &mut Band, minor: u64, presence: Presence) -> (Vec<u8>, Vec<u8>) {
    let request = shop.request(w, minor);
    let token = band.token_with(w, &request, |body| body.presence = presence);
    (band.counter, band.cumulative) = (band.counter + 1, band.cumulative + minor);
    (request, token)
}

fn pay<L: Ledger>(w: &mut World<L>, shop: &Shop, band: &mut Band, minor: u64, presence: Presence) -> Outcome {
    let (request, token) = sign_for(w, shop, band, minor, presence);
    w.outcome(&request, &token)
}

fn a_large_amount_needs_a_fresh_unlock<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(10_000));
    for (minor, gesture, expected) in [
        (500, Gesture::Press, Outcome::Settled),
        (501, Gesture::Press, Outcome::Presence),
        (501, Gesture::FreshUnlock, Outcome::Settled),
    ] {
        assert_eq!(pay(&mut w, &shop, &mut band, minor, Presence { gesture, ..PIN }), expected, "{minor} {gesture:?}");
    }
}

fn a_locked_band_does_not_pay<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = free_band(&mut w);
    for gesture in [Gesture::None, Gesture::Press, Gesture::FreshUnlock] {
        let presence = Presence { gesture, unlocking: Unlocking::Locked, ..PIN };
        assert_eq!(pay(&mut w, &shop, &mut band, 1, presence), Outcome::Presence, "{gesture:?}");
    }
}

fn without_a_free_limit_nothing_is_paid_without_a_gesture<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(10_000));
    assert_eq!(pay(&mut w, &shop, &mut band, 1, NO_GESTURE), Outcome::Presence);
}

fn payments_without_a_gesture_are_held_to_amount_count_and_total<L: Ledger>(mut w: World<L>) {
    let cases: [(&[u64], Outcome); 6] = [
        (&[20], Outcome::Settled),
        (&[21], Outcome::Presence),
        (&[1, 1, 1], Outcome::Settled),
        (&[1, 1, 1, 1], Outcome::Presence),
        (&[20, 20, 10], Outcome::Settled),
        (&[20, 20, 11], Outcome::Presence),
    ];
    for (amounts, expected) in cases {
        let (shop, mut band) = free_band(&mut w);
        let outcomes: Vec<_> = amounts.iter().map(|minor| pay(&mut w, &shop, &mut band, *minor, NO_GESTURE)).collect();
        let (last, before) = outcomes.split_last().unwrap();
        assert!(before.iter().all(|outcome| outcome.is_settled()));
        assert_eq!(*last, expected, "{amounts:?}");
    }
}

fn a_gesture_begins_the_free_payments_anew<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = free_band(&mut w);
    for _ in 0..3 {
        for _ in 0..3 {
            assert_eq!(pay(&mut w, &shop, &mut band, 15, NO_GESTURE), Outcome::Settled);
        }
        // Refused for its amount, and the wearer pressed all the same.
        assert_eq!(pay(&mut w, &shop, &mut band, 1_001, PIN), Outcome::OverLimit);
    }
}

fn a_refused_free_payment_counts<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = free_band(&mut w);
    for (minor, expected) in [(1, Outcome::Settled), (21, Outcome::Presence), (1, Outcome::Settled), (1, Outcome::Presence)] {
        assert_eq!(pay(&mut w, &shop, &mut band, minor, NO_GESTURE), expected);
    }
}

fn a_token_that_has_not_come_may_have_had_a_gesture<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = free_band(&mut w);
    for _ in 0..3 {
        assert_eq!(pay(&mut w, &shop, &mut band, 15, NO_GESTURE), Outcome::Settled);
    }
    let (request, pressed) = sign_for(&mut w, &shop, &mut band, 100, PIN);
    assert_eq!(pay(&mut w, &shop, &mut band, 15, NO_GESTURE), Outcome::Settled, "an honest band is not refused");
    assert_eq!(w.outcome(&request, &pressed), Outcome::Settled);
}

fn free_payments_are_counted_by_their_counters_in_whatever_order_they_come<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = free_band(&mut w);
    let signed: Vec<_> = (0..4).map(|_| sign_for(&mut w, &shop, &mut band, 1, NO_GESTURE)).collect();
    for number in [2, 0, 1] {
        assert_eq!(w.outcome(&signed[number].0, &signed[number].1), Outcome::Settled);
    }
    assert_eq!(w.outcome(&signed[3].0, &signed[3].1), Outcome::Presence, "the fourth in a row");
}

fn a_wallet_alone_unlocks_for_no_more_than_the_policy_says<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(10_000));
    let by_wallet = |gesture| Presence { unlocking: Unlocking::Wallet, gesture, ..PIN };
    let cases = [
        (None, 500, Gesture::Press, Outcome::Settled),
        (None, 501, Gesture::FreshUnlock, Outcome::Presence),
        (Some(Minor(100)), 100, Gesture::Press, Outcome::Settled),
        (Some(Minor(100)), 101, Gesture::Press, Outcome::Presence),
        (Some(Minor(900)), 500, Gesture::Press, Outcome::Settled),
        (Some(Minor(900)), 501, Gesture::FreshUnlock, Outcome::Presence),
        (Some(Minor(0)), 1, Gesture::Press, Outcome::Presence),
    ];
    for (wallet_unlocked, minor, gesture, expected) in cases {
        w.issuer.set_policy(Policy { wallet_unlocked, ..generous() });
        assert_eq!(pay(&mut w, &shop, &mut band, minor, by_wallet(gesture)), expected, "{wallet_unlocked:?} {minor} {gesture:?}");
    }
    w.issuer.set_policy(Policy { wallet_unlocked: Some(Minor(0)), ..generous() });
    assert_eq!(pay(&mut w, &shop, &mut band, 500, PIN), Outcome::Settled, "it says nothing about other ways");
}

fn a_band_just_put_on_does_not_pay_much<L: Ledger>(mut w: World<L>) {
    w.issuer.set_policy(Policy { worn: Some(Worn { above: Minor(50), minutes: 10 }), ..generous() });
    let (shop, mut band) = (w.shop(), w.band(10_000));
    for (minor, minutes_worn, expected) in
        [(50, 0, Outcome::Settled), (51, 9, Outcome::Presence), (51, 10, Outcome::Settled), (51, u16::MAX, Outcome::Settled)]
    {
        assert_eq!(pay(&mut w, &shop, &mut band, minor, Presence { minutes_worn, ..PIN }), expected, "{minor} {minutes_worn}");
    }
}

fn the_operator_s_own_rule_is_asked_last<L: Ledger>(mut w: World<L>) {
    let rule = OwnRule::new(|attempt: &Attempt| {
        assert_eq!((attempt.assurance, attempt.amount.currency()), (Assurance::ComparedCode, Currency::CNY));
        assert!(attempt.amount.minor() <= 500, "what another rule refuses is not asked");
        attempt.amount.minor() < 100 || attempt.presence.unlocking >= Unlocking::Pin
    });
    w.issuer.set_policy(Policy { own_rule: Some(rule), ..generous() });
    let (shop, mut band) = (w.shop(), w.band(10_000));
    let tapped = Presence { unlocking: Unlocking::TapPattern, ..PIN };
    for (minor, presence, expected) in [
        (99, tapped, Outcome::Settled),
        (100, tapped, Outcome::Presence),
        (100, PIN, Outcome::Settled),
        (501, PIN, Outcome::Presence),
    ] {
        assert_eq!(pay(&mut w, &shop, &mut band, minor, presence), expected, "{minor}");
    }
}
