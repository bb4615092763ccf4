//! One encoding of every variant of every record, and encodings of none.

use armring_wire::records::Assurance;
use armring_wire::records::band::{Awaited, Decline, Status, ToBand, ToWallet};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{
    Amount, CredentialId, Currency, DecodeError, EnrolmentCode, Opaque, Record, Text, UnixTime, Version, VersionRange,
    decode_record, encode,
};
use serde_json::{Value, json};

use crate::seed::{bytes, hex};

pub(crate) fn vectors() -> Value {
    json!({
        "about": "Each record of each direction: its encoding, and its fields (numbers of fixed width and opaque bytes in hexadecimal, as \
                  they are encoded). In 'bad', 'malformed' ends the connection or is refused; 'unknown variant' is answered with Unknown.",
        "to_band": good(&to_band()),
        "to_wallet": good(&to_wallet()),
        "enrol_to_issuer": good(&enrol_to_issuer()),
        "enrol_to_band": good(&enrol_to_band()),
        "to_issuer": good(&to_issuer()),
        "from_issuer": good(&from_issuer()),
        "to_payee": good(&to_payee()),
        "from_payee": good(&from_payee()),
        "bad": bad(),
    })
}

/// Every variant in order, or this stops.
fn good<'a, T: Record<'a> + core::fmt::Debug>(records: &[T]) -> Vec<Value> {
    assert_eq!(u32::try_from(records.len()), Ok(T::VARIANTS), "a vector for each variant");
    let vector = |(tag, record): (usize, &T)| {
        let mut buffer = vec![0; T::MAX_LEN];
        let encoded = encode(record, &mut buffer).unwrap();
        assert_eq!(usize::from(encoded[0]), tag, "in order");
        let name = format!("{record:?}");
        let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let mut fields = serde_json::to_value(record).unwrap();
        fields = fields.as_object_mut().and_then(|object| object.remove(name)).unwrap_or_default();
        shorten(&mut fields);
        json!({ "variant": tag, "name": name, "fields": fields, "encoded": hex(encoded) })
    };
    records.iter().enumerate().map(vector).collect()
}

/// Writes arrays of bytes in hexadecimal.
pub(crate) fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => {
            let bytes: Option<Vec<u8>> =
                items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            match bytes {
                Some(bytes) => *value = hex(bytes).into(),
                None => items.iter_mut().for_each(shorten),
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

fn opaque<const MAX: usize>(bytes: &'static [u8]) -> Opaque<'static, MAX> {
    Opaque::new(bytes).unwrap()
}

const VERSIONS: VersionRange = VersionRange { lowest: Version(1), highest: Version(2) };

fn code() -> EnrolmentCode {
    EnrolmentCode(bytes("enrolment code"))
}

fn to_band() -> Vec<ToBand<'static>> {
    vec![
        ToBand::Confirm { share: bytes("wallet's share") },
        ToBand::Status,
        ToBand::Enrol { code: code(), key_list: opaque(b"key list") },
        ToBand::FromIssuer(opaque(b"sealed")),
        ToBand::Unlock,
        ToBand::Pay { request: opaque(b"request") },
        ToBand::Receive {
            amount: Amount::new(12_50, Currency::CNY),
            expiry: UnixTime::from_secs(1_800_000_000),
            memo: Text::new("茶 for two").unwrap(),
        },
        ToBand::Paid { receipt: opaque(b"receipt") },
        ToBand::Received { token: opaque(b"token"), receipt: opaque(b"receipt") },
        ToBand::Cancel,
        ToBand::KeyList(opaque(b"key list")),
        ToBand::Unknown(300),
        ToBand::Generation { generation: 300, lost: 2 },
        ToBand::PayTo { request: opaque(b"request"), certificate: opaque(b"certificate") },
        ToBand::Unpair,
        ToBand::UnpairOthers,
        ToBand::Replace,
    ]
}

fn to_wallet() -> Vec<ToWallet<'static>> {
    let credential = Some(CredentialId(bytes("credential id")));
    vec![
        ToWallet::Confirm { share: bytes("band's share") },
        ToWallet::Status(Status { worn: true, unlocked: false, credential }),
        ToWallet::ToIssuer(opaque(b"sealed")),
        ToWallet::Enrolled { credential: opaque(b"credential") },
        ToWallet::Waiting(Awaited::FreshUnlock),
        ToWallet::Token { token: opaque(b"token") },
        ToWallet::Request { request: opaque(b"request") },
        ToWallet::Declined(Decline::OverLimit),
        ToWallet::Noted,
        ToWallet::Unknown(u32::MAX),
        ToWallet::Generation { generation: 300 },
        ToWallet::EnrolStart { versions: VERSIONS, message: opaque(b"message") },
        ToWallet::Unpaired,
    ]
}

fn enrol_to_issuer() -> Vec<EnrolToIssuer<'static>> {
    let (payment_key, assurance) = (bytes("payment key"), Assurance::ComparedCode);
    vec![
        EnrolToIssuer::Request { code: code(), payment_key, assurance, proof: opaque(b"proof") },
        EnrolToIssuer::Unknown(3),
        EnrolToIssuer::Attested {
            code: code(),
            payment_key,
            assurance,
            proof: opaque(b"proof"),
            attestation: opaque(b"attestation"),
        },
    ]
}

fn enrol_to_band() -> Vec<EnrolToBand<'static>> {
    vec![
        EnrolToBand::Issued { nonce: bytes("digits nonce"), credential: opaque(b"credential") },
        EnrolToBand::Refused(EnrolRefusal::Assurance),
        EnrolToBand::Unknown(3),
    ]
}

fn to_issuer() -> Vec<ToIssuer<'static>> {
    vec![
        ToIssuer::KeyList,
        ToIssuer::Enrol(opaque(b"sealed")),
        ToIssuer::Redeem { request: opaque(b"request"), token: opaque(b"token") },
        ToIssuer::Unknown(7),
        ToIssuer::EnrolStart { versions: VERSIONS, message: opaque(b"message") },
        ToIssuer::Revocations { since: 300, part: 1 },
        ToIssuer::Refund(opaque(b"refund")),
    ]
}

fn from_issuer() -> Vec<FromIssuer<'static>> {
    vec![
        FromIssuer::KeyList(opaque(b"key list")),
        FromIssuer::Enrol(opaque(b"sealed")),
        FromIssuer::Receipt(opaque(b"receipt")),
        FromIssuer::Refused(Refusal::Busy),
        FromIssuer::Unknown(7),
        FromIssuer::Revocations(opaque(b"revocation list")),
        FromIssuer::Refunded(opaque(b"refund receipt")),
    ]
}

fn to_payee() -> Vec<ToPayee<'static>> {
    vec![
        ToPayee::Ask,
        ToPayee::Token(opaque(b"token")),
        ToPayee::Unknown(6),
        ToPayee::Offline { token: opaque(b"token"), credential: opaque(b"credential") },
    ]
}

fn from_payee() -> Vec<FromPayee<'static>> {
    vec![
        FromPayee::Request { request: opaque(b"request"), certificate: opaque(b"certificate") },
        FromPayee::Receipt(opaque(b"receipt")),
        FromPayee::Refused(Refusal::NotOffline),
        FromPayee::Nothing,
        FromPayee::Unknown(4),
        FromPayee::Pending,
        FromPayee::Person { request: opaque(b"request"), credential: opaque(b"credential") },
    ]
}

/// What a band must not take for a record, whatever it is. The same holds for every direction.
fn bad() -> Vec<Value> {
    let receive = |currency: u16, memo: &[u8]| {
        let mut record = vec![6];
        record.extend(12_50u64.to_le_bytes());
        record.extend(currency.to_le_bytes());
        record.extend(1_800_000_000u32.to_le_bytes());
        record.push(u8::try_from(memo.len()).unwrap());
        record.extend(memo);
        record
    };
    let long = |len: usize| {
        let mut record = vec![5, u8::try_from(len % 128).unwrap() | 0x80, u8::try_from(len / 128).unwrap()];
        record.extend(vec![0xAA; len]);
        record
    };
    let malformed = [
        ("nothing at all", vec![]),
        ("a byte left over", vec![1, 0]),
        ("a share cut by a byte", [vec![0], vec![7; 31]].concat()),
        ("a share with a byte more", [vec![0], vec![7; 33]].concat()),
        ("an over-long tag: Status in two bytes", vec![0x81, 0]),
        ("an over-long tag: Status in five bytes", vec![0x81, 0x80, 0x80, 0x80, 0]),
        ("a tag that never ends", vec![0xFF; 6]),
        ("a tag above 32 bits", vec![0xFF, 0xFF, 0xFF, 0xFF, 0x1F]),
        ("an over-long length", vec![5, 0x81, 0, 0xAA]),
        ("a length above what follows", vec![5, 2, 0xAA]),
        ("an object of 157 bytes, one more than there may be", long(157)),
        ("currency 000", receive(0, b"tea")),
        ("currency 1000", receive(1000, b"tea")),
        ("a memo with a line break", receive(156, b"tea\nfree")),
        ("a memo with an escape", receive(156, b"tea\x1b[2J")),
        ("a memo that is not UTF-8", receive(156, b"\xff\xfe")),
        ("a memo of 33 bytes", receive(156, &[b'x'; 33])),
        ("an over-long number of a variant", vec![11, 0x80, 0]),
        ("a generation above 32 bits", vec![12, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0]),
    ];
    let unknown = [
        ("the first variant that this version does not know", vec![17], 17),
        ("variant 127 with a body", vec![127, 1, 2, 3], 127),
        ("variant 300", vec![0xAC, 0x02], 300),
        ("the highest variant", vec![0xFF, 0xFF, 0xFF, 0xFF, 0x0F], u32::MAX),
    ];
    let case = |name: &str, record: &[u8], error: DecodeError, word: &str| {
        assert_eq!(decode_record::<ToBand<'_>>(record), Err(error), "{name}");
        json!({ "direction": "to_band", "name": name, "encoded": hex(record), "error": word })
    };
    let malformed = malformed.iter().map(|(name, record)| case(name, record, DecodeError::Malformed, "malformed"));
    let unknown = unknown
        .iter()
        .map(|(name, record, variant)| case(name, record, DecodeError::UnknownVariant(*variant), "unknown variant"));
    malformed.chain(unknown).collect()
}
