//! A band that enrols, for the tests.

use armring_channel::{Channel, HandshakeHash, Opened};
use armring_issuer::*;
use armring_pairing::{Enrol, EnrolVersions, SoftwareKey};
use armring_token::{Credential, Enrolment, Payment, PaymentKey, Signing, Unverified};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::{Assurance, RELAY_MAX};
use armring_wire::*;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{NOW, World, random};

/// A band that enrols, and the wallet that relays for it.
pub(crate) struct Enrolling {
    pub(crate) identity: SoftwareKey,
    pub(crate) signing: Signing<Payment, SigningKey>,
    pub(crate) code: EnrolmentCode,
    pub(crate) assurance: Assurance,
    /// Flips a bit of the proof.
    pub(crate) spoil_proof: bool,
    /// What the band speaks, and what the wallet says that it speaks.
    pub(crate) versions: [VersionRange; 2],
    pub(crate) session: Session,
    /// Signs the maker's word, if there is to be one.
    pub(crate) maker: Option<SigningKey>,
}

/// Makers whose word is an Ed25519 signature over handshake hash and key: maker `n` has the key at `n`.
pub(crate) struct SigningMakers(pub(crate) Vec<VerifyingKey>);

impl Makers for SigningMakers {
    fn attests(&self, handshake: &HandshakeHash, payment_key: &PaymentKey, attestation: &[u8]) -> Option<MakerId> {
        let signature = Signature::from_slice(attestation).ok()?;
        let signed = word(handshake, payment_key);
        let maker = self.0.iter().position(|maker| maker.verify_strict(&signed, &signature).is_ok())?;
        u32::try_from(maker).ok().map(MakerId)
    }
}

/// What such a maker says.
pub(crate) fn word_of(maker: &SigningKey, handshake: &HandshakeHash, payment_key: &PaymentKey) -> Vec<u8> {
    maker.sign(&word(handshake, payment_key)).to_bytes().to_vec()
}

fn word(handshake: &HandshakeHash, payment_key: &PaymentKey) -> Vec<u8> {
    [handshake.as_bytes().as_slice(), payment_key.as_bytes()].concat()
}

impl Enrolling {
    pub(crate) fn new<L>(world: &mut World<L>, code: EnrolmentCode) -> Self {
        Self {
            identity: SoftwareKey::new(random(&mut world.rng)),
            signing: Signing::new(SigningKey::from_bytes(&random(&mut world.rng))),
            code,
            assurance: Assurance::ComparedCode,
            spoil_proof: false,
            versions: [VersionRange::SUPPORTED; 2],
            session: Session::new(),
            maker: None,
        }
    }

    pub(crate) fn payment_key(&self) -> PaymentKey {
        PaymentKey::from_bytes(self.signing.signer().verifying_key().to_bytes()).unwrap()
    }

    fn relay<L: Ledger>(&mut self, world: &mut World<L>, message: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        self.ask(world, &ToIssuer::Enrol(Opaque::new(message).unwrap()), now)
    }

    /// Says message 1, or what a wallet makes of it.
    pub(crate) fn begin<L: Ledger>(&mut self, world: &mut World<L>, message: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let record = ToIssuer::EnrolStart { versions: self.versions[1], message: Opaque::new(message).unwrap() };
        self.ask(world, &record, now)
    }

    fn ask<L: Ledger>(&mut self, world: &mut World<L>, record: &ToIssuer<'_>, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        world.handle(&mut self.session, record, now, |answer| match answer {
            FromIssuer::Enrol(message) => Ok(message.as_bytes().to_vec()),
            FromIssuer::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        })
    }

    /// The handshake, which succeeds.
    pub(crate) fn channel<L: Ledger>(&mut self, world: &mut World<L>, now: UnixTime) -> Channel {
        self.try_channel(world, now).unwrap()
    }

    pub(crate) fn try_channel<L: Ledger>(&mut self, world: &mut World<L>, now: UnixTime) -> Result<Channel, Refusal> {
        let issuer = armring_pairing::PublicKey::new(world.list.enrolment_key(now).unwrap());
        let versions = EnrolVersions { band: self.versions[0], issuer: world.list.versions };
        let (waiting, first) = <Enrol>::start(&self.identity, &issuer, versions, &mut world.rng).unwrap();
        let second = self.begin(world, &first, now)?;
        Ok(waiting.receive(&second.try_into().unwrap(), &self.identity).unwrap().channel)
    }

    /// Handshake and request: the credential, verified, and the digits that the band shows.
    pub(crate) fn request<L: Ledger>(
        &mut self,
        world: &mut World<L>,
        now: UnixTime,
    ) -> Result<(Credential, Digits), EnrolRefusal> {
        let mut channel = self.channel(world, now);
        self.request_over(world, &mut channel, now)
    }

    /// The request, over a channel that there is.
    pub(crate) fn request_over<L: Ledger>(
        &mut self,
        world: &mut World<L>,
        channel: &mut Channel,
        now: UnixTime,
    ) -> Result<(Credential, Digits), EnrolRefusal> {
        let handshake = *channel.binding();
        let (payment_key, assurance) = (self.payment_key(), self.assurance);
        let enrolment = Enrolment { handshake: handshake.as_bytes(), code: self.code, payment_key, assurance };
        let mut proof = enrolment.prove(&world.root, &self.signing).unwrap();
        proof[63] ^= u8::from(self.spoil_proof);
        let attestation = self.maker.as_ref().map(|maker| word_of(maker, &handshake, &payment_key));
        let (code, key, proof) = (self.code, *payment_key.as_bytes(), Opaque::new(&proof).unwrap());
        let request = match &attestation {
            None => EnrolToIssuer::Request { code, payment_key: key, assurance, proof },
            Some(word) => {
                let attestation = Opaque::new(word).unwrap();
                EnrolToIssuer::Attested { code, payment_key: key, assurance, proof, attestation }
            }
        };
        let mut answer = self.say(world, channel, &request, now).unwrap();
        let Opened::Record(record) = channel.open(&mut answer).unwrap() else { panic!("closed") };
        match decode_record(record).unwrap() {
            EnrolToBand::Issued { nonce, credential } => {
                let credential = Unverified::<Credential>::parse(credential.as_bytes()).unwrap();
                let key = world.list.signing_key(credential.claims().key, now).unwrap();
                Ok((*credential.verify(&world.root, &key).unwrap().body(), enrolment.digits(&nonce)))
            }
            EnrolToBand::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    /// Seals a record and relays it: the sealed answer.
    pub(crate) fn say<L: Ledger>(
        &mut self,
        world: &mut World<L>,
        channel: &mut Channel,
        record: &EnrolToIssuer<'_>,
        now: UnixTime,
    ) -> Result<Vec<u8>, Refusal> {
        let mut buffer = [0; RELAY_MAX];
        let len = encode(record, &mut buffer).unwrap().len();
        let sealed = channel.seal(&mut buffer, len).unwrap().to_vec();
        self.relay(world, &sealed, now)
    }

    pub(crate) fn relay_raw<L: Ledger>(&mut self, world: &mut World<L>, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.relay(world, message, NOW)
    }
}
