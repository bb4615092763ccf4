//! How a wallet says over which link it comes, to the band and to nobody else.

use core::borrow::Borrow;

use blake2::Blake2sMac256;
use blake2::digest::{KeyInit, Mac};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use crate::error::Error;
use crate::hello::{Challenge, fill};
use crate::link::{AdvertisingKey, HintKey, Link};
use crate::secret::draw;

const HALF: usize = 8;

/// Which link is meant: 8 random bytes and 8 of a MAC over the band's challenge and them. New for each connection, so that nobody else can
/// tell two connections of one wallet from those of two, and worth nothing on another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint([u8; Self::LEN]);

impl Hint {
    /// Bytes on the wire.
    pub const LEN: usize = 16;
    /// The same as the byte that precedes a hint on the wire.
    pub(crate) const LEN_BYTE: u8 = 16;

    /// The hint with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// A hint at the link with `key`, for the connection with `challenge`.
    ///
    /// # Errors
    ///
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn draw(key: &HintKey, challenge: &Challenge, rng: &mut impl TryCryptoRng) -> Result<Self, Error> {
        let random = draw::<HALF>(rng)?;
        let mut bytes = [0; Self::LEN];
        fill(&mut bytes, &[random.as_slice(), &mac(key, challenge, random.as_slice())]);
        Ok(Self(bytes))
    }

    /// Whether it hints at the link with `key`, on the connection with `challenge`. Takes the same time for every answer.
    #[must_use]
    pub fn is_of(&self, key: &HintKey, challenge: &Challenge) -> bool {
        let (random, received) = self.0.split_at(HALF);
        let mac = mac(key, challenge, random);
        mac.split_at(HALF).0.ct_eq(received).into()
    }
}

/// The one of `links` that `hint` is for, on the connection with `challenge`. All are tried, so that the time says nothing about which.
///
/// With `None` the connection is ended just as after a handshake that fails: whether a link exists is nobody's business.
#[must_use]
pub fn find_link<L: Borrow<Link>>(links: impl IntoIterator<Item = L>, challenge: &Challenge, hint: &Hint) -> Option<L> {
    links.into_iter().fold(None, |found, link| if hint.is_of(&link.borrow().hint_key(), challenge) { Some(link) } else { found })
}

/// What a band advertises so that a wallet with several bands knows whom it sees: 8 random bytes and 8 of a MAC over them. Drawn anew for
/// each advertising session, so that nobody else can tell two sessions of one band from those of two. It can be replayed and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingTag([u8; Self::LEN]);

impl AdvertisingTag {
    /// Bytes in an advertisement.
    pub const LEN: usize = 16;

    /// The tag with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// A tag for the wallet of `link`.
    ///
    /// # Errors
    ///
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn draw(link: &Link, rng: &mut impl TryCryptoRng) -> Result<Self, Error> {
        let random = draw::<HALF>(rng)?;
        let mut bytes = [0; Self::LEN];
        fill(&mut bytes, &[random.as_slice(), &advertising_mac(&link.advertising_key(), random.as_slice())]);
        Ok(Self(bytes))
    }

    /// Whether it is of the band of `link`. Takes the same time for every answer.
    #[must_use]
    pub fn is_of(&self, link: &Link) -> bool {
        let (random, received) = self.0.split_at(HALF);
        advertising_mac(&link.advertising_key(), random).split_at(HALF).0.ct_eq(received).into()
    }
}

/// The one of a wallet's `links` whose band advertises `tag`.
#[must_use]
pub fn find_advertiser<L: Borrow<Link>>(links: impl IntoIterator<Item = L>, tag: &AdvertisingTag) -> Option<L> {
    links.into_iter().fold(None, |found, link| if tag.is_of(link.borrow()) { Some(link) } else { found })
}

fn advertising_mac(key: &AdvertisingKey, random: &[u8]) -> [u8; 32] {
    Blake2sMac256::new(key.expose().into()).chain_update(random).finalize().into_bytes().into()
}

/// Keyed BLAKE2s-256 over challenge and random bytes. A hint has its first 8 bytes.
fn mac(key: &HintKey, challenge: &Challenge, random: &[u8]) -> [u8; 32] {
    let mac = Blake2sMac256::new(key.expose().into()).chain_update(challenge.as_bytes()).chain_update(random);
    mac.finalize().into_bytes().into()
}
