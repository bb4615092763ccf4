//! What attackers do, and what came of it.

use serde::{Deserialize, Serialize};

/// The two ends of a connection that leads through the man in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// Whoever connected to him: a phone, a wallet, a shop.
    Near,
    /// Whom he then connected to: a band, a shop, the issuer.
    Far,
}

/// A message of a connection: the `number`th that `from` sends, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Which {
    pub(crate) from: End,
    pub(crate) number: usize,
}

/// A byte of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// The byte at this place; below zero, counted from the end.
    Byte(isize),
    /// The byte at this place of an object that travels in the message.
    Object { object: usize, byte: usize },
}

/// What the man in the middle does to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deed {
    /// Hands everything on as it is.
    Relay,
    /// Changes one byte of a message.
    Change { which: Which, place: Place },
    /// Sends so many changed copies of a message before the message itself.
    Forge { which: Which, times: usize },
    /// Keeps a message for himself, and hangs up.
    Drop { which: Which },
    /// Sends a message twice.
    Repeat { which: Which },
    /// Sends a message after the one that follows it.
    Swap { which: Which },
    /// Sends a message back to whoever sent it, and not on.
    Reflect { which: Which },
    /// Sends in place of a message one that he recorded in an earlier session.
    Replace { which: Which, session: usize, by: Which },
    /// Sends the fragments of a message without the first, in another order, or with the first of them twice.
    Fragments { which: Which, how: Fragments },
    /// Connects to nobody, and says what the far end said in an earlier session.
    PlayBack { session: usize },
    /// Pairs with both: he is the band for the phone, and a phone for the band.
    PairWithBoth,
}

/// What becomes of the fragments of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fragments {
    Lose,
    Swap,
    Repeat,
}

/// What the man in the middle is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum AttackCommand {
    /// From now on he stands before whoever listens at this address.
    StandBefore { address: String },
    /// What to do to the connections that come.
    Do(Deed),
    /// Connect to whom he stands before and say what the near end said in an earlier session.
    Replay { session: usize },
    /// Connect there and ask what there is to pay, as anybody may.
    Ask { address: String },
    /// Say yes to both codes.
    Accept,
    /// Look for these things, each with a name and in hexadecimal, in all that went through his hands.
    LookFor { things: Vec<(String, String)> },
}

/// A payee, and where it is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) payee: String,
    pub(crate) address: String,
}

/// What an infected phone does that its owner did not mean.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Misdeed {
    /// Show what a payee asks, and ask the band for another amount.
    ChangeAmount { at: Counter, minor: u64 },
    /// Show what one payee asks, and ask the band to pay another one.
    PayOther { shown: Counter, paid: Counter },
    /// Ask for two payments, for which there will be one gesture.
    TwoForOne { first: Counter, second: Counter },
    /// Send the last token to a payee that now asks for something else, and to the issuer with that.
    OldToken { at: Counter },
    /// Ask for a payment, and say whatever might be taken for the gesture.
    NoGesture { at: Counter },
    /// Say that the owner unlocked the band, ask for a payment, and say it again.
    Unlock { at: Counter },
    /// Ask the band how it is, before which a token would come that it has given out; and take back what waits.
    GiveUp,
    /// Tell the band a key list of a root of its own.
    OwnRoot,
    /// Keep a copy of the link.
    KeepLink,
    /// Connect with the copy.
    UseKeptLink { band: String },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AttackReport {
    /// He has done what he was to do to the message.
    Done,
    /// A connection that led through his hands is over: the messages that went through them.
    Over { session: usize, near: usize, far: usize },
    /// He has asked a payee, in this session.
    Asked { session: usize },
    /// A replay is over. `same`: the answers were those of the recorded session, byte for byte.
    Answered { answers: usize, of: usize, same: bool },
    /// What he found in so many messages and bytes.
    Found { messages: usize, bytes: usize, found: Vec<String> },
    /// What an infected phone said to its band or to others, and what they answered.
    Said { said: String, answer: String },
}
