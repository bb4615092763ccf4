//! What attackers do, each in its whole: what they try, and that it fails as it must.

use super::super::action::{Action, Attack};
use super::super::args::Args;
use super::{Verb, attacker, person};

pub(super) const MIDDLE: [Verb; 17] = [
    attacker(
        "pair with PERSON's phone and band",
        |a| on(a, Attack::PairWithBoth),
        "Is a band for the phone and a phone for the band. The codes differ, and the person says no.",
    ),
    attacker("change PERSON's pairing", |a| on(a, Attack::ChangePairing), "Changes each part of a pairing by code, one in each."),
    attacker(
        "overhear PERSON pay SHOP",
        |a| at(a, |person, shop| Attack::Overhear { person, shop }),
        "Hands on all that phone and band say while the person pays what the shop asks, and finds nothing of it in the bytes.",
    ),
    attacker(
        "replay it to PERSON",
        |a| on(a, Attack::Replay),
        "Says what was overheard again: to the band as the phone, and to the phone as the band.",
    ),
    attacker(
        "replay PERSON's resuming",
        |a| on(a, Attack::ReplayResume),
        "Cuts a connection twice, and says again what the phone said when it resumed.",
    ),
    attacker("change PERSON's reconnect", |a| on(a, Attack::ChangeReconnect), "Changes each part of a reconnect, one in each."),
    attacker("forge PERSON's records", |a| on(a, Attack::ForgeRecords), "Puts forged records before a real one."),
    attacker(
        "disorder PERSON's messages",
        |a| on(a, Attack::Disorder),
        "Drops, repeats and swaps messages of a reconnect, and sends them back.",
    ),
    attacker(
        "disorder PERSON's fragments",
        |a| on(a, Attack::DisorderFragments),
        "Repeats fragments, and loses and swaps them where a message has several.",
    ),
    attacker(
        "overhear PERSON at SHOP",
        |a| at(a, |person, shop| Attack::OverhearCounter { person, shop }),
        "Hands on all that wallet and shop say while the person pays, and reads it.",
    ),
    attacker(
        "change what PERSON is asked at SHOP",
        |a| at(a, |person, shop| Attack::ChangeRequest { person, shop }),
        "Changes each part of the shop's request and certificate.",
    ),
    attacker(
        "show PERSON at SHOP the request of SHOP",
        |a| Some(Action::Attack(Attack::ReplaceRequest { person: a.name()?, shop: a.name()?, by: a.name()? })),
        "Puts another shop's request in its place. The person sees that, and shakes the band.",
    ),
    attacker(
        "change PERSON's token for SHOP",
        |a| at(a, |person, shop| Attack::ChangeToken { person, shop }),
        "Changes each part of the token, then hands it on.",
    ),
    attacker(
        "change PERSON's receipt from SHOP",
        |a| at(a, |person, shop| Attack::ChangeReceipt { person, shop }),
        "Changes each part of the receipt, puts what was overheard in its place and in the token's, then hands both on.",
    ),
    attacker(
        "redeem twice what PERSON pays SHOP",
        |a| at(a, |person, shop| Attack::ReplayRedeem { person, shop }),
        "Stands between the shop and the issuer and says again what the shop said.",
    ),
    attacker(
        "change what SHOP redeems of PERSON",
        |a| {
            let (shop, person) = (a.name()?, a.name()?);
            Some(Action::Attack(Attack::ChangeRedeem { person, shop }))
        },
        "Changes what the shop says to the issuer, and what it answers, then hands both on.",
    ),
    attacker(
        "change PERSON's enrolment",
        |a| on(a, Attack::ChangeEnrolment),
        "Stands between the phone and the issuer and changes each message of an enrolment. The person's next one is with the same code.",
    ),
];

pub(super) const WALLET: [Verb; 12] = [
    person("get infected", |_| Some(Action::Attack(Attack::Infect)), "Malware gets into the phone, which does what follows."),
    person(
        "be shown SHOP and asked for AMOUNT",
        |a| Some(Action::Attack(Attack::OtherAmount { shop: a.name()?, amount: a.amount()? })),
        "The phone shows what the shop asks, and asks the band for another amount. The person presses where the band asks for that.",
    ),
    person(
        "be shown SHOP and asked for SHOP",
        |a| at(a, |shown, paid| Attack::OtherPayee { shown, paid }),
        "The phone shows what the first shop asks, and asks the band to pay the second. The person presses, unless the band shows it.",
    ),
    person(
        "press once for SHOP and SHOP",
        |a| at(a, |first, second| Attack::TwoForOne { first, second }),
        "The phone asks for both payments. The person presses once.",
    ),
    person(
        "have the last token sent to SHOP",
        |a| on(a, Attack::OldToken),
        "The phone sends the token of the last payment where something else is asked now.",
    ),
    person(
        "do nothing for SHOP",
        |a| on(a, Attack::NoGesture),
        "The phone asks for a payment, and says all that might pass for a press.",
    ),
    person(
        "not wear it for SHOP",
        |a| on(a, Attack::NotWorn),
        "The phone unlocks the band and asks for a payment, off the wrist.",
    ),
    person(
        "press alone for SHOP",
        |a| on(a, Attack::UnlockByPhone),
        "The phone asks for a large amount, and says that its owner unlocked the band, who only presses.",
    ),
    person(
        "be brought another root",
        |_| Some(Action::Attack(Attack::OwnRoot)),
        "The phone brings keys that no issuer of the band's has signed.",
    ),
    person(
        "unpair and be called",
        |_| Some(Action::Attack(Attack::CallAfterUnpairing)),
        "The band forgets the phone, which has kept a copy of the link and connects with it.",
    ),
    person(
        "have malware enrolled",
        |_| Some(Action::Attack(Attack::EnrolMalware)),
        "The phone enrols a key of its own with a code of the person's. No band shows the digits.",
    ),
    person(
        "go near PERSON's band",
        |a| on(a, Attack::Approach),
        "From now on this person's phone finds that band, and is there when its wearer does something.",
    ),
];

fn on(args: &mut Args, attack: fn(String) -> Attack) -> Option<Action> {
    Some(Action::Attack(attack(args.name()?)))
}

fn at(args: &mut Args, attack: fn(String, String) -> Attack) -> Option<Action> {
    Some(Action::Attack(attack(args.name()?, args.name()?)))
}
