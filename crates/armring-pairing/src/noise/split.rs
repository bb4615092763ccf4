//! What a finished handshake leaves.

use core::fmt;

use armring_channel::{Channel, HandshakeHash, Key};

use super::handshake::Side;
use crate::secret::secret;
use crate::suite::{RustCrypto, Suite};

secret! {
    /// What the next connection could be resumed with: the third output of the HKDF whose first two are the channel's keys. It is as secret
    /// as they are, and not to be stored: it lives in RAM.
    ResumeSecret
}

/// What a finished handshake leaves, in parts (Noise `Split`).
#[derive(Debug)]
pub struct Split {
    /// The key under which the initiator seals.
    pub initiator: Key,
    /// The key under which the responder seals.
    pub responder: Key,
    /// What the next connection could be resumed with.
    pub resume: ResumeSecret,
    /// The hash of the whole handshake.
    pub hash: HandshakeHash,
    side: Side,
}

impl Split {
    pub(crate) fn new(side: Side, hash: HandshakeHash, initiator: &[u8; 32], responder: &[u8; 32], resume: &[u8; 32]) -> Self {
        let (initiator, responder) = (Key::new(*initiator), Key::new(*responder));
        Self { initiator, responder, resume: ResumeSecret::new(*resume), hash, side }
    }

    /// This side's channel, and the secret for the next.
    #[must_use]
    pub fn into_session<S: Suite>(self) -> Session<S> {
        let (send, receive) = match self.side {
            Side::Initiator => (self.initiator, self.responder),
            Side::Responder => (self.responder, self.initiator),
        };
        Session { channel: Channel::new(send, receive, self.hash), resume: self.resume }
    }
}

/// What a finished handshake leaves to speak with.
pub struct Session<S: Suite = RustCrypto> {
    /// Sealed records, both ways. The hash of the handshake is its [`binding`](Channel::binding).
    pub channel: Channel<S::Aead>,
    /// What the next connection could be resumed with.
    pub resume: ResumeSecret,
}

impl<S: Suite> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("channel", &self.channel).field("resume", &self.resume).finish()
    }
}
