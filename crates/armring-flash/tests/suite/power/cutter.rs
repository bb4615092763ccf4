//! Cuts power, and counts.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::rc::Rc;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::after::{self, Broken};
use super::disk::Order;
use super::facts::{Entry, Facts};
use super::world::Setup;
use crate::common::{Op, Raw, Torn};

/// How often power was cut in one flow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    /// Cuts.
    pub(crate) cuts: usize,
    /// Different things that these left in the flash, each of which was mounted and loaded.
    pub(crate) left: usize,
    /// Different states of the band that these came to, each of which was lived on with.
    pub(crate) lived: usize,
    /// How often power was cut once more on the way.
    pub(crate) again: usize,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.left += other.left;
        self.lived += other.lived;
        self.again += other.again;
    }
}

/// The ways in which each operation is cut short. What is drawn at random is drawn several times.
const WAYS: [Torn; 16] = {
    use Torn::{Back, Barely, Bits, Front, Lost, Nearly, Whole, Words};
    [Lost, Whole, Front, Front, Front, Back, Back, Words, Words, Words, Bits, Bits, Bits, Bits, Nearly, Barely]
};

pub(crate) struct Cutter {
    pub(crate) counts: BTreeMap<&'static str, Count>,
    pub(crate) broken: Vec<Broken>,
    /// After this is found, nothing more is looked for.
    pub(crate) looks_for: Option<fn(&Broken) -> bool>,
    /// Whether power is cut in erasings alone.
    pub(crate) only_erasings: bool,
    /// The states of the band that were lived on with, in this life.
    lived: HashSet<u64>,
    /// So many cuts in all.
    most: usize,
    /// So many cuts in one flow at most, about.
    cap: usize,
    /// The flow that is being cut, and where.
    seed: u64,
    rng: ChaCha20Rng,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Cutter {
    pub(crate) fn new(seed: u64, most: usize, cap: usize) -> Self {
        let (counts, broken) = (BTreeMap::new(), Vec::new());
        let lived = HashSet::new();
        Self {
            counts,
            broken,
            looks_for: None,
            only_erasings: false,
            lived,
            most,
            cap,
            seed,
            rng: ChaCha20Rng::seed_from_u64(seed),
            hasher: BuildHasherDefault::new(),
        }
    }

    /// A life begins.
    pub(crate) fn begins(&mut self) {
        self.lived.clear();
    }

    /// Whether there were cuts enough, or what was looked for is found.
    pub(crate) fn is_done(&self) -> bool {
        self.cuts() >= self.most || self.has_found()
    }

    /// Whether what was looked for is found.
    pub(crate) fn has_found(&self) -> bool {
        self.looks_for.is_some_and(|looks_for| self.broken.iter().any(looks_for))
    }

    pub(crate) fn cuts(&self) -> usize {
        self.counts.values().map(|count| count.cuts).sum()
    }

    /// Cuts power at every operation of the flash, in several ways, and at everything else that happened.
    pub(crate) fn cut_everywhere(&mut self, flow: &'static str, before: Raw, entries: &[Entry], setup: Setup) {
        if self.is_done() {
            return;
        }
        let possible = entries.iter().map(|entry| if entry.op.is_some() { WAYS.len() } else { 1 }).sum::<usize>().max(1);
        let (mut raw, mut seen) = (before, HashSet::new());
        let mut count = self.counts.get(flow).copied().unwrap_or_default();
        for (index, entry) in entries.iter().enumerate() {
            let ways: &[Torn] = if entry.op.is_some() { &WAYS } else { &[Torn::Lost] };
            let is_left_out = self.only_erasings && !matches!(entry.op, Some(Op::Erase { .. }));
            for torn in ways.iter().filter(|_| !is_left_out) {
                if self.rng.next_u32() as usize % possible >= self.cap {
                    continue;
                }
                count.cuts += 1;
                let mut raw = raw.clone();
                if let Some(op) = &entry.op {
                    raw.apply(op, *torn, &mut self.rng);
                }
                let facts = Rc::as_ptr(&entry.facts) as usize;
                if !seen.insert(self.hasher.hash_one((&raw.bytes, facts))) {
                    continue;
                }
                count.left += 1;
                let seed = self.rng.next_u64();
                if let Err(broken) = self.examine(raw, &entry.facts, setup, seed, &mut count) {
                    assert!(
                        setup.order != Order::Right,
                        "{flow}, entry {index} of {}, {torn:?}, {:?}: {broken:?}; POWER_SEED={}",
                        entries.len(),
                        setup.face,
                        self.seed
                    );
                    if !self.broken.contains(&broken) {
                        self.broken.push(broken);
                    }
                }
            }
            if let Some(op) = &entry.op {
                raw.apply(op, Torn::Whole, &mut self.rng);
            }
        }
        self.counts.insert(flow, count);
    }

    /// The band starts with what is left; where nobody has seen that state yet, it is lived on with.
    fn examine(&mut self, raw: Raw, facts: &Rc<Facts>, setup: Setup, seed: u64, count: &mut Count) -> Result<(), Broken> {
        let power = after::power_on(raw, facts, setup, seed)?;
        let state = self.hasher.hash_one((&power.values, &**facts));
        // Now and then all the same, since what is left in the flash besides differs.
        if !self.lived.insert(state) && !seed.is_multiple_of(64) {
            return Ok(());
        }
        count.lived += 1;
        if (seed >> 32).is_multiple_of(8) {
            count.again += 1;
            return after::live_on_with_a_cut(power, facts, setup, seed);
        }
        after::live_on(power, facts, setup, seed)
    }
}
