//! What the operator makes of credentials, against every ledger: frozen for a while, revoked for good, replaced.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_wire::records::enrol::EnrolRefusal;
use armring_wire::*;
use common::*;

against_every_ledger!(
    an_unfrozen_credential_pays_again,
    unfreezing_activates_nothing_that_was_not_confirmed,
    what_is_refused_for_good_stays_so,
    a_cloned_credential_is_not_unfrozen,
    a_revoked_payee_is_not_paid_until_it_is_restored,
    a_lost_band_is_replaced_and_the_account_stays,
    a_code_for_another_band_comes_with_the_revocation_or_not_at_all,
    who_is_not_known_is_told,
);

fn caller<T: std::fmt::Debug>(result: Result<T, Error>) -> CallerError {
    match result {
        Err(Error::Caller(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn an_unfrozen_credential_pays_again<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    w.issuer.unfreeze(band.credential.id, NOW).unwrap();
    for _ in 0..2 {
        w.issuer.freeze(band.credential.id, NOW).unwrap();
    }
    assert_eq!(w.issuer.state(band.credential.id).unwrap(), CredentialState::Frozen);
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Frozen);
    for _ in 0..2 {
        w.issuer.unfreeze(band.credential.id, NOW).unwrap();
    }
    assert_eq!(w.issuer.state(band.credential.id).unwrap(), CredentialState::Active);
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
}

fn unfreezing_activates_nothing_that_was_not_confirmed<L: Ledger>(mut w: World<L>) {
    let (shop, account) = (w.shop(), w.account(1_000));
    let mut band = w.inactive_band_of(account);
    let pending = w.issuer.pending_confirmations(account).unwrap();
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), []);
    assert_eq!(caller(w.issuer.confirm(band.credential.id, pending[0].digits.number(), NOW)), CallerError::NotPending);
    w.issuer.unfreeze(band.credential.id, NOW).unwrap();
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Inactive);
    assert_eq!(w.issuer.pending_confirmations(account).unwrap(), pending);
    w.issuer.confirm(band.credential.id, pending[0].digits.number(), NOW).unwrap();
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
}

fn what_is_refused_for_good_stays_so<L: Ledger>(mut w: World<L>) {
    let account = w.account(0);
    let [revoked, cancelled] = [w.inactive_band_of(account), w.inactive_band_of(account)].map(|band| band.credential.id);
    w.issuer.revoke(revoked, NOW).unwrap();
    let digits = w.issuer.pending_confirmations(account).unwrap()[0].digits.number();
    for _ in 0..TRIES {
        caller(w.issuer.confirm(cancelled, (digits + 1) % 1_000_000, NOW));
    }
    for (credential, state) in [(revoked, CredentialState::Revoked), (cancelled, CredentialState::Cancelled)] {
        assert!(state.is_final() && state.is_listed());
        w.issuer.freeze(credential, NOW).unwrap();
        assert_eq!(caller(w.issuer.unfreeze(credential, NOW)), CallerError::Final);
        w.issuer.revoke(credential, NOW).unwrap();
        assert_eq!(w.issuer.state(credential).unwrap(), state);
    }
    assert_eq!(caller(w.issuer.confirm(revoked, digits, NOW)), CallerError::NotPending);
}

fn a_cloned_credential_is_not_unfrozen<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    band.counter = 0;
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Cloned);
    assert_eq!(caller(w.issuer.unfreeze(band.credential.id, NOW)), CallerError::Final);
    w.issuer.revoke(band.credential.id, NOW).unwrap();
    assert_eq!(w.issuer.state(band.credential.id).unwrap(), CredentialState::Cloned);
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Frozen);
}

fn a_revoked_payee_is_not_paid_until_it_is_restored<L: Ledger>(mut w: World<L>) {
    let (shop, mut band) = (w.shop(), w.band(1_000));
    w.issuer.revoke_payee(shop.id, NOW).unwrap();
    assert!(w.issuer.ledger().payee(shop.id).unwrap().unwrap().is_revoked());
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::NotAllowed);
    w.issuer.restore_payee(shop.id, NOW).unwrap();
    assert_eq!(w.pay(&mut band, &shop, 10), Outcome::Settled);
}

fn a_lost_band_is_replaced_and_the_account_stays<L: Ledger>(mut w: World<L>) {
    let (shop, mut lost) = (w.shop(), w.band(1_000));
    assert_eq!(w.pay(&mut lost, &shop, 300), Outcome::Settled);
    let statement = w.statement(lost.account);
    let code = w.issuer.replace_band(lost.credential.id, NOW, &mut w.rng).unwrap();
    assert_eq!(w.issuer.state(lost.credential.id).unwrap(), CredentialState::Revoked);
    assert_eq!(w.pay(&mut lost, &shop, 10), Outcome::Frozen);

    let mut enrolling = Enrolling::new(&mut w, code);
    let (credential, digits) = enrolling.request(&mut w, NOW).unwrap();
    assert_eq!(credential.account, lost.account);
    w.issuer.confirm(credential.id, digits.number(), NOW).unwrap();
    assert_eq!(w.statement(lost.account), statement);
    let mut band = Band { account: lost.account, credential, signing: enrolling.signing, counter: 0, cumulative: 0 };
    assert_eq!(w.pay(&mut band, &shop, 700), Outcome::Presence);
    assert_eq!(w.pay(&mut band, &shop, 400), Outcome::Settled);
    assert_eq!(w.balance(band.account), 300);
}

fn a_code_for_another_band_comes_with_the_revocation_or_not_at_all<L: Ledger>(mut w: World<L>) {
    let band = w.band(0);
    let end = UnixTime::from_secs(u32::MAX);
    assert_eq!(caller(w.issuer.replace_band(band.credential.id, end, &mut w.rng)), CallerError::Time);
    assert_eq!(w.issuer.state(band.credential.id).unwrap(), CredentialState::Active);
    let old = w.issuer.replace_band(band.credential.id, NOW, &mut w.rng).unwrap();
    let code = w.issuer.replace_band(band.credential.id, NOW, &mut w.rng).unwrap();
    assert_ne!(old, code, "a code that was lost is given anew");
    w.issuer.set_account_state(band.account, AccountState::Blocked).unwrap();
    let mut enrolling = Enrolling::new(&mut w, code);
    assert_eq!(enrolling.request(&mut w, NOW), Err(EnrolRefusal::Code), "but not for a blocked account");
}

fn who_is_not_known_is_told<L: Ledger>(mut w: World<L>) {
    let nobody = CredentialId([9; 8]);
    assert_eq!(caller(w.issuer.unfreeze(nobody, NOW)), CallerError::UnknownCredential);
    assert_eq!(caller(w.issuer.revoke(nobody, NOW)), CallerError::UnknownCredential);
    assert_eq!(caller(w.issuer.replace_band(nobody, NOW, &mut w.rng)), CallerError::UnknownCredential);
    assert_eq!(caller(w.issuer.revoke_payee(PayeeId([9; 8]), NOW)), CallerError::UnknownPayee);
    assert_eq!(caller(w.issuer.restore_payee(PayeeId([9; 8]), NOW)), CallerError::UnknownPayee);
    assert_eq!(w.revocations(0, NOW), (0, 0, vec![]));
}
