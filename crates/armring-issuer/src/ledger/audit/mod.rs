//! How every ledger finds what does not agree: what is compared here comes row by row, so that no books are too large for it.

pub(super) mod matching;
pub(super) mod signed;

use core::ops::ControlFlow;

use super::model::Fault;

/// How many faults of each check are told: whoever has more of them has other worries.
const MOST: usize = 1_000;

/// Faults, each once.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    of_this_check: usize,
}

impl Faults {
    /// What is found from here on belongs to another check.
    pub(super) const fn next_check(&mut self) {
        self.of_this_check = 0;
    }

    /// Whether the check is to go on.
    pub(super) fn push(&mut self, fault: Fault) -> ControlFlow<()> {
        if !self.found.contains(&fault) {
            self.found.push(fault);
            self.of_this_check = self.of_this_check.saturating_add(1);
        }
        self.go_on()
    }

    /// The same, for several or none.
    pub(super) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) -> ControlFlow<()> {
        for fault in faults {
            let _ = self.push(fault);
        }
        self.go_on()
    }

    pub(super) fn into_vec(self) -> Vec<Fault> {
        self.found
    }

    const fn go_on(&self) -> ControlFlow<()> {
        if self.of_this_check < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
