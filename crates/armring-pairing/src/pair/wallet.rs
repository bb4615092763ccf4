//! The wallet's side of pairing by code.

use core::fmt;

use armring_wire::records::Assurance;
use armring_wire::{Version, VersionRange};
use rand_core::TryCryptoRng;

use super::compare::{Bond, CodeShown, CompareCode, Opening};
use crate::dh::DiffieHellman;
use crate::error::{CallerError, Error};
use crate::hello::{BandHello, Kind, WalletHello};
use crate::link::{Link, Share};
use crate::noise::{HandshakeState, Keys, Session, Side, XX};
use crate::prologue::Prologue;
use crate::secret::draw;
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// The wallet has begun to pair and waits for the band's answer. It never begins again by itself: each attempt is a gesture on the band.
#[must_use]
pub struct Pairing<S: Suite = RustCrypto> {
    handshake: HandshakeState<S>,
    opening: Opening,
    version: Version,
}

impl<S: Suite> Pairing<S> {
    /// Begins to pair with the band that said `band`. `own` is the wallet's static key, `versions` what it speaks. Returns what to send: the
    /// hello and, after it, message 1.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`](crate::PeerError::Unsupported) if no version is in common, [`MachineError`](crate::MachineError) if `rng`
    /// or `own` fail.
    pub fn start(
        own: &dyn DiffieHellman,
        versions: VersionRange,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, WalletHello, [u8; 64]), Error> {
        let hello = WalletHello::new(Kind::PairCode, versions, None);
        let prologue = Prologue::opening(band, &hello)?;
        let opening = Opening::new(draw(rng)?);
        let keys = Keys { own: Some(own), peer: None, psk: None, ephemeral: draw_ephemeral::<S>(rng)? };
        let mut message = [0; 64];
        let handshake = HandshakeState::new(&XX, Side::Initiator, prologue.as_bytes(), keys)?.write(
            Some(own),
            &opening.commitment(&own.public_key()),
            &mut message,
        )?;
        Ok((Self { handshake, opening, version: prologue.version() }, hello, message))
    }

    /// Takes the band's answer and returns, beside the channel and the code, message 3 to send. Nothing but `Confirm` and `Close` belongs in
    /// the channel before there is a link.
    ///
    /// # Errors
    ///
    /// [`PeerError::NotAuthentic`](crate::PeerError::NotAuthentic), [`EchoedKey`](crate::PeerError::EchoedKey) or
    /// [`ZeroSharedSecret`](crate::PeerError::ZeroSharedSecret) by the message, [`MachineError`](crate::MachineError) if `own` fails.
    #[expect(clippy::type_complexity, reason = "what to speak with, what to show and what to send")]
    pub fn receive(
        self,
        message: &[u8; 96],
        own: &dyn DiffieHellman,
    ) -> Result<(Session<S>, CompareCode<AtWallet>, [u8; 96]), Error> {
        let handshake = self.handshake.read(Some(own), message, &mut [])?;
        let band = handshake.peer().ok_or(CallerError::Order)?;
        let code = self.opening.code(&handshake.hash(), &own.public_key());
        let mut last = [0; 96];
        let split = handshake.write(Some(own), self.opening.as_bytes(), &mut last)?.finish()?;
        let bond = Bond { hash: split.hash, peer: band, version: self.version, assurance: Assurance::ComparedCode };
        Ok((split.into_session(), CompareCode { code, bond, at: AtWallet(()) }, last))
    }
}

impl<S: Suite> fmt::Debug for Pairing<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairing").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}

/// The wallet's side of a comparison.
#[derive(Debug)]
pub struct AtWallet(());

impl CodeShown<AtWallet> {
    /// The person said, in the wallet, that both codes are the same.
    ///
    /// # Errors
    ///
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn accept(self, rng: &mut impl TryCryptoRng) -> Result<AwaitingBandShare, Error> {
        Ok(AwaitingBandShare { bond: self.0.bond, share: Share::new(*draw(rng)?) })
    }
}

/// The person accepted: the wallet's share is to be sent as its `Confirm`, and the band's is awaited.
#[must_use]
pub struct AwaitingBandShare {
    pub(super) bond: Bond,
    pub(super) share: Share,
}

impl AwaitingBandShare {
    /// The share to send as the wallet's `Confirm`, over the channel of this pairing.
    #[must_use]
    pub const fn share(&self) -> &Share {
        &self.share
    }

    /// Takes the share in the band's `Confirm`, which came over the same channel. The link is to be stored.
    #[must_use]
    pub fn band_confirmed(self, band: &Share) -> Link {
        self.bond.link(&self.share, band)
    }
}

impl fmt::Debug for AwaitingBandShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingBandShare").finish_non_exhaustive()
    }
}
