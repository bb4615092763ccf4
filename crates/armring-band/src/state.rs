//! The band's state, and which part of the band an event belongs to.

use armring_pairing::{DiffieHellman, Link, LinkState, PairingWindow};
use armring_token::{KeyList, PaymentToken, RootKey, Unlocking, Unverified, Verified};
use armring_wire::records::band::{Decline, ToWallet};
use armring_wire::{AttPayload, RequestDigest, RootFingerprint, UnixTime, Uptime, decode};
use rand_core::TryCryptoRng;

use crate::after::AfterStore;
use crate::band::LINKS;
use crate::error::{CallerError, Error, PeerError};
use crate::event::{Event, Gesture, Signal};
use crate::keys::{KeyHandle, PaymentKeys};
use crate::outputs::Outputs;
use crate::phase::{Phase, Task};
use crate::purse::Purse;
use crate::store::{Place, StoreKey, StoredAnswer, StoredCredential, StoredEnrolment};
use crate::wear::Wear;

/// One wallet's place: the link and what was enrolled over it.
pub(crate) struct Slot<S> {
    pub(crate) link: Option<Link>,
    /// A payment key that waits for its credential.
    pub(crate) enrolment: Option<StoredEnrolment>,
    pub(crate) purse: Option<Purse<S>>,
    /// What the wearer last asked to be paid.
    pub(crate) asked: Option<RequestDigest>,
}

impl<S> Slot<S> {
    const EMPTY: Self = Self { link: None, enrolment: None, purse: None, asked: None };

    /// Whether a new link may take this place: it holds none, or one that no connection has ever been made over.
    pub(crate) fn is_free(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.state() == LinkState::Provisional)
    }
}

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
    pub(crate) wear: Wear,
    pub(crate) window: Option<PairingWindow>,
    pub(crate) phase: Phase<P::Signer>,
    pub(crate) after_store: AfterStore<P::Signer>,
}

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
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
            wear: Wear::default(),
            window: None,
            phase: Phase::Idle,
            after_store: AfterStore::Nothing,
        }
    }

    /// Forgets links, credentials and keys, after all of it was erased.
    pub(crate) fn forget(&mut self) {
        self.slots = [const { Slot::EMPTY }; LINKS];
        self.key_list = None;
        self.latest = UnixTime::EPOCH;
        self.window = None;
    }

    pub(crate) fn load(&mut self, key: StoreKey, value: &[u8]) -> Result<(), Error> {
        const BAD: Error = Error::Caller(CallerError::BadValue);
        let place = key.place().ok_or(BAD)?;
        match place {
            Place::KeyList => {
                let list = Unverified::<KeyList>::parse(value).map_err(|_| BAD)?;
                let list = list.verify(&self.fingerprint, &self.root).map_err(|_| BAD)?;
                self.latest = self.latest.max(list.issued);
                self.key_list = Some(list);
            }
            Place::Link(slot) => {
                let link = value.try_into().ok().and_then(Link::from_bytes).ok_or(BAD)?;
                self.slot(slot)?.link = Some(link);
            }
            Place::Enrolment(slot) => self.slot(slot)?.enrolment = Some(decode(value).map_err(|_| BAD)?),
            Place::Credential(slot) => {
                let stored: StoredCredential<'_> = decode(value).map_err(|_| BAD)?;
                // The band verified it before it stored it.
                let credential = *Unverified::parse(stored.object.as_bytes()).map_err(|_| BAD)?.claims();
                let key = self.keys.open(&KeyHandle(stored.handle))?;
                self.slot(slot)?.purse = Some(Purse::new(credential, key));
            }
            Place::Answer(slot) => {
                let stored: StoredAnswer = decode(value).map_err(|_| BAD)?;
                self.latest = self.latest.max(stored.time);
                self.purse(slot)?.raise_ceiling(stored.ceiling);
            }
            Place::Token(slot, _) => {
                let token: PaymentToken = decode(value).map_err(|_| BAD)?;
                let digest = token.digest(&self.fingerprint);
                self.purse(slot)?.count(token, digest);
            }
        }
        Ok(())
    }

    pub(crate) fn slot(&mut self, slot: usize) -> Result<&mut Slot<P::Signer>, Error> {
        self.slots.get_mut(slot).ok_or(CallerError::BadValue.into())
    }

    fn purse(&mut self, slot: usize) -> Result<&mut Purse<P::Signer>, Error> {
        self.slot(slot)?.purse.as_mut().ok_or(CallerError::BadValue.into())
    }

    /// Whether a fragment may come now.
    pub(crate) fn expect_peer(&self) -> Result<(), Error> {
        match self.phase {
            Phase::Idle | Phase::Ended => Err(CallerError::NotConnected.into()),
            _ if !self.out.is_drained() => Err(CallerError::Undrained.into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn connected<R: TryCryptoRng>(&mut self, payload: AttPayload, now: Uptime, rng: &mut R) -> Result<(), Error> {
        self.pass(now);
        if !matches!(self.phase, Phase::Idle | Phase::Ended) {
            return Err(self.fail(PeerError::SecondConnection.into()));
        }
        self.out.connected(payload);
        match self.greet(rng) {
            Ok(phase) => {
                self.phase = phase;
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
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.abandon();
        self.phase = Phase::Ended;
        self.out.disconnect();
        error
    }

    /// Gives up what went on over the connection. A pairing, or a window that was open for one, is closed, visibly: one gesture, one guess.
    fn abandon(&mut self) {
        if self.window.take().is_some() || self.phase.is_pairing() {
            self.out.signal(Signal::PairingClosed);
        }
        if self.phase.take_waiting() {
            self.out.signal(Signal::Dropped);
        }
    }

    pub(crate) fn handle<R: TryCryptoRng>(&mut self, event: Event<'_>, now: Uptime, rng: &mut R) -> Result<(), Error> {
        match event {
            Event::PutOn => self.wear.put_on(now),
            Event::TakenOff => self.wear.taken_off(now),
            Event::Unlocked(how) => self.unlock(how, now),
            _ if !self.out.is_drained() => return Err(CallerError::Undrained.into()),
            Event::CodeShown => self.code_shown(),
            Event::Gesture(gesture) => {
                self.pass(now);
                return self.gesture(gesture, now, rng);
            }
            Event::Stored => {
                self.out.settled()?;
                return self.stored(rng);
            }
            Event::StoreFailed => {
                self.out.settled()?;
                return Err(self.store_failed());
            }
            _ => self.pass(now),
        }
        Ok(())
    }

    fn unlock(&mut self, how: Unlocking, now: Uptime) {
        self.pass(now);
        if self.wear.unlock(how, now) {
            self.out.signal(Signal::Unlocked);
        }
    }

    fn gesture<R: TryCryptoRng>(&mut self, gesture: Gesture, now: Uptime, rng: &mut R) -> Result<(), Error> {
        match gesture {
            Gesture::Press if matches!(self.phase, Phase::Comparing(_)) => self.accept_code(now, rng),
            Gesture::Press => self.press(now),
            Gesture::DoublePress => self.double_press(rng),
            Gesture::Refuse => self.refuse(),
            Gesture::Hold => self.open_window(now),
            Gesture::Reset => {
                if !matches!(self.phase, Phase::Idle | Phase::Ended) {
                    self.abandon();
                    self.phase = Phase::Ended;
                    self.out.disconnect();
                }
                self.out.erase_all();
                self.after_store = AfterStore::EraseAll;
                Ok(())
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
    fn pass(&mut self, now: Uptime) {
        if self.wear.advance(now) {
            self.out.signal(Signal::Locked);
            self.give_up(Decline::NotWorn);
        }
        if self.window.as_ref().is_some_and(|window| !window.is_open(now)) {
            self.window = None;
            self.out.signal(Signal::PairingClosed);
        }
        if self.phase.deadline().is_some_and(|deadline| deadline <= now) {
            if self.phase.is_pairing() {
                self.fail(Error::Peer(PeerError::Handshake(armring_pairing::PeerError::TooLate)));
            } else {
                self.give_up(Decline::NoGesture);
            }
        }
    }

    /// As [`Self::drop_task`], where a wallet that cannot be told now asks again.
    fn give_up(&mut self, why: Decline) {
        let _ = self.drop_task(why);
    }

    pub(crate) fn deadline(&self) -> Option<Uptime> {
        let window = self.window.as_ref().map(|window| window.closes());
        [self.wear.deadline(), window, self.phase.deadline()].into_iter().flatten().min()
    }

    /// Whether something waits for the wearer or the issuer over this connection.
    pub(crate) fn is_busy(task: &Task<P::Signer>) -> bool {
        !matches!(task, Task::None)
    }
}
