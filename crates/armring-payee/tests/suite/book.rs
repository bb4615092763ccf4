//! The book of what is pending: nothing twice, and never more than the floor limits.

use std::collections::BTreeSet;

use armring_payee::{FloorLimits, Offline, OfflineError, Sale};
use armring_token::{Counter, Gesture, Minor, PaymentToken};
use armring_wire::records::issuer::{FromIssuer, Refusal};
use armring_wire::records::payee::FromPayee;
use armring_wire::{Amount, CredentialId, Currency, Opaque, Outcome, TokenDigest};
use proptest::prelude::*;

use crate::common::stall::*;
use crate::common::*;

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
