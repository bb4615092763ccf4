//! Who no longer counts: lists in parts, lost, repeated, stale, forged.

use std::collections::{BTreeMap, BTreeSet};

use armring_payee::{Progress, Revoked, RevokedError, Sale};
use armring_token::{Epoch, Form, KeyList, Revocation, RevocationList, Revocations, Signing, Unverified, Verified, VerifyError};
use armring_wire::records::issuer::ToIssuer;
use armring_wire::{CredentialId, KeyId, PayeeId, PayeeRef, UnixTime};
use proptest::prelude::*;

use crate::common::*;

const MOST: usize = 40;
const LATER: UnixTime = UnixTime::from_secs(NOW.as_secs() + 3_600);

fn keys() -> Verified<KeyList> {
    let object = key_list(3, 2);
    Unverified::<KeyList>::parse(&object).unwrap().verify(&fingerprint(), &root()).unwrap()
}

fn who(n: u8) -> PayeeRef {
    let id = [n / 2; 8];
    if n.is_multiple_of(2) { PayeeRef::Certificate(PayeeId(id)) } else { PayeeRef::Credential(CredentialId(id)) }
}

/// A part of a list, each of its words a number and whether it is revoked, with something changed.
fn part_with(
    (epoch, since): (u32, u32),
    (part, parts): (u16, u16),
    words: &[(u8, bool)],
    change: impl FnOnce(&mut RevocationList<'_>),
) -> Vec<u8> {
    let mut words: Vec<_> = words.iter().map(|(n, revoked)| Revocation { subject: who(*n), revoked: *revoked }).collect();
    words.sort_by_key(|word| match word.subject {
        PayeeRef::Certificate(id) => (0, id.0),
        PayeeRef::Credential(id) => (1, id.0),
    });
    let mut buffer = [0; 1024];
    let mut list = RevocationList {
        form: Form,
        key: KeyId(1),
        epoch: Epoch(epoch),
        since: Epoch(since),
        part,
        parts,
        issued: NOW,
        next_update: LATER,
        entries: Revocations::write(words, &mut buffer).unwrap(),
    };
    change(&mut list);
    sign(&list, &Signing::new(key(2)))
}

fn part(epochs: (u32, u32), parts: (u16, u16), words: &[(u8, bool)]) -> Vec<u8> {
    part_with(epochs, parts, words, |_| {})
}

fn take(revoked: &mut Revoked, part: &[u8]) -> Result<Progress, RevokedError> {
    revoked.take_part(part, &keys(), NOW)
}

fn empty() -> Revoked {
    Revoked::new(fingerprint(), MOST)
}

/// One that revokes these, by the list of epoch 5.
fn at_epoch_5(numbers: &[u8]) -> Revoked {
    let mut revoked = empty();
    let words: Vec<_> = numbers.iter().map(|n| (*n, true)).collect();
    assert_eq!(take(&mut revoked, &part((5, 0), (0, 1), &words)), Ok(Progress::Complete));
    revoked
}

fn members(revoked: &Revoked) -> Vec<u8> {
    (0..=u8::MAX).filter(|n| revoked.contains(who(*n))).collect()
}

fn asks(since: u32, part: u16) -> ToIssuer<'static> {
    ToIssuer::Revocations { since, part }
}

#[test]
fn a_list_counts_when_all_its_parts_are_there_in_any_order() {
    let mut revoked = empty();
    assert_eq!((revoked.next_request(), revoked.is_fresh(NOW), revoked.epoch()), (asks(0, 0), false, Epoch(0)));
    let parts = [&[(1, true), (2, true)][..], &[], &[(3, true)]];
    for (number, next) in [(2, 0), (0, 1), (0, 1)] {
        let object = part((5, 0), (number, 3), parts[usize::from(number)]);
        assert_eq!(take(&mut revoked, &object), Ok(Progress::Incomplete));
        assert_eq!((revoked.next_request(), revoked.len(), revoked.is_fresh(NOW)), (asks(0, next), 0, false));
    }
    assert_eq!(take(&mut revoked, &part((5, 0), (1, 3), parts[1])), Ok(Progress::Complete));
    assert_eq!((members(&revoked), revoked.len(), revoked.epoch()), (vec![1, 2, 3], 3, Epoch(5)));
    assert_eq!(revoked.next_request(), asks(5, 0));
    assert!(revoked.is_fresh(UnixTime::from_secs(LATER.as_secs() - 1)) && !revoked.is_fresh(LATER));
}

#[test]
fn what_came_since_adds_and_restores_and_all_anew_replaces() {
    let mut revoked = at_epoch_5(&[1, 2, 3]);
    let since = part((7, 5), (0, 1), &[(2, false), (9, true), (4, false)]);
    assert_eq!(take(&mut revoked, &since), Ok(Progress::Complete));
    assert_eq!((members(&revoked), revoked.epoch()), (vec![1, 3, 9], Epoch(7)));
    assert_eq!(take(&mut revoked, &part((8, 0), (0, 1), &[(4, true), (1, false)])), Ok(Progress::Complete));
    assert_eq!(members(&revoked), [4]);
    assert!(!revoked.is_empty());
}

#[test]
fn the_same_list_signed_again_later_only_makes_it_fresh() {
    let mut revoked = at_epoch_5(&[1]);
    let much_later = UnixTime::from_secs(LATER.as_secs() + 9);
    let again = part_with((5, 5), (0, 1), &[], |list| list.next_update = much_later);
    assert_eq!(take(&mut revoked, &again), Ok(Progress::Complete));
    assert_eq!((members(&revoked), revoked.is_fresh(LATER)), (vec![1], true));
    let first = part((5, 0), (0, 1), &[(1, true)]);
    assert_eq!(take(&mut revoked, &first), Ok(Progress::Complete), "repeated");
    assert_eq!((members(&revoked), revoked.is_fresh(LATER)), (vec![1], true), "and not less fresh for it");
}

#[test]
fn the_list_of_an_issuer_that_never_revoked_anybody_is_a_list() {
    let mut revoked = empty();
    assert_eq!(take(&mut revoked, &part((0, 0), (0, 1), &[])), Ok(Progress::Complete));
    assert_eq!((revoked.is_fresh(NOW), revoked.len(), revoked.next_request()), (true, 0, asks(0, 0)));
    assert_eq!(take(&mut revoked, &part((1, 0), (0, 1), &[(1, true)])), Ok(Progress::Complete));
    assert_eq!(members(&revoked), [1]);
    assert_eq!(take(&mut revoked, &part((0, 0), (0, 1), &[])), Err(RevokedError::NotVerified(VerifyError::OldEpoch)));
}

#[test]
fn a_list_is_as_fresh_as_its_least_fresh_part() {
    let soon = UnixTime::from_secs(NOW.as_secs() + 1);
    for until in [[soon, LATER], [LATER, soon]] {
        let mut revoked = empty();
        for (number, until) in until.into_iter().enumerate() {
            let number = u16::try_from(number).unwrap();
            take(&mut revoked, &part_with((5, 0), (number, 2), &[], |list| list.next_update = until)).unwrap();
        }
        assert!(revoked.is_fresh(NOW) && !revoked.is_fresh(soon));
    }
}

#[test]
fn a_newer_list_in_the_middle_begins_anew() {
    let mut revoked = at_epoch_5(&[1]);
    take(&mut revoked, &part((6, 5), (0, 2), &[(2, true)])).unwrap();
    take(&mut revoked, &part((7, 5), (1, 2), &[(3, true)])).unwrap();
    assert_eq!((members(&revoked), revoked.next_request()), (vec![1], asks(5, 0)));
    let late = take(&mut revoked, &part((6, 5), (1, 2), &[(4, true)]));
    assert_eq!(late, Err(RevokedError::NotVerified(VerifyError::OldEpoch)));
    assert_eq!(take(&mut revoked, &part((7, 5), (0, 2), &[(5, true)])), Ok(Progress::Complete));
    assert_eq!(members(&revoked), [1, 3, 5], "nothing of the list that was not complete");
    take(&mut revoked, &part((8, 7), (0, 2), &[(6, true)])).unwrap();
    assert_eq!(
        take(&mut revoked, &part((8, 0), (0, 1), &[(7, true)])),
        Ok(Progress::Complete),
        "all, where what came since had begun"
    );
    assert_eq!(members(&revoked), [7]);
}

#[test]
fn parts_that_do_not_agree_are_refused() {
    let mut revoked = at_epoch_5(&[1]);
    for (name, bad) in [
        ("no such part", part((6, 5), (2, 2), &[])),
        ("no parts", part((6, 5), (0, 0), &[])),
        ("before its beginning", part((6, 7), (0, 1), &[])),
    ] {
        assert_eq!(take(&mut revoked, &bad), Err(RevokedError::Disagree), "{name}");
    }
    take(&mut revoked, &part((6, 5), (0, 2), &[(2, true)])).unwrap();
    assert_eq!(take(&mut revoked, &part((6, 5), (1, 3), &[])), Err(RevokedError::Disagree), "of 2 or 3 parts");
    assert_eq!(take(&mut revoked, &part((6, 5), (0, 2), &[(2, false)])), Err(RevokedError::Disagree), "said otherwise");
    assert_eq!(take(&mut revoked, &part((6, 5), (1, 2), &[(2, false)])), Err(RevokedError::Disagree), "two words about one");
    assert_eq!((members(&revoked), revoked.next_request()), (vec![1], asks(5, 0)), "all of it is asked for again");
    take(&mut revoked, &part((6, 5), (1, 2), &[(3, true)])).unwrap();
    revoked.start_over();
    assert_eq!(take(&mut revoked, &part((6, 5), (0, 2), &[])), Ok(Progress::Incomplete), "what was gathered is forgotten");
}

#[test]
fn what_came_since_another_list_is_refused() {
    let mut revoked = at_epoch_5(&[1]);
    for since in [4, 6] {
        assert_eq!(take(&mut revoked, &part((7, since), (0, 1), &[(1, false)])), Err(RevokedError::OtherSince));
    }
    assert_eq!(take(&mut empty(), &part((7, 5), (0, 1), &[])), Err(RevokedError::OtherSince));
    assert_eq!(members(&revoked), [1]);
}

#[test]
fn an_older_stale_or_forged_list_is_refused() {
    let mut revoked = at_epoch_5(&[1]);
    let mut spoiled = part((6, 0), (0, 1), &[]);
    spoiled[70] ^= 1;
    let not_verified = RevokedError::NotVerified;
    for (name, bad, error) in [
        ("older", part((4, 0), (0, 1), &[]), not_verified(VerifyError::OldEpoch)),
        ("stale", part_with((6, 0), (0, 1), &[], |list| list.next_update = NOW), RevokedError::Stale),
        ("spoiled", spoiled, not_verified(VerifyError::Signature)),
        ("unknown key", part_with((6, 0), (0, 1), &[], |list| list.key = KeyId(9)), not_verified(VerifyError::Key)),
        (
            "signed when its key was not valid",
            part_with((6, 0), (0, 1), &[], |list| list.issued = VALIDITY.until),
            not_verified(VerifyError::Key),
        ),
        ("no list", certificate(3, 2), not_verified(VerifyError::Malformed)),
    ] {
        assert_eq!(take(&mut revoked, &bad), Err(error), "{name}");
        assert_eq!((members(&revoked), revoked.epoch(), revoked.next_request()), (vec![1], Epoch(5), asks(5, 0)), "{name}");
    }
}

#[test]
fn a_list_of_more_than_there_is_room_for_is_refused() {
    let numbers = |from: u8, to: u8| (from..to).map(|n| (n, true)).collect::<Vec<_>>();
    let mut revoked = at_epoch_5(&[1]);
    assert_eq!(take(&mut revoked, &part((6, 0), (0, 1), &numbers(0, 41))), Err(RevokedError::TooLong));
    assert_eq!(take(&mut revoked, &part((6, 5), (0, 1), &numbers(2, 42))), Err(RevokedError::TooLong), "with what is there");
    take(&mut revoked, &part((6, 5), (0, 2), &numbers(2, 30))).unwrap();
    assert_eq!(take(&mut revoked, &part((6, 5), (1, 2), &numbers(30, 50))), Err(RevokedError::TooLong));
    assert_eq!((members(&revoked), revoked.next_request()), (vec![1], asks(5, 1)));
    assert_eq!(take(&mut revoked, &part((6, 5), (1, 2), &numbers(30, 41))), Ok(Progress::Complete));
    assert_eq!(revoked.len(), MOST);
}

/// What an issuer does, and what the way to a payee does.
#[derive(Clone, Debug)]
enum Step {
    /// A new list, in which these are revoked or restored.
    Changes(Vec<(u8, bool)>),
    /// The payee stores its list and is started again.
    Restarts,
    /// The payee asks, and the answer comes or is lost; an earlier answer comes again, too.
    Asks { lost: bool, again: Option<usize>, all: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let changes = prop::collection::vec((0..24u8, any::<bool>()), 0..6);
    prop_oneof![
        1 => changes.prop_map(Step::Changes),
        1 => Just(Step::Restarts),
        4 => (prop::bool::weighted(0.3), any::<Option<usize>>(), prop::bool::weighted(0.2))
            .prop_map(|(lost, again, all)| Step::Asks { lost, again, all }),
    ]
}

/// The issuer: the set at each epoch, and lists of at most three entries a part.
struct Model(Vec<BTreeSet<u8>>);

impl Model {
    fn answer(&self, since: u32, part_number: u16, all: bool) -> Option<Vec<u8>> {
        let epoch = u32::try_from(self.0.len()).unwrap() - 1;
        let now = &self.0[usize::try_from(epoch).unwrap()];
        let before = if all || since == 0 { BTreeSet::new() } else { self.0[usize::try_from(since).unwrap()].clone() };
        let words: BTreeMap<u8, bool> = now.symmetric_difference(&before).map(|n| (*n, now.contains(n))).collect();
        let words: Vec<_> = words.into_iter().collect();
        let parts: Vec<_> = if words.is_empty() { vec![&[][..]] } else { words.chunks(3).collect() };
        let since = if all { 0 } else { since };
        let number = u16::try_from(parts.len()).unwrap();
        Some(part((epoch, since), (part_number, number), parts.get(usize::from(part_number))?))
    }
}

#[test]
fn a_stored_list_is_there_again_after_a_restart_without_network() {
    let before = at_epoch_5(&[2, 3, 9]);
    let bytes = before.to_bytes();
    assert!(bytes.len() <= 48 + 3 * 9, "{}", bytes.len());
    let mut after = Revoked::from_bytes(&bytes, &fingerprint(), MOST).unwrap();

    assert_eq!((members(&after), after.epoch()), (vec![2, 3, 9], Epoch(5)));
    assert!(after.is_fresh(NOW) && !after.is_fresh(LATER));
    assert_eq!(after.next_request(), asks(5, 0));
    // What came since is enough, and what is older is refused as before.
    assert_eq!(take(&mut after, &part((4, 0), (0, 1), &[])), Err(VerifyError::OldEpoch.into()));
    assert_eq!(take(&mut after, &part((6, 5), (0, 1), &[(3, false)])), Ok(Progress::Complete));
    assert_eq!(members(&after), [2, 9]);
}

#[test]
fn the_parts_of_a_list_that_is_not_complete_are_not_stored() {
    let mut revoked = at_epoch_5(&[2]);
    let whole = revoked.to_bytes();
    assert_eq!(take(&mut revoked, &part((6, 5), (0, 2), &[(4, true)])), Ok(Progress::Incomplete));
    assert_eq!(revoked.to_bytes(), whole);
}

#[test]
fn a_stored_list_that_is_damaged_foreign_or_too_long_is_none() {
    let revoked = at_epoch_5(&[2, 3, 9]);
    let bytes = revoked.to_bytes();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(Revoked::from_bytes(&damaged, &fingerprint(), MOST).is_none(), "byte {at}");
        assert!(Revoked::from_bytes(&bytes[..at], &fingerprint(), MOST).is_none(), "cut to {at}");
    }
    assert!(Revoked::from_bytes(&bytes, &fingerprint(), 3).is_some());
    assert!(Revoked::from_bytes(&bytes, &fingerprint(), 2).is_none());
    let mut other = fingerprint();
    other.0[0] ^= 1;
    assert!(Revoked::from_bytes(&bytes, &other, MOST).is_none());
    // A stored sale is not a stored list, nor the other way round.
    assert!(Revoked::from_bytes(&sale(&shop()).to_bytes(), &fingerprint(), MOST).is_none());
    assert!(Sale::from_bytes(&bytes, &fingerprint()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_lost_or_repeated_a_list_counts_as_the_issuer_had_it_or_not_at_all(steps in prop::collection::vec(step(), 1..40)) {
        let mut issuer = Model(vec![BTreeSet::new(), BTreeSet::from([1, 2])]);
        let (mut revoked, mut heard) = (empty(), Vec::<Vec<u8>>::new());
        for step in steps {
            match step {
                Step::Changes(changes) => {
                    let mut next = issuer.0.last().unwrap().clone();
                    for (n, gone) in changes {
                        if gone { next.insert(n); } else { next.remove(&n); }
                    }
                    issuer.0.push(next);
                }
                Step::Restarts => revoked = Revoked::from_bytes(&revoked.to_bytes(), &fingerprint(), MOST).unwrap(),
                Step::Asks { lost, again, all } => {
                    let ToIssuer::Revocations { since, part } = revoked.next_request() else { panic!("another question") };
                    match issuer.answer(since, part, all) {
                        Some(answer) => {
                            if !lost {
                                let _ = take(&mut revoked, &answer);
                            }
                            heard.push(answer);
                        }
                        None => revoked.start_over(),
                    }
                    if let Some(again) = again.filter(|_| !heard.is_empty()) {
                        let _ = take(&mut revoked, &heard[again % heard.len()]);
                    }
                }
            }
            let expected = &issuer.0[usize::try_from(revoked.epoch().0).unwrap()];
            prop_assert!(members(&revoked).iter().eq(expected.iter()));
        }
        // When nothing is lost any more, the latest list is there after as many questions as it has parts.
        revoked.start_over();
        for _ in 0..9 {
            let ToIssuer::Revocations { since, part } = revoked.next_request() else { panic!("another question") };
            if take(&mut revoked, &issuer.answer(since, part, false).unwrap()) == Ok(Progress::Complete) {
                break;
            }
        }
        prop_assert_eq!(revoked.epoch().0 as usize, issuer.0.len() - 1);
    }
}
