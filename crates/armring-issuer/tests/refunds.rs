//! Giving back what was paid, against every ledger: each rule by name.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_token::{Counter, Minor};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::*;
use common::*;

against_every_ledger!(
    a_payment_is_given_back_in_parts_and_no_further,
    the_same_refund_gets_the_same_receipt_and_moves_money_once,
    one_wearer_gives_back_to_another,
    a_refund_frees_nothing,
    what_was_not_settled_is_not_given_back,
    who_was_not_paid_does_not_give_back,
    what_does_not_verify_leaves_no_trace,
    a_refund_that_is_not_allowed_is_so_for_good,
    a_payee_without_money_gives_nothing_back,
    the_payer_gets_the_money_whatever_became_of_the_band,
    an_expired_certificate_still_gives_back,
    a_refund_over_the_wire_is_answered_with_its_receipt,
    a_signer_that_fails_leaves_the_books_as_they_were,
);

/// A shop that a band has just paid `minor`.
fn paid<L: Ledger>(w: &mut World<L>, minor: u64) -> (Shop, Band, TokenDigest) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let token = settled(w, &shop, &mut band, minor);
    (shop, band, token)
}

fn settled<L: Ledger>(w: &mut World<L>, shop: &Shop, band: &mut Band, minor: u64) -> TokenDigest {
    let request = shop.request(w, minor);
    let token = band.token(w, &request);
    let answer = w.settle(&request, &token, NOW);
    assert_eq!(answer.outcome, Outcome::Settled);
    answer.token
}

fn give_back<L: Ledger>(w: &mut World<L>, shop: &Shop, token: TokenDigest, minor: u64) -> (Outcome, u64) {
    let refund = shop.refund(w, token, minor);
    let (answer, left) = w.refund(&refund, NOW);
    assert_eq!(left.currency(), Currency::CNY);
    (answer.outcome, left.minor())
}

fn over_the_wire<L: Ledger>(w: &mut World<L>, refund: &[u8]) -> Result<Vec<u8>, Refusal> {
    let record = ToIssuer::Refund(Opaque::new(refund).unwrap());
    w.handle(&mut Session::new(), &record, NOW, |answer| match answer {
        FromIssuer::Refunded(receipt) => Ok(receipt.as_bytes().to_vec()),
        FromIssuer::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    })
}

fn a_payment_is_given_back_in_parts_and_no_further<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    for (minor, expected) in [
        (301, (Outcome::RefundExceeds, 300)),
        (100, (Outcome::Settled, 200)),
        (201, (Outcome::RefundExceeds, 200)),
        (u64::MAX, (Outcome::RefundExceeds, 200)),
        (200, (Outcome::Settled, 0)),
        (1, (Outcome::RefundExceeds, 0)),
    ] {
        assert_eq!(give_back(&mut w, &shop, token, minor), expected, "{minor}");
    }
    assert_eq!((w.balance(band.account), w.balance(shop.account)), (1_000, 0));
}

fn the_same_refund_gets_the_same_receipt_and_moves_money_once<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    let refund = shop.refund(&mut w, token, 100);
    let (first, _) = w.refund(&refund, NOW);
    let another = shop.refund(&mut w, token, 150);
    let (other, _) = w.refund(&another, later(5));
    assert!(!first.repeated && !other.repeated, "the same amount with other random bytes is another refund");
    w.issuer.revoke_payee(shop.id, NOW).unwrap();
    let (again, _) = w.refund(&refund, later(9));
    assert_eq!(again, RefundAnswer { repeated: true, ..first.clone() }, "nothing that happens later changes an answer");
    assert_eq!(w.balance(band.account), 950);
    let reference = Reference::Refund(first.refund);
    let entry = |change| Entry { time: NOW, reference, change, currency: Currency::CNY };
    let entries = |account| w.statement(account).into_iter().filter(|entry| entry.reference == reference);
    assert_eq!(entries(band.account).collect::<Vec<_>>(), [entry(100)]);
    assert_eq!(entries(shop.account).collect::<Vec<_>>(), [entry(-100)]);
}

fn one_wearer_gives_back_to_another<L: Ledger>(mut w: World<L>) {
    let (mut payer, payee) = (w.band(1_000), w.band(0));
    let request = payee.request(&mut w, 300);
    let token = payer.token(&w, &request);
    let token = w.settle(&request, &token, NOW).token;
    let refund = sign(&refund_body(payee.payee(), token, 300, [1; 16]), &w.root, &payee.signing.as_payee());
    assert_eq!(w.refund(&refund, NOW).0.outcome, Outcome::Settled);
    assert_eq!((w.balance(payer.account), w.balance(payee.account)), (1_000, 0));
}

fn a_refund_frees_nothing<L: Ledger>(mut w: World<L>) {
    w.issuer.set_policy(Policy { daily: Minor(400), ..generous() });
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 300);
    let signed = band.token(&w, &request);
    let answer = w.settle(&request, &signed, NOW);
    let before = w.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
    assert_eq!(give_back(&mut w, &shop, answer.token, 300), (Outcome::Settled, 0));
    assert_eq!(w.issuer.ledger().credential(band.credential.id).unwrap().unwrap(), before);
    assert_eq!(w.settle(&request, &signed, NOW).receipt, answer.receipt, "the receipt of the payment stands");
    let again = band.token(&w, &request);
    assert_eq!(w.outcome(&request, &again), Outcome::AlreadySettled, "the request is not open again");
    assert_eq!(w.pay(&mut band, &shop, 101), Outcome::Velocity, "the day's limit is used");
    let other = shop.request(&mut w, 10);
    let clone = band.token_with(&w, &other, |body| (body.counter, body.cumulative) = (Counter(1), Minor(10)));
    assert_eq!(w.outcome(&other, &clone), Outcome::Cloned, "the counter is taken");
}

fn what_was_not_settled_is_not_given_back<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(100));
    let refused = |w: &mut World<L>, band: &mut Band, minor| {
        let request = shop.request(w, minor);
        let token = band.token(w, &request);
        w.settle(&request, &token, NOW)
    };
    let too_much = refused(&mut w, &mut band, 200);
    assert_eq!(too_much.outcome, Outcome::InsufficientFunds);
    (band.counter, band.cumulative) = (0, 0);
    let cloned = refused(&mut w, &mut band, 50);
    assert_eq!(cloned.outcome, Outcome::Cloned);
    for token in [too_much.token, cloned.token] {
        assert_eq!(give_back(&mut w, &shop, token, 10), (Outcome::NotSettled, 0));
    }
}

fn who_was_not_paid_does_not_give_back<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    let other = w.shop_of(shop.account);
    for refund in [other.refund(&mut w, token, 10), shop.refund(&mut w, TokenDigest([9; 32]), 10)] {
        assert_eq!(over_the_wire(&mut w, &refund), Err(Refusal::UnknownPayment));
    }
    let by_payer = sign(&refund_body(band.payee(), token, 10, [1; 16]), &w.root, &band.signing.as_payee());
    assert_eq!(over_the_wire(&mut w, &by_payer), Err(Refusal::UnknownPayment));
    assert_eq!(give_back(&mut w, &shop, token, 300), (Outcome::Settled, 0), "nothing of that was recorded");
}

fn what_does_not_verify_leaves_no_trace<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    let other = w.shop();
    let body = refund_body(shop.payee(), token, 100, [1; 16]);
    let good = sign(&body, &w.root, &shop.signing);
    let mut spoiled = good.clone();
    spoiled[100] ^= 1;
    let mut signature = good.clone();
    signature[3] ^= 1;
    let cases = [
        (spoiled, Refusal::Signature),
        (signature, Refusal::Signature),
        (sign(&body, &w.root, &other.signing), Refusal::Signature),
        (sign(&body, &w.root, &band.signing.as_payee()), Refusal::Signature),
        (sign(&body, &RootFingerprint([9; 32]), &shop.signing), Refusal::Signature),
        (
            sign(&refund_body(PayeeRef::Certificate(PayeeId([9; 8])), token, 1, [1; 16]), &w.root, &shop.signing),
            Refusal::UnknownPayee,
        ),
        (
            sign(&refund_body(PayeeRef::Credential(CredentialId([9; 8])), token, 1, [1; 16]), &w.root, &shop.signing),
            Refusal::UnknownPayee,
        ),
        (good[..131].to_vec(), Refusal::Malformed),
        (shop.request(&mut w, 100), Refusal::Malformed),
        (Vec::new(), Refusal::Malformed),
    ];
    for (number, (refund, expected)) in cases.into_iter().enumerate() {
        assert_eq!(over_the_wire(&mut w, &refund), Err(expected), "case {number}");
    }
    assert_eq!((w.balance(band.account), w.balance(shop.account)), (700, 300));
    assert_eq!(w.refund(&good, NOW).0.outcome, Outcome::Settled);
}

fn a_refund_that_is_not_allowed_is_so_for_good<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    let mut in_euros = refund_body(shop.payee(), token, 10, [1; 16]);
    in_euros.amount = Amount::new(10, Currency::EUR);
    let mut refused = vec![sign(&in_euros, &w.root, &shop.signing), shop.refund(&mut w, token, 0)];
    for refund in &refused {
        assert_eq!(w.refund(refund, NOW).0.outcome, Outcome::NotAllowed);
    }
    for account in [shop.account, band.account] {
        w.issuer.set_account_state(account, AccountState::Blocked).unwrap();
        let refund = shop.refund(&mut w, token, 10);
        assert_eq!(w.refund(&refund, NOW).0.outcome, Outcome::NotAllowed);
        w.issuer.set_account_state(account, AccountState::Open).unwrap();
        refused.push(refund);
    }
    // Whoever has stolen the key of a payee has friends who have paid there.
    w.issuer.revoke_payee(shop.id, NOW).unwrap();
    let refund = shop.refund(&mut w, token, 10);
    assert_eq!(w.refund(&refund, NOW).0.outcome, Outcome::NotAllowed);
    w.issuer.restore_payee(shop.id, NOW).unwrap();
    refused.push(refund);
    for refund in &refused {
        let (answer, left) = w.refund(refund, later(9));
        assert_eq!((answer.outcome, answer.repeated, left), (Outcome::NotAllowed, true, cny(300)));
    }
    assert_eq!(give_back(&mut w, &shop, token, 300), (Outcome::Settled, 0));
}

fn a_payee_without_money_gives_nothing_back<L: Ledger>(mut w: World<L>) {
    let (mut payer, mut payee, shop) = (w.band(1_000), w.band(0), w.shop());
    let request = payee.request(&mut w, 300);
    let token = payer.token(&w, &request);
    let token = w.settle(&request, &token, NOW).token;
    settled(&mut w, &shop, &mut payee, 250);
    let refund = |w: &World<L>, minor, nonce| {
        sign(&refund_body(payee.payee(), token, minor, [nonce; 16]), &w.root, &payee.signing.as_payee())
    };
    let (answer, left) = w.refund(&refund(&w, 51, 1), NOW);
    assert_eq!((answer.outcome, left), (Outcome::InsufficientFunds, cny(300)));
    let (answer, left) = w.refund(&refund(&w, 50, 2), NOW);
    assert_eq!((answer.outcome, left), (Outcome::Settled, cny(250)));
    w.issuer.freeze(payee.credential.id, NOW).unwrap();
    assert_eq!(w.refund(&refund(&w, 1, 3), NOW).0.outcome, Outcome::NotAllowed, "nor does a key that may be in the wrong hands");
}

fn the_payer_gets_the_money_whatever_became_of_the_band<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    w.issuer.replace_band(band.credential.id, NOW, &mut w.rng).unwrap();
    assert_eq!(give_back(&mut w, &shop, token, 300), (Outcome::Settled, 0));
    assert_eq!(w.balance(band.account), 1_000);
}

fn an_expired_certificate_still_gives_back<L: Ledger>(mut w: World<L>) {
    let account = w.account(0);
    let (shop, mut band) = (w.shop_valid(account, Validity { from: NOW, until: later(100) }), w.band(1_000));
    let token = settled(&mut w, &shop, &mut band, 300);
    let refund = shop.refund(&mut w, token, 300);
    assert_eq!(w.refund(&refund, later(100_000)).0.outcome, Outcome::Settled);
}

fn a_refund_over_the_wire_is_answered_with_its_receipt<L: Ledger>(mut w: World<L>) {
    let (shop, _, token) = paid(&mut w, 300);
    let refund = shop.refund(&mut w, token, 100);
    let receipt = over_the_wire(&mut w, &refund).unwrap();
    assert_eq!(receipt.len(), 146);
    assert_eq!(over_the_wire(&mut w, &refund), Ok(receipt.clone()));
    assert_eq!(w.refund(&refund, NOW).0.receipt, receipt);
}

fn a_signer_that_fails_leaves_the_books_as_they_were<L: Ledger>(mut w: World<L>) {
    let (shop, band, token) = paid(&mut w, 300);
    let refund = shop.refund(&mut w, token, 100);
    w.signatures_left.set(Some(0));
    assert_eq!(over_the_wire(&mut w, &refund), Err(Refusal::Busy));
    assert_eq!((w.balance(band.account), w.issuer.ledger().audit().unwrap()), (700, vec![]));
    w.signatures_left.set(None);
    let answers = [w.refund(&refund, NOW).0, w.refund(&refund, NOW).0];
    assert_eq!(answers.map(|answer| (answer.outcome, answer.repeated)), [(Outcome::Settled, false), (Outcome::Settled, true)]);
    assert_eq!(w.balance(band.account), 800);
}
