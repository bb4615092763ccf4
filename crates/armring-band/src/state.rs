//! The band's state, and which part of the band an event belongs to.

use armring_pairing::{DiffieHellman, Link, LinkState, PairingSecret, Resumption};
use armring_token::{KeyList, RootKey, Verified};
use armring_wire::records::band::{Decline, ToWallet};
use armring_wire::{AttPayload, RequestDigest, RootFingerprint, UnixTime, Uptime};
use rand_core::TryCryptoRng;

use crate::after::AfterStore;
use crate::band::LINKS;
use crate::error::{CallerError, Error, PeerError};
use crate::event::{Event, Gesture, Signal};
use crate::face::Face;
use crate::keys::PaymentKeys;
use crate::outputs::Outputs;
use crate::pair::Window;
use crate::phase::{HANDSHAKE_TIMEOUT, Phase};
use crate::purse::Purse;
use crate::store::{Replacement, StoredEnrolment, StoredSecret};
use crate::wear::Wear;

/// More time has passed than there is for a handshake.
pub(crate) const TOO_LATE: Error = Error::Peer(PeerError::Handshake(armring_pairing::PeerError::TooLate));

/// One wallet's place: the link and what was enrolled over it.
pub(crate) struct Slot<S> {
    pub(crate) link: Option<Link>,
    /// A payment key that waits for its credential.
    pub(crate) enrolment: Option<StoredEnrolment>,
    pub(crate) purse: Option<Purse<S>>,
    /// What the wearer last asked to be paid.
    pub(crate) asked: Option<RequestDigest>,
    /// What the wallet may resume with: gone after a restart.
    pub(crate) resumption: Resumption,
}

impl<S> Slot<S> {
    pub(crate) const EMPTY: Self = Self { link: None, enrolment: None, purse: None, asked: None, resumption: Resumption::NONE };

    /// Whether a new link may take this place: it holds none, or one that no connection has ever been made over. What was enrolled over one
    /// link is never another's, even where an erasing that power cut short left it behind.
    pub(crate) fn is_free(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.state() == LinkState::Provisional)
            && self.enrolment.is_none()
            && self.purse.is_none()
    }
}

/// Its steps are not inlined where they take much of the stack, so that what one of them needs is free for the next.
pub(crate) struct Core<D, P: PaymentKeys> {
    pub(crate) out: Outputs,
    pub(crate) identity: D,
    pub(crate) keys: P,
    pub(crate) root: RootKey,
    pub(crate) fingerprint: RootFingerprint,
    pub(crate) key_list: Option<Verified<KeyList>>,
    /// The latest time that the issuer has signed: the only calendar that a band has.
    pub(crate) latest: UnixTime,
    pub(crate) slots: [Slot<P::Signer>; LINKS],
    pub(crate) secret: Option<StoredSecret>,
    pub(crate) wear: Wear,
    pub(crate) face: Face,
    /// The secret on the band's label.
    pub(crate) label: Option<PairingSecret>,
    pub(crate) window: Option<Window>,
    /// Of no meaning once the link that it replaces is gone.
    pub(crate) replacement: Option<Replacement>,
    pub(crate) phase: Phase,
    /// When this connection has to be somebody's.
    prove_by: Uptime,
    pub(crate) after_store: AfterStore,
    /// The wearer made the gesture: everything is erased as soon as the host has reported on what it was told to store before.
    pub(crate) resets: bool,
}

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    #[inline(never)]
    pub(crate) fn new(identity: D, keys: P, root: RootKey) -> Self {
        Self {
            out: Outputs::new(),
            identity,
            keys,
            root,
            fingerprint: root.fingerprint(),
            key_list: None,
            latest: UnixTime::EPOCH,
            slots: [const { Slot::EMPTY }; LINKS],
            secret: None,
            wear: Wear::default(),
            face: Face::Lights,
            label: None,
            window: None,
            replacement: None,
            phase: Phase::Idle,
            prove_by: Uptime::default(),
            after_store: AfterStore::Nothing,
            resets: false,
        }
    }

    /// Forgets links, credentials, keys and what unlocks the band, after all of it was erased.
    pub(crate) fn forget(&mut self) {
        self.slots = [const { Slot::EMPTY }; LINKS];
        self.secret = None;
        self.key_list = None;
        self.latest = UnixTime::EPOCH;
        self.window = None;
        self.replacement = None;
    }

    pub(crate) fn slot(&mut self, slot: usize) -> Result<&mut Slot<P::Signer>, Error> {
        self.slots.get_mut(slot).ok_or(CallerError::BadValue.into())
    }

    /// Whether a fragment may come now.
    pub(crate) fn expect_peer(&self) -> Result<(), Error> {
        match self.phase {
            Phase::Idle | Phase::Ended => Err(CallerError::NotConnected.into()),
            _ if !self.out.is_drained() => Err(CallerError::Undrained.into()),
            _ => Ok(()),
        }
    }

    #[inline(never)]
    pub(crate) fn connected<R: TryCryptoRng>(&mut self, payload: AttPayload, now: Uptime, rng: &mut R) -> Result<(), Error> {
        self.pass(now);
        if !matches!(self.phase, Phase::Idle | Phase::Ended) {
            return Err(self.fail(PeerError::SecondConnection.into()));
        }
        self.out.connected(payload);
        match self.greet(rng) {
            Ok(()) => {
                self.prove_by = now.saturating_add(HANDSHAKE_TIMEOUT);
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    pub(crate) fn disconnected(&mut self) -> Result<(), Error> {
        let connected = !matches!(self.phase, Phase::Idle);
        if !matches!(self.phase, Phase::Idle | Phase::Ended) {
            self.abandon();
        }
        self.phase = Phase::Idle;
        self.out.disconnected();
        if connected { Ok(()) } else { Err(CallerError::NotConnected.into()) }
    }

    /// Ends the connection because of `error`, and with it whatever went on over it.
    #[inline(never)]
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.abandon();
        self.phase = Phase::Ended;
        self.out.disconnect();
        error
    }

    /// Ends the connection, if there is one, and the pairing window.
    pub(crate) fn end(&mut self) {
        self.abandon();
        if !matches!(self.phase, Phase::Idle | Phase::Ended) {
            self.phase = Phase::Ended;
            self.out.disconnect();
        }
    }

    /// Gives up what went on over the connection.
    fn abandon(&mut self) {
        let (pairing, waiting) = (self.phase.is_pairing(), self.phase.take_waiting());
        self.tell_abandoned(pairing, waiting);
    }

    /// Tells the wearer what is given up with a connection. A pairing, or a window that was open for one, is closed, visibly: one gesture, one
    /// guess.
    pub(crate) fn tell_abandoned(&mut self, pairing: bool, waiting: bool) {
        if self.window.take().is_some() || pairing {
            self.out.signal(Signal::PairingClosed);
        }
        if waiting {
            self.out.signal(Signal::Dropped);
        }
    }

    pub(crate) fn handle<R: TryCryptoRng>(&mut self, event: Event<'_>, now: Uptime, rng: &mut R) -> Result<(), Error> {
        match event {
            Event::PutOn => {
                // If it was off for too long, it locked, whether or not anybody asked in between.
                self.pass(now);
                self.wear.put_on(now);
            }
            Event::TakenOff => self.wear.taken_off(now),
            Event::Recognised => self.recognised(now),
            _ if !self.out.is_drained() => return Err(CallerError::Undrained.into()),
            Event::CodeShown => self.code_shown(),
            Event::Entered(secret) => return self.secret_entered(secret, now),
            Event::Chosen(secret) => return self.secret_chosen(secret, now, rng),
            Event::Gesture(gesture) => {
                self.pass(now);
                return self.gesture(gesture, now, rng);
            }
            Event::Stored | Event::StoreFailed => {
                self.out.settled()?;
                if self.resets {
                    // Nothing that hung on it is signed or said any more, whoever has come since the gesture.
                    self.end();
                }
                let result = if matches!(event, Event::Stored) { self.stored(rng) } else { Err(self.store_failed()) };
                return result.and(self.next_to_store());
            }
            _ => self.pass(now),
        }
        Ok(())
    }

    #[inline(never)]
    fn gesture<R: TryCryptoRng>(&mut self, gesture: Gesture, now: Uptime, rng: &mut R) -> Result<(), Error> {
        match gesture {
            Gesture::Press if matches!(self.phase, Phase::Comparing(_)) => self.accept_code(now, rng),
            Gesture::Press => self.press(now),
            Gesture::DoublePress => self.double_press(rng),
            Gesture::Refuse => self.refuse(),
            Gesture::Hold => self.open_window(now, rng),
            Gesture::Unpair => self.unpair_gesture(),
            Gesture::Reset => {
                self.end();
                self.resets = true;
                self.next_to_store()
            }
        }
    }

    fn refuse(&mut self) -> Result<(), Error> {
        if self.phase.is_pairing() {
            self.fail(PeerError::NotPairing.into());
            return Ok(());
        }
        self.drop_task(Decline::NoGesture)
    }

    /// Gives up what waits for the wearer and tells the wallet why.
    pub(crate) fn drop_task(&mut self, why: Decline) -> Result<(), Error> {
        if !self.phase.take_waiting() {
            return Ok(());
        }
        self.out.signal(Signal::Dropped);
        self.say(&ToWallet::Declined(why))
    }

    /// Says `record` to the wallet, if one is linked.
    pub(crate) fn say(&mut self, record: &ToWallet<'_>) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Linked(linked) => self.out.send_sealed(&mut linked.session.channel, record),
            _ => Ok(()),
        }
    }

    /// Lets time pass: locks, closes the pairing window, gives up what waited for too long.
    pub(crate) fn pass(&mut self, now: Uptime) {
        if self.wear.advance(now) {
            self.out.signal(Signal::Locked);
            self.give_up(Decline::NotWorn);
        }
        if self.window.as_ref().is_some_and(|window| window.pairing.closes() <= now) {
            self.window = None;
            self.out.signal(Signal::PairingClosed);
        }
        if self.phase.is_opening() && self.prove_by <= now {
            self.fail(TOO_LATE);
        }
        if self.phase.deadline().is_some_and(|deadline| deadline <= now) {
            match self.phase {
                Phase::Linked(_) => self.give_up(Decline::NoGesture),
                _ => drop(self.fail(TOO_LATE)),
            }
        }
    }

    /// As [`Self::drop_task`], where a wallet that cannot be told now asks again.
    fn give_up(&mut self, why: Decline) {
        let _ = self.drop_task(why);
    }

    pub(crate) fn deadline(&self) -> Option<Uptime> {
        let window = self.window.as_ref().map(|window| window.pairing.closes());
        let proof = self.phase.is_opening().then_some(self.prove_by);
        [self.wear.deadline(), window, proof, self.phase.deadline()].into_iter().flatten().min()
    }
}
