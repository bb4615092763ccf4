//! What is written down: receipts, money, and nothing at all where something fails, against every ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::ops::ControlFlow;

use armring_issuer::*;
use armring_token::{Receipt, Unverified};
use armring_wire::records::issuer::Refusal;
use armring_wire::*;
use common::*;

against_every_ledger!(
    a_payment_moves_money_once_and_the_same_token_gets_the_same_receipt,
    a_receipt_counts_and_carries_the_ceiling,
    a_slice_is_settled_in_order_in_one_transaction,
    a_signer_that_fails_leaves_the_books_as_they_were,
    deposits_are_safe_to_repeat,
    the_statement_says_what_moved,
    the_statement_is_told_entry_by_entry_until_there_is_enough,
    every_account_is_listed_once_by_id,
);

fn a_payment_moves_money_once_and_the_same_token_gets_the_same_receipt<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 250);
    let token = band.token(&w, &request);
    let first = w.settle(&request, &token, NOW);
    assert_eq!((first.outcome, first.repeated), (Outcome::Settled, false));
    let again = w.settle(&request, &token, later(100_000));
    assert_eq!((again.repeated, &again.receipt), (true, &first.receipt));
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    assert_eq!(w.redeem(&request, &token), Ok(first.receipt), "nothing that happens later changes an answer");
    assert_eq!((w.balance(band.account), w.balance(shop.account)), (750, 250));
}

fn a_receipt_counts_and_carries_the_ceiling<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(100));
    let expected = [(60, Outcome::Settled, 360), (60, Outcome::InsufficientFunds, 420), (40, Outcome::Settled, 460)];
    for (number, (minor, outcome, ceiling)) in (1..).zip(expected) {
        let request = shop.request(&mut w, minor);
        let token = band.token(&w, &request);
        let answer = w.settle(&request, &token, NOW);
        let receipt = *Unverified::<Receipt>::parse(&answer.receipt).unwrap().claims();
        assert_eq!((receipt.outcome, receipt.sequence.0, receipt.time), (outcome, number, NOW));
        assert_eq!(receipt.ceiling, cny(ceiling), "settled + voided + offline total");
    }
}

fn a_slice_is_settled_in_order_in_one_transaction<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(100));
    let mut payments = Vec::new();
    for minor in [60, 60, 40] {
        let request = shop.request(&mut w, minor);
        let token = band.token(&w, &request);
        payments.push(w.payment(&request, &token));
    }
    payments.push(payments[0].clone());
    let answers = w.issuer.settle(&payments, NOW).unwrap();
    let outcomes: Vec<_> = answers.iter().map(|answer| answer.outcome).collect();
    assert_eq!(outcomes, [Outcome::Settled, Outcome::InsufficientFunds, Outcome::Settled, Outcome::Settled]);
    assert_eq!(answers[3], Answer { repeated: true, ..answers[0].clone() });
    assert_eq!(w.balance(shop.account), 100);
    assert_eq!(w.issuer.settle(&[], NOW).unwrap(), []);
}

fn a_signer_that_fails_leaves_the_books_as_they_were<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let mut payments = Vec::new();
    let mut signed = Vec::new();
    for _ in 0..3 {
        let request = shop.request(&mut w, 10);
        let token = band.token(&w, &request);
        payments.push(w.payment(&request, &token));
        signed.push((request, token));
    }
    w.signatures_left.set(Some(2));
    assert!(matches!(w.issuer.settle(&payments, NOW), Err(MachineError::Signer(_))), "the third signature fails");
    assert_eq!(w.redeem(&signed[0].0, &signed[0].1), Err(Refusal::Busy));
    let record = w.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
    assert_eq!((record.answered().0, record.answered_total(), w.balance(shop.account)), (0, 0, 0));
    assert_eq!(w.issuer.ledger().audit().unwrap(), []);
    w.signatures_left.set(None);
    assert!(w.issuer.settle(&payments, NOW).unwrap().iter().all(|answer| answer.outcome.is_settled() && !answer.repeated));
}

fn deposits_are_safe_to_repeat<L: Ledger>(mut w: World<L>) {
    let (account, other) = (w.account(0), w.account(0));
    let reference = DepositRef([5; 16]);
    let mut deposit = |account, amount, reference| match w.issuer.deposit(account, amount, reference, NOW) {
        Ok(()) => Ok(w.issuer.account(account).unwrap().balance),
        Err(Error::Caller(error)) => Err(error),
        Err(Error::Machine(error)) => panic!("{error}"),
        Err(_) => panic!("another error"),
    };
    assert_eq!(deposit(account, cny(70), reference), Ok(70));
    assert_eq!(deposit(account, cny(70), reference), Ok(70));
    assert_eq!(deposit(account, cny(71), reference), Err(CallerError::ReferenceUsed));
    assert_eq!(deposit(other, cny(70), reference), Err(CallerError::ReferenceUsed));
    let next = DepositRef([6; 16]);
    assert_eq!(deposit(account, cny(0), next), Err(CallerError::Amount));
    assert_eq!(deposit(account, cny(u64::MAX), next), Err(CallerError::Amount));
    assert_eq!(deposit(other, cny(i64::MAX.unsigned_abs()), next), Err(CallerError::Amount), "the float owes 70 already");
    assert_eq!(deposit(account, Amount::new(1, Currency::EUR), next), Err(CallerError::Amount));
    assert_eq!(deposit(AccountPseudonym([9; 8]), cny(1), next), Err(CallerError::UnknownAccount));
    assert_eq!(deposit(float_account(Currency::CNY), cny(1), next), Err(CallerError::UnknownAccount));
    assert_eq!(deposit(account, cny(1), next), Ok(71));
    assert_eq!(w.balance(float_account(Currency::CNY)), -71);
}

fn the_statement_says_what_moved<L: Ledger>(mut w: World<L>) {
    let (shop, account) = (w.shop(), w.account(0));
    w.issuer.deposit(account, cny(1_000), DepositRef([5; 16]), NOW).unwrap();
    let mut band = w.band_of(account);
    let request = shop.request(&mut w, 300);
    let token = band.token(&w, &request);
    let answer = w.settle(&request, &token, later(9));
    let entry = |time, reference, change| Entry { time, reference, change, currency: Currency::CNY };
    let payment = Reference::Payment(answer.token);
    let expected = [entry(NOW, Reference::Deposit(DepositRef([5; 16])), 1_000), entry(later(9), payment, -300)];
    assert_eq!(w.statement(account), expected);
    assert_eq!(w.statement(shop.account), [entry(later(9), payment, 300)]);
    let nobody = w.issuer.statement(AccountPseudonym([9; 8]), |_| panic!("an entry of nobody"));
    assert!(matches!(nobody, Err(Error::Caller(CallerError::UnknownAccount))));
}

/// More than is read at once.
fn the_statement_is_told_entry_by_entry_until_there_is_enough<L: Ledger>(mut w: World<L>) {
    let account = w.account(0);
    for number in 1..=1_100_u64 {
        let reference = DepositRef((u128::from(number)).to_be_bytes());
        w.issuer.deposit(account, cny(number), reference, NOW).unwrap();
    }
    let changes: Vec<_> = w.statement(account).iter().map(|entry| entry.change).collect();
    assert_eq!(changes, (1..=1_100).collect::<Vec<_>>());
    for enough in [1, 999, 1_000, 1_001] {
        let mut told = 0;
        let hear = |entry: Entry| {
            told += 1;
            assert_eq!(entry.change, told, "in order, and none after the last");
            if told < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        w.issuer.statement(account, hear).unwrap();
        assert_eq!(told, enough);
    }
}

fn every_account_is_listed_once_by_id<L: Ledger>(mut w: World<L>) {
    assert_eq!(w.issuer.ledger().accounts(None).unwrap(), []);
    let mut expected: Vec<_> = (0..3).map(|minor| w.account(minor)).collect();
    expected.push(float_account(Currency::CNY));
    expected.sort();
    let all = w.issuer.ledger().accounts(None).unwrap();
    assert_eq!(all.iter().map(|account| account.id).collect::<Vec<_>>(), expected);
    assert!(all.iter().all(|account| w.issuer.ledger().account(account.id).unwrap() == Some(*account)));
    assert_eq!(w.issuer.ledger().accounts(Some(expected[1])).unwrap(), all[2..]);
    assert_eq!(w.issuer.ledger().accounts(Some(expected[3])).unwrap(), []);
}
