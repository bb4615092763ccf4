//! From a connection to a link: hello, pairing by code, reconnecting.

use armring_channel::{OpenError, Opened};
use armring_pairing::{
    BandHello, DiffieHellman, Kind, Link, LinkState, Methods, PairingWindow, Reconnect, RustCrypto, Share, UNSUPPORTED,
    WalletHello, find_link,
};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{Uptime, VersionRange, decode_record};
use rand_core::TryCryptoRng;

use crate::after::AfterStore;
use crate::error::{CallerError, Error, MachineError, PeerError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::phase::{Comparing, Comparison, Linked, Phase, Task};
use crate::state::{Core, TOO_LATE};
use crate::store::Place;

/// Where the connection stands after a step, and what was wrong with it. An error with [`Phase::Ended`] ends the connection.
pub(crate) type Step<S> = (Phase<S>, Result<(), Error>);

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    pub(crate) fn greet<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<Phase<P::Signer>, Error> {
        let hello = BandHello::new(VersionRange::SUPPORTED, rng)?;
        self.out.send(&hello.to_bytes())?;
        Ok(Phase::Greeted(hello))
    }

    /// A whole record came.
    pub(crate) fn record<R: TryCryptoRng>(&mut self, record: &mut [u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        let phase = core::mem::replace(&mut self.phase, Phase::Ended);
        let end = |result: Result<Phase<P::Signer>, Error>| match result {
            Ok(phase) => (phase, Ok(())),
            Err(error) => (Phase::Ended, Err(error)),
        };
        let (pairing, waiting) = (phase.is_pairing(), phase.is_waiting());
        let (phase, result) = match phase {
            Phase::Greeted(hello) => end(self.opened(hello, record)),
            Phase::Opened(band, wallet) => end(self.message_1((&band, &wallet), record, now, rng)),
            Phase::AwaitingOpening(awaiting, deadline) => end(self.message_3(awaiting, deadline, record, now)),
            Phase::Comparing(comparing) => end(self.compare(comparing, record, now)),
            Phase::Proving(slot, unproven) => self.prove(slot, unproven, record, now, rng),
            Phase::Linked(linked) => self.linked(linked, record, now, rng),
            Phase::Paired(mut session) => match session.channel.open(record) {
                Ok(Opened::Close) => (Phase::Ended, Ok(())),
                Ok(Opened::Record(_)) => (Phase::Ended, Err(PeerError::Unexpected.into())),
                Err(error) => (Phase::Ended, Err(error.into())),
            },
            Phase::Idle | Phase::Ended => (phase, Err(CallerError::NotConnected.into())),
        };
        self.phase = phase;
        if !matches!(self.phase, Phase::Ended) {
            return result;
        }
        self.tell_abandoned(pairing, waiting);
        self.out.disconnect();
        result
    }

    fn opened(&mut self, band: BandHello, record: &[u8]) -> Result<Phase<P::Signer>, Error> {
        let wallet = WalletHello::from_bytes(record)?;
        if band.versions().highest_common(wallet.versions()).is_none() {
            self.out.send(&UNSUPPORTED)?;
            return Err(armring_pairing::Error::from(armring_pairing::PeerError::Unsupported).into());
        }
        match wallet.kind() {
            // Without a window there is nothing that could take message 1.
            Kind::PairCode if self.window.is_none() => Err(PeerError::NotPairing.into()),
            Kind::PairCode | Kind::Reconnect => Ok(Phase::Opened(band, wallet)),
            _ => Err(PeerError::Unexpected.into()),
        }
    }

    fn message_1<R: TryCryptoRng>(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        now: Uptime,
        rng: &mut R,
    ) -> Result<Phase<P::Signer>, Error> {
        if hellos.1.kind() == Kind::PairCode {
            let window = self.window.take().ok_or(PeerError::NotPairing)?;
            let deadline = now.saturating_add(PairingWindow::<RustCrypto>::DURATION);
            let message = exactly(record).inspect_err(|_| self.out.signal(Signal::PairingClosed))?;
            let (awaiting, answer) = window
                .receive(message, now, &self.identity, hellos, rng)
                .inspect_err(|_| self.out.signal(Signal::PairingClosed))?;
            self.out.send(&answer)?;
            return Ok(Phase::AwaitingOpening(awaiting, deadline));
        }
        let message = exactly(record)?;
        let (slot, (unproven, answer)) = {
            let hint = hellos.1.hint().ok_or(PeerError::UnknownLink)?;
            let links = self.slots.iter().enumerate().filter_map(|(slot, place)| Some(LinkAt(slot, place.link.as_ref()?)));
            let LinkAt(slot, link) = find_link(links, hellos.0.challenge(), hint).ok_or(PeerError::UnknownLink)?;
            (slot, Reconnect::answer(link, &self.identity, hellos, message, rng)?)
        };
        self.out.send(&answer)?;
        Ok(Phase::Proving(slot, unproven))
    }

    fn message_3(
        &mut self,
        awaiting: armring_pairing::AwaitingOpening,
        deadline: Uptime,
        record: &[u8],
        now: Uptime,
    ) -> Result<Phase<P::Signer>, Error> {
        let (session, code) = awaiting.receive(exactly(record)?, now, &self.identity)?;
        self.out.signal(Signal::Code(code.code().digits()));
        Ok(Phase::Comparing(Comparing { session, step: Comparison::Showing(code), wallet: None, deadline }))
    }

    /// While people compare, the wallet says `Confirm` or nothing.
    fn compare(&mut self, mut comparing: Comparing, record: &mut [u8], now: Uptime) -> Result<Phase<P::Signer>, Error> {
        if comparing.deadline <= now {
            return Err(TOO_LATE);
        }
        let Opened::Record(record) = comparing.session.channel.open(record)? else {
            // The wallet's person said no.
            return Ok(Phase::Ended);
        };
        match decode_record(record)? {
            ToBand::Confirm { share } if comparing.wallet.is_none() => comparing.wallet = Some(Share::new(share)),
            _ => return Err(PeerError::Unexpected.into()),
        }
        self.try_link(comparing)
    }

    pub(crate) fn code_shown(&mut self) {
        if let Phase::Comparing(comparing) = &mut self.phase {
            let step = core::mem::replace(&mut comparing.step, Comparison::Storing);
            comparing.step = match step {
                Comparison::Showing(code) => Comparison::Shown(code.shown()),
                other => other,
            };
        }
    }

    /// The wearer says that the code is the same on both. Before the whole code was shown, nobody can.
    pub(crate) fn accept_code<R: TryCryptoRng>(&mut self, now: Uptime, rng: &mut R) -> Result<(), Error> {
        let Phase::Comparing(comparing) = core::mem::replace(&mut self.phase, Phase::Ended) else {
            return Ok(());
        };
        let result = match comparing.step {
            Comparison::Shown(code) => match code.accept(now, rng) {
                Ok(accepted) => self.try_link(Comparing { step: Comparison::Accepted(accepted), ..comparing }),
                Err(error) => Err(error.into()),
            },
            step => Ok(Phase::Comparing(Comparing { step, ..comparing })),
        };
        self.compared(result)
    }

    /// What was being stored is settled: a link may have been waiting for its turn.
    pub(crate) fn resume_pairing(&mut self) -> Result<(), Error> {
        match core::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Comparing(comparing) => {
                let result = self.try_link(comparing);
                self.compared(result)
            }
            other => {
                self.phase = other;
                Ok(())
            }
        }
    }

    fn compared(&mut self, result: Result<Phase<P::Signer>, Error>) -> Result<(), Error> {
        match result {
            Ok(phase) => {
                self.phase = phase;
                Ok(())
            }
            Err(error) => {
                self.tell_abandoned(true, false);
                self.out.disconnect();
                Err(error)
            }
        }
    }

    /// Makes the provisional link once both sides have accepted, and has it stored before the band says so. One thing is stored at a time.
    fn try_link(&mut self, mut comparing: Comparing) -> Result<Phase<P::Signer>, Error> {
        match (comparing.step, comparing.wallet.take()) {
            (Comparison::Accepted(accepted), Some(share)) if !self.out.is_storing() => {
                let (link, store_first) = accepted.wallet_confirmed(&share);
                let slot = self.slots.iter().position(crate::state::Slot::is_free).ok_or(MachineError::Exhausted)?;
                self.out.store_bytes(Place::Link(slot), link.to_bytes().as_slice())?;
                self.after_store = AfterStore::Pair { slot, link, store_first };
                comparing.step = Comparison::Storing;
            }
            (step, wallet) => (comparing.step, comparing.wallet) = (step, wallet),
        }
        Ok(Phase::Comparing(comparing))
    }

    /// The provisional link is stored: the band says `Confirm`.
    pub(crate) fn say_confirm(&mut self, share: &Share) -> Result<(), Error> {
        let mut comparing = match core::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Comparing(comparing @ Comparing { step: Comparison::Storing, .. }) => comparing,
            other => {
                // The wallet is gone. The link stays provisional, and the next one to pair takes its place.
                self.phase = other;
                return Ok(());
            }
        };
        let confirm = ToWallet::Confirm { share: *share.expose() };
        let sent = self.out.send_sealed(&mut comparing.session.channel, &confirm);
        self.compared(sent.map(|()| Phase::Paired(comparing.session)))?;
        self.out.signal(Signal::Paired);
        Ok(())
    }

    /// The first record over a reconnected link: whoever sealed it is there now.
    fn prove<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        unproven: armring_pairing::Unproven,
        record: &mut [u8],
        now: Uptime,
        rng: &mut R,
    ) -> Step<P::Signer> {
        let proven = match unproven.open(record) {
            Ok(proven) => proven,
            Err(not_proven) if not_proven.error == OpenError::Cut => return (Phase::Ended, Err(not_proven.error.into())),
            Err(not_proven) => return (Phase::Proving(slot, not_proven.unproven), Err(not_proven.error.into())),
        };
        if let Err(error) = self.promote(slot, &proven.proof) {
            return (Phase::Ended, Err(error));
        }
        let linked = Linked { slot, session: proven.session, task: Task::None };
        self.said(linked, proven.opened, now, rng)
    }

    fn promote(&mut self, slot: usize, proof: &armring_pairing::Reconnected) -> Result<(), Error> {
        let link = self.slots.get(slot).and_then(|place| place.link.as_ref()).ok_or(PeerError::UnknownLink)?;
        if link.state() == LinkState::Established || self.out.is_storing() {
            // While something of an earlier connection is still being stored, the link stays provisional; it is promoted the next time.
            return Ok(());
        }
        let mut link = Link::from_bytes(&link.to_bytes()).ok_or(MachineError::Key)?;
        link.promote(proof)?;
        self.out.store_bytes(Place::Link(slot), link.to_bytes().as_slice())?;
        self.after_store = AfterStore::Promote { slot, link };
        Ok(())
    }

    pub(crate) fn open_window(&mut self, now: Uptime) -> Result<(), Error> {
        if !self.slots.iter().any(crate::state::Slot::is_free) {
            self.out.signal(Signal::LinksFull);
            return Ok(());
        }
        // One unauthenticated handshake at a time, and the one who pairs is the one who connects from now on.
        self.end();
        self.window = Some(PairingWindow::open(now, Methods::code()));
        self.out.signal(Signal::PairingOpen);
        Ok(())
    }
}

/// A link and where it is.
struct LinkAt<'a>(usize, &'a Link);

impl core::borrow::Borrow<Link> for LinkAt<'_> {
    fn borrow(&self) -> &Link {
        self.1
    }
}

/// `record` as a message of fixed length.
pub(crate) fn exactly<const N: usize>(record: &[u8]) -> Result<&[u8; N], Error> {
    record.try_into().map_err(|_| PeerError::Unexpected.into())
}
