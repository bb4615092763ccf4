//! What a line of a story says, once it is read.

use armring_wire::Amount;

/// One line: who does what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// Whose doing it is; empty where it is nobody's.
    pub(crate) who: String,
    pub(crate) action: Action,
}

/// What happens, or what is expected of what happened. Each has its line in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    // The story itself.
    Title(String),
    Chapter(String),
    Say(String),
    Messages {
        shown: bool,
    },
    Wait {
        seconds: u64,
    },
    Enter {
        name: String,
        with: Equipment,
        money: Option<Amount>,
    },
    Open {
        name: String,
    },
    Noise(Door),
    /// A man in the middle enters.
    Middle {
        name: String,
    },
    /// These words of SPEC.md say what stops the attack before; or that nothing does, and what bounds it.
    Quote {
        section: u32,
        words: String,
        stops: bool,
    },
    // What a person does.
    Hold,
    Pair(Pairing),
    /// The codes are the same, and the person says no all the same.
    PairNot {
        on: Device,
    },
    AskToPairAgain,
    Connect,
    HangUp,
    CutTheLink,
    Enrol,
    SetUp,
    PutOn,
    TakeOff,
    Unlock {
        right: bool,
    },
    UnlockByPin {
        right: bool,
    },
    UnlockByPhone,
    Press,
    PressTwice,
    PressThreeTimes,
    Shake,
    Reset,
    Pay {
        amount: Option<Amount>,
        payee: String,
        memo: Option<String>,
    },
    GoOn,
    Receive {
        amount: Amount,
        memo: Option<String>,
    },
    Unpair {
        others: bool,
    },
    NewBand {
        face: Face,
    },
    NewPhone,
    Old(Device),
    Kill(Device),
    Start(Device),
    UpdateKeys,
    FirstKeys,
    CheckReceipts,
    // What a shop does.
    Sell {
        amount: Amount,
        memo: Option<String>,
    },
    Network {
        up: bool,
    },
    FetchLists,
    RedeemPending,
    RedeemAgain {
        memo: String,
    },
    Refund {
        amount: Amount,
        memo: String,
        other_till: bool,
    },
    RefundAgain {
        memo: String,
    },
    // What the issuer does.
    Replace {
        person: String,
    },
    AllowFree {
        count: u16,
        each: Amount,
        total: Amount,
    },
    AnnounceKeys,
    UseNewKeys,
    Audit,
    // What attackers do, and what malware does to a person.
    Attack(Attack),
    // What is expected.
    Expect {
        wanted: Wanted,
        part: Option<String>,
        tell: Option<String>,
    },
    ExpectSameReceipt {
        memo: String,
        tell: Option<String>,
    },
    ExpectBooks(Vec<(String, i64)>),
}

impl Action {
    /// Whether this is about the line before.
    pub(crate) const fn is_expectation(&self) -> bool {
        matches!(self, Self::Expect { .. } | Self::ExpectSameReceipt { .. })
    }
}

/// An attack, with whom it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attack {
    // A man in the middle between a person's phone and band.
    PairWithBoth(String),
    ChangePairing(String),
    Overhear { person: String, shop: String },
    Replay(String),
    ReplayResume(String),
    ChangeReconnect(String),
    ForgeRecords(String),
    Disorder(String),
    DisorderFragments(String),
    // Between wallet and shop.
    OverhearCounter { person: String, shop: String },
    ChangeRequest { person: String, shop: String },
    ReplaceRequest { person: String, shop: String, by: String },
    ChangeToken { person: String, shop: String },
    ChangeReceipt { person: String, shop: String },
    // Between shop and issuer.
    ReplayRedeem { person: String, shop: String },
    ChangeRedeem { person: String, shop: String },
    // Between phone and issuer.
    ChangeEnrolment(String),
    // What a person's infected phone does.
    Infect,
    OtherAmount { shop: String, amount: Amount },
    OtherPayee { shown: String, paid: String },
    TwoForOne { first: String, second: String },
    OldToken(String),
    NoGesture(String),
    NotWorn(String),
    UnlockByPhone(String),
    OwnRoot,
    CallAfterUnpairing,
    EnrolMalware,
    // What a stranger's phone does.
    Approach(String),
}

/// What a person enters with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Equipment {
    Band(Face),
    /// The phone is the band.
    PhoneAlone,
    /// What this person's band and phone keep, copied.
    CopyOf(String),
    /// What this person's phone keeps, copied; the band is theirs.
    PhoneOf(String),
}

/// What a band can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Lights,
    Display,
    Button,
    /// Lights, and a label with a secret.
    Label,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairing {
    Code,
    /// The same without a gesture.
    CodeInWindow,
    Qr,
    Label,
    Press,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Band,
    Phone,
}

/// Where somebody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    Issuer,
    Shop(String),
    Device(Device, String),
}

/// How something can have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It was done, and there is no more to say.
    Done,
    /// The band waits for its wearer.
    Waiting,
    /// The issuer settled it.
    Settled,
    /// A payee without network accepted it.
    Pending,
    /// Somebody refused.
    Refused,
    /// The connection before goes on.
    Resumed,
    /// A new connection over the link.
    Reconnected,
    /// The same, and somebody else has used the link since.
    UsedElsewhere,
}

impl Wanted {
    /// As it is written in stories.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Refused => "refused",
            Self::Resumed => "resumed",
            Self::Reconnected => "reconnected",
            Self::UsedElsewhere => "used elsewhere",
        }
    }
}
