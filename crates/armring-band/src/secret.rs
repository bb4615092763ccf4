//! Unlocking on the band: a PIN or a tap pattern, checked by the band itself, with tries that no power cut gives back.

use armring_pairing::{DiffieHellman, labelled_hash};
use armring_token::Unlocking;
use armring_wire::Uptime;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::after::AfterStore;
use crate::error::{CallerError, Error, MachineError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::state::Core;
use crate::store::{Place, StoredSecret};

/// How many wrong entries in a row there may be: as many as CTAP 2.1 allows. After the last one the band cannot be unlocked on itself until
/// it is [reset](crate::Gesture::Reset).
pub const UNLOCK_TRIES: u8 = 8;

const LABEL: &str = "armring/1 unlocking";

/// A PIN or a tap pattern, as the wearer enters it: 4 to 16 bytes, one for each digit or tap in a form of the host's. The host erases its
/// copy once the event is handled. `Debug` says which of the two it is and nothing else.
///
/// Whoever reads the flash can try all of them: what is stored is a salted hash, and there are few PINs. A band with a secure element
/// makes that of no use with [`PaymentKeys::bind_secret`].
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    kind: Unlocking,
    entered: &'a [u8],
}

impl<'a> Secret<'a> {
    /// The shortest secret, in bytes.
    pub const MIN_LEN: usize = 4;
    /// The longest secret, in bytes.
    pub const MAX_LEN: usize = 16;

    /// A PIN; `None` where it has less than [`Self::MIN_LEN`] bytes or more than [`Self::MAX_LEN`], as no secret has.
    #[must_use]
    pub fn pin(entered: &'a [u8]) -> Option<Self> {
        Self::new(Unlocking::Pin, entered)
    }

    /// A tap pattern; `None` as for [`Self::pin`].
    #[must_use]
    pub fn tap_pattern(entered: &'a [u8]) -> Option<Self> {
        Self::new(Unlocking::TapPattern, entered)
    }

    fn new(kind: Unlocking, entered: &'a [u8]) -> Option<Self> {
        (Self::MIN_LEN..=Self::MAX_LEN).contains(&entered.len()).then_some(Self { kind, entered })
    }

    fn hash(&self, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        // As long as any other, so that the hash takes as long.
        let mut padded = Zeroizing::new([0; Self::MAX_LEN]);
        for (place, byte) in padded.iter_mut().zip(self.entered) {
            *place = *byte;
        }
        let len = u8::try_from(self.entered.len()).unwrap_or(u8::MAX);
        Zeroizing::new(labelled_hash(LABEL, &[&[self.kind as u8, len], salt, padded.as_slice()]))
    }
}

impl core::fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Secret({:?}, ..)", self.kind)
    }
}

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// The wearer entered this. The try is counted and stored before anything is compared. Off the wrist nothing is.
    #[inline(never)]
    pub(crate) fn secret_entered(&mut self, secret: Secret<'_>, now: Uptime) -> Result<(), Error> {
        self.pass(now);
        let Some(worn_since) = self.wear.worn_since() else { return Ok(()) };
        if self.out.is_storing() {
            return Err(CallerError::Storing.into());
        }
        let stored = self.secret.as_ref().filter(|stored| stored.kind == secret.kind as u8).ok_or(CallerError::NoSecret)?;
        let Some(left) = stored.tries.checked_sub(1) else {
            self.out.signal(Signal::WrongSecret(0));
            return Ok(());
        };
        let entered = self.keys.bind_secret(&secret.hash(&stored.salt))?;
        self.out.store(Place::Secret, &stored.with_tries(left))?;
        self.after_store = AfterStore::Try { entered, worn_since };
        Ok(())
    }

    /// The try is counted: what was entered is compared, if it is the same wearer still. When it is right, the tries are stored anew.
    pub(crate) fn secret_counted(&mut self, entered: &[u8; 32], worn_since: Uptime) -> Result<(), Error> {
        let Some(stored) = &mut self.secret else { return Ok(()) };
        stored.tries = stored.tries.saturating_sub(1);
        if self.wear.worn_since() != Some(worn_since) {
            return Ok(());
        }
        if !bool::from(stored.hash.ct_eq(entered)) {
            self.out.signal(Signal::WrongSecret(stored.tries));
            return Ok(());
        }
        self.out.store(Place::Secret, &stored.with_tries(UNLOCK_TRIES))?;
        self.after_store = AfterStore::Unlock { worn_since };
        Ok(())
    }

    /// What was entered is right, and its tries are given back: the band unlocks.
    pub(crate) fn secret_matched(&mut self, worn_since: Uptime) {
        let Some(stored) = &mut self.secret else { return };
        stored.tries = UNLOCK_TRIES;
        let how = stored.unlocking();
        if self.wear.worn_since() == Some(worn_since) && self.wear.unlock(how) {
            self.out.signal(Signal::Unlocked);
        }
    }

    /// A sensor that decides by itself recognised the wearer. Where all tries are used up, nothing on the band unlocks it.
    pub(crate) fn recognised(&mut self, now: Uptime) {
        self.pass(now);
        if self.secret.as_ref().is_some_and(|stored| stored.tries == 0) {
            self.out.signal(Signal::WrongSecret(0));
        } else if self.wear.unlock(Unlocking::Biometric) {
            self.out.signal(Signal::Unlocked);
        }
    }

    /// The wearer chose this. Where there is one already, they have to have unlocked the band on the band.
    #[inline(never)]
    pub(crate) fn secret_chosen<R: TryCryptoRng>(&mut self, secret: Secret<'_>, now: Uptime, rng: &mut R) -> Result<(), Error> {
        self.pass(now);
        if self.out.is_storing() {
            return Err(CallerError::Storing.into());
        }
        if self.secret.as_ref().is_some_and(|stored| stored.tries == 0 || !self.wear.is_unlocked_on_band()) {
            return Err(CallerError::Locked.into());
        }
        let mut salt = [0; 16];
        rng.try_fill_bytes(&mut salt).map_err(|_| MachineError::Randomness)?;
        let hash = *self.keys.bind_secret(&secret.hash(&salt))?;
        let chosen = StoredSecret { kind: secret.kind as u8, salt, hash, tries: UNLOCK_TRIES };
        self.out.store(Place::Secret, &chosen)?;
        self.after_store = AfterStore::Secret(chosen);
        Ok(())
    }
}
