//! From a connection to a link: the hellos, then pairing, reconnecting or resuming.

use armring_channel::{OpenError, Opened};
use armring_pairing::{
    BandHello, DiffieHellman, Generations, Kind, Link, Proven, Reconnect, ResumeSecret, ResumeTicket, Resumed, RustCrypto,
    UNSUPPORTED, Unproven, WalletHello, find_link,
};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{Uptime, VersionRange, decode_record};
use rand_core::TryCryptoRng;

use crate::after::AfterStore;
use crate::error::{CallerError, Error, MachineError, PeerError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::phase::{Introduction, LinkAt, Linked, Phase, Task};
use crate::state::Core;
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
            Phase::AwaitingStatic(awaiting, deadline) => end(self.last_message(awaiting, deadline, record, now, rng)),
            Phase::Comparing(comparing) => end(self.compare(comparing, record, now)),
            Phase::Proving(at, unproven) => self.prove(at, unproven, record),
            Phase::Resuming(slot, unproven) => self.prove_resumed(slot, unproven, record, now, rng),
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
            Kind::Reconnect | Kind::Resume => Ok(Phase::Opened(band, wallet)),
            // Without a window there is nothing that could take message 1.
            kind => match &self.window {
                None => Err(PeerError::NotPairing.into()),
                Some(window) if window.allows(kind) => Ok(Phase::Opened(band, wallet)),
                Some(_) => Err(armring_pairing::Error::from(armring_pairing::PeerError::NotAllowed).into()),
            },
        }
    }

    fn message_1<R: TryCryptoRng>(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        now: Uptime,
        rng: &mut R,
    ) -> Result<Phase<P::Signer>, Error> {
        match hellos.1.kind() {
            Kind::Reconnect => self.reconnect(hellos, record, rng),
            Kind::Resume => self.resume(hellos, record, rng),
            _ => self.pair(hellos, record, now, rng),
        }
    }

    /// The link that the wallet's hint is for.
    fn hinted(&self, (band, wallet): (&BandHello, &WalletHello)) -> Result<Found<'_>, Error> {
        let hint = wallet.hint().ok_or(PeerError::UnknownLink)?;
        let slots = self.slots.iter().enumerate();
        let links = slots.filter_map(|(slot, place)| Some(Found(LinkAt::Slot(slot), place.link.as_ref()?)));
        let replacement = self.replacement.as_ref().map(|(slot, link)| Found(LinkAt::Replacement(*slot), link));
        Ok(find_link(links.chain(replacement), band.challenge(), hint).ok_or(PeerError::UnknownLink)?)
    }

    fn reconnect<R: TryCryptoRng>(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        rng: &mut R,
    ) -> Result<Phase<P::Signer>, Error> {
        let message = exactly(record)?;
        let (at, (unproven, answer)) = {
            let Found(at, link) = self.hinted(hellos)?;
            (at, Reconnect::answer(link, &self.identity, hellos, message, rng)?)
        };
        self.out.send(&answer)?;
        Ok(Phase::Proving(at, unproven))
    }

    fn resume<R: TryCryptoRng>(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        rng: &mut R,
    ) -> Result<Phase<P::Signer>, Error> {
        let message = exactly(record)?;
        // A link that was never reconnected has nothing to resume.
        let LinkAt::Slot(slot) = self.hinted(hellos)?.0 else { return Err(PeerError::UnknownLink.into()) };
        let place = self.slots.get_mut(slot).ok_or(PeerError::UnknownLink)?;
        let link = place.link.as_ref().ok_or(PeerError::UnknownLink)?;
        let (unproven, answer) = place.resumption.answer(link, hellos, message, rng)?;
        self.out.send(&answer)?;
        Ok(Phase::Resuming(slot, unproven))
    }

    /// The first record over a reconnected link: whoever sealed it is there now, and says which generation of the link it remembers.
    fn prove(&mut self, at: LinkAt, unproven: Unproven, record: &mut [u8]) -> Step<P::Signer> {
        let Proven { session, proof, opened } = match unproven.open(record) {
            Ok(proven) => proven,
            Err(not_proven) if not_proven.error == OpenError::Cut => return (Phase::Ended, Err(not_proven.error.into())),
            Err(not_proven) => return (Phase::Proving(at, not_proven.unproven), Err(not_proven.error.into())),
        };
        let (generation, lost) = match opened {
            Opened::Record(record) => match decode_record(record) {
                Ok(ToBand::Generation { generation, lost }) => (generation, lost),
                Ok(_) => return (Phase::Ended, Err(PeerError::Unexpected.into())),
                Err(error) => return (Phase::Ended, Err(error.into())),
            },
            Opened::Close => return (Phase::Ended, Ok(())),
        };
        let mut link = match self.link_at(at).and_then(|link| Link::from_bytes(&link.to_bytes()).ok_or(MachineError::Key.into()))
        {
            Ok(link) => link,
            Err(error) => return (Phase::Ended, Err(error)),
        };
        if let Err(error) = link.promote(&proof) {
            return (Phase::Ended, Err(error.into()));
        }
        let (answer, agreement) = link.introduced(generation, lost);
        let slot = at.slot();
        let ticket = ResumeTicket::after_reconnect(ResumeSecret::new(*session.resume.expose()), &proof);
        let introduction = Introduction { link, answer, agreement, ticket };
        self.phase = Phase::Linked(Linked { slot, session, task: Task::Introduce(introduction) });
        let result = self.introduce();
        (core::mem::replace(&mut self.phase, Phase::Ended), result)
    }

    fn link_at(&self, at: LinkAt) -> Result<&Link, Error> {
        let link = match at {
            LinkAt::Slot(slot) => self.slots.get(slot).and_then(|place| place.link.as_ref()),
            LinkAt::Replacement(_) => self.replacement.as_ref().map(|(_, link)| link),
        };
        Ok(link.ok_or(PeerError::UnknownLink)?)
    }

    /// Has the link that was reconnected stored, with its new generation, as soon as nothing else is being stored. A link that was to take the
    /// place of another does so with this one write.
    pub(crate) fn introduce(&mut self) -> Result<(), Error> {
        if self.out.is_storing() {
            return Ok(());
        }
        let Phase::Linked(linked) = &mut self.phase else { return Ok(()) };
        let slot = linked.slot;
        match core::mem::replace(&mut linked.task, Task::None) {
            Task::Introduce(introduction) => {
                self.out.store_bytes(Place::Link(slot), introduction.link.to_bytes().as_slice())?;
                self.after_store = AfterStore::Introduce { slot, introduction };
            }
            other => linked.task = other,
        }
        Ok(())
    }

    /// The link is stored: it is an established one, and the band says which generation it remembered.
    pub(crate) fn introduced(&mut self, slot: usize, introduction: Introduction) -> Result<(), Error> {
        let Introduction { link, answer, agreement, ticket } = introduction;
        if self.replacement.as_ref().is_some_and(|(_, replacement)| replacement.is_same_link(&link)) {
            self.replacement = None;
        }
        let place = self.slot(slot)?;
        place.link = Some(link);
        place.resumption.reconnected(ticket);
        if agreement == Generations::UsedElsewhere {
            self.out.signal(Signal::UsedElsewhere);
        }
        self.say_to(slot, &ToWallet::Generation { generation: answer })
    }

    /// The first record over a resumed link.
    fn prove_resumed<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        unproven: Unproven<RustCrypto, Resumed>,
        record: &mut [u8],
        now: Uptime,
        rng: &mut R,
    ) -> Step<P::Signer> {
        let Proven { session, proof, opened } = match unproven.open(record) {
            Ok(proven) => proven,
            Err(not_proven) if not_proven.error == OpenError::Cut => return (Phase::Ended, Err(not_proven.error.into())),
            Err(not_proven) => return (Phase::Resuming(slot, not_proven.unproven), Err(not_proven.error.into())),
        };
        match self.slot(slot) {
            Ok(place) => place.resumption.confirm(&proof),
            Err(error) => return (Phase::Ended, Err(error)),
        }
        self.said(Linked { slot, session, task: Task::None }, opened, now, rng)
    }
}

/// A link and where it is.
struct Found<'a>(LinkAt, &'a Link);

impl core::borrow::Borrow<Link> for Found<'_> {
    fn borrow(&self) -> &Link {
        self.1
    }
}

/// `record` as a message of fixed length.
pub(crate) fn exactly<const N: usize>(record: &[u8]) -> Result<&[u8; N], Error> {
    record.try_into().map_err(|_| PeerError::Unexpected.into())
}
