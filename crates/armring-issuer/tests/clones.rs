//! Two bands with one key: what finds them, what they do, and that nothing else does it, against every ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_token::{Counter, Gesture, Minor};
use armring_wire::records::issuer::Refusal;
use armring_wire::*;
use common::*;

against_every_ledger!(
    a_refused_token_takes_its_counter_and_its_part_of_the_total,
    a_total_below_the_amount_is_refused_for_good,
    a_clone_with_the_same_counter_freezes_the_credential,
    a_clone_that_counts_elsewhere_is_found_by_its_total,
    a_clone_that_counts_higher_and_totals_lower_is_found,
    a_band_that_lost_power_signs_what_it_had_stored_and_goes_on,
    a_clone_is_found_whatever_else_is_wrong,
    tokens_may_come_in_any_order,
    what_does_not_verify_freezes_nothing,
);

fn a_refused_token_takes_its_counter_and_its_part_of_the_total<L: Ledger>(mut w: World<L>) {
    let (shop, band) = (w.shop(), w.band(100));
    let request = shop.request(&mut w, 200);
    let voided = band.token_with(&w, &request, |_| {});
    assert_eq!(w.outcome(&request, &voided), Outcome::InsufficientFunds);
    let request = shop.request(&mut w, 50);
    let overlapping = band.token_with(&w, &request, |body| (body.counter, body.cumulative) = (Counter(2), Minor(200)));
    assert_eq!(w.outcome(&request, &overlapping), Outcome::Cloned);
}

fn a_total_below_the_amount_is_refused_for_good<L: Ledger>(mut w: World<L>) {
    let (shop, band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 100);
    let token = band.token_with(&w, &request, |body| body.cumulative = Minor(99));
    let answer = w.settle(&request, &token, NOW);
    assert_eq!(answer.outcome, Outcome::NotAllowed);
    assert_eq!(w.settle(&request, &token, NOW).receipt, answer.receipt);
    let other = band.token_with(&w, &request, |_| {});
    assert_eq!(w.outcome(&request, &other), Outcome::Cloned, "it took its counter");
}

fn a_clone_with_the_same_counter_freezes_the_credential<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 100);
    let first = band.token(&w, &request);
    assert_eq!(w.outcome(&request, &first), Outcome::Settled);

    let other = shop.request(&mut w, 70);
    let second = band.token_with(&w, &other, |body| (body.counter, body.cumulative) = (Counter(1), Minor(900)));
    let answer = w.settle(&other, &second, NOW);
    assert_eq!(answer.outcome, Outcome::Cloned);
    assert_eq!(w.issuer.state(band.credential.id).unwrap(), CredentialState::Cloned);
    let evidence = w.issuer.evidence(band.credential.id).unwrap();
    assert_eq!(evidence, [Evidence { first: first.clone(), second: second.clone(), time: NOW }]);

    let repeated = w.settle(&other, &second, later(5));
    assert_eq!((repeated.receipt, repeated.repeated), (answer.receipt, true));
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Frozen);
    assert_eq!(w.outcome(&request, &first), Outcome::Settled, "what was settled stays so");
    assert_eq!(w.balance(shop.account), 100);
}

fn a_clone_that_counts_elsewhere_is_found_by_its_total<L: Ledger>(mut w: World<L>) {
    // Recorded is (100, 200] with counter 5. Each case overlaps it, the last two do not, and have their counters on the right sides.
    let cases = [(150, 10), (200, 100), (101, 1), (300, 250), (201, 50), (100, 100), (300, 100)];
    for (number, (cumulative, minor)) in cases.into_iter().enumerate() {
        let (shop, band) = (w.shop(), w.band(10_000));
        let request = shop.request(&mut w, 100);
        let recorded = band.token_with(&w, &request, |body| (body.counter, body.cumulative) = (Counter(5), Minor(200)));
        assert_eq!(w.outcome(&request, &recorded), Outcome::Settled);
        let (request, counter) = (shop.request(&mut w, minor), if number == 5 { 3 } else { 9 });
        let token = band.token_with(&w, &request, |body| (body.counter, body.cumulative) = (Counter(counter), Minor(cumulative)));
        let expected = if number < 5 { Outcome::Cloned } else { Outcome::Settled };
        assert_eq!(w.outcome(&request, &token), expected, "({}, {cumulative}]", cumulative - minor);
    }
}

fn a_clone_that_counts_higher_and_totals_lower_is_found<L: Ledger>(mut w: World<L>) {
    // Recorded are counter 5 with (100, 200] and counter 9 with (400, 500].
    let cases = [
        (6, 300, Outcome::Settled),
        (4, 100, Outcome::Settled),
        (10, 600, Outcome::Settled),
        (4, 300, Outcome::Cloned),
        (10, 300, Outcome::Cloned),
        (6, 100, Outcome::Cloned),
        (8, 600, Outcome::Cloned),
        (2, 600, Outcome::Cloned),
    ];
    for (counter, cumulative, expected) in cases {
        let (shop, band) = (w.shop(), w.band(10_000));
        let mut paid = |counter, cumulative| {
            let request = shop.request(&mut w, 100);
            let token =
                band.token_with(&w, &request, |body| (body.counter, body.cumulative) = (Counter(counter), Minor(cumulative)));
            (w.outcome(&request, &token), token)
        };
        let recorded =
            [paid(5, 200), paid(9, 500)].map(|(outcome, token)| (outcome == Outcome::Settled).then_some(token).unwrap());
        let (outcome, token) = paid(counter, cumulative);
        assert_eq!(outcome, expected, "counter {counter} with a total of {cumulative}");
        let evidence = w.issuer.evidence(band.credential.id).unwrap();
        assert_eq!(evidence.len(), usize::from(outcome == Outcome::Cloned));
        assert!(evidence.iter().all(|evidence| recorded.contains(&evidence.first) && evidence.second == token));
    }
}

/// Counter and total are stored in one write before anything is signed, so that what comes after a power cut is the same body, or the next.
fn a_band_that_lost_power_signs_what_it_had_stored_and_goes_on<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let requests: Vec<_> = (0..3).map(|_| shop.request(&mut w, 20)).collect();
    let first = band.token(&w, &requests[0]);
    let never_sent = band.token(&w, &requests[1]);
    let next = band.token(&w, &requests[2]);
    for (request, token) in [(&requests[0], &first), (&requests[2], &next), (&requests[0], &first), (&requests[1], &never_sent)] {
        assert_eq!(w.outcome(request, token), Outcome::Settled);
    }
    assert_eq!((w.issuer.state(band.credential.id).unwrap(), w.balance(shop.account)), (CredentialState::Active, 60));
}

fn a_clone_is_found_whatever_else_is_wrong<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    let own = w.shop_of(band.account);
    let request = own.request(&mut w, 5_000);
    let token = band.token_with(&w, &request, |body| (body.counter, body.presence.gesture) = (Counter(1), Gesture::None));
    assert_eq!(w.settle(&request, &token, ALWAYS.from).outcome, Outcome::Cloned);
}

fn tokens_may_come_in_any_order<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let mut signed = Vec::new();
    for _ in 0..5 {
        let request = shop.request(&mut w, 20);
        signed.push((band.token(&w, &request), request));
    }
    for number in [3, 0, 4, 2, 1] {
        let (token, request) = &signed[number];
        assert_eq!(w.outcome(request, token), Outcome::Settled);
    }
    assert_eq!(w.balance(shop.account), 100);
}

fn what_does_not_verify_freezes_nothing<L: Ledger>(mut w: World<L>) {
    let (shop, other, mut band, stranger) = (w.shop(), w.shop(), w.band(1_000), w.band(1_000));
    let request = shop.request(&mut w, 10);
    let token = band.token(&w, &request);
    assert_eq!(w.outcome(&request, &token), Outcome::Settled);

    let spoiled = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let next = shop.request(&mut w, 10);
    let clone = band.token_with(&w, &next, |body| body.counter = Counter(1));
    let forged = sign(&band.body(&w.root, &next), &w.root, &stranger.signing);
    let body = request_body(shop.payee(), 10, [1; 16]);
    let by_other_shop = sign(&body, &w.root, &other.signing);
    let of_other_shop = sign(&request_body(PayeeRef::Certificate(PayeeId([9; 8])), 10, [1; 16]), &w.root, &shop.signing);
    let elsewhere = sign(&body, &RootFingerprint([9; 32]), &shop.signing);
    let cases = [
        (next.clone(), spoiled(&clone, 10), Refusal::Signature),
        (next.clone(), forged, Refusal::Signature),
        (spoiled(&next, 10), band.token_with(&w, &spoiled(&next, 10), |_| {}), Refusal::Signature),
        (by_other_shop.clone(), band.token_with(&w, &by_other_shop, |_| {}), Refusal::Signature),
        (elsewhere.clone(), band.token_with(&w, &elsewhere, |_| {}), Refusal::Signature),
        (of_other_shop.clone(), band.token_with(&w, &of_other_shop, |_| {}), Refusal::UnknownPayee),
        (next.clone(), band.token_with(&w, &next, |body| body.credential = CredentialId([9; 8])), Refusal::UnknownCredential),
        (next.clone(), band.token_with(&w, &request, |_| {}), Refusal::Mismatch),
        (next.clone(), band.token_with(&w, &next, |body| body.amount = cny(9)), Refusal::Mismatch),
        (next.clone(), band.token_with(&w, &next, |body| body.amount = Amount::new(10, Currency::EUR)), Refusal::Mismatch),
        (next.clone(), band.token_with(&w, &next, |body| body.payee = other.payee()), Refusal::Mismatch),
        (next.clone(), next.clone(), Refusal::Malformed),
        (clone.clone(), clone.clone(), Refusal::Malformed),
        (next.clone(), clone[..138].to_vec(), Refusal::Malformed),
        (Vec::new(), Vec::new(), Refusal::Malformed),
    ];
    for (number, (request, token, expected)) in cases.into_iter().enumerate() {
        assert_eq!(w.redeem(&request, &token), Err(expected), "case {number}");
    }
    let record = w.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
    assert_eq!((record.state(), record.answered().0), (CredentialState::Active, 1));
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
}
