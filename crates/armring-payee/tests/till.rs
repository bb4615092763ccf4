//! The link to a payer's wallet: every record is answered, and nothing but a receipt pays.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_payee::{Action, AnswerError, RECORD_MAX, Sale, Stage, issuer_unreachable, nothing_to_pay};
use armring_token::Counter;
use armring_wire::records::issuer::{FromIssuer, Refusal};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{BufferTooSmall, Opaque, Outcome, decode_record, encode};
use common::*;
use proptest::prelude::*;

fn answer(sale: &mut Sale, said: &[u8]) -> Vec<u8> {
    let mut out = [0; RECORD_MAX];
    match sale.handle(said, &mut out).unwrap() {
        Action::Answer(answer) => answer.to_vec(),
        Action::AskIssuer(_) => panic!("the issuer is not to be asked"),
    }
}

fn says(token: &[u8]) -> Vec<u8> {
    record(&ToPayee::Token(Opaque::new(token).unwrap()))
}

fn issuer_says(answer: &FromIssuer<'_>) -> Vec<u8> {
    let mut buffer = [0; 600];
    encode(answer, &mut buffer).unwrap().to_vec()
}

#[test]
fn a_payment_over_the_link() {
    let shop = shop();
    let mut sale = sale(&shop);
    let (request, certificate) = (sale.request().to_vec(), shop.certificate().to_vec());
    let asked = FromPayee::Request { request: Opaque::new(&request).unwrap(), certificate: Opaque::new(&certificate).unwrap() };
    let ask = record(&ToPayee::Ask);
    assert_eq!(decode_record(&answer(&mut sale, &ask)), Ok(asked));

    let token = token(&sale);
    let mut out = [0; RECORD_MAX];
    let Action::AskIssuer(to_issuer) = sale.handle(&says(&token), &mut out).unwrap() else { panic!("the issuer is asked") };
    let to_issuer = to_issuer.to_vec();
    let Action::AskIssuer(again) = sale.handle(&says(&token), &mut out).unwrap() else { panic!("and asked again") };
    assert_eq!(again, to_issuer);

    let receipt = receipt(&token, Outcome::Settled);
    let from_issuer = issuer_says(&FromIssuer::Receipt(Opaque::new(&receipt).unwrap()));
    let answered = sale.issuer_answered(&from_issuer, shop.keys(), &mut out).unwrap();
    assert_eq!(answered.outcome, Ok(Some(Outcome::Settled)));
    let paid = FromPayee::Receipt(Opaque::new(&receipt).unwrap());
    assert_eq!(decode_record(answered.record), Ok(paid));

    assert_eq!(decode_record(&answer(&mut sale, &says(&token))), Ok(paid));
    let other = token_with(&sale, |body| body.counter = Counter(2));
    for nothing in [&ask, &says(&other)] {
        assert_eq!(decode_record(&answer(&mut sale, nothing)), Ok(FromPayee::Nothing));
    }
}

#[test]
fn what_the_issuer_does_not_verify_is_passed_on() {
    let shop = shop();
    let mut out = [0; RECORD_MAX];
    for (refusal, stage) in [(Refusal::Signature, Stage::Requested), (Refusal::Busy, Stage::Taken)] {
        let mut sale = sale(&shop);
        let said = says(&token(&sale));
        assert!(matches!(sale.handle(&said, &mut out), Ok(Action::AskIssuer(_))));
        let answered = sale.issuer_answered(&issuer_says(&FromIssuer::Refused(refusal)), shop.keys(), &mut out).unwrap();
        assert_eq!((decode_record(answered.record), answered.outcome), (Ok(FromPayee::Refused(refusal)), Ok(None)));
        assert_eq!(sale.stage(), stage);
    }
}

#[test]
fn what_is_not_the_issuers_settles_nothing_and_the_wallet_is_to_try_again() {
    let shop = shop();
    let mut sale = sale(&shop);
    let token = token(&sale);
    let other = receipt(&token_with(&sale, |body| body.counter = Counter(2)), Outcome::Settled);
    let cases = [
        (issuer_says(&FromIssuer::Receipt(Opaque::new(&other).unwrap())), AnswerError::OtherToken),
        (issuer_says(&FromIssuer::Unknown(2)), AnswerError::Malformed),
        (vec![0xFF; 9], AnswerError::Malformed),
        (vec![], AnswerError::Malformed),
    ];
    let mut out = [0; RECORD_MAX];
    assert!(matches!(sale.handle(&says(&token), &mut out), Ok(Action::AskIssuer(_))));
    for (from_issuer, expected) in cases {
        let answered = sale.issuer_answered(&from_issuer, shop.keys(), &mut out).unwrap();
        assert_eq!(decode_record(answered.record), Ok(FromPayee::Refused(Refusal::Busy)));
        assert_eq!((answered.outcome, sale.stage()), (Err(expected), Stage::Taken));
    }
    assert_eq!(decode_record(issuer_unreachable(&mut out).unwrap()), Ok(FromPayee::Refused(Refusal::Busy)));
}

#[test]
fn each_refused_token_has_its_reason() {
    let shop = shop();
    let mut sale = sale(&shop);
    let cases = [
        (says(&token_with(&sale, |body| body.amount = cny(1))), FromPayee::Refused(Refusal::Mismatch)),
        (says(&[1; 139]), FromPayee::Refused(Refusal::Malformed)),
        (vec![], FromPayee::Refused(Refusal::Malformed)),
        (vec![0, 0], FromPayee::Refused(Refusal::Malformed)),
        (vec![2, 1], FromPayee::Refused(Refusal::Malformed)),
        (vec![3], FromPayee::Unknown(3)),
    ];
    for (said, expected) in cases {
        assert_eq!(decode_record(&answer(&mut sale, &said)), Ok(expected));
    }
    let mut out = [0; RECORD_MAX];
    for (said, expected) in [(says(&token(&sale)), FromPayee::Nothing), (vec![9], FromPayee::Unknown(9))] {
        assert_eq!(decode_record(nothing_to_pay(&said, &mut out).unwrap()), Ok(expected));
    }
}

#[test]
fn a_short_buffer_is_refused_before_anything_changes() {
    let shop = shop();
    let mut sale = sale(&shop);
    let said = says(&token(&sale));
    let mut out = [0; RECORD_MAX - 1];
    assert_eq!(sale.handle(&said, &mut out), Err(BufferTooSmall));
    assert_eq!(sale.issuer_answered(&[], shop.keys(), &mut out), Err(BufferTooSmall));
    assert_eq!(sale.stage(), Stage::Requested);
}

proptest! {
    #[test]
    fn garbage_pays_nothing(
        wallet in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
        issuer in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
        variant in 0u8..5,
    ) {
        let shop = shop();
        let mut sale = sale(&shop);
        let mut out = [0; RECORD_MAX];
        let token = token(&sale);
        prop_assert!(sale.take(&token).is_ok());
        for mut record in wallet {
            record.insert(0, variant);
            match sale.handle(&record, &mut out).unwrap() {
                Action::Answer(answer) => prop_assert!(decode_record::<FromPayee<'_>>(answer).is_ok()),
                Action::AskIssuer(_) => prop_assert!(false, "garbage is no token"),
            }
        }
        for mut record in issuer {
            record.insert(0, variant);
            let answered = sale.issuer_answered(&record, shop.keys(), &mut out).unwrap();
            prop_assert!(decode_record::<FromPayee<'_>>(answered.record).is_ok());
            prop_assert!(!matches!(answered.outcome, Ok(Some(_))));
        }
        let settled = matches!(sale.stage(), Stage::Settled { .. });
        prop_assert!(!settled);
    }

    #[test]
    fn a_receipt_with_a_flipped_bit_settles_nothing(at in 0usize..122, bit in 0u8..8) {
        let shop = shop();
        let mut sale = sale(&shop);
        let token = token(&sale);
        prop_assert!(sale.take(&token).is_ok());
        let mut receipt = receipt(&token, Outcome::Settled);
        receipt[at] ^= 1 << bit;
        prop_assert!(sale.receipt(&receipt, shop.keys()).is_err());
        prop_assert_eq!(sale.stage(), Stage::Taken);
    }
}
