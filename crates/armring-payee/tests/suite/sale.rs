//! A sale step by step: what is paid, and each thing that is not taken for payment, by name.

use armring_payee::{Error, Heard, Payee, ReceiptError, Sale, Settled, TokenError};
use armring_token::{Counter, Signature, Signing, VerifyError};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::*;
use proptest::prelude::*;
use rand_chacha::rand_core::{TryCryptoRng, TryRng};

use crate::common::*;

fn says(token: &[u8]) -> Vec<u8> {
    record(&ToPayee::Token(Opaque::new(token).unwrap()))
}

#[test]
fn a_sale_is_paid_when_the_receipt_says_so() {
    let shop = shop();
    let mut sale = sale(&shop);
    let (request, certificate) = (sale.request().to_vec(), certificate(3, 2));
    let asked = FromPayee::Request { request: Opaque::new(&request).unwrap(), certificate: Opaque::new(&certificate).unwrap() };
    assert_eq!(sale.hear(&record(&ToPayee::Ask)), Heard::Answer(asked));

    let token = token(&sale);
    let digest = digest(&token);
    assert_eq!(sale.hear(&says(&token)), Heard::Redeem(digest));
    let expected = ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: Opaque::new(&token).unwrap() };
    assert_eq!(sale.redeem(&digest), Some(expected));
    assert_eq!(sale.settled(), None);
    let uri = sale.uri().unwrap();
    let mut buffer = [0; uri::PaymentUri::PAYLOAD_MAX];
    let shown = uri::PaymentUri::decode(&uri, &mut buffer).unwrap();
    assert_eq!((shown.request.as_bytes(), shown.certificate.as_bytes()), (request.as_slice(), certificate.as_slice()));

    let receipt = receipt(&token, Outcome::Settled);
    let answer = from_issuer(&FromIssuer::Receipt(Opaque::new(&receipt).unwrap()));
    let paid = FromPayee::Receipt(Opaque::new(&receipt).unwrap());
    assert_eq!(sale.issuer_says(&digest, &answer, shop.key_list()), Ok(paid));
    assert_eq!(sale.settled(), Some(Settled { token: &token, receipt: &receipt }));
    assert_eq!(sale.hear(&says(&token)), Heard::Answer(paid), "the same token gets the same answer");
    assert_eq!(sale.hear(&record(&ToPayee::Ask)), Heard::Answer(FromPayee::Nothing));
}

#[test]
fn a_settled_sale_takes_no_other_token() {
    let shop = shop();
    let mut sale = sale(&shop);
    let (first, second) = (token(&sale), token_with(&sale, |body| body.counter = Counter(2)));
    sale.take(&first).unwrap();
    answer(&mut sale, &first, &receipt(&first, Outcome::Settled), shop.key_list()).unwrap();
    assert_eq!(sale.take(&second), Err(TokenError::AlreadySettled));
    assert_eq!(sale.hear(&says(&second)), Heard::Answer(FromPayee::Nothing));
}

#[test]
fn a_refused_sale_takes_another_token_and_the_first_keeps_its_answer() {
    let shop = shop();
    let mut sale = sale(&shop);
    let (first, second) = (token(&sale), token_with(&sale, |body| body.counter = Counter(2)));
    let no = receipt(&first, Outcome::InsufficientFunds);
    sale.take(&first).unwrap();
    assert_eq!(answer(&mut sale, &first, &no, shop.key_list()), Ok(false));
    assert_eq!(sale.settled(), None);
    sale.take(&second).unwrap();
    assert_eq!(answer(&mut sale, &second, &receipt(&second, Outcome::Settled), shop.key_list()), Ok(true));
    assert_eq!(sale.hear(&says(&first)), Heard::Answer(FromPayee::Receipt(Opaque::new(&no).unwrap())));
}

#[test]
fn a_forged_token_does_not_stand_in_the_way_of_the_real_one() {
    let shop = shop();
    let mut sale = sale(&shop);
    let real = token(&sale);
    let forged = token_with(&sale, |body| body.counter = Counter(77));
    let digest = sale.take(&forged).unwrap();
    sale.take(&real).unwrap();
    let busy = from_issuer(&FromIssuer::Refused(Refusal::Busy));
    assert_eq!(sale.issuer_says(&digest, &busy, shop.key_list()), Ok(FromPayee::Refused(Refusal::Busy)));
    assert!(sale.redeem(&digest).is_some(), "busy: to be redeemed again");
    let forgery = from_issuer(&FromIssuer::Refused(Refusal::Signature));
    assert_eq!(sale.issuer_says(&digest, &forgery, shop.key_list()), Ok(FromPayee::Refused(Refusal::Signature)));
    assert!(sale.redeem(&digest).is_none());
    assert_eq!(answer(&mut sale, &real, &receipt(&real, Outcome::Settled), shop.key_list()), Ok(true));
}

#[test]
fn a_flood_of_forged_tokens_is_bounded_and_lets_go_of_none_that_waits() {
    let shop = shop();
    let mut sale = sale(&shop);
    let first = token(&sale);
    let digest = sale.take(&first).unwrap();
    let forged = |sale: &Sale, n| token_with(sale, |body| body.counter = Counter(n));
    let taken = (2..100).filter(|n| sale.take(&forged(&sale, *n)).is_ok()).count();
    assert_eq!(taken, 7);
    assert_eq!(sale.take(&forged(&sale, 100)), Err(TokenError::TooMany));
    assert!(sale.redeem(&digest).is_some());
}

/// The real token, and copies of it under signatures that do not verify.
fn copies<const N: usize>(real: &[u8]) -> [Vec<u8>; N] {
    std::array::from_fn(|n| {
        let mut forged = real.to_vec();
        forged[n] ^= 1;
        forged
    })
}

#[test]
fn a_copy_under_another_signature_neither_displaces_the_token_nor_stays_in_a_settled_sale() {
    let shop = shop();
    for real_first in [true, false] {
        let mut sale = sale(&shop);
        let real = token(&sale);
        let [forged] = copies(&real);
        let (first, second) = if real_first { (&real, &forged) } else { (&forged, &real) };
        let digest = sale.take(first).unwrap();
        assert_eq!(sale.take(second), Ok(digest));
        let request = sale.request().to_vec();
        let redeem =
            |token| Some(ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: Opaque::new(token).unwrap() });
        assert_eq!(sale.redeem(&digest), redeem(first), "the one that is asked about does not change under the issuer's hands");
        if !real_first {
            let refused = from_issuer(&FromIssuer::Refused(Refusal::Signature));
            let said = sale.issuer_says(&digest, &refused, shop.key_list());
            assert_eq!(said, Ok(FromPayee::Refused(Refusal::Signature)));
        }
        assert_eq!(sale.redeem(&digest), redeem(&real));
        let receipt = receipt(&real, Outcome::Settled);
        assert_eq!(answer(&mut sale, &real, &receipt, shop.key_list()), Ok(true));
        assert_eq!(sale.settled(), Some(Settled { token: &real, receipt: &receipt }));
        assert_eq!(sale.take(&forged), Ok(digest), "the same body has its answer");
        assert_eq!(sale.settled().unwrap().token, real);
    }
}

#[test]
fn copies_under_forged_signatures_are_bounded_and_go_as_the_issuer_refuses_them() {
    let shop = shop();
    let mut sale = sale(&shop);
    let real = token(&sale);
    let forged: [_; 4] = copies(&real);
    for copy in &forged {
        sale.take(copy).unwrap();
    }
    assert_eq!(sale.take(&real), Err(TokenError::TooMany));
    let refused = from_issuer(&FromIssuer::Refused(Refusal::Signature));
    sale.issuer_says(&digest(&real), &refused, shop.key_list()).unwrap();
    sale.take(&real).unwrap();
    for _ in &forged[1..] {
        sale.issuer_says(&digest(&real), &refused, shop.key_list()).unwrap();
    }
    assert_eq!(answer(&mut sale, &real, &receipt(&real, Outcome::Settled), shop.key_list()), Ok(true));
    assert_eq!(sale.settled().unwrap().token, real);
}

/// Whoever can lose the payee's questions on their way could else keep it from ever taking the real token.
#[test]
fn forged_tokens_about_which_nobody_answered_do_not_keep_the_real_one_out() {
    let shop = shop();
    let refused = from_issuer(&FromIssuer::Refused(Refusal::Signature));
    for other_bodies in [false, true] {
        let mut sale = sale(&shop);
        let real = token(&sale);
        let others = (2..10).map(|n| token_with(&sale, |body| body.counter = Counter(n))).collect::<Vec<_>>();
        let forged = if other_bodies { others } else { copies::<4>(&real).to_vec() };
        for token in &forged {
            assert_eq!(sale.hear(&says(token)), Heard::Redeem(digest(token)));
        }
        for token in &forged {
            let Heard::Redeem(asked) = sale.hear(&says(&real)) else { panic!("the issuer is asked") };
            assert_eq!(asked, digest(token), "what is in the way goes first");
            let about = ToIssuer::Redeem { request: Opaque::new(sale.request()).unwrap(), token: Opaque::new(token).unwrap() };
            assert_eq!(sale.redeem(&asked), Some(about));
            sale.issuer_says(&asked, &refused, shop.key_list()).unwrap();
            if other_bodies {
                break;
            }
        }
        assert_eq!(sale.hear(&says(&real)), Heard::Redeem(digest(&real)));
        assert_eq!(answer(&mut sale, &real, &receipt(&real, Outcome::Settled), shop.key_list()), Ok(true));
    }
}

/// A request as the payer's band would sign it if it were to be paid, with something changed.
fn wearers_request(by: u8, change: impl FnOnce(&mut armring_token::PaymentRequest<'_>)) -> Vec<u8> {
    let payee = PayeeRef::Credential(CredentialId([5; 8]));
    let (form, memo) = (armring_token::Form, Text::new("the taxi").unwrap());
    let mut body = armring_token::PaymentRequest { form, payee, amount: cny(1), nonce: [1; 16], expiry: EXPIRY, memo };
    change(&mut body);
    sign(&body, &Signing::new(key(by)))
}

#[test]
fn a_wearers_request_is_collected_on_only_if_its_credential_signed_it_and_may_receive() {
    let shop = shop();
    let sale = |request: &[u8], credential: &[u8]| {
        Sale::from_signed_request(request, credential, &fingerprint(), shop.key_list()).map(|sale| sale.amount())
    };
    let (request, credential) = (wearers_request(4, |_| {}), credential_with(|_| {}));
    assert_eq!(sale(&request, &credential), Ok(cny(1)));
    let mut asks = Sale::from_signed_request(&request, &credential, &fingerprint(), shop.key_list()).unwrap();
    let (said, shown) = (Opaque::new(&request).unwrap(), Opaque::new(&credential).unwrap());
    let person = FromPayee::Person { request: said, credential: shown };
    assert_eq!(asks.hear(&record(&ToPayee::Ask)), Heard::Answer(person));
    let not_verified = |error| Err(Error::NotVerified(error));
    let pays_only = credential_with(|body| body.rights = armring_token::CredentialRights::PAY);
    assert_eq!(sale(&wearers_request(9, |_| {}), &credential), not_verified(VerifyError::Signature));
    assert_eq!(sale(&request, &credential_with(|body| body.key = KeyId(9))), not_verified(VerifyError::Key));
    assert_eq!(sale(&request, &request), not_verified(VerifyError::Malformed));
    assert_eq!(sale(&credential, &credential), not_verified(VerifyError::Malformed));
    assert_eq!(sale(&request, &pays_only), Err(Error::NotAllowed));
    assert_eq!(sale(&request, &credential_with(|body| body.id = CredentialId([6; 8]))), Err(Error::NotAllowed));
    assert_eq!(sale(&request, &credential_with(|body| body.currency = Currency::EUR)), Err(Error::NotAllowed));
    assert_eq!(sale(&wearers_request(4, |body| body.payee = SHOP), &credential), Err(Error::NotAllowed));
}

#[test]
fn a_token_of_another_amount_currency_payee_or_request_is_not_taken() {
    let shop = shop();
    let mut sale = sale(&shop);
    let other_payee = PayeeRef::Certificate(PayeeId([9; 8]));
    let same_id = PayeeRef::Credential(CredentialId(*b"teahouse"));
    let cases = [
        (token_with(&sale, |body| body.amount = cny(1_249)), TokenError::OtherRequest, Refusal::Mismatch),
        (token_with(&sale, |body| body.amount = Amount::new(1_250, Currency::EUR)), TokenError::OtherRequest, Refusal::Mismatch),
        (token_with(&sale, |body| body.payee = other_payee), TokenError::OtherRequest, Refusal::Mismatch),
        (token_with(&sale, |body| body.payee = same_id), TokenError::OtherRequest, Refusal::Mismatch),
        (token_with(&sale, |body| body.request = RequestDigest([9; 32])), TokenError::OtherRequest, Refusal::Mismatch),
        (token(&sale)[..138].to_vec(), TokenError::Malformed, Refusal::Malformed),
        (sale.request().to_vec(), TokenError::Malformed, Refusal::Malformed),
    ];
    for (token, error, refusal) in cases {
        assert_eq!(sale.take(&token), Err(error));
        assert_eq!(sale.hear(&says(&token)), Heard::Answer(FromPayee::Refused(refusal)));
    }
}

#[test]
fn a_receipt_that_is_not_the_issuers_for_this_token_settles_nothing() {
    let shop = shop();
    let mut sale = sale(&shop);
    let taken = token(&sale);
    let good = receipt_body(&taken, Outcome::Settled);
    let by = |seed, body| sign(&body, &Signing::new(key(seed)));
    assert_eq!(answer(&mut sale, &taken, &by(2, good), shop.key_list()), Err(ReceiptError::OtherToken));
    let digest = sale.take(&taken).unwrap();

    let other = token_with(&sale, |body| body.counter = Counter(2));
    let mut spoiled = by(2, good);
    spoiled[100] ^= 1;
    let late = armring_token::Receipt { key: KeyId(2), ..good };
    let never = armring_token::Receipt { time: VALIDITY.until, ..good };
    let unknown = armring_token::Receipt { key: KeyId(9), ..good };
    let cases = [
        (receipt(&other, Outcome::Settled), ReceiptError::OtherToken),
        (by(3, good), ReceiptError::NotVerified(VerifyError::Signature)),
        (spoiled, ReceiptError::NotVerified(VerifyError::Signature)),
        (by(2, unknown), ReceiptError::NotVerified(VerifyError::Key)),
        (by(20, late), ReceiptError::NotVerified(VerifyError::Key)),
        (by(2, never), ReceiptError::NotVerified(VerifyError::Key)),
        (taken.clone(), ReceiptError::NotVerified(VerifyError::Malformed)),
    ];
    for (receipt, expected) in cases {
        assert_eq!(answer(&mut sale, &taken, &receipt, shop.key_list()), Err(expected));
    }
    for noise in [&[][..], &[0xFF; 9], &from_issuer(&FromIssuer::Unknown(2))] {
        assert_eq!(sale.issuer_says(&digest, noise, shop.key_list()), Err(ReceiptError::NoAnswer));
    }
    assert_eq!(sale.settled(), None);
    let past = armring_token::Receipt { key: KeyId(2), time: UnixTime::from_secs(NOW.as_secs() - 1), ..good };
    assert_eq!(answer(&mut sale, &taken, &by(20, past), shop.key_list()), Ok(true), "the key was valid when it signed");
}

#[test]
fn an_older_key_list_is_refused() {
    let mut shop = shop();
    let mut spoiled = key_list(4, 9);
    spoiled[0] ^= 1;
    let cases =
        [(key_list(2, 9), VerifyError::OldEpoch), (vec![7; 200], VerifyError::Malformed), (spoiled, VerifyError::Signature)];
    for (list, expected) in cases {
        assert_eq!(shop.take_key_list(&list), Err(Error::NotVerified(expected)));
        assert_eq!(shop.epoch().0, 3);
    }
    assert_eq!(shop.take_key_list(&key_list(4, 9)), Ok(()));
    let mut sale = sale(&shop);
    let token = token(&sale);
    sale.take(&token).unwrap();
    let retired = answer(&mut sale, &token, &receipt(&token, Outcome::Settled), shop.key_list());
    assert_eq!(retired, Err(ReceiptError::NotVerified(VerifyError::Signature)));
}

#[test]
fn a_payee_begins_with_what_is_its_own() {
    let new = |list: &[u8], certificate: &[u8], seed| Payee::new(root(), list, certificate, Signing::new(key(seed))).unwrap_err();
    let list = key_list(3, 2);
    assert_eq!(new(&list, &certificate(3, 2), 4), Error::OtherKey);
    assert_eq!(new(&list, &certificate(3, 9), 3), Error::NotVerified(VerifyError::Signature));
    assert_eq!(new(&list, &list, 3), Error::NotVerified(VerifyError::Malformed));
    assert_eq!(new(&certificate(3, 2), &certificate(3, 2), 3), Error::NotVerified(VerifyError::Malformed));
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
    let ask = |amount, memo, times| shop.request(amount, memo, times, &mut rng()).map(|_| ());
    assert_eq!(shop.request(cny(1), "", (NOW, EXPIRY), &mut Broken).map(|_| ()), Err(Error::Randomness));
    assert_eq!(ask(cny(0), "", (NOW, EXPIRY)), Err(Error::Request));
    assert_eq!(ask(cny(1), "", (EXPIRY, EXPIRY)), Err(Error::Request));
    assert_eq!(ask(cny(1), "a memo of more than thirty-two bytes", (NOW, EXPIRY)), Err(Error::Request));
    assert_eq!(ask(cny(1), "two\nlines", (NOW, EXPIRY)), Err(Error::Request));
    assert_eq!(ask(Amount::new(1, Currency::EUR), "", (NOW, EXPIRY)), Err(Error::NotAllowed));
    assert_eq!(ask(cny(1), "", (VALIDITY.until, UnixTime::from_secs(u32::MAX))), Err(Error::NotAllowed));
    assert_eq!(ask(cny(1), "", (NOW, EXPIRY)), Ok(()));
}

#[test]
fn no_two_requests_are_the_same() {
    let (shop, mut rng) = (shop(), rng());
    let mut ask = || shop.request(cny(1), "", (NOW, EXPIRY), &mut rng).unwrap().digest();
    assert_ne!(ask(), ask());
}

/// A signer in a secure element that does not answer after so many signatures.
struct Breaks {
    key: ed25519_dalek::SigningKey,
    left: std::cell::Cell<usize>,
}

impl signature::MultipartSigner<Signature> for Breaks {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<Signature, signature::Error> {
        self.left.set(self.left.get().checked_sub(1).ok_or_else(signature::Error::new)?);
        self.key.try_multipart_sign(message)
    }
}

#[test]
fn a_signer_that_fails_gives_no_request() {
    let breaks = Breaks { key: key(3), left: 1.into() };
    let shop = Payee::new(root(), &key_list(3, 2), &certificate(3, 2), Signing::new(breaks)).unwrap();
    assert!(matches!(shop.request(cny(1), "", (NOW, EXPIRY), &mut rng()), Err(Error::Signer(_))));
    let broken = Breaks { key: key(3), left: 0.into() };
    let never = Payee::new(root(), &key_list(3, 2), &certificate(3, 2), Signing::new(broken));
    assert!(matches!(never.map(|_| ()), Err(Error::Signer(_))));
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", shop()), "Payee { reference: Certificate(PayeeId(746561686f757365)), .. }");
}

proptest! {
    #[test]
    fn garbage_pays_nothing(
        wallet in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
        issuer in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
    ) {
        let shop = shop();
        let mut sale = sale(&shop);
        let digest = sale.take(&token(&sale)).unwrap();
        for record in &wallet {
            let _ = sale.hear(record);
        }
        for answer in &issuer {
            let _ = sale.issuer_says(&digest, answer, shop.key_list());
        }
        prop_assert_eq!(sale.settled(), None);
    }
}
