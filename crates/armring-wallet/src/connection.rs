//! One connection to a band: pairing or reconnecting, then records both ways.

use std::collections::VecDeque;

use armring_channel::{OpenError, Opened};
use armring_pairing::{
    AtWallet, AwaitingBandShare, BandHello, CodeShown, CompareCode, DiffieHellman, Link, MESSAGE_MAX, Pairing, Reconnect,
    Session, Share, UNSUPPORTED, WalletHello,
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
/// make a new gesture.
pub struct Connection {
    inbox: Reassembler<Vec<u8>>,
    fragmenter: Fragmenter,
    outputs: VecDeque<Output>,
    phase: Phase,
}

enum Phase {
    /// The band says hello first.
    Hello(Goal),
    /// Pairing: message 2 is next.
    Pairing(Pairing),
    /// Pairing: a person compares the code.
    Comparing(Session, Comparison),
    /// Pairing: the person accepted, and the band's confirmation is awaited.
    Confirming(Session, AwaitingBandShare),
    /// Reconnecting: message 2 is next.
    Reconnecting(Reconnect, Link),
    Linked(Session),
    Ended,
}

enum Goal {
    Pair,
    Reconnect(Link),
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

    /// A connection to the band of `link`.
    #[must_use]
    pub fn reconnect(link: Link, payload: AttPayload) -> Self {
        Self::new(payload, Goal::Reconnect(link))
    }

    fn new(payload: AttPayload, goal: Goal) -> Self {
        Self {
            inbox: Reassembler::new(vec![0; MESSAGE_MAX]),
            fragmenter: Fragmenter::new(payload),
            outputs: VecDeque::new(),
            phase: Phase::Hello(goal),
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
        let Self { inbox, fragmenter, outputs, phase } = self;
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
        let (after, result) = step(before, record, own, rng, &mut out);
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
        if let Phase::Comparing(session, _) | Phase::Confirming(session, _) | Phase::Linked(session) = phase {
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
    own: &dyn DiffieHellman,
    rng: &mut R,
    out: &mut Out<'_>,
) -> (Phase, Result<(), Error>) {
    if let Phase::Linked(session) = phase {
        return linked(session, record, out);
    }
    match handshake(phase, record, own, rng, out) {
        Ok(phase) => (phase, Ok(())),
        Err(error) => (Phase::Ended, Err(error)),
    }
}

fn handshake<R: TryCryptoRng>(
    phase: Phase,
    record: &mut [u8],
    own: &dyn DiffieHellman,
    rng: &mut R,
    out: &mut Out<'_>,
) -> Result<Phase, Error> {
    match phase {
        Phase::Hello(goal) => answer_hello(goal, &BandHello::from_bytes(exactly(record)?), own, rng, out),
        _ if record == UNSUPPORTED => Err(PeerError::Unsupported.into()),
        Phase::Pairing(pairing) => {
            let (session, code, message) = pairing.receive(exactly(record)?, own)?;
            out.send(&message);
            out.event(Event::Code(code.code().digits()));
            Ok(Phase::Comparing(session, Comparison::Showing(code)))
        }
        Phase::Confirming(mut session, awaiting) => {
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
        Phase::Reconnecting(reconnect, mut link) => {
            let (mut session, proof) = reconnect.receive(exactly(record)?, own)?;
            link.promote(&proof)?;
            // The band takes message 1 for a replay until a record follows.
            out.send_sealed(&mut session, &ToBand::Status)?;
            out.event(Event::Linked(link));
            Ok(Phase::Linked(session))
        }
        // Nothing comes while a person compares, but for the end.
        Phase::Comparing(..) | Phase::Linked(_) | Phase::Ended => Err(PeerError::Unexpected.into()),
    }
}

fn answer_hello<R: TryCryptoRng>(
    goal: Goal,
    band: &BandHello,
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
