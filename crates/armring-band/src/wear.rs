//! On the wrist or off it, locked or unlocked.

use core::time::Duration;

use armring_token::{Gesture, Presence, Unlocking};
use armring_wire::Uptime;

/// For how long a band may lose touch with the skin before it locks.
pub const OFF_WRIST_GRACE: Duration = Duration::from_secs(2);

/// What the band knows of its wearer. It starts off the wrist and locked, and so it does after every restart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wear {
    /// Since when it has been on the wrist without locking.
    since: Option<Uptime>,
    /// Since when it has lost touch, within the grace.
    lost_touch: Option<Uptime>,
    unlocked: Option<Unlocking>,
    /// Whether the wearer unlocked it, on the band, after it was last asked for.
    fresh: bool,
}

impl Wear {
    /// The band was put on, or found the skin again.
    pub(crate) fn put_on(&mut self, now: Uptime) {
        self.advance(now);
        self.lost_touch = None;
        self.since.get_or_insert(now);
    }

    /// The band lost touch with the skin.
    pub(crate) fn taken_off(&mut self, now: Uptime) {
        if self.since.is_some() {
            self.lost_touch.get_or_insert(now);
        }
    }

    /// Locks if the band has been off the wrist for too long. Says whether it just did.
    pub(crate) fn advance(&mut self, now: Uptime) -> bool {
        let gone = self.lost_touch.is_some_and(|lost| now.since(lost) >= OFF_WRIST_GRACE);
        if gone {
            *self = Self::default();
        }
        gone
    }

    /// When to call [`Self::advance`] next.
    pub(crate) fn deadline(&self) -> Option<Uptime> {
        self.lost_touch.map(|lost| lost.saturating_add(OFF_WRIST_GRACE))
    }

    /// The wearer unlocked the band in this way. Off the wrist it stays locked. Says whether it is unlocked now.
    pub(crate) fn unlock(&mut self, how: Unlocking) -> bool {
        // What the wallet says never stands in for what the wearer did on the band.
        let weaker = how == Unlocking::Locked || (how == Unlocking::Wallet && self.unlocked.is_some());
        if self.is_worn() && !weaker {
            self.unlocked = Some(how);
            // A wallet's word is no fresh unlock: an infected one could give it for any amount.
            self.fresh = how > Unlocking::Wallet;
        }
        self.is_unlocked()
    }

    /// From now on only what the wearer does next is a fresh unlock.
    pub(crate) fn ask_for_fresh_unlock(&mut self) {
        self.fresh = false;
    }

    /// On the wrist and in touch with it.
    pub(crate) fn is_worn(&self) -> bool {
        self.since.is_some() && self.lost_touch.is_none()
    }

    /// Since when it has been on this wrist, in touch with it. Another time is another wearing, and perhaps another wearer.
    pub(crate) fn worn_since(&self) -> Option<Uptime> {
        self.since.filter(|_| self.is_worn())
    }

    /// Unlocked on the band, since it was put on.
    pub(crate) fn is_unlocked_on_band(&self) -> bool {
        self.is_worn() && self.unlocked > Some(Unlocking::Wallet)
    }

    /// Unlocked since it was put on.
    pub(crate) fn is_unlocked(&self) -> bool {
        self.is_worn() && self.unlocked.is_some()
    }

    /// Whether the wearer unlocked the band, on the band, since that was asked for.
    pub(crate) fn is_freshly_unlocked(&self) -> bool {
        self.is_unlocked() && self.fresh
    }

    /// What goes into a token that is signed now, but for whether it is for online payees alone.
    pub(crate) fn presence(&self, gesture: Gesture, now: Uptime) -> Presence {
        let minutes = self.since.map_or(0, |since| now.since(since).as_secs() / 60);
        Presence {
            minutes_worn: u16::try_from(minutes).unwrap_or(u16::MAX),
            unlocking: self.unlocked.unwrap_or(Unlocking::Locked),
            gesture,
            online_only: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Uptime {
        Uptime::from_millis(milliseconds)
    }

    #[test]
    fn off_the_wrist_for_two_seconds_locks() {
        let mut wear = Wear::default();
        wear.put_on(at(0));
        assert!(wear.unlock(Unlocking::Pin));
        wear.taken_off(at(1_000));
        assert!(!wear.is_unlocked(), "off the wrist nothing is signed, locked or not");
        assert!(!wear.advance(at(2_999)));
        wear.put_on(at(2_999));
        assert!(wear.is_unlocked(), "a moment's loss of touch does not lock");
        wear.taken_off(at(4_000));
        assert_eq!(wear.deadline(), Some(at(6_000)));
        wear.put_on(at(6_000));
        assert!(wear.is_worn() && !wear.is_unlocked());
    }

    #[test]
    fn off_the_wrist_cannot_be_unlocked() {
        let mut wear = Wear::default();
        assert!(!wear.unlock(Unlocking::Biometric));
        wear.put_on(at(1));
        assert!(!wear.is_unlocked());
        assert!(!wear.unlock(Unlocking::Locked));
    }

    #[test]
    fn a_fresh_unlock_is_the_wearers_own_and_comes_after_it_was_asked_for() {
        let mut wear = Wear::default();
        wear.put_on(at(0));
        wear.unlock(Unlocking::Wallet);
        assert!(wear.is_unlocked() && !wear.is_freshly_unlocked(), "the wallet's word is none, though it unlocks");
        wear.unlock(Unlocking::Pin);
        wear.ask_for_fresh_unlock();
        assert!(!wear.is_freshly_unlocked(), "the PIN came before");
        wear.unlock(Unlocking::Wallet);
        assert!(!wear.is_freshly_unlocked(), "the wallet's word is none");
        assert_eq!(wear.presence(Gesture::Press, at(0)).unlocking, Unlocking::Pin, "nor does it replace the PIN");
        wear.unlock(Unlocking::TapPattern);
        assert!(wear.is_freshly_unlocked());
        wear.taken_off(at(1));
        assert!(!wear.is_freshly_unlocked());
    }

    #[test]
    fn minutes_worn_are_counted_from_putting_on_and_do_not_wrap() {
        let mut wear = Wear::default();
        wear.put_on(at(60_000));
        assert_eq!(wear.presence(Gesture::Press, at(179_999)).minutes_worn, 1);
        assert_eq!(wear.presence(Gesture::Press, at(u64::MAX)).minutes_worn, u16::MAX);
    }
}
