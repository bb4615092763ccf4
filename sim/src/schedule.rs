//! Which faults a world has: all that its seed draws, or those of them that were kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::dice::Dice;
use crate::fault::{Flow, Histogram, Kind, Place, Point, Rates};
use crate::queue::Time;

/// A fault that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds of the world's time.
    pub at: Time,
    /// Which opportunity.
    pub point: Point,
    /// In the middle of what.
    pub flow: Flow,
    /// What.
    pub kind: Kind,
}

/// Draws faults out of a seed, and remembers which there were.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    rates: Rates,
    without: BTreeSet<(u32, u32)>,
    only: Option<BTreeSet<Point>>,
    /// Of each owner: which errand, and how many opportunities it had.
    owners: BTreeMap<usize, (u32, u32)>,
    pub(crate) histogram: Histogram,
    pub(crate) events: Vec<Event>,
    /// No more of them.
    pub(crate) is_calm: bool,
}

impl Faults {
    pub(crate) fn new(seed: u64, rates: Rates, (without, only): (BTreeSet<(u32, u32)>, Option<BTreeSet<Point>>)) -> Self {
        let histogram = Histogram::default();
        Self { seed, rates, without, only, owners: BTreeMap::new(), histogram, events: Vec::new(), is_calm: false }
    }

    /// The next errand begins: its number; `None` where it is left out.
    pub(crate) fn next_errand(&mut self, owner: usize) -> Option<u32> {
        let (errand, number) = self.owners.entry(owner).or_default();
        (*errand, *number) = (*errand + 1, 0);
        (!self.without.contains(&(index(owner), *errand))).then_some(*errand)
    }

    pub(crate) fn errand(&self, owner: usize) -> u32 {
        self.owners.get(&owner).map_or(0, |(errand, _)| *errand)
    }

    /// Whether something goes wrong here, and dice for the particulars.
    pub(crate) fn draw(&mut self, owner: usize, flow: Flow, place: Place, now: Time) -> Option<(Kind, Dice)> {
        if self.is_calm {
            return None;
        }
        let (errand, number) = self.owners.entry(owner).or_default();
        *number += 1;
        let point = Point { owner: index(owner), errand: *errand, number: *number };
        let mut dice = Dice::named(&[self.seed, u64::from(point.owner), u64::from(point.errand), u64::from(point.number)]);
        let kind = place.draw(self.rates.during(flow), &mut dice)?;
        if self.only.as_ref().is_some_and(|only| !only.contains(&point)) {
            return None;
        }
        self.histogram.count(flow, kind);
        self.events.push(Event { at: now, point, flow, kind });
        Some((kind, dice))
    }
}

fn index(owner: usize) -> u32 {
    u32::try_from(owner).unwrap_or(u32::MAX)
}
