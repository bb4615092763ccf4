//! What a message of the band means, step by step, until there is a link; and over it.

use armring_channel::{OpenError, Opened};
use armring_pairing::{
    AtWallet, AwaitingBandShare, BandHello, CodeShown, CompareCode, DiffieHellman, Generations, Link, PairingLabel, ResumeSecret,
    ResumeTicket, Share, UNSUPPORTED, WalletHello,
};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{DecodeError, VersionRange, decode_record};
use rand_core::TryCryptoRng;

use crate::error::{CallerError, Error, PeerError};
use crate::event::Event;
use crate::out::Out;
use crate::suite::{Pairing, PairingUncompared, Reconnect, Resume, Session};

/// Where a connection stands.
pub(crate) enum Phase {
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

/// What a connection is for.
pub(crate) enum Goal {
    Pair,
    PairWithLabel(PairingLabel),
    PairByPress,
    Reconnect(Link),
    Resume(Link),
}

/// Whether the whole code was shown.
pub(crate) enum Comparison {
    Showing(CompareCode<AtWallet>),
    Shown(CodeShown<AtWallet>),
}

/// Takes a whole message. An error with [`Phase::Ended`] ends the connection.
pub(crate) fn step<R: TryCryptoRng>(
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
