//! Pairing without a code to compare: out of band (Noise XXpsk0), where a label carries a secret and names the band's key; or by a press
//! alone (Noise XX), which anybody in range could have answered.

use core::fmt;

use armring_wire::records::Assurance;
use armring_wire::{Uptime, Version, VersionRange};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use super::band::AwaitingWalletShare;
use super::compare::Bond;
use super::wallet::AwaitingBandShare;
use super::window::in_time;
use crate::dh::DiffieHellman;
use crate::error::{CallerError, Error, PeerError};
use crate::hello::{BandHello, Kind, WalletHello};
use crate::link::Share;
use crate::noise::{HandshakeState, Keys, Pattern, Psk, Session, Side, XX, XXPSK0};
use crate::out_of_band::{PairingLabel, key_hash};
use crate::prologue::Prologue;
use crate::secret::draw;
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// The wallet has begun to pair and waits for the band's answer. It never begins again by itself: each attempt is a gesture on the band.
#[must_use]
pub struct PairingUncompared<S: Suite = RustCrypto> {
    handshake: HandshakeState<S>,
    version: Version,
    assurance: Assurance,
    /// The hash of the band's key, as its label gives it.
    key_hash: Option<[u8; 32]>,
}

impl<S: Suite> PairingUncompared<S> {
    /// Begins to pair with the band whose label the person read, which said `band`. `own` is the wallet's static key, `versions` what it
    /// speaks. Returns what to send: the hello and, after it, message 1.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`] if no version is in common, [`MachineError`](crate::MachineError) if `rng` or `own` fail.
    pub fn start_with_label(
        label: &PairingLabel,
        own: &dyn DiffieHellman,
        versions: VersionRange,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, WalletHello, [u8; 48]), Error> {
        let mut message = [0; 48];
        let psk = Some(label.secret().psk());
        let (handshake, hello, version) = begin((Kind::PairOutOfBand, &XXPSK0, psk), own, versions, band, &mut message, rng)?;
        let (assurance, key_hash) = (label.source().assurance(), Some(*label.key_hash()));
        Ok((Self { handshake, version, assurance, key_hash }, hello, message))
    }

    /// Begins to pair with a band that has a button and nothing else. Whoever answers first has the link: the least assurance.
    ///
    /// # Errors
    ///
    /// As [`start_with_label`](Self::start_with_label).
    pub fn start_by_press(
        own: &dyn DiffieHellman,
        versions: VersionRange,
        band: &BandHello,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, WalletHello, [u8; 32]), Error> {
        let mut message = [0; 32];
        let (handshake, hello, version) = begin((Kind::PairPress, &XX, None), own, versions, band, &mut message, rng)?;
        Ok((Self { handshake, version, assurance: Assurance::Press, key_hash: None }, hello, message))
    }

    /// Takes the band's answer and returns, beside the channel and the wallet's share to send in it as `Confirm`, message 3 to send first.
    /// The person has accepted by reading the label, or by starting.
    ///
    /// # Errors
    ///
    /// [`PeerError::OtherKey`] where the band's key is not the one on the label; [`PeerError::NotAuthentic`], [`PeerError::EchoedKey`] or
    /// [`PeerError::ZeroSharedSecret`] by the message, [`MachineError`](crate::MachineError) if `rng` or `own` fail.
    pub fn receive(
        self,
        message: &[u8; 96],
        own: &dyn DiffieHellman,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session<S>, AwaitingBandShare, [u8; 64]), Error> {
        let handshake = self.handshake.read(Some(own), message, &mut [])?;
        let band = handshake.peer().ok_or(CallerError::Order)?;
        if self.key_hash.is_some_and(|expected| !bool::from(key_hash(&band).ct_eq(&expected))) {
            return Err(PeerError::OtherKey.into());
        }
        let mut last = [0; 64];
        let split = handshake.write(Some(own), &[], &mut last)?.finish()?;
        let bond = Bond { hash: split.hash, peer: band, version: self.version, assurance: self.assurance };
        Ok((split.into_session(), AwaitingBandShare { bond, share: Share::new(*draw(rng)?) }, last))
    }
}

impl<S: Suite> fmt::Debug for PairingUncompared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingUncompared").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}

fn begin<S: Suite>(
    (kind, pattern, psk): (Kind, &'static Pattern, Option<Psk>),
    own: &dyn DiffieHellman,
    versions: VersionRange,
    band: &BandHello,
    message: &mut [u8],
    rng: &mut impl TryCryptoRng,
) -> Result<(HandshakeState<S>, WalletHello, Version), Error> {
    let hello = WalletHello::new(kind, versions, None);
    let prologue = Prologue::opening(band, &hello)?;
    let keys = Keys { own: Some(own), peer: None, psk, ephemeral: draw_ephemeral::<S>(rng)? };
    let handshake = HandshakeState::new(pattern, Side::Initiator, prologue.as_bytes(), keys)?.write(Some(own), &[], message)?;
    Ok((handshake, hello, prologue.version()))
}

/// The band has answered and waits for message 3, which brings the wallet's static key.
#[must_use]
#[derive(Debug)]
pub struct AwaitingStatic<S: Suite = RustCrypto> {
    pub(super) handshake: HandshakeState<S>,
    pub(super) version: Version,
    pub(super) assurance: Assurance,
    pub(super) started: Uptime,
}

impl<S: Suite> AwaitingStatic<S> {
    /// Takes the wallet's last message. The wearer has accepted by opening the window; the wallet's `Confirm` is next.
    ///
    /// # Errors
    ///
    /// [`PeerError::TooLate`], [`PeerError::NotAuthentic`], [`PeerError::EchoedKey`] or [`PeerError::ZeroSharedSecret`] by the message,
    /// [`MachineError`](crate::MachineError) if `rng` or `own` fail.
    pub fn receive(
        self,
        message: &[u8; 64],
        now: Uptime,
        own: &dyn DiffieHellman,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session<S>, AwaitingWalletShare), Error> {
        in_time(self.started, now)?;
        let handshake = self.handshake.read(Some(own), message, &mut [])?;
        let wallet = handshake.peer().ok_or(CallerError::Order)?;
        let split = handshake.finish()?;
        let bond = Bond { hash: split.hash, peer: wallet, version: self.version, assurance: self.assurance };
        Ok((split.into_session(), AwaitingWalletShare { bond, share: Share::new(*draw(rng)?) }))
    }
}
