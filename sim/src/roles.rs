//! What the hosts of band, wallet and payee hold: the crate's own state, what is stored, what is on its way, and what people know.

use std::collections::{BTreeMap, VecDeque};

use armring_band::{Band, Face, SoftwareKeys};
use armring_pairing::{Link, ResumeTicket};
use armring_payee::{Offline, Payee, Revoked, Sale};
use armring_wallet::{Collection, Connection, Payment};
use armring_wire::records::band::Awaited;
use armring_wire::{AccountPseudonym, EnrolmentCode, TokenDigest};
use ed25519_dalek::SigningKey;

use crate::cast::Shared;
use crate::queue::Time;

/// A band, its flash, and whose wrist it is on.
pub(crate) struct Wrist {
    pub(crate) band: Band<Shared, SoftwareKeys>,
    pub(crate) key: Shared,
    pub(crate) face: Face,
    pub(crate) flash: BTreeMap<u8, Vec<u8>>,
    /// What stood there before.
    pub(crate) before: BTreeMap<u8, Vec<u8>>,
    pub(crate) writing: Option<Change>,
    /// How often it was started.
    pub(crate) boot: u32,
    /// The connection that it has.
    pub(crate) line: Option<u32>,
    pub(crate) tick: Option<Time>,
    pub(crate) wearer: Wearer,
}

/// What is being stored.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Store(u8, Vec<u8>),
    Erase(u8),
    EraseAll,
}

/// What the person with the band has done, and what the band told them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wearer {
    /// Who it is.
    pub(crate) person: usize,
    pub(crate) is_on: bool,
    /// Unlocked it since it was put on: by the phone alone, or on the band.
    pub(crate) unlocked: u8,
    /// Unlocked it on the band since a large amount was asked for.
    pub(crate) is_fresh: bool,
    /// What they saw as they pressed, for as long as that press counts.
    pub(crate) pressing: Option<Seen>,
    pub(crate) has_pressed: bool,
    /// They are opening the pairing window.
    pub(crate) is_holding: bool,
    pub(crate) waiting: Option<Awaited>,
    pub(crate) code: Option<u32>,
    /// The band shows a code: whoever presses says that it is the phone's.
    pub(crate) is_comparing: bool,
    pub(crate) digits: Option<u32>,
    /// How often they were told that somebody else used the link.
    pub(crate) alarms: u32,
}

/// What somebody saw on a display, who wanted to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) display: Option<([u8; 9], u64)>,
}

/// Somebody with a band and a phone.
pub(crate) struct Person {
    pub(crate) wrist: usize,
    pub(crate) account: AccountPseudonym,
    pub(crate) phone: Phone,
    /// The keys of all phones that they ever had.
    pub(crate) phones: Vec<[u8; 32]>,
    pub(crate) till: usize,
    pub(crate) errand: Errand,
    /// Only the latest time to look again counts.
    pub(crate) turn: u32,
    /// Sales of others that they are to pay.
    pub(crate) owes: VecDeque<(usize, u64)>,
    /// Has a copy of somebody's band and phone.
    pub(crate) is_thief: bool,
    /// Somebody has used a copy of this phone's link since it was last there: how often the wearer had been told of such things by then.
    pub(crate) is_copied: Option<u32>,
    /// Somebody had such a copy at some time.
    pub(crate) was_copied: bool,
    /// The wallet is not theirs alone.
    pub(crate) is_infected: bool,
    /// The band of whoever stands between them and their own, while they pair.
    pub(crate) lured: Option<usize>,
    /// Whoever stands between them and their band, when somebody does.
    pub(crate) middle: Option<usize>,
    /// Stands between others: with which band.
    pub(crate) poses_as: Option<usize>,
    pub(crate) code: Option<(EnrolmentCode, Time)>,
    pub(crate) credential: Option<[u8; 8]>,
    pub(crate) is_confirmed: bool,
    /// What became of the last payment.
    pub(crate) last: Option<Result<armring_wire::Outcome, armring_wire::records::band::Decline>>,
    pub(crate) is_done: bool,
}

/// A phone: what it keeps, and what it has in memory.
pub(crate) struct Phone {
    pub(crate) key: Shared,
    pub(crate) kept: Kept,
    pub(crate) ticket: Option<ResumeTicket>,
    pub(crate) line: Option<(u32, Connection)>,
    pub(crate) is_resuming: bool,
    /// Something was said to the band, which has not answered.
    pub(crate) waits: bool,
    pub(crate) code: Option<u32>,
    pub(crate) alarms: u32,
    /// Since it was last linked, it connected while there were answers of the band's that it had not heard: each may hide a copy's use.
    pub(crate) has_lost: bool,
}

/// What a phone's storage holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) credential: Vec<u8>,
    pub(crate) payment: Option<Vec<u8>>,
    pub(crate) collection: Option<Vec<u8>>,
}

impl Phone {
    pub(crate) fn new(key: Shared) -> Self {
        let kept = Kept::default();
        Self { key, kept, ticket: None, line: None, is_resuming: false, waits: false, code: None, alarms: 0, has_lost: false }
    }

    pub(crate) fn link(&self) -> Option<Link> {
        Link::from_bytes(self.kept.link.as_deref()?.try_into().ok()?)
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.line.as_ref().is_some_and(|(_, connection)| connection.is_linked())
    }
}

/// What somebody is doing.
#[derive(Debug)]
pub(crate) enum Errand {
    Rest,
    Pair,
    Enrol { session: u64 },
    Pay(Box<Paying>),
    Collect(Box<Collecting>),
}

#[derive(Debug)]
pub(crate) struct Paying {
    pub(crate) till: usize,
    pub(crate) sale: u64,
    /// Whom they want to pay, and how much.
    pub(crate) wants: ([u8; 9], u64),
    pub(crate) payment: Option<Payment>,
    pub(crate) since: Time,
}

#[derive(Debug)]
pub(crate) struct Collecting {
    pub(crate) collection: Collection,
    pub(crate) sale: u64,
    pub(crate) since: Time,
}

/// Where a payee's sales are: a shop's, or a person's.
pub(crate) struct Till {
    /// Who has a certificate.
    pub(crate) payee: Option<Payee<SigningKey>>,
    pub(crate) reference: [u8; 9],
    pub(crate) account: AccountPseudonym,
    pub(crate) sales: BTreeMap<u64, Sale>,
    /// The sales as they are on its disk.
    pub(crate) stored: BTreeMap<u64, Vec<u8>>,
    /// What the issuer was asked about, and who waits for that.
    pub(crate) asking: BTreeMap<u64, TokenDigest>,
    pub(crate) buyers: BTreeMap<u64, usize>,
    pub(crate) book: Offline,
    pub(crate) revoked: Revoked,
}
