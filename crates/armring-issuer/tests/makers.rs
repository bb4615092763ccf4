//! Enrolment with the word of the band's maker, against every ledger.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_channel::Opened;
use armring_issuer::*;
use armring_wire::records::ATTESTATION_MAX;
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::*;
use common::*;
use ed25519_dalek::SigningKey;

against_every_ledger!(
    an_attested_key_is_active_at_once_where_the_policy_says_so,
    by_default_an_attested_key_waits_for_its_digits_too,
    a_word_that_does_not_verify_is_refused_and_the_code_stays_good,
    a_word_for_another_handshake_or_key_is_refused,
    without_makers_every_word_is_refused,
    a_key_that_is_attested_later_needs_no_digits,
    a_maker_s_word_does_not_bring_back_what_is_refused_for_good,
);

fn maker(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[0xA0 + number; 32])
}

/// An issuer who listens to makers 0 and 1, and a band of maker 1's.
fn attested<L: Ledger>(w: &mut World<L>, active_when_attested: bool) -> (AccountPseudonym, Enrolling) {
    w.issuer.set_makers(SigningMakers(vec![maker(0).verifying_key(), maker(1).verifying_key()]));
    w.issuer.set_policy(Policy { active_when_attested, ..generous() });
    let account = w.account(1_000);
    let code = w.issuer.issue_code(account, NOW, &mut w.rng).unwrap();
    let mut band = Enrolling::new(w, code);
    band.maker = Some(maker(1));
    (account, band)
}

fn record<L: Ledger>(w: &World<L>, credential: CredentialId) -> CredentialRecord {
    w.issuer.ledger().credential(credential).unwrap().unwrap()
}

fn an_attested_key_is_active_at_once_where_the_policy_says_so<L: Ledger>(mut w: World<L>) {
    let (account, mut enrolling) = attested(&mut w, true);
    let (credential, _) = enrolling.request(&mut w, NOW).unwrap();
    assert_eq!(record(&w, credential.id).maker(), Some(MakerId(1)));
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), []);
    let (shop, signing) = (w.shop(), enrolling.signing);
    let mut band = Band { account, credential, signing, counter: 0, cumulative: 0 };
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
}

fn by_default_an_attested_key_waits_for_its_digits_too<L: Ledger>(mut w: World<L>) {
    assert!(!Policy::default().active_when_attested);
    let (_, mut band) = attested(&mut w, false);
    let (credential, digits) = band.request(&mut w, NOW).unwrap();
    let record = record(&w, credential.id);
    assert_eq!((record.state(), record.maker()), (CredentialState::Inactive, Some(MakerId(1))));
    w.issuer.confirm(credential.id, digits.number(), NOW).unwrap();
    assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Active);
}

fn a_word_that_does_not_verify_is_refused_and_the_code_stays_good<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = attested(&mut w, true);
    band.maker = Some(maker(9));
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Proof));
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), [], "it is not taken for a request without one");
    band.maker = Some(maker(0));
    band.spoil_proof = true;
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Proof), "a maker's word is no proof of possession");
    band.spoil_proof = false;
    assert!(band.request(&mut w, NOW).is_ok());
}

fn a_word_for_another_handshake_or_key_is_refused<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = attested(&mut w, true);
    let (_, other) = attested(&mut w, true);
    let elsewhere = *band.channel(&mut w, NOW).binding();
    let mut channel = band.channel(&mut w, NOW);
    let here = *channel.binding();
    let (payment_key, assurance) = (band.payment_key(), band.assurance);
    let enrolment = armring_token::Enrolment { handshake: here.as_bytes(), code: band.code, payment_key, assurance };
    let proof = enrolment.prove(&w.root, &band.signing).unwrap();
    let words = [word_of(&maker(1), &elsewhere, &payment_key), word_of(&maker(1), &here, &other.payment_key()), Vec::new()];
    for word in words.into_iter().chain([vec![7; ATTESTATION_MAX]]) {
        let request = EnrolToIssuer::Attested {
            code: band.code,
            payment_key: *payment_key.as_bytes(),
            assurance,
            proof: Opaque::new(&proof).unwrap(),
            attestation: Opaque::new(&word).unwrap(),
        };
        let mut answer = band.say(&mut w, &mut channel, &request, NOW).unwrap();
        let Opened::Record(record) = channel.open(&mut answer).unwrap() else { panic!("closed") };
        assert_eq!(decode_record(record), Ok(EnrolToBand::Refused(EnrolRefusal::Proof)));
    }
}

fn without_makers_every_word_is_refused<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = attested(&mut w, true);
    w.issuer.set_makers(NoMakers);
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Proof));
}

fn a_key_that_is_attested_later_needs_no_digits<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = attested(&mut w, true);
    let word = band.maker.take();
    let (first, _) = band.request(&mut w, NOW).unwrap();
    assert_eq!(w.issuer.state(first.id).unwrap(), CredentialState::Inactive);
    band.maker = word;
    assert_eq!(band.request(&mut w, NOW).unwrap().0, first);
    assert_eq!((record(&w, first.id).state(), record(&w, first.id).maker()), (CredentialState::Active, Some(MakerId(1))));
    band.maker = None;
    assert!(band.request(&mut w, NOW).is_ok());
    assert_eq!(record(&w, first.id).state(), CredentialState::Active, "nor does it wait for them again");
}

fn a_maker_s_word_does_not_bring_back_what_is_refused_for_good<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = attested(&mut w, true);
    let (credential, _) = band.request(&mut w, NOW).unwrap();
    w.issuer.freeze(credential.id, NOW).unwrap();
    assert!(band.request(&mut w, NOW).is_ok());
    assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Frozen, "nor what is frozen");
    w.issuer.revoke(credential.id, NOW).unwrap();
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Code));
    assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Revoked);
}
