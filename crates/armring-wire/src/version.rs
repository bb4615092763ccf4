//! Versions of the protocol.

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// A version of the protocol. Version 1 is the only one so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, MaxSize)]
pub struct Version(pub u8);

/// The versions that a party speaks, both ends included.
///
/// On the wire 2 bytes: lowest, highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, MaxSize)]
pub struct VersionRange {
    /// The lowest version spoken.
    pub lowest: Version,
    /// The highest version spoken.
    pub highest: Version,
}

impl VersionRange {
    /// What this build speaks.
    pub const SUPPORTED: Self = Self { lowest: Version(1), highest: Version(1) };

    /// The highest version that both ranges hold; `None` where there is none, which includes a range whose ends are the wrong way round.
    ///
    /// ```
    /// use armring_wire::{Version, VersionRange};
    ///
    /// let newer = VersionRange { lowest: Version(1), highest: Version(3) };
    /// assert_eq!(VersionRange::SUPPORTED.highest_common(newer), Some(Version(1)));
    /// ```
    #[must_use]
    pub fn highest_common(self, other: Self) -> Option<Version> {
        let highest = self.highest.min(other.highest);
        (self.lowest <= highest && other.lowest <= highest).then_some(highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(lowest: u8, highest: u8) -> VersionRange {
        VersionRange { lowest: Version(lowest), highest: Version(highest) }
    }

    #[test]
    fn the_highest_common_version_is_in_both_ranges() {
        for (a, b, expected) in [
            (range(1, 1), range(1, 1), Some(1)),
            (range(1, 3), range(2, 5), Some(3)),
            (range(1, 2), range(3, 4), None),
            (range(2, 1), range(1, 2), None),
        ] {
            assert_eq!(a.highest_common(b), expected.map(Version));
            assert_eq!(b.highest_common(a), expected.map(Version));
        }
    }
}
