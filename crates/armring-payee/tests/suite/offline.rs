//! Taking a token on trust: what is accepted without the issuer, and what becomes of it later.

use armring_payee::{Heard, OfflineError, TokenError};
use armring_token::{Counter, Minor};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Opaque, Outcome};

use crate::common::stall::*;
use crate::common::*;

#[test]
fn a_token_that_verifies_is_pending_and_settled_only_by_its_receipt() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    for _ in 0..3 {
        assert_eq!(stall.hears(&mut sale, &says(&token, &credential)), FromPayee::Pending);
        assert_eq!((stall.book.total(), stall.book.pending().len()), (1_250, 1), "counted once");
    }
    assert_eq!(stall.hears(&mut sale, &says_token(&token)), FromPayee::Pending, "the credential is known");
    assert_eq!(stall.hears(&mut sale, &record(&ToPayee::Ask)), FromPayee::Nothing);
    assert_eq!(sale.settled(), None);
    let pending = sale.pending().unwrap();
    assert_eq!((pending.token, pending.amount), (token.as_slice(), cny(1_250)));

    // There is network again.
    let outstanding = stall.book.pending()[0];
    assert_eq!((outstanding.sale, outstanding.token), (sale.digest(), digest(&token)));
    let (request, object) = (sale.request().to_vec(), Opaque::new(&token).unwrap());
    let redeem = ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: object };
    assert_eq!(sale.redeem(&outstanding.token), Some(redeem));
    let busy = from_issuer(&FromIssuer::Refused(Refusal::Busy));
    assert_eq!(sale.issuer_says(&outstanding.token, &busy, &stall.keys), Ok(FromPayee::Pending));
    stall.book.release(&sale);
    assert_eq!(stall.book.total(), 1_250, "busy: it waits");
    let receipt = receipt(&token, Outcome::Settled);
    assert_eq!(answer(&mut sale, &token, &receipt, &stall.keys), Ok(true));
    stall.book.release(&sale);
    assert!(stall.has_taken_nothing(&sale));
    let paid = FromPayee::Receipt(Opaque::new(&receipt).unwrap());
    assert_eq!(sale.hear(&says_token(&token)), Heard::Answer(paid), "the receipt comes to whoever sends the token again");
    assert_eq!(stall.hears(&mut sale, &says(&token, &credential)), paid);
    assert_eq!(stall.accepts(&mut sale, &token, &credential), Err(OfflineError::Token(TokenError::AlreadySettled)));
}

#[test]
fn a_pending_token_that_the_issuer_refuses_leaves_the_sale_to_another() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_000);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    stall.accepts(&mut sale, &token, &credential).unwrap();
    let other = offline_token(&sale, |body| (body.counter, body.cumulative) = (Counter(2), Minor(2_000)));
    assert_eq!(stall.accepts(&mut sale, &other, &credential), Err(OfflineError::Token(TokenError::AlreadyPending)));
    assert_eq!(stall.hears(&mut sale, &says(&other, &credential)), FromPayee::Nothing);
    assert_eq!(sale.hear(&says_token(&other)), Heard::Answer(FromPayee::Nothing));
    answer(&mut sale, &token, &receipt(&token, Outcome::Cloned), &stall.keys).unwrap();
    stall.book.release(&sale);
    assert!(stall.has_taken_nothing(&sale));
    assert_eq!(stall.accepts(&mut sale, &token, &credential), Err(OfflineError::Answered));
    stall.accepts(&mut sale, &other, &credential).unwrap();
}

#[test]
fn what_the_issuer_says_short_of_a_receipt_does_not_end_a_pending_payment() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_000);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    stall.accepts(&mut sale, &token, &credential).unwrap();
    for why in [Refusal::Signature, Refusal::UnknownCredential, Refusal::Mismatch] {
        let answer = from_issuer(&FromIssuer::Refused(why));
        assert_eq!(sale.issuer_says(&digest(&token), &answer, &stall.keys), Ok(FromPayee::Refused(why)));
        stall.book.release(&sale);
        assert_eq!((sale.pending().is_some(), stall.book.total()), (true, 1_000));
    }
    stall.book.write_off(&digest(&token));
    assert_eq!((sale.pending().is_some(), stall.book.total()), (true, 0), "given up by the shopkeeper");
    assert_eq!(answer(&mut sale, &token, &receipt(&token, Outcome::Settled), &stall.keys), Ok(true));
}

#[test]
fn a_flood_of_forged_tokens_does_not_keep_a_real_one_from_being_pending() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (real, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    // The issuer could not be reached for any of these: they wait, as far as there is room.
    for counter in 2..20 {
        let _ = sale.take(&offline_token(&sale, |body| body.counter = Counter(counter)));
    }
    for byte in 0..9 {
        let mut copy = real.clone();
        copy[byte] ^= 1;
        let _ = sale.take(&copy);
        assert_eq!(stall.hears(&mut sale, &says(&copy, &credential)), FromPayee::Refused(Refusal::Signature));
    }
    assert_eq!(stall.hears(&mut sale, &says(&real, &credential)), FromPayee::Pending);
    for byte in 0..9 {
        let mut copy = real.clone();
        copy[byte] ^= 1;
        let _ = sale.take(&copy);
        let _ = stall.hears(&mut sale, &says(&copy, &credential));
    }
    assert_eq!(sale.pending().unwrap().token, real);
}

#[test]
fn a_forged_copy_that_waits_is_displaced_by_the_token_that_verifies() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (real, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    let mut forged = real.clone();
    forged[0] ^= 1;
    sale.take(&forged).unwrap();
    assert_eq!(stall.hears(&mut sale, &says(&real, &credential)), FromPayee::Pending);
    assert_eq!(sale.pending().unwrap().token, real);
    let late = from_issuer(&FromIssuer::Refused(Refusal::Signature));
    sale.issuer_says(&digest(&real), &late, &stall.keys).unwrap();
    assert_eq!(sale.pending().unwrap().token, real, "that was said of the forged copy");
}

#[test]
fn without_network_a_token_without_its_credential_is_asked_for_again_with_it() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    assert_eq!(sale.hear(&says_token(&token)), Heard::Redeem(digest(&token)));
    assert_eq!(stall.hears(&mut sale, &says_token(&token)), FromPayee::Refused(Refusal::NotOffline));
    assert_eq!(stall.hears(&mut sale, &says(&token, &credential)), FromPayee::Pending);
    assert!(matches!(stall.hears(&mut sale, &[0xFF]), FromPayee::Refused(Refusal::Malformed)));
    assert_eq!(stall.hears(&mut sale, &[9]), FromPayee::Unknown(9));
    let mut other = stall.asks(1);
    assert!(matches!(stall.hears(&mut other, &record(&ToPayee::Ask)), FromPayee::Request { .. }));
}
