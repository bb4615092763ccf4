//! A link: what a band and a wallet that were paired remember of each other.

use armring_channel::HandshakeHash;
use armring_wire::Version;
use armring_wire::records::Assurance;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::dh::PublicKey;
use crate::error::{CallerError, Error};
use crate::hello::fill;
use crate::label::{ADVERTISE, HINT, LINK, PSK, labelled_hash};
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
    /// With what a band's advertising tags are made and recognised.
    AdvertisingKey
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
    generation: u32,
    lost: u8,
}

/// Whether both sides of a link remember the same of it.
///
/// A wallet that lost the connection does not know whether the band has heard it. Whoever uses a stolen link is therefore missed if as many of
/// the owner's introductions were lost in between as it has made itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the person is to be told"]
pub enum Generations {
    /// They do.
    Agree,
    /// Somebody else has used this link, with a copy of what one of the two keeps.
    UsedElsewhere,
}

impl Link {
    /// The length of a stored link, in bytes.
    pub const LEN: usize = 72;

    /// A link out of its parts, which was never reconnected.
    #[must_use]
    pub const fn from_parts(
        peer: PublicKey,
        secret: LinkSecret,
        lowest: Version,
        assurance: Assurance,
        state: LinkState,
    ) -> Self {
        Self { peer, secret, lowest, assurance, state, generation: 0, lost: 0 }
    }

    /// The link as it is stored, secret included: `peer (32) ‖ secret (32) ‖ lowest version (1) ‖ assurance (1) ‖ established (1) ‖
    /// generation (4, little-endian) ‖ lost (1)`.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        let rest = [self.lowest.0, self.assurance as u8, u8::from(self.state == LinkState::Established)];
        let parts: [&[u8]; 5] = [self.peer.as_bytes(), self.secret.expose(), &rest, &self.generation.to_le_bytes(), &[self.lost]];
        fill(bytes.as_mut_slice(), &parts);
        bytes
    }

    /// The link that [`Self::to_bytes`] made these bytes of; `None` if they are not that.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (peer, rest) = bytes.split_first_chunk()?;
        let (secret, rest) = rest.split_first_chunk()?;
        let (rest, count) = rest.split_first_chunk()?;
        let [lowest, assurance, established] = *rest;
        let (generation, &[lost]) = count.split_first_chunk()? else { return None };
        let state = match established {
            0 => LinkState::Provisional,
            1 => LinkState::Established,
            _ => return None,
        };
        let assurance = armring_wire::decode(&[assurance]).ok()?;
        let link = Self::from_parts(PublicKey::new(*peer), LinkSecret::new(*secret), Version(lowest), assurance, state);
        Some(Self { generation: u32::from_le_bytes(*generation), lost, ..link })
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

    /// Whether both are one link, whatever else each has gone through.
    #[must_use]
    pub fn is_same_link(&self, other: &Self) -> bool {
        self.secret.ct_eq(&other.secret).into()
    }

    /// Makes the link an established one, given that it was reconnected. An established one stays so.
    ///
    /// # Errors
    ///
    /// [`CallerError::OtherLink`] if it was another that was reconnected; nothing has then changed.
    pub fn promote(&mut self, proof: &Reconnected) -> Result<(), Error> {
        self.expect(proof.psk())?;
        self.state = LinkState::Established;
        Ok(())
    }

    /// That what has this psk is of this link.
    pub(crate) fn expect(&self, psk: &Psk) -> Result<(), CallerError> {
        if bool::from(self.psk().ct_eq(psk)) { Ok(()) } else { Err(CallerError::OtherLink) }
    }

    /// At the wallet, before it says its first record of a reconnect: the generation to say, and how many answers since then were lost, 255
    /// at most. The link is to be stored before that record leaves, so that a lost answer is not taken for somebody else's use.
    #[must_use = "this is what to say"]
    pub fn introduce(&mut self) -> (u32, u8) {
        let said = (self.generation, self.lost);
        self.lost = self.lost.saturating_add(1);
        said
    }

    /// At the band, when the wallet has said its `generation` and how many answers it has `lost`: what to answer, once the link is stored,
    /// and whether both remember the same.
    pub fn introduced(&mut self, generation: u32, lost: u8) -> (u32, Generations) {
        let own = self.generation;
        self.generation = own.max(generation).saturating_add(1);
        (own, compare(generation, lost, own))
    }

    /// At the wallet, when the band has answered with its `generation`: whether both remember the same. The link is to be stored.
    pub fn answered(&mut self, generation: u32) -> Generations {
        // This attempt was counted when it was introduced, unless the count had come to its end and stood still.
        let lost_before = if self.lost == u8::MAX { u8::MAX } else { self.lost.saturating_sub(1) };
        let agreement = compare(self.generation, lost_before, generation);
        self.generation = self.generation.max(generation).saturating_add(1);
        self.lost = 0;
        agreement
    }

    /// How often this side remembers that the link was reconnected.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What a reconnect mixes in.
    #[must_use]
    pub fn psk(&self) -> Psk {
        Psk::new(labelled_hash(PSK, &[self.secret.expose()]))
    }

    /// With what the band's advertising tags for this link are made and recognised.
    #[must_use]
    pub fn advertising_key(&self) -> AdvertisingKey {
        AdvertisingKey::new(labelled_hash(ADVERTISE, &[self.secret.expose()]))
    }

    /// With what hints at this link are made and recognised.
    #[must_use]
    pub fn hint_key(&self) -> HintKey {
        HintKey::new(labelled_hash(HINT, &[self.secret.expose()]))
    }
}

/// The wallet remembers `wallet` and has lost so many answers since; the band remembers `band`.
fn compare(wallet: u32, lost: u8, band: u32) -> Generations {
    let latest = wallet.saturating_add(u32::from(lost));
    if (wallet..=latest).contains(&band) { Generations::Agree } else { Generations::UsedElsewhere }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn link() -> Link {
        Link::from_parts(
            PublicKey::new([3; 32]),
            LinkSecret::new([4; 32]),
            Version(1),
            Assurance::ComparedCode,
            LinkState::Established,
        )
    }

    fn copy(link: &Link) -> Link {
        Link::from_bytes(&link.to_bytes()).unwrap()
    }

    /// How far a reconnect gets.
    #[derive(Clone, Copy, Debug)]
    enum Reaches {
        /// The wallet's first record is lost.
        Nobody,
        /// The band's answer is lost.
        Band,
        Both,
    }

    fn reconnect(wallet: &mut Link, band: &mut Link, reaches: Reaches) -> [Generations; 2] {
        let (generation, lost) = wallet.introduce();
        if matches!(reaches, Reaches::Nobody) {
            return [Generations::Agree; 2];
        }
        let (answer, at_band) = band.introduced(generation, lost);
        let at_wallet = if matches!(reaches, Reaches::Both) { wallet.answered(answer) } else { Generations::Agree };
        [at_band, at_wallet]
    }

    fn reaches() -> impl Strategy<Value = Reaches> {
        prop_oneof![Just(Reaches::Nobody), Just(Reaches::Band), Just(Reaches::Both)]
    }

    proptest! {
        #[test]
        fn lost_records_are_no_use_by_others(history in prop::collection::vec(reaches(), 0..60)) {
            let (mut wallet, mut band) = (link(), link());
            for reaches in history {
                prop_assert_eq!(reconnect(&mut wallet, &mut band, reaches), [Generations::Agree; 2], "{:?}", reaches);
            }
            prop_assert_eq!(reconnect(&mut wallet, &mut band, Reaches::Both), [Generations::Agree; 2]);
            prop_assert_eq!(wallet.generation(), band.generation());
        }

        #[test]
        fn as_many_lost_answers_as_can_be_counted_are_no_use_by_others(unheard in 0u8..255, heard in 0u32..3) {
            let (mut wallet, mut band) = (link(), link());
            for _ in 0..heard {
                let _ = reconnect(&mut wallet, &mut band, Reaches::Both);
            }
            for _ in 0..unheard {
                prop_assert_eq!(reconnect(&mut wallet, &mut band, Reaches::Band), [Generations::Agree; 2]);
            }
            prop_assert_eq!(reconnect(&mut wallet, &mut band, Reaches::Both), [Generations::Agree; 2]);
        }

        #[test]
        fn use_of_a_stolen_link_is_noticed_by_both(before in prop::collection::vec(reaches(), 0..20), uses in 1..5) {
            let (mut wallet, mut band) = (link(), link());
            for reaches in before {
                let _ = reconnect(&mut wallet, &mut band, reaches);
            }
            let _ = reconnect(&mut wallet, &mut band, Reaches::Both);
            let mut stolen = copy(&wallet);
            for _ in 0..uses {
                prop_assert_eq!(reconnect(&mut stolen, &mut band, Reaches::Both), [Generations::Agree; 2]);
            }
            prop_assert_eq!(reconnect(&mut wallet, &mut band, Reaches::Both), [Generations::UsedElsewhere; 2]);
            prop_assert_eq!(reconnect(&mut wallet, &mut band, Reaches::Both), [Generations::Agree; 2], "it is told once");
        }

        #[test]
        fn use_of_a_copied_band_is_noticed_by_both(uses in 1..5) {
            let (mut wallet, mut band) = (link(), link());
            let mut copied = copy(&band);
            for _ in 0..uses {
                let _ = reconnect(&mut wallet, &mut copied, Reaches::Both);
            }
            prop_assert_eq!(reconnect(&mut wallet, &mut band, Reaches::Both), [Generations::UsedElsewhere; 2]);
        }

        #[test]
        fn generations_never_wrap(generation: u32, lost: u8, own: u32) {
            let mut link = Link { generation: own, lost, ..link() };
            let _ = link.introduced(generation, lost);
            prop_assert!(link.generation() >= own);
            let _ = link.answered(generation);
            prop_assert!(link.generation() >= generation);
        }
    }

    #[test]
    fn a_stored_link_comes_back_and_nothing_else_does() {
        for (assurance, state) in
            [(Assurance::Press, LinkState::Provisional), (Assurance::DisplayedSecret, LinkState::Established)]
        {
            let link = Link::from_parts(PublicKey::new([3; 32]), LinkSecret::new([4; 32]), Version(1), assurance, state);
            let link = Link { generation: 0x01020304, lost: 5, ..link };
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
