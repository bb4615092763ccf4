//! What happens once something is durable, and not before.

use armring_pairing::{DiffieHellman, StoreFirst};
use armring_token::Credential;
use armring_wire::records::CREDENTIAL_MAX;
use armring_wire::records::band::{Decline, ToWallet};
use armring_wire::{Amount, Digits, EnrolmentCode, Opaque, TokenDigest, Uptime};
use heapless::Vec;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::connect::Introduction;
use crate::error::{Error, MachineError, PeerError};
use crate::event::Signal;
use crate::keys::{OpenKey, PaymentKeys};
use crate::pair::Made;
use crate::purse::Purse;
use crate::state::{Core, Slot};
use crate::store::{StoredEnrolment, StoredSecret, StoredToken};
use crate::unpair::Unpairing;

/// What waits for the host to report that something is durable.
#[expect(clippy::large_enum_variant, reason = "there is one, and no allocator to box it")]
pub(crate) enum AfterStore<S> {
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
    /// A key list: then the enrolment that brought it goes on, if one did.
    KeyList {
        slot: usize,
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
        key: OpenKey<S>,
        digits: Digits,
        object: Vec<u8, CREDENTIAL_MAX>,
    },
    /// A token's body: then it is signed.
    Token {
        slot: usize,
        token: StoredToken,
    },
    /// What a receipt said: then the wearer is told.
    Answer {
        slot: usize,
        token: TokenDigest,
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

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// What was to be stored is durable.
    #[inline(never)]
    pub(crate) fn stored<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), Error> {
        match core::mem::replace(&mut self.after_store, AfterStore::Nothing) {
            AfterStore::Nothing => Ok(()),
            AfterStore::Pair { made, store_first } => {
                match made {
                    Made::InSlot(slot, link) => *self.slot(slot)? = Slot { link: Some(link), ..Slot::EMPTY },
                    Made::Replacing(replacement) => self.replacement = Some(replacement),
                }
                self.say_confirm(&store_first.stored())
            }
            AfterStore::Introduce { slot, introduction } => self.introduced(slot, introduction),
            AfterStore::KeyList { slot, enrol } => self.answer_with(slot, |core| core.key_list_stored(slot, enrol, rng)),
            AfterStore::PaymentKey { slot, enrolment } => {
                let code = enrolment.code;
                self.slot(slot)?.enrolment = Some(enrolment);
                self.answer_with(slot, |core| core.begin_enrolment(slot, code, rng))
            }
            AfterStore::Credential { slot, credential, key, digits, object } => {
                // The enrolment stays: a wallet that did not get this answer asks again.
                self.slot(slot)?.purse = Some(Purse::new(credential, key));
                self.out.signal(Signal::EnrolmentDigits(digits));
                let credential = Opaque::new(&object).ok_or(MachineError::Exhausted)?;
                self.say_to(slot, &ToWallet::Enrolled { credential })
            }
            AfterStore::Token { slot, token } => self.token_stored(slot, &token),
            AfterStore::Answer { slot, token, signal } => {
                if let Some(purse) = self.slot(slot)?.purse.as_mut() {
                    purse.told(&token);
                }
                self.out.signal(signal);
                self.say_to(slot, &ToWallet::Noted)
            }
            AfterStore::Received { slot, amount } => {
                self.slot(slot)?.asked = None;
                self.out.signal(Signal::Received(amount));
                self.say_to(slot, &ToWallet::Noted)
            }
            AfterStore::Try { entered, worn_since } => self.secret_counted(&entered, worn_since),
            AfterStore::Unlock { worn_since } => {
                self.secret_matched(worn_since);
                Ok(())
            }
            AfterStore::Secret(chosen) => {
                self.secret = Some(chosen);
                self.out.signal(Signal::SecretChosen);
                Ok(())
            }
            AfterStore::Erase(unpairing) => self.erased(unpairing),
            AfterStore::EraseAll => {
                // Whoever has connected since may have come over a link that is no more.
                self.end();
                self.forget();
                self.out.signal(Signal::Erased);
                Ok(())
            }
        }
    }

    /// What was to be stored is not. What hung on it does not happen.
    pub(crate) fn store_failed(&mut self) -> Error {
        self.out.signal(Signal::Fault);
        let error = MachineError::Storage.into();
        match core::mem::replace(&mut self.after_store, AfterStore::Nothing) {
            AfterStore::Pair { .. } if self.phase.is_storing_link() => self.fail(error),
            AfterStore::Introduce { .. } if self.phase.is_storing_introduced() => self.fail(error),
            AfterStore::KeyList { slot, .. }
            | AfterStore::PaymentKey { slot, .. }
            | AfterStore::Credential { slot, .. }
            | AfterStore::Token { slot, .. }
            | AfterStore::Answer { slot, .. }
            | AfterStore::Erase(Unpairing { slot, .. })
            | AfterStore::Received { slot, .. } => match self.say_to(slot, &ToWallet::Declined(Decline::Machine)) {
                Ok(()) => error,
                Err(error) => self.fail(error),
            },
            AfterStore::Nothing
            | AfterStore::Pair { .. }
            | AfterStore::Introduce { .. }
            | AfterStore::Try { .. }
            | AfterStore::Unlock { .. }
            | AfterStore::Secret(_)
            | AfterStore::EraseAll => error,
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
