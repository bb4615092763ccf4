//! Where a connection stands.

use core::time::Duration;

use armring_pairing::{
    AtBand, AwaitingOpening, AwaitingStatic, AwaitingWalletShare, BandHello, CodeShown, CompareCode, Enrol, HintKey, Reconnected,
    Resumed, RustCrypto, Session, Share, Unproven, WalletHello,
};
use armring_token::{Gesture, PaymentKey};
use armring_wire::records::MEMO_MAX;
use armring_wire::{Amount, EnrolmentCode, PayeeRef, RequestDigest, UnixTime, Uptime};
use heapless::String;

use crate::error::{Error, PeerError};
use crate::show::Shown;
use crate::unpair::Whose;

/// For how long the band waits for a gesture.
pub const GESTURE_TIMEOUT: Duration = Duration::from_secs(30);

/// For how long a connection may stay one of nobody known: neither pairing nor proven to be a paired wallet's.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the connection stands. Each step holds what the step before proved, and is taken apart by the next.
pub(crate) enum Phase {
    /// There is no connection.
    Idle,
    /// The band has said hello.
    Greeted(BandHello),
    /// The wallet has said hello: message 1 is next.
    Opened(BandHello, WalletHello),
    /// Pairing: the band has answered, message 3 is next.
    AwaitingOpening(AwaitingOpening, Attempt),
    /// Pairing without a code: the band has answered, message 3 is next.
    AwaitingStatic(AwaitingStatic, Attempt),
    /// Pairing: two people, or one, compare the code; or the wallet's share is awaited.
    Comparing(Comparing),
    /// Paired: the wallet connects anew, by then.
    Paired(Session, Uptime),
    /// Reconnected over a link of this slot, by message 1, which may be a replay.
    Proving(usize, Unproven),
    /// Resumed over the link of this slot, likewise.
    Resuming(usize, Unproven<RustCrypto, Resumed>),
    /// Reconnected: the wallet is there, and its link has to be stored before anything is said over it.
    Introducing(Introducing),
    /// The wallet is there.
    Linked(Linked),
    /// The band has ended the connection, which the host has not reported yet.
    Ended,
}

/// One attempt to pair, for which a gesture of the wearer's stood.
pub(crate) struct Attempt {
    /// When it is over.
    pub(crate) deadline: Uptime,
    /// The link that the new one is to take the place of.
    pub(crate) replaces: Option<HintKey>,
}

pub(crate) struct Comparing {
    pub(crate) session: Session,
    pub(crate) step: Comparison,
    /// The wallet's share, if its person was quicker.
    pub(crate) wallet: Option<Share>,
    pub(crate) attempt: Attempt,
}

impl Comparing {
    /// Whether the wallet has yet to confirm.
    pub(crate) const fn is_unanswered(&self) -> bool {
        self.wallet.is_none() && !matches!(self.step, Comparison::Storing)
    }

    /// Whether both sides have accepted, and the link is yet to be made.
    pub(crate) const fn is_accepted(&self) -> bool {
        self.wallet.is_some() && matches!(self.step, Comparison::Accepted(_))
    }
}

/// How far the comparison is.
pub(crate) enum Comparison {
    Showing(CompareCode<AtBand>),
    Shown(CodeShown<AtBand>),
    Accepted(AwaitingWalletShare),
    /// The provisional link is being stored.
    Storing,
}

pub(crate) struct Introducing {
    pub(crate) slot: usize,
    pub(crate) session: Session,
    pub(crate) proof: Reconnected,
    /// The generation that the wallet said, and how many answers it has lost.
    pub(crate) said: (u32, u8),
    /// Whether the link is being stored. Else it waits for its turn.
    pub(crate) is_storing: bool,
}

pub(crate) struct Linked {
    pub(crate) slot: usize,
    pub(crate) session: Session,
    pub(crate) task: Task,
}

/// What goes on over a link: one thing at a time, so that one gesture answers one request.
pub(crate) enum Task {
    None,
    /// Another link is to take the place of this one, and waits for its gesture.
    Replace(Uptime),
    /// A payment waits for its gesture, and on a display its offer is shown.
    Pay(PendingPayment, Option<Shown>),
    /// A request of the wearer's waits for its gesture.
    Receive(PendingRequest),
    /// The forgetting of links waits for its gesture.
    Unpair(Whose, Uptime),
    /// The issuer's message 2 is awaited.
    EnrolAnswer(Enrol, EnrolmentCode),
    /// The credential is awaited.
    EnrolCredential(Session, Candidate),
}

#[derive(Clone, Copy)]
pub(crate) struct PendingPayment {
    pub(crate) digest: RequestDigest,
    pub(crate) payee: PayeeRef,
    pub(crate) amount: Amount,
    pub(crate) gesture: Gesture,
    pub(crate) since: Uptime,
}

pub(crate) struct PendingRequest {
    pub(crate) amount: Amount,
    pub(crate) expiry: UnixTime,
    pub(crate) memo: String<MEMO_MAX>,
    pub(crate) since: Uptime,
}

/// A payment key that is being enrolled. Only its public half, which is what is compared: the key is opened to sign with it.
pub(crate) struct Candidate {
    pub(crate) key: PaymentKey,
    pub(crate) code: EnrolmentCode,
}

impl Phase {
    /// Takes out the part that `wanted` gives, and leaves [`Phase::Ended`]. Apart, so that the whole of it takes no stack while the part is
    /// worked on.
    ///
    /// # Errors
    /// [`PeerError::Unexpected`] where there is no such part.
    #[inline(never)]
    pub(crate) fn take<T>(&mut self, wanted: impl FnOnce(Self) -> Option<T>) -> Result<T, PeerError> {
        wanted(core::mem::replace(self, Self::Ended)).ok_or(PeerError::Unexpected)
    }

    /// Whether two sides are about to become a pair.
    pub(crate) const fn is_pairing(&self) -> bool {
        matches!(self, Self::AwaitingOpening(..) | Self::AwaitingStatic(..) | Self::Comparing(_))
    }

    /// Whether the link of this very connection is being stored.
    pub(crate) const fn is_storing_link(&self) -> bool {
        matches!(self, Self::Comparing(Comparing { step: Comparison::Storing, .. }))
    }

    /// Whether the link of this very connection is being stored anew.
    pub(crate) const fn is_storing_introduced(&self) -> bool {
        matches!(self, Self::Introducing(Introducing { is_storing: true, .. }))
    }

    /// Whether this is not yet a connection to say anything over: nothing is known of who has connected, or its link is not stored.
    pub(crate) const fn is_opening(&self) -> bool {
        matches!(self, Self::Greeted(_) | Self::Opened(..) | Self::Proving(..) | Self::Resuming(..) | Self::Introducing(_))
    }

    /// The slot of the link over which the connection is, or claims to be.
    pub(crate) const fn slot(&self) -> Option<usize> {
        match self {
            Self::Proving(slot, _) | Self::Resuming(slot, _) => Some(*slot),
            Self::Introducing(introducing) => Some(introducing.slot),
            Self::Linked(linked) => Some(linked.slot),
            _ => None,
        }
    }

    /// Whether something waits for the wearer.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Linked(linked) if linked.task.since().is_some())
    }

    /// The slot whose link another one is to take the place of, once the wearer makes the gesture.
    pub(crate) const fn replaces(&self) -> Option<usize> {
        match self {
            Self::Linked(Linked { slot, task: Task::Replace(_), .. }) => Some(*slot),
            _ => None,
        }
    }

    /// When to give up what is waited for, or the connection with it.
    pub(crate) fn deadline(&self) -> Option<Uptime> {
        match self {
            Self::AwaitingOpening(_, attempt) | Self::AwaitingStatic(_, attempt) => Some(attempt.deadline),
            Self::Comparing(comparing) => Some(comparing.attempt.deadline),
            Self::Paired(_, deadline) => Some(*deadline),
            Self::Linked(linked) => linked.task.since().map(|since| since.saturating_add(GESTURE_TIMEOUT)),
            _ => None,
        }
    }

    /// Gives up what waits for the wearer. Says whether there was anything.
    pub(crate) fn take_waiting(&mut self) -> bool {
        match self {
            Self::Linked(linked) if linked.task.since().is_some() => {
                linked.task = Task::None;
                true
            }
            _ => false,
        }
    }
}

impl Task {
    /// Takes out the part that `wanted` gives, and leaves nothing to do, as [`Phase::take`] does.
    ///
    /// # Errors
    /// [`PeerError::Unexpected`] where there is no such part.
    #[inline(never)]
    pub(crate) fn take<T>(&mut self, wanted: impl FnOnce(Self) -> Option<T>) -> Result<T, Error> {
        wanted(core::mem::replace(self, Self::None)).ok_or(PeerError::Unexpected.into())
    }

    /// Since when it has been waiting for the wearer.
    fn since(&self) -> Option<Uptime> {
        match self {
            Self::Pay(pending, _) => Some(pending.since),
            Self::Receive(pending) => Some(pending.since),
            Self::Replace(since) | Self::Unpair(_, since) => Some(*since),
            _ => None,
        }
    }
}
