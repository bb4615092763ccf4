//! Enrolling with the issuer, through a wallet that cannot read it.

use armring_channel::Opened;
use armring_pairing::{DiffieHellman, Enrol, EnrolVersions, PublicKey, Session};
use armring_token::{Credential, Enrolment, SIGNATURE_LEN, Unverified};
use armring_wire::records::band::{Decline, ToWallet};
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::records::{ATTESTATION_MAX, Assurance, CREDENTIAL_MAX, RELAY_MAX};
use armring_wire::{DecodeError, Digits, EnrolmentCode, Opaque, VersionRange, decode_record, encode};
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
        let list = self.key_list.as_ref().ok_or(Decline::EnrolmentFailed)?;
        let issuer = list.enrolment_key(self.latest).map_err(|_| Decline::EnrolmentFailed)?;
        let versions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: list.versions };
        let (handshake, message) = Enrol::start(&self.identity, &PublicKey::new(issuer), versions, rng)?;
        self.linked_mut()?.task = Task::EnrolAnswer(handshake, code);
        let message = Opaque::new(&message).ok_or(MachineError::Exhausted)?;
        Ok(self.say(&ToWallet::EnrolStart { versions: versions.band, message })?)
    }

    /// The issuer's next message came.
    pub(crate) fn issuer_says(&mut self, slot: usize, message: &[u8]) -> Result<(), Refusal> {
        match &self.linked_mut()?.task {
            Task::EnrolAnswer(..) => {
                let (session, code) = self.issuer_answers(message)?;
                self.request_credential(slot, session, code)
            }
            Task::EnrolCredential(..) => self.take_credential(slot, message),
            _ => Err(Decline::Invalid.into()),
        }
    }

    /// Apart, so that its stack is free when the key is proven.
    #[inline(never)]
    fn issuer_answers(&mut self, message: &[u8]) -> Result<(Session, EnrolmentCode), Refusal> {
        let (handshake, code) = self.linked_mut()?.task.take(|task| match task {
            Task::EnrolAnswer(handshake, code) => Some((handshake, code)),
            _ => None,
        })?;
        let message = exactly(message).map_err(|_| Decline::EnrolmentFailed)?;
        Ok((handshake.receive(message, &self.identity)?, code))
    }

    /// Signs with the key that is being enrolled that it takes part in this very enrolment.
    #[inline(never)]
    fn prove_key(
        &self,
        slot: usize,
        session: &Session,
        code: EnrolmentCode,
        assurance: Assurance,
    ) -> Result<(Candidate, [u8; SIGNATURE_LEN]), Refusal> {
        let key = self.keys.open(&self.enrolling_key(slot)?)?;
        let candidate = Candidate { key: key.public, code };
        let proof = enrolment(session, &candidate, assurance).prove(&self.fingerprint, &key.signing);
        Ok((candidate, proof.map_err(|_| MachineError::Key)?))
    }

    /// Where the payment key is that is being enrolled.
    pub(crate) fn enrolling_key(&self, slot: usize) -> Result<KeyHandle, Refusal> {
        let enrolment = self.slots.get(slot).and_then(|place| place.enrolment.as_ref()).ok_or(Decline::EnrolmentFailed)?;
        Ok(KeyHandle(enrolment.handle))
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
        let len = self.keys.attest(&self.enrolling_key(slot)?, challenge, said)?;
        Ok(said.get(..len).ok_or(MachineError::Key)?)
    }

    #[inline(never)]
    fn request_credential(&mut self, slot: usize, mut session: Session, code: EnrolmentCode) -> Result<(), Refusal> {
        let assurance = self.assurance(slot)?;
        let (candidate, proof) = self.prove_key(slot, &session, code, assurance)?;
        let proof = Opaque::new(&proof).ok_or(MachineError::Exhausted)?;
        let payment_key = *candidate.key.as_bytes();
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
    fn take_credential(&mut self, slot: usize, message: &[u8]) -> Result<(), Refusal> {
        let (mut session, candidate) = self.linked_mut()?.task.take(|task| match task {
            Task::EnrolCredential(session, candidate) => Some((session, candidate)),
            _ => None,
        })?;
        let mut buffer = [0; RELAY_MAX];
        let sealed = buffer.get_mut(..message.len()).ok_or(Decline::EnrolmentFailed)?;
        sealed.copy_from_slice(message);
        let Ok(Opened::Record(record)) = session.channel.open(sealed) else {
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
        let credential = self.verify_credential(slot, &candidate, object.as_bytes())?;
        let digits = enrolment(&session, &candidate, credential.assurance).digits(&nonce);
        if let Some(purse) = &self.slot(slot)?.purse {
            // Enrolled before: counter and total stay what they are.
            if *purse.credential() != credential {
                return Err(Decline::EnrolmentFailed.into());
            }
            self.out.signal(Signal::EnrolmentDigits(digits));
            return Ok(self.say(&ToWallet::Enrolled { credential: object })?);
        }
        self.store_credential(slot, credential, digits, object)
    }

    /// The credential, if it is the issuer's for the key that is being enrolled, and says how the link came about.
    #[inline(never)]
    fn verify_credential(&mut self, slot: usize, candidate: &Candidate, object: &[u8]) -> Result<Credential, Refusal> {
        let failed = |_| Decline::EnrolmentFailed;
        let assurance = self.assurance(slot)?;
        let unverified = Unverified::<Credential>::parse(object).map_err(|_| Decline::EnrolmentFailed)?;
        let list = self.key_list.as_ref().ok_or(Decline::EnrolmentFailed)?;
        let issued = self.latest.max(unverified.claims().validity.from);
        let issuer = list.signing_key(unverified.claims().key, issued).map_err(failed)?;
        let credential = *unverified.verify(&self.fingerprint, &issuer).map_err(failed)?.body();
        if credential.payment_key != *candidate.key.as_bytes() || credential.assurance != assurance {
            return Err(Decline::EnrolmentFailed.into());
        }
        self.latest = issued;
        Ok(credential)
    }

    #[inline(never)]
    fn store_credential(
        &mut self,
        slot: usize,
        credential: Credential,
        digits: Digits,
        object: Opaque<'_, CREDENTIAL_MAX>,
    ) -> Result<(), Refusal> {
        let handle = self.enrolling_key(slot)?.0;
        let copy = Vec::from_slice(object.as_bytes()).map_err(|_| MachineError::Exhausted)?;
        self.out.store(Place::Credential(slot), &StoredCredential { handle, object })?;
        self.after_store = AfterStore::Credential { slot, credential, digits, object: copy };
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

fn enrolment<'a>(session: &'a Session, candidate: &Candidate, assurance: Assurance) -> Enrolment<'a> {
    Enrolment { handshake: session.channel.binding().as_bytes(), code: candidate.code, payment_key: candidate.key, assurance }
}
