//! Enrolment, end to end with the band: the wallet relays what it cannot read.
//!
//! ```text
//!  band                     wallet relays                     issuer
//!   ── versions; e, es, s, ss ──────────────────────────────────▶   96 bytes, which begin an enrolment
//!   ◀─ e, ee, se ─────────────────────────────────────────────────   48 bytes
//!   ══ Request: code, payment key, assurance, proof ════════════▶   code good? proof right? assurance enough?
//!   ◀═ Issued: nonce, credential ════════════════════════════════   kept, inactive
//!      shows six digits                     shows the same six on its own page
//!                          the user confirms them there        ▶   active
//! ```
//!
//! With the word of the band's maker for the key, the credential may be active at once: see [`Makers`](crate::Makers).

use armring_channel::{HandshakeHash, OpenError, Opened};
use armring_pairing::{DiffieHellman, Enrol, EnrolVersions, Error as PairingError};
use armring_token::{Credential, Enrolment, Form, PaymentKey, Signature};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::{Assurance, RELAY_MAX};
use armring_wire::{CredentialId, DecodeError, EnrolmentCode, Opaque, UnixTime, Validity, VersionRange, decode_record, encode};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::MachineError;
use crate::issuer::Issuer;
use crate::keys::draw;
use crate::ledger::{Account, AccountState, CodeHash, CredentialRecord, CredentialState, Enrolled, Ledger, NewCredential};
use crate::provider::{Channel, Suite};
use crate::service::{Outcome, Said, Session};

/// What a band asks for.
#[derive(Clone, Copy)]
struct Request<'a> {
    code: EnrolmentCode,
    payment_key: [u8; 32],
    assurance: Assurance,
    proof: &'a [u8],
    /// The word of the band's maker.
    attestation: Option<&'a [u8]>,
}

/// A signed credential and what the digits are made of.
struct Issued {
    nonce: [u8; 16],
    credential: Vec<u8>,
}

/// What failed, or what the band did wrong.
enum Failed {
    Machine(MachineError),
    Refused(EnrolRefusal),
}

impl From<MachineError> for Failed {
    fn from(error: MachineError) -> Self {
        Self::Machine(error)
    }
}

impl From<EnrolRefusal> for Failed {
    fn from(refusal: EnrolRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<L: Ledger, S: MultipartSigner<Signature>, D: DiffieHellman> Issuer<L, S, D> {
    /// Begins an enrolment, in place of any before. `versions` is what the band says that it speaks: where that is not what it put into its
    /// prologue, the handshake fails.
    pub(crate) fn begin_enrolment(
        &self,
        session: &mut Session,
        versions: VersionRange,
        message: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Outcome {
        session.enrolment = None;
        let Ok(first) = message.try_into() else { return Ok(handshake_failed()) };
        let versions = EnrolVersions { band: versions, issuer: self.keys.versions() };
        match Enrol::<Suite>::answer(self.keys.enrolment(), versions, first, rng) {
            Ok((noise, _band, second)) => {
                session.enrolment = Some(noise.channel);
                Ok((Said::Enrol(second.to_vec()), None))
            }
            Err(PairingError::Peer(_)) => Ok(handshake_failed()),
            Err(error) => Err(MachineError::Handshake(error)),
        }
    }

    /// Takes the band's next sealed message.
    pub(crate) fn enrol(&mut self, session: &mut Session, message: &[u8], now: UnixTime, rng: &mut impl TryCryptoRng) -> Outcome {
        let Some(mut channel) = session.enrolment.take() else { return Ok(handshake_failed()) };
        let mut buffer = [0; RELAY_MAX];
        let Some(sealed) = buffer.get_mut(..message.len()) else { return Ok(handshake_failed()) };
        sealed.copy_from_slice(message);
        let outcome = match channel.open(sealed) {
            Ok(Opened::Record(record)) => self.enrol_record(&mut channel, record, now, rng),
            Ok(Opened::Close) => return close(channel),
            // A record that does not verify changes nothing: the band's own may still come.
            Err(OpenError::NotAuthentic | OpenError::Length) => Ok(handshake_failed()),
            Err(_) => return Ok(handshake_failed()),
        };
        session.enrolment = Some(channel);
        outcome
    }

    fn enrol_record(&mut self, channel: &mut Channel, record: &[u8], now: UnixTime, rng: &mut impl TryCryptoRng) -> Outcome {
        let request = match decode_record(record) {
            Ok(EnrolToIssuer::Request { code, payment_key, assurance, proof }) => {
                Request { code, payment_key, assurance, proof: proof.as_bytes(), attestation: None }
            }
            Ok(EnrolToIssuer::Attested { code, payment_key, assurance, proof, attestation }) => {
                Request { code, payment_key, assurance, proof: proof.as_bytes(), attestation: Some(attestation.as_bytes()) }
            }
            Err(DecodeError::UnknownVariant(variant)) => return say(channel, &EnrolToBand::Unknown(variant), None),
            Ok(EnrolToIssuer::Unknown(_)) | Err(_) => return Ok((Said::Refused(Refusal::Malformed), None)),
        };
        let handshake = *channel.binding();
        match self.issue(&handshake, &request, now, rng) {
            Ok(Issued { nonce, credential }) => {
                let credential = Opaque::new(&credential).ok_or(MachineError::Encoding)?;
                say(channel, &EnrolToBand::Issued { nonce, credential }, None)
            }
            Err(Failed::Refused(refusal)) => say(channel, &EnrolToBand::Refused(refusal), None),
            Err(Failed::Machine(error)) => say(channel, &EnrolToBand::Refused(EnrolRefusal::Busy), Some(error)),
        }
    }

    /// Checks everything, signs a credential and keeps it: inactive, unless a maker's word is enough.
    fn issue(
        &mut self,
        handshake: &HandshakeHash,
        request: &Request<'_>,
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Issued, Failed> {
        let &Request { code, payment_key, assurance, proof, attestation } = request;
        let payment_key = PaymentKey::from_bytes(payment_key).ok_or(EnrolRefusal::Proof)?;
        let enrolment = Enrolment { handshake: handshake.as_bytes(), code, payment_key, assurance };
        enrolment.verify(self.keys.root(), proof).map_err(|_| EnrolRefusal::Proof)?;
        // A word that does not verify is not taken for none: somebody meant to deceive.
        let attested = attestation.map(|word| self.makers.attests(handshake, &payment_key, word).ok_or(EnrolRefusal::Proof));
        let maker = attested.transpose()?;
        let hash = CodeHash::of(&code);
        let account = self.ledger.code_account(&hash, now)?;
        let account = account.filter(|account| account.state == AccountState::Open).ok_or(EnrolRefusal::Code)?;
        let credential = self.credential(&account, &enrolment, now, rng)?;

        let nonce = draw(rng)?;
        let object = self.keys.sign(&credential, now)?;
        let record = CredentialRecord { maker, ..CredentialRecord::new(object).ok_or(MachineError::Encoding)? };
        let is_active = maker.is_some() && self.policy.active_when_attested;
        let record = if is_active { CredentialRecord { unfrozen: CredentialState::Active, ..record } } else { record };
        let candidate = NewCredential { record, digits: enrolment.digits(&nonce) };
        let credential = match self.ledger.enrol(&hash, &candidate, now)? {
            Enrolled::Stored => candidate.record.object,
            Enrolled::Already(credential) => credential,
            Enrolled::Refused => return Err(EnrolRefusal::Code.into()),
        };
        Ok(Issued { nonce, credential })
    }

    /// What the policy gives to such a band.
    fn credential(
        &self,
        account: &Account,
        enrolment: &Enrolment<'_>,
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Credential, Failed> {
        let until = now.checked_add(self.policy.credential_validity).unwrap_or(UnixTime::from_secs(u32::MAX));
        Ok(Credential {
            form: Form,
            key: self.keys.signing_id(),
            id: CredentialId(draw(rng)?),
            payment_key: *enrolment.payment_key.as_bytes(),
            account: account.id,
            currency: account.currency,
            limits: self.policy.limits(enrolment.assurance).ok_or(EnrolRefusal::Assurance)?,
            assurance: enrolment.assurance,
            rights: self.policy.rights,
            validity: Validity { from: now, until },
        })
    }
}

fn handshake_failed() -> (Said, Option<MachineError>) {
    (Said::Refused(Refusal::Handshake), None)
}

fn say(channel: &mut Channel, record: &EnrolToBand<'_>, failure: Option<MachineError>) -> Outcome {
    let mut buffer = [0; RELAY_MAX];
    let len = encode(record, &mut buffer).map_err(|_| MachineError::Encoding)?.len();
    let sealed = channel.seal(&mut buffer, len).map_err(|_| MachineError::Encoding)?;
    Ok((Said::Enrol(sealed.to_vec()), failure))
}

/// The band has said its last word: so does the issuer.
fn close(mut channel: Channel) -> Outcome {
    let mut buffer = [0; RELAY_MAX];
    let sealed = channel.close(&mut buffer).map_err(|_| MachineError::Encoding)?;
    Ok((Said::Enrol(sealed.to_vec()), None))
}
