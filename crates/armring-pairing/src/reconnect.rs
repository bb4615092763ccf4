//! Connecting again over a link (Noise KKpsk0, the wallet initiates).

use core::fmt;

use armring_channel::{OpenError, Opened};
use armring_wire::VersionRange;
use rand_core::TryCryptoRng;

use crate::dh::DiffieHellman;
use crate::error::{Error, PeerError};
use crate::hello::{BandHello, Kind, WalletHello};
use crate::hint::Hint;
use crate::link::{Link, Psk};
use crate::noise::{HandshakeState, KKPSK0, Keys, Session, Side};
use crate::prologue::Prologue;
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// The wallet has begun to connect over a link and waits for the band's answer.
#[must_use]
pub struct Reconnect<S: Suite = RustCrypto> {
    handshake: HandshakeState<S>,
    psk: Psk,
}

impl<S: Suite> Reconnect<S> {
    /// Begins to connect over `link` with the band that said `band`. `own` is the wallet's static key, `versions` what it speaks. Returns
    /// what to send: the hello and, after it, message 1.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`] if no version is in common that the link accepts, [`MachineError`](crate::MachineError) if `rng` or `own`
    /// fail.
    pub fn start(
        link: &Link,
        own: &dyn DiffieHellman,
        versions: VersionRange,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, WalletHello, [u8; 48]), Error> {
        let hint = Hint::draw(&link.hint_key(), band.challenge(), rng)?;
        let hello = WalletHello::new(Kind::Reconnect, versions, Some(hint));
        let handshake = handshake::<S>(Side::Initiator, link, own, (band, &hello), rng)?;
        let mut message = [0; 48];
        let handshake = handshake.write(Some(own), &[], &mut message)?;
        Ok((Self { handshake, psk: link.psk() }, hello, message))
    }

    /// Takes the band's answer: whoever gave it has the link's secret and the band's key, now.
    ///
    /// # Errors
    ///
    /// [`PeerError::NotAuthentic`], [`PeerError::EchoedKey`] or [`PeerError::ZeroSharedSecret`] by the message,
    /// [`MachineError`](crate::MachineError) if `own` fails.
    pub fn receive(self, message: &[u8; 48], own: &dyn DiffieHellman) -> Result<(Session<S>, Reconnected), Error> {
        let split = self.handshake.read(Some(own), message, &mut [])?.finish()?;
        Ok((split.into_session(), Reconnected { psk: self.psk }))
    }

    /// The band's side: takes the wallet's first message over `link`, which [`find_link`](crate::find_link) found, and returns the answer to
    /// send. `own` is the band's static key, the hellos are those of this connection.
    ///
    /// # Errors
    ///
    /// [`PeerError::Kind`] or [`PeerError::Unsupported`] by the hellos, [`PeerError::NotAuthentic`], [`PeerError::EchoedKey`] or
    /// [`PeerError::ZeroSharedSecret`] by the message, [`MachineError`](crate::MachineError) if `rng` or `own` fail.
    pub fn answer(
        link: &Link,
        own: &dyn DiffieHellman,
        hellos: (&BandHello, &WalletHello),
        message: &[u8; 48],
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Unproven<S>, [u8; 48]), Error> {
        hellos.1.expect(Kind::Reconnect)?;
        let mut answer = [0; 48];
        let split = handshake::<S>(Side::Responder, link, own, hellos, rng)?
            .read(Some(own), message, &mut [])?
            .write(Some(own), &[], &mut answer)?
            .finish()?;
        Ok((Unproven::new(split.into_session(), Reconnected { psk: link.psk() }), answer))
    }
}

impl<S: Suite> fmt::Debug for Reconnect<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}

fn handshake<S: Suite>(
    side: Side,
    link: &Link,
    own: &dyn DiffieHellman,
    hellos: (&BandHello, &WalletHello),
    rng: &mut impl TryCryptoRng,
) -> Result<HandshakeState<S>, Error> {
    let prologue = Prologue::opening(hellos.0, hellos.1)?;
    if prologue.version() < link.lowest_version() {
        return Err(PeerError::Unsupported.into());
    }
    let keys = Keys { own: Some(own), peer: Some(*link.peer()), psk: Some(link.psk()), ephemeral: draw_ephemeral::<S>(rng)? };
    HandshakeState::new(&KKPSK0, side, prologue.as_bytes(), keys)
}

/// That a link was reconnected: the peer has its secret and its key, and answered on this connection. Made nowhere but here.
#[derive(Debug)]
pub struct Reconnected {
    psk: Psk,
}

impl Reconnected {
    pub(crate) const fn psk(&self) -> &Psk {
        &self.psk
    }
}

/// The band's channel before the first record has come. Message 1 says nothing about who is there now: somebody may be repeating it, who
/// then cannot seal a record. So this opens one, and does nothing else, until one verifies. `P` is the proof that it then gives.
#[must_use]
#[derive(Debug)]
pub struct Unproven<S: Suite = RustCrypto, P = Reconnected> {
    session: Session<S>,
    proof: P,
}

/// The first record has come: the wallet is there.
#[must_use]
#[derive(Debug)]
pub struct Proven<'b, S: Suite = RustCrypto, P = Reconnected> {
    /// The channel, which now serves both ways.
    pub session: Session<S>,
    /// With this the link is [promoted](Link::promote), or its resumption [confirmed](crate::Resumption::confirm).
    pub proof: P,
    /// What the record said.
    pub opened: Opened<'b>,
}

/// The record was none; another may come.
#[must_use]
#[derive(Debug)]
pub struct NotProven<S: Suite = RustCrypto, P = Reconnected> {
    /// The channel, as unproven as before.
    pub unproven: Unproven<S, P>,
    /// Why. After [`OpenError::Cut`] nothing can be proven any more.
    pub error: OpenError,
}

impl<S: Suite, P> Unproven<S, P> {
    pub(crate) const fn new(session: Session<S>, proof: P) -> Self {
        Self { session, proof }
    }

    /// Opens what came, in place.
    ///
    /// # Errors
    ///
    /// [`NotProven`] gives the channel back: a record that does not verify ends nothing.
    pub fn open(mut self, sealed: &mut [u8]) -> Result<Proven<'_, S, P>, NotProven<S, P>> {
        match self.session.channel.open(sealed) {
            Ok(opened) => Ok(Proven { session: self.session, proof: self.proof, opened }),
            Err(error) => Err(NotProven { unproven: self, error }),
        }
    }
}
