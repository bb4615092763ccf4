//! What people do, and the issuer's operator.

use serde::{Deserialize, Serialize};

use super::attack::Misdeed;

/// What every process is told alike.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Clock {
    /// So much time passes.
    Pass { seconds: u64 },
    /// Say how many steps and fragments there were.
    Count,
}

/// What a wearer does with a band.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum BandCommand {
    PutOn,
    TakeOff,
    /// The right tap pattern.
    TapPattern,
    /// Another one.
    WrongPattern,
    /// The right PIN.
    Pin,
    WrongPin,
    Press,
    DoublePress,
    TriplePress,
    Hold,
    Shake,
    Reset,
    /// Look at the clock.
    Tick,
    /// Done once no phone is connected.
    AwaitAlone,
    /// Say that all before this is done.
    Sync,
}

/// What a person does with a phone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PhoneCommand {
    Pair {
        band: String,
    },
    /// Pair with a band that has a button and nothing else.
    PairByPress {
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
    },
    /// The wearer did what the band waits for: hear what comes of it.
    Await,
    /// Go on with the last payment.
    Again {
        payee: String,
        address: String,
    },
    /// The phone's sensor recognises its owner's finger.
    Finger,
    /// The authenticator inside looks at the clock.
    Tick,
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
    /// The issuer is found here from now on.
    FindIssuer {
        address: String,
    },
    /// Serve whoever pays what was asked for before this phone was restarted.
    CollectAgain,
    HangUp,
    /// The band is out of reach.
    Lose,
    /// From now on it is about another band of its owner's, of this number from 1.
    TurnTo {
        band: usize,
    },
    /// Ask the band to forget this phone, or all others.
    Unpair {
        others: bool,
    },
    /// Ask the band to let another link take the place of this one.
    Replace,
    /// Its owner is recognised: tell the band.
    Unlock,
    /// The network leads here for the issuer from now on.
    IssuerAt {
        address: String,
    },
    /// What an infected phone does.
    Misdeed(Misdeed),
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
    /// The network leads here for the issuer from now on.
    IssuerAt {
        address: String,
    },
    /// From now on there is network, or none.
    Network {
        up: bool,
    },
    /// Say that all before this is done.
    Sync,
    /// Redeem what was accepted without network.
    RedeemPending,
    /// The issuer is found here from now on.
    FindIssuer {
        address: String,
    },
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
    /// From now on credentials allow so many payments in a row without a gesture: each of so many minor units at most, and so many together.
    AllowFree {
        count: u16,
        each: u64,
        total: u64,
    },
    /// Publish a key list with new keys in it, before anything is signed with them.
    AnnounceKeys,
    /// Sign with the new keys.
    UseNewKeys,
    /// Say that all before this is done.
    Sync,
    Books,
}
