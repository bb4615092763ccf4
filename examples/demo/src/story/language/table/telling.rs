//! The story itself: what is told, who enters, what comes from outside.

use super::super::action::{Action, Device, Door, Equipment, Face};
use super::super::args::Args;
use super::{Verb, story};

pub(super) const STORY: [Verb; 21] = [
    story("title TEXT", |a| Some(Action::Title(a.text()?)), "What the story is called. Told at the top."),
    story("chapter TEXT", |a| Some(Action::Chapter(a.text()?)), "Begins a chapter."),
    story("say TEXT", |a| Some(Action::Say(a.text()?)), "Tells the reader something."),
    story("hide messages", |_| Some(Action::Messages { shown: false }), "From here on, the messages on the way are left out."),
    story("show messages", |_| Some(Action::Messages { shown: true }), "From here on, they are told again."),
    story(
        "enter NEW with a band [and AMOUNT]",
        |a| enter(a, Equipment::Band(Face::Lights)),
        "Somebody enters with a phone and a band that shows digits, and has an account at the issuer with so much in it.",
    ),
    story(
        "enter NEW with a band with a display [and AMOUNT]",
        |a| enter(a, Equipment::Band(Face::Display)),
        "The same with a band that shows a code to scan, and who asks to be paid.",
    ),
    story(
        "enter NEW with a band with a button [and AMOUNT]",
        |a| enter(a, Equipment::Band(Face::Button)),
        "The same with a band that shows nothing.",
    ),
    story(
        "enter NEW with a band with a label [and AMOUNT]",
        |a| enter(a, Equipment::Band(Face::Label)),
        "The same with a band that shows digits and has a code to scan printed on it.",
    ),
    story(
        "enter NEW with a phone alone [and AMOUNT]",
        |a| enter(a, Equipment::PhoneAlone),
        "Somebody enters whose phone is the band as well.",
    ),
    story(
        "enter NEW with a copy of PERSON's things",
        |a| Some(Action::Enter { name: a.name()?, with: Equipment::CopyOf(a.name()?), money: None }),
        "A thief enters with a band and a phone that have all which that person's have stored, keys and all; and without an account.",
    ),
    story(
        "enter NEW as a man in the middle",
        |a| Some(Action::Middle { name: a.name()? }),
        "Somebody enters who can be where a phone looks for its band, a wallet for a shop, or a shop for the issuer.",
    ),
    story(
        "stopped by section NUMBER TEXT",
        |a| quote(a, true),
        "These words, in this section of SPEC.md, say what stopped the attack before; in section 14, they begin a row of the table.",
    ),
    story("not stopped by section NUMBER TEXT", |a| quote(a, false), "These words say that nothing stops it, or what bounds it."),
    story(
        "enter NEW with a copy of PERSON's phone",
        |a| Some(Action::Enter { name: a.name()?, with: Equipment::PhoneOf(a.name()?), money: None }),
        "A thief enters with a phone that has all which that person's has stored, and is near that person's band.",
    ),
    story("open NEW", |a| Some(Action::Open { name: a.name()? }), "A shop opens: a payee whom the issuer has certified."),
    story("wait DURATION", |a| Some(Action::Wait { seconds: a.seconds()? }), "Time passes for everybody. Nobody sits it out."),
    story(
        "make noise at the issuer",
        |_| Some(Action::Noise(Door::Issuer)),
        "Somebody sends four kinds of garbage there. Each must be complained about.",
    ),
    story("make noise at SHOP", |a| Some(Action::Noise(Door::Shop(a.name()?))), "The same at a shop."),
    story(
        "make noise at PERSON's band",
        |a| Some(Action::Noise(Door::Device(Device::Band, a.name()?))),
        "The same at a band, from which the phone hangs up before.",
    ),
    story(
        "make noise at PERSON's phone",
        |a| Some(Action::Noise(Door::Device(Device::Phone, a.name()?))),
        "The same at a phone that waits to be paid.",
    ),
];

fn enter(args: &mut Args, with: Equipment) -> Option<Action> {
    Some(Action::Enter { name: args.name()?, with, money: args.amount() })
}

fn quote(args: &mut Args, stops: bool) -> Option<Action> {
    Some(Action::Quote { section: args.number()?, words: args.text()?, stops })
}
