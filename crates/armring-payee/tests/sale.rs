//! A sale step by step: what is paid, and each thing that is not taken for payment, by name.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_payee::{AnswerError, Payee, RequestError, Sale, SetupError, Stage, Take, TokenError};
use armring_token::{Counter, Form, KeyEntry, KeyList, PayeeKey, PaymentKey, PaymentRequest, Signature, Signing, VerifyError};
use armring_wire::records::issuer::{Refusal, ToIssuer};
use armring_wire::*;
use common::*;
use rand_chacha::rand_core::{TryCryptoRng, TryRng};

#[test]
fn a_sale_is_paid_when_the_receipt_says_so() {
    let shop = shop();
    let mut sale = sale(&shop);
    assert_eq!((sale.amount(), sale.expiry(), sale.stage()), (cny(1_250), EXPIRY, Stage::Requested));
    let token = token(&sale);
    assert_eq!(sale.take(&token), Ok(Take::AskIssuer));
    assert_eq!(sale.stage(), Stage::Taken);

    let mut buffer = [0; armring_payee::RECORD_MAX];
    let record = sale.redeem_record(&mut buffer).unwrap().unwrap();
    let request = Opaque::new(sale.request()).unwrap();
    assert_eq!(decode_record(record), Ok(ToIssuer::Redeem { request, token: Opaque::new(&token).unwrap() }));

    let receipt = receipt(&token, Outcome::Settled);
    assert_eq!(sale.receipt(&receipt, shop.keys()), Ok(Outcome::Settled));
    assert_eq!(sale.stage(), Stage::Settled { token: &token, receipt: &receipt });
    assert_eq!(sale.redeem_record(&mut buffer), Ok(None));
}

#[test]
fn the_same_token_gets_the_same_answer() {
    let shop = shop();
    for outcome in [Outcome::Settled, Outcome::InsufficientFunds] {
        let mut sale = sale(&shop);
        let token = token(&sale);
        assert_eq!(sale.take(&token), Ok(Take::AskIssuer));
        assert_eq!(sale.take(&token), Ok(Take::AskIssuer), "as long as there is no answer");
        let receipt = receipt(&token, outcome);
        sale.receipt(&receipt, shop.keys()).unwrap();
        assert_eq!(sale.take(&token), Ok(Take::Answered(&receipt)));
        assert_eq!(sale.receipt(&receipt, shop.keys()), Ok(outcome), "an answer that comes twice changes nothing");
    }
}

#[test]
fn a_settled_sale_takes_no_other_token() {
    let shop = shop();
    let mut sale = sale(&shop);
    let (first, second) = (token(&sale), token_with(&sale, |body| body.counter = Counter(2)));
    assert_eq!(sale.take(&first), Ok(Take::AskIssuer));
    assert_eq!(sale.take(&second), Err(TokenError::InFlight));
    sale.receipt(&receipt(&first, Outcome::Settled), shop.keys()).unwrap();
    assert_eq!(sale.take(&second), Err(TokenError::Settled));
}

#[test]
fn a_refused_sale_takes_another_token() {
    let shop = shop();
    let mut sale = sale(&shop);
    let (first, second) = (token(&sale), token_with(&sale, |body| body.counter = Counter(2)));
    sale.take(&first).unwrap();
    let no = receipt(&first, Outcome::InsufficientFunds);
    sale.receipt(&no, shop.keys()).unwrap();
    assert_eq!(sale.stage(), Stage::Refused { outcome: Outcome::InsufficientFunds, receipt: &no });
    assert_eq!(sale.take(&second), Ok(Take::AskIssuer));
    let yes = receipt(&second, Outcome::Settled);
    sale.receipt(&yes, shop.keys()).unwrap();
    assert_eq!(sale.take(&first), Ok(Take::Answered(&no)), "the first still has its answer");
    assert_eq!(sale.stage(), Stage::Settled { token: &second, receipt: &yes });
}

#[test]
fn a_forged_token_does_not_stand_in_the_way_of_the_real_one() {
    let shop = shop();
    let mut sale = sale(&shop);
    let real = token(&sale);
    let mut forged = real.clone();
    forged[5] ^= 1;
    sale.take(&forged).unwrap();
    assert_eq!(sale.take(&real), Err(TokenError::InFlight));
    sale.refused(Refusal::Busy).unwrap();
    assert_eq!(sale.stage(), Stage::Taken, "busy: to be redeemed again");
    sale.refused(Refusal::Signature).unwrap();
    assert_eq!(sale.stage(), Stage::Requested);
    assert_eq!(sale.refused(Refusal::Signature), Err(AnswerError::NothingAsked));
    assert_eq!(sale.take(&real), Ok(Take::AskIssuer));
}

#[test]
fn a_token_of_another_amount_currency_payee_or_request_is_not_taken() {
    let shop = shop();
    let mut sale = sale(&shop);
    let other_payee = PayeeRef::Certificate(PayeeId([9; 8]));
    let same_id = PayeeRef::Credential(CredentialId(*b"teahouse"));
    let cases = [
        (token_with(&sale, |body| body.amount = cny(1_249)), TokenError::OtherAmount),
        (token_with(&sale, |body| body.amount = Amount::new(1_250, Currency::EUR)), TokenError::OtherAmount),
        (token_with(&sale, |body| body.payee = other_payee), TokenError::OtherPayee),
        (token_with(&sale, |body| body.payee = same_id), TokenError::OtherPayee),
        (token_with(&sale, |body| body.request = RequestDigest([9; 32])), TokenError::OtherRequest),
        (token(&sale)[..138].to_vec(), TokenError::Malformed),
        (sale.request().to_vec(), TokenError::Malformed),
    ];
    for (token, expected) in cases {
        assert_eq!(sale.take(&token), Err(expected));
    }
    assert_eq!(sale.stage(), Stage::Requested);
}

#[test]
fn a_receipt_that_is_not_the_issuers_for_this_token_settles_nothing() {
    let shop = shop();
    let mut sale = sale(&shop);
    let taken = token(&sale);
    let good = receipt_body(&taken, Outcome::Settled);
    let by = |seed, body| sign(&body, &Signing::new(key(seed)));
    assert_eq!(sale.receipt(&by(2, good), shop.keys()), Err(AnswerError::NothingAsked));
    sale.take(&taken).unwrap();

    let other = token_with(&sale, |body| body.counter = Counter(2));
    let mut spoiled = by(2, good);
    spoiled[100] ^= 1;
    let late = armring_token::Receipt { key: KeyId(2), ..good };
    let never = armring_token::Receipt { time: VALIDITY.until, ..good };
    let unknown = armring_token::Receipt { key: KeyId(9), ..good };
    let cases = [
        (receipt(&other, Outcome::Settled), AnswerError::OtherToken),
        (by(3, good), AnswerError::Receipt(VerifyError::Signature)),
        (spoiled, AnswerError::Receipt(VerifyError::Signature)),
        (by(2, unknown), AnswerError::Receipt(VerifyError::Key)),
        (by(20, late), AnswerError::Receipt(VerifyError::Key)),
        (by(2, never), AnswerError::Receipt(VerifyError::Key)),
        (taken.clone(), AnswerError::Receipt(VerifyError::Malformed)),
    ];
    for (receipt, expected) in cases {
        assert_eq!(sale.receipt(&receipt, shop.keys()), Err(expected));
    }
    assert_eq!(sale.stage(), Stage::Taken);
    let past = armring_token::Receipt { key: KeyId(2), time: UnixTime::from_secs(NOW.as_secs() - 1), ..good };
    assert_eq!(sale.receipt(&by(20, past), shop.keys()), Ok(Outcome::Settled), "the key was valid when it signed");
}

#[test]
fn an_older_key_list_is_refused() {
    let mut shop = shop();
    assert_eq!(shop.update_keys(&key_list(2, 9)), Err(VerifyError::OldEpoch));
    assert_eq!(shop.update_keys(&[7; 200]), Err(VerifyError::Malformed));
    let mut spoiled = key_list(4, 9);
    spoiled[0] ^= 1;
    assert_eq!(shop.update_keys(&spoiled), Err(VerifyError::Signature));
    assert_eq!(shop.keys().epoch.0, 3);
    assert_eq!(shop.update_keys(&key_list(4, 9)), Ok(()));

    let mut sale = sale(&shop);
    let token = token(&sale);
    sale.take(&token).unwrap();
    let retired = receipt(&token, Outcome::Settled);
    assert_eq!(sale.receipt(&retired, shop.keys()), Err(AnswerError::Receipt(VerifyError::Signature)));
}

#[test]
fn a_payee_begins_with_what_is_its_own() {
    let new = |list: &[u8], certificate: &[u8], seed| Payee::new(root(), list, certificate, Signing::new(key(seed))).unwrap_err();
    let list = key_list(3, 2);
    assert_eq!(new(&list, &certificate(3, 2), 4), SetupError::OtherKey);
    assert_eq!(new(&list, &certificate(3, 9), 3), SetupError::Certificate(VerifyError::Signature));
    assert_eq!(new(&list, &list, 3), SetupError::Certificate(VerifyError::Malformed));
    let body = KeyList { keys: std::iter::empty::<KeyEntry>().collect(), ..shop().keys().body().clone() };
    let by_other_root = sign(&body, &Signing::new(key(9)));
    assert_eq!(new(&by_other_root, &certificate(3, 2), 3), SetupError::KeyList(VerifyError::Signature));
}

/// A generator that has nothing.
struct Broken;

impl TryRng for Broken {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(std::io::ErrorKind::Other.into())
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn there_is_no_request_without_randomness_or_within_no_rights() {
    let shop = shop();
    let ask = |amount, memo, expiry| shop.request(amount, memo, expiry, &mut rng()).map(|_| ());
    assert_eq!(shop.request(cny(1), "", EXPIRY, &mut Broken).unwrap_err(), RequestError::Randomness);
    assert_eq!(ask(cny(0), "", EXPIRY), Err(RequestError::Amount));
    assert_eq!(ask(Amount::new(1, Currency::EUR), "", EXPIRY), Err(RequestError::Amount));
    assert_eq!(ask(cny(1), "a memo of more than thirty-two bytes", EXPIRY), Err(RequestError::Memo));
    assert_eq!(ask(cny(1), "two\nlines", EXPIRY), Err(RequestError::Memo));
    assert_eq!(ask(cny(1), "", UnixTime::from_secs(VALIDITY.until.as_secs() + 1)), Err(RequestError::NotCertified));
    assert_eq!(ask(cny(1), "", VALIDITY.until), Ok(()));
}

#[test]
fn no_two_requests_are_the_same() {
    let (shop, mut rng) = (shop(), rng());
    let mut ask = || shop.request(cny(1), "", EXPIRY, &mut rng).unwrap().digest();
    assert_ne!(ask(), ask());
}

/// A signer in a secure element that does not answer after the first time.
struct Once(std::cell::Cell<bool>);

impl signature::MultipartSigner<Signature> for Once {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        if self.0.replace(false) { key(3).try_multipart_sign(message) } else { Err(signature::Error::new()) }
    }
}

#[test]
fn a_signer_that_fails_gives_no_request() {
    let signing = Signing::new(Once(true.into()));
    let shop = Payee::new(root(), &key_list(3, 2), &certificate(3, 2), signing).unwrap();
    assert!(matches!(shop.request(cny(1), "", EXPIRY, &mut rng()), Err(RequestError::Signer(_))));
}

#[test]
fn a_wearer_receives_with_what_their_band_signed() {
    let signing = Signing::new(key(6));
    let payment_key = PaymentKey::from_bytes(key(6).verifying_key().to_bytes()).unwrap();
    let payee = PayeeRef::Credential(CredentialId([6; 8]));
    let memo = Text::new("rent").unwrap();
    let body = PaymentRequest { form: Form, payee, amount: cny(500), nonce: [1; 16], expiry: EXPIRY, memo };
    let mut buffer = [0; 200];
    let request = armring_token::Object::sign(&body, &fingerprint(), &signing.as_payee(), &mut buffer).unwrap();

    let mut sale = Sale::from_signed_request(fingerprint(), &payment_key.as_payee(), request, &[]).unwrap();
    assert_eq!((sale.request(), sale.certificate()), (request, &[][..]));
    let token = token(&sale);
    assert_eq!(sale.take(&token), Ok(Take::AskIssuer));
    assert_eq!(sale.receipt(&receipt(&token, Outcome::Settled), shop().keys()), Ok(Outcome::Settled));

    let other = PayeeKey::from_bytes(key(3).verifying_key().to_bytes()).unwrap();
    assert_eq!(Sale::from_signed_request(fingerprint(), &other, request, &[]).unwrap_err(), VerifyError::Signature);
    assert_eq!(Sale::from_signed_request(fingerprint(), &other, &token, &[]).unwrap_err(), VerifyError::Malformed);
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", shop()), "Payee { id: PayeeId(746561686f757365), epoch: Epoch(3), .. }");
}
