//! Enrolling with the issuer, through a wallet that cannot read it.

use armring_channel::Opened;
use armring_pairing::{DiffieHellman, Enrol, EnrolVersions, PublicKey, Session};
use armring_token::{Credential, Enrolment, Unverified};
use armring_wire::records::band::{Decline, ToWallet};
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::records::{ATTESTATION_MAX, Assurance, RELAY_MAX};
use armring_wire::{DecodeError, EnrolmentCode, Opaque, VersionRange, decode_record, encode};
use heapless::Vec;
use rand_core::TryCryptoRng;

use crate::after::{AfterStore, Refusal};
use crate::connect::exactly;
use crate::error::MachineError;
use crate::event::Signal;
use crate::keys::{KeyHandle, PaymentKeys};
use crate::phase::{Candidate, Task};
use crate::state::Core;
use crate::store::{Place, StoredCredential, StoredEnrolment};

impl<D: DiffieHellman, P: PaymentKeys> Core<D, P> {
    /// The wallet asks to enrol. First the key list is stored, then the new key, and only then is the issuer spoken to: a band that loses
    /// power on the way finds the same key again and gets the same credential. With the same code it may be done again when it is over: the
    /// wearer may not have seen the digits.
    pub(crate) fn enrol<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        code: EnrolmentCode,
        key_list: &[u8],
        rng: &mut R,
    ) -> Result<(), Refusal> {
        if self.slot(slot)?.purse.is_some() && !self.has_begun(slot, code) {
            return Err(Decline::AlreadyEnrolled.into());
        }
        if self.phase.is_waiting() {
            return Err(Decline::Busy.into());
        }
        // The wallet begins anew: what came of the attempt before is void.
        self.linked_mut()?.task = Task::None;
        self.take_key_list(slot, key_list, Some(code), rng)
    }

    /// Whether there is a payment key for this code, enrolled or about to be.
    pub(crate) fn has_begun(&self, slot: usize, code: EnrolmentCode) -> bool {
        self.slots.get(slot).and_then(|place| place.enrolment.as_ref()).is_some_and(|enrolment| enrolment.code == code)
    }

    pub(crate) fn make_key<R: TryCryptoRng>(&mut self, slot: usize, code: EnrolmentCode, rng: &mut R) -> Result<(), Refusal> {
        let handle = self.keys.create(rng)?;
        let enrolment = StoredEnrolment { handle: handle.0, code };
        self.out.store(Place::Enrolment(slot), &enrolment)?;
        self.after_store = AfterStore::PaymentKey { slot, enrolment };
        Ok(())
    }

    /// Sends message 1 to the issuer, if the wallet that asked is still there.
    #[inline(never)]
    pub(crate) fn begin_enrolment<R: TryCryptoRng>(
        &mut self,
        slot: usize,
        code: EnrolmentCode,
        rng: &mut R,
    ) -> Result<(), Refusal> {
        if self.linked_slot() != Some(slot) {
            return Ok(());
        }
        let enrolment = self.slot(slot)?.enrolment.as_ref().ok_or(Decline::EnrolmentFailed)?;
        let handle = KeyHandle(enrolment.handle);
        let key = self.keys.open(&handle)?;
        let list = self.key_list.as_ref().ok_or(Decline::EnrolmentFailed)?;
        let issuer = list.enrolment_key(self.latest).map_err(|_| Decline::EnrolmentFailed)?;
        let versions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: list.versions };
        let (handshake, message) = Enrol::start(&self.identity, &PublicKey::new(issuer), versions, rng)?;
        self.linked_mut()?.task = Task::EnrolAnswer(handshake, Candidate { key, code });
        let message = Opaque::new(&message).ok_or(MachineError::Exhausted)?;
        Ok(self.say(&ToWallet::EnrolStart { versions: versions.band, message })?)
    }

    /// The issuer's next message came.
    pub(crate) fn issuer_says(&mut self, slot: usize, message: &[u8]) -> Result<(), Refusal> {
        let task = core::mem::replace(&mut self.linked_mut()?.task, Task::None);
        match task {
            Task::EnrolAnswer(handshake, candidate) => {
                let message = exactly(message).map_err(|_| Decline::EnrolmentFailed)?;
                let session = handshake.receive(message, &self.identity)?;
                self.request_credential(slot, session, candidate)
            }
            Task::EnrolCredential(session, candidate) => self.take_credential(slot, session, candidate, message),
            other => {
                self.linked_mut()?.task = other;
                Err(Decline::Invalid.into())
            }
        }
    }

    fn assurance(&mut self, slot: usize) -> Result<Assurance, Refusal> {
        Ok(self.slot(slot)?.link.as_ref().ok_or(Decline::EnrolmentFailed)?.assurance())
    }

    /// What the band's maker says of the key that is being enrolled, which may be nothing.
    fn attestation<'a>(
        &self,
        slot: usize,
        challenge: &[u8; 32],
        said: &'a mut [u8; ATTESTATION_MAX],
    ) -> Result<&'a [u8], Refusal> {
        let enrolment = self.slots.get(slot).and_then(|place| place.enrolment.as_ref()).ok_or(Decline::EnrolmentFailed)?;
        let len = self.keys.attest(&KeyHandle(enrolment.handle), challenge, said)?;
        Ok(said.get(..len).ok_or(MachineError::Key)?)
    }

    #[inline(never)]
    fn request_credential(&mut self, slot: usize, mut session: Session, candidate: Candidate<P::Signer>) -> Result<(), Refusal> {
        let assurance = self.assurance(slot)?;
        let enrolment = enrolment(&session, &candidate, assurance);
        let proof = enrolment.prove(&self.fingerprint, &candidate.key.signing).map_err(|_| MachineError::Key)?;
        let proof = Opaque::new(&proof).ok_or(MachineError::Exhausted)?;
        let (code, payment_key) = (candidate.code, *candidate.key.public.as_bytes());
        let mut said = [0; ATTESTATION_MAX];
        let attestation = self.attestation(slot, session.channel.binding().as_bytes(), &mut said)?;
        let request = if attestation.is_empty() {
            EnrolToIssuer::Request { code, payment_key, assurance, proof }
        } else {
            let attestation = Opaque::new(attestation).ok_or(MachineError::Exhausted)?;
            EnrolToIssuer::Attested { code, payment_key, assurance, proof, attestation }
        };
        self.tell_issuer(&mut session, &request)?;
        self.linked_mut()?.task = Task::EnrolCredential(session, candidate);
        Ok(())
    }

    #[inline(never)]
    fn take_credential(
        &mut self,
        slot: usize,
        mut session: Session,
        candidate: Candidate<P::Signer>,
        message: &[u8],
    ) -> Result<(), Refusal> {
        let failed = |_| Decline::EnrolmentFailed;
        let mut buffer: Vec<u8, RELAY_MAX> = Vec::from_slice(message).map_err(|_| Decline::EnrolmentFailed)?;
        let Ok(Opened::Record(record)) = session.channel.open(&mut buffer) else {
            return Err(Decline::EnrolmentFailed.into());
        };
        let (nonce, object) = match decode_record(record) {
            Ok(EnrolToBand::Issued { nonce, credential }) => (nonce, credential),
            // An issuer that is newer than this band: told so, it may say it in another way.
            Err(DecodeError::UnknownVariant(variant)) => {
                self.tell_issuer(&mut session, &EnrolToIssuer::Unknown(variant))?;
                self.linked_mut()?.task = Task::EnrolCredential(session, candidate);
                return Ok(());
            }
            Ok(EnrolToBand::Refused(_) | EnrolToBand::Unknown(_)) | Err(_) => return Err(Decline::EnrolmentFailed.into()),
        };
        let assurance = self.assurance(slot)?;
        let unverified = Unverified::<Credential>::parse(object.as_bytes()).map_err(|_| Decline::EnrolmentFailed)?;
        let list = self.key_list.as_ref().ok_or(Decline::EnrolmentFailed)?;
        let issued = self.latest.max(unverified.claims().validity.from);
        let issuer = list.signing_key(unverified.claims().key, issued).map_err(failed)?;
        let credential = *unverified.verify(&self.fingerprint, &issuer).map_err(failed)?.body();
        if credential.payment_key != *candidate.key.public.as_bytes() || credential.assurance != assurance {
            return Err(Decline::EnrolmentFailed.into());
        }
        self.latest = issued;
        let digits = enrolment(&session, &candidate, assurance).digits(&nonce);
        if let Some(purse) = &self.slot(slot)?.purse {
            // Enrolled before: counter and total stay what they are.
            if *purse.credential() != credential {
                return Err(Decline::EnrolmentFailed.into());
            }
            self.out.signal(Signal::EnrolmentDigits(digits));
            return Ok(self.say(&ToWallet::Enrolled { credential: object })?);
        }
        let handle = self.slot(slot)?.enrolment.as_ref().ok_or(Decline::EnrolmentFailed)?.handle;
        self.out.store(Place::Credential(slot), &StoredCredential { handle, object })?;
        let object = Vec::from_slice(object.as_bytes()).map_err(|_| MachineError::Exhausted)?;
        self.after_store = AfterStore::Credential { slot, credential, key: candidate.key, digits, object };
        Ok(())
    }

    /// Seals `record` for the issuer and has the wallet relay it.
    fn tell_issuer(&mut self, session: &mut Session, record: &EnrolToIssuer<'_>) -> Result<(), Refusal> {
        let mut buffer = [0; RELAY_MAX];
        let len = encode(record, &mut buffer).map_err(|_| MachineError::Exhausted)?.len();
        let sealed = session.channel.seal(&mut buffer, len).map_err(|_| MachineError::Exhausted)?;
        let message = Opaque::new(sealed).ok_or(MachineError::Exhausted)?;
        Ok(self.say(&ToWallet::ToIssuer(message))?)
    }
}

fn enrolment<'a, S>(session: &'a Session, candidate: &Candidate<S>, assurance: Assurance) -> Enrolment<'a> {
    Enrolment {
        handshake: session.channel.binding().as_bytes(),
        code: candidate.code,
        payment_key: candidate.key.public,
        assurance,
    }
}
