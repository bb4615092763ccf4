//! The one way in: whatever comes is answered, and what fails is told to the operator too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_pairing::{DiffieHellman, SoftwareKey};
use armring_token::{
    Credential, Object, PayeeCertificate, Receipt, RefundReceipt, RevocationList, Signing, Unverified, VerifyError,
};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::*;
use common::*;
use ed25519_dalek::SigningKey as PortableKey;
use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

fn answer(w: &mut World<MemoryLedger>, record: &[u8], now: UnixTime) -> (Vec<u8>, Option<MachineError>) {
    let mut out = [0; REPLY_MAX];
    let reply = w.issuer.handle(&mut Session::new(), record, now, &mut w.rng, &mut out).unwrap();
    (reply.record.to_vec(), reply.failure)
}

#[test]
fn every_record_is_answered() {
    let mut w = World::new(MemoryLedger::new());
    let cases: [(&[u8], FromIssuer<'_>); 9] = [
        (&[], FromIssuer::Refused(Refusal::Malformed)),
        (&[0, 0], FromIssuer::Refused(Refusal::Malformed)),
        (&[3, 5], FromIssuer::Refused(Refusal::Malformed)),
        (&[1, 0], FromIssuer::Refused(Refusal::Handshake)),
        (&[2, 0, 0], FromIssuer::Refused(Refusal::Malformed)),
        (&[4, 1, 1, 0], FromIssuer::Refused(Refusal::Handshake)),
        (&[6, 0], FromIssuer::Refused(Refusal::Malformed)),
        (&[7], FromIssuer::Unknown(7)),
        (&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1], FromIssuer::Unknown(u32::MAX)),
    ];
    for (record, expected) in cases {
        let (answer, failure) = answer(&mut w, record, NOW);
        assert_eq!(decode_record::<FromIssuer<'_>>(&answer).unwrap(), expected, "{record:?}");
        assert!(failure.is_none());
    }
}

#[test]
fn a_failure_is_answered_as_busy_and_told_to_the_operator() {
    let mut w = World::new(MemoryLedger::new());
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 10);
    let token = band.token(&w, &request);
    let record = ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: Opaque::new(&token).unwrap() };
    let mut buffer = [0; ToIssuer::MAX_LEN];
    let record = encode(&record, &mut buffer).unwrap();

    w.signatures_left.set(Some(0));
    let (said, failure) = answer(&mut w, record, NOW);
    assert_eq!(decode_record(&said), Ok(FromIssuer::Refused(Refusal::Busy)));
    assert!(matches!(failure, Some(MachineError::Signer(_))));

    w.signatures_left.set(None);
    let (said, failure) = answer(&mut w, record, ALWAYS.until);
    assert_eq!(decode_record(&said), Ok(FromIssuer::Refused(Refusal::Busy)));
    assert!(matches!(failure, Some(MachineError::SigningKeyNotValid)), "it signs nothing that nobody would accept");

    let (said, failure) = answer(&mut w, record, NOW);
    assert!(matches!(decode_record(&said), Ok(FromIssuer::Receipt(_))) && failure.is_none());
}

#[test]
fn a_short_buffer_is_refused_before_anything_is_done() {
    let mut w = World::new(MemoryLedger::new());
    let mut out = [0; REPLY_MAX - 1];
    assert_eq!(w.issuer.handle(&mut Session::new(), &[0], NOW, &mut w.rng, &mut out).unwrap_err(), BufferTooSmall);
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> CallerError {
    match result {
        Err(Error::Caller(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_issuer_does_not_start_with_keys_that_nobody_would_accept() {
    let mut w = World::new(MemoryLedger::new());
    let new = |keys, now| refused(Issuer::new(keys, generous(), MemoryLedger::new(), now));
    let mut fresh = || keys(&mut w.rng, 3).0;

    let other = fresh();
    assert_eq!(new(Keys { signing: other.signing, ..fresh() }, NOW), CallerError::KeyNotListed);
    let other = fresh();
    assert_eq!(new(Keys { enrolment: other.enrolment, ..fresh() }, NOW), CallerError::KeyNotListed);
    assert_eq!(new(Keys { signing_id: KeyId(8), ..fresh() }, NOW), CallerError::KeyList(VerifyError::Key));
    assert_eq!(new(fresh(), ALWAYS.until), CallerError::KeyList(VerifyError::Key));
    let mut spoiled = fresh();
    spoiled.key_list[0] ^= 1;
    assert_eq!(new(spoiled, NOW), CallerError::KeyList(VerifyError::Signature));
    assert_eq!(new(Keys { key_list: Vec::new(), ..fresh() }, NOW), CallerError::KeyList(VerifyError::Malformed));
}

type Portable = Signing<armring_token::Issuer, PortableKey>;

/// Whether an object is what portable Rust makes of the same claims.
fn is_portable<'a, T: Object<'a, By = armring_token::Issuer>>(
    w: &World<MemoryLedger>,
    signing: &Portable,
    object: &'a [u8],
) -> bool {
    let claims = Unverified::<T>::parse(object).unwrap();
    claims.claims().sign(&w.root, signing, &mut vec![0; T::MAX_LEN]).unwrap() == object
}

/// With AWS-LC too, which is the default. Bands in these tests are portable Rust: that they enrol says that the sealed bytes are the same.
#[test]
fn what_the_issuer_signs_is_byte_for_byte_what_portable_rust_signs() {
    let mut w = World::new(MemoryLedger::new());
    // The world draws its keys in this order.
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (signing, enrolment) = (PortableKey::from_bytes(&random(&mut rng)), SoftwareKey::new(random(&mut rng)));
    assert_eq!(w.list.enrolment_key(NOW).unwrap(), *enrolment.public_key().as_bytes());
    assert_eq!(w.list.signing_key(KeyId(7), NOW).unwrap().as_bytes(), signing.verifying_key().as_bytes());
    let signing = Portable::new(signing);

    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 10);
    let token = band.token(&w, &request);
    let answer = w.settle(&request, &token, NOW);
    let refund = shop.refund(&mut w, answer.token, 10);
    let (refunded, _) = w.refund(&refund, NOW);
    let revoked = w.revocations_part(0, 0, NOW).unwrap();
    let payee = w.issuer.ledger().payee(shop.id).unwrap().unwrap();
    let credential = w.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
    assert!(is_portable::<Receipt>(&w, &signing, &answer.receipt));
    assert!(is_portable::<RefundReceipt>(&w, &signing, &refunded.receipt));
    assert!(is_portable::<RevocationList<'_>>(&w, &signing, &revoked));
    assert!(is_portable::<PayeeCertificate<'_>>(&w, &signing, payee.certificate()));
    assert!(is_portable::<Credential>(&w, &signing, credential.object()));
}

#[test]
fn an_older_key_list_does_not_replace_a_newer_one() {
    let mut w = World::new(MemoryLedger::new());
    let mut set = |epoch| {
        let (keys, _) = keys(&mut w.rng, epoch);
        w.issuer.set_keys(keys, NOW)
    };
    assert_eq!(refused(set(2)), CallerError::KeyList(VerifyError::OldEpoch));
    assert!(set(3).is_ok() && set(9).is_ok());
    assert_eq!(refused(set(8)), CallerError::KeyList(VerifyError::OldEpoch));
}

#[test]
fn debug_shows_no_key() {
    let w = World::new(MemoryLedger::new());
    let shown = format!("{:?}", w.issuer);
    assert!(shown.contains("Keys { root: PublicKey(") && shown.contains("signing_id: KeyId(7), .. }"), "{shown}");
}

#[test]
fn payees_are_certified_with_a_name_and_an_account() {
    let mut w = World::new(MemoryLedger::new());
    let account = w.account(0);
    let key = armring_token::PayeeKey::from_bytes(*w.band(0).credential.payment_key().unwrap().as_payee().as_bytes()).unwrap();
    let applicant = Applicant { name: "Tea", key, account, validity: ALWAYS };
    let mut certify = |applicant| w.issuer.certify_payee(&applicant, NOW, &mut w.rng);
    assert_eq!(refused(certify(Applicant { name: "two\nlines", ..applicant })), CallerError::Name);
    assert_eq!(refused(certify(Applicant { account: AccountPseudonym([9; 8]), ..applicant })), CallerError::UnknownAccount);
    assert_eq!(refused(certify(Applicant { account: float_account(Currency::CNY), ..applicant })), CallerError::UnknownAccount);
    assert!(certify(applicant).unwrap().certificate().len() < 152);
}

proptest! {
    #[test]
    fn garbage_is_answered_and_changes_nothing(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..6), variant in 0u8..9) {
        let mut w = World::new(MemoryLedger::new());
        let mut session = Session::new();
        let mut out = [0; REPLY_MAX];
        for mut record in records {
            if let Some(first) = record.first_mut() {
                *first = variant;
            }
            let reply = w.issuer.handle(&mut session, &record, NOW, &mut w.rng, &mut out).unwrap();
            prop_assert!(decode_record::<FromIssuer<'_>>(reply.record).is_ok());
            prop_assert!(reply.failure.is_none());
        }
    }
}
