//! What both sides have in common once the handshake is through: a code to compare, and what becomes a link.

use core::fmt;

use armring_channel::HandshakeHash;
use armring_wire::Version;
use armring_wire::records::Assurance;
use zeroize::Zeroizing;

use crate::code::Code;
use crate::dh::PublicKey;
use crate::label::{SAS, SAS_COMMIT, labelled_hash};
use crate::link::{Link, LinkSecret, LinkState, Share};

/// What the wallet commits to before it sees the band's keys, so that it cannot choose among codes.
pub(crate) struct Opening(Zeroizing<[u8; 32]>);

impl Opening {
    pub(crate) const fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The commitment, sent with message 1.
    pub(crate) fn commitment(&self, wallet: &PublicKey) -> [u8; 32] {
        labelled_hash(SAS_COMMIT, &[wallet.as_bytes(), self.as_bytes()])
    }

    /// The code. `hash` is that after message 2, when both sides' keys are in it and this opening is not.
    pub(crate) fn code(&self, hash: &HandshakeHash, wallet: &PublicKey) -> Code {
        Code::new(labelled_hash(SAS, &[hash.as_bytes(), wallet.as_bytes(), self.as_bytes()]))
    }
}

/// A finished handshake that becomes a link if both persons accept.
pub(crate) struct Bond {
    pub(crate) hash: HandshakeHash,
    pub(crate) peer: PublicKey,
    pub(crate) version: Version,
    pub(crate) assurance: Assurance,
}

impl Bond {
    pub(crate) fn link(&self, wallet: &Share, band: &Share) -> Link {
        let secret = LinkSecret::from_shares(&self.hash, wallet, band);
        Link::from_parts(self.peer, secret, self.version, self.assurance, LinkState::Provisional)
    }
}

/// The handshake is through, and its code is to be shown whole. Dropping this, at any point, is "no".
#[must_use = "show the code, then call `shown`"]
pub struct CompareCode<At> {
    pub(crate) code: Code,
    pub(crate) bond: Bond,
    pub(crate) at: At,
}

impl<At> CompareCode<At> {
    /// The code to show. It is worth nothing before it was compared.
    #[must_use]
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// Says that the whole code was shown: only now can it be accepted.
    pub fn shown(self) -> CodeShown<At> {
        CodeShown(self)
    }
}

impl<At> fmt::Debug for CompareCode<At> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareCode").field("code", &self.code).finish_non_exhaustive()
    }
}

/// The whole code was shown, and the person is to answer. Dropping this is "no", and so is silence.
#[must_use = "accept only if the person says that both codes are the same"]
#[derive(Debug)]
pub struct CodeShown<At>(pub(crate) CompareCode<At>);

impl<At> CodeShown<At> {
    /// The code that is shown.
    #[must_use]
    pub const fn code(&self) -> &Code {
        self.0.code()
    }
}
