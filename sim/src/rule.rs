//! Rules that a party can leave out: the world must notice each of them.

use crate::record::Invariant;

/// A rule of the protocol that somebody leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A band signs before the token is durable.
    StoreBeforeSigning,
    /// A band whose counter is not what it last stored once power was gone.
    CounterOutlivesPower,
    /// A band whose count of free payments begins anew with each start.
    FreeCountOutlivesPower,
    /// A band that pays the next request with the last press.
    OneGestureOneRequest,
    /// A band that does not lock when it is taken off.
    LocksOffTheWrist,
    /// A band that takes an earlier unlocking for a large amount.
    FreshUnlock,
    /// A display that shows what the wallet says, not what it verified.
    DisplayVerifies,
    /// A wallet that shows what its person wants to see, whatever the request is.
    WalletVerifies,
    /// A wallet that forgives any number of reconnects that were not its own.
    GenerationsAgree,
    /// A payee without floor limits.
    FloorLimits,
    /// A payee that takes tokens for online payees alone without asking.
    Ceiling,
    /// An issuer that settles the same token each time.
    OneAnswer,
    /// An issuer for which this outcome is no reason not to settle.
    Outcome(u8),
    /// An issuer that refuses a clone's token and does not freeze.
    ClonesFreeze,
}

impl Rule {
    /// All of them, each with what notices that it is left out.
    pub const ALL: [(Self, Invariant); 22] = [
        (Self::StoreBeforeSigning, Invariant::StoredBeforeSigned),
        (Self::CounterOutlivesPower, Invariant::NoCounterTwice),
        (Self::FreeCountOutlivesPower, Invariant::FreeLimit),
        (Self::OneGestureOneRequest, Invariant::AGestureForEachPayment),
        (Self::LocksOffTheWrist, Invariant::WornAndUnlocked),
        (Self::FreshUnlock, Invariant::FreshUnlock),
        (Self::DisplayVerifies, Invariant::WhatWasShown),
        (Self::WalletVerifies, Invariant::WhatWasShown),
        (Self::GenerationsAgree, Invariant::CopiesAreNoticed),
        (Self::FloorLimits, Invariant::PendingIsBounded),
        (Self::Ceiling, Invariant::PendingIsBounded),
        (Self::OneAnswer, Invariant::OneAnswer),
        (Self::Outcome(2), Invariant::OnlyActivePays),
        (Self::Outcome(3), Invariant::OnlyActivePays),
        (Self::Outcome(4), Invariant::NotExpired),
        (Self::Outcome(6), Invariant::Limits),
        (Self::Outcome(8), Invariant::NoOverdraft),
        (Self::Outcome(9), Invariant::NoRequestTwice),
        (Self::Outcome(10), Invariant::NoCounterTwice),
        (Self::Outcome(11), Invariant::NotToSelf),
        (Self::Outcome(13), Invariant::Limits),
        (Self::ClonesFreeze, Invariant::ClonesAreFrozen),
    ];
}
