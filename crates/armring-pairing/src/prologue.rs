//! The prologue: what both sides must have seen alike before a handshake can succeed (Noise §6).

use armring_wire::{Version, VersionRange};

use crate::error::{Error, PeerError};
use crate::hello::{BandHello, Kind, WalletHello, fill, version_bytes};

/// What somebody is in a handshake. Roles are fixed by the kind; they are in the prologue so that no message fits another role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// The band on the wrist.
    Band = 1,
    /// The app on the phone.
    Wallet = 2,
    /// The payment service.
    Issuer = 3,
}

/// What a handshake begins with and does not send, 51 bytes:
///
/// ```text
/// "armring/1" kind initiator responder  versions of each  chosen  len b 0…       len hint 0…
///      9       1       1         1           2 + 2           1      1 + 16          1 + 16
/// ```
///
/// Where the two sides have seen different hellos, their prologues and so their hashes differ, and no message after that verifies: who
/// takes a version out of an offer, or puts in another kind, ends the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prologue {
    bytes: [u8; Self::LEN],
    version: Version,
}

impl Prologue {
    /// Its length in bytes, whatever the kind.
    pub const LEN: usize = 51;

    /// The prologue between wallet (which initiates) and band, out of their hellos.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`] if no version is common to both.
    pub fn opening(band: &BandHello, wallet: &WalletHello) -> Result<Self, Error> {
        let hint: &[u8] = match wallet.hint() {
            Some(hint) => hint.as_bytes(),
            None => &[],
        };
        let (initiator, responder) = ((Role::Wallet, wallet.versions()), (Role::Band, band.versions()));
        Self::new(wallet.kind(), initiator, responder, band.challenge().as_bytes(), hint)
    }

    /// The prologue between band (which initiates) and issuer. The issuer's versions are those in its key list, the band's come with its
    /// first message.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unsupported`] if no version is common to both.
    pub fn enrol(band: VersionRange, issuer: VersionRange) -> Result<Self, Error> {
        Self::new(Kind::Enrol, (Role::Band, band), (Role::Issuer, issuer), &[], &[])
    }

    fn new(
        kind: Kind,
        initiator: (Role, VersionRange),
        responder: (Role, VersionRange),
        challenge: &[u8],
        hint: &[u8],
    ) -> Result<Self, Error> {
        let version = initiator.1.highest_common(responder.1).ok_or(PeerError::Unsupported)?;
        let mut bytes = [0; Self::LEN];
        let parts: [&[u8]; 7] = [
            b"armring/1",
            &[kind as u8, initiator.0 as u8, responder.0 as u8],
            &version_bytes(initiator.1),
            &version_bytes(responder.1),
            &[version.0],
            &prefixed(challenge),
            &prefixed(hint),
        ];
        fill(&mut bytes, &parts);
        Ok(Self { bytes, version })
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.bytes
    }

    /// The version that is spoken: the highest that both speak.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }
}

/// The length of `bytes` (at most 16) and `bytes`, with zeros up to 17 bytes.
fn prefixed(bytes: &[u8]) -> [u8; 17] {
    let mut field = [0; 17];
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    fill(&mut field, &[&[length], bytes]);
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hint::Hint;

    fn versions(lowest: u8, highest: u8) -> VersionRange {
        VersionRange { lowest: Version(lowest), highest: Version(highest) }
    }

    #[test]
    fn every_byte_has_its_place() {
        let mut hello = [0xbb; BandHello::LEN];
        hello[16..].copy_from_slice(&[2, 5]);
        let band = BandHello::from_bytes(&hello);
        let wallet = WalletHello::new(Kind::Reconnect, versions(1, 3), Some(Hint::new([0xcc; 16])));
        let expected = [b"armring/1\x04\x02\x01\x01\x03\x02\x05\x03\x10".as_slice(), &[0xbb; 16], b"\x10", &[0xcc; 16]];
        let prologue = Prologue::opening(&band, &wallet).unwrap();
        assert!(expected.into_iter().flatten().eq(prologue.as_bytes()));
        assert_eq!(prologue.version(), Version(3));

        let prologue = Prologue::enrol(versions(1, 2), versions(1, 1)).unwrap();
        let expected = [b"armring/1\x06\x01\x03\x01\x02\x01\x01\x01".as_slice(), &[0; 34]];
        assert!(expected.into_iter().flatten().eq(prologue.as_bytes()));
    }

    #[test]
    fn no_common_version_is_unsupported() {
        assert_eq!(Prologue::enrol(versions(1, 1), versions(2, 2)), Err(PeerError::Unsupported.into()));
    }
}
