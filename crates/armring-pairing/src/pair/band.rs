//! The band's side of pairing by code.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use armring_wire::{Uptime, Version};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::compare::{Bond, CodeShown, CompareCode, Opening};
use crate::dh::DiffieHellman;
use crate::error::{CallerError, Error, PeerError};
use crate::hello::{BandHello, Kind, WalletHello};
use crate::link::{Link, Share};
use crate::noise::{HandshakeState, Keys, Session, Side, XX};
use crate::prologue::Prologue;
use crate::secret::draw;
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// The time in which one may pair after a gesture. Without one there is no way to start.
///
/// The first message 1 uses it up, whatever comes of it: an attacker has one guess per gesture. Whoever holds a window drops it, visibly,
/// when a connection ends or a second one begins.
#[must_use]
pub struct PairingWindow<S: Suite = RustCrypto> {
    opened: Uptime,
    suite: PhantomData<fn() -> S>,
}

impl<S: Suite> PairingWindow<S> {
    /// How long a gesture allows for the first message, and how long that allows for the rest, the person's answer included.
    pub const DURATION: Duration = Duration::from_secs(60);

    /// Opens a window. To be called for a gesture of the wearer's that means "pair", and for nothing else.
    pub const fn open(now: Uptime) -> Self {
        Self { opened: now, suite: PhantomData }
    }

    /// When the window closes by itself.
    #[must_use]
    pub fn closes(&self) -> Uptime {
        self.opened.saturating_add(Self::DURATION)
    }

    /// Whether the window is still open at `now`.
    #[must_use]
    pub fn is_open(&self, now: Uptime) -> bool {
        in_time(self.opened, now).is_ok()
    }

    /// Takes the wallet's first message and returns the answer to send. `own` is the band's static key, the hellos are those of this
    /// connection.
    ///
    /// # Errors
    ///
    /// [`PeerError::TooLate`], [`PeerError::Kind`] or [`PeerError::Unsupported`] by the window and the hellos, [`PeerError::EchoedKey`] and
    /// [`PeerError::ZeroSharedSecret`] by the message, [`MachineError`](crate::MachineError) if `rng` or `own` fail. The window is gone in any
    /// case.
    pub fn receive(
        self,
        message: &[u8; 64],
        now: Uptime,
        own: &dyn DiffieHellman,
        hellos: (&BandHello, &WalletHello),
        rng: &mut impl TryCryptoRng,
    ) -> Result<(AwaitingOpening<S>, [u8; 96]), Error> {
        in_time(self.opened, now)?;
        let (band, wallet) = hellos;
        wallet.expect(Kind::PairCode)?;
        let prologue = Prologue::opening(band, wallet)?;
        let keys = Keys { own: Some(own), peer: None, psk: None, ephemeral: draw_ephemeral::<S>(rng)? };
        let (mut commitment, mut answer) = ([0; 32], [0; 96]);
        let handshake = HandshakeState::new(&XX, Side::Responder, prologue.as_bytes(), keys)?
            .read(Some(own), message, &mut commitment)?
            .write(Some(own), &[], &mut answer)?;
        Ok((AwaitingOpening { handshake, commitment, version: prologue.version(), started: now }, answer))
    }
}

impl<S: Suite> fmt::Debug for PairingWindow<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingWindow").field("opened", &self.opened).finish_non_exhaustive()
    }
}

/// The band has answered and waits for message 3, which opens the commitment.
#[must_use]
#[derive(Debug)]
pub struct AwaitingOpening<S: Suite = RustCrypto> {
    handshake: HandshakeState<S>,
    commitment: [u8; 32],
    version: Version,
    started: Uptime,
}

impl<S: Suite> AwaitingOpening<S> {
    /// Takes the wallet's last message. Nothing but `Confirm` and `Close` belongs in the channel before there is a link.
    ///
    /// # Errors
    ///
    /// [`PeerError::TooLate`], [`PeerError::NotAuthentic`], [`PeerError::EchoedKey`] or [`PeerError::ZeroSharedSecret`] by the message,
    /// [`PeerError::Commitment`] if it opens something else than was committed to.
    pub fn receive(
        self,
        message: &[u8; 96],
        now: Uptime,
        own: &dyn DiffieHellman,
    ) -> Result<(Session<S>, CompareCode<AtBand>), Error> {
        in_time(self.started, now)?;
        let hash = self.handshake.hash();
        let mut opening = Zeroizing::new([0; 32]);
        let handshake = self.handshake.read(Some(own), message, opening.as_mut_slice())?;
        let wallet = handshake.peer().ok_or(CallerError::Order)?;
        let opening = Opening::new(opening);
        // With the key that was proven in this message, not with one that was only claimed.
        if opening.commitment(&wallet) != self.commitment {
            return Err(PeerError::Commitment.into());
        }
        let split = handshake.finish()?;
        let bond = Bond { hash: split.hash, peer: wallet, version: self.version };
        let code = opening.code(&hash, &wallet);
        Ok((split.into_session(), CompareCode { code, bond, at: AtBand { started: self.started } }))
    }
}

/// The band's side of a comparison.
#[derive(Debug)]
pub struct AtBand {
    started: Uptime,
}

impl CodeShown<AtBand> {
    /// The wearer said, on the band, that both codes are the same.
    ///
    /// # Errors
    ///
    /// [`PeerError::TooLate`] if that took longer than [`PairingWindow::DURATION`] since message 1;
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn accept(self, now: Uptime, rng: &mut impl TryCryptoRng) -> Result<AwaitingWalletShare, Error> {
        in_time(self.0.at.started, now)?;
        Ok(AwaitingWalletShare { bond: self.0.bond, share: Share::new(*draw(rng)?) })
    }
}

/// The wearer accepted; the wallet's `Confirm` is awaited.
#[must_use]
pub struct AwaitingWalletShare {
    bond: Bond,
    share: Share,
}

impl AwaitingWalletShare {
    /// Takes the share in the wallet's `Confirm`, which came over the channel of this pairing. The link is to be stored, durably and without
    /// pushing out another, before the band confirms.
    pub fn wallet_confirmed(self, wallet: &Share) -> (Link, StoreFirst) {
        (self.bond.link(wallet, &self.share), StoreFirst { share: self.share })
    }
}

impl fmt::Debug for AwaitingWalletShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingWalletShare").finish_non_exhaustive()
    }
}

/// The band's share, which may leave once the link is stored: else the wallet would remember a link that the band forgot.
#[must_use]
#[derive(Debug)]
pub struct StoreFirst {
    share: Share,
}

impl StoreFirst {
    /// Says that the link is stored and was read back, and returns the share to send as the band's `Confirm`.
    #[must_use]
    pub fn stored(self) -> Share {
        self.share
    }
}

fn in_time(since: Uptime, now: Uptime) -> Result<(), PeerError> {
    if now.since(since) <= PairingWindow::<RustCrypto>::DURATION { Ok(()) } else { Err(PeerError::TooLate) }
}
