//! What must hold of every answer, whatever came before.

use std::collections::{BTreeMap, BTreeSet};

use armring_token::{PaymentToken, Receipt, Unverified};
use armring_wire::{CredentialId, Outcome, RequestDigest, TokenDigest};

use super::scene::World;
use crate::cast;
use crate::input::Input;

/// The counter and the interval that a token takes; no interval is one that lies outside of what there can be.
type Taken = BTreeMap<u32, Option<(i64, i64)>>;

/// What the service has answered.
#[derive(Default)]
pub(super) struct Books {
    receipts: BTreeMap<TokenDigest, Vec<u8>>,
    taken: BTreeMap<CredentialId, Taken>,
    settled: BTreeSet<RequestDigest>,
}

impl Books {
    pub(super) fn answered(&mut self, world: &World, request: &[u8], token: &[u8], receipt: &[u8]) {
        let unverified = Unverified::<PaymentToken>::parse(token).unwrap();
        let digest = unverified.token_digest(&cast::root());
        let token = *unverified.claims();
        world.must_verify(request, unverified);
        if let Some(known) = self.receipts.get(&digest) {
            return assert_eq!(known, receipt, "same token, same receipt");
        }
        self.receipts.insert(digest, receipt.to_vec());
        let receipt: Receipt = world.receipt(receipt);
        assert_eq!(receipt.token, digest);
        let interval = interval(&token);
        let taken = self.taken.entry(token.credential).or_default();
        let collides =
            taken.contains_key(&token.counter.0) || interval.is_some_and(|new| is_disorderly(taken, token.counter.0, new));
        assert_eq!(collides, receipt.outcome == Outcome::Cloned, "a clone is what takes what is taken, and nothing else is");
        if !collides {
            taken.insert(token.counter.0, interval);
        }
        if receipt.outcome.is_settled() {
            assert!(self.settled.insert(token.request), "a request settles once");
            assert!(interval.is_some());
        }
    }

    /// A token that was answered about, or none that ever was.
    pub(super) fn one(&self, input: &mut Input<'_>) -> Option<TokenDigest> {
        if input.below(8) == 0 {
            return Some(TokenDigest([9; 32]));
        }
        self.receipts.keys().nth(usize::from(input.any::<u8>()) % self.receipts.len().max(1)).copied()
    }
}

/// Of a token before another one, counter and total are both lower.
fn is_disorderly(taken: &Taken, counter: u32, (start, end): (i64, i64)) -> bool {
    let out_of_order = |(other, old): (&u32, &Option<(i64, i64)>)| match old {
        Some((_, until)) if *other < counter => *until > start,
        Some((from, _)) => end > *from,
        None => false,
    };
    taken.iter().any(out_of_order)
}

fn interval(token: &PaymentToken) -> Option<(i64, i64)> {
    let start = i64::try_from(token.interval_start()?.0).ok()?;
    let end = i64::try_from(token.cumulative.0).ok()?;
    (start < end).then_some((start, end))
}
