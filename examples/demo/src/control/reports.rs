//! What happened.

use serde::{Deserialize, Serialize};

use super::attack::AttackReport;

/// What happened in a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The process is up. Who listens says where; a shop also says its key.
    Ready {
        address: Option<String>,
        key: Option<String>,
    },
    /// The issuer's root key and key list.
    Root {
        root: String,
        key_list: String,
    },
    /// A message was on its way.
    Trace(Trace),
    /// A band tells its wearer something.
    Band(BandReport),
    /// A phone tells its person something.
    Phone(PhoneReport),
    /// A shop tells its keeper something.
    Shop(ShopReport),
    Receipt {
        outcome: String,
        settled: bool,
        receipt: String,
    },
    Certificate {
        certificate: String,
    },
    Code {
        code: String,
    },
    Digits {
        digits: Option<u32>,
        shown: String,
    },
    Done,
    /// All before is done.
    Synced,
    /// How many steps and fragments there were.
    Counted {
        steps: u64,
        fragments: u64,
    },
    Books(Books),
    /// An attacker tells what came of it.
    Attack(AttackReport),
    /// Something was not as it must be, and what was done about it.
    Complaint(String),
    /// What was asked for could not be done.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BandReport {
    /// No phone is connected any more.
    Alone,
    PairingOpen,
    /// What the display shows as a QR code, or what is printed on the label as one.
    Label(String),
    PairingClosed,
    Code(String),
    Paired,
    Unlocked,
    /// What was entered is wrong; so many tries are left.
    WrongSecret(u8),
    /// What it waits for, with all that it shows.
    Waiting(String),
    EnrolmentDigits {
        digits: u32,
        shown: String,
    },
    Paid {
        outcome: String,
        amount: String,
    },
    Received(String),
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PhoneReport {
    Code(String),
    Paired,
    Connected {
        resumed: bool,
        used_elsewhere: bool,
    },
    /// The link to the band got lost.
    OutOfReach,
    Enrolled {
        credential: String,
        limits: String,
    },
    /// What there is to pay: verified.
    Offer {
        payee: String,
        memo: String,
        amount: String,
    },
    Waiting(String),
    Declined(String),
    /// The payee does not take the token. Nobody signed that.
    NotTaken(String),
    /// The band forgot what it was to forget.
    Unpaired,
    /// The band lets the next link that is paired take the place of this phone's.
    MayPair,
    /// The payee has accepted the token without asking the issuer.
    Pending,
    /// The wearer's request waits for its payer, here, who scans this URI.
    Listening {
        address: String,
        uri: String,
        amount: String,
    },
    /// The band took the key list of this epoch.
    KeyList {
        epoch: u32,
    },
    /// So many receipts still verify.
    Receipts(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ShopReport {
    /// The lists that it has now. The revocation list says what came since another one.
    Lists { keys: u32, revocations: u32, since: u32, revoked: usize },
    /// A token was accepted without asking the issuer.
    Pending { amount: String },
    /// A token was not accepted without asking the issuer.
    NotTaken(String),
    /// So many tokens were redeemed, and so much is pending still.
    Redeemed { tokens: usize, pending: u64 },
    /// The issuer answered a refund.
    Refunded { outcome: String, settled: bool, left: String, receipt: String },
}

/// One message from one process to another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trace {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) name: String,
    /// Bytes of the message as it left: sealed, where it is.
    pub(crate) message: usize,
    pub(crate) sealed: bool,
    pub(crate) fragments: usize,
    pub(crate) on_air: usize,
    /// Microseconds since 1970.
    pub(crate) at: u64,
}

/// How the issuer's books stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(crate) balances: Vec<(String, i64)>,
    /// What an audit of the whole ledger found wrong.
    pub(crate) faults: Vec<String>,
}
