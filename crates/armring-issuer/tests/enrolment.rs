//! Enrolment end to end, against every ledger: what gives a credential, and each way in which one does not get one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_channel::Opened;
use armring_issuer::*;
use armring_pairing::{Enrol, EnrolVersions};
use armring_token::{CredentialRights, Signing};
use armring_wire::records::Assurance;
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::*;
use common::*;
use ed25519_dalek::SigningKey;

against_every_ledger!(
    band_and_issuer_show_the_same_digits_and_confirming_activates,
    the_credential_says_what_the_policy_allows,
    the_same_code_and_key_give_the_same_credential,
    a_used_code_gives_another_key_nothing,
    a_code_is_good_for_ten_minutes,
    an_unknown_code_gives_nothing,
    a_code_of_a_blocked_account_gives_nothing,
    a_payment_key_is_enrolled_once,
    an_unverified_link_gets_no_credential,
    a_proof_that_does_not_verify_gives_nothing,
    a_proof_for_another_handshake_gives_nothing,
    three_wrong_tries_cancel_for_good,
    what_was_confirmed_is_not_confirmed_again,
    a_tampered_message_ends_the_handshake_or_changes_nothing,
    a_second_handshake_begins_anew,
    a_version_range_that_the_wallet_changed_ends_the_handshake,
    a_newer_band_speaks_version_1_and_one_without_it_is_refused,
    a_first_message_among_the_sealed_ones_begins_nothing,
    a_band_that_closes_is_answered,
    a_record_of_a_newer_band_is_answered,
    a_ledger_or_signer_that_fails_is_busy_and_a_retry_succeeds,
);

fn caller<T: std::fmt::Debug>(result: Result<T, Error>) -> CallerError {
    match result {
        Err(Error::Caller(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn begin<L: Ledger>(w: &mut World<L>) -> (AccountPseudonym, Enrolling) {
    let account = w.account(0);
    let code = w.issuer.issue_code(account, NOW, &mut w.rng).unwrap();
    (account, Enrolling::new(w, code))
}

fn band_and_issuer_show_the_same_digits_and_confirming_activates<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    let (credential, digits) = band.request(&mut w, NOW).unwrap();
    let pending = w.issuer.pending_confirmations(account).unwrap();
    assert_eq!(pending, [Pending { credential: credential.id, digits, enrolled: NOW }]);
    assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Inactive);
    w.issuer.confirm(credential.id, digits.number(), NOW).unwrap();
    assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Active);
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), []);
}

fn the_credential_says_what_the_policy_allows<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    let (credential, _) = band.request(&mut w, NOW).unwrap();
    assert_eq!(credential.payment_key().unwrap(), band.payment_key());
    assert_eq!((credential.account, credential.currency), (account, Currency::CNY));
    assert_eq!((credential.assurance, Some(credential.limits)), (Assurance::ComparedCode, generous().compared_code));
    assert_eq!(credential.rights, CredentialRights::PAY.and(CredentialRights::RECEIVE));
    let until = NOW.checked_add(generous().credential_validity).unwrap();
    assert_eq!(credential.validity, Validity { from: NOW, until });
}

fn the_same_code_and_key_give_the_same_credential<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    let (first, _) = band.request(&mut w, NOW).unwrap();
    let (second, digits) = band.request(&mut w, later(60)).unwrap();
    assert_eq!(first, second);
    let pending = w.issuer.pending_confirmations(account).unwrap();
    assert_eq!((pending.len(), pending[0].digits), (1, digits), "the digits are those of the last handshake");
    w.issuer.confirm(first.id, digits.number(), NOW).unwrap();
    assert_eq!(band.request(&mut w, later(61)).unwrap().0, first);
    assert_eq!(w.issuer.state(first.id).unwrap(), CredentialState::Active);
}

fn a_used_code_gives_another_key_nothing<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    let (credential, digits) = band.request(&mut w, NOW).unwrap();
    band.signing = Signing::new(SigningKey::from_bytes(&[9; 32]));
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Code));
    let pending = w.issuer.pending_confirmations(account).unwrap();
    assert_eq!((pending.len(), pending[0].credential, pending[0].digits), (1, credential.id, digits));
}

fn a_code_is_good_for_ten_minutes<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    assert_eq!(band.request(&mut w, later(600)), Err(EnrolRefusal::Code));
    assert!(band.request(&mut w, later(599)).is_ok());
    assert_eq!(band.request(&mut w, later(600)), Err(EnrolRefusal::Code), "for the same key too");
}

fn an_unknown_code_gives_nothing<L: Ledger>(mut w: World<L>) {
    let mut band = Enrolling::new(&mut w, EnrolmentCode([9; 16]));
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Code));
    assert_eq!(caller(w.issuer.issue_code(AccountPseudonym([9; 8]), NOW, &mut w.rng)), CallerError::UnknownAccount);
    let float = float_account(Currency::CNY);
    assert_eq!(caller(w.issuer.issue_code(float, NOW, &mut w.rng)), CallerError::UnknownAccount);
}

fn a_code_of_a_blocked_account_gives_nothing<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    w.issuer.set_account_state(account, AccountState::Blocked).unwrap();
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Code));
}

fn a_payment_key_is_enrolled_once<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    band.request(&mut w, NOW).unwrap();
    band.code = w.issuer.issue_code(account, NOW, &mut w.rng).unwrap();
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Code));
}

fn an_unverified_link_gets_no_credential<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    band.assurance = Assurance::Press;
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Assurance));
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), []);
    band.assurance = Assurance::PrintedSecret;
    assert!(band.request(&mut w, NOW).is_ok(), "the code is still good");
}

fn a_proof_that_does_not_verify_gives_nothing<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    band.spoil_proof = true;
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Proof));
}

/// Unknown key share, and malware that has seen a proof: it is over this handshake and no other.
fn a_proof_for_another_handshake_gives_nothing<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    let other = *band.channel(&mut w, NOW).binding();
    let enrolment = armring_token::Enrolment {
        handshake: other.as_bytes(),
        code: band.code,
        payment_key: band.payment_key(),
        assurance: band.assurance,
    };
    let proof = enrolment.prove(&w.root, &band.signing).unwrap();
    let request = EnrolToIssuer::Request {
        code: band.code,
        payment_key: *band.payment_key().as_bytes(),
        assurance: band.assurance,
        proof: Opaque::new(&proof).unwrap(),
    };
    let mut channel = band.channel(&mut w, NOW);
    let mut answer = band.say(&mut w, &mut channel, &request, NOW).unwrap();
    let Opened::Record(record) = channel.open(&mut answer).unwrap() else { panic!("closed") };
    assert_eq!(decode_record(record), Ok(EnrolToBand::Refused(EnrolRefusal::Proof)));
}

fn three_wrong_tries_cancel_for_good<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    let (credential, digits) = band.request(&mut w, NOW).unwrap();
    let wrong = (digits.number() + 1) % 1_000_000;
    for expected in [CallerError::WrongDigits { left: 2 }, CallerError::WrongDigits { left: 1 }, CallerError::Cancelled] {
        assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Inactive);
        assert_eq!(caller(w.issuer.confirm(credential.id, wrong, NOW)), expected);
    }
    assert_eq!(w.issuer.state(credential.id).unwrap(), CredentialState::Cancelled);
    assert_eq!(caller(w.issuer.confirm(credential.id, digits.number(), NOW)), CallerError::Cancelled);
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Code), "nor does enrolling again bring it back");
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), []);
}

fn what_was_confirmed_is_not_confirmed_again<L: Ledger>(mut w: World<L>) {
    let band = w.band(0);
    assert_eq!(caller(w.issuer.confirm(band.credential.id, 0, NOW)), CallerError::NotPending);
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    assert_eq!(caller(w.issuer.confirm(band.credential.id, 0, NOW)), CallerError::NotPending);
    assert_eq!(caller(w.issuer.confirm(CredentialId([9; 8]), 0, NOW)), CallerError::UnknownCredential);
    assert_eq!(caller(w.issuer.freeze(CredentialId([9; 8]), NOW)), CallerError::UnknownCredential);
}

fn a_tampered_message_ends_the_handshake_or_changes_nothing<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    for length in [0, 95, 96, 97, 336] {
        assert_eq!(band.begin(&mut w, &vec![7; length], NOW), Err(Refusal::Handshake));
    }
    assert_eq!(band.relay_raw(&mut w, &[7; 48]), Err(Refusal::Handshake), "nothing has begun");
    let mut channel = band.channel(&mut w, NOW);
    for length in [0, 1, 47, 48, 80, 336] {
        assert_eq!(band.relay_raw(&mut w, &vec![7; length]), Err(Refusal::Handshake));
    }
    let answer = band.say(&mut w, &mut channel, &EnrolToIssuer::Unknown(1), NOW);
    assert_eq!(answer, Err(Refusal::Malformed), "the channel still opens what the band really says");
    for _ in 0..9 {
        assert_eq!(band.relay_raw(&mut w, &[7; 48]), Err(Refusal::Handshake));
    }
    let answer = band.say(&mut w, &mut channel, &EnrolToIssuer::Unknown(1), NOW);
    assert_eq!(answer, Err(Refusal::Handshake), "too many in a row cut it");
}

fn a_second_handshake_begins_anew<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    let mut old = band.channel(&mut w, NOW);
    assert!(band.request(&mut w, NOW).is_ok());
    assert_eq!(band.say(&mut w, &mut old, &EnrolToIssuer::Unknown(1), NOW), Err(Refusal::Handshake));
}

fn a_version_range_that_the_wallet_changed_ends_the_handshake<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    let range = |lowest, highest| VersionRange { lowest: Version(lowest), highest: Version(highest) };
    for versions in [[range(1, 1), range(1, 2)], [range(1, 2), range(1, 1)], [range(1, 9), range(0, 9)]] {
        band.versions = versions;
        assert_eq!(band.try_channel(&mut w, NOW).unwrap_err(), Refusal::Handshake, "{versions:?}");
    }
}

fn a_newer_band_speaks_version_1_and_one_without_it_is_refused<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    band.versions = [VersionRange { lowest: Version(1), highest: Version(9) }; 2];
    assert!(band.request(&mut w, NOW).is_ok());
    for (lowest, highest) in [(2, 9), (0, 0), (2, 1)] {
        band.versions[1] = VersionRange { lowest: Version(lowest), highest: Version(highest) };
        assert_eq!(band.try_channel(&mut w, NOW).unwrap_err(), Refusal::Handshake, "{lowest}..={highest}");
    }
}

/// Its range would not be in the prologue.
fn a_first_message_among_the_sealed_ones_begins_nothing<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    let issuer = armring_pairing::PublicKey::new(w.list.enrolment_key(NOW).unwrap());
    let versions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: w.list.versions };
    let (_, first) = <Enrol>::start(&band.identity, &issuer, versions, &mut w.rng).unwrap();
    assert_eq!(band.relay_raw(&mut w, &first), Err(Refusal::Handshake));
    assert!(band.begin(&mut w, &first, NOW).is_ok());
}

fn a_band_that_closes_is_answered<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    let mut channel = band.channel(&mut w, NOW);
    let close = channel.close(&mut [0; 48]).unwrap().to_vec();
    let mut answer = band.relay_raw(&mut w, &close).unwrap();
    assert_eq!(channel.open(&mut answer), Ok(Opened::Close));
    assert_eq!(band.relay_raw(&mut w, &close), Err(Refusal::Handshake));
}

fn a_record_of_a_newer_band_is_answered<L: Ledger>(mut w: World<L>) {
    let (_, mut band) = begin(&mut w);
    let mut channel = band.channel(&mut w, NOW);
    let mut buffer = [0; 48];
    buffer[0] = 77;
    let sealed = channel.seal(&mut buffer, 1).unwrap().to_vec();
    let mut answer = band.relay_raw(&mut w, &sealed).unwrap();
    let Opened::Record(record) = channel.open(&mut answer).unwrap() else { panic!("closed") };
    assert_eq!(decode_record(record), Ok(EnrolToBand::Unknown(77)));
}

fn a_ledger_or_signer_that_fails_is_busy_and_a_retry_succeeds<L: Ledger>(mut w: World<L>) {
    let (account, mut band) = begin(&mut w);
    w.signatures_left.set(Some(0));
    assert_eq!(band.request(&mut w, NOW), Err(EnrolRefusal::Busy));
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), []);
    w.signatures_left.set(None);
    assert!(band.request(&mut w, NOW).is_ok());
    let list = w.issuer.key_list().to_vec();
    let same = w.handle(&mut Session::new(), &ToIssuer::KeyList, NOW, |answer| match answer {
        FromIssuer::KeyList(answered) => answered.as_bytes() == list,
        _ => false,
    });
    assert!(same);
}
