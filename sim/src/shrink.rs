//! What is left of a failure once all is taken out of it that it does not need.

use std::collections::BTreeSet;
use std::fmt;

use crate::explore::replay;
use crate::fault::Point;
use crate::invariant::Broken;
use crate::schedule::Event;
use crate::world::{Failure, Setup, World};

/// How many worlds are tried at most.
const TRIES: usize = 120;

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
        writeln!(f, "{}", replay(setup.seed))?;
        writeln!(f, "{:?} is broken at {at} ms: {}", broken.invariant, broken.detail)?;
        writeln!(f, "of {from} faults {} are left, in the errands {errands:?}:", events.len())?;
        for Event { at, point, flow, kind } in events {
            writeln!(f, "{at:>9} ms  {kind:?} in {flow:?}, {}'s errand {}, no. {}", point.owner, point.errand, point.number)?;
        }
        Ok(())
    }
}

/// Keeps the faults that happened and no others; then takes out all faults, or errands with theirs, then faults, by halves, for as long as the same invariant is broken (Zeller,
/// Hildebrandt: "Simplifying and Isolating Failure-Inducing Input").
#[must_use]
pub fn shrink(setup: &Setup, failure: &Failure) -> Shrunk {
    let from = failure.events.len();
    let only = failure.events.iter().map(|event| event.point).collect();
    // What would fail much later is another matter.
    let until = Some(failure.at * 2);
    let setup = Setup { only: Some(only), until, ..setup.clone() };
    let mut search = Search { setup, failure: failure.clone(), tries: TRIES };
    search.fails(Setup { only: Some(BTreeSet::new()), ..search.setup.clone() });
    search.thin(Failure::optional, |setup, part| setup.without.extend(part.iter().copied()));
    search.thin(Failure::faults, |setup, part| {
        if let Some(only) = &mut setup.only {
            only.retain(|point| !part.contains(point));
        }
    });
    let Search { setup, failure: Failure { broken, at, events, errands }, .. } = search;
    Shrunk { setup, broken, at, from, events, errands }
}

impl Failure {
    fn faults(&self) -> Vec<Point> {
        self.events.iter().map(|event| event.point).collect()
    }

    /// The errands without those that come first for everybody: pairing and enrolling.
    fn optional(&self) -> Vec<(u32, u32)> {
        self.errands.iter().filter(|(_, number)| *number > 2).copied().collect()
    }
}

struct Search {
    setup: Setup,
    failure: Failure,
    tries: usize,
}

impl Search {
    fn thin<T>(&mut self, items: fn(&Failure) -> Vec<T>, leave_out: fn(&mut Setup, &[T])) {
        let mut parts = 1;
        loop {
            let items = items(&self.failure);
            let size = items.len().div_ceil(parts).max(1);
            let thinner = items.chunks(size).any(|part| {
                let mut setup = self.setup.clone();
                leave_out(&mut setup, part);
                self.fails(setup)
            });
            if items.is_empty() || self.tries == 0 || (!thinner && size == 1) {
                return;
            }
            parts = if thinner { 2.max(parts - 1) } else { parts * 2 };
        }
    }

    /// Whether the same is broken in this world.
    fn fails(&mut self, setup: Setup) -> bool {
        if self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        match World::live(setup.clone()) {
            Err(failure) if failure.broken.invariant == self.failure.broken.invariant => {
                (self.setup, self.failure) = (setup, failure);
                true
            }
            _ => false,
        }
    }
}
