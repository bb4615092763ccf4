//! Time as a unit: on the calendar, and since the machine started.

use core::fmt;
use core::time::Duration;

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

/// A moment on the calendar: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// On the wire 4 bytes, little-endian, whatever the value, so that what is signed has one width. The last moment that it can name is
/// 2106-02-07T06:28:15Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixTime(#[serde(with = "postcard::fixint::le")] u32);

impl UnixTime {
    /// 1970-01-01T00:00:00Z. No object is ever signed at this moment, so it stands for "nothing seen yet".
    pub const EPOCH: Self = Self(0);

    /// The moment `seconds` after the epoch.
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    /// The moment `after` this one, in whole seconds; `None` past the year 2106.
    #[must_use]
    pub fn checked_add(self, after: Duration) -> Option<Self> {
        u32::try_from(after.as_secs()).ok().and_then(|seconds| self.0.checked_add(seconds)).map(Self)
    }

    /// The moment `before` this one, in whole seconds, or the epoch where that lies before it.
    #[must_use]
    pub fn saturating_sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(u32::try_from(before.as_secs()).unwrap_or(u32::MAX)))
    }
}

impl MaxSize for UnixTime {
    const POSTCARD_MAX_SIZE: usize = 4;
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s since 1970", self.0)
    }
}

/// From when until when something holds: `from` is included, `until` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, MaxSize)]
pub struct Validity {
    /// The first moment at which it holds.
    pub from: UnixTime,
    /// The first moment at which it holds no longer.
    pub until: UnixTime,
}

impl Validity {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn contains(&self, now: UnixTime) -> bool {
        self.from <= now && now < self.until
    }
}

/// A moment on a machine's own clock: milliseconds since it started. It never goes back and knows no calendar, which is all that a band has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uptime(u64);

impl Uptime {
    /// The moment `milliseconds` after the machine started.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the machine started.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this moment is; zero where it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `after` this one; the last one there is where that would be past it.
    #[must_use]
    pub fn saturating_add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_includes_its_start_and_excludes_its_end() {
        let validity = Validity { from: UnixTime::from_secs(10), until: UnixTime::from_secs(20) };
        let holds = [9, 10, 19, 20].map(|second| validity.contains(UnixTime::from_secs(second)));
        assert_eq!(holds, [false, true, true, false]);
    }

    #[test]
    fn time_never_wraps() {
        assert_eq!(UnixTime::from_secs(u32::MAX).checked_add(Duration::from_secs(1)), None);
        assert_eq!(UnixTime::from_secs(1).checked_add(Duration::MAX), None);
        assert_eq!(UnixTime::from_secs(1).saturating_sub(Duration::MAX), UnixTime::EPOCH);
        assert_eq!(Uptime::from_millis(1).since(Uptime::from_millis(2)), Duration::ZERO);
        assert_eq!(Uptime::from_millis(u64::MAX).saturating_add(Duration::MAX).as_millis(), u64::MAX);
    }
}
