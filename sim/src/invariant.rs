//! What must hold, whatever happens.

/// What must hold, whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Books sum to zero, and each account has what was settled.
    MoneyIsConserved,
    /// Nobody pays more than they have.
    NoOverdraft,
    /// Nothing is paid without a gesture of its own, or the free limit.
    AGestureForEachPayment,
    /// Nobody pairs without a gesture of the wearer's for this attempt.
    AGestureForEachPairing,
    /// No more is paid without a gesture than is granted.
    FreeLimit,
    /// Nothing is paid off the wrist, or locked.
    WornAndUnlocked,
    /// A large amount takes an unlocking by the wearer, after it was asked for.
    FreshUnlock,
    /// No amount is above its limit.
    Limits,
    /// What is paid is what the wearer saw and wanted.
    WhatWasShown,
    /// What settles is what the payee asked for.
    WhatWasAsked,
    /// No two tokens of a credential have the same counter.
    NoCounterTwice,
    /// No two tokens of a credential have overlapping totals.
    NoIntervalTwice,
    /// No request is settled by two tokens.
    NoRequestTwice,
    /// No token leaves a band before it is stored.
    StoredBeforeSigned,
    /// The same token gets the same receipt.
    OneAnswer,
    /// What was receipted is settled, and stays so.
    ReceiptedIsSettled,
    /// What is accepted without network is within the ceilings.
    PendingIsBounded,
    /// What was accepted without network is not forgotten until the issuer has answered.
    PendingIsRedeemed,
    /// What is not active does not pay.
    OnlyActivePays,
    /// Nobody pays themselves.
    NotToSelf,
    /// What has expired does not settle.
    NotExpired,
    /// No more is given back than was paid.
    RefundsAreBounded,
    /// Nothing of value leaves in the clear.
    NoPlaintext,
    /// Nothing that a band or phone says over the radio is what somebody has said before: no nonce, challenge or key serves twice.
    NothingTwice,
    /// No connection comes about over which something was changed, put in or taken out.
    ChangedIsRefused,
    /// A phone and a band whose codes differ are not paired with whoever stands between them.
    NobodyInTheMiddle,
    /// Who uses a copy of a link is noticed.
    CopiesAreNoticed,
    /// A clone is found, and refused from then on.
    ClonesAreFrozen,
    /// Who is honest gets on once faults stop.
    Progress,
}

/// What did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which of them.
    pub invariant: Invariant,
    /// What was seen.
    pub detail: String,
}

pub(crate) type Held = Result<(), Broken>;

/// `condition`, or the invariant is broken.
pub(crate) fn holds(condition: bool, invariant: Invariant, detail: impl FnOnce() -> String) -> Held {
    if condition { Ok(()) } else { Err(Broken { invariant, detail: detail() }) }
}
