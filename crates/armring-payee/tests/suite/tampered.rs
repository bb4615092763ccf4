//! What a payee stored, changed by others: nothing that does not agree with itself is taken for a sale.

use armring_payee::Sale;
use armring_token::{Counter, CredentialRights, Form, Minor, Refund, RefundReceipt, Signing};
use armring_wire::records::payee::ToPayee;
use armring_wire::{Amount, CredentialId, Currency, KeyId, Outcome, PayeeRef, RefundDigest, RootFingerprint, encode};
use proptest::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::common::stall::*;
use crate::common::*;
use crate::stored::refund;

/// What is stored, as the test writes it.
#[derive(Clone, Serialize)]
struct Stored<'a> {
    form: u8,
    request: &'a [u8],
    certificate: &'a [u8],
    tokens: Vec<(Vec<&'a [u8]>, State<'a>)>,
    refunds: Vec<(&'a [u8], Option<&'a [u8]>)>,
}

#[derive(Clone, Copy, Serialize)]
enum State<'a> {
    Waiting,
    Pending,
    Answered(&'a [u8]),
}

/// A token's copies, and how far it is.
type Token<'a> = (&'a [&'a [u8]], State<'a>);

impl<'a> Stored<'a> {
    fn new(sale: &'a Sale, tokens: &[(&[&'a [u8]], State<'a>)]) -> Self {
        let certificate = CERTIFICATE.get_or_init(|| certificate(3, 2));
        let tokens = tokens.iter().map(|(copies, state)| (copies.to_vec(), *state)).collect();
        Self { form: 1, request: sale.request(), certificate, tokens, refunds: Vec::new() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        sealed(encode(self, &mut [0; 4_096]).unwrap())
    }
}

static CERTIFICATE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();

/// With the hash that a payee stores with it.
fn sealed(stored: &[u8]) -> Vec<u8> {
    let hash = Sha256::new().chain_update(fingerprint().0).chain_update(stored).finalize();
    [stored, hash.as_slice()].concat()
}

fn loads(stored: &Stored<'_>) -> bool {
    Sale::from_bytes(&stored.to_bytes(), &fingerprint()).is_some_and(|sale| sale.to_bytes() == stored.to_bytes())
}

#[test]
fn what_does_not_agree_with_itself_is_not_loaded() {
    let mut stall = Stall::new();
    let (sale, elsewhere) = (stall.asks(1_250), stall.asks(1_250));
    let signed = |counter| offline_token(&sale, |body| body.counter = Counter(counter));
    let (token, second, stray) = (signed(1), signed(2), offline_token(&elsewhere, |_| {}));
    let unsignable = offline_token(&sale, |body| body.cumulative = Minor(1_249));
    let copies: Vec<Vec<u8>> = (0..5).map(|byte| (0..token.len()).map(|at| token[at] ^ u8::from(at == byte)).collect()).collect();
    let copies: Vec<&[u8]> = copies.iter().map(Vec::as_slice).collect();
    let (yes, no) = (receipt(&token, Outcome::Settled), receipt(&second, Outcome::Frozen));
    let (token, second, stray, yes, no) = (token.as_slice(), second.as_slice(), stray.as_slice(), yes.as_slice(), no.as_slice());
    use State::{Answered, Pending, Waiting};
    for good in [
        Stored::new(&sale, &[]),
        Stored::new(&sale, &[(&[token], Waiting), (&[second], Pending)]),
        Stored::new(&sale, &[(&copies[..4], Waiting), (&[second], Answered(no))]),
        Stored::new(&sale, &[(&[token], Answered(yes)), (&[second], Answered(no))]),
    ] {
        assert!(loads(&good));
        assert!(!loads(&Stored { form: 2, ..good.clone() }), "another form");
        assert!(!loads(&Stored { certificate: &other_certificate(), ..good.clone() }), "another payee's certificate");
        assert!(!loads(&Stored { certificate: &[], ..good.clone() }), "no certificate");
        assert!(!loads(&Stored { request: token, ..good }), "no request");
    }
    let cases: [(&str, &[Token<'_>]); 13] = [
        ("a token of another sale", &[(&[stray], Waiting)]),
        ("a pending token of another sale", &[(&[stray], Pending)]),
        ("a token that is none", &[(&[yes], Waiting)]),
        ("a token of no bytes", &[(&[&[]], Waiting)]),
        ("no copies", &[(&[], Waiting)]),
        ("too many copies", &[(&copies, Waiting)]),
        ("a copy twice", &[(&[token, token], Waiting)]),
        ("copies of two tokens", &[(&[token, second], Waiting)]),
        ("a token twice", &[(&[token], Waiting), (&copies[..1], Pending)]),
        ("two that are pending", &[(&[token], Pending), (&[second], Pending)]),
        ("copies of what verified", &[(&copies[..2], Pending)]),
        ("pending, and signed by no band", &[(&[&unsignable], Pending)]),
        ("a receipt for another token", &[(&[token], Answered(no))]),
    ];
    for (name, tokens) in cases {
        assert!(!loads(&Stored::new(&sale, tokens)), "{name}");
    }
    assert!(!loads(&Stored::new(&sale, &[(&[token], Answered(&[]))])), "no receipt");
}

#[test]
fn a_wearers_sale_is_stored_with_the_credential_that_stands_in_for_a_certificate() {
    let (keys, shop) = (keys(VALIDITY.until), shop());
    let credential = credential_with(|body| body.rights = CredentialRights::RECEIVE);
    let by_shop = sale(&shop);
    let request = armring_token::Unverified::<armring_token::PaymentRequest<'_>>::parse(by_shop.request()).unwrap();
    let body = armring_token::PaymentRequest { payee: PayeeRef::Credential(CredentialId([5; 8])), ..*request.claims() };
    let request = sign(&body, &Signing::new(key(4)));
    let mut sale = Sale::from_signed_request(&request, &credential, &fingerprint(), &keys).unwrap();
    let mut restored = restored(&sale);
    assert_eq!(restored.hear(&record(&ToPayee::Ask)), sale.hear(&record(&ToPayee::Ask)));
    let other = credential_with(|body| body.id = CredentialId([7; 8]));
    let (request, other) = (request.as_slice(), other.as_slice());
    assert!(loads(&Stored { request, certificate: &credential, ..Stored::new(&by_shop, &[]) }));
    assert!(!loads(&Stored { request, certificate: other, ..Stored::new(&by_shop, &[]) }));
}

#[test]
fn a_refund_that_does_not_agree_with_its_sale_is_not_loaded() {
    let mut stall = Stall::new();
    let sale = stall.asks(1_250);
    let (token, second) = (offline_token(&sale, |_| {}), offline_token(&sale, |body| body.counter = Counter(2)));
    let (yes, no) = (receipt(&token, Outcome::Settled), receipt(&second, Outcome::Frozen));
    let tokens: [Token<'_>; 2] = [(&[&token], State::Answered(&yes)), (&[&second], State::Answered(&no))];
    let settled = Stored::new(&sale, &tokens);
    let good = Refund { form: Form, payee: SHOP, token: digest(&token), amount: cny(700), nonce: [1; 16] };
    let signed = |body: &Refund| sign(body, &Signing::new(key(3)));
    let (first, other) = (signed(&good), signed(&Refund { nonce: [2; 16], ..good }));
    let known = armring_token::Unverified::<Refund>::parse(&first).unwrap().refund_digest(&fingerprint());
    let left = cny(0);
    let body =
        RefundReceipt { form: Form, key: KeyId(1), refund: known, token: good.token, outcome: Outcome::Frozen, left, time: NOW };
    let says = |body: &RefundReceipt| sign(body, &Signing::new(key(2)));
    let refused = says(&body);
    let with = |refunds: &[(&[u8], Option<&[u8]>)]| loads_refunds(&settled, refunds);
    assert!(with(&[(&first, None)]));
    assert!(with(&[(&first, Some(&refused)), (&other, None)]), "the first was refused");
    assert!(!with(&[(&first, None), (&other, None)]), "more than was paid");
    assert!(!with(&[(&first, Some(&refused)), (&first, Some(&refused))]), "twice");
    assert!(!loads_refunds(&Stored::new(&sale, &[(&[&token], State::Pending)]), &[(&first, None)]), "of what is not settled");
    for body in [
        Refund { payee: PayeeRef::Credential(CredentialId([5; 8])), ..good },
        Refund { token: digest(&second), ..good },
        Refund { amount: cny(0), ..good },
        Refund { amount: cny(1_251), ..good },
        Refund { amount: Amount::new(1, Currency::EUR), ..good },
    ] {
        assert!(!with(&[(&signed(&body), None)]), "{body:?}");
    }
    for body in [
        RefundReceipt { refund: RefundDigest([7; 32]), ..body },
        RefundReceipt { token: digest(&second), ..body },
        RefundReceipt { left: Amount::new(1, Currency::EUR), ..body },
    ] {
        assert!(!with(&[(&first, Some(&says(&body)))]), "{body:?}");
    }
}

fn loads_refunds(stored: &Stored<'_>, refunds: &[(&[u8], Option<&[u8]>)]) -> bool {
    let Stored { form, request, certificate, tokens, .. } = stored.clone();
    loads(&Stored { form, request, certificate, tokens, refunds: refunds.to_vec() })
}

/// A sale with all that one can have.
fn full() -> Vec<u8> {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (token, second) = (offline_token(&sale, |_| {}), offline_token(&sale, |body| body.counter = Counter(2)));
    for (token, outcome) in [(&second, Outcome::Frozen), (&token, Outcome::Settled)] {
        sale.take(token).unwrap();
        answer(&mut sale, token, &receipt(token, outcome), &stall.keys).unwrap();
    }
    refund(500, Some(Outcome::Settled))(&mut stall, &mut sale);
    refund(400, None)(&mut stall, &mut sale);
    sale.to_bytes()
}

#[test]
fn damage_to_any_byte_is_found_so_that_no_refused_sale_becomes_a_settled_one() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let token = token(&sale);
    sale.take(&token).unwrap();
    answer(&mut sale, &token, &receipt(&token, Outcome::Frozen), &stall.keys).unwrap();
    let one = sale.to_bytes();
    for byte in 0..one.len() {
        for change in [1, 2, 4, 8, 16, 32, 64, 128, 0xFF] {
            let mut changed = one.clone();
            changed[byte] ^= change;
            assert!(Sale::from_bytes(&changed, &fingerprint()).is_none(), "byte {byte} ^ {change}");
        }
        assert!(Sale::from_bytes(&one[..byte], &fingerprint()).is_none(), "cut at {byte}");
    }
    assert!(Sale::from_bytes(&[&one[..], &[0]].concat(), &fingerprint()).is_none(), "a byte more");
    assert!(Sale::from_bytes(&one, &RootFingerprint([7; 32])).is_none(), "another issuer's root");
}

#[test]
fn no_change_to_what_was_stored_panics_or_has_a_second_encoding() {
    let bytes = full();
    let stored = &bytes[..bytes.len() - 32];
    for byte in 0..stored.len() {
        for bit in 0..8 {
            let mut changed = stored.to_vec();
            changed[byte] ^= 1 << bit;
            has_one_encoding(&changed);
        }
        assert!(Sale::from_bytes(&sealed(&stored[..byte]), &fingerprint()).is_none(), "cut at {byte}");
    }
    assert!(Sale::from_bytes(&sealed(&[stored, &[0]].concat()), &fingerprint()).is_none(), "a byte more");
}

fn has_one_encoding(stored: &[u8]) {
    let bytes = sealed(stored);
    if let Some(sale) = Sale::from_bytes(&bytes, &fingerprint()) {
        assert_eq!(sale.to_bytes(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_no_sale(garbage in prop::collection::vec(any::<u8>(), 0..600), from in 0..400_usize) {
        has_one_encoding(&garbage);
        prop_assert!(Sale::from_bytes(&garbage, &fingerprint()).is_none());
        let bytes = full();
        has_one_encoding(&[&bytes[..from], &garbage].concat());
    }
}
