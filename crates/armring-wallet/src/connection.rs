//! One connection to a band: pairing or reconnecting, then records both ways.

use std::collections::VecDeque;

use armring_channel::{OpenError, Opened};
use armring_pairing::{
    AtWallet, AwaitingBandShare, BandHello, CodeShown, CompareCode, DiffieHellman, Generations, Link, MESSAGE_MAX, Pairing,
    PairingLabel, PairingUncompared, Reconnect, Resume, ResumeSecret, ResumeTicket, Session, Share, UNSUPPORTED, WalletHello,
};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{AttPayload, DecodeError, Fragmenter, Reassembler, VersionRange, decode_record};
use rand_core::TryCryptoRng;

use crate::error::{CallerError, Error, PeerError};
use crate::event::{Event, Output};
use crate::out::Out;

/// A connection to a band, as the wallet sees it. It does nothing by itself: the app hands it each notification of the band with
/// [`Connection::fragment`], and after each call polls until there are no more [`Output`]s.
///
/// A connection that failed is not tried again by itself: reconnecting is a new [`Connection`], and pairing needs the band's wearer to
/// make a new gesture. What [`Connection::take_ticket`] gives makes the next connection cheaper, for as long as the app runs.
pub struct Connection {
    inbox: Reassembler<Vec<u8>>,
    fragmenter: Fragmenter,
    outputs: VecDeque<Output>,
    phase: Phase,
    /// What the next connection can be resumed with.
    ticket: Option<ResumeTicket>,
}

enum Phase {
    /// The band says hello first.
    Hello(Goal),
    /// Pairing: message 2 is next.
    Pairing(Pairing),
    /// Pairing without a code: message 2 is next.
    PairingUncompared(PairingUncompared),
    /// Pairing: a person compares the code.
    Comparing(Session, Comparison),
    /// Pairing: the person accepted, and the band's confirmation is awaited.
    Confirming(Session, AwaitingBandShare),
    /// Reconnecting: message 2 is next.
    Reconnecting(Reconnect, Link),
    /// Reconnected: the band's generation of the link is next.
    Introducing(Session, Link),
    /// Resuming: message 2 is next.
    Resuming(Resume),
    Linked(Session),
    Ended,
}

enum Goal {
    Pair,
    PairWithLabel(PairingLabel),
    PairByPress,
    Reconnect(Link),
    Resume(Link),
}

enum Comparison {
    Showing(CompareCode<AtWallet>),
    Shown(CodeShown<AtWallet>),
}

impl Connection {
    /// A connection to pair over. The wearer has opened the band's pairing window.
    #[must_use]
    pub fn pair(payload: AttPayload) -> Self {
        Self::new(payload, Goal::Pair)
    }

    /// A connection to pair over with the band whose label, or whose display, the person has scanned. The wearer has opened the pairing
    /// window.
    #[must_use]
    pub fn pair_with_label(label: PairingLabel, payload: AttPayload) -> Self {
        Self::new(payload, Goal::PairWithLabel(label))
    }

    /// A connection to pair over with a band that has a button and nothing else. Whoever answers first is paired, and the link has the
    /// least assurance. A band that can do better refuses.
    #[must_use]
    pub fn pair_by_press(payload: AttPayload) -> Self {
        Self::new(payload, Goal::PairByPress)
    }

    /// A connection to the band of `link`.
    #[must_use]
    pub fn reconnect(link: Link, payload: AttPayload) -> Self {
        Self::new(payload, Goal::Reconnect(link))
    }

    /// A connection to the band of `link` that goes on where the last one was lost. Where it fails, [reconnect](Self::reconnect): the band may
    /// have restarted. `ticket` is that of the last connection.
    #[must_use]
    pub fn resume(link: Link, ticket: ResumeTicket, payload: AttPayload) -> Self {
        Self { ticket: Some(ticket), ..Self::new(payload, Goal::Resume(link)) }
    }

    /// What the next connection can be resumed with, once this one has ended; `None` where a reconnect is due. To be kept in memory and never
    /// stored.
    #[must_use]
    pub fn take_ticket(&mut self) -> Option<ResumeTicket> {
        self.ticket.take().filter(|ticket| ticket.left() > 0)
    }

    fn new(payload: AttPayload, goal: Goal) -> Self {
        Self {
            inbox: Reassembler::new(vec![0; MESSAGE_MAX]),
            fragmenter: Fragmenter::new(payload),
            outputs: VecDeque::new(),
            phase: Phase::Hello(goal),
            ticket: None,
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether records can be said to the band.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        matches!(self.phase, Phase::Linked(_))
    }

    /// A notification of the band came: one fragment. `own` is the wallet's X25519 key.
    ///
    /// # Errors
    /// An [`Error`] says who is to blame. The connection has then ended, unless it was a record that does not open, which changes nothing.
    pub fn fragment<R: TryCryptoRng>(&mut self, fragment: &[u8], own: &dyn DiffieHellman, rng: &mut R) -> Result<(), Error> {
        let Self { inbox, fragmenter, outputs, phase, ticket } = self;
        if matches!(phase, Phase::Ended) {
            return Err(PeerError::Unexpected.into());
        }
        let mut out = Out { fragmenter, outputs };
        let record = match inbox.push(fragment) {
            Ok(None) => return Ok(()),
            Ok(Some(record)) => record,
            Err(error) => {
                *phase = Phase::Ended;
                out.outputs.push_back(Output::Disconnect);
                return Err(PeerError::from(error).into());
            }
        };
        let before = std::mem::replace(phase, Phase::Ended);
        let (after, result) = step(before, record, ticket, own, rng, &mut out);
        *phase = after;
        if matches!(phase, Phase::Ended) {
            out.outputs.push_back(Output::Disconnect);
        }
        result
    }

    /// The whole code was shown to the person.
    pub fn code_shown(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Comparing(session, Comparison::Showing(code)) => Phase::Comparing(session, Comparison::Shown(code.shown())),
            other => other,
        };
    }

    /// The person says that both codes are the same.
    ///
    /// # Errors
    /// [`CallerError::NoCode`] where there is none, or it was not shown; [`Error::Machine`] where the generator fails.
    pub fn accept_code<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), Error> {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Comparing(session, Comparison::Shown(code)) => {
                let result = self.confirm(session, code, rng);
                if result.is_err() {
                    self.outputs.push_back(Output::Disconnect);
                }
                result
            }
            other => {
                self.phase = other;
                Err(CallerError::NoCode.into())
            }
        }
    }

    fn confirm<R: TryCryptoRng>(&mut self, mut session: Session, code: CodeShown<AtWallet>, rng: &mut R) -> Result<(), Error> {
        let awaiting = code.accept(rng)?;
        let confirm = ToBand::Confirm { share: *awaiting.share().expose() };
        self.out().send_sealed(&mut session, &confirm)?;
        self.phase = Phase::Confirming(session, awaiting);
        Ok(())
    }

    /// Says `record` to the band.
    ///
    /// # Errors
    /// [`CallerError::NotLinked`] before the band is [linked](Event::Linked).
    pub fn say(&mut self, record: &ToBand<'_>) -> Result<(), Error> {
        let Self { fragmenter, outputs, phase, .. } = self;
        match phase {
            Phase::Linked(session) => Out { fragmenter, outputs }.send_sealed(session, record),
            _ => Err(CallerError::NotLinked.into()),
        }
    }

    /// Ends the connection: closes the channel, if there is one. To a code that differs this is the answer.
    pub fn close(&mut self) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        let Self { fragmenter, outputs, phase, .. } = self;
        if let Phase::Comparing(session, _)
        | Phase::Confirming(session, _)
        | Phase::Introducing(session, _)
        | Phase::Linked(session) = phase
        {
            let mut buffer = [0; armring_channel::MIN_SEALED_LEN];
            if let Ok(sealed) = session.channel.close(&mut buffer) {
                Out { fragmenter, outputs }.send(sealed);
            }
        }
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Disconnect);
    }

    fn out(&mut self) -> Out<'_> {
        Out { fragmenter: &mut self.fragmenter, outputs: &mut self.outputs }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("is_linked", &self.is_linked()).finish_non_exhaustive()
    }
}

/// Takes a whole message. An error with [`Phase::Ended`] ends the connection.
fn step<R: TryCryptoRng>(
    phase: Phase,
    record: &mut [u8],
    ticket: &mut Option<ResumeTicket>,
    own: &dyn DiffieHellman,
    rng: &mut R,
    out: &mut Out<'_>,
) -> (Phase, Result<(), Error>) {
    match phase {
        Phase::Linked(session) => linked(session, record, out),
        Phase::Introducing(session, link) => introduced(session, link, record, out),
        phase => match handshake(phase, record, ticket, own, rng, out) {
            Ok(phase) => (phase, Ok(())),
            Err(error) => (Phase::Ended, Err(error)),
        },
    }
}

fn handshake<R: TryCryptoRng>(
    phase: Phase,
    record: &mut [u8],
    ticket: &mut Option<ResumeTicket>,
    own: &dyn DiffieHellman,
    rng: &mut R,
    out: &mut Out<'_>,
) -> Result<Phase, Error> {
    match phase {
        Phase::Hello(goal) => answer_hello(goal, &BandHello::from_bytes(exactly(record)?), ticket.as_ref(), own, rng, out),
        _ if record == UNSUPPORTED => Err(PeerError::Unsupported.into()),
        Phase::Pairing(pairing) => {
            let (session, code, message) = pairing.receive(exactly(record)?, own)?;
            out.send(&message);
            out.event(Event::Code(*code.code()));
            Ok(Phase::Comparing(session, Comparison::Showing(code)))
        }
        Phase::PairingUncompared(pairing) => {
            let (mut session, awaiting, message) = pairing.receive(exactly(record)?, own, rng)?;
            out.send(&message);
            out.send_sealed(&mut session, &ToBand::Confirm { share: *awaiting.share().expose() })?;
            Ok(Phase::Confirming(session, awaiting))
        }
        Phase::Confirming(session, awaiting) => confirmed(session, awaiting, record, out),
        Phase::Reconnecting(reconnect, mut link) => {
            let (mut session, proof) = reconnect.receive(exactly(record)?, own)?;
            link.promote(&proof)?;
            *ticket = Some(ResumeTicket::after_reconnect(ResumeSecret::new(*session.resume.expose()), &proof));
            // The band takes message 1 for a replay until a record follows. The link is stored before that one leaves.
            let (generation, lost) = link.introduce();
            out.event(Event::Keep(copy(&link)?));
            out.send_sealed(&mut session, &ToBand::Generation { generation, lost })?;
            Ok(Phase::Introducing(session, link))
        }
        Phase::Resuming(resume) => {
            let (mut session, next) = resume.receive(exactly(record)?)?;
            *ticket = Some(next.ticket(ResumeSecret::new(*session.resume.expose())));
            out.send_sealed(&mut session, &ToBand::Status)?;
            out.event(Event::Linked { used_elsewhere: false });
            Ok(Phase::Linked(session))
        }
        // Nothing comes while a person compares, but for the end.
        Phase::Comparing(..) | Phase::Introducing(..) | Phase::Linked(_) | Phase::Ended => Err(PeerError::Unexpected.into()),
    }
}

/// The band's share: the link is made, and this connection is over.
fn confirmed(mut session: Session, awaiting: AwaitingBandShare, record: &mut [u8], out: &mut Out<'_>) -> Result<Phase, Error> {
    let Opened::Record(record) = session.channel.open(record).map_err(PeerError::from)? else {
        out.event(Event::Closed);
        return Ok(Phase::Ended);
    };
    let ToWallet::Confirm { share } = decode_record(record).map_err(PeerError::from)? else {
        return Err(PeerError::Unexpected.into());
    };
    out.event(Event::Paired(awaiting.band_confirmed(&Share::new(share))));
    let mut buffer = [0; armring_channel::MIN_SEALED_LEN];
    out.send(session.channel.close(&mut buffer)?);
    Ok(Phase::Ended)
}

/// The band says which generation of the link it remembers: from now on records can be said. A record that does not verify changes nothing,
/// until there were too many.
fn introduced(mut session: Session, mut link: Link, record: &mut [u8], out: &mut Out<'_>) -> (Phase, Result<(), Error>) {
    let record = match session.channel.open(record) {
        Ok(Opened::Record(record)) => decode_record(record),
        Ok(Opened::Close) => {
            out.event(Event::Closed);
            return (Phase::Ended, Ok(()));
        }
        Err(error @ (OpenError::Length | OpenError::NotAuthentic)) => {
            return (Phase::Introducing(session, link), Err(PeerError::from(error).into()));
        }
        Err(error) => return (Phase::Ended, Err(PeerError::from(error).into())),
    };
    match record {
        Ok(ToWallet::Generation { generation }) => {
            let used_elsewhere = link.answered(generation) == Generations::UsedElsewhere;
            out.event(Event::Keep(link));
            out.event(Event::Linked { used_elsewhere });
            (Phase::Linked(session), Ok(()))
        }
        Ok(_) => (Phase::Ended, Err(PeerError::Unexpected.into())),
        Err(error) => (Phase::Ended, Err(PeerError::from(error).into())),
    }
}

/// The link once more, for the app to store.
fn copy(link: &Link) -> Result<Link, Error> {
    Link::from_bytes(&link.to_bytes()).ok_or(Error::Machine)
}

fn answer_hello<R: TryCryptoRng>(
    goal: Goal,
    band: &BandHello,
    ticket: Option<&ResumeTicket>,
    own: &dyn DiffieHellman,
    rng: &mut R,
    out: &mut Out<'_>,
) -> Result<Phase, Error> {
    let mut send = |hello: WalletHello, message: &[u8]| {
        out.send(hello.encode(&mut [0; WalletHello::MAX_LEN]));
        out.send(message);
    };
    Ok(match goal {
        Goal::Pair => {
            let (pairing, hello, message) = Pairing::start(own, VersionRange::SUPPORTED, band, rng)?;
            send(hello, &message);
            Phase::Pairing(pairing)
        }
        Goal::PairWithLabel(label) => {
            let (pairing, hello, message) = PairingUncompared::start_with_label(&label, own, VersionRange::SUPPORTED, band, rng)?;
            send(hello, &message);
            Phase::PairingUncompared(pairing)
        }
        Goal::PairByPress => {
            let (pairing, hello, message) = PairingUncompared::start_by_press(own, VersionRange::SUPPORTED, band, rng)?;
            send(hello, &message);
            Phase::PairingUncompared(pairing)
        }
        Goal::Resume(link) => {
            let ticket = ticket.ok_or(CallerError::NoTicket)?;
            let (resume, hello, message) = Resume::start(&link, ticket, VersionRange::SUPPORTED, band, rng)?;
            send(hello, &message);
            Phase::Resuming(resume)
        }
        Goal::Reconnect(link) => {
            let (reconnect, hello, message) = Reconnect::start(&link, own, VersionRange::SUPPORTED, band, rng)?;
            send(hello, &message);
            Phase::Reconnecting(reconnect, link)
        }
    })
}

/// A sealed record came over a link. One that does not verify changes nothing, until there were too many.
fn linked(mut session: Session, sealed: &mut [u8], out: &mut Out<'_>) -> (Phase, Result<(), Error>) {
    let record = match session.channel.open(sealed) {
        Ok(Opened::Record(record)) => decode_record::<ToWallet<'_>>(record),
        Ok(Opened::Close) => {
            out.event(Event::Closed);
            return (Phase::Ended, Ok(()));
        }
        Err(error @ (OpenError::Length | OpenError::NotAuthentic)) => {
            return (Phase::Linked(session), Err(PeerError::from(error).into()));
        }
        Err(error) => return (Phase::Ended, Err(PeerError::from(error).into())),
    };
    match record {
        Ok(record) => match Event::from_record(record) {
            Some(event) => {
                out.event(event);
                (Phase::Linked(session), Ok(()))
            }
            None => (Phase::Ended, Err(PeerError::Unexpected.into())),
        },
        Err(DecodeError::UnknownVariant(variant)) => {
            let result = out.send_sealed(&mut session, &ToBand::Unknown(variant));
            (Phase::Linked(session), result)
        }
        Err(error) => (Phase::Ended, Err(PeerError::from(error).into())),
    }
}

fn exactly<const N: usize>(record: &[u8]) -> Result<&[u8; N], Error> {
    record.try_into().map_err(|_| PeerError::Unexpected.into())
}
