//! One connection to a band, as the app sees it: pairing, reconnecting or resuming, then records both ways.

use std::collections::VecDeque;

use armring_pairing::{AtWallet, CodeShown, DiffieHellman, Link, MESSAGE_MAX, PairingLabel, ResumeTicket};
use armring_wire::records::band::ToBand;
use armring_wire::{AttPayload, Fragmenter, Reassembler};
use rand_core::TryCryptoRng;

use crate::error::{CallerError, Error, PeerError};
use crate::event::Output;
use crate::handshake::{Comparison, Goal, Phase, step};
use crate::out::Out;
use crate::suite::Session;

/// A connection to a band, as the wallet sees it. It does nothing by itself: the app hands it each notification of the band with
/// [`Connection::fragment`], and after each call polls until there are no more [`Output`]s.
///
/// A connection that failed is not tried again by itself: reconnecting is a new [`Connection`], and pairing needs the band's wearer to
/// make a new gesture. What [`Connection::take_ticket`] gives makes the next connection cheaper, for as long as the app runs.
///
/// | to connect | when | ends with |
/// |---|---|---|
/// | [`pair`](Self::pair), and a person compares the [code](crate::Event::Code) | the band shows or plays a code | [`Paired`](crate::Event::Paired) |
/// | [`pair_with_label`](Self::pair_with_label) | the band has a display or a label to scan | likewise |
/// | [`pair_by_press`](Self::pair_by_press) | the band has neither | likewise |
/// | [`reconnect`](Self::reconnect) | each time | [`Keep`](crate::Event::Keep) twice, then [`Linked`](crate::Event::Linked) |
/// | [`resume`](Self::resume) | there is a ticket, and the connection was lost a moment ago | [`Linked`](crate::Event::Linked) |
pub struct Connection {
    inbox: Reassembler<Vec<u8>>,
    fragmenter: Fragmenter,
    outputs: VecDeque<Output>,
    phase: Phase,
    /// What the next connection can be resumed with.
    ticket: Option<ResumeTicket>,
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

    /// A connection to the band of `link` soon after the last one was lost, at less cost. Where it fails, [reconnect](Self::reconnect): the band
    /// may have restarted. `ticket` is that of the last connection. What waited for the wearer then is to be asked for again.
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
    /// [`CallerError::NotLinked`] before the band is [linked](crate::Event::Linked).
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
