//! An issuer's keys, a shop and a payer, for the tests. What the issuer decides is said by the test.

pub(crate) mod stall;

use armring_payee::{Payee, ReceiptError, Sale};
use armring_token::{
    Counter, Credential, CredentialRights, Epoch, Form, FreeCount, Gesture, Issuer, KeyEntry, KeyList, KeyUse, Limits, Minor,
    Object, PayeeCertificate, PayeeRights, PaymentRequest, PaymentToken, Presence, Receipt, Root, RootKey, Sequence, Signing,
    Unlocking, Unverified, Verified,
};
use armring_wire::records::Assurance;
use armring_wire::records::issuer::FromIssuer;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{
    AccountPseudonym, Amount, CredentialId, Currency, KeyId, Opaque, Outcome, PayeeId, PayeeRef, RootFingerprint, Text,
    TokenDigest, UnixTime, Validity, VersionRange, encode,
};
use ed25519_dalek::SigningKey;
pub(crate) use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(crate) const EXPIRY: UnixTime = UnixTime::from_secs(1_800_000_600);
pub(crate) const VALIDITY: Validity =
    Validity { from: UnixTime::from_secs(1_700_000_000), until: UnixTime::from_secs(1_900_000_000) };
pub(crate) const SHOP: PayeeRef = PayeeRef::Certificate(PayeeId(*b"teahouse"));

pub(crate) fn cny(minor: u64) -> Amount {
    Amount::new(minor, Currency::CNY)
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

pub(crate) fn root() -> RootKey {
    RootKey::from_bytes(key(1).verifying_key().to_bytes()).unwrap()
}

pub(crate) fn fingerprint() -> RootFingerprint {
    root().fingerprint()
}

/// A key list that names the key of this seed.
pub(crate) fn key_list(epoch: u32, signing_seed: u8) -> Vec<u8> {
    key_list_until(epoch, signing_seed, VALIDITY.until)
}

pub(crate) fn key_list_until(epoch: u32, signing_seed: u8, next_update: UnixTime) -> Vec<u8> {
    let entry = |id, seed, validity| KeyEntry {
        id: KeyId(id),
        key_use: KeyUse::Signing,
        key: key(seed).verifying_key().to_bytes(),
        validity,
    };
    let past = Validity { from: VALIDITY.from, until: NOW };
    let keys = [entry(1, signing_seed, VALIDITY), entry(2, 20, past)].into_iter().collect();
    let list = KeyList { form: Form, epoch: Epoch(epoch), issued: NOW, next_update, versions: VersionRange::SUPPORTED, keys };
    sign(&list, &Signing::<Root, _>::new(key(1)))
}

pub(crate) fn sign<'a, T: Object<'a>>(object: &T, key: &Signing<T::By, SigningKey>) -> Vec<u8> {
    let mut buffer = vec![0; T::MAX_LEN];
    object.sign(&fingerprint(), key, &mut buffer).unwrap().to_vec()
}

pub(crate) fn certificate(shop_seed: u8, signing_seed: u8) -> Vec<u8> {
    certificate_of(*b"teahouse", shop_seed, signing_seed)
}

/// Another payee with the same key.
pub(crate) fn other_certificate() -> Vec<u8> {
    certificate_of(*b"roadside", 3, 2)
}

fn certificate_of(id: [u8; 8], shop_seed: u8, signing_seed: u8) -> Vec<u8> {
    let body = PayeeCertificate {
        form: Form,
        key: KeyId(1),
        payee: PayeeId(id),
        payee_key: key(shop_seed).verifying_key().to_bytes(),
        name: Text::new("茶馆").unwrap(),
        currency: Currency::CNY,
        rights: PayeeRights::PAYMENT,
        validity: VALIDITY,
    };
    sign(&body, &Signing::<Issuer, _>::new(key(signing_seed)))
}

pub(crate) type Shop = Payee<SigningKey>;

pub(crate) fn shop() -> Shop {
    Payee::new(root(), &key_list(3, 2), &certificate(3, 2), Signing::new(key(3))).unwrap()
}

pub(crate) fn sale(shop: &Shop) -> Sale {
    shop.request(cny(1_250), "tea for two", (NOW, EXPIRY), &mut rng()).unwrap()
}

/// What a band signs for the sale, with something changed.
pub(crate) fn token_with(sale: &Sale, change: impl FnOnce(&mut PaymentToken)) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(sale.request()).unwrap();
    let mut body = PaymentToken {
        form: Form,
        credential: CredentialId([5; 8]),
        payee: request.claims().payee,
        request: request.request_digest(&fingerprint()),
        amount: sale.amount(),
        counter: Counter(1),
        cumulative: Minor(sale.amount().minor()),
        presence: Presence { minutes_worn: 9, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: true },
    };
    change(&mut body);
    sign(&body, &Signing::new(key(4)))
}

pub(crate) fn token(sale: &Sale) -> Vec<u8> {
    token_with(sale, |_| {})
}

pub(crate) fn digest(token: &[u8]) -> TokenDigest {
    Unverified::<PaymentToken>::parse(token).unwrap().token_digest(&fingerprint())
}

pub(crate) fn receipt_body(token: &[u8], outcome: Outcome) -> Receipt {
    let (token, sequence) = (digest(token), Sequence(1));
    Receipt { form: Form, key: KeyId(1), token, outcome, sequence, time: NOW, ceiling: cny(9_999) }
}

pub(crate) fn receipt(token: &[u8], outcome: Outcome) -> Vec<u8> {
    sign(&receipt_body(token, outcome), &Signing::new(key(2)))
}

pub(crate) fn record(record: &ToPayee<'_>) -> Vec<u8> {
    let mut buffer = [0; 512];
    encode(record, &mut buffer).unwrap().to_vec()
}

/// The payer's credential, with something changed.
pub(crate) fn credential_with(change: impl FnOnce(&mut Credential)) -> Vec<u8> {
    let limits = Limits {
        each: Minor(10_000),
        press: Minor(5_000),
        free: Minor(0),
        free_count: FreeCount(0),
        free_total: Minor(0),
        offline_total: Minor(8_000),
    };
    let mut body = Credential {
        form: Form,
        key: KeyId(1),
        id: CredentialId([5; 8]),
        payment_key: key(4).verifying_key().to_bytes(),
        account: AccountPseudonym([6; 8]),
        currency: Currency::CNY,
        limits,
        assurance: Assurance::ComparedCode,
        rights: CredentialRights::PAY.and(CredentialRights::RECEIVE),
        validity: VALIDITY,
    };
    change(&mut body);
    sign(&body, &Signing::<Issuer, _>::new(key(2)))
}

pub(crate) fn from_issuer(answer: &FromIssuer<'_>) -> Vec<u8> {
    encode(answer, &mut [0; 600]).unwrap().to_vec()
}

/// The issuer answers `token` with `receipt`.
pub(crate) fn answer(sale: &mut Sale, token: &[u8], receipt: &[u8], keys: &Verified<KeyList>) -> Result<bool, ReceiptError> {
    let answer = from_issuer(&FromIssuer::Receipt(Opaque::new(receipt).unwrap()));
    let said = sale.issuer_says(&digest(token), &answer, keys)?;
    assert_eq!(said, FromPayee::Receipt(Opaque::new(receipt).unwrap()));
    Ok(sale.settled().is_some())
}
