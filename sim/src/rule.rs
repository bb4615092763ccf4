//! Rules that a party can leave out: the world must notice each of them.

use crate::invariant::Invariant;

/// A rule of the protocol that somebody leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A band signs before the token is durable.
    StoreBeforeSigning,
    /// A band whose counter is not what it last stored once power was gone.
    CounterOutlivesPower,
    /// A band whose total begins anew once power was gone.
    TotalOutlivesPower,
    /// A band whose count of free payments begins anew with each start.
    FreeCountOutlivesPower,
    /// A band that says that it is paired, and has not stored the link.
    LinkOutlivesPower,
    /// A band that signs for payees without network whatever its ceiling.
    BandKeepsCeiling,
    /// A band that pays the next request with the last press.
    OneGestureOneRequest,
    /// A band whose pairing window opens again after each attempt.
    OneGestureOneAttempt,
    /// People who say that two codes are the same without looking.
    PeopleCompare,
    /// A band that draws the same challenge and the same keys for each connection.
    FreshChallenge,
    /// A band that does not lock when it is taken off.
    LocksOffTheWrist,
    /// A band that takes an earlier unlocking for a large amount.
    FreshUnlock,
    /// A display that shows what the wallet says, not what it verified.
    DisplayVerifies,
    /// A wallet that shows what its person wants to see, whatever the request is.
    WalletVerifies,
    /// A wallet that writes its link down only after the band has answered.
    WalletKeepsFirst,
    /// A wallet that forgives any number of reconnects that were not its own.
    GenerationsAgree,
    /// A payee without floor limits.
    FloorLimits,
    /// A payee that takes tokens for online payees alone without asking.
    PayeeKeepsCeiling,
    /// A payee that says pending and has not written it down.
    PendingOutlivesPower,
    /// An issuer whose credentials grant more without a gesture than its operator does.
    FreeLimitIsGranted,
    /// An issuer that freezes on what does not verify.
    OnlyEvidenceFreezes,
    /// An issuer that answers the same token anew each time.
    OneAnswer,
    /// An issuer for which the outcome of this number is no reason not to settle, or not to give back.
    Outcome(u8),
    /// An issuer that refuses a clone's token and does not freeze.
    ClonesFreeze,
}

/// A rule, what notices that it is left out, and the first seed with which that is looked for.
pub type Mutation = (Rule, &'static [Invariant], u64);

impl Rule {
    /// All of them.
    pub const ALL: &'static [Mutation] = &[
        (Self::StoreBeforeSigning, &[Invariant::StoredBeforeSigned], 1),
        (Self::CounterOutlivesPower, &[Invariant::NoCounterTwice], 1),
        (Self::TotalOutlivesPower, &[Invariant::NoIntervalTwice], 1),
        (Self::FreeCountOutlivesPower, &[Invariant::FreeLimit], 1),
        (Self::LinkOutlivesPower, &[Invariant::Progress], 1),
        (Self::BandKeepsCeiling, &[Invariant::PendingIsBounded], 3),
        (Self::OneGestureOneRequest, &[Invariant::AGestureForEachPayment], 1),
        (Self::OneGestureOneAttempt, &[Invariant::AGestureForEachPairing], 1),
        (Self::PeopleCompare, &[Invariant::NobodyInTheMiddle], 1),
        (
            Self::FreshChallenge,
            &[
                Invariant::CopiesAreNoticed,
                Invariant::AGestureForEachPayment,
                Invariant::WhatWasShown,
                Invariant::ChangedIsRefused,
            ],
            1,
        ),
        (Self::LocksOffTheWrist, &[Invariant::WornAndUnlocked, Invariant::FreshUnlock], 1),
        (Self::FreshUnlock, &[Invariant::FreshUnlock], 1),
        (Self::DisplayVerifies, &[Invariant::WhatWasShown], 1),
        (Self::WalletVerifies, &[Invariant::WhatWasShown], 1),
        (Self::WalletKeepsFirst, &[Invariant::CopiesAreNoticed], 1),
        (Self::GenerationsAgree, &[Invariant::CopiesAreNoticed], 1),
        (Self::FloorLimits, &[Invariant::PendingIsBounded], 1),
        (Self::PayeeKeepsCeiling, &[Invariant::PendingIsBounded], 1),
        (Self::PendingOutlivesPower, &[Invariant::PendingIsRedeemed], 1),
        (Self::FreeLimitIsGranted, &[Invariant::FreeLimit], 1),
        (Self::OnlyEvidenceFreezes, &[Invariant::Progress], 1),
        (Self::OneAnswer, &[Invariant::OneAnswer], 1),
        (Self::Outcome(2), &[Invariant::OnlyActivePays], 1),
        (Self::Outcome(3), &[Invariant::OnlyActivePays], 1),
        (Self::Outcome(4), &[Invariant::NotExpired], 1),
        (Self::Outcome(6), &[Invariant::Limits], 1),
        (Self::Outcome(8), &[Invariant::NoOverdraft], 1),
        (Self::Outcome(9), &[Invariant::NoRequestTwice], 1),
        (Self::Outcome(10), &[Invariant::NoCounterTwice, Invariant::NoIntervalTwice, Invariant::ClonesAreFrozen], 1),
        (Self::Outcome(11), &[Invariant::NotToSelf], 1),
        (Self::Outcome(13), &[Invariant::Limits], 5),
        (Self::Outcome(14), &[Invariant::RefundsAreBounded], 1),
        (Self::ClonesFreeze, &[Invariant::ClonesAreFrozen], 1),
    ];
}
