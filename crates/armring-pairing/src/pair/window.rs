//! The time in which a band may be paired, and in which ways.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use armring_wire::records::Assurance;
use armring_wire::{Uptime, Version};
use rand_core::TryCryptoRng;

use super::band::AwaitingOpening;
use super::uncompared::AwaitingStatic;
use crate::dh::{DiffieHellman, PublicKey};
use crate::error::{Error, PeerError};
use crate::hello::{BandHello, Kind, WalletHello};
use crate::noise::{HandshakeState, Keys, Psk, Side, XX, XXPSK0};
use crate::out_of_band::{PairingLabel, PairingSecret, Source};
use crate::prologue::Prologue;
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// In which ways a band may be paired, by what it has: a display, lights, a label, or a button alone.
///
/// Pairing by a press is for a band that can do nothing better, and stands beside no other way: an attacker who runs it with the band,
/// and another with the wallet, would be between the two.
#[derive(Debug)]
pub struct Methods {
    code: bool,
    secret: Option<(PairingSecret, Source)>,
}

impl Methods {
    /// For a band that can show or play a code.
    #[must_use]
    pub const fn code() -> Self {
        Self { code: true, secret: None }
    }

    /// For a band with a secret on its label and neither a display nor lights.
    #[must_use]
    pub const fn label(secret: PairingSecret) -> Self {
        Self { code: false, secret: Some((secret, Source::Printed)) }
    }

    /// For a band that has a button and nothing else.
    #[must_use]
    pub const fn press_only() -> Self {
        Self { code: false, secret: None }
    }

    /// By this secret as well, which the band shows during this window, or which stands on its label.
    #[must_use]
    pub fn or_secret(self, secret: PairingSecret, source: Source) -> Self {
        Self { secret: Some((secret, source)), ..self }
    }

    /// Whether a wallet may pair in the way that its hello announces.
    #[must_use]
    pub const fn allow(&self, kind: Kind) -> bool {
        match kind {
            Kind::PairCode => self.code,
            Kind::PairOutOfBand => self.secret.is_some(),
            Kind::PairPress => !self.code && self.secret.is_none(),
            Kind::Reconnect | Kind::Resume | Kind::Enrol => false,
        }
    }
}

/// The time in which one may pair after a gesture. Without one there is no way to start.
///
/// The first message 1 uses it up, whatever comes of it: an attacker has one guess per gesture. Whoever holds a window drops it, visibly,
/// when a connection ends or a second one begins. A secret that the band shows is good for this window and dies with it.
#[must_use]
pub struct PairingWindow<S: Suite = RustCrypto> {
    opened: Uptime,
    methods: Methods,
    suite: PhantomData<fn() -> S>,
}

impl<S: Suite> PairingWindow<S> {
    /// How long a gesture allows for the first message, and how long that allows for the rest, the person's answer included.
    pub const DURATION: Duration = Duration::from_secs(60);

    /// Opens a window. To be called for a gesture of the wearer's that means "pair", and for nothing else.
    pub const fn open(now: Uptime, methods: Methods) -> Self {
        Self { opened: now, methods, suite: PhantomData }
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

    /// Whether a wallet may pair in the way that its hello announces.
    #[must_use]
    pub const fn allows(&self, kind: Kind) -> bool {
        self.methods.allow(kind)
    }

    /// The label to show while this window is open: that of the band with this static key. `None` unless its display carries the secret.
    #[must_use]
    pub fn label(&self, own: &PublicKey) -> Option<PairingLabel> {
        let (secret, source) = self.methods.secret.as_ref().filter(|(_, source)| *source == Source::Displayed)?;
        Some(PairingLabel::new(*source, PairingSecret::new(*secret.expose()), own))
    }

    /// Takes the wallet's first message of a pairing by code and returns the answer to send. `own` is the band's static key, the hellos are
    /// those of this connection.
    ///
    /// # Errors
    ///
    /// [`PeerError::TooLate`], [`PeerError::Kind`], [`PeerError::NotAllowed`] or [`PeerError::Unsupported`] by the window and the hellos,
    /// [`PeerError::EchoedKey`] and [`PeerError::ZeroSharedSecret`] by the message, [`MachineError`](crate::MachineError) if `rng` or `own`
    /// fail. The window is gone in any case.
    pub fn receive(
        self,
        message: &[u8; 64],
        now: Uptime,
        own: &dyn DiffieHellman,
        hellos: (&BandHello, &WalletHello),
        rng: &mut impl TryCryptoRng,
    ) -> Result<(AwaitingOpening<S>, [u8; 96]), Error> {
        let prologue = self.enter(Kind::PairCode, now, hellos)?;
        let keys = Keys { own: Some(own), peer: None, psk: None, ephemeral: draw_ephemeral::<S>(rng)? };
        let (mut commitment, mut answer) = ([0; 32], [0; 96]);
        let handshake = HandshakeState::new(&XX, Side::Responder, prologue.as_bytes(), keys)?
            .read(Some(own), message, &mut commitment)?
            .write(Some(own), &[], &mut answer)?;
        Ok((AwaitingOpening { handshake, commitment, version: prologue.version(), started: now }, answer))
    }

    /// Takes the wallet's first message of a pairing out of band and returns the answer to send.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), and [`PeerError::NotAuthentic`] where the wallet has not read this band's label. The window is gone in
    /// any case.
    pub fn receive_secret(
        mut self,
        message: &[u8; 48],
        now: Uptime,
        own: &dyn DiffieHellman,
        hellos: (&BandHello, &WalletHello),
        rng: &mut impl TryCryptoRng,
    ) -> Result<(AwaitingStatic<S>, [u8; 96]), Error> {
        let (secret, source) = self.methods.secret.take().ok_or(PeerError::NotAllowed)?;
        let prologue = enter(self.opened, Kind::PairOutOfBand, now, hellos)?;
        let keys = Keys { own: Some(own), peer: None, psk: Some(secret.psk()), ephemeral: draw_ephemeral::<S>(rng)? };
        let handshake = HandshakeState::new(&XXPSK0, Side::Responder, prologue.as_bytes(), keys)?;
        answer(handshake, message, own, prologue.version(), source.assurance(), now)
    }

    /// Takes the wallet's first message of a pairing by a press and returns the answer to send.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive). The window is gone in any case.
    pub fn receive_press(
        self,
        message: &[u8; 32],
        now: Uptime,
        own: &dyn DiffieHellman,
        hellos: (&BandHello, &WalletHello),
        rng: &mut impl TryCryptoRng,
    ) -> Result<(AwaitingStatic<S>, [u8; 96]), Error> {
        let prologue = self.enter(Kind::PairPress, now, hellos)?;
        let keys = Keys { own: Some(own), peer: None, psk: None::<Psk>, ephemeral: draw_ephemeral::<S>(rng)? };
        let handshake = HandshakeState::new(&XX, Side::Responder, prologue.as_bytes(), keys)?;
        answer(handshake, message, own, prologue.version(), Assurance::Press, now)
    }

    fn enter(&self, kind: Kind, now: Uptime, hellos: (&BandHello, &WalletHello)) -> Result<Prologue, Error> {
        if !self.allows(kind) {
            return Err(PeerError::NotAllowed.into());
        }
        enter(self.opened, kind, now, hellos)
    }
}

impl<S: Suite> fmt::Debug for PairingWindow<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingWindow").field("opened", &self.opened).finish_non_exhaustive()
    }
}

fn enter(opened: Uptime, kind: Kind, now: Uptime, (band, wallet): (&BandHello, &WalletHello)) -> Result<Prologue, Error> {
    in_time(opened, now)?;
    wallet.expect(kind)?;
    Prologue::opening(band, wallet)
}

/// Reads message 1, which has no payload, and writes message 2.
fn answer<S: Suite>(
    handshake: HandshakeState<S>,
    message: &[u8],
    own: &dyn DiffieHellman,
    version: Version,
    assurance: Assurance,
    now: Uptime,
) -> Result<(AwaitingStatic<S>, [u8; 96]), Error> {
    let mut answer = [0; 96];
    let handshake = handshake.read(Some(own), message, &mut [])?.write(Some(own), &[], &mut answer)?;
    Ok((AwaitingStatic { handshake, version, assurance, started: now }, answer))
}

/// Whether a gesture still counts.
pub(super) fn in_time(since: Uptime, now: Uptime) -> Result<(), PeerError> {
    if now.since(since) <= PairingWindow::<RustCrypto>::DURATION { Ok(()) } else { Err(PeerError::TooLate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 6] = [Kind::PairCode, Kind::PairOutOfBand, Kind::PairPress, Kind::Reconnect, Kind::Resume, Kind::Enrol];

    #[test]
    fn press_stands_beside_no_better_way() {
        let secret = || PairingSecret::new([7; 32]);
        for (methods, allowed) in [
            (Methods::code(), &[Kind::PairCode][..]),
            (Methods::code().or_secret(secret(), Source::Displayed), &[Kind::PairCode, Kind::PairOutOfBand]),
            (Methods::label(secret()), &[Kind::PairOutOfBand]),
            (Methods::press_only(), &[Kind::PairPress]),
            (Methods::press_only().or_secret(secret(), Source::Printed), &[Kind::PairOutOfBand]),
        ] {
            for kind in KINDS {
                assert_eq!(methods.allow(kind), allowed.contains(&kind), "{methods:?} {kind:?}");
            }
        }
    }
}
