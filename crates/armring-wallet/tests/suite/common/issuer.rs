//! An issuer for tests: it signs whatever a test wants signed.

use armring_channel::{Channel, Opened};
use armring_pairing::{DiffieHellman, Enrol, EnrolVersions, SoftwareKey};
use armring_token::{
    Credential, CredentialRights, Enrolment, Epoch, Form, FreeCount, Issuer as IssuerUse, KeyEntry, KeyList, KeyUse, Limits,
    Minor, Object, PayeeCertificate, PayeeRights, PaymentKey, PaymentRequest, PaymentToken, Receipt, Root, RootKey, Sequence,
    Signing, Unverified, Verified,
};
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::records::{Assurance, RELAY_MAX};
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, Digits, EnrolmentCode, KeyId, Opaque, Outcome, PayeeId, PayeeRef, Record,
    RootFingerprint, Text, UnixTime, Validity, VersionRange, decode_record, encode,
};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;

pub(crate) const CODE: EnrolmentCode = EnrolmentCode([0xC0; 16]);
pub(crate) const CREDENTIAL: CredentialId = CredentialId(*b"wristpay");
const UNTIL: UnixTime = UnixTime::from_secs(100_000);

pub(crate) fn at(seconds: u32) -> UnixTime {
    UnixTime::from_secs(seconds)
}

pub(crate) fn yuan(minor: u64) -> Amount {
    Amount::new(minor, Currency::CNY)
}

pub(crate) struct TestIssuer {
    pub(crate) root: SigningKey,
    pub(crate) signing: SigningKey,
    pub(crate) enrolment: SoftwareKey,
    pub(crate) epoch: u32,
    /// When its key list says that it was signed.
    pub(crate) issued: u32,
    /// What it gives: the payment key and the assurance are the band's.
    pub(crate) template: Credential,
    /// Changes a credential before it is signed.
    pub(crate) twist: fn(&mut Credential),
    /// What it answers in place of a credential, the first time.
    pub(crate) says_first: Option<Vec<u8>>,
    /// Handshake hashes, and what makers said over them.
    pub(crate) attested: Vec<([u8; 32], Vec<u8>)>,
    /// What bands said that they do not know.
    pub(crate) unknown: Vec<u32>,
    pub(crate) digits: Vec<Digits>,
    pub(crate) payment_keys: Vec<[u8; 32]>,
    pub(crate) channel: Option<Channel>,
    /// The record that issues the credential that was asked for last.
    pub(crate) answer: Vec<u8>,
}

impl TestIssuer {
    pub(crate) fn new() -> Self {
        let limits = Limits {
            each: Minor(10_000),
            press: Minor(5_000),
            free: Minor(0),
            free_count: FreeCount(0),
            free_total: Minor(0),
            offline_total: Minor(8_000),
        };
        let template = Credential {
            form: Form,
            key: KeyId(1),
            id: CREDENTIAL,
            payment_key: [0; 32],
            account: AccountPseudonym(*b"somebody"),
            currency: Currency::CNY,
            limits,
            assurance: Assurance::ComparedCode,
            rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
            validity: Validity { from: at(1_000), until: UNTIL },
        };
        Self {
            root: SigningKey::from_bytes(&[1; 32]),
            signing: SigningKey::from_bytes(&[2; 32]),
            enrolment: SoftwareKey::new([3; 32]),
            epoch: 1,
            issued: 1_000,
            template,
            twist: |_| {},
            says_first: None,
            attested: Vec::new(),
            unknown: Vec::new(),
            digits: Vec::new(),
            payment_keys: Vec::new(),
            channel: None,
            answer: Vec::new(),
        }
    }

    pub(crate) fn fingerprint(&self) -> RootFingerprint {
        self.root_key().fingerprint()
    }

    pub(crate) fn root_key(&self) -> RootKey {
        RootKey::from_bytes(self.root.verifying_key().to_bytes()).unwrap()
    }

    fn signer(&self) -> Signing<IssuerUse, SigningKey> {
        Signing::new(self.signing.clone())
    }

    pub(crate) fn key_list(&self) -> Vec<u8> {
        let validity = Validity { from: at(1), until: UNTIL };
        let keys = [
            KeyEntry { id: KeyId(1), key_use: KeyUse::Signing, key: self.signing.verifying_key().to_bytes(), validity },
            KeyEntry { id: KeyId(2), key_use: KeyUse::Enrolment, key: *self.enrolment.public_key().as_bytes(), validity },
        ];
        let list = KeyList {
            form: Form,
            epoch: Epoch(self.epoch),
            issued: at(self.issued),
            next_update: UNTIL,
            versions: VersionRange::SUPPORTED,
            keys: keys.into_iter().collect(),
        };
        list.sign(&self.fingerprint(), &Signing::<Root, _>::new(self.root.clone()), &mut [0; KeyList::MAX_LEN]).unwrap().to_vec()
    }

    pub(crate) fn verified_key_list(&self) -> Verified<KeyList> {
        Unverified::<KeyList>::parse(&self.key_list()).unwrap().verify(&self.fingerprint(), &self.root_key()).unwrap()
    }

    /// Begins an enrolment with the band's first message; `None` where it does not verify.
    pub(crate) fn begin(&mut self, band: VersionRange, message: &[u8], rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
        let versions = EnrolVersions { band, issuer: VersionRange::SUPPORTED };
        let (session, _, second) = <Enrol>::answer(&self.enrolment, versions, message.try_into().ok()?, rng).ok()?;
        self.channel = Some(session.channel);
        Some(second.to_vec())
    }

    /// Answers the band's next message of an enrolment; `None` where it is not one that verifies.
    pub(crate) fn answer(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let mut channel = self.channel.take()?;
        let mut sealed = message.to_vec();
        let Opened::Record(record) = channel.open(&mut sealed).ok()? else { return None };
        let record = decode_record(record).ok()?;
        if let EnrolToIssuer::Attested { attestation, .. } = record {
            self.attested.push((*channel.binding().as_bytes(), attestation.as_bytes().to_vec()));
        }
        match record {
            EnrolToIssuer::Request { code, payment_key, assurance, proof }
            | EnrolToIssuer::Attested { code, payment_key, assurance, proof, .. } => {
                let key = PaymentKey::from_bytes(payment_key)?;
                let enrolment = Enrolment { handshake: channel.binding().as_bytes(), code, payment_key: key, assurance };
                enrolment.verify(&self.fingerprint(), proof.as_bytes()).ok()?;
                self.issue(&enrolment);
            }
            EnrolToIssuer::Unknown(variant) => self.unknown.push(variant),
        }
        let said = self.says_first.take().unwrap_or_else(|| self.answer.clone());
        let mut buffer = [0; RELAY_MAX];
        buffer[..said.len()].copy_from_slice(&said);
        self.channel = Some(channel);
        Some(self.channel.as_mut().unwrap().seal(&mut buffer, said.len()).unwrap().to_vec())
    }

    /// Makes the record that issues a credential for what verified.
    fn issue(&mut self, enrolment: &Enrolment<'_>) {
        let payment_key = *enrolment.payment_key.as_bytes();
        self.payment_keys.push(payment_key);
        let nonce = [u8::try_from(self.digits.len()).unwrap(); 16];
        self.digits.push(enrolment.digits(&nonce));
        let mut credential = Credential { payment_key, assurance: enrolment.assurance, ..self.template };
        (self.twist)(&mut credential);
        let mut object = [0; Credential::MAX_LEN];
        let object = credential.sign(&self.fingerprint(), &self.signer(), &mut object).unwrap();
        let issued = EnrolToBand::Issued { nonce, credential: Opaque::new(object).unwrap() };
        self.answer = encode(&issued, &mut [0; EnrolToBand::MAX_LEN]).unwrap().to_vec();
    }

    /// The receipt for a token.
    pub(crate) fn receipt(&self, token: &[u8], outcome: Outcome, seconds: u32, ceiling: u64) -> Vec<u8> {
        let token = Unverified::<PaymentToken>::parse(token).unwrap().token_digest(&self.fingerprint());
        let receipt = Receipt {
            form: Form,
            key: KeyId(1),
            token,
            outcome,
            sequence: Sequence(1),
            time: at(seconds),
            ceiling: yuan(ceiling),
        };
        receipt.sign(&self.fingerprint(), &self.signer(), &mut [0; Receipt::MAX_LEN]).unwrap().to_vec()
    }

    /// A payee's certificate, with `twist` applied before it is signed.
    pub(crate) fn certificate(&self, shop: &Shop, twist: fn(&mut PayeeCertificate<'_>)) -> Vec<u8> {
        let mut certificate = PayeeCertificate {
            form: Form,
            key: KeyId(1),
            payee: shop.id,
            payee_key: shop.key.verifying_key().to_bytes(),
            name: Text::new("The teahouse").unwrap(),
            currency: Currency::CNY,
            rights: PayeeRights::PAYMENT,
            validity: Validity { from: at(1_000), until: UNTIL },
        };
        twist(&mut certificate);
        certificate.sign(&self.fingerprint(), &self.signer(), &mut [0; PayeeCertificate::MAX_LEN]).unwrap().to_vec()
    }
}

/// A payee.
pub(crate) struct Shop {
    pub(crate) id: PayeeId,
    pub(crate) key: SigningKey,
    nonce: u8,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self { id: PayeeId(*b"teahouse"), key: SigningKey::from_bytes(&[4; 32]), nonce: 0 }
    }

    /// A new request for so many hundredths.
    pub(crate) fn asks(&mut self, minor: u64) -> Vec<u8> {
        self.asks_with(minor, |_| {})
    }

    /// A new request, with `twist` applied before it is signed.
    pub(crate) fn asks_with(&mut self, minor: u64, twist: fn(&mut PaymentRequest<'_>)) -> Vec<u8> {
        self.nonce += 1;
        let mut request = PaymentRequest {
            form: Form,
            payee: PayeeRef::Certificate(self.id),
            amount: yuan(minor),
            nonce: [self.nonce; 16],
            expiry: at(50_000),
            memo: Text::new("tea for two").unwrap(),
        };
        twist(&mut request);
        let fingerprint = TestIssuer::new().fingerprint();
        request.sign(&fingerprint, &Signing::new(self.key.clone()), &mut [0; PaymentRequest::MAX_LEN]).unwrap().to_vec()
    }
}
