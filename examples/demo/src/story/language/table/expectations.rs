//! What a story expects.

use super::super::action::{Action, Wanted};
use super::super::args::Args;
use super::{Verb, story};

pub(super) const EXPECT: [Verb; 10] = [
    story("expect settled [TEXT] [tell TEXT]", |a| expect(a, Wanted::Settled), "The issuer settled it."),
    story("expect refused [TEXT] [tell TEXT]", |a| expect(a, Wanted::Refused), "Somebody refused it, or could not do it."),
    story("expect pending [TEXT] [tell TEXT]", |a| expect(a, Wanted::Pending), "A shop without network accepted it."),
    story("expect waiting [TEXT] [tell TEXT]", |a| expect(a, Wanted::Waiting), "The band waits for its wearer."),
    story("expect resumed [TEXT] [tell TEXT]", |a| expect(a, Wanted::Resumed), "The connection goes on where it was cut."),
    story("expect reconnected [TEXT] [tell TEXT]", |a| expect(a, Wanted::Reconnected), "It is a new connection over the link."),
    story(
        "expect used elsewhere [TEXT] [tell TEXT]",
        |a| expect(a, Wanted::UsedElsewhere),
        "It is a new connection, and somebody else has used the link with a copy of what band or phone keep.",
    ),
    story("expect done [TEXT] [tell TEXT]", |a| expect(a, Wanted::Done), "It was done."),
    story(
        "expect the receipt of TEXT [tell TEXT]",
        |a| Some(Action::ExpectSameReceipt { memo: a.text()?, tell: a.text() }),
        "It ended with the receipt that there was for this the first time, byte for byte; for a refund of tea it is of \"the refund of tea\".",
    ),
    story(
        "expect books BALANCES",
        |a| Some(Action::ExpectBooks(a.balances()?)),
        "These accounts hold these amounts, and the issuer's ledger agrees with itself.",
    ),
];

fn expect(args: &mut Args, wanted: Wanted) -> Option<Action> {
    Some(Action::Expect { wanted, part: args.text(), tell: args.text() })
}
