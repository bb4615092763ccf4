//! What a payee without network does not take on trust: each reason by itself.

use armring_payee::{OfflineError, Revoked, TokenError};
use armring_token::{CredentialRights, Gesture, Minor, PaymentToken, Presence, Unlocking, VerifyError};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::FromPayee;
use armring_wire::{CredentialId, Currency, KeyId, PayeeRef, RequestDigest, UnixTime, Validity};

use crate::common::stall::*;
use crate::common::*;

/// Holds a token and a credential to a refusal, and that nothing was taken.
fn refused(error: OfflineError, token: impl FnOnce(&mut PaymentToken), credential: &[u8], answer: FromPayee<'_>) {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let token = offline_token(&sale, token);
    assert_eq!(stall.accepts(&mut sale, &token, credential), Err(error));
    assert_eq!(stall.hears(&mut sale, &says(&token, credential)), answer, "{error}");
    assert!(stall.has_taken_nothing(&sale), "{error}");
}

const NOT_OFFLINE: FromPayee<'_> = FromPayee::Refused(Refusal::NotOffline);

#[test]
fn a_token_for_online_use_or_of_too_little_effort_is_not_taken_on_trust() {
    let credential = credential_with(|_| {});
    let with = |unlocking, gesture| {
        move |body: &mut PaymentToken| {
            body.presence = Presence { minutes_worn: 1, unlocking, gesture, online_only: false };
        }
    };
    refused(OfflineError::OnlineOnly, |body| body.presence.online_only = true, &credential, NOT_OFFLINE);
    refused(OfflineError::OverLimit, with(Unlocking::Pin, Gesture::None), &credential, NOT_OFFLINE);
    refused(OfflineError::OverLimit, with(Unlocking::Locked, Gesture::Press), &credential, NOT_OFFLINE);
    let little = credential_with(|body| body.limits.press = Minor(1_249));
    refused(OfflineError::OverLimit, |_| {}, &little, NOT_OFFLINE);
    let least = credential_with(|body| (body.limits.press, body.limits.each) = (Minor(1_249), Minor(1_249)));
    refused(OfflineError::OverLimit, with(Unlocking::Pin, Gesture::FreshUnlock), &least, NOT_OFFLINE);
}

#[test]
fn a_credential_that_may_not_pay_this_is_not_taken_on_trust() {
    type Change = fn(&mut armring_token::Credential);
    let cases: [Change; 4] = [
        |body| body.rights = CredentialRights::RECEIVE,
        |body| body.currency = Currency::EUR,
        |body| body.validity = Validity { from: VALIDITY.from, until: NOW },
        |body| body.validity = Validity { from: EXPIRY, until: VALIDITY.until },
    ];
    for change in cases {
        refused(OfflineError::NotAllowed, |_| {}, &credential_with(change), NOT_OFFLINE);
    }
    refused(OfflineError::NotAllowed, |body| body.cumulative = Minor(1_249), &credential_with(|_| {}), NOT_OFFLINE);
    refused(OfflineError::NotAllowed, |body| body.cumulative = Minor(1 << 63), &credential_with(|_| {}), NOT_OFFLINE);
}

#[test]
fn a_forged_credential_or_token_is_not_taken_on_trust() {
    let credential = credential_with(|_| {});
    let signature = OfflineError::NotVerified(VerifyError::Signature);
    let not_verified = FromPayee::Refused(Refusal::Signature);
    let mut forged = credential.clone();
    forged[7] ^= 1;
    refused(signature, |_| {}, &forged, not_verified);
    let own_key = credential_with(|body| body.payment_key = key(9).verifying_key().to_bytes());
    refused(signature, |_| {}, &own_key, not_verified);
    let unlisted = credential_with(|body| body.key = KeyId(9));
    refused(OfflineError::NotVerified(VerifyError::Key), |_| {}, &unlisted, not_verified);
    let other = credential_with(|body| body.id = CredentialId([7; 8]));
    refused(OfflineError::OtherCredential, |_| {}, &other, not_verified);
    let malformed = FromPayee::Refused(Refusal::Malformed);
    refused(OfflineError::NotVerified(VerifyError::Malformed), |_| {}, &credential[1..], malformed);
}

#[test]
fn a_token_that_does_not_answer_this_request_is_not_taken_on_trust() {
    let credential = credential_with(|_| {});
    let mismatch = || FromPayee::Refused(Refusal::Mismatch);
    let other = OfflineError::Token(TokenError::OtherRequest);
    refused(other, |body| body.request = RequestDigest([9; 32]), &credential, mismatch());
    refused(other, |body| body.amount = cny(1_249), &credential, mismatch());
    refused(other, |body| body.payee = PayeeRef::Credential(CredentialId(*b"teahouse")), &credential, mismatch());
}

#[test]
fn with_a_stale_list_nothing_is_taken_on_trust() {
    let credential = credential_with(|_| {});
    let check = |stall: &mut Stall, error| {
        let mut sale = stall.asks(1_000);
        let token = offline_token(&sale, |_| {});
        assert_eq!(stall.accepts(&mut sale, &token, &credential), error);
    };
    let soon = UnixTime::from_secs(NOW.as_secs() + 1);
    for (keys_until, revoked_until, error) in
        [(NOW, soon, Err(OfflineError::StaleKeyList)), (soon, NOW, Err(OfflineError::StaleRevocations)), (soon, soon, Ok(()))]
    {
        let mut stall = Stall::new();
        (stall.keys, stall.revoked) = (keys(keys_until), revoked(&[], revoked_until));
        check(&mut stall, error);
    }
    let mut stall = Stall::new();
    stall.revoked = Revoked::new(fingerprint(), 100);
    check(&mut stall, Err(OfflineError::StaleRevocations));
}

#[test]
fn a_revoked_credential_is_not_taken_on_trust_and_neither_does_a_revoked_payee_take() {
    let (payer, other) = (PayeeRef::Credential(CredentialId([5; 8])), PayeeRef::Credential(CredentialId([6; 8])));
    for (subject, error) in [(payer, Err(OfflineError::Revoked)), (SHOP, Err(OfflineError::Revoked)), (other, Ok(()))] {
        let mut stall = Stall::new();
        stall.revoked = revoked(&[subject], VALIDITY.until);
        let mut sale = stall.asks(1_000);
        let token = offline_token(&sale, |_| {});
        assert_eq!(stall.accepts(&mut sale, &token, &credential_with(|_| {})), error);
    }
}

#[test]
fn an_expired_request_is_not_taken_on_trust() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_000);
    let token = offline_token(&sale, |_| {});
    stall.now = EXPIRY;
    assert_eq!(stall.accepts(&mut sale, &token, &credential_with(|_| {})), Err(OfflineError::Expired));
}
