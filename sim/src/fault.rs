//! Which faults there are, where they hit, and how often each did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::dice::Dice;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A message or fragment does not arrive.
    Loss,
    /// It arrives twice.
    Duplicate,
    /// It arrives after what was sent later.
    Reorder,
    /// Bits of it are changed.
    Corrupt,
    /// The connection ends there.
    Cut,
    /// Something that was sent before is sent again, beside it.
    Replay,
    /// Something that was sent before, by anybody, comes in its place.
    Mix,
    /// Somebody who has heard everything connects to the band first, and says what others said.
    Stranger,
    /// Power goes before what was to be stored is, or right after it.
    Power,
    /// The flash, or the issuer's storage, says that it cannot.
    Storage,
    /// The band loses touch with the skin.
    OffWrist,
    /// An infected wallet says something of its own.
    Infected,
    /// Somebody stands between a phone and a band that pair, with keys of their own.
    Middle,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Loss,
        Self::Duplicate,
        Self::Reorder,
        Self::Corrupt,
        Self::Cut,
        Self::Replay,
        Self::Mix,
        Self::Stranger,
        Self::Power,
        Self::Storage,
        Self::OffWrist,
        Self::Infected,
        Self::Middle,
    ];
}

/// In the middle of what it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// Two people pair a phone and a band.
    Pair,
    /// A band gets its credential.
    Enrol,
    /// A handshake over a link that there is.
    Reconnect,
    /// A handshake soon after another one.
    Resume,
    /// A payment, between wallet, band and payee.
    Pay,
    /// A wearer asks to be paid.
    Receive,
    /// A payee asks the issuer about a token.
    Redeem,
    /// The same of a token that was accepted without network, and its acceptance.
    Offline,
    /// A payee gives back.
    Refund,
    /// A payee asks who is revoked.
    Lists,
}

/// Where something can go wrong, and so in which ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A fragment between phone and band, of so many bytes.
    Radio(u64),
    /// A phone is about to connect.
    Connect,
    /// A message between phone, payee and issuer.
    Net,
    /// A message that the issuer is about to answer.
    Issuer,
    /// A band stores something.
    Flash,
    /// A phone or a payee stores something.
    Disk,
    /// A wearer is about to make a gesture.
    Wearer,
    /// An infected wallet has the band to itself.
    Wallet,
    /// Somebody pairs.
    Pairing,
}

/// How many bytes a long fragment has.
const LONG: u64 = 180;

/// How often something goes wrong, in a thousand opportunities.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Of each long fragment; of a short one less, by its length.
    pub radio: u64,
    /// Of each message.
    pub net: u64,
    /// Of each write.
    pub storage: u64,
    /// Of each gesture, and each chance of an infected wallet.
    pub people: u64,
}

impl Rates {
    /// Of what is over in few fragments, more of them are hit.
    pub(crate) const fn during(self, flow: Flow) -> Self {
        let times = match flow {
            Flow::Pair => 6,
            Flow::Resume => 4,
            Flow::Receive => 8,
            _ => 1,
        };
        Self { radio: self.radio * times, ..self }
    }
}

/// Names an opportunity: whose errand, which one, and the how-manieth in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Whose.
    pub owner: u32,
    /// Which of their errands.
    pub errand: u32,
    /// Which opportunity in it.
    pub number: u32,
}

/// How often each kind hit each flow while it was not finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<(Flow, Kind), u64>);

impl Histogram {
    pub(crate) fn count(&mut self, flow: Flow, kind: Kind) {
        *self.0.entry((flow, kind)).or_default() += 1;
    }

    /// Adds what another world had.
    pub fn add(&mut self, other: &Self) {
        for (cell, count) in &other.0 {
            *self.0.entry(*cell).or_default() += count;
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// How often this flow was hit in any way.
    #[must_use]
    pub fn of_flow(&self, flow: Flow) -> u64 {
        self.0.iter().filter(|((of, _), _)| *of == flow).map(|(_, count)| count).sum()
    }

    /// How often this kind hit anything.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> u64 {
        self.0.iter().filter(|((_, of), _)| *of == kind).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flows: BTreeSet<Flow> = self.0.keys().map(|(flow, _)| *flow).collect();
        write!(f, "{:10}", "flow")?;
        for kind in Kind::ALL {
            write!(f, " {:>9}", format!("{kind:?}").to_lowercase())?;
        }
        writeln!(f, " {:>9}", "all")?;
        for flow in flows {
            write!(f, "{:10}", format!("{flow:?}").to_lowercase())?;
            for kind in Kind::ALL {
                write!(f, " {:>9}", self.0.get(&(flow, kind)).copied().unwrap_or_default())?;
            }
            writeln!(f, " {:>9}", self.of_flow(flow))?;
        }
        write!(f, "{:10}", "all")?;
        for kind in Kind::ALL {
            write!(f, " {:>9}", self.of_kind(kind))?;
        }
        writeln!(f, " {:>9}", self.total())
    }
}

impl Place {
    /// What goes wrong at this opportunity, if anything.
    pub(crate) fn draw(self, rates: Rates, dice: &mut Dice) -> Option<Kind> {
        const RADIO: [(Kind, u64); 6] =
            [(Kind::Loss, 4), (Kind::Duplicate, 3), (Kind::Reorder, 3), (Kind::Corrupt, 5), (Kind::Cut, 4), (Kind::Replay, 2)];
        const NET: [(Kind, u64); 7] = [
            (Kind::Loss, 8),
            (Kind::Duplicate, 4),
            (Kind::Reorder, 4),
            (Kind::Corrupt, 5),
            (Kind::Cut, 1),
            (Kind::Replay, 3),
            (Kind::Mix, 3),
        ];
        let (rate, kinds): (u64, &[(Kind, u64)]) = match self {
            // Short fragments are many.
            Self::Radio(bytes) => (1 + rates.radio * bytes / LONG, &RADIO),
            Self::Connect => (rates.people, &[(Kind::Stranger, 1)]),
            Self::Net => (rates.net, &NET),
            Self::Issuer => (rates.storage, &[(Kind::Storage, 1)]),
            Self::Flash => (rates.storage, &[(Kind::Power, 3), (Kind::Storage, 1)]),
            Self::Disk => (rates.storage, &[(Kind::Power, 1)]),
            Self::Wearer => (rates.people, &[(Kind::OffWrist, 1)]),
            Self::Wallet => (rates.people * 4, &[(Kind::Infected, 1)]),
            Self::Pairing => (rates.people * 4, &[(Kind::Middle, 1)]),
        };
        if !dice.chance(rate) {
            return None;
        }
        let mut left = dice.below(kinds.iter().map(|(_, weight)| weight).sum());
        kinds.iter().find_map(|(kind, weight)| match left.checked_sub(*weight) {
            Some(rest) => {
                left = rest;
                None
            }
            None => Some(*kind),
        })
    }
}
