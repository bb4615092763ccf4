//! Taking a token on trust: what is accepted without the issuer, each thing that is not, and what becomes of it later.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use std::collections::BTreeSet;

use armring_payee::{FloorLimits, Heard, Offline, OfflineError, Revoked, Sale, TokenError};
use armring_token::{Counter, CredentialRights, Gesture, Minor, PaymentToken, Presence, Unlocking, VerifyError};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{
    Amount, CredentialId, Currency, KeyId, Opaque, Outcome, PayeeRef, RequestDigest, TokenDigest, UnixTime, Validity,
};
use common::stall::*;
use common::*;
use proptest::prelude::*;

#[test]
fn a_token_that_verifies_is_pending_and_settled_only_by_its_receipt() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    for _ in 0..3 {
        assert_eq!(stall.hears(&mut sale, &says(&token, &credential)), FromPayee::Pending);
        assert_eq!((stall.book.total(), stall.book.pending().len()), (1_250, 1), "counted once");
    }
    assert_eq!(stall.hears(&mut sale, &says_token(&token)), FromPayee::Pending, "the credential is known");
    assert_eq!(stall.hears(&mut sale, &record(&ToPayee::Ask)), FromPayee::Nothing);
    assert_eq!(sale.settled(), None);
    let pending = sale.pending().unwrap();
    assert_eq!((pending.token, pending.amount), (token.as_slice(), cny(1_250)));

    // There is network again.
    let outstanding = stall.book.pending()[0];
    assert_eq!((outstanding.sale, outstanding.token), (sale.digest(), digest(&token)));
    let (request, object) = (sale.request().to_vec(), Opaque::new(&token).unwrap());
    let redeem = ToIssuer::Redeem { request: Opaque::new(&request).unwrap(), token: object };
    assert_eq!(sale.redeem(&outstanding.token), Some(redeem));
    let busy = from_issuer(&FromIssuer::Refused(Refusal::Busy));
    assert_eq!(sale.issuer_says(&outstanding.token, &busy, &stall.keys), Ok(FromPayee::Pending));
    stall.book.release(&sale);
    assert_eq!(stall.book.total(), 1_250, "busy: it waits");
    let receipt = receipt(&token, Outcome::Settled);
    assert_eq!(answer(&mut sale, &token, &receipt, &stall.keys), Ok(true));
    stall.book.release(&sale);
    assert!(stall.has_taken_nothing(&sale));
    let paid = FromPayee::Receipt(Opaque::new(&receipt).unwrap());
    assert_eq!(sale.hear(&says_token(&token)), Heard::Answer(paid), "the receipt comes to whoever sends the token again");
    assert_eq!(stall.hears(&mut sale, &says(&token, &credential)), paid);
    assert_eq!(stall.accepts(&mut sale, &token, &credential), Err(OfflineError::Token(TokenError::AlreadySettled)));
}

#[test]
fn a_pending_token_that_the_issuer_refuses_leaves_the_sale_to_another() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_000);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    stall.accepts(&mut sale, &token, &credential).unwrap();
    let other = offline_token(&sale, |body| (body.counter, body.cumulative) = (Counter(2), Minor(2_000)));
    assert_eq!(stall.accepts(&mut sale, &other, &credential), Err(OfflineError::Token(TokenError::AlreadyPending)));
    assert_eq!(stall.hears(&mut sale, &says(&other, &credential)), FromPayee::Nothing);
    assert_eq!(sale.hear(&says_token(&other)), Heard::Answer(FromPayee::Nothing));
    answer(&mut sale, &token, &receipt(&token, Outcome::Cloned), &stall.keys).unwrap();
    stall.book.release(&sale);
    assert!(stall.has_taken_nothing(&sale));
    assert_eq!(stall.accepts(&mut sale, &token, &credential), Err(OfflineError::Answered));
    stall.accepts(&mut sale, &other, &credential).unwrap();
}

#[test]
fn what_the_issuer_says_short_of_a_receipt_does_not_end_a_pending_payment() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_000);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    stall.accepts(&mut sale, &token, &credential).unwrap();
    for why in [Refusal::Signature, Refusal::UnknownCredential, Refusal::Mismatch] {
        let answer = from_issuer(&FromIssuer::Refused(why));
        assert_eq!(sale.issuer_says(&digest(&token), &answer, &stall.keys), Ok(FromPayee::Refused(why)));
        stall.book.release(&sale);
        assert_eq!((sale.pending().is_some(), stall.book.total()), (true, 1_000));
    }
    stall.book.write_off(&digest(&token));
    assert_eq!((sale.pending().is_some(), stall.book.total()), (true, 0), "given up by the shopkeeper");
    assert_eq!(answer(&mut sale, &token, &receipt(&token, Outcome::Settled), &stall.keys), Ok(true));
}

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

#[test]
fn double_spend_offline_of_a_counter_or_an_interval_is_refused_at_the_second_sale() {
    let credential = credential_with(|_| {});
    // The first token is counter 3, above 1,000 up to 2,000.
    for (counter, cumulative, expected) in [
        (3, 5_000, Err(OfflineError::DoubleSpend)),
        (4, 2_999, Err(OfflineError::DoubleSpend)),
        (4, 2_000, Err(OfflineError::DoubleSpend)),
        (2, 1_001, Err(OfflineError::DoubleSpend)),
        (4, 3_000, Ok(())),
        (2, 1_000, Ok(())),
    ] {
        let mut stall = Stall::new();
        let spend = |stall: &mut Stall, counter, cumulative, credential: &[u8], change: fn(&mut PaymentToken)| {
            let mut sale = stall.asks(1_000);
            let token = offline_token(&sale, |body| {
                (body.counter, body.cumulative) = (Counter(counter), Minor(cumulative));
                change(body);
            });
            stall.accepts(&mut sale, &token, credential)
        };
        spend(&mut stall, 3, 2_000, &credential, |_| {}).unwrap();
        assert_eq!(spend(&mut stall, counter, cumulative, &credential, |_| {}), expected, "{counter} {cumulative}");
        let other = credential_with(|body| body.id = CredentialId([7; 8]));
        assert_eq!(spend(&mut stall, 3, 2_000, &other, |body| body.credential = CredentialId([7; 8])), Ok(()));
    }
}

#[test]
fn the_floor_limits_bound_each_payment_each_credential_and_all() {
    let mut stall = Stall::new();
    let mut spent = [0; 4];
    let mut spend = |stall: &mut Stall, who: usize, minor: u64| {
        let id = CredentialId([u8::try_from(who).unwrap(); 8]);
        let mut sale = stall.asks(minor);
        let token = offline_token(&sale, |body| {
            body.presence.gesture = Gesture::FreshUnlock;
            (body.credential, body.cumulative) = (id, Minor(spent[who] + minor));
            body.counter = Counter(u32::try_from(stall.book.pending().len()).unwrap());
        });
        let poor = who == 3;
        let credential = credential_with(|body| {
            body.id = id;
            body.limits.offline_total = if poor { Minor(100) } else { body.limits.offline_total };
        });
        let result = stall.accepts(&mut sale, &token, &credential);
        spent[who] += if result.is_ok() { minor } else { 0 };
        result
    };
    assert_eq!(spend(&mut stall, 0, 5_001), Err(OfflineError::Floor), "each");
    assert_eq!(spend(&mut stall, 0, 5_000), Ok(()));
    assert_eq!(spend(&mut stall, 0, 1_001), Err(OfflineError::Floor), "the credential's");
    assert_eq!(spend(&mut stall, 3, 101), Err(OfflineError::Floor), "more than the band may have outstanding");
    assert_eq!(spend(&mut stall, 1, 3_000), Ok(()));
    assert_eq!(spend(&mut stall, 2, 1_001), Err(OfflineError::Floor), "all");
    for _ in 0..3 {
        assert_eq!(spend(&mut stall, 2, 1), Ok(()));
    }
    assert_eq!(spend(&mut stall, 2, 1), Err(OfflineError::Floor), "too many payments");
    assert_eq!(stall.book.total(), 8_003);
    stall.book = Offline::new(Currency::EUR, FLOOR);
    assert_eq!(spend(&mut stall, 2, 1), Err(OfflineError::NotAllowed), "a floor in another currency");
    stall.book = Offline::new(Currency::CNY, FloorLimits::NONE);
    assert_eq!(spend(&mut stall, 2, 1), Err(OfflineError::Floor), "nothing on trust");
}

#[test]
fn a_flood_of_forged_tokens_does_not_keep_a_real_one_from_being_pending() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (real, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    // The issuer could not be reached for any of these: they wait, as far as there is room.
    for counter in 2..20 {
        let _ = sale.take(&offline_token(&sale, |body| body.counter = Counter(counter)));
    }
    for byte in 0..9 {
        let mut copy = real.clone();
        copy[byte] ^= 1;
        let _ = sale.take(&copy);
        assert_eq!(stall.hears(&mut sale, &says(&copy, &credential)), FromPayee::Refused(Refusal::Signature));
    }
    assert_eq!(stall.hears(&mut sale, &says(&real, &credential)), FromPayee::Pending);
    for byte in 0..9 {
        let mut copy = real.clone();
        copy[byte] ^= 1;
        let _ = sale.take(&copy);
        let _ = stall.hears(&mut sale, &says(&copy, &credential));
    }
    assert_eq!(sale.pending().unwrap().token, real);
}

#[test]
fn a_forged_copy_that_waits_is_displaced_by_the_token_that_verifies() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (real, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    let mut forged = real.clone();
    forged[0] ^= 1;
    sale.take(&forged).unwrap();
    assert_eq!(stall.hears(&mut sale, &says(&real, &credential)), FromPayee::Pending);
    assert_eq!(sale.pending().unwrap().token, real);
    let late = from_issuer(&FromIssuer::Refused(Refusal::Signature));
    sale.issuer_says(&digest(&real), &late, &stall.keys).unwrap();
    assert_eq!(sale.pending().unwrap().token, real, "that was said of the forged copy");
}

#[test]
fn without_network_a_token_without_its_credential_is_asked_for_again_with_it() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let (token, credential) = (offline_token(&sale, |_| {}), credential_with(|_| {}));
    assert_eq!(sale.hear(&says_token(&token)), Heard::Redeem(digest(&token)));
    assert_eq!(stall.hears(&mut sale, &says_token(&token)), NOT_OFFLINE);
    assert_eq!(stall.hears(&mut sale, &says(&token, &credential)), FromPayee::Pending);
    assert!(matches!(stall.hears(&mut sale, &[0xFF]), FromPayee::Refused(Refusal::Malformed)));
    assert_eq!(stall.hears(&mut sale, &[9]), FromPayee::Unknown(9));
    let mut other = stall.asks(1);
    assert!(matches!(stall.hears(&mut other, &record(&ToPayee::Ask)), FromPayee::Request { .. }));
}

/// A sale that was paid without network.
struct Accepted {
    sale: Sale,
    token: Vec<u8>,
    credential: Vec<u8>,
    counter: (u8, u32),
    open: bool,
}

/// What happens at a stall.
#[derive(Clone, Debug)]
enum Step {
    /// A band with its counter and total goes on, or a clone of it, which is some payments behind.
    Pay { who: u8, minor: u64, behind: u32 },
    /// The issuer answers one that is pending, or is busy.
    Redeem { which: usize, outcome: Option<bool> },
    /// A token that was accepted is sent again.
    Again { which: usize },
    /// The payee is started again, with nothing but what it stored.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3u8, 1..3_000u64, 0..3u32).prop_map(|(who, minor, behind)| Step::Pay { who, minor, behind }),
        2 => (any::<usize>(), any::<Option<bool>>()).prop_map(|(which, outcome)| Step::Redeem { which, outcome }),
        1 => any::<usize>().prop_map(|which| Step::Again { which }),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_pending_never_exceeds_the_floor_and_no_counter_is_pending_twice(steps in prop::collection::vec(step(), 1..25)) {
        let mut stall = Stall::new();
        let mut history = [const { Vec::<(u32, u64)>::new() }; 3];
        let mut sales: Vec<Accepted> = Vec::new();
        for step in steps {
            match step {
                Step::Pay { who, minor, behind } => {
                    let credential = credential_with(|body| body.id = CredentialId([who; 8]));
                    let past = &mut history[usize::from(who)];
                    let at = past.len().saturating_sub(usize::try_from(behind).unwrap());
                    let (counter, total) = at.checked_sub(1).map_or((0, 0), |last| past[last]);
                    let (counter, total) = (counter + 1, total + minor);
                    past.push((counter, total));
                    let mut sale = stall.asks(minor);
                    let token = offline_token(&sale, |body| {
                        (body.credential, body.counter, body.cumulative) = (CredentialId([who; 8]), Counter(counter), Minor(total));
                    });
                    if stall.accepts(&mut sale, &token, &credential).is_ok() {
                        sales.push(Accepted { sale, token, credential, counter: (who, counter), open: true });
                    } else {
                        prop_assert!(sale.pending().is_none());
                    }
                }
                Step::Redeem { which, outcome } if !sales.is_empty() => {
                    let at = which % sales.len();
                    let Accepted { sale, token, open, .. } = &mut sales[at];
                    let receipt = outcome.map(|settled| receipt(token, if settled { Outcome::Settled } else { Outcome::Frozen }));
                    let said = match &receipt {
                        Some(receipt) => from_issuer(&FromIssuer::Receipt(Opaque::new(receipt).unwrap())),
                        None => from_issuer(&FromIssuer::Refused(Refusal::Busy)),
                    };
                    let _ = sale.issuer_says(&digest(token), &said, &stall.keys);
                    *open = *open && receipt.is_none();
                    stall.book.release(sale);
                }
                Step::Again { which } if !sales.is_empty() => {
                    let at = which % sales.len();
                    let Accepted { sale, token, credential, .. } = &mut sales[at];
                    let said = stall.hears(sale, &says(token, credential));
                    let expected = matches!(said, FromPayee::Pending | FromPayee::Receipt(_));
                    prop_assert!(expected);
                }
                Step::Restart => stall.restarts(sales.iter_mut().map(|accepted| &mut accepted.sale)),
                Step::Redeem { .. } | Step::Again { .. } => {}
            }
            let open: Vec<_> = sales.iter().filter(|accepted| accepted.open).collect();
            let sum: u64 = open.iter().map(|accepted| accepted.sale.amount().minor()).sum();
            prop_assert_eq!(stall.book.total(), sum);
            prop_assert!(sum <= FLOOR.total && open.len() <= FLOOR.payments);
            let counters: BTreeSet<_> = open.iter().map(|accepted| accepted.counter).collect();
            prop_assert_eq!(counters.len(), open.len());
            let tokens: BTreeSet<TokenDigest> = stall.book.pending().iter().map(|taken| taken.token).collect();
            prop_assert_eq!(tokens.len(), open.len());
            for who in 0..3 {
                let of = |taken: &&armring_payee::Outstanding| taken.credential == CredentialId([who; 8]);
                let amounts = stall.book.pending().iter().filter(of).map(|taken| taken.amount);
                let sum = amounts.fold(0, |sum, amount: Amount| sum + amount.minor());
                prop_assert!(sum <= FLOOR.credential);
            }
        }
    }
}
