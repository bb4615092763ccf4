//! The issuer of the day, and the payees whom it certified: it signs whatever is asked of it.

use armring_channel::{Channel, Opened};
use armring_pairing::{DiffieHellman, Enrol, EnrolVersions, SoftwareKey};
use armring_token::{
    Counter, Credential, CredentialRights, Enrolment, Epoch, Form, FreeCount, Gesture, Issuer as IssuerUse, KeyEntry, KeyList,
    KeyUse, Limits, Minor, Object, Payment, PaymentKey, PaymentRequest, PaymentToken, Presence, Receipt, Root, RootKey, Sequence,
    Signing, Unlocking, Unverified,
};
use armring_wire::records::RELAY_MAX;
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, KeyId, Opaque, Outcome, PayeeId, PayeeRef, RootFingerprint, Text, UnixTime,
    Validity, VersionRange, decode_record, encode,
};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;

use crate::seed::bytes;

const VALIDITY: Validity = Validity { from: UnixTime::from_secs(1_000), until: UnixTime::from_secs(100_000) };

pub(super) struct Issuer {
    root: SigningKey,
    signing: SigningKey,
    enrolment: SoftwareKey,
    channel: Option<Channel>,
}

impl Issuer {
    pub(super) fn new() -> Self {
        let key = |name: &str| SigningKey::from_bytes(&bytes(name));
        let enrolment = SoftwareKey::new(bytes("session enrolment"));
        Self { root: key("session root"), signing: key("session issuer"), enrolment, channel: None }
    }

    pub(super) fn root(&self) -> RootKey {
        RootKey::from_bytes(self.root.verifying_key().to_bytes()).unwrap()
    }

    fn fingerprint(&self) -> RootFingerprint {
        self.root().fingerprint()
    }

    fn signer(&self) -> Signing<IssuerUse, SigningKey> {
        Signing::new(self.signing.clone())
    }

    pub(super) fn key_list(&self) -> Vec<u8> {
        let (signing, enrolment) = (self.signing.verifying_key().to_bytes(), *self.enrolment.public_key().as_bytes());
        let keys = [
            KeyEntry { id: KeyId(1), key_use: KeyUse::Signing, key: signing, validity: VALIDITY },
            KeyEntry { id: KeyId(2), key_use: KeyUse::Enrolment, key: enrolment, validity: VALIDITY },
        ];
        let list = KeyList {
            form: Form,
            epoch: Epoch(1),
            issued: VALIDITY.from,
            next_update: VALIDITY.until,
            versions: VersionRange::SUPPORTED,
            keys: keys.into_iter().collect(),
        };
        list.sign(&self.fingerprint(), &Signing::<Root, _>::new(self.root.clone()), &mut [0; KeyList::MAX_LEN]).unwrap().to_vec()
    }

    /// Answers an enrolment's first message.
    pub(super) fn begin(&mut self, band: VersionRange, message: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
        let versions = EnrolVersions { band, issuer: VersionRange::SUPPORTED };
        let (session, _, second) = <Enrol>::answer(&self.enrolment, versions, message.try_into().unwrap(), rng).unwrap();
        self.channel = Some(session.channel);
        second.to_vec()
    }

    /// Answers what came over it with a credential.
    pub(super) fn answer(&mut self, message: &[u8]) -> Vec<u8> {
        let mut channel = self.channel.take().unwrap();
        let mut sealed = message.to_vec();
        let Ok(Opened::Record(record)) = channel.open(&mut sealed) else { panic!("not a record") };
        let EnrolToIssuer::Request { code, payment_key, assurance, proof } = decode_record(record).unwrap() else {
            panic!("not an enrolment")
        };
        let key = PaymentKey::from_bytes(payment_key).unwrap();
        let enrolment = Enrolment { handshake: channel.binding().as_bytes(), code, payment_key: key, assurance };
        enrolment.verify(&self.fingerprint(), proof.as_bytes()).unwrap();
        let credential = Credential { payment_key, assurance, ..template() };
        let mut object = [0; Credential::MAX_LEN];
        let object = credential.sign(&self.fingerprint(), &self.signer(), &mut object).unwrap();
        let issued = EnrolToBand::Issued { nonce: bytes("session nonce"), credential: Opaque::new(object).unwrap() };
        let mut buffer = [0; RELAY_MAX];
        let len = encode(&issued, &mut buffer).unwrap().len();
        let sealed = channel.seal(&mut buffer, len).unwrap().to_vec();
        self.channel = Some(channel);
        sealed
    }

    /// A shop's request for 12.50.
    pub(super) fn request(&self) -> Vec<u8> {
        let request = PaymentRequest {
            form: Form,
            payee: PayeeRef::Certificate(PayeeId(bytes("session shop"))),
            amount: Amount::new(12_50, Currency::CNY),
            nonce: bytes("session request"),
            expiry: UnixTime::from_secs(50_000),
            memo: Text::new("tea for two").unwrap(),
        };
        let key = Signing::new(SigningKey::from_bytes(&bytes("session shop's key")));
        request.sign(&self.fingerprint(), &key, &mut [0; PaymentRequest::MAX_LEN]).unwrap().to_vec()
    }

    /// Somebody's token for the band's own request for 20.00.
    pub(super) fn token_of_somebody(&self, request: &[u8]) -> Vec<u8> {
        let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
        let token = PaymentToken {
            form: Form,
            credential: CredentialId(*b"a friend"),
            payee: request.claims().payee,
            request: request.request_digest(&self.fingerprint()),
            amount: request.claims().amount,
            counter: Counter(1),
            cumulative: Minor(20_00),
            presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
        };
        let key = Signing::<Payment, _>::new(SigningKey::from_bytes(&bytes("session friend's key")));
        token.sign(&self.fingerprint(), &key, &mut [0; PaymentToken::LEN]).unwrap().to_vec()
    }

    /// The receipt that settles a token.
    pub(super) fn receipt(&self, token: &[u8]) -> Vec<u8> {
        let token = Unverified::<PaymentToken>::parse(token).unwrap().token_digest(&self.fingerprint());
        let receipt = Receipt {
            form: Form,
            key: KeyId(1),
            token,
            outcome: Outcome::Settled,
            sequence: Sequence(1),
            time: UnixTime::from_secs(2_000),
            ceiling: Amount::new(90_00, Currency::CNY),
        };
        receipt.sign(&self.fingerprint(), &self.signer(), &mut [0; Receipt::MAX_LEN]).unwrap().to_vec()
    }
}

/// What it grants: the payment key and the assurance are the band's.
fn template() -> Credential {
    let limits = Limits {
        each: Minor(200_00),
        press: Minor(50_00),
        free: Minor(0),
        free_count: FreeCount(0),
        free_total: Minor(0),
        offline_total: Minor(80_00),
    };
    Credential {
        form: Form,
        key: KeyId(1),
        id: CredentialId(*b"wristpay"),
        payment_key: [0; 32],
        account: AccountPseudonym(*b"somebody"),
        currency: Currency::CNY,
        limits,
        assurance: armring_wire::records::Assurance::ComparedCode,
        rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
        validity: VALIDITY,
    }
}
