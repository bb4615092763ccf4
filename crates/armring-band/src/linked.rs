//! What a wallet asks over its link.

use armring_channel::{OpenError, Opened};
use armring_pairing::DiffieHellman;
use armring_token::{KeyList, Unlocking, Unverified};
use armring_wire::records::band::{Decline, Status, ToBand, ToWallet};
use armring_wire::{DecodeError, EnrolmentCode, Uptime, decode_record};
use rand_core::TryCryptoRng;

use crate::after::{AfterStore, Refusal};
use crate::error::{Error, PeerError};
use crate::event::Signal;
use crate::keys::PaymentKeys;
use crate::phase::{Linked, Phase, Task};
use crate::state::Core;
use crate::store::Place;
use crate::unpair::Whose;

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// A sealed record came over a link. One that does not verify changes nothing, until there were too many.
    pub(crate) fn linked<R: TryCryptoRng>(&mut self, sealed: &mut [u8], now: Uptime, rng: &mut R) -> Result<(), Error> {
        let linked = self.linked_mut()?;
        let slot = linked.slot;
        match linked.session.channel.open(sealed) {
            Ok(opened) => self.said(slot, opened, now, rng),
            Err(error @ (OpenError::Length | OpenError::NotAuthentic)) => Err(error.into()),
            Err(error) => {
                self.phase = Phase::Ended;
                Err(error.into())
            }
        }
    }

    /// The wallet of this slot, which is linked, said this.
    #[inline(never)]
    pub(crate) fn said<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        opened: Opened<'_>,
        now: Uptime,
        rng: &mut R,
    ) -> Result<(), Error> {
        let Opened::Record(record) = opened else {
            self.phase = Phase::Ended;
            return Ok(());
        };
        match decode_record(record) {
            Ok(record) => self.answer_with(slot, |core| core.act(slot, record, now, rng)),
            Err(DecodeError::UnknownVariant(variant)) => self.say(&ToWallet::Unknown(variant)),
            Err(error) => {
                self.phase = Phase::Ended;
                Err(error.into())
            }
        }
    }

    fn act<R: TryCryptoRng>(&mut self, slot: usize, record: ToBand<'_>, now: Uptime, rng: &mut R) -> Result<(), Refusal> {
        match record {
            ToBand::Status => Ok(self.say(&ToWallet::Status(self.status(slot)))?),
            ToBand::Unlock => self.unlock_by_wallet(),
            ToBand::Cancel => {
                if self.phase.take_waiting() {
                    self.out.signal(Signal::Dropped);
                }
                // An enrolment that the issuer does not answer is given up as well.
                self.linked_mut()?.task = Task::None;
                Ok(self.say(&ToWallet::Noted)?)
            }
            ToBand::Unknown(_) => Ok(()),
            // Everything else may have to store something, one thing at a time.
            _ if self.out.is_storing() => Err(Decline::Busy.into()),
            ToBand::Enrol { code, key_list } => self.enrol(slot, code, key_list.as_bytes(), rng),
            ToBand::FromIssuer(message) => self.issuer_says(slot, message.as_bytes()),
            ToBand::Pay { request } => self.pay(slot, request.as_bytes(), None, now),
            ToBand::PayTo { request, certificate } => self.pay(slot, request.as_bytes(), Some(certificate.as_bytes()), now),
            ToBand::Receive { amount, expiry, memo } => self.receive(slot, amount, expiry, memo, now),
            ToBand::Paid { receipt } => self.paid(slot, receipt.as_bytes()),
            ToBand::Received { token, receipt } => self.received(slot, token.as_bytes(), receipt.as_bytes()),
            ToBand::KeyList(list) => self.take_key_list(slot, list.as_bytes(), None, rng),
            // The link is made: there is nothing to confirm.
            ToBand::Confirm { .. } => Err(Decline::Invalid.into()),
            ToBand::Unpair => self.unpair(Whose::Own, now),
            ToBand::UnpairOthers => self.unpair(Whose::Others, now),
            ToBand::Replace => self.replace(now),
            ToBand::Generation { .. } => Err(Decline::Invalid.into()),
        }
    }

    fn status(&self, slot: usize) -> Status {
        let purse = self.slots.get(slot).and_then(|place| place.purse.as_ref());
        Status {
            worn: self.wear.is_worn(),
            unlocked: self.wear.is_unlocked(),
            credential: purse.map(|purse| purse.credential().id),
        }
    }

    fn unlock_by_wallet(&mut self) -> Result<(), Refusal> {
        let before = self.wear.is_unlocked();
        if !self.wear.unlock(Unlocking::Wallet) {
            return Err(Decline::NotWorn.into());
        }
        if !before {
            self.out.signal(Signal::Unlocked);
        }
        Ok(self.say(&ToWallet::Noted)?)
    }

    /// Takes the issuer's key list, unless it is older than the one that is known. The same one again is not stored again: flash wears out.
    pub(crate) fn take_key_list<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        object: &[u8],
        enrol: Option<EnrolmentCode>,
        rng: &mut R,
    ) -> Result<(), Refusal> {
        if self.store_key_list(slot, object, enrol)? { Ok(()) } else { self.key_list_stored(slot, enrol, rng) }
    }

    /// Verifies a key list and has it stored, unless it is the one that the band has: says which. It is not the band's before it is stored, or a
    /// store that fails would leave a list that is taken for stored and gone after a restart. Apart, so that its stack is free when an enrolment
    /// goes on.
    #[inline(never)]
    fn store_key_list(&mut self, slot: usize, object: &[u8], enrol: Option<EnrolmentCode>) -> Result<bool, Refusal> {
        let known = self.key_list.as_ref().map_or_else(Default::default, |list| list.epoch);
        let list = Unverified::<KeyList>::parse(object)
            .map_err(|_| Decline::Invalid)?
            .verify(&self.fingerprint, &self.root)
            .and_then(|list| list.not_older_than(known))
            .map_err(|_| Decline::Invalid)?;
        if self.key_list.as_ref() == Some(&list) {
            return Ok(false);
        }
        self.out.store_bytes(Place::KeyList, object)?;
        self.after_store = AfterStore::KeyList { slot, list, enrol };
        Ok(true)
    }

    /// The key list is stored: the enrolment that brought it goes on.
    pub(crate) fn key_list_stored<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        enrol: Option<EnrolmentCode>,
        rng: &mut R,
    ) -> Result<(), Refusal> {
        match enrol {
            None => Ok(self.say_to(slot, &ToWallet::Noted)?),
            Some(code) if self.has_begun(slot, code) => self.begin_enrolment(slot, code, rng),
            Some(code) => self.make_key(slot, code, rng),
        }
    }

    /// The slot whose wallet is connected and proven.
    pub(crate) const fn linked_slot(&self) -> Option<usize> {
        match &self.phase {
            Phase::Linked(linked) => Some(linked.slot),
            _ => None,
        }
    }

    /// The link's wallet, which is connected: its task may be set.
    pub(crate) fn linked_mut(&mut self) -> Result<&mut Linked, Error> {
        match &mut self.phase {
            Phase::Linked(linked) => Ok(linked),
            _ => Err(PeerError::Unexpected.into()),
        }
    }
}
