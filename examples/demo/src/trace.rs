//! Who sends what to whom.

use std::io;

use crate::air::Cost;
use crate::control::{Report, Trace, micros, report};

/// A link as it is told of: two names.
#[derive(Clone)]
pub(crate) struct Ends {
    pub(crate) here: String,
    pub(crate) there: String,
}

impl Ends {
    pub(crate) fn new(here: &str, there: &str) -> Self {
        Self { here: here.to_owned(), there: there.to_owned() }
    }

    /// Tells of a message that is about to leave here.
    pub(crate) fn sent(&self, name: &str, message: usize, sealed: bool, cost: Cost) -> io::Result<()> {
        tell(&self.here, &self.there, name, message, sealed, cost)
    }

    /// Tells of a message that arrived here.
    pub(crate) fn received(&self, name: &str, message: usize, sealed: bool, cost: Cost) -> io::Result<()> {
        tell(&self.there, &self.here, name, message, sealed, cost)
    }
}

fn tell(from: &str, to: &str, name: &str, message: usize, sealed: bool, cost: Cost) -> io::Result<()> {
    let Cost { fragments, on_air } = cost;
    let (from, to, name) = (from.to_owned(), to.to_owned(), name.to_owned());
    report(&Report::Trace(Trace { from, to, name, message, sealed, fragments, on_air, at: micros() }))
}
