//! What comes out of the wallet, and what goes in.

use armring_wire::AttPayload;

use super::command::Command;

/// Something that happens to the wallet.
#[derive(Debug)]
pub enum Input {
    /// The person said this.
    Said(Command),
    /// The whole code is on the screen, or was printed.
    CodeShown,
    /// A band was seen.
    Found(Found),
    /// The search is over.
    FindOver(Result<(), String>),
    /// The transport says this of a connection.
    Heard(u64, Heard),
    /// Somebody who was asked has answered.
    Answered(u64, Result<Vec<u8>, String>),
    /// The memory could not be stored. What followed was not done.
    NotStored(String),
    /// Some time has passed in which the person may want to see how the band is.
    Tick,
}

/// A band that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How the transport calls the place where it is.
    pub place: String,
    /// What it says of whose it is; proves nothing.
    pub tag: Option<[u8; 16]>,
}

/// What a transport says of a connection.
#[derive(Debug)]
pub enum Heard {
    /// Fragments can go.
    Up(AttPayload),
    /// A fragment came.
    Fragment(Vec<u8>),
    /// The connection has ended at both ends, or was never made; with what was wrong, if something was.
    Over(Option<String>),
}

/// Something that the wallet wants done. They are done in order.
#[derive(Debug)]
pub enum Effect {
    /// Store [`Wallet::book`](super::Wallet::book), before anything that follows is done.
    Store,
    /// Look for bands.
    Find,
    /// Connect to the band at this place; what comes of it is told with this number.
    Dial(u64, String),
    /// Send a fragment over the connection.
    Transmit(Vec<u8>),
    /// End the connection.
    HangUp,
    /// Ask somebody.
    Ask {
        /// With what the answer is told.
        number: u64,
        /// Where.
        at: String,
        /// The encoded record.
        record: Vec<u8>,
        /// Over a new connection; else over the last one to there.
        anew: bool,
    },
    /// Tell the person.
    Say(Line),
    /// End the program.
    Quit,
}

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What.
    pub text: String,
}

/// How something that is told is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It is so.
    Plain,
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// The person, or the wearer, is to do something.
    Ask,
}
