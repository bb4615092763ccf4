//! What people do, and the issuer's operator.

use serde::{Deserialize, Serialize};

/// What a wearer does with a band.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum BandCommand {
    PutOn,
    TakeOff,
    /// The right tap pattern.
    TapPattern,
    Press,
    DoublePress,
    Hold,
}

/// What a person does with a phone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PhoneCommand {
    Pair {
        band: String,
    },
    AcceptCode,
    /// Pair with the band whose display shows this URI.
    Scan {
        band: String,
        uri: String,
    },
    /// Pair with the authenticator inside of this phone, and connect to it.
    PairInside,
    /// Resume, or reconnect.
    Connect {
        band: String,
    },
    Enrol {
        code: String,
    },
    Pay {
        payee: String,
        address: String,
        /// What was scanned; else the payee is asked.
        uri: Option<String>,
        /// The link to the band gets lost while the band waits for its wearer.
        out_of_reach: bool,
    },
    /// Go on with the last payment.
    Again {
        payee: String,
        address: String,
    },
    /// The phone's sensor recognises its owner's finger.
    Finger,
    /// Ask for money: the phone then waits for a payer's phone.
    Receive {
        minor: u64,
        memo: String,
    },
    /// Get the issuer's key list, and tell the band.
    UpdateKeys,
    /// Tell the band this key list, whatever it is.
    TellKeyList {
        key_list: String,
    },
    /// Verify again whatever receipts there are.
    CheckReceipts,
    HangUp,
}

/// What a shopkeeper does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum ShopCommand {
    TakeCertificate {
        certificate: String,
        key_list: String,
    },
    Sell {
        minor: u64,
        memo: String,
    },
    /// Get the issuer's key list, and who is revoked.
    FetchLists,
    /// From now on there is network, or none.
    Network {
        up: bool,
    },
    /// Redeem what was accepted without network.
    RedeemPending,
    /// Send the token of a sale to the issuer again.
    RedeemAgain {
        memo: String,
    },
    /// Give back a part of a sale.
    Refund {
        memo: String,
        minor: u64,
        /// At another till, which knows of no refund yet.
        other_till: bool,
    },
    /// Send the last refund of a sale to the issuer again.
    RefundAgain {
        memo: String,
    },
}

/// What the issuer's operator, or a user on the issuer's own page, does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum IssuerCommand {
    OpenAccount {
        name: String,
        minor: u64,
    },
    CertifyPayee {
        name: String,
        key: String,
    },
    IssueCode {
        name: String,
    },
    Digits {
        name: String,
    },
    Confirm {
        name: String,
        digits: u32,
    },
    /// The band with this credential is lost: it is revoked, and there is a code for another one.
    ReplaceBand {
        credential: String,
    },
    /// Publish a key list with new keys in it, before anything is signed with them.
    AnnounceKeys,
    /// Sign with the new keys.
    UseNewKeys,
    Books,
}
