//! A payee that is started again: it goes on from what it stored, and takes nothing else for a sale.

use armring_payee::{Offline, OfflineError, Sale};
use armring_token::{Counter, Form, Minor, RefundReceipt, Signing};
use armring_wire::records::issuer::{FromIssuer, Refusal};
use armring_wire::records::payee::ToPayee;
use armring_wire::{Currency, KeyId, Opaque, Outcome};

use crate::common::stall::*;
use crate::common::*;

/// A step of a sale, which says what came of it.
type Step<'a> = Box<dyn Fn(&mut Stall, &mut Sale) -> String + 'a>;

fn hear(record: Vec<u8>) -> Step<'static> {
    Box::new(move |_, sale| format!("{:?}", sale.hear(&record)))
}

fn hear_offline(record: Vec<u8>) -> Step<'static> {
    Box::new(move |stall, sale| format!("{:?}", stall.hears(sale, &record)))
}

fn issuer_says<'a>(token: &'a [u8], answer: &FromIssuer<'_>) -> Step<'a> {
    let answer = from_issuer(answer);
    Box::new(move |stall, sale| {
        let said = format!("{:?}", sale.issuer_says(&digest(token), &answer, &stall.keys));
        stall.book.release(sale);
        said
    })
}

fn receipt_record(receipt: &[u8]) -> FromIssuer<'_> {
    FromIssuer::Receipt(Opaque::new(receipt).unwrap())
}

/// Signs a refund; the issuer's answer comes if it says one.
pub(crate) fn refund(minor: u64, outcome: Option<Outcome>) -> Step<'static> {
    Box::new(move |stall, sale| {
        let refund = stall.shop.refund(sale, cny(minor), &mut stall.rng);
        let (Ok(refund), Some(outcome)) = (&refund, outcome) else { return format!("{refund:?}") };
        let token = digest(sale.settled().unwrap().token);
        let body = RefundReceipt { form: Form, key: KeyId(1), refund: *refund, token, outcome, left: cny(900), time: NOW };
        let object = sign(&body, &Signing::new(key(2)));
        let answer = from_issuer(&FromIssuer::Refunded(Opaque::new(&object).unwrap()));
        format!("{:?} {:?}", sale.refund_answered(refund, &answer, &stall.keys), sale.refund_receipt(refund))
    })
}

/// Takes all the steps, with a restart before those that `restarts` names, and gives what could be seen after each.
fn history(steps: &[Step<'_>], restarts: impl Fn(usize) -> bool) -> Vec<String> {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let mut seen = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        if restarts(at) {
            stall.restarts([&mut sale].into_iter());
        }
        let said = step(&mut stall, &mut sale);
        let refunds: Vec<_> = sale.open_refunds().map(|refund| format!("{:?}", sale.ask_refund(&refund))).collect();
        let state = (sale.settled(), sale.pending(), sale.left(), sale.digest(), sale.amount(), sale.uri());
        seen.push(format!("{said} {state:?} {refunds:?} {:?}", stall.book.pending()));
    }
    seen
}

fn goes_the_same_way_with_restarts(steps: &[Step<'_>]) {
    let without = history(steps, |_| false);
    assert_eq!(history(steps, |_| true), without, "a restart before each step");
    for at in 0..steps.len() {
        assert_eq!(history(steps, |step| step == at), without, "a restart before step {at}");
    }
}

#[test]
fn an_online_sale_goes_the_same_way_with_a_restart_before_each_step() {
    let sale = Stall::new().asks(1_250);
    let (token, other) = (token(&sale), token_with(&sale, |body| body.counter = Counter(2)));
    let mut copy = token.clone();
    copy[0] ^= 1;
    let (refused, settled) = (receipt(&token, Outcome::InsufficientFunds), receipt(&other, Outcome::Settled));
    goes_the_same_way_with_restarts(&[
        hear(record(&ToPayee::Ask)),
        hear(says_token(&copy)),
        hear(says_token(&token)),
        issuer_says(&token, &FromIssuer::Refused(Refusal::Busy)),
        issuer_says(&token, &FromIssuer::Refused(Refusal::Signature)),
        issuer_says(&token, &receipt_record(&refused)),
        hear(says_token(&token)),
        hear(says_token(&other)),
        issuer_says(&other, &receipt_record(&settled)),
        hear(says_token(&other)),
        hear(record(&ToPayee::Ask)),
        refund(100, None),
        refund(100, Some(Outcome::Settled)),
        refund(900, Some(Outcome::InsufficientFunds)),
        refund(1_250, None),
    ]);
}

#[test]
fn an_offline_sale_goes_the_same_way_with_a_restart_before_each_step() {
    let sale = Stall::new().asks(1_250);
    let (first, second) = (offline_token(&sale, |_| {}), offline_token(&sale, |body| body.counter = Counter(2)));
    let credential = credential_with(|_| {});
    let (refused, settled) = (receipt(&first, Outcome::Cloned), receipt(&second, Outcome::Settled));
    goes_the_same_way_with_restarts(&[
        hear(says_token(&second)),
        hear_offline(says(&first, &credential)),
        hear_offline(says(&first, &credential)),
        hear_offline(says_token(&first)),
        hear_offline(says(&second, &credential)),
        hear_offline(record(&ToPayee::Ask)),
        issuer_says(&first, &FromIssuer::Refused(Refusal::Busy)),
        issuer_says(&first, &FromIssuer::Refused(Refusal::Signature)),
        issuer_says(&first, &receipt_record(&refused)),
        hear_offline(says(&first, &credential)),
        hear_offline(says(&second, &credential)),
        issuer_says(&second, &receipt_record(&settled)),
        hear_offline(says(&second, &credential)),
        refund(1_250, None),
    ]);
}

/// Four sales at a stall that was started again: two pending, one settled, one refused.
fn stall_with_past() -> (Stall, Vec<Sale>, Vec<Vec<u8>>) {
    let mut stall = Stall::new();
    let (mut sales, mut tokens) = (Vec::new(), Vec::new());
    for counter in 1..=4 {
        let mut sale = stall.asks(1_000);
        let cumulative = Minor(u64::from(counter) * 1_000);
        let token = offline_token(&sale, |body| (body.counter, body.cumulative) = (Counter(counter), cumulative));
        stall.accepts(&mut sale, &token, &credential_with(|_| {})).unwrap();
        sales.push(sale);
        tokens.push(token);
    }
    for (at, outcome) in [(1, Outcome::Settled), (2, Outcome::Frozen)] {
        answer(&mut sales[at], &tokens[at], &receipt(&tokens[at], outcome), &stall.keys).unwrap();
        stall.book.release(&sales[at]);
    }
    let before = stall.book.pending().to_vec();
    stall.restarts(sales.iter_mut());
    assert_eq!(stall.book.pending(), before);
    (stall, sales, tokens)
}

#[test]
fn after_a_restart_exactly_what_is_pending_is_counted_and_can_be_redeemed() {
    let (mut stall, mut sales, tokens) = stall_with_past();
    for sale in &sales {
        stall.book.readmit(sale).unwrap();
    }
    assert_eq!((stall.book.pending().len(), stall.book.total()), (2, 2_000), "readmitted twice, counted once");
    let pending = stall.book.pending().to_vec();
    for outstanding in pending {
        let at = sales.iter().position(|sale| sale.digest() == outstanding.sale).unwrap();
        assert!(sales[at].redeem(&outstanding.token).is_some());
        assert_eq!(answer(&mut sales[at], &tokens[at], &receipt(&tokens[at], Outcome::Settled), &stall.keys), Ok(true));
        stall.book.release(&sales[at]);
    }
    assert_eq!(stall.book.total(), 0);
}

#[test]
fn double_spend_offline_of_a_counter_or_an_interval_is_refused_after_a_restart() {
    let (mut stall, ..) = stall_with_past();
    let credential = credential_with(|_| {});
    for (counter, cumulative, expected) in
        [(1, 9_000, Err(OfflineError::DoubleSpend)), (9, 1_000, Err(OfflineError::DoubleSpend)), (9, 9_000, Ok(()))]
    {
        let mut sale = stall.asks(1_000);
        let token = offline_token(&sale, |body| (body.counter, body.cumulative) = (Counter(counter), Minor(cumulative)));
        assert_eq!(stall.accepts(&mut sale, &token, &credential), expected, "{counter} {cumulative}");
    }
}

#[test]
fn the_floor_holds_after_a_restart_and_a_lower_one_does_not_forget_what_was_accepted() {
    let (mut stall, sales, _) = stall_with_past();
    let credential = credential_with(|_| {});
    for (minor, expected) in [(FLOOR.credential - 1_999, Err(OfflineError::Floor)), (FLOOR.credential - 2_000, Ok(()))] {
        let mut sale = stall.asks(minor);
        let token = offline_token(&sale, |body| (body.counter, body.cumulative) = (Counter(9), Minor(20_000)));
        assert_eq!(stall.accepts(&mut sale, &token, &credential), expected, "{minor}");
    }
    stall.book = Offline::new(Currency::CNY, armring_payee::FloorLimits::NONE);
    for sale in &sales {
        stall.book.readmit(sale).unwrap();
    }
    assert_eq!(stall.book.total(), 2_000);
    let mut other = Offline::new(Currency::EUR, FLOOR);
    assert_eq!(other.readmit(&sales[0]), Err(OfflineError::NotAllowed), "a book in another currency");
    assert_eq!((other.readmit(&sales[1]), other.pending()), (Ok(()), &[][..]), "nothing of it is pending");
}
