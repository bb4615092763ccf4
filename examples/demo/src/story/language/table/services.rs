//! What shops and the issuer do.

use super::super::action::Action;
use super::{Verb, issuer, shop};

pub(super) const SHOP: [Verb; 9] = [
    shop(
        "sell AMOUNT [for TEXT]",
        |a| Some(Action::Sell { amount: a.amount()?, memo: a.text() }),
        "Asks for that, for ten minutes, from whoever comes by.",
    ),
    shop("fetch the lists", |_| Some(Action::FetchLists), "Gets the issuer's key list, and the list of who is revoked."),
    shop("go offline", |_| Some(Action::Network { up: false }), "There is no network."),
    shop("go online", |_| Some(Action::Network { up: true }), "There is network again."),
    shop("redeem what is pending", |_| Some(Action::RedeemPending), "Redeems what was accepted without network."),
    shop(
        "redeem TEXT again",
        |a| Some(Action::RedeemAgain { memo: a.text()? }),
        "Sends the token of what was sold for that to the issuer once more.",
    ),
    shop(
        "refund AMOUNT of TEXT",
        |a| Some(Action::Refund { amount: a.amount()?, memo: a.text()?, other_till: false }),
        "Gives so much back of what was paid for that.",
    ),
    shop(
        "refund AMOUNT of TEXT at another till",
        |a| Some(Action::Refund { amount: a.amount()?, memo: a.text()?, other_till: true }),
        "The same at a till that has not heard of any refund.",
    ),
    shop(
        "refund TEXT again",
        |a| Some(Action::RefundAgain { memo: a.text()? }),
        "Sends the last refund of that to the issuer once more.",
    ),
];

pub(super) const ISSUER: [Verb; 5] = [
    issuer(
        "replace PERSON's band",
        |a| Some(Action::Replace { person: a.name()? }),
        "The band is lost: its credential is revoked, and its owner's next enrolment is of another band on the same account.",
    ),
    issuer(
        "allow NUMBER payments of AMOUNT and AMOUNT together without a press",
        |a| Some(Action::AllowFree { count: u16::try_from(a.number()?).ok()?, each: a.amount()?, total: a.amount()? }),
        "So it stands in credentials from now on: so many in a row, each of that at most. A press begins the count anew.",
    ),
    issuer(
        "announce new keys",
        |_| Some(Action::AnnounceKeys),
        "Publishes a key list with new keys, before anything is signed with them.",
    ),
    issuer("use the new keys", |_| Some(Action::UseNewKeys), "Signs with them."),
    issuer("audit", |_| Some(Action::Audit), "All money that went into accounts is there, and every entry has its counterpart."),
];
