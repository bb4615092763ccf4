//! The band's side of pairing by code.

use core::fmt;

use armring_wire::records::Assurance;
use armring_wire::{Uptime, Version};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::compare::{Bond, CodeShown, CompareCode, Opening};
use super::window::in_time;
use crate::dh::DiffieHellman;
use crate::error::{CallerError, Error, PeerError};
use crate::link::{Link, Share};
use crate::noise::{HandshakeState, Session};
use crate::secret::draw;
use crate::suite::{RustCrypto, Suite};

/// The band has answered and waits for message 3, which opens the commitment.
#[must_use]
#[derive(Debug)]
pub struct AwaitingOpening<S: Suite = RustCrypto> {
    pub(super) handshake: HandshakeState<S>,
    pub(super) commitment: [u8; 32],
    pub(super) version: Version,
    pub(super) started: Uptime,
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
        let bond = Bond { hash: split.hash, peer: wallet, version: self.version, assurance: Assurance::ComparedCode };
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
    /// [`PeerError::TooLate`] if that took longer than [`PairingWindow::DURATION`](crate::PairingWindow::DURATION) since message 1;
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn accept(self, now: Uptime, rng: &mut impl TryCryptoRng) -> Result<AwaitingWalletShare, Error> {
        in_time(self.0.at.started, now)?;
        Ok(AwaitingWalletShare { bond: self.0.bond, share: Share::new(*draw(rng)?) })
    }
}

/// The wearer accepted; the wallet's `Confirm` is awaited.
#[must_use]
pub struct AwaitingWalletShare {
    pub(super) bond: Bond,
    pub(super) share: Share,
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
