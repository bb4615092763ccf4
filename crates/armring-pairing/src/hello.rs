//! The two hellos with which each connection opens, before any key is used.

use armring_channel::sealed_len;
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{Record, Version, VersionRange};
use rand_core::TryCryptoRng;

use crate::error::{Error, PeerError};
use crate::hint::Hint;
use crate::secret::draw;

/// What answers a hello with which no version is in common: one byte, unauthenticated. Whoever gets it ends the connection; it never narrows
/// what is offered the next time.
pub const UNSUPPORTED: [u8; 1] = [0];

/// The longest message on a link between band and wallet, in bytes: the longest record, padded and sealed. Handshakes are shorter.
pub const MESSAGE_MAX: usize = match (sealed_len(ToBand::MAX_LEN), sealed_len(ToWallet::MAX_LEN)) {
    (Some(to_band), Some(to_wallet)) if to_band > to_wallet => to_band,
    (Some(_), Some(to_wallet)) => to_wallet,
    _ => unreachable!(),
};

/// Which handshake follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Pair by a code that two people compare.
    PairCode = 1,
    /// Pair by a secret that a label or the band's display carries.
    PairOutOfBand = 2,
    /// Pair by a press alone: for a band that can neither show nor play a code.
    PairPress = 3,
    /// Connect over a link.
    Reconnect = 4,
    /// Connect again soon after a connection was lost.
    Resume = 5,
    /// The band's handshake with the issuer. It has no hello: the wallet relays it.
    Enrol = 6,
}

impl Kind {
    const HELLO: [Self; 5] = [Self::PairCode, Self::PairOutOfBand, Self::PairPress, Self::Reconnect, Self::Resume];

    /// Whether a hello of this kind names a link by a hint.
    const fn has_hint(self) -> bool {
        matches!(self, Self::Reconnect | Self::Resume)
    }
}

/// Random bytes of the band, new for each connection: what belongs to another connection does not fit this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge([u8; 16]);

impl Challenge {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What the band says first on each connection: a challenge and the versions that it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandHello {
    challenge: Challenge,
    versions: VersionRange,
}

impl BandHello {
    /// Bytes on the wire: 16 of challenge, lowest version, highest version.
    pub const LEN: usize = 18;

    /// A hello for a new connection.
    ///
    /// # Errors
    ///
    /// [`MachineError::Randomness`](crate::MachineError::Randomness) if `rng` fails.
    pub fn new(versions: VersionRange, rng: &mut impl TryCryptoRng) -> Result<Self, Error> {
        Ok(Self { challenge: Challenge(*draw(rng)?), versions })
    }

    /// The hello in these bytes. Any bytes are one; versions that no range has show when one is chosen.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let [challenge @ .., lowest, highest] = *bytes;
        Self { challenge: Challenge(challenge), versions: range(lowest, highest) }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        fill(&mut bytes, &[&self.challenge.0, &version_bytes(self.versions)]);
        bytes
    }

    /// The challenge of this connection.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The versions that the band speaks.
    #[must_use]
    pub const fn versions(&self) -> VersionRange {
        self.versions
    }
}

/// What the wallet answers: which handshake follows, the versions that it speaks and, over a link, a hint at which.
///
/// On the wire 4 bytes without a hint, 20 with one: kind, lowest version, highest version, length of the hint, hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletHello {
    kind: Kind,
    versions: VersionRange,
    hint: Option<Hint>,
}

impl WalletHello {
    /// Bytes on the wire at most.
    pub const MAX_LEN: usize = 20;

    pub(crate) const fn new(kind: Kind, versions: VersionRange, hint: Option<Hint>) -> Self {
        Self { kind, versions, hint }
    }

    /// The hello in these bytes.
    ///
    /// # Errors
    ///
    /// [`PeerError::Malformed`] if the kind has no hello, or its length and hint are not those of its kind.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (&[kind, lowest, highest, hint_len], hint) = bytes.split_first_chunk().ok_or(PeerError::Malformed)?;
        let kind = Kind::HELLO.into_iter().find(|known| *known as u8 == kind).ok_or(PeerError::Malformed)?;
        let hint = match (kind.has_hint(), hint_len, hint) {
            (false, 0, []) => None,
            (true, Hint::LEN_BYTE, hint) => Some(Hint::new(hint.try_into().map_err(|_| PeerError::Malformed)?)),
            _ => return Err(PeerError::Malformed.into()),
        };
        Ok(Self { kind, versions: range(lowest, highest), hint })
    }

    /// Writes the hello into `buffer` and returns its bytes.
    #[must_use]
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::MAX_LEN]) -> &'b [u8] {
        let [lowest, highest] = version_bytes(self.versions);
        let kind = self.kind as u8;
        match &self.hint {
            None => {
                let (start, _) = buffer.split_at_mut(4);
                start.copy_from_slice(&[kind, lowest, highest, 0]);
                start
            }
            Some(hint) => {
                fill(buffer, &[&[kind, lowest, highest, Hint::LEN_BYTE], hint.as_bytes()]);
                buffer
            }
        }
    }

    /// Which handshake follows.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The versions that the wallet speaks.
    #[must_use]
    pub const fn versions(&self) -> VersionRange {
        self.versions
    }

    /// Which link is meant, where the kind has one.
    #[must_use]
    pub const fn hint(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    /// That the hello is of the kind that a step belongs to.
    pub(crate) fn expect(&self, kind: Kind) -> Result<(), PeerError> {
        if self.kind == kind { Ok(()) } else { Err(PeerError::Kind) }
    }
}

const fn range(lowest: u8, highest: u8) -> VersionRange {
    VersionRange { lowest: Version(lowest), highest: Version(highest) }
}

pub(crate) const fn version_bytes(versions: VersionRange) -> [u8; 2] {
    [versions.lowest.0, versions.highest.0]
}

/// Writes `parts` one after the other to the start of `bytes`.
pub(crate) fn fill(bytes: &mut [u8], parts: &[&[u8]]) {
    for (to, from) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_form() {
        let refused = Err(PeerError::Malformed.into());
        let with_hint = |kind, hint_len, len: usize| {
            let mut bytes = [7; 40];
            bytes[..4].copy_from_slice(&[kind, 1, 1, hint_len]);
            WalletHello::from_bytes(&bytes[..len])
        };
        for kind in 0..=u8::MAX {
            let (pairs, has_link) = ((1..=3).contains(&kind), (4..=5).contains(&kind));
            assert_eq!(with_hint(kind, 0, 4).is_ok(), pairs, "{kind}");
            assert_eq!(with_hint(kind, 16, 20).is_ok(), has_link, "{kind}");
            for (hint_len, len) in [(0, 20), (16, 4), (15, 19), (17, 21), (16, 19), (16, 21), (0, 5), (0, 3), (0, 0)] {
                assert_eq!(with_hint(kind, hint_len, len), refused, "{kind} {hint_len} {len}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut buffer = [0xff; WalletHello::MAX_LEN];
        for (hello, expected) in [
            (WalletHello::new(Kind::PairCode, range(1, 3), None), &[1, 1, 3, 0][..]),
            (
                WalletHello::new(Kind::Reconnect, range(2, 2), Some(Hint::new([7; 16]))),
                &[4, 2, 2, 16, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
            ),
        ] {
            assert_eq!(hello.encode(&mut buffer), expected);
            assert_eq!(WalletHello::from_bytes(expected), Ok(hello));
        }
        let bytes = core::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(BandHello::from_bytes(&bytes).to_bytes(), bytes);
        assert_eq!(BandHello::from_bytes(&bytes).versions(), range(16, 17));
    }
}
