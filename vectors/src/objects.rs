//! One of each signed object: who signs it, what exactly is signed, its digest; and objects that are none.

use armring_token::{
    Counter, Credential, CredentialRights, Enrolment, Epoch, Form, FreeCount, Gesture, KeyEntry, KeyList, KeyUse, Limits, Minor,
    Object, PayeeCertificate, PayeeRights, PaymentKey, PaymentRequest, PaymentToken, Presence, PublicKey, Receipt, Refund,
    RefundReceipt, Revocation, RevocationList, Revocations, RootKey, Sequence, Signing, Unlocking, Unverified,
};
use armring_wire::records::Assurance;
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, EnrolmentCode, KeyId, Outcome, PayeeId, PayeeRef, RefundDigest,
    RequestDigest, RootFingerprint, Text, TokenDigest, UnixTime, Validity, VersionRange,
};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::objects_bad;
use crate::records::shorten;
use crate::seed::{bytes, hex};

pub(crate) fn signer(name: &str) -> SigningKey {
    SigningKey::from_bytes(&bytes(name))
}

fn public(name: &str) -> [u8; 32] {
    signer(name).verifying_key().to_bytes()
}

pub(crate) fn root() -> RootFingerprint {
    RootKey::from_bytes(public("root key")).unwrap().fingerprint()
}

/// Parses and verifies an object under this root with this key; gives the digest.
type Verify = fn(&[u8], &RootFingerprint, [u8; 32]) -> Result<[u8; 32], String>;

/// One kind of object, its type forgotten.
pub(crate) struct Kind {
    pub(crate) label: &'static str,
    pub(crate) signer: &'static str,
    pub(crate) object: Vec<u8>,
    fields: Value,
    pub(crate) verify: Verify,
}

macro_rules! kind {
    ($object:ty, $value:expr, $signer:literal) => {{
        let value = $value;
        let mut buffer = vec![0; <$object>::MAX_LEN];
        let object = value.sign(&root(), &Signing::new(signer($signer)), &mut buffer).unwrap().to_vec();
        let mut fields = serde_json::to_value(&value).unwrap();
        shorten(&mut fields);
        Kind {
            label: <$object>::LABEL,
            signer: $signer,
            object,
            fields,
            verify: |object, root, key| {
                let key = PublicKey::from_bytes(key).ok_or("the key is no key")?;
                let unverified = Unverified::<$object>::parse(object).map_err(|error| error.to_string())?;
                unverified.verify(root, &key).map(|verified| *verified.digest()).map_err(|error| error.to_string())
            },
        }
    }};
}

pub(crate) fn kinds() -> Vec<Kind> {
    vec![
        kind!(KeyList, key_list(), "root key"),
        kind!(PayeeCertificate<'_>, certificate(), "issuer key"),
        kind!(Credential, credential(), "issuer key"),
        kind!(PaymentRequest<'_>, request(), "payee key"),
        kind!(PaymentToken, token(), "payment key"),
        kind!(Receipt, receipt(), "issuer key"),
        kind!(RevocationList<'_>, revocation_list(), "issuer key"),
        kind!(Refund, refund(), "payee key"),
        kind!(RefundReceipt, refund_receipt(), "issuer key"),
    ]
}

pub(crate) fn vectors() -> Value {
    let names = ["root key", "issuer key", "payee key", "payment key"];
    let key = |name: &str| (name.to_owned(), json!({ "secret": hex(signer(name).to_bytes()), "public": hex(public(name)) }));
    json!({
        "about": "Ed25519 (RFC 8032) over 'signed'. 'object' travels: signature (64), then the body. 'digest' is by which others name it. \
                  A bad object is verified as 'as', with the right key unless it names another.",
        "keys": serde_json::Map::from_iter(names.map(key)),
        "root_fingerprint": hex(root().0),
        "objects": kinds().iter().map(vector).collect::<Vec<_>>(),
        "enrolment_proof": enrolment(),
        "bad": objects_bad::vectors(),
    })
}

/// What is signed, put together by hand.
pub(crate) fn signed(label: &str, root: &RootFingerprint, body: &[u8]) -> Vec<u8> {
    let label = format!("armring/1 {label}");
    [&[u8::try_from(label.len()).unwrap()], label.as_bytes(), &root.0, body].concat()
}

fn vector(kind: &Kind) -> Value {
    let digest = (kind.verify)(&kind.object, &root(), public(kind.signer)).unwrap();
    json!({
        "label": kind.label,
        "signed_by": kind.signer,
        "fields": kind.fields,
        "signed": hex(signed(kind.label, &root(), &kind.object[64..])),
        "object": hex(&kind.object),
        "digest": hex(digest),
    })
}

/// The proof of possession, which is no object of its own.
fn enrolment() -> Value {
    let handshake = bytes("handshake hash");
    let enrolment = Enrolment {
        handshake: &handshake,
        code: EnrolmentCode(bytes("enrolment code")),
        payment_key: PaymentKey::from_bytes(public("payment key")).unwrap(),
        assurance: Assurance::ComparedCode,
    };
    let proof = enrolment.prove(&root(), &Signing::new(signer("payment key"))).unwrap();
    let message = [&handshake[..], &enrolment.code.0, enrolment.payment_key.as_bytes(), &[2]].concat();
    let nonce = bytes("digits nonce");
    json!({
        "handshake_hash": hex(handshake),
        "code": hex(enrolment.code.0),
        "payment_key": hex(enrolment.payment_key.as_bytes()),
        "assurance": 2,
        "signed": hex(signed("enrolment", &root(), &message)),
        "proof": hex(proof),
        "nonce": hex(nonce),
        "digits": enrolment.digits(&nonce).to_string().replace(' ', ""),
    })
}

fn validity() -> Validity {
    Validity { from: UnixTime::from_secs(1_790_000_000), until: UnixTime::from_secs(1_820_000_000) }
}

fn payee() -> PayeeRef {
    PayeeRef::Certificate(PayeeId(bytes("payee id")))
}

fn credential_id() -> CredentialId {
    CredentialId(bytes("credential id"))
}

fn key_list() -> KeyList {
    let entry = |id, key_use, key| KeyEntry { id: KeyId(id), key_use, key, validity: validity() };
    let keys = [entry(1, KeyUse::Signing, public("issuer key")), entry(2, KeyUse::Enrolment, bytes("enrolment key"))];
    KeyList {
        form: Form,
        epoch: Epoch(7),
        issued: UnixTime::from_secs(1_795_000_000),
        next_update: UnixTime::from_secs(1_795_086_400),
        versions: VersionRange::SUPPORTED,
        keys: keys.into_iter().collect(),
    }
}

fn certificate() -> PayeeCertificate<'static> {
    PayeeCertificate {
        form: Form,
        key: KeyId(1),
        payee: PayeeId(bytes("payee id")),
        payee_key: public("payee key"),
        name: Text::new("Tea House 茶馆").unwrap(),
        currency: Currency::CNY,
        rights: PayeeRights::PAYMENT,
        validity: validity(),
    }
}

fn credential() -> Credential {
    Credential {
        form: Form,
        key: KeyId(1),
        id: credential_id(),
        payment_key: public("payment key"),
        account: AccountPseudonym(bytes("account")),
        currency: Currency::CNY,
        limits: Limits {
            each: Minor(1_000_00),
            press: Minor(200_00),
            free: Minor(5_00),
            free_count: FreeCount(3),
            free_total: Minor(10_00),
            offline_total: Minor(300_00),
        },
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
        validity: validity(),
    }
}

fn request() -> PaymentRequest<'static> {
    PaymentRequest {
        form: Form,
        payee: payee(),
        amount: Amount::new(12_50, Currency::CNY),
        nonce: bytes("request nonce"),
        expiry: UnixTime::from_secs(1_800_000_000),
        memo: Text::new("tea for two").unwrap(),
    }
}

fn token() -> PaymentToken {
    let mut buffer = [0; PaymentRequest::MAX_LEN];
    let request = request().sign(&root(), &Signing::new(signer("payee key")), &mut buffer).unwrap();
    PaymentToken {
        form: Form,
        credential: credential_id(),
        payee: payee(),
        request: RequestDigest(Unverified::<PaymentRequest<'_>>::parse(request).unwrap().digest(&root())),
        amount: Amount::new(12_50, Currency::CNY),
        counter: Counter(3),
        cumulative: Minor(99_00),
        presence: Presence { minutes_worn: 600, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
    }
}

fn token_digest() -> TokenDigest {
    token().digest(&root())
}

fn receipt() -> Receipt {
    Receipt {
        form: Form,
        key: KeyId(1),
        token: token_digest(),
        outcome: Outcome::Settled,
        sequence: Sequence(3),
        time: UnixTime::from_secs(1_799_999_990),
        ceiling: Amount::new(399_00, Currency::CNY),
    }
}

fn revocation_list() -> RevocationList<'static> {
    let subjects = [PayeeRef::Certificate(PayeeId(bytes("another payee"))), PayeeRef::Credential(credential_id())];
    let entries = subjects.into_iter().zip([true, false]).map(|(subject, revoked)| Revocation { subject, revoked });
    RevocationList {
        form: Form,
        key: KeyId(1),
        epoch: Epoch(12),
        since: Epoch(10),
        part: 0,
        parts: 1,
        issued: UnixTime::from_secs(1_795_000_000),
        next_update: UnixTime::from_secs(1_795_086_400),
        entries: Revocations::write(entries, Vec::leak(vec![0; 18])).unwrap(),
    }
}

fn refund() -> Refund {
    Refund {
        form: Form,
        payee: payee(),
        token: token_digest(),
        amount: Amount::new(2_50, Currency::CNY),
        nonce: bytes("refund nonce"),
    }
}

fn refund_receipt() -> RefundReceipt {
    let mut buffer = [0; Refund::MAX_LEN];
    let refund = refund().sign(&root(), &Signing::new(signer("payee key")), &mut buffer).unwrap();
    RefundReceipt {
        form: Form,
        key: KeyId(1),
        refund: RefundDigest(Unverified::<Refund>::parse(refund).unwrap().digest(&root())),
        token: token_digest(),
        outcome: Outcome::Settled,
        left: Amount::new(10_00, Currency::CNY),
        time: UnixTime::from_secs(1_800_000_500),
    }
}
