//! The bands that a wallet is linked to.

use armring_pairing::{Link, LinkState, PublicKey};

/// A wallet's links, by the band's public key. It stores nothing: the app stores each [`Link`] under the key of its band.
///
/// A band that is paired anew has two links for a while. The new one is provisional, and whether the band remembers it is not known: it takes
/// the place of the established one only when a connection was made over it.
#[derive(Debug, Default)]
pub struct Bands {
    links: Vec<Link>,
}

impl Bands {
    /// No band.
    #[must_use]
    pub const fn new() -> Self {
        Self { links: Vec::new() }
    }

    /// Adds a link that came of [pairing](crate::Event::Paired) or of a [reconnect](crate::Event::Keep), or that was stored. An established
    /// link takes the place of all others to its band, a provisional one of a provisional one. Those are given back, to be erased where they are
    /// stored.
    pub fn add(&mut self, link: Link) -> Vec<Link> {
        let replaces = |old: &Link| {
            old.peer() == link.peer() && (link.state() == LinkState::Established || old.state() == LinkState::Provisional)
        };
        let replaced = self.links.extract_if(.., |old| replaces(old)).collect();
        self.links.push(link);
        replaced
    }

    /// The links to a band, the provisional one first: that is the one to be tried first.
    pub fn links(&self, band: &PublicKey) -> impl Iterator<Item = &Link> {
        let mut links: Vec<&Link> = self.links.iter().filter(|link| link.peer() == band).collect();
        links.sort_by_key(|link| link.state() == LinkState::Established);
        links.into_iter()
    }

    /// Forgets a band: it was unpaired, or its wearer reset it. The links are given back, to be erased where they are stored.
    pub fn forget(&mut self, band: &PublicKey) -> Vec<Link> {
        self.links.extract_if(.., |link| link.peer() == band).collect()
    }

    /// All links, in the order in which they were added. Whose band it is that advertises a tag is found among these.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.iter()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what they expect by panicking")]

    use super::*;

    fn link(band: u8, secret: u8, state: LinkState) -> Link {
        let mut bytes = [0; Link::LEN];
        bytes[..32].fill(band);
        bytes[32..64].fill(secret);
        bytes[64] = 1;
        bytes[66] = u8::from(state == LinkState::Established);
        Link::from_bytes(&bytes).unwrap()
    }

    fn key(band: u8) -> PublicKey {
        PublicKey::new([band; 32])
    }

    /// The secrets of the links to a band, in the order in which they are tried.
    fn secrets(bands: &Bands, band: u8) -> Vec<u8> {
        bands.links(&key(band)).map(|link| link.to_bytes()[32]).collect()
    }

    #[test]
    fn a_link_is_found_by_its_band_and_forgotten_with_it() {
        let mut bands = Bands::new();
        for (band, secret) in [(1, 10), (2, 20)] {
            assert!(bands.add(link(band, secret, LinkState::Established)).is_empty());
        }
        assert_eq!((secrets(&bands, 1), secrets(&bands, 2), secrets(&bands, 3)), (vec![10], vec![20], vec![]));
        assert_eq!(bands.forget(&key(1)).len(), 1);
        assert_eq!((secrets(&bands, 1), secrets(&bands, 2), bands.iter().count()), (vec![], vec![20], 1));
        assert!(bands.forget(&key(1)).is_empty());
    }

    #[test]
    fn a_provisional_link_takes_an_established_ones_place_only_when_it_is_established() {
        let mut bands = Bands::new();
        bands.add(link(1, 10, LinkState::Established));
        assert!(bands.add(link(1, 11, LinkState::Provisional)).is_empty());
        assert_eq!(secrets(&bands, 1), [11, 10]);
        assert_eq!(bands.add(link(1, 12, LinkState::Provisional)).len(), 1, "two attempts to pair");
        assert_eq!(secrets(&bands, 1), [12, 10]);
        assert_eq!(bands.add(link(1, 12, LinkState::Established)).len(), 2);
        assert_eq!(secrets(&bands, 1), [12]);
    }
}
