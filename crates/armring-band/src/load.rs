//! What was stored before a restart, taken back.

use armring_pairing::{DiffieHellman, Link};
use armring_token::{Credential, KeyList, Unverified};
use armring_wire::{CredentialId, decode};

use crate::error::{CallerError, Error};
use crate::keys::{KeyHandle, PaymentKeys};
use crate::purse::{Purse, place_of};
use crate::state::Core;
use crate::store::{Place, Replacement, StoreKey, StoredAnswer, StoredCredential, StoredSecret, StoredToken};

const BAD: Error = Error::Caller(CallerError::BadValue);

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    #[inline(never)]
    pub(crate) fn load(&mut self, key: StoreKey, value: &[u8]) -> Result<(), Error> {
        let place = key.place().ok_or(BAD)?;
        match place {
            Place::KeyList => self.load_key_list(value)?,
            Place::Secret => {
                let secret: StoredSecret = decode(value).map_err(|_| BAD)?;
                if !secret.is_valid() {
                    return Err(BAD);
                }
                self.secret = Some(secret);
            }
            Place::Link(slot) => {
                let link = value.try_into().ok().and_then(Link::from_bytes).ok_or(BAD)?;
                self.slot(slot)?.link = Some(link);
            }
            Place::Replacement => {
                // It may have taken its place already, or that place may be another's by now. Then it means nothing.
                self.replacement = Some(Replacement::from_bytes(value).ok_or(BAD)?);
            }
            Place::Enrolment(slot) => self.slot(slot)?.enrolment = Some(decode(value).map_err(|_| BAD)?),
            Place::Credential(slot) => self.load_credential(slot, value)?,
            Place::Answer(slot) => {
                let stored: StoredAnswer = decode(value).map_err(|_| BAD)?;
                self.latest = self.latest.max(stored.time);
                if let Some(purse) = self.purse(slot, stored.credential) {
                    purse.raise_ceiling(stored.ceiling);
                }
            }
            Place::Token(slot, place) => {
                let stored: StoredToken = decode(value).map_err(|_| BAD)?;
                if place_of(&stored.body) != place {
                    return Err(BAD);
                }
                self.latest = self.latest.max(stored.latest);
                if let Some(purse) = self.purse(slot, stored.body.credential) {
                    purse.count(&stored);
                }
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn load_key_list(&mut self, value: &[u8]) -> Result<(), Error> {
        let list = Unverified::<KeyList>::parse(value).map_err(|_| BAD)?;
        let list = list.verify(&self.fingerprint, &self.root).map_err(|_| BAD)?;
        self.latest = self.latest.max(list.issued);
        self.key_list = Some(list);
        Ok(())
    }

    #[inline(never)]
    fn load_credential(&mut self, slot: usize, value: &[u8]) -> Result<(), Error> {
        let stored: StoredCredential<'_> = decode(value).map_err(|_| BAD)?;
        // The band verified it before it stored it.
        let credential = *Unverified::<Credential>::parse(stored.object.as_bytes()).map_err(|_| BAD)?.claims();
        let key = self.keys.open(&KeyHandle(stored.handle))?;
        if *key.public.as_bytes() != credential.payment_key {
            return Err(BAD);
        }
        self.latest = self.latest.max(credential.validity.from);
        self.slot(slot)?.purse = Some(Purse::new(credential, key));
        Ok(())
    }

    /// The purse that a stored value belongs to. There is none where an erasing that power cut short left the value behind.
    fn purse(&mut self, slot: usize, credential: CredentialId) -> Option<&mut Purse<P::Signer>> {
        self.slots.get_mut(slot)?.purse.as_mut().filter(|purse| purse.credential().id == credential)
    }
}
