//! Connecting again soon after a connection was lost (Noise NNpsk0, the wallet initiates): two scalar multiplications a side in place of five.

use core::fmt;

use armring_wire::VersionRange;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use crate::dh::DiffieHellman;
use crate::error::{CallerError, Error, PeerError};
use crate::hello::{BandHello, Kind, WalletHello};
use crate::hint::Hint;
use crate::label::{RESUME_PSK, labelled_hash};
use crate::link::Link;
use crate::noise::{HandshakeState, Keys, NNPSK0, Psk, ResumeSecret, Session, Side};
use crate::prologue::Prologue;
use crate::reconnect::{Reconnected, Unproven};
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// How many resumes there may be in a row: then a reconnect is due, which proves the static keys again.
pub const RESUMES_MAX: u8 = 32;

/// With what the next connection over a link can be resumed. It lives in RAM and is never stored: a stolen link does not resume.
pub struct ResumeTicket {
    secret: ResumeSecret,
    /// Of the link that it is for.
    link: Psk,
    left: u8,
}

impl ResumeTicket {
    /// The ticket that a reconnect leaves, for the link that was reconnected: `secret` is its session's. A pairing leaves none.
    #[must_use]
    pub const fn after_reconnect(secret: ResumeSecret, proof: &Reconnected) -> Self {
        Self { secret, link: Psk::new(*proof.psk().expose()), left: RESUMES_MAX }
    }

    /// How many resumes are left in this row.
    #[must_use]
    pub const fn left(&self) -> u8 {
        self.left
    }

    fn psk(&self) -> Psk {
        Psk::new(labelled_hash(RESUME_PSK, &[self.secret.expose()]))
    }
}

impl fmt::Debug for ResumeTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeTicket").field("left", &self.left).finish_non_exhaustive()
    }
}

/// The wallet has begun to resume and waits for the band's answer.
#[must_use]
pub struct Resume<S: Suite = RustCrypto> {
    handshake: HandshakeState<S>,
    link: Psk,
    left: u8,
}

impl<S: Suite> Resume<S> {
    /// Begins to resume over `link` with the band that said `band`. Returns what to send: the hello and, after it, message 1. The wallet keeps
    /// `ticket` until [`receive`](Self::receive) gives the next: where the connection is lost before, it serves again.
    ///
    /// # Errors
    ///
    /// [`CallerError::NoResumesLeft`] after [`RESUMES_MAX`] in a row; [`CallerError::OtherLink`] if `ticket` is of another link;
    /// [`PeerError::Unsupported`] if no version is in common that the link accepts; [`MachineError`](crate::MachineError) if `rng` fails.
    pub fn start(
        link: &Link,
        ticket: &ResumeTicket,
        versions: VersionRange,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, WalletHello, [u8; 48]), Error> {
        let left = ticket.left.checked_sub(1).ok_or(CallerError::NoResumesLeft)?;
        let hint = Hint::draw(&link.hint_key(), band.challenge(), rng)?;
        let hello = WalletHello::new(Kind::Resume, versions, Some(hint));
        let handshake = handshake::<S>(Side::Initiator, link, ticket, (band, &hello), draw_ephemeral::<S>(rng)?)?;
        let mut message = [0; 48];
        Ok((Self { handshake: handshake.write(None, &[], &mut message)?, link: link.psk(), left }, hello, message))
    }

    /// Takes the band's answer: whoever gave it was on the connection before, and is there now. The ticket takes the place of the one before.
    ///
    /// # Errors
    ///
    /// [`PeerError::NotAuthentic`], [`PeerError::EchoedKey`] or [`PeerError::ZeroSharedSecret`] by the message.
    pub fn receive(self, message: &[u8; 48]) -> Result<(Session<S>, NextTicket), Error> {
        let split = self.handshake.read(None, message, &mut [])?.finish()?;
        Ok((split.into_session(), NextTicket { link: self.link, left: self.left }))
    }
}

impl<S: Suite> fmt::Debug for Resume<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}

/// That a connection was resumed: its session's resume secret makes the next ticket.
#[derive(Debug)]
#[must_use]
pub struct NextTicket {
    link: Psk,
    left: u8,
}

impl NextTicket {
    /// The next ticket: `secret` is the session's.
    #[must_use]
    pub fn ticket(self, secret: ResumeSecret) -> ResumeTicket {
        ResumeTicket { secret, link: self.link, left: self.left }
    }
}

/// With what a band lets a wallet resume over one link: a *confirmed* ticket, and the *pending* one of the handshake that it answered last,
/// of which it does not know whether message 2 arrived.
#[derive(Debug, Default)]
pub struct Resumption {
    confirmed: Option<ResumeTicket>,
    pending: Option<ResumeTicket>,
}

impl Resumption {
    /// Nothing can be resumed: the state after a restart.
    pub const NONE: Self = Self { confirmed: None, pending: None };

    /// The link was reconnected: what was before is void.
    pub fn reconnected(&mut self, ticket: ResumeTicket) {
        *self = Self { confirmed: Some(ticket), pending: None };
    }

    /// Takes the wallet's first message over `link` and returns the answer to send. It is tried with both tickets: where the pending one fits,
    /// message 2 of the last time had arrived.
    ///
    /// # Errors
    ///
    /// [`PeerError::Kind`] or [`PeerError::Unsupported`] by the hellos, [`PeerError::NotAuthentic`] where no ticket fits,
    /// [`PeerError::EchoedKey`] or [`PeerError::ZeroSharedSecret`] by the message, [`CallerError::OtherLink`] if this is another link's,
    /// [`MachineError`](crate::MachineError) if `rng` fails. Nothing has then changed.
    pub fn answer<S: Suite>(
        &mut self,
        link: &Link,
        hellos: (&BandHello, &WalletHello),
        message: &[u8; 48],
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Unproven<S, Resumed>, [u8; 48]), Error> {
        hellos.1.expect(Kind::Resume)?;
        let fits_pending = |this: &Self| this.pending.as_ref().is_some_and(|ticket| ticket.left > 0);
        let mut attempt = |ticket: Option<&ResumeTicket>| -> Result<(HandshakeState<S>, u8), Error> {
            let ticket = ticket.ok_or(PeerError::NotAuthentic)?;
            let left = ticket.left.checked_sub(1).ok_or(PeerError::NotAuthentic)?;
            let handshake = handshake::<S>(Side::Responder, link, ticket, hellos, draw_ephemeral::<S>(rng)?)?;
            Ok((handshake.read(None, message, &mut [])?, left))
        };
        let ((handshake, left), was_pending) = match attempt(self.confirmed.as_ref()) {
            Ok(read) => (read, false),
            Err(Error::Peer(PeerError::NotAuthentic)) if fits_pending(self) => (attempt(self.pending.as_ref())?, true),
            Err(error) => return Err(error),
        };
        let mut answer = [0; 48];
        let session = handshake.write(None, &[], &mut answer)?.finish()?.into_session::<S>();
        let Session { channel, resume } = session;
        if was_pending {
            self.confirmed = self.pending.take();
        }
        let ticket = ResumeTicket { secret: ResumeSecret::new(*resume.expose()), link: link.psk(), left };
        let proof = Resumed { next: ticket.psk() };
        self.pending = Some(ticket);
        Ok((Unproven::new(Session { channel, resume }, proof), answer))
    }

    /// The first record of the connection that was answered last has verified: its ticket is confirmed. The proof of an earlier answer, or of
    /// another link's, changes nothing.
    pub fn confirm(&mut self, proof: &Resumed) {
        if let Some(ticket) = self.pending.take_if(|ticket| ticket.psk().ct_eq(&proof.next).into()) {
            self.confirmed = Some(ticket);
        }
    }
}

/// That a link was resumed: the first record has verified. Made nowhere but here.
#[derive(Debug)]
pub struct Resumed {
    /// Of the ticket that this connection leaves: what tells its answer from others.
    next: Psk,
}

fn handshake<S: Suite>(
    side: Side,
    link: &Link,
    ticket: &ResumeTicket,
    hellos: (&BandHello, &WalletHello),
    ephemeral: S::Ephemeral,
) -> Result<HandshakeState<S>, Error> {
    link.expect(&ticket.link)?;
    let prologue = Prologue::opening(hellos.0, hellos.1)?;
    if prologue.version() < link.lowest_version() {
        return Err(PeerError::Unsupported.into());
    }
    let keys = Keys { own: None::<&dyn DiffieHellman>, peer: None, psk: Some(ticket.psk()), ephemeral };
    HandshakeState::new(&NNPSK0, side, prologue.as_bytes(), keys)
}

#[cfg(test)]
mod tests {
    use armring_wire::Version;
    use armring_wire::records::Assurance;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::dh::PublicKey;
    use crate::link::{LinkSecret, LinkState};
    use crate::reconnect::Proven;

    /// One resume, proven; the wallet's next ticket.
    fn resume(link: &Link, ticket: &ResumeTicket, band: &mut Resumption, rng: &mut ChaCha20Rng) -> Result<ResumeTicket, Error> {
        let hello = BandHello::new(VersionRange::SUPPORTED, rng)?;
        let (wallet, wallet_hello, first) = <Resume>::start(link, ticket, VersionRange::SUPPORTED, &hello, rng)?;
        let (unproven, second): (Unproven<RustCrypto, _>, _) = band.answer(link, (&hello, &wallet_hello), &first, rng)?;
        let (Session { mut channel, resume }, next) = wallet.receive(&second)?;
        let mut record = [1; 48];
        channel.seal(&mut record, 1).unwrap();
        let Proven { proof, .. } = unproven.open(&mut record).unwrap();
        band.confirm(&proof);
        Ok(next.ticket(resume))
    }

    #[test]
    fn a_wallet_that_does_not_count_is_refused_all_the_same() {
        let mut rng = ChaCha20Rng::seed_from_u64(0);
        let (peer, secret) = (PublicKey::new([1; 32]), LinkSecret::new([2; 32]));
        let link = Link::from_parts(peer, secret, Version(1), Assurance::ComparedCode, LinkState::Established);
        let ticket = || ResumeTicket { secret: ResumeSecret::new([3; 32]), link: link.psk(), left: RESUMES_MAX };
        let (mut wallet, mut band) = (ticket(), Resumption::NONE);
        band.reconnected(ticket());
        for _ in 0..RESUMES_MAX {
            wallet = resume(&link, &wallet, &mut band, &mut rng).unwrap();
            wallet.left = RESUMES_MAX;
        }
        assert_eq!(resume(&link, &wallet, &mut band, &mut rng).err(), Some(PeerError::NotAuthentic.into()));
    }

    #[test]
    fn the_psk_is_a_hash_of_the_secret_under_its_own_label() {
        let ticket = ResumeTicket { secret: ResumeSecret::new([3; 32]), link: Psk::new([4; 32]), left: 1 };
        assert_eq!(ticket.psk().expose(), &labelled_hash("armring/1 resume psk", &[&[3; 32]]));
    }
}
