//! What happens, and who says what to whom.

use crate::fault::Flow;

/// One end of the radio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Band,
    Phone,
}

/// What happens at a moment.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A fragment comes out of the air.
    Fragment {
        line: u32,
        to: End,
        bytes: Vec<u8>,
    },
    /// One end learns that the connection is gone.
    Gone {
        line: u32,
        to: End,
    },
    Letter(Letter),
    /// The flash is done, or cannot.
    Flash {
        wrist: usize,
        boot: u32,
        ok: bool,
    },
    /// A band's deadline.
    Tick {
        wrist: usize,
        boot: u32,
    },
    /// A wearer does something.
    Act {
        wrist: usize,
        act: Act,
    },
    /// Somebody looks again.
    Look {
        person: usize,
        turn: u32,
    },
    /// Payees look after what is pending.
    Round,
}

/// What wearers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    PutOn,
    TakeOff,
    Unlock,
    Press,
    /// Presses because both codes are the same.
    Accept,
    /// Nobody pressed: the button says so.
    Stuck,
    /// Nobody holds it: the button says so.
    StuckHold,
    DoublePress,
    CodeShown,
}

/// Who can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Person(usize),
    Till(usize),
    Bank,
}

/// One record between phone, payee and issuer.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: Node,
    pub(crate) to: Node,
    /// Which sale or enrolment: the connection that it comes over.
    pub(crate) about: u64,
    /// Whose errand it belongs to.
    pub(crate) owner: usize,
    pub(crate) flow: Flow,
    pub(crate) bytes: Vec<u8>,
}
