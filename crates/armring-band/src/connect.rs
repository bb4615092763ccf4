//! From a connection to a link: the hellos, then pairing, reconnecting or resuming.

use armring_channel::{OpenError, Opened};
use armring_pairing::{
    BandHello, DiffieHellman, Generations, Kind, Link, Proven, Reconnect, Reconnected, ResumeSecret, ResumeTicket, UNSUPPORTED,
    WalletHello, find_link,
};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{Uptime, VersionRange, decode_record};
use rand_core::TryCryptoRng;

use crate::after::AfterStore;
use crate::error::{CallerError, Error, PeerError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::phase::{Introducing, Linked, Phase, Task};
use crate::state::Core;
use crate::store::Place;

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    pub(crate) fn greet<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), Error> {
        let hello = BandHello::new(VersionRange::SUPPORTED, rng)?;
        self.out.send(&hello.to_bytes())?;
        self.phase = Phase::Greeted(hello);
        Ok(())
    }

    /// A whole record came.
    pub(crate) fn record<R: TryCryptoRng>(&mut self, record: &mut [u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        let (pairing, waiting) = (self.phase.is_pairing(), self.phase.is_waiting());
        let result = match self.phase {
            // Where it is, for what comes of it takes all the stack that there is.
            Phase::Linked(_) => self.linked(record, now, rng),
            _ => self.step(record, now, rng),
        };
        if !matches!(self.phase, Phase::Ended) {
            return result;
        }
        self.tell_abandoned(pairing, waiting);
        self.out.disconnect();
        result
    }

    /// A message of a handshake came, or the first record after it: each step takes the phase apart and sets the next one in its place. What
    /// fails leaves [`Phase::Ended`], but for a record that does not verify. Apart, so that its stack is free when a record is acted on.
    #[inline(never)]
    fn step<R: TryCryptoRng>(&mut self, record: &mut [u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Greeted(_) => self.opened(record),
            Phase::Opened(..) => self.message_1(record, now, rng),
            Phase::AwaitingOpening(..) => self.message_3(record, now),
            Phase::AwaitingStatic(..) => self.last_message(record, now, rng),
            Phase::Comparing(_) => self.compare(record, now),
            Phase::Proving(..) => self.prove(record),
            Phase::Introducing(_) => self.while_introducing(record),
            Phase::Resuming(..) => self.prove_resumed(record, now, rng),
            Phase::Paired(session, _) => {
                let result = match session.channel.open(record) {
                    Ok(Opened::Close) => Ok(()),
                    Ok(Opened::Record(_)) => Err(PeerError::Unexpected.into()),
                    Err(error) => Err(error.into()),
                };
                self.phase = Phase::Ended;
                result
            }
            Phase::Linked(_) | Phase::Idle | Phase::Ended => Err(CallerError::NotConnected.into()),
        }
    }

    #[inline(never)]
    fn opened(&mut self, record: &[u8]) -> Result<(), Error> {
        let band = self.phase.take(|phase| if let Phase::Greeted(band) = phase { Some(band) } else { None })?;
        let wallet = WalletHello::from_bytes(record)?;
        if band.versions().highest_common(wallet.versions()).is_none() {
            self.out.send(&UNSUPPORTED)?;
            return Err(armring_pairing::Error::from(armring_pairing::PeerError::Unsupported).into());
        }
        match (wallet.kind(), &self.window) {
            (Kind::Reconnect | Kind::Resume, _) => {}
            // Without a window there is nothing that could take message 1.
            (_, None) => return Err(PeerError::NotPairing.into()),
            (kind, Some(window)) if window.pairing.allows(kind) => {}
            _ => return Err(armring_pairing::Error::from(armring_pairing::PeerError::NotAllowed).into()),
        }
        self.phase = Phase::Opened(band, wallet);
        Ok(())
    }

    #[inline(never)]
    fn message_1<R: TryCryptoRng>(&mut self, record: &[u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        let hellos =
            self.phase.take(|phase| if let Phase::Opened(band, wallet) = phase { Some((band, wallet)) } else { None })?;
        let hellos = (&hellos.0, &hellos.1);
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
        let links = slots.filter_map(|(slot, place)| Some(Found { slot, link: place.link.as_ref()?, is_new: false }));
        let new = self.replacing().map(|(slot, link)| Found { slot, link, is_new: true });
        Ok(find_link(links.chain(new), band.challenge(), hint).ok_or(PeerError::UnknownLink)?)
    }

    /// The link that is to take the place of the one in this slot.
    pub(crate) fn replacing(&self) -> Option<(usize, &Link)> {
        let replacement = self.replacement.as_ref()?;
        let slot = { self.slots.iter() }.position(|place| place.link.as_ref().is_some_and(|link| replacement.replaces(link)))?;
        Some((slot, &replacement.link))
    }

    #[inline(never)]
    fn reconnect<R: TryCryptoRng>(
        &mut self,
        hellos: (&BandHello, &WalletHello),
        record: &[u8],
        rng: &mut R,
    ) -> Result<(), Error> {
        let message = exactly(record)?;
        let Found { slot, link, .. } = self.hinted(hellos)?;
        let (unproven, answer) = Reconnect::answer(link, &self.identity, hellos, message, rng)?;
        self.out.send(&answer)?;
        self.phase = Phase::Proving(slot, unproven);
        Ok(())
    }

    #[inline(never)]
    fn resume<R: TryCryptoRng>(&mut self, hellos: (&BandHello, &WalletHello), record: &[u8], rng: &mut R) -> Result<(), Error> {
        let message = exactly(record)?;
        // A link that was never reconnected has nothing to resume.
        let Found { slot, is_new: false, .. } = self.hinted(hellos)? else { return Err(PeerError::UnknownLink.into()) };
        let place = self.slots.get_mut(slot).ok_or(PeerError::UnknownLink)?;
        let link = place.link.as_ref().ok_or(PeerError::UnknownLink)?;
        let (unproven, answer) = place.resumption.answer(link, hellos, message, rng)?;
        self.out.send(&answer)?;
        self.phase = Phase::Resuming(slot, unproven);
        Ok(())
    }

    /// The first record over a reconnected link: whoever sealed it is there now, and says which generation of the link it remembers.
    #[inline(never)]
    fn prove(&mut self, record: &mut [u8]) -> Result<(), Error> {
        let (slot, unproven) = { &mut self.phase }
            .take(|phase| if let Phase::Proving(slot, unproven) = phase { Some((slot, unproven)) } else { None })?;
        let Proven { session, proof, opened } = match unproven.open(record) {
            Ok(proven) => proven,
            Err(not_proven) => {
                if not_proven.error != OpenError::Cut {
                    self.phase = Phase::Proving(slot, not_proven.unproven);
                }
                return Err(not_proven.error.into());
            }
        };
        let Opened::Record(record) = opened else { return Ok(()) };
        let said = match decode_record(record)? {
            ToBand::Generation { generation, lost } => (generation, lost),
            _ => return Err(PeerError::Unexpected.into()),
        };
        self.phase = Phase::Introducing(Introducing { slot, session, proof, said, is_storing: false });
        self.introduce()
    }

    /// While its link is stored, a wallet that follows the protocol says nothing but that it leaves.
    #[inline(never)]
    fn while_introducing(&mut self, record: &mut [u8]) -> Result<(), Error> {
        let Phase::Introducing(introducing) = &mut self.phase else { return Err(PeerError::Unexpected.into()) };
        let result = match introducing.session.channel.open(record) {
            Err(error @ (OpenError::Length | OpenError::NotAuthentic)) => return Err(error.into()),
            Ok(Opened::Close) => Ok(()),
            Ok(Opened::Record(_)) => Err(PeerError::Unexpected.into()),
            Err(error) => Err(error.into()),
        };
        self.phase = Phase::Ended;
        result
    }

    /// Has the link that was reconnected stored, with its new generation, as soon as nothing else is being stored. A link that was to take the
    /// place of another does so with this one write.
    pub(crate) fn introduce(&mut self) -> Result<(), Error> {
        if self.out.is_storing() {
            return Ok(());
        }
        match &self.phase {
            Phase::Introducing(introducing) if !introducing.is_storing => {
                self.store_introduced().map_err(|error| self.fail(error))
            }
            _ => Ok(()),
        }
    }

    #[inline(never)]
    fn store_introduced(&mut self) -> Result<(), Error> {
        let Phase::Introducing(introducing) = &self.phase else { return Ok(()) };
        let Introducing { slot, session, proof, said: (generation, lost), .. } = introducing;
        let mut link = self.reconnected(*slot, proof)?;
        let (answer, agreement) = link.introduced(*generation, *lost);
        let ticket = ResumeTicket::after_reconnect(ResumeSecret::new(*session.resume.expose()), proof);
        self.out.store_bytes(Place::Link(*slot), link.to_bytes().as_slice())?;
        self.after_store = AfterStore::Introduce { slot: *slot, introduction: Introduction { link, answer, agreement, ticket } };
        if let Phase::Introducing(introducing) = &mut self.phase {
            introducing.is_storing = true;
        }
        Ok(())
    }

    /// The link of `slot` that was reconnected, now an established one: the one in it, or the one that is to take its place. What was stored
    /// in the meantime may have taken it away.
    fn reconnected(&self, slot: usize, proof: &Reconnected) -> Result<Link, Error> {
        let present = self.slots.get(slot).and_then(|place| place.link.as_ref());
        let new = self.replacing().filter(|(at, _)| *at == slot).map(|(_, link)| link);
        let promoted = [present, new].into_iter().flatten().find_map(|link| {
            let mut link = Link::from_bytes(&link.to_bytes())?;
            link.promote(proof).ok()?;
            Some(link)
        });
        Ok(promoted.ok_or(PeerError::UnknownLink)?)
    }

    /// The link is stored: it is an established one, and the band says which generation it remembered.
    #[inline(never)]
    pub(crate) fn introduced(&mut self) -> Result<(), Error> {
        let (slot, introduction) = { &mut self.after_store }.take(|after| match after {
            AfterStore::Introduce { slot, introduction } => Some((slot, introduction)),
            _ => None,
        })?;
        let Introduction { link, answer, agreement, ticket } = introduction;
        if self.replacement.as_ref().is_some_and(|replacement| replacement.link.is_same_link(&link)) {
            self.replacement = None;
        }
        let place = self.slot(slot)?;
        let was_there = place.link.as_ref().is_some_and(|old| old.is_same_link(&link));
        place.link = Some(link);
        place.resumption.reconnected(ticket);
        if agreement == Generations::UsedElsewhere {
            self.out.signal(Signal::UsedElsewhere);
        }
        if self.phase.is_storing_introduced() {
            let session = { &mut self.phase }
                .take(|phase| if let Phase::Introducing(introducing) = phase { Some(introducing.session) } else { None })?;
            self.phase = Phase::Linked(Linked { slot, session, task: Task::None });
            return self.say(&ToWallet::Generation { generation: answer });
        }
        // Whoever is there now came over the link that is gone.
        if !was_there && self.phase.slot() == Some(slot) {
            self.end();
        }
        Ok(())
    }

    /// The first record over a resumed link.
    #[inline(never)]
    fn prove_resumed<R: TryCryptoRng>(&mut self, record: &mut [u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        let (slot, opened) = self.open_resumed(record)?;
        self.said(slot, opened, now, rng)
    }

    /// Apart, so that its stack is free when the record is acted on.
    #[inline(never)]
    fn open_resumed<'b>(&mut self, record: &'b mut [u8]) -> Result<(usize, Opened<'b>), Error> {
        let (slot, unproven) = { &mut self.phase }
            .take(|phase| if let Phase::Resuming(slot, unproven) = phase { Some((slot, unproven)) } else { None })?;
        let Proven { session, proof, opened } = match unproven.open(record) {
            Ok(proven) => proven,
            Err(not_proven) => {
                if not_proven.error != OpenError::Cut {
                    self.phase = Phase::Resuming(slot, not_proven.unproven);
                }
                return Err(not_proven.error.into());
            }
        };
        self.slot(slot)?.resumption.confirm(&proof);
        self.phase = Phase::Linked(Linked { slot, session, task: Task::None });
        Ok((slot, opened))
    }
}

/// A link of this slot, or the new one that is to take its place.
struct Found<'a> {
    slot: usize,
    link: &'a Link,
    is_new: bool,
}

impl core::borrow::Borrow<Link> for Found<'_> {
    fn borrow(&self) -> &Link {
        self.link
    }
}

/// What a reconnect leads to once it is stored.
pub(crate) struct Introduction {
    link: Link,
    /// The generation before.
    answer: u32,
    agreement: Generations,
    ticket: ResumeTicket,
}

/// `record` as a message of fixed length.
pub(crate) fn exactly<const N: usize>(record: &[u8]) -> Result<&[u8; N], Error> {
    record.try_into().map_err(|_| PeerError::Unexpected.into())
}
