//! A simulated world.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "the world's own numbers are in range, and a simulator that is wrong is to stop"
)]

mod books;
mod cast;
mod dice;
mod explore;
mod fault;
mod happening;
mod life;
mod net;
mod objects;
mod people;
mod phone;
mod queue;
mod radio;
mod record;
mod rule;
mod schedule;
mod shrink;
mod sniffer;
mod thief;
mod till;
mod world;
mod wrist;

pub use explore::{Report, explore, notices};
pub use fault::{Flow, Histogram, Kind, Point, Rates};
pub use record::{Broken, Invariant};
pub use rule::{Mutation, Rule};
pub use schedule::{Event, Item};
pub use shrink::{Shrunk, shrink};
pub use world::{Failure, Outcome, Setup};

/// Lives through a world.
///
/// # Errors
/// A [`Failure`] where an invariant does not hold.
pub fn live(setup: Setup) -> Result<Outcome, Box<Failure>> {
    world::World::live(setup).map_err(Box::new)
}
