//! Giving back: in whole, in parts, once.

use armring_payee::{Error, Payee, ReceiptError, RefundError, Refunded, Sale};
use armring_token::{Form, PayeeKey, Refund, RefundReceipt, Signing, Unverified, VerifyError};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::{Amount, Currency, KeyId, Opaque, Outcome, RefundDigest, TokenDigest};
use proptest::prelude::*;

use crate::common::*;

fn settled(shop: &Shop) -> Sale {
    let mut sale = sale(shop);
    let token = token(&sale);
    sale.take(&token).unwrap();
    answer(&mut sale, &token, &receipt(&token, Outcome::Settled), shop.key_list()).unwrap();
    sale
}

/// The refund as it is asked for.
fn object(sale: &Sale, refund: &RefundDigest) -> Vec<u8> {
    let Some(ToIssuer::Refund(object)) = sale.ask_refund(refund) else { panic!("no such refund") };
    object.as_bytes().to_vec()
}

fn receipt_body(sale: &Sale, refund: &RefundDigest, outcome: Outcome, left: u64) -> RefundReceipt {
    let token = digest(sale.settled().unwrap().token);
    RefundReceipt { form: Form, key: KeyId(1), refund: *refund, token, outcome, left: cny(left), time: NOW }
}

fn says(body: &RefundReceipt, seed: u8) -> Vec<u8> {
    let object = sign(body, &Signing::new(key(seed)));
    from_issuer(&FromIssuer::Refunded(Opaque::new(&object).unwrap()))
}

#[test]
fn a_payment_is_given_back_in_parts_until_nothing_is_left() {
    let shop = shop();
    let mut sale = settled(&shop);
    let mut rng = rng();
    assert_eq!(sale.left(), Some(cny(1_250)));
    let first = shop.refund(&mut sale, cny(1_000), &mut rng).unwrap();
    let key = PayeeKey::from_bytes(key(3).verifying_key().to_bytes()).unwrap();
    let signed = object(&sale, &first);
    let refund = Unverified::<Refund>::parse(&signed).unwrap().verify(&fingerprint(), &key).unwrap();
    assert_eq!((refund.payee, refund.amount), (SHOP, cny(1_000)));
    assert_eq!((refund.token, refund.refund_digest()), (digest(sale.settled().unwrap().token), first));
    assert_eq!(sale.left(), Some(cny(250)), "a refund that was signed counts before it is answered");

    let busy = from_issuer(&FromIssuer::Refused(Refusal::Busy));
    assert_eq!(sale.refund_answered(&first, &busy, shop.key_list()), Ok(Refunded::Refused(Refusal::Busy)));
    assert_eq!(object(&sale, &first), signed, "asked again with the same bytes");
    let yes = says(&receipt_body(&sale, &first, Outcome::Settled, 250), 2);
    for _ in 0..2 {
        let said = sale.refund_answered(&first, &yes, shop.key_list());
        assert_eq!((said, sale.left()), (Ok(Refunded::Answered(Outcome::Settled)), Some(cny(250))));
    }
    assert!(sale.refund_receipt(&first).is_some());
    let second = shop.refund(&mut sale, cny(250), &mut rng).unwrap();
    assert_eq!(sale.open_refunds().collect::<Vec<_>>(), [second]);
    assert_ne!(first, second);
    let yes = says(&receipt_body(&sale, &second, Outcome::Settled, 0), 2);
    sale.refund_answered(&second, &yes, shop.key_list()).unwrap();
    assert_eq!((sale.left(), sale.open_refunds().count()), (Some(cny(0)), 0));
    assert_eq!(shop.refund(&mut sale, cny(1), &mut rng), Err(RefundError::Exceeds));
}

#[test]
fn two_refunds_of_the_same_amount_are_two() {
    let shop = shop();
    let (mut sale, mut rng) = (settled(&shop), rng());
    let [first, second] = [(); 2].map(|()| shop.refund(&mut sale, cny(100), &mut rng).unwrap());
    assert_ne!(first, second);
    assert_eq!(sale.left(), Some(cny(1_050)));
}

#[test]
fn a_refused_refund_leaves_what_was_left() {
    let shop = shop();
    let mut sale = settled(&shop);
    let refund = shop.refund(&mut sale, cny(1_250), &mut rng()).unwrap();
    let no = says(&receipt_body(&sale, &refund, Outcome::InsufficientFunds, 1_250), 2);
    let said = sale.refund_answered(&refund, &no, shop.key_list());
    assert_eq!((said, sale.left()), (Ok(Refunded::Answered(Outcome::InsufficientFunds)), Some(cny(1_250))));
    let late = says(&receipt_body(&sale, &refund, Outcome::Settled, 0), 2);
    let said = sale.refund_answered(&refund, &late, shop.key_list());
    assert_eq!(said, Ok(Refunded::Answered(Outcome::InsufficientFunds)), "the first answer is final");
}

#[test]
fn what_was_given_back_elsewhere_is_not_left_here() {
    let shop = shop();
    let (mut sale, mut rng) = (settled(&shop), rng());
    let refund = shop.refund(&mut sale, cny(1_250), &mut rng).unwrap();
    let exceeds = says(&receipt_body(&sale, &refund, Outcome::RefundExceeds, 300), 2);
    sale.refund_answered(&refund, &exceeds, shop.key_list()).unwrap();
    assert_eq!(sale.left(), Some(cny(300)));
    shop.refund(&mut sale, cny(100), &mut rng).unwrap();
    assert_eq!(sale.left(), Some(cny(200)));
}

#[test]
fn what_cannot_be_given_back_is_not_signed() {
    let shop = shop();
    let (mut sale, mut rng) = (settled(&shop), rng());
    for amount in [cny(0), cny(1_251), cny(u64::MAX), Amount::new(1, Currency::EUR)] {
        assert_eq!(shop.refund(&mut sale, amount, &mut rng), Err(RefundError::Exceeds), "{amount}");
    }
    let mut unpaid = crate::common::sale(&shop);
    assert_eq!(unpaid.left(), None);
    assert_eq!(shop.refund(&mut unpaid, cny(1), &mut rng), Err(RefundError::NotSettled));
    let token = token(&unpaid);
    unpaid.take(&token).unwrap();
    let no = receipt(&token, Outcome::InsufficientFunds);
    answer(&mut unpaid, &token, &no, shop.key_list()).unwrap();
    assert_eq!(shop.refund(&mut unpaid, cny(1), &mut rng), Err(RefundError::NotSettled));
    let other = Payee::new(root(), &key_list(3, 2), &other_certificate(), Signing::new(key(3))).unwrap();
    assert_eq!(other.refund(&mut sale, cny(1), &mut rng), Err(RefundError::OtherPayee));
    assert_eq!((sale.left(), sale.open_refunds().count()), (Some(cny(1_250)), 0));
}

#[test]
fn a_refund_receipt_that_is_not_the_issuers_for_this_refund_changes_nothing() {
    let shop = shop();
    let mut sale = settled(&shop);
    let refund = shop.refund(&mut sale, cny(1_000), &mut rng()).unwrap();
    let good = receipt_body(&sale, &refund, Outcome::Settled, 250);
    let not_verified = ReceiptError::NotVerified;
    for (name, answer, error) in [
        ("forged", says(&good, 9), not_verified(VerifyError::Signature)),
        ("unknown key", says(&RefundReceipt { key: KeyId(9), ..good }, 2), not_verified(VerifyError::Key)),
        ("too late for its key", says(&RefundReceipt { time: VALIDITY.until, ..good }, 2), not_verified(VerifyError::Key)),
        ("other refund", says(&RefundReceipt { refund: RefundDigest([7; 32]), ..good }, 2), ReceiptError::OtherToken),
        ("other payment", says(&RefundReceipt { token: TokenDigest([7; 32]), ..good }, 2), ReceiptError::OtherToken),
        ("other currency", says(&RefundReceipt { left: Amount::new(250, Currency::EUR), ..good }, 2), ReceiptError::OtherToken),
        ("no answer", from_issuer(&FromIssuer::Unknown(6)), ReceiptError::NoAnswer),
        ("noise", vec![0xFF; 9], ReceiptError::NoAnswer),
    ] {
        assert_eq!(sale.refund_answered(&refund, &answer, shop.key_list()), Err(error), "{name}");
        assert_eq!((sale.refund_receipt(&refund), sale.left()), (None, Some(cny(250))), "{name}");
    }
    let unknown = RefundDigest([7; 32]);
    assert_eq!(sale.ask_refund(&unknown), None);
    let stray = says(&RefundReceipt { refund: unknown, ..good }, 2);
    assert_eq!(sale.refund_answered(&unknown, &stray, shop.key_list()), Err(ReceiptError::OtherToken));
}

#[test]
fn the_key_that_signs_is_tried_when_a_payee_begins() {
    let other_key = Payee::new(root(), &key_list(3, 2), &certificate(3, 2), Signing::new(key(4)));
    assert_eq!(other_key.map(|_| ()).unwrap_err(), Error::OtherKey);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn refunds_never_come_to_more_than_was_paid(
        steps in prop::collection::vec((0..900u64, prop::option::weighted(0.8, any::<bool>())), 1..12)
    ) {
        let shop = shop();
        let (mut sale, mut rng) = (settled(&shop), rng());
        let (mut given, mut open) = (0, 0);
        for (minor, answered) in steps {
            let left = 1_250 - given - open;
            prop_assert_eq!(sale.left(), Some(cny(left)));
            let Ok(refund) = shop.refund(&mut sale, cny(minor), &mut rng) else {
                prop_assert!(minor == 0 || minor > left);
                continue;
            };
            prop_assert!((1..=left).contains(&minor));
            match answered {
                None => open += minor,
                Some(yes) => {
                    given += if yes { minor } else { 0 };
                    let outcome = if yes { Outcome::Settled } else { Outcome::InsufficientFunds };
                    let answer = says(&receipt_body(&sale, &refund, outcome, 1_250 - given), 2);
                    sale.refund_answered(&refund, &answer, shop.key_list()).unwrap();
                }
            }
        }
    }
}
