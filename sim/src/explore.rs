//! Many worlds, one after another, until there were enough faults.

use std::fmt;

use crate::fault::Histogram;
use crate::invariant::Invariant;
use crate::rule::Mutation;
use crate::shrink::{Shrunk, shrink};
use crate::world::{Outcome, Setup, World};

/// What was lived through.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed of the first world. The next one's is one more.
    pub seed: u64,
    /// How many worlds.
    pub worlds: u64,
    /// The faults that hit something unfinished.
    pub histogram: Histogram,
    /// Errands that were begun.
    pub errands: u64,
    /// Payments that settled.
    pub settled: u64,
    /// Refunds that settled.
    pub refunded: u64,
    /// Virtual hours.
    pub hours: u64,
}

impl Report {
    fn add(&mut self, outcome: &Outcome) {
        self.worlds += 1;
        self.histogram.add(&outcome.histogram);
        self.errands += outcome.errands;
        self.settled += outcome.settled as u64;
        self.refunded += outcome.refunded as u64;
        self.hours += outcome.time.div_ceil(3_600_000);
    }

    /// Puts two parts together.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.seed = self.seed.min(other.seed);
        self.histogram.add(&other.histogram);
        self.worlds += other.worlds;
        self.errands += other.errands;
        self.settled += other.settled;
        self.refunded += other.refunded;
        self.hours += other.hours;
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, worlds, histogram, errands, settled, refunded, hours } = self;
        write!(f, "{} faults in {worlds} worlds from seed {seed} on, ", histogram.total())?;
        writeln!(f, "{errands} errands, {settled} payments and {refunded} refunds settled, {hours} virtual hours")?;
        histogram.fmt(f)
    }
}

/// Lives through every `stride`th world from `seed` on, until there were so many faults. `tell` hears how many there are, after each.
///
/// # Errors
/// What is left of the first world in which an invariant does not hold.
pub fn explore(seed: u64, stride: u64, faults: u64, tell: &mut dyn FnMut(u64)) -> Result<Report, Box<Shrunk>> {
    let mut report = Report { seed, ..Report::default() };
    let mut next = seed;
    while report.histogram.total() < faults {
        let setup = Setup::of(next);
        match World::live(setup.clone()) {
            Ok(outcome) => report.add(&outcome),
            Err(failure) => {
                // Shrinking takes minutes.
                eprintln!("{}\n{:?} is broken at {} ms", replay(next), failure.broken.invariant, failure.at);
                return Err(Box::new(shrink(&setup, &failure)));
            }
        }
        tell(report.histogram.total());
        next = next.wrapping_add(stride);
    }
    Ok(report)
}

/// The line that lives through this world again, and shrinks it where it fails.
pub(crate) fn replay(seed: u64) -> String {
    format!("cargo run -p armring-sim -- --faults 1 --seed {seed} --threads 1")
}

/// How many worlds it takes until one of these notices that this rule is left out, and which one does; `None` where none of so many does.
#[must_use]
pub fn notices((rule, invariants, seed): Mutation, worlds: u64) -> Option<(u64, Invariant)> {
    (0..worlds).find_map(|number| {
        let setup = Setup { omits: Some(rule), ..Setup::of(seed + number) };
        let broken = World::live(setup).err()?.broken.invariant;
        invariants.contains(&broken).then_some((number + 1, broken))
    })
}
