//! What happens once something is durable, and not before.

use armring_pairing::{DiffieHellman, StoreFirst};
use armring_token::{Counter, Credential, KeyList, Verified};
use armring_wire::records::CREDENTIAL_MAX;
use armring_wire::records::band::{Decline, ToWallet};
use armring_wire::{Amount, Digits, EnrolmentCode, Opaque, Uptime};
use heapless::Vec;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::connect::Introduction;
use crate::error::{CallerError, Error, MachineError, PeerError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::pair::Made;
use crate::purse::Purse;
use crate::state::{Core, Slot};
use crate::store::{Place, StoredEnrolment, StoredSecret, StoredToken};
use crate::unpair::Unpairing;

/// What waits for the host to report that something is durable.
pub(crate) enum AfterStore {
    Nothing,
    /// The provisional link: then the band confirms.
    Pair {
        made: Made,
        store_first: StoreFirst,
    },
    /// A link that was reconnected: then it is an established one, and the band answers.
    Introduce {
        slot: usize,
        introduction: Introduction,
    },
    /// A key list: then it is the one, and the enrolment that brought it goes on, if one did.
    KeyList {
        slot: usize,
        list: Verified<KeyList>,
        enrol: Option<EnrolmentCode>,
    },
    /// A new payment key: then its enrolment begins.
    PaymentKey {
        slot: usize,
        enrolment: StoredEnrolment,
    },
    /// A credential: then the wearer sees the digits.
    Credential {
        slot: usize,
        credential: Credential,
        digits: Digits,
        object: Vec<u8, CREDENTIAL_MAX>,
    },
    /// A token's body: then it is signed.
    Token {
        slot: usize,
        token: StoredToken,
    },
    /// What a receipt for this token said: then the wearer is told.
    Answer {
        slot: usize,
        token: Counter,
        signal: Signal,
    },
    /// The latest time of a receipt for money that came: then the wearer is told, once.
    Received {
        slot: usize,
        amount: Amount,
    },
    /// One try less: then what was entered is compared.
    Try {
        entered: Zeroizing<[u8; 32]>,
        worn_since: Uptime,
    },
    /// All tries again: then the band unlocks.
    Unlock {
        worn_since: Uptime,
    },
    /// A new PIN or tap pattern: then it is the one.
    Secret(StoredSecret),
    /// One key that an unpairing erases: then the next.
    Erase(Unpairing),
    EraseAll,
}

impl AfterStore {
    /// Takes out the part that `wanted` gives, and leaves nothing. Apart, as [`Phase::take`](crate::phase::Phase::take) is.
    ///
    /// # Errors
    /// [`CallerError::NothingToStore`] where there is no such part.
    #[inline(never)]
    pub(crate) fn take<T>(&mut self, wanted: impl FnOnce(Self) -> Option<T>) -> Result<T, CallerError> {
        wanted(core::mem::replace(self, Self::Nothing)).ok_or(CallerError::NothingToStore)
    }
}

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// What was to be stored is durable. What is large is taken by who works on it, so that it lies on the stack once.
    pub(crate) fn stored<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), Error> {
        match self.after_store {
            AfterStore::Nothing => Ok(()),
            AfterStore::Pair { .. } => self.pair_stored(),
            AfterStore::Introduce { .. } => self.introduced(),
            AfterStore::KeyList { slot, .. } => {
                let enrol = self.take_stored_key_list()?;
                self.answer_with(slot, |core| core.key_list_stored(slot, enrol, rng))
            }
            AfterStore::PaymentKey { slot, .. } => {
                let code = self.payment_key_stored(slot)?;
                self.answer_with(slot, |core| core.begin_enrolment(slot, code, rng))
            }
            AfterStore::Credential { slot, .. } => self.answer_with(slot, Self::credential_stored),
            AfterStore::Token { slot, token } => {
                self.after_store = AfterStore::Nothing;
                self.token_stored(slot, &token)
            }
            AfterStore::Try { .. } | AfterStore::Unlock { .. } | AfterStore::Secret(_) => self.secret_stored(),
            AfterStore::Answer { .. } | AfterStore::Received { .. } => self.receipt_stored(),
            AfterStore::Erase(unpairing) => {
                self.after_store = AfterStore::Nothing;
                self.erased(unpairing)
            }
            AfterStore::EraseAll => {
                self.after_store = AfterStore::Nothing;
                // Whoever has connected since may have come over a link that is no more.
                self.end();
                self.forget();
                self.out.signal(Signal::Erased);
                Ok(())
            }
        }
    }

    #[inline(never)]
    fn pair_stored(&mut self) -> Result<(), Error> {
        let (made, store_first) = { &mut self.after_store }.take(|after| match after {
            AfterStore::Pair { made, store_first } => Some((made, store_first)),
            _ => None,
        })?;
        match made {
            Made::InSlot(slot, link) => {
                let place = self.slot(slot)?;
                *place = Slot::EMPTY;
                place.link = Some(link);
            }
            Made::Replacing(replacement) => self.replacement = Some(replacement),
        }
        self.say_confirm(&store_first.stored())
    }

    #[inline(never)]
    fn take_stored_key_list(&mut self) -> Result<Option<EnrolmentCode>, Error> {
        let (list, enrol) = { &mut self.after_store }.take(|after| match after {
            AfterStore::KeyList { list, enrol, .. } => Some((list, enrol)),
            _ => None,
        })?;
        self.latest = self.latest.max(list.issued);
        self.key_list = Some(list);
        Ok(enrol)
    }

    #[inline(never)]
    fn payment_key_stored(&mut self, slot: usize) -> Result<EnrolmentCode, Error> {
        let enrolment = { &mut self.after_store }.take(|after| match after {
            AfterStore::PaymentKey { enrolment, .. } => Some(enrolment),
            _ => None,
        })?;
        let code = enrolment.code;
        self.slot(slot)?.enrolment = Some(enrolment);
        Ok(code)
    }

    #[inline(never)]
    fn credential_stored(&mut self) -> Result<(), Refusal> {
        let (slot, credential, digits, object) = { &mut self.after_store }.take(|after| match after {
            AfterStore::Credential { slot, credential, digits, object } => Some((slot, credential, digits, object)),
            _ => None,
        })?;
        // A credential that is stored and not known would come back after a restart.
        self.fill_purse(slot, credential).inspect_err(|_| self.out.erase(Place::Credential(slot)))?;
        self.out.signal(Signal::EnrolmentDigits(digits));
        let credential = Opaque::new(&object).ok_or(MachineError::Exhausted)?;
        Ok(self.say_to(slot, &ToWallet::Enrolled { credential })?)
    }

    /// Opens the key of the slot's enrolment for its credential. The enrolment stays: a wallet that did not get this answer asks again.
    #[inline(never)]
    fn fill_purse(&mut self, slot: usize, credential: Credential) -> Result<(), Refusal> {
        let key = self.keys.open(&self.enrolling_key(slot)?)?;
        self.slot(slot)?.purse = Some(Purse::new(credential, key));
        Ok(())
    }

    #[inline(never)]
    fn receipt_stored(&mut self) -> Result<(), Error> {
        let (slot, token, signal) = match self.after_store {
            AfterStore::Answer { slot, token, signal } => (slot, Some(token), signal),
            AfterStore::Received { slot, amount } => (slot, None, Signal::Received(amount)),
            _ => return Ok(()),
        };
        self.after_store = AfterStore::Nothing;
        let place = self.slot(slot)?;
        match (token, place.purse.as_mut()) {
            (Some(token), Some(purse)) => purse.told(token),
            (Some(_), None) => {}
            (None, _) => place.asked = None,
        }
        self.out.signal(signal);
        self.say_to(slot, &ToWallet::Noted)
    }

    #[inline(never)]
    fn secret_stored(&mut self) -> Result<(), Error> {
        match core::mem::replace(&mut self.after_store, AfterStore::Nothing) {
            AfterStore::Try { entered, worn_since } => return self.secret_counted(&entered, worn_since),
            AfterStore::Unlock { worn_since } => self.secret_matched(worn_since),
            AfterStore::Secret(chosen) => {
                self.secret = Some(chosen);
                self.out.signal(Signal::SecretChosen);
            }
            _ => {}
        }
        Ok(())
    }

    /// Has everything erased, where the wearer wants that. What the host was told to store before is taken in first, as it is in the flash: where
    /// the erasing fails, the band goes on with both the same.
    pub(crate) fn reset(&mut self) {
        if self.resets && self.out.erase_all() {
            self.resets = false;
            self.after_store = AfterStore::EraseAll;
        }
    }

    /// What was to be stored is not. What hung on it does not happen.
    pub(crate) fn store_failed(&mut self) -> Error {
        self.out.signal(Signal::Fault);
        let error = MachineError::Storage.into();
        let (slot, ends) = match self.after_store {
            AfterStore::Pair { .. } => (None, self.phase.is_storing_link()),
            AfterStore::Introduce { .. } => (None, self.phase.is_storing_introduced()),
            AfterStore::KeyList { slot, .. }
            | AfterStore::PaymentKey { slot, .. }
            | AfterStore::Credential { slot, .. }
            | AfterStore::Token { slot, .. }
            | AfterStore::Answer { slot, .. }
            | AfterStore::Erase(Unpairing { slot, .. })
            | AfterStore::Received { slot, .. } => (Some(slot), false),
            AfterStore::Nothing
            | AfterStore::Try { .. }
            | AfterStore::Unlock { .. }
            | AfterStore::Secret(_)
            | AfterStore::EraseAll => (None, false),
        };
        self.after_store = AfterStore::Nothing;
        if ends {
            return self.fail(error);
        }
        match slot.map_or(Ok(()), |slot| self.say_to(slot, &ToWallet::Declined(Decline::Machine))) {
            Ok(()) => error,
            Err(error) => self.fail(error),
        }
    }

    /// Says `record` if the wallet of `slot` is still there. If it is not, it asks again when it is back.
    pub(crate) fn say_to(&mut self, slot: usize, record: &ToWallet<'_>) -> Result<(), Error> {
        if self.linked_slot() == Some(slot) { self.say(record) } else { Ok(()) }
    }

    /// Does `step`; where it declines, the wallet of `slot` is told.
    pub(crate) fn answer_with(&mut self, slot: usize, step: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<(), Error> {
        match step(self) {
            Ok(()) => Ok(()),
            Err(Refusal::Decline(why)) => self.say_to(slot, &ToWallet::Declined(why)),
            Err(Refusal::Error(error)) => {
                self.out.signal(Signal::Fault);
                self.say_to(slot, &ToWallet::Declined(Decline::Machine))?;
                Err(error)
            }
        }
    }
}

/// Why the band does not do what a record asks. The wallet is told in both cases.
pub(crate) enum Refusal {
    /// It may not, or will not.
    Decline(Decline),
    /// It cannot.
    Error(Error),
}

impl From<Decline> for Refusal {
    fn from(why: Decline) -> Self {
        Self::Decline(why)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<CallerError> for Refusal {
    fn from(error: CallerError) -> Self {
        Self::Error(error.into())
    }
}

impl From<MachineError> for Refusal {
    fn from(error: MachineError) -> Self {
        Self::Error(error.into())
    }
}

impl From<armring_pairing::Error> for Refusal {
    fn from(error: armring_pairing::Error) -> Self {
        match Error::from(error) {
            // It came from the issuer, through the wallet.
            Error::Peer(PeerError::Handshake(_)) => Self::Decline(Decline::EnrolmentFailed),
            error => Self::Error(error),
        }
    }
}

impl From<crate::keys::KeyError> for Refusal {
    fn from(error: crate::keys::KeyError) -> Self {
        Self::Error(error.into())
    }
}
