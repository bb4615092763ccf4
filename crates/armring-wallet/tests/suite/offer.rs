//! What a person is shown: only what verified.

use armring_token::{
    Credential, CredentialRights, Issuer, Object, PayeeCertificate, PayeeRights, PaymentRequest, Signing, VerifyError,
};
use armring_wallet::{Offer, OfferError, verify_receipt};
use armring_wire::uri::{PaymentUri, UriError};
use armring_wire::{Amount, CredentialId, Currency, KeyId, Opaque, Outcome, PayeeId, PayeeRef, RootFingerprint, UnixTime};
use ed25519_dalek::SigningKey;

use crate::common::Room;
use crate::common::issuer::{CREDENTIAL, Shop, TestIssuer, at, yuan};

const NOW: UnixTime = UnixTime::from_secs(2_000);

fn offer(request: &[u8], certificate: &[u8], now: UnixTime) -> Result<Offer, OfferError> {
    let issuer = TestIssuer::new();
    Offer::verify(request, certificate, &issuer.fingerprint(), &issuer.verified_key_list(), now)
}

#[test]
fn what_verifies_is_shown_as_it_was_signed() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let request = shop.asks(1_250);
    let offer = offer(&request, &issuer.certificate(&shop, |_| {}), NOW).unwrap();
    assert_eq!(
        (offer.name(), offer.memo(), offer.payee()),
        (Some("The teahouse"), "tea for two", PayeeRef::Certificate(shop.id))
    );
    assert_eq!((offer.amount(), offer.expiry(), offer.object()), (yuan(1_250), at(50_000), request.as_slice()));
}

#[test]
fn what_the_certificate_does_not_cover_is_not_shown() {
    type Asks = fn(&mut PaymentRequest<'_>);
    type Certified = fn(&mut PayeeCertificate<'_>);
    let cases: [(&str, Asks, Certified); 5] = [
        ("other payee", |request| request.payee = PayeeRef::Certificate(PayeeId(*b"roadside")), |_| {}),
        ("a wearer's credential", |request| request.payee = PayeeRef::Credential(CREDENTIAL), |_| {}),
        ("certificate of another payee", |_| {}, |certificate| certificate.payee = PayeeId(*b"roadside")),
        ("wrong currency", |request| request.amount = Amount::new(1, Currency::EUR), |_| {}),
        ("may not ask", |_| {}, |certificate| certificate.rights = PayeeRights::NONE),
    ];
    for (name, asks, certified) in cases {
        let mut shop = Shop::new();
        let result = offer(&shop.asks_with(1, asks), &TestIssuer::new().certificate(&shop, certified), NOW);
        assert_eq!(result, Err(OfferError::NotCovered), "{name}");
    }
}

#[test]
fn what_has_expired_is_not_shown() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let (request, certificate) = (shop.asks(1), issuer.certificate(&shop, |_| {}));
    assert!(offer(&request, &certificate, at(49_999)).is_ok());
    for now in [999, 50_000, 100_000] {
        assert_eq!(offer(&request, &certificate, at(now)), Err(OfferError::Expired), "{now}");
    }
    let ended = issuer.certificate(&shop, |certificate| certificate.validity.until = NOW);
    assert_eq!(offer(&request, &ended, NOW), Err(OfferError::Expired));
}

#[test]
fn an_uncertified_payee_is_not_shown() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let request = shop.asks(1);
    let not_verified = |error| Err(OfferError::NotVerified(error));
    let mut impostor = TestIssuer::new();
    impostor.signing = SigningKey::from_bytes(&[99; 32]);
    assert_eq!(offer(&request, &impostor.certificate(&shop, |_| {}), NOW), not_verified(VerifyError::Signature));
    let unlisted = issuer.certificate(&shop, |certificate| certificate.key = KeyId(9));
    assert_eq!(offer(&request, &unlisted, NOW), not_verified(VerifyError::Key));
    let wrong_use = issuer.certificate(&shop, |certificate| certificate.key = KeyId(2));
    assert_eq!(offer(&request, &wrong_use, NOW), not_verified(VerifyError::Key));
    assert_eq!(offer(&request, &request, NOW), not_verified(VerifyError::Malformed));
    assert_eq!(offer(&request, &[], NOW), not_verified(VerifyError::Malformed));
    // Certified, but the request is another's.
    let certificate = issuer.certificate(&shop, |_| {});
    shop.key = SigningKey::from_bytes(&[98; 32]);
    assert_eq!(offer(&shop.asks(1), &certificate, NOW), not_verified(VerifyError::Signature));
    let elsewhere = Offer::verify(&request, &certificate, &RootFingerprint([7; 32]), &issuer.verified_key_list(), NOW);
    assert_eq!(elsewhere, not_verified(VerifyError::Signature));
}

/// What the issuer gives a wearer whose payment key is this shop's.
fn person(issuer: &TestIssuer, shop: &Shop, change: fn(&mut Credential)) -> Vec<u8> {
    let mut credential = Credential { payment_key: shop.key.verifying_key().to_bytes(), ..issuer.template };
    change(&mut credential);
    let signer = Signing::<Issuer, _>::new(issuer.signing.clone());
    credential.sign(&issuer.fingerprint(), &signer, &mut [0; Credential::MAX_LEN]).unwrap().to_vec()
}

fn offer_of_person(request: &[u8], credential: &[u8], now: UnixTime) -> Result<Offer, OfferError> {
    let issuer = TestIssuer::new();
    Offer::verify_person(request, credential, &issuer.fingerprint(), &issuer.verified_key_list(), now)
}

#[test]
fn a_wearers_request_is_shown_as_a_persons_without_a_name() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let request = shop.asks_with(300, |request| request.payee = PayeeRef::Credential(CREDENTIAL));
    let credential = person(&issuer, &shop, |_| {});
    let offer = offer_of_person(&request, &credential, NOW).unwrap();
    assert_eq!((offer.name(), offer.memo(), offer.amount()), (None, "tea for two", yuan(300)));
    assert_eq!((offer.payee(), offer.certificate()), (PayeeRef::Credential(CREDENTIAL), credential.as_slice()));
    for (bytes, is_request) in [(&request, true), (&credential, false)] {
        for bit in 0..bytes.len() * 8 {
            let mut tampered = bytes.clone();
            tampered[bit / 8] ^= 1 << (bit % 8);
            let (request, credential) = if is_request { (&tampered, &credential) } else { (&request, &tampered) };
            let result = offer_of_person(request, credential, NOW);
            assert!(matches!(result, Err(OfferError::NotVerified(_))), "{is_request} {bit}: {result:?}");
        }
    }
}

#[test]
fn what_a_wearers_credential_does_not_cover_is_not_shown() {
    type Change = fn(&mut Credential);
    let cases: [(&str, Change, OfferError); 6] = [
        ("may not receive", |c| c.rights = CredentialRights::PAY, OfferError::NotCovered),
        ("another credential", |c| c.id = CredentialId([1; 8]), OfferError::NotCovered),
        ("another currency", |c| c.currency = Currency::EUR, OfferError::NotCovered),
        ("over", |c| c.validity.until = NOW, OfferError::Expired),
        (
            "another key",
            |c| c.payment_key = SigningKey::from_bytes(&[97; 32]).verifying_key().to_bytes(),
            OfferError::NotVerified(VerifyError::Signature),
        ),
        ("unlisted key", |c| c.key = KeyId(9), OfferError::NotVerified(VerifyError::Key)),
    ];
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let request = shop.asks_with(300, |request| request.payee = PayeeRef::Credential(CREDENTIAL));
    for (name, change, error) in cases {
        assert_eq!(offer_of_person(&request, &person(&issuer, &shop, change), NOW), Err(error), "{name}");
    }
    let credential = person(&issuer, &shop, |_| {});
    assert_eq!(offer_of_person(&request, &credential, at(50_000)), Err(OfferError::Expired));
    assert_eq!(offer_of_person(&shop.asks(300), &credential, NOW), Err(OfferError::NotCovered), "a shop's reference");
    let malformed = Err(OfferError::NotVerified(VerifyError::Malformed));
    assert_eq!(offer_of_person(&request, &issuer.certificate(&shop, |_| {}), NOW), malformed);
    assert_eq!(offer(&request, &credential, NOW), malformed, "a credential is no certificate");
}

/// What a QR code would say.
fn uri(request: &[u8], certificate: &[u8]) -> String {
    let uri = PaymentUri { request: Opaque::new(request).unwrap(), certificate: Opaque::new(certificate).unwrap() };
    uri.encode(&mut [0; PaymentUri::MAX_LEN]).unwrap().to_owned()
}

#[test]
fn a_payment_uri_is_shown_as_what_it_carries_or_not_at_all() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let (certificate, credential) = (issuer.certificate(&shop, |_| {}), person(&issuer, &shop, |_| {}));
    let (request, wearers) = (shop.asks(1), shop.asks_with(2, |request| request.payee = PayeeRef::Credential(CREDENTIAL)));
    let from_uri = |uri: &str| Offer::from_uri(uri, &issuer.fingerprint(), &issuer.verified_key_list(), NOW);
    assert_eq!(from_uri(&uri(&request, &certificate)), offer(&request, &certificate, NOW));
    assert_eq!(from_uri(&uri(&wearers, &credential)), offer_of_person(&wearers, &credential, NOW));
    assert_eq!(from_uri(&uri(&request, &certificate)).unwrap().name(), Some("The teahouse"));
    assert_eq!(from_uri(&uri(&wearers, &credential)).unwrap().name(), None);
    let malformed = OfferError::NotVerified(VerifyError::Malformed);
    for (bad, error) in [
        (uri(&request, &[]), OfferError::Uncertified),
        (uri(&request, &credential), malformed.clone()),
        (uri(&wearers, &certificate), malformed.clone()),
        (uri(&[], &certificate), malformed),
        (format!("{} ", uri(&request, &certificate)), OfferError::Uri(UriError::Malformed)),
        ("https://example.org/".to_owned(), OfferError::Uri(UriError::Foreign)),
        ("armring:pair/1/AA".to_owned(), OfferError::Uri(UriError::OtherKind)),
    ] {
        assert_eq!(from_uri(&bad), Err(error), "{bad}");
    }
}

#[test]
fn whatever_was_tampered_with_is_not_shown() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let (request, certificate) = (shop.asks(1), issuer.certificate(&shop, |_| {}));
    for (object, is_request) in [(&request, true), (&certificate, false)] {
        for bit in 0..object.len() * 8 {
            let mut tampered = object.clone();
            tampered[bit / 8] ^= 1 << (bit % 8);
            let result = if is_request { offer(&tampered, &certificate, NOW) } else { offer(&request, &tampered, NOW) };
            assert!(matches!(result, Err(OfferError::NotVerified(_))), "{is_request} {bit}: {result:?}");
        }
        for len in 0..object.len() {
            let result = if is_request { offer(&object[..len], &certificate, NOW) } else { offer(&request, &object[..len], NOW) };
            assert!(matches!(result, Err(OfferError::NotVerified(_))), "{is_request} {len}");
        }
    }
}

#[test]
fn a_token_answers_its_own_offer_and_its_receipt_verifies() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let (first, second) = (shop.asks(100), shop.asks(100));
    let certificate = issuer.certificate(&shop, |_| {});
    let offers = [&first, &second].map(|request| offer(request, &certificate, NOW).unwrap());
    let tokens = [&first, &second].map(|request| room.pays(request).unwrap());
    for (at_offer, shown) in offers.iter().enumerate() {
        for (at_token, token) in tokens.iter().enumerate() {
            assert_eq!(shown.is_answered_by(token), at_offer == at_token);
        }
        assert!(!shown.is_answered_by(&[]) && !shown.is_answered_by(&first));
    }

    let verify =
        |receipt: &[u8], token: &[u8]| verify_receipt(receipt, token, &issuer.fingerprint(), &issuer.verified_key_list());
    for outcome in [Outcome::Settled, Outcome::InsufficientFunds] {
        let receipt = issuer.receipt(&tokens[0], outcome, 2_000, 0);
        assert_eq!(verify(&receipt, &tokens[0]), Ok(outcome));
        assert_eq!(verify(&receipt, &tokens[1]), Err(VerifyError::OtherObject), "of another token");
        assert_eq!(verify(&receipt, &receipt), Err(VerifyError::Malformed));
        for bit in 0..receipt.len() * 8 {
            let mut tampered = receipt.clone();
            tampered[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&tampered, &tokens[0]).is_err(), "{bit}");
        }
    }
    let late = issuer.receipt(&tokens[0], Outcome::Settled, 100_000, 0);
    assert_eq!(verify(&late, &tokens[0]), Err(VerifyError::Key), "its key was no longer valid");
}
