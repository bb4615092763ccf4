//! What is left of a failure once all is taken out of it that it does not need.

use std::collections::BTreeSet;
use std::fmt;

use crate::record::Broken;
use crate::schedule::{Event, Item};
use crate::world::{Failure, Setup, World};

/// How many worlds are tried at most.
const TRIES: usize = 200;

/// A failure, and the least that was found to lead to it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// Whose seed leads there.
    pub setup: Setup,
    /// What did not hold, after all.
    pub broken: Broken,
    /// When, in milliseconds of the world's time.
    pub at: u64,
    /// How many faults there were at first.
    pub from: usize,
    /// The faults that are left.
    pub events: Vec<Event>,
    /// The errands that are left: whose, and which.
    pub errands: Vec<(u32, u32)>,
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setup, broken, at, from, events, errands } = self;
        writeln!(f, "SIM_SEED={} cargo test -p armring-sim --test suite -- --nocapture worlds_hold", setup.seed)?;
        writeln!(f, "{:?} is broken at {at} ms: {}", broken.invariant, broken.detail)?;
        writeln!(f, "of {from} faults {} are left, in the errands {errands:?}:", events.len())?;
        for Event { at, point, flow, kind } in events {
            writeln!(f, "{at:>9} ms  {kind:?} in {flow:?}, {}'s errand {}, no. {}", point.owner, point.errand, point.number)?;
        }
        Ok(())
    }
}

/// Takes out errands, then faults, by halves, for as long as the same invariant is broken (Zeller, Hildebrandt: "Simplifying and Isolating
/// Failure-Inducing Input").
#[must_use]
pub fn shrink(setup: &Setup, failure: &Failure) -> Shrunk {
    let from = failure.events.len();
    let mut search = Search { setup: setup.clone(), failure: failure.clone(), tries: TRIES };
    // Pairing and enrolling come first and are always there.
    search.thin(|failure| failure.errands.iter().filter(|(_, number)| *number > 2).map(|it| Item::Errand(it.0, it.1)).collect());
    search.thin(|failure| failure.events.iter().map(|event| Item::Fault(event.point)).collect());
    let Search { setup, failure: Failure { broken, at, events, errands }, .. } = search;
    Shrunk { setup, broken, at, from, events, errands }
}

struct Search {
    setup: Setup,
    failure: Failure,
    tries: usize,
}

impl Search {
    fn thin(&mut self, items: fn(&Failure) -> Vec<Item>) {
        let mut parts = 2;
        loop {
            let items = items(&self.failure);
            let size = items.len().div_ceil(parts).max(1);
            let thinner = items.chunks(size).any(|part| self.fails_without(part));
            if !thinner && size == 1 || items.is_empty() || self.tries == 0 {
                return;
            }
            parts = if thinner { 2.max(parts - 1) } else { parts * 2 };
        }
    }

    fn fails_without(&mut self, part: &[Item]) -> bool {
        if self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        let without: BTreeSet<Item> = self.setup.without.iter().chain(part).copied().collect();
        let setup = Setup { without, ..self.setup.clone() };
        match World::live(setup.clone()) {
            Err(failure) if failure.broken.invariant == self.failure.broken.invariant => {
                (self.setup, self.failure) = (setup, failure);
                true
            }
            _ => false,
        }
    }
}
