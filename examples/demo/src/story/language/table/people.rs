//! What a person does with a band and a phone.

use super::super::action::{Action, Device, Face, Pairing};
use super::{Verb, person};

pub(super) const PERSON: [Verb; 45] = [
    person(
        "set up",
        |_| Some(Action::SetUp),
        "All that a new band needs, in one line: pair as it can, connect, enrol, put on, unlock.",
    ),
    person(
        "pair by code",
        |_| Some(Action::Pair(Pairing::Code)),
        "Holds the band's button, which opens the pairing window; compares the digits on band and phone, and says yes on both.",
    ),
    person(
        "pair by code and say no on the band",
        |_| Some(Action::PairNot { on: Device::Band }),
        "The same, but that a shake of the band says no.",
    ),
    person(
        "pair by code and say no on the phone",
        |_| Some(Action::PairNot { on: Device::Phone }),
        "The same, but that the phone hangs up.",
    ),
    person("hold", |_| Some(Action::Hold), "Holds the button: the pairing window is open for a minute, for one attempt."),
    person(
        "pair in the window",
        |_| Some(Action::Pair(Pairing::CodeInWindow)),
        "Pairs by code without holding the button, for which the window must be open still.",
    ),
    person(
        "ask to pair again",
        |_| Some(Action::AskToPairAgain),
        "The phone asks the band to let another link take the place of its own. The band waits until its button is held.",
    ),
    person("pair by qr", |_| Some(Action::Pair(Pairing::Qr)), "Holds the button; the phone scans what the band's display shows."),
    person(
        "pair by label",
        |_| Some(Action::Pair(Pairing::Label)),
        "The same with what is printed on the band's label, which somebody else may have seen.",
    ),
    person(
        "pair by press",
        |_| Some(Action::Pair(Pairing::Press)),
        "Holds the button, and nothing is compared. A band that can do better refuses.",
    ),
    person(
        "pair inside",
        |_| Some(Action::Pair(Pairing::Code)),
        "A phone alone: pairs and connects to what plays the band inside of it.",
    ),
    person(
        "connect",
        |_| Some(Action::Connect),
        "Connects the phone to the band: goes on with the last connection if it was cut, else over the link anew.",
    ),
    person("hang up", |_| Some(Action::HangUp), "The phone says goodbye to the band."),
    person("cut the link", |_| Some(Action::CutTheLink), "The phone is out of reach, and nobody says goodbye."),
    person(
        "enrol",
        |_| Some(Action::Enrol),
        "Gets a code on the issuer's page, has the band enrol with it, compares the digits on band and page, and confirms there.",
    ),
    person("put on", |_| Some(Action::PutOn), "Puts the band on. It is locked."),
    person("take off", |_| Some(Action::TakeOff), "Takes it off. After 2 s it is locked."),
    person(
        "unlock",
        |_| Some(Action::Unlock { right: true }),
        "Taps the pattern. The first one tapped is the right one from then on. On a phone alone: the finger on its sensor.",
    ),
    person("unlock wrongly", |_| Some(Action::Unlock { right: false }), "Taps another one. The band counts that."),
    person(
        "unlock by PIN",
        |_| Some(Action::UnlockByPin { right: true }),
        "Enters the PIN on a band with keys for that, where no pattern was tapped before. The first one entered is the right one.",
    ),
    person("unlock by a wrong PIN", |_| Some(Action::UnlockByPin { right: false }), "Enters another one. The band counts that."),
    person(
        "unlock by the phone",
        |_| Some(Action::UnlockByPhone),
        "The phone recognises its owner and tells the band, which takes that for less than what is entered on it.",
    ),
    person(
        "press",
        |_| Some(Action::Press),
        "Presses the band once, which pays what waits to be paid. On a phone alone: the finger on its sensor.",
    ),
    person(
        "press twice",
        |_| Some(Action::PressTwice),
        "Signs what waits to be asked for; the phone then waits for whoever pays it.",
    ),
    person("press three times", |_| Some(Action::PressThreeTimes), "Forgets what waits to be forgotten."),
    person("shake", |_| Some(Action::Shake), "Says no to what waits."),
    person("reset", |_| Some(Action::Reset), "Holds the button for 15 s: the band erases links, credentials, keys and pattern."),
    person(
        "pay AMOUNT to PAYEE [for TEXT]",
        |a| Some(Action::Pay { amount: Some(a.amount()?), payee: a.name()?, memo: a.text() }),
        "A shop sells that first; a person must have asked for it. The phone gets the request, the band waits for its wearer, or refuses.",
    ),
    person(
        "pay PAYEE",
        |a| Some(Action::Pay { amount: None, payee: a.name()?, memo: None }),
        "The same for whatever is asked for there, which was sold, or asked for, before.",
    ),
    person(
        "go on",
        |_| Some(Action::GoOn),
        "Has the phone go on with its last payment, wherever that stopped: the same request, the same token, the same receipt.",
    ),
    person(
        "receive AMOUNT [for TEXT]",
        |a| Some(Action::Receive { amount: a.amount()?, memo: a.text() }),
        "Has the phone ask for money. The band waits for two presses.",
    ),
    person(
        "unpair",
        |_| Some(Action::Unpair { others: false }),
        "The phone asks the band to forget it. The band waits for three presses.",
    ),
    person(
        "unpair the others",
        |_| Some(Action::Unpair { others: true }),
        "The phone asks the band to forget all other phones. Likewise.",
    ),
    person(
        "take a new band",
        |_| Some(Action::NewBand { face: Face::Lights }),
        "Another band, which knows nobody yet, in place of this one.",
    ),
    person("take a new band with a display", |_| Some(Action::NewBand { face: Face::Display }), "The same with a display."),
    person("take the other band", |_| Some(Action::Old(Device::Band)), "Takes the band that was in use before."),
    person(
        "take a new phone",
        |_| Some(Action::NewPhone),
        "Another phone, on which nothing is stored yet, in place of this one.",
    ),
    person("take the other phone", |_| Some(Action::Old(Device::Phone)), "Takes the phone that was in use before."),
    person("kill the band", |_| Some(Action::Kill(Device::Band)), "Its process ends at once, as by a power cut."),
    person("kill the phone", |_| Some(Action::Kill(Device::Phone)), "The same for the phone."),
    person("start the band", |_| Some(Action::Start(Device::Band)), "Starts it again, with what it has stored."),
    person("start the phone", |_| Some(Action::Start(Device::Phone)), "The same for the phone."),
    person("update the keys", |_| Some(Action::UpdateKeys), "Gets the issuer's key list and tells the band."),
    person("tell the first keys", |_| Some(Action::FirstKeys), "Tells the band the key list that the issuer began with."),
    person(
        "check the receipts",
        |_| Some(Action::CheckReceipts),
        "Verifies all receipts on the phone with the key list that is there.",
    ),
];
