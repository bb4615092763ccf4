//! An issuer that has one band and one shop, with its ledger in memory.

use std::hint::black_box;

use armring_channel::Opened;
use armring_issuer::{
    Applicant, DepositRef, EnrolmentKey, Issuer, Keys, MemoryLedger, Policy, REPLY_MAX, Session, sign_key_list,
};
use armring_pairing::{DiffieHellman, Enrol, EnrolVersions, SoftwareKey};
use armring_token::{
    Counter, Credential, Enrolment, Epoch, Form, FreeCount, Gesture, KeyEntry, KeyUse, Limits, Minor, Object, Payee, PayeeKey,
    Payment, PaymentKey, PaymentRequest, PaymentToken, Presence, RootKey, Signature, Signing, Unlocking, Unverified,
};
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::{Assurance, RELAY_MAX};
use armring_wire::{
    Amount, CredentialId, Currency, KeyId, Opaque, PayeeId, PayeeRef, Text, UnixTime, Validity, VersionRange, decode_record,
    encode,
};
use ed25519_dalek::{Signer, SigningKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use signature::MultipartSigner;

use crate::Group;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ALWAYS: Validity = Validity { from: UnixTime::from_secs(1_700_000_000), until: UnixTime::from_secs(2_000_000_000) };

/// Everyone there is.
struct World<S> {
    issuer: Issuer<MemoryLedger, S>,
    shop: (PayeeId, Signing<Payee, SigningKey>),
    band: (CredentialId, Signing<Payment, SigningKey>),
    paid: u32,
}

/// Both signatures of a payment, request and token.
pub(super) fn verify() -> Group {
    let key = SigningKey::from_bytes(&[3; 32]);
    let (message, public) = ([3; 131], key.verifying_key());
    let signature = key.sign(&message);
    let mut world = World::new(key);
    let (request, token) = world.payment();
    Group::new("issuer: verify a payment")
        .with("two signatures: dalek, strict", move || {
            for _ in 0..2 {
                public.verify_strict(black_box(&message), &signature).expect("valid");
            }
        })
        .beside("two signatures: dalek, strict", None, "Armring", move || {
            black_box(world.issuer.verify(black_box(&request), &token)).expect("a ledger").expect("valid");
        })
}

/// A new payment from its bytes to its receipt; band and shop sign theirs in it too, since each is new.
pub(super) fn settle() -> Group {
    let (sign, signature) = {
        let key = SigningKey::from_bytes(&[3; 32]);
        let signature = key.sign(&[3; 131]);
        (key, signature)
    };
    let public = sign.verifying_key();
    let floor = "Ed25519: dalek, 3 signed, 2 verified";
    let group = Group::new("issuer: ask, pay, verify, settle, receipt")
        .with(floor, move || {
            for _ in 0..3 {
                black_box(sign.sign(black_box(&[3; 131])));
            }
            for _ in 0..2 {
                public.verify_strict(black_box(&[3; 131]), &signature).expect("valid");
            }
        })
        .beside(floor, None, "Armring", settles(SigningKey::from_bytes(&[3; 32])));
    #[cfg(feature = "peers")]
    let group = {
        // The issuer's own key, as it is unless its feature is turned off.
        let fast = armring_issuer::SigningKey::from_bytes(&[3; 32]).expect("a key");
        group.beside(floor, None, "Armring, AWS-LC", settles(fast))
    };
    group
}

fn settles<S: MultipartSigner<Signature> + 'static>(signer: S) -> impl FnMut() {
    let mut world = World::new(signer);
    move || {
        let (request, token) = world.payment();
        let payment = world.issuer.verify(&request, &token).expect("a ledger").expect("valid");
        let answers = world.issuer.settle(&[payment], NOW).expect("a ledger");
        assert!(answers[0].outcome.is_settled());
        black_box(answers);
    }
}

impl<S: MultipartSigner<Signature>> World<S> {
    fn new(signer: S) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let root_signer = SigningKey::from_bytes(&[1; 32]);
        let root_key = RootKey::from_bytes(root_signer.verifying_key().to_bytes()).expect("a key");
        let enrolment = EnrolmentKey::from_bytes(&[2; 32]).expect("a key");
        // Whoever signs, it is with this seed.
        let public = SigningKey::from_bytes(&[3; 32]).verifying_key().to_bytes();
        let entries = [
            KeyEntry { id: KeyId(7), key_use: KeyUse::Signing, key: public, validity: ALWAYS },
            KeyEntry { id: KeyId(8), key_use: KeyUse::Enrolment, key: *enrolment.public_key().as_bytes(), validity: ALWAYS },
        ];
        let list = sign_key_list(&root_key, &Signing::new(root_signer), Epoch(3), (NOW, ALWAYS.until), &entries).expect("few");
        let keys = Keys { root: root_key, signing_id: KeyId(7), signing: Signing::new(signer), enrolment, key_list: list };
        let most = Minor(u64::MAX >> 2);
        let limits = Limits {
            each: most,
            press: most,
            free: Minor(0),
            free_count: FreeCount(0),
            free_total: Minor(0),
            offline_total: most,
        };
        let policy = Policy { compared_code: Some(limits), daily: most, ..Policy::default() };
        let mut issuer = Issuer::new(keys, policy, MemoryLedger::new(), NOW).expect("keys of the list");
        let shop = certified(&mut issuer, &mut rng);
        let band = enrolled(&mut issuer, &mut rng);
        Self { issuer, shop, band, paid: 0 }
    }

    /// The next request of the shop, and the token that answers it.
    fn payment(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.paid += 1;
        let root = *self.issuer.root();
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&self.paid.to_le_bytes());
        let (amount, payee) = (Amount::new(1, Currency::CNY), PayeeRef::Certificate(self.shop.0));
        let expiry = UnixTime::from_secs(NOW.as_secs() + 600);
        let request = PaymentRequest { form: Form, payee, amount, nonce, expiry, memo: Text::new("tea for two").expect("short") };
        let request = request.sign(&root, &self.shop.1, &mut [0; PaymentRequest::MAX_LEN]).expect("room").to_vec();
        let token = PaymentToken {
            form: Form,
            credential: self.band.0,
            payee,
            request: Unverified::<PaymentRequest<'_>>::parse(&request).expect("one").request_digest(&root),
            amount,
            counter: Counter(self.paid),
            cumulative: Minor(self.paid.into()),
            presence: Presence { minutes_worn: 42, unlocking: Unlocking::Wallet, gesture: Gesture::Press, online_only: false },
        };
        let token = token.sign(&root, &self.band.1, &mut [0; PaymentToken::MAX_LEN]).expect("room").to_vec();
        (request, token)
    }
}

type Ledger<S> = Issuer<MemoryLedger, S>;

fn certified<S: MultipartSigner<Signature>>(
    issuer: &mut Ledger<S>,
    rng: &mut ChaCha20Rng,
) -> (PayeeId, Signing<Payee, SigningKey>) {
    let signer = SigningKey::from_bytes(&[4; 32]);
    let key = PayeeKey::from_bytes(signer.verifying_key().to_bytes()).expect("a key");
    let account = issuer.open_account(Currency::CNY, rng).expect("a ledger");
    let applicant = Applicant { name: "茶馆", key, account, validity: ALWAYS };
    (issuer.certify_payee(&applicant, NOW, rng).expect("an account").id(), Signing::new(signer))
}

fn enrolled<S: MultipartSigner<Signature>>(
    issuer: &mut Ledger<S>,
    rng: &mut ChaCha20Rng,
) -> (CredentialId, Signing<Payment, SigningKey>) {
    let account = issuer.open_account(Currency::CNY, rng).expect("a ledger");
    issuer.deposit(account, Amount::new(1_000_000_000, Currency::CNY), DepositRef([1; 16]), NOW).expect("a ledger");
    let code = issuer.issue_code(account, NOW, rng).expect("an account");
    let (root, identity, signer) = (*issuer.root(), SoftwareKey::new([5; 32]), SigningKey::from_bytes(&[6; 32]));
    let payment_key = PaymentKey::from_bytes(signer.verifying_key().to_bytes()).expect("a key");
    let (signing, versions) = (Signing::new(signer), VersionRange::SUPPORTED);
    let to = SoftwareKey::new([2; 32]).public_key();
    let (waiting, first) = <Enrol>::start(&identity, &to, EnrolVersions { band: versions, issuer: versions }, rng).expect("keys");

    let mut session = Session::new();
    let mut ask = |issuer: &mut Ledger<S>, record: &ToIssuer<'_>, rng: &mut ChaCha20Rng| {
        let (mut buffer, mut out) = ([0; 1024], [0; REPLY_MAX]);
        let record = encode(record, &mut buffer).expect("room");
        let reply = issuer.handle(&mut session, record, NOW, rng, &mut out).expect("room");
        let Ok(FromIssuer::Enrol(message)) = decode_record(reply.record) else { panic!("not enrolled") };
        message.as_bytes().to_vec()
    };
    let start = ToIssuer::EnrolStart { versions, message: Opaque::new(&first).expect("short") };
    let second = ask(issuer, &start, rng);
    let mut channel = waiting.receive(&second.try_into().expect("48 bytes"), &identity).expect("authentic").channel;
    let handshake = *channel.binding();
    let enrolment = Enrolment { handshake: handshake.as_bytes(), code, payment_key, assurance: Assurance::ComparedCode };
    let proof = enrolment.prove(&root, &signing).expect("a signer");
    let request = EnrolToIssuer::Request {
        code,
        payment_key: *payment_key.as_bytes(),
        assurance: Assurance::ComparedCode,
        proof: Opaque::new(&proof).expect("short"),
    };
    let mut buffer = [0; RELAY_MAX];
    let len = encode(&request, &mut buffer).expect("room").len();
    let sealed = channel.seal(&mut buffer, len).expect("room").to_vec();
    let mut answer = ask(issuer, &ToIssuer::Enrol(Opaque::new(&sealed).expect("short")), rng);
    let Ok(Opened::Record(record)) = channel.open(&mut answer) else { panic!("closed") };
    let Ok(EnrolToBand::Issued { nonce, credential }) = decode_record(record) else { panic!("refused") };
    let credential = Unverified::<Credential>::parse(credential.as_bytes()).expect("a credential").claims().id;
    issuer.confirm(credential, enrolment.digits(&nonce).number(), NOW).expect("the digits");
    (credential, signing)
}
