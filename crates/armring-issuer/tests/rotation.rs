//! Keys that are rotated while payments and enrolments go on, against every ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_pairing::{Enrol, EnrolVersions, PublicKey};
use armring_token::{Credential, KeyEntry, PayeeCertificate, Receipt, RefundReceipt, RevocationList, Unverified, VerifyError};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::*;
use common::*;

against_every_ledger!(
    what_the_older_key_signed_verifies_for_as_long_as_it_is_listed,
    everything_new_is_signed_by_the_newer_key,
    answers_are_those_that_were_given_before,
    a_key_that_is_no_longer_listed_verifies_nothing,
    a_key_list_of_a_lower_epoch_changes_nothing,
    an_enrolment_that_has_begun_goes_on_after_a_rotation,
    an_enrolment_with_the_older_key_is_refused_and_one_with_the_newer_succeeds,
);

/// A newer signing key 17 and enrolment key 18, beside the older ones.
fn rotate<L: Ledger>(w: &mut World<L>) {
    let older: Vec<KeyEntry> = w.list.keys.iter().copied().collect();
    let (keys, _) = keys_beside(&mut w.rng, 4, KeyId(17), &older);
    w.rotate(keys, NOW);
}

fn what_the_older_key_signed_verifies_for_as_long_as_it_is_listed<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 10);
    let token = band.token(&w, &request);
    let answer = w.settle(&request, &token, NOW);
    rotate(&mut w);
    let certificate = w.issuer.ledger().payee(shop.id).unwrap().unwrap();
    let credential = w.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
    let old = w.list.signing_key(KeyId(7), NOW).unwrap();
    assert!(Unverified::<PayeeCertificate<'_>>::parse(certificate.certificate()).unwrap().verify(&w.root, &old).is_ok());
    assert!(Unverified::<Credential>::parse(credential.object()).unwrap().verify(&w.root, &old).is_ok());
    assert!(Unverified::<Receipt>::parse(&answer.receipt).unwrap().verify(&w.root, &old).is_ok());
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled, "an older credential pays an older payee");
}

fn everything_new_is_signed_by_the_newer_key<L: Ledger>(mut w: World<L>) {
    rotate(&mut w);
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 10);
    let token = band.token(&w, &request);
    let answer = w.settle(&request, &token, NOW);
    let refund = shop.refund(&mut w, answer.token, 10);
    let (refunded, _) = w.refund(&refund, NOW);
    let list = w.revocations_part(0, 0, NOW).unwrap();
    let payee = w.issuer.ledger().payee(shop.id).unwrap().unwrap();
    let keys = [
        band.credential.key,
        Unverified::<PayeeCertificate<'_>>::parse(payee.certificate()).unwrap().claims().key,
        Unverified::<Receipt>::parse(&answer.receipt).unwrap().claims().key,
        Unverified::<RefundReceipt>::parse(&refunded.receipt).unwrap().claims().key,
        Unverified::<RevocationList<'_>>::parse(&list).unwrap().claims().key,
    ];
    assert_eq!(keys, [KeyId(17); 5]);
}

fn answers_are_those_that_were_given_before<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    let request = shop.request(&mut w, 10);
    let token = band.token(&w, &request);
    let answer = w.settle(&request, &token, NOW);
    let refund = shop.refund(&mut w, answer.token, 10);
    let (refunded, _) = w.refund(&refund, NOW);
    rotate(&mut w);
    assert_eq!(w.settle(&request, &token, NOW).receipt, answer.receipt);
    assert_eq!(w.refund(&refund, NOW).0.receipt, refunded.receipt);
}

fn a_key_that_is_no_longer_listed_verifies_nothing<L: Ledger>(mut w: World<L>) {
    rotate(&mut w);
    let newest: Vec<KeyEntry> = w.list.keys.iter().copied().filter(|entry| entry.id.0 > 8).collect();
    let (keys, _) = keys_beside(&mut w.rng, 5, KeyId(27), &newest);
    w.rotate(keys, NOW);
    assert_eq!(w.list.signing_key(KeyId(7), NOW), Err(VerifyError::Key));
    assert!(w.list.signing_key(KeyId(17), NOW).is_ok());
}

fn a_key_list_of_a_lower_epoch_changes_nothing<L: Ledger>(mut w: World<L>) {
    rotate(&mut w);
    let list = w.issuer.key_list().to_vec();
    let (keys, _) = keys(&mut w.rng, 3);
    let refused = w.issuer.set_keys(keys, NOW);
    assert!(matches!(refused, Err(Error::Caller(CallerError::KeyList(VerifyError::OldEpoch)))));
    assert_eq!(w.issuer.key_list(), list);
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
}

fn an_enrolment_that_has_begun_goes_on_after_a_rotation<L: Ledger>(mut w: World<L>) {
    let account = w.account(0);
    let code = w.issuer.issue_code(account, NOW, &mut w.rng).unwrap();
    let mut band = Enrolling::new(&mut w, code);
    let mut channel = band.channel(&mut w, NOW);
    rotate(&mut w);
    let (credential, digits) = band.request_over(&mut w, &mut channel, NOW).unwrap();
    assert_eq!(credential.key, KeyId(17), "whoever has the older list alone asks for the newer one");
    w.issuer.confirm(credential.id, digits.number(), NOW).unwrap();
}

fn an_enrolment_with_the_older_key_is_refused_and_one_with_the_newer_succeeds<L: Ledger>(mut w: World<L>) {
    let account = w.account(0);
    let code = w.issuer.issue_code(account, NOW, &mut w.rng).unwrap();
    let mut band = Enrolling::new(&mut w, code);
    let older = PublicKey::new(w.list.enrolment_key(NOW).unwrap());
    let versions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: w.list.versions };
    let (_, first) = <Enrol>::start(&band.identity, &older, versions, &mut w.rng).unwrap();
    rotate(&mut w);
    assert_eq!(band.begin(&mut w, &first, NOW), Err(Refusal::Handshake));
    assert_eq!(band.relay_raw(&mut w, &[7; 48]), Err(Refusal::Handshake), "nothing has begun");
    let same = w.handle(&mut Session::new(), &ToIssuer::KeyList, NOW, |answer| matches!(answer, FromIssuer::KeyList(_)));
    assert!(same && band.request(&mut w, NOW).is_ok(), "the code is still good");
}
