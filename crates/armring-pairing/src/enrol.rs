//! The band's handshake with the issuer (Noise IK, the band initiates). The wallet relays it and sees ciphertext.

use core::fmt;

use armring_wire::VersionRange;
use rand_core::TryCryptoRng;

use crate::dh::{DiffieHellman, PublicKey};
use crate::error::{CallerError, Error};
use crate::noise::{HandshakeState, IK, Keys, Session, Side};
use crate::prologue::Prologue;
use crate::suite::{RustCrypto, Suite, draw_ephemeral};

/// The versions of both sides of an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolVersions {
    /// What the band speaks. It goes to the issuer beside message 1.
    pub band: VersionRange,
    /// What the issuer speaks, as its signed key list says.
    pub issuer: VersionRange,
}

/// The band has begun to speak to an issuer and waits for its answer.
#[must_use]
pub struct Enrol<S: Suite = RustCrypto> {
    handshake: HandshakeState<S>,
}

impl<S: Suite> Enrol<S> {
    /// Begins to speak to the issuer whose key list has `issuer` as an enrolment key. `own` is the band's static key. Returns message 1.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`](crate::PeerError::Unsupported) if no version is in common,
    /// [`ZeroSharedSecret`](crate::PeerError::ZeroSharedSecret) or [`EchoedKey`](crate::PeerError::EchoedKey) by the issuer's key,
    /// [`MachineError`](crate::MachineError) if `rng` or `own` fail.
    pub fn start(
        own: &dyn DiffieHellman,
        issuer: &PublicKey,
        versions: EnrolVersions,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, [u8; 96]), Error> {
        let mut message = [0; 96];
        let handshake =
            handshake::<S>(Side::Initiator, own, Some(*issuer), versions, rng)?.write(Some(own), &[], &mut message)?;
        Ok((Self { handshake }, message))
    }

    /// Takes the issuer's answer: whoever gave it has the issuer's key, now.
    ///
    /// # Errors
    ///
    /// [`PeerError::NotAuthentic`](crate::PeerError::NotAuthentic), [`EchoedKey`](crate::PeerError::EchoedKey) or
    /// [`ZeroSharedSecret`](crate::PeerError::ZeroSharedSecret) by the message, [`MachineError`](crate::MachineError) if `own` fails.
    pub fn receive(self, message: &[u8; 48], own: &dyn DiffieHellman) -> Result<Session<S>, Error> {
        Ok(self.handshake.read(Some(own), message, &mut [])?.finish()?.into_session())
    }

    /// The issuer's side: takes the band's first message and returns, beside the channel and the band's static key, the answer to send.
    ///
    /// Message 1 can be replayed: the band is there when its first record verifies, not before.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`](crate::PeerError::Unsupported) if no version is in common,
    /// [`NotAuthentic`](crate::PeerError::NotAuthentic), [`EchoedKey`](crate::PeerError::EchoedKey) or
    /// [`ZeroSharedSecret`](crate::PeerError::ZeroSharedSecret) by the message, [`MachineError`](crate::MachineError) if `rng` or `own` fail.
    pub fn answer(
        own: &dyn DiffieHellman,
        versions: EnrolVersions,
        message: &[u8; 96],
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Session<S>, PublicKey, [u8; 48]), Error> {
        let mut answer = [0; 48];
        let handshake = handshake::<S>(Side::Responder, own, None, versions, rng)?.read(Some(own), message, &mut [])?.write(
            Some(own),
            &[],
            &mut answer,
        )?;
        let band = handshake.peer().ok_or(CallerError::Order)?;
        Ok((handshake.finish()?.into_session(), band, answer))
    }
}

impl<S: Suite> fmt::Debug for Enrol<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrol").field("handshake", &self.handshake).finish()
    }
}

fn handshake<S: Suite>(
    side: Side,
    own: &dyn DiffieHellman,
    peer: Option<PublicKey>,
    versions: EnrolVersions,
    rng: &mut impl TryCryptoRng,
) -> Result<HandshakeState<S>, Error> {
    let prologue = Prologue::enrol(versions.band, versions.issuer)?;
    let keys = Keys { own: Some(own), peer, psk: None, ephemeral: draw_ephemeral::<S>(rng)? };
    HandshakeState::new(&IK, side, prologue.as_bytes(), keys)
}
