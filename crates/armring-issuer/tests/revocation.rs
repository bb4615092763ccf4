//! The revocation list, against every ledger: who is on it, what came since, and parts that fit together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use std::collections::BTreeMap;

use armring_issuer::*;
use armring_token::{ENTRIES_MAX, Epoch, Revocation, RevocationList, Unverified};
use armring_wire::records::issuer::Refusal;
use armring_wire::*;
use common::*;
use proptest::prelude::*;

against_every_ledger!(
    each_change_gets_the_next_epoch_and_what_changes_nothing_gets_none,
    everyone_who_is_refused_is_listed,
    a_list_since_an_epoch_says_what_came_after_it,
    an_epoch_that_has_not_been_gets_everything,
    who_ceased_to_be_valid_before_the_latest_change_is_left_out,
    a_long_list_comes_in_parts_that_fit_together,
    what_expires_between_two_parts_moves_no_entry,
    a_change_between_two_parts_shows_in_the_epoch,
    a_signer_that_fails_is_busy,
);

fn revoked(subject: PayeeRef) -> Revocation {
    Revocation { subject, revoked: true }
}

fn restored(subject: PayeeRef) -> Revocation {
    Revocation { subject, revoked: false }
}

fn sorted(mut entries: Vec<Revocation>) -> Vec<Revocation> {
    entries.sort_by_key(|entry| key(entry.subject));
    entries
}

fn key(subject: PayeeRef) -> (u8, [u8; 8]) {
    match subject {
        PayeeRef::Certificate(PayeeId(id)) => (0, id),
        PayeeRef::Credential(CredentialId(id)) => (1, id),
    }
}

fn each_change_gets_the_next_epoch_and_what_changes_nothing_gets_none<L: Ledger>(mut w: World<L>) {
    let (shop, band) = (w.shop(), w.band(0));
    assert_eq!(w.revocations(0, NOW), (0, 0, vec![]), "nothing was ever revoked");
    for (twice, epoch) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)] {
        for _ in 0..2 {
            match twice {
                1 | 3 => w.issuer.freeze(band.credential.id, NOW).unwrap(),
                2 => w.issuer.unfreeze(band.credential.id, NOW).unwrap(),
                4 => w.issuer.revoke_payee(shop.id, NOW).unwrap(),
                _ => w.issuer.restore_payee(shop.id, NOW).unwrap(),
            }
            assert_eq!(w.revocations(0, NOW).0, epoch);
        }
    }
    w.issuer.revoke(band.credential.id, NOW).unwrap();
    assert_eq!(w.revocations(0, NOW), (5, 0, vec![revoked(band.payee())]), "it was on the list, being frozen");
}

fn everyone_who_is_refused_is_listed<L: Ledger>(mut w: World<L>) {
    let (shop, other, mut cloned) = (w.shop(), w.shop(), w.band(1_000));
    let (frozen, lost, account) = (w.band(0), w.band(0), w.account(0));
    let (cancelled, waits) = (w.inactive_band_of(account), w.inactive_band_of(account));
    assert_eq!(w.pay(&mut cloned, &other, 10), Outcome::Settled);
    cloned.counter = 0;
    assert_eq!(w.pay(&mut cloned, &other, 10), Outcome::Cloned);
    w.issuer.freeze(frozen.credential.id, NOW).unwrap();
    w.issuer.replace_band(lost.credential.id, NOW, &mut w.rng).unwrap();
    let pending = w.issuer.pending_confirmations(account).unwrap();
    let digits = pending.iter().find(|pending| pending.credential == cancelled.credential.id).unwrap().digits.number();
    for _ in 0..TRIES {
        assert!(w.issuer.confirm(cancelled.credential.id, (digits + 1) % 1_000_000, NOW).is_err());
    }
    w.issuer.revoke_payee(shop.id, NOW).unwrap();
    let listed = [shop.payee(), cloned.payee(), frozen.payee(), lost.payee(), cancelled.payee()];
    assert_eq!(w.revocations(0, NOW), (5, 0, sorted(listed.map(revoked).to_vec())));
    assert_eq!(w.issuer.state(waits.credential.id).unwrap(), CredentialState::Inactive);
}

fn a_list_since_an_epoch_says_what_came_after_it<L: Ledger>(mut w: World<L>) {
    let (shop, first, second) = (w.shop(), w.band(0), w.band(0));
    w.issuer.freeze(first.credential.id, NOW).unwrap();
    w.issuer.revoke_payee(shop.id, NOW).unwrap();
    w.issuer.freeze(second.credential.id, NOW).unwrap();
    w.issuer.unfreeze(first.credential.id, NOW).unwrap();
    let everything = sorted(vec![revoked(shop.payee()), revoked(second.payee())]);
    assert_eq!(w.revocations(0, NOW), (4, 0, everything));
    let since_1 = sorted(vec![revoked(shop.payee()), revoked(second.payee()), restored(first.payee())]);
    assert_eq!(w.revocations(1, NOW), (4, 1, since_1));
    assert_eq!(w.revocations(2, NOW), (4, 2, sorted(vec![revoked(second.payee()), restored(first.payee())])));
    assert_eq!(w.revocations(3, NOW), (4, 3, vec![restored(first.payee())]));
    assert_eq!(w.revocations(4, NOW), (4, 4, vec![]));
}

fn an_epoch_that_has_not_been_gets_everything<L: Ledger>(mut w: World<L>) {
    let band = w.band(0);
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    for since in [2, u32::MAX] {
        assert_eq!(w.revocations(since, NOW), (1, 0, vec![revoked(band.payee())]));
    }
}

fn who_ceased_to_be_valid_before_the_latest_change_is_left_out<L: Ledger>(mut w: World<L>) {
    let account = w.account(0);
    let shops = [100, 200].map(|until| w.shop_valid(account, Validity { from: NOW, until: later(until) }));
    w.issuer.revoke_payee(shops[0].id, NOW).unwrap();
    assert_eq!(w.revocations(0, later(150)), (1, 0, vec![revoked(shops[0].payee())]), "the list is as of its latest change");
    w.issuer.revoke_payee(shops[1].id, later(100)).unwrap();
    for since in [0, 1] {
        assert_eq!(w.revocations(since, later(100)), (2, since, vec![revoked(shops[1].payee())]));
    }
    w.issuer.restore_payee(shops[1].id, later(200)).unwrap();
    for since in [0, 1] {
        assert_eq!(w.revocations(since, later(200)), (3, since, vec![]), "nobody has to know any more");
    }
}

/// Payees, every second one of them valid for 100 s.
fn many<L: Ledger>(w: &mut World<L>, payees: usize) -> Vec<PayeeRef> {
    let account = w.account(0);
    let short = Validity { until: later(100), ..ALWAYS };
    let shops: Vec<_> = (0..payees).map(|number| w.shop_valid(account, if number % 2 == 0 { short } else { ALWAYS })).collect();
    for shop in &shops {
        w.issuer.revoke_payee(shop.id, NOW).unwrap();
    }
    shops.iter().map(Shop::payee).collect()
}

fn a_long_list_comes_in_parts_that_fit_together<L: Ledger>(mut w: World<L>) {
    let payees = many(&mut w, 2 * ENTRIES_MAX);
    let epoch = u32::try_from(payees.len()).unwrap();
    let everything = sorted(payees.iter().copied().map(revoked).collect());
    assert_eq!(w.revocations(0, NOW), (epoch, 0, everything.clone()));
    let parts = w.issuer.ledger().revoked(Epoch(0), 0).unwrap().unwrap().parts;
    assert_eq!(parts, 2, "full parts have no empty one behind them");
    assert_eq!(w.revocations(1, NOW).2.len(), payees.len() - 1);
    assert_eq!(w.revocations(epoch - 3, NOW).2, sorted(payees[payees.len() - 3..].iter().copied().map(revoked).collect()));
    let band = w.band(0);
    w.issuer.freeze(band.credential.id, NOW).unwrap();
    assert_eq!(w.issuer.ledger().revoked(Epoch(0), 0).unwrap().unwrap().parts, 3);
    let last = w.issuer.ledger().revoked(Epoch(0), 2).unwrap().unwrap();
    assert_eq!(last.entries, [revoked(band.payee())]);
    assert_eq!(w.revocations_part(0, u16::MAX, NOW), Err(Refusal::NoSuchPart));
}

fn what_expires_between_two_parts_moves_no_entry<L: Ledger>(mut w: World<L>) {
    let payees = many(&mut w, ENTRIES_MAX + 10);
    let mut all = Vec::new();
    for (part, now) in [(0, later(50)), (1, later(150))] {
        let object = w.revocations_part(0, part, now).unwrap();
        let list = *Unverified::<RevocationList<'_>>::parse(&object).unwrap().claims();
        all.extend(list.entries.iter());
    }
    assert_eq!(all, sorted(payees.into_iter().map(revoked).collect()));
}

fn a_change_between_two_parts_shows_in_the_epoch<L: Ledger>(mut w: World<L>) {
    let payees = many(&mut w, ENTRIES_MAX + 1);
    let PayeeRef::Certificate(first) = sorted(payees.into_iter().map(revoked).collect())[0].subject else { panic!() };
    let epoch = |object: &[u8]| Unverified::<RevocationList<'_>>::parse(object).unwrap().claims().epoch;
    let part_0 = w.revocations_part(0, 0, NOW).unwrap();
    w.issuer.restore_payee(first, NOW).unwrap();
    assert_eq!(w.revocations_part(0, 1, NOW), Err(Refusal::NoSuchPart), "the list became shorter");
    let shop = w.shop();
    w.issuer.revoke_payee(shop.id, NOW).unwrap();
    let part_1 = w.revocations_part(0, 1, NOW).unwrap();
    assert!(epoch(&part_0) < epoch(&part_1), "whoever sees this begins anew");
}

fn a_signer_that_fails_is_busy<L: Ledger>(mut w: World<L>) {
    w.signatures_left.set(Some(0));
    assert_eq!(w.revocations_part(0, 0, NOW), Err(Refusal::Busy));
}

/// What an operator does, to the band or shop of this number.
#[derive(Clone, Copy, Debug)]
enum Act {
    Freeze(usize),
    Unfreeze(usize),
    Revoke(usize),
    RevokePayee(usize),
    RestorePayee(usize),
    Wait(u16),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0usize..4).prop_map(Act::Freeze),
        4 => (0usize..4).prop_map(Act::Unfreeze),
        1 => (0usize..4).prop_map(Act::Revoke),
        3 => (0usize..4).prop_map(Act::RevokePayee),
        3 => (0usize..4).prop_map(Act::RestorePayee),
        2 => (0u16..90).prop_map(Act::Wait),
    ]
}

struct Cast {
    bands: Vec<Band>,
    shops: Vec<Shop>,
}

/// Bands and shops, half of which are valid for 100 s.
fn cast<L: Ledger>(w: &mut World<L>) -> Cast {
    let account = w.account(0);
    let mut bands = vec![w.band_of(account), w.band_of(account)];
    w.issuer.set_policy(Policy { credential_validity: std::time::Duration::from_secs(100), ..generous() });
    bands.extend([w.band_of(account), w.band_of(account)]);
    let short = Validity { until: later(100), ..ALWAYS };
    let shops = [ALWAYS, ALWAYS, short, short].map(|validity| w.shop_valid(account, validity)).into();
    Cast { bands, shops }
}

fn apply<L: Ledger>(w: &mut World<L>, cast: &Cast, act: Act, now: UnixTime) {
    let _final_ones_are_not_unfrozen = match act {
        Act::Freeze(band) => w.issuer.freeze(cast.bands[band].credential.id, now),
        Act::Unfreeze(band) => w.issuer.unfreeze(cast.bands[band].credential.id, now),
        Act::Revoke(band) => w.issuer.revoke(cast.bands[band].credential.id, now),
        Act::RevokePayee(shop) => w.issuer.revoke_payee(cast.shops[shop].id, now),
        Act::RestorePayee(shop) => w.issuer.restore_payee(cast.shops[shop].id, now),
        Act::Wait(_) => Ok(()),
    };
}

/// Who is refused now, and until when they would be valid: asked of the states, not of the list.
fn refused<L: Ledger>(w: &World<L>, cast: &Cast) -> BTreeMap<(u8, [u8; 8]), UnixTime> {
    let bands = cast.bands.iter().filter(|band| w.issuer.state(band.credential.id).unwrap().is_listed());
    let bands = bands.map(|band| (key(band.payee()), band.credential.validity.until));
    let shops = cast.shops.iter().enumerate();
    let shops = shops.filter(|(_, shop)| w.issuer.ledger().payee(shop.id).unwrap().unwrap().is_revoked());
    let until = |number: usize| if number < 2 { ALWAYS.until } else { later(100) };
    bands.chain(shops.map(|(number, shop)| (key(shop.payee()), until(number)))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whichever_list_one_has_what_came_since_makes_it_the_latest(acts in prop::collection::vec(act(), 1..40)) {
        let mut memory = World::new(MemoryLedger::new());
        let mut sqlite = World::new(SqliteLedger::open_in_memory().unwrap());
        let (cast, _) = (cast(&mut memory), cast(&mut sqlite));
        let (mut now, mut changed) = (NOW, UnixTime::EPOCH);
        let mut lists = vec![(0, BTreeMap::new())];
        for act in acts {
            if let Act::Wait(seconds) = act {
                now = now.checked_add(std::time::Duration::from_secs(u64::from(seconds))).unwrap();
            }
            apply(&mut memory, &cast, act, now);
            apply(&mut sqlite, &cast, act, now);
            let (epoch, since, entries) = memory.revocations(0, now);
            prop_assert_eq!(since, 0);
            if epoch > lists.last().unwrap().0 {
                changed = now;
            }
            let mut expected = refused(&memory, &cast);
            expected.retain(|_, until| *until > changed);
            prop_assert!(entries.iter().all(|entry| entry.revoked));
            prop_assert!(entries.iter().map(|entry| key(entry.subject)).eq(expected.keys().copied()), "everything");
            lists.push((epoch, refused(&memory, &cast)));
        }
        let latest = lists.last().unwrap().clone();
        for (epoch, mut list) in lists {
            let (now_epoch, since, entries) = memory.revocations(epoch, now);
            prop_assert_eq!((now_epoch, since), (latest.0, epoch));
            for entry in &entries {
                if entry.revoked {
                    list.insert(key(entry.subject), latest.1[&key(entry.subject)]);
                } else {
                    list.remove(&key(entry.subject));
                }
            }
            let in_force = |list: &BTreeMap<(u8, [u8; 8]), UnixTime>| {
                list.iter().filter(|(_, until)| **until > changed).map(|(subject, _)| *subject).collect::<Vec<_>>()
            };
            prop_assert_eq!(in_force(&list), in_force(&latest.1), "since {}", epoch);
            prop_assert_eq!(memory.issuer.ledger().revoked(Epoch(epoch), 0).unwrap(), sqlite.issuer.ledger().revoked(Epoch(epoch), 0).unwrap());
        }
        prop_assert_eq!((memory.issuer.ledger().audit().unwrap(), sqlite.issuer.ledger().audit().unwrap()), (vec![], vec![]));
    }
}
