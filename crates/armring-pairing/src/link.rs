//! A link: what a band and a wallet that were paired remember of each other.

use armring_channel::HandshakeHash;
use armring_wire::Version;
use armring_wire::records::Assurance;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::dh::PublicKey;
use crate::error::{CallerError, Error};
use crate::hello::fill;
use crate::label::{HINT, LINK, PSK, labelled_hash};
use crate::reconnect::Reconnected;
use crate::secret::secret;

secret! {
    /// What makes a link: without it the static keys of both sides open nothing.
    LinkSecret
}
secret! {
    /// What a handshake between two who share a secret mixes in (Noise §9).
    Psk
}
secret! {
    /// With what hints at a link are made and recognised.
    HintKey
}
secret! {
    /// One side's share of a link secret. It travels as the `Confirm` record, sealed, and says that the person on that side accepted.
    Share
}

impl LinkSecret {
    /// The secret of the link that came of the pairing with this hash, in which each side gave its share.
    pub(crate) fn from_shares(hash: &HandshakeHash, wallet: &Share, band: &Share) -> Self {
        Self::new(labelled_hash(LINK, &[hash.as_bytes(), wallet.expose(), band.expose()]))
    }
}

/// Whether a link has carried a connection yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// This side has paired; whether the other remembers it too is not known.
    Provisional,
    /// A reconnect has succeeded: both remember it.
    Established,
}

/// What a band and a wallet that were paired remember of each other, each for itself. That a peer says "we are paired" is not one.
#[derive(Debug)]
pub struct Link {
    peer: PublicKey,
    secret: LinkSecret,
    lowest: Version,
    assurance: Assurance,
    state: LinkState,
}

impl Link {
    /// The length of a stored link, in bytes.
    pub const LEN: usize = 67;

    /// The link out of what was stored of it.
    #[must_use]
    pub const fn from_parts(
        peer: PublicKey,
        secret: LinkSecret,
        lowest: Version,
        assurance: Assurance,
        state: LinkState,
    ) -> Self {
        Self { peer, secret, lowest, assurance, state }
    }

    /// The link as it is stored, secret included: `peer (32) ‖ secret (32) ‖ lowest version (1) ‖ assurance (1) ‖ established (1)`.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        let rest = [self.lowest.0, self.assurance as u8, u8::from(self.state == LinkState::Established)];
        fill(bytes.as_mut_slice(), &[self.peer.as_bytes(), self.secret.expose(), &rest]);
        bytes
    }

    /// The link that [`Self::to_bytes`] made these bytes of; `None` if they are not that.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (peer, rest) = bytes.split_first_chunk()?;
        let (secret, rest) = rest.split_first_chunk()?;
        let [lowest, assurance, established] = *rest else { return None };
        let state = match established {
            0 => LinkState::Provisional,
            1 => LinkState::Established,
            _ => return None,
        };
        let assurance = armring_wire::decode(&[assurance]).ok()?;
        Some(Self::from_parts(PublicKey::new(*peer), LinkSecret::new(*secret), Version(lowest), assurance, state))
    }

    /// The other side's static public key.
    #[must_use]
    pub const fn peer(&self) -> &PublicKey {
        &self.peer
    }

    /// The secret of the link, to store it.
    #[must_use]
    pub const fn secret(&self) -> &LinkSecret {
        &self.secret
    }

    /// The lowest version that is accepted over this link: the one that it was paired with.
    #[must_use]
    pub const fn lowest_version(&self) -> Version {
        self.lowest
    }

    /// How well the person who paired could tell whom with.
    #[must_use]
    pub const fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// Whether it has carried a connection yet.
    #[must_use]
    pub const fn state(&self) -> LinkState {
        self.state
    }

    /// Makes the link an established one, given that it was reconnected. An established one stays so.
    ///
    /// # Errors
    ///
    /// [`CallerError::OtherLink`] if it was another that was reconnected; nothing has then changed.
    pub fn promote(&mut self, proof: &Reconnected) -> Result<(), Error> {
        if !bool::from(self.psk().ct_eq(proof.psk())) {
            return Err(CallerError::OtherLink.into());
        }
        self.state = LinkState::Established;
        Ok(())
    }

    /// What a reconnect mixes in.
    #[must_use]
    pub fn psk(&self) -> Psk {
        Psk::new(labelled_hash(PSK, &[self.secret.expose()]))
    }

    /// With what hints at this link are made and recognised.
    #[must_use]
    pub fn hint_key(&self) -> HintKey {
        HintKey::new(labelled_hash(HINT, &[self.secret.expose()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_link_comes_back_and_nothing_else_does() {
        for (assurance, state) in
            [(Assurance::Press, LinkState::Provisional), (Assurance::DisplayedSecret, LinkState::Established)]
        {
            let link = Link::from_parts(PublicKey::new([3; 32]), LinkSecret::new([4; 32]), Version(1), assurance, state);
            let bytes = link.to_bytes();
            let loaded = Link::from_bytes(&bytes).unwrap();
            assert_eq!(loaded.to_bytes(), bytes);
            assert_eq!((loaded.assurance(), loaded.state()), (assurance, state));
        }
        let mut bytes = [0; Link::LEN];
        for (place, bad) in [(65, 4), (66, 2)] {
            bytes[place] = bad;
            assert!(Link::from_bytes(&bytes).is_none());
            bytes[place] = 0;
        }
    }
}
