//! Entries, matched one by one with the token, refund or deposit that explains them.

use armring_wire::{AccountPseudonym, UnixTime};

use super::super::model::{Fault, Reference};

/// What explains entries.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Cause {
    /// Whose account it leaves; `None` where nobody knows whose that is.
    pub(in super::super) from: Option<AccountPseudonym>,
    /// Whose account gets it.
    pub(in super::super) to: Option<AccountPseudonym>,
    /// How much; nothing where it was refused.
    pub(in super::super) minor: i64,
    /// The currency's number.
    pub(in super::super) currency: u16,
    /// When, where it says so.
    pub(in super::super) time: Option<UnixTime>,
}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Moved {
    pub(in super::super) account: AccountPseudonym,
    pub(in super::super) change: i64,
    pub(in super::super) currency: u16,
    pub(in super::super) time: UnixTime,
}

/// All that there is about one reference, in any order.
#[derive(Debug, Default)]
pub(in super::super) struct Group {
    cause: Option<Cause>,
    has_two_causes: bool,
    /// What was given back of it: nothing, too, where a refund was refused.
    given_back: Option<i64>,
    first: Option<Moved>,
    second: Option<Moved>,
    has_more: bool,
}

impl Group {
    pub(in super::super) const fn cause(&mut self, cause: Cause) {
        self.has_two_causes |= self.cause.is_some();
        self.cause = Some(cause);
    }

    pub(in super::super) fn give_back(&mut self, minor: i64) {
        self.given_back = Some(self.given_back.unwrap_or_default().saturating_add(minor));
    }

    pub(in super::super) const fn entry(&mut self, moved: Moved) {
        match (self.first, self.second) {
            (None, _) => self.first = Some(moved),
            (_, None) => self.second = Some(moved),
            _ => self.has_more = true,
        }
    }

    /// What does not agree of it.
    pub(in super::super) fn faults(&self, reference: Reference) -> impl Iterator<Item = Fault> {
        let moved = match &self.cause {
            None => self.first.map(|_| Fault::Unexplained(reference)),
            Some(cause) => (self.has_two_causes || !self.agrees(cause)).then_some(Fault::Moved(reference)),
        };
        let paid = self.cause.map_or(0, |cause| cause.minor);
        let refunds = match reference {
            Reference::Payment(token) => self.given_back.filter(|given| self.cause.is_none() || *given > paid).map(|_| token),
            _ => None,
        };
        moved.into_iter().chain(refunds.map(Fault::Refunds))
    }

    /// Two entries where something moved, none where nothing did.
    fn agrees(&self, cause: &Cause) -> bool {
        if cause.minor == 0 {
            return self.first.is_none();
        }
        let (Some(from), Some(to), Some(first), Some(second)) = (cause.from, cause.to, self.first, self.second) else {
            return false;
        };
        let (out, into) = if first.change < second.change { (first, second) } else { (second, first) };
        let is_of = |moved: Moved| moved.currency == cause.currency && cause.time.is_none_or(|time| time == moved.time);
        !self.has_more
            && (out.account, into.account) == (from, to)
            && (out.change.checked_neg(), into.change) == (Some(cause.minor), cause.minor)
            && is_of(out)
            && is_of(into)
    }
}
