//! Paying and being paid.

use armring_pairing::DiffieHellman;
use armring_token::{Form, Gesture, Object, PaymentRequest, PaymentToken, Receipt, Unverified, Verified};
use armring_wire::records::band::{Awaited, Decline, ToWallet};
use armring_wire::records::{MEMO_MAX, OBJECT_MAX};
use armring_wire::{Amount, Opaque, PayeeRef, Text, UnixTime, Uptime};
use heapless::String;
use rand_core::TryCryptoRng;

use crate::after::{AfterStore, Refusal};
use crate::error::{Error, MachineError};
use crate::event::Signal;
use crate::face::Face;
use crate::keys::PaymentKeys;
use crate::phase::{PendingPayment, PendingRequest, Phase, Task};
use crate::purse::{Purse, place_of};
use crate::state::Core;
use crate::store::{Place, StoredAnswer, StoredToken};

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// A payment is asked for. What has been signed for this request is given again; anything else needs the wearer, and a gesture unless
    /// the credential grants it without one.
    ///
    /// A band with a display verifies the request with the payee's certificate, and shows it. Any other looks at no certificate: what it
    /// holds the wearer to is amount and limits.
    pub(crate) fn pay(&mut self, slot: usize, object: &[u8], certificate: Option<&[u8]>, now: Uptime) -> Result<(), Refusal> {
        let displays = self.face == Face::Display;
        if displays && certificate.is_none() {
            return Err(Decline::Unshown.into());
        }
        let unverified = Unverified::<PaymentRequest<'_>>::parse(object).map_err(|_| Decline::Invalid)?;
        let digest = unverified.request_digest(&self.fingerprint);
        let request = unverified.claims();
        if let Some(token) = self.purse_of(slot)?.token_for(&digest) {
            let token = *token;
            return Ok(self.say_token(slot, &token)?);
        }
        self.check_wearer()?;
        let shown = match certificate {
            Some(certificate) if displays => Some(self.verify_to_show(object, certificate)?),
            _ => None,
        };
        let latest = self.latest;
        let gesture = self.purse_of(slot)?.effort(request, latest)?;
        let pending = PendingPayment { digest, payee: request.payee, amount: request.amount, gesture, since: now };
        match &mut self.linked_mut()?.task {
            Task::None if gesture == Gesture::None => return self.reserve(slot, &pending, now),
            task @ Task::None => {
                *task = Task::Pay(pending, shown);
                self.wear.ask_for_fresh_unlock();
            }
            Task::Pay(waiting, _) if waiting.digest == digest => {}
            _ => return Err(Decline::Busy.into()),
        }
        self.wait(awaited(gesture), Some(request.amount))
    }

    /// The wearer is asked to be paid.
    pub(crate) fn receive(
        &mut self,
        slot: usize,
        amount: Amount,
        expiry: UnixTime,
        memo: Text<'_, MEMO_MAX>,
        now: Uptime,
    ) -> Result<(), Refusal> {
        let latest = self.latest;
        self.purse_of(slot)?.may_receive(amount, expiry, latest)?;
        self.check_wearer()?;
        let memo = String::try_from(memo.as_str()).map_err(|_| Decline::Invalid)?;
        match &mut self.linked_mut()?.task {
            task @ Task::None => *task = Task::Receive(PendingRequest { amount, expiry, memo, since: now }),
            _ => return Err(Decline::Busy.into()),
        }
        self.wait(Awaited::ReceiveGesture, Some(amount))
    }

    fn check_wearer(&self) -> Result<(), Refusal> {
        if !self.wear.is_worn() {
            return Err(Decline::NotWorn.into());
        }
        if self.wear.is_unlocked() { Ok(()) } else { Err(Decline::Locked.into()) }
    }

    pub(crate) fn wait(&mut self, awaited: Awaited, amount: Option<Amount>) -> Result<(), Refusal> {
        self.out.signal(Signal::Waiting(awaited, amount));
        Ok(self.say(&ToWallet::Waiting(awaited))?)
    }

    /// The wearer pressed: what waits to be paid is paid, if they are entitled to it still.
    pub(crate) fn press(&mut self, now: Uptime) -> Result<(), Error> {
        let Phase::Linked(linked) = &mut self.phase else { return Ok(()) };
        let (slot, Task::Pay(pending, _)) = (linked.slot, &linked.task) else { return Ok(()) };
        let pending = *pending;
        if pending.gesture == Gesture::FreshUnlock && !self.wear.is_freshly_unlocked() {
            self.out.signal(Signal::Waiting(Awaited::FreshUnlock, Some(pending.amount)));
            return Ok(());
        }
        linked.task = Task::None;
        self.answer_with(slot, |core| core.reserve(slot, &pending, now))
    }

    /// Makes the token and has it stored. It is signed when that is done: no power cut can use its counter for another.
    fn reserve(&mut self, slot: usize, pending: &PendingPayment, now: Uptime) -> Result<(), Refusal> {
        self.check_wearer()?;
        if self.out.is_storing() {
            return Err(Decline::Busy.into());
        }
        let presence = self.wear.presence(pending.gesture, now);
        let latest = self.latest;
        let token = self.purse_of(slot)?.next_token(pending.digest, pending.payee, pending.amount, presence, latest)?;
        self.out.store(Place::Token(slot, place_of(&token.body)), &token)?;
        self.after_store = AfterStore::Token { slot, token };
        Ok(())
    }

    /// A token is stored: it counts from now on, and is signed. One that took no gesture is told to the wearer.
    pub(crate) fn token_stored(&mut self, slot: usize, token: &StoredToken) -> Result<(), Error> {
        if let Some(purse) = self.slot(slot)?.purse.as_mut() {
            purse.count(token);
        }
        if token.body.presence.gesture == Gesture::None {
            self.out.signal(Signal::SignedFree(token.body.amount));
        }
        self.answer_with(slot, |core| Ok(core.say_token(slot, &token.body)?))
    }

    /// Signs a token that is stored, and says it. Signing it again gives the same token.
    pub(crate) fn say_token(&mut self, slot: usize, token: &PaymentToken) -> Result<(), Error> {
        if self.linked_slot() != Some(slot) {
            return Ok(());
        }
        let mut buffer = [0; PaymentToken::LEN];
        let purse = self.slots.get(slot).and_then(|place| place.purse.as_ref()).ok_or(MachineError::Key)?;
        let object = token.sign(&self.fingerprint, purse.signing(), &mut buffer).map_err(|_| MachineError::Key)?;
        let token = Opaque::new(object).ok_or(MachineError::Exhausted)?;
        self.say(&ToWallet::Token { token })
    }

    /// The wearer pressed twice: the request that waits is signed.
    pub(crate) fn double_press<R: TryCryptoRng>(&mut self, rng: &mut R) -> Result<(), Error> {
        let Phase::Linked(linked) = &mut self.phase else { return Ok(()) };
        let slot = linked.slot;
        match core::mem::replace(&mut linked.task, Task::None) {
            Task::Receive(pending) => self.answer_with(slot, |core| core.ask(slot, &pending, rng)),
            other => {
                linked.task = other;
                Ok(())
            }
        }
    }

    fn ask<R: TryCryptoRng>(&mut self, slot: usize, pending: &PendingRequest, rng: &mut R) -> Result<(), Refusal> {
        self.check_wearer()?;
        let mut nonce = [0; 16];
        rng.try_fill_bytes(&mut nonce).map_err(|_| MachineError::Randomness)?;
        let fingerprint = self.fingerprint;
        let purse = self.purse_of(slot)?;
        let request = PaymentRequest {
            form: Form,
            payee: PayeeRef::Credential(purse.credential().id),
            amount: pending.amount,
            nonce,
            expiry: pending.expiry,
            memo: Text::new(&pending.memo).ok_or(Decline::Invalid)?,
        };
        let mut buffer = [0; OBJECT_MAX];
        let object = request.sign(&fingerprint, &purse.signing().as_payee(), &mut buffer).map_err(|_| MachineError::Key)?;
        let digest = Unverified::<PaymentRequest<'_>>::parse(object).map_err(|_| MachineError::Key)?.request_digest(&fingerprint);
        let request = Opaque::new(object).ok_or(MachineError::Exhausted)?;
        self.say(&ToWallet::Request { request })?;
        self.slot(slot)?.asked = Some(digest);
        Ok(())
    }

    /// The receipt of a payment came. The wearer is told once, however often it comes.
    pub(crate) fn paid(&mut self, slot: usize, object: &[u8]) -> Result<(), Refusal> {
        let receipt = self.verify_receipt(object)?;
        let root = self.fingerprint;
        let purse = self.purse_of(slot)?;
        let signed = purse.signed(&receipt.token, &root).ok_or(Decline::Invalid)?;
        if signed.told {
            return Ok(self.say(&ToWallet::Noted)?);
        }
        let (token, signal) = (signed.token.counter, Signal::Paid(receipt.outcome, signed.token.amount));
        let (credential, ceiling) = (purse.credential().id, purse.answer(&receipt));
        self.latest = self.latest.max(receipt.time);
        self.out.store(Place::Answer(slot), &StoredAnswer { credential, ceiling, time: self.latest })?;
        self.after_store = AfterStore::Answer { slot, token, signal };
        Ok(())
    }

    /// The receipt of a payment to the wearer came, with the token that it is for. The token's signature is the issuer's to verify: the
    /// receipt vouches for its digest. The wearer is told once its time is stored, since from then on older requests have expired.
    pub(crate) fn received(&mut self, slot: usize, token: &[u8], receipt: &[u8]) -> Result<(), Refusal> {
        let receipt = self.verify_receipt(receipt)?;
        let token = Unverified::<PaymentToken>::parse(token).map_err(|_| Decline::Invalid)?;
        let asked = self.slot(slot)?.asked;
        let fits = token.token_digest(&self.fingerprint) == receipt.token
            && asked == Some(token.claims().request)
            && receipt.outcome.is_settled();
        if !fits {
            return Err(Decline::Invalid.into());
        }
        let amount = token.claims().amount;
        let purse = self.purse_of(slot)?;
        let (credential, ceiling) = (purse.credential().id, purse.ceiling());
        self.latest = self.latest.max(receipt.time);
        self.out.store(Place::Answer(slot), &StoredAnswer { credential, ceiling, time: self.latest })?;
        self.after_store = AfterStore::Received { slot, amount };
        Ok(())
    }

    fn verify_receipt(&self, object: &[u8]) -> Result<Verified<Receipt>, Refusal> {
        let receipt = Unverified::<Receipt>::parse(object).map_err(|_| Decline::Invalid)?;
        let list = self.key_list.as_ref().ok_or(Decline::Invalid)?;
        let key = list.signing_key(receipt.claims().key, receipt.claims().time).map_err(|_| Decline::Invalid)?;
        Ok(receipt.verify(&self.fingerprint, &key).map_err(|_| Decline::Invalid)?)
    }

    fn purse_of(&mut self, slot: usize) -> Result<&mut Purse<P::Signer>, Refusal> {
        self.slot(slot)?.purse.as_mut().ok_or(Decline::NoCredential.into())
    }
}

const fn awaited(gesture: Gesture) -> Awaited {
    match gesture {
        Gesture::FreshUnlock => Awaited::FreshUnlock,
        _ => Awaited::PayGesture,
    }
}
