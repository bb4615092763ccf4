//! One committed encoding for every variant of every record. A variant never changes: where one of these fails, peers that are in use
//! will not understand this build.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests say what they expect by panicking")]

mod common;

use armring_wire::records::Assurance;
use armring_wire::records::band::{Awaited, Decline, Status, ToBand, ToWallet};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{
    Amount, CredentialId, Currency, EnrolmentCode, Opaque, Record, Text, UnixTime, Version, VersionRange, decode_record, encode,
};
use common::variant_names;

const SHARE: [u8; 32] = *b"thirty-two random bytes of share";
const VERSIONS: VersionRange = VersionRange { lowest: Version(1), highest: Version(5) };
const CODE: EnrolmentCode = EnrolmentCode(*b"enrolment code 1");

fn opaque<const MAX: usize>(bytes: &[u8]) -> Opaque<'_, MAX> {
    Opaque::new(bytes).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Checks a table of one direction: every variant is in it, in order, and is what it says, there and back.
macro_rules! check {
    ($record:ident, $table:expr) => {
        let table: &[(&str, $record<'_>, &str)] = &$table;
        let names: Vec<_> = table.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, variant_names::<$record<'static>>(), "a vector for each variant");
        let tags: Vec<_> = table.iter().map(|(.., hex)| u32::from(unhex(hex)[0])).collect();
        assert_eq!(tags, (0..<$record<'_>>::VARIANTS).collect::<Vec<_>>());
        for (name, value, hex) in table {
            let mut buffer = [0; <$record<'_>>::MAX_LEN];
            assert_eq!(encode(value, &mut buffer).unwrap(), unhex(hex), "{name}");
            assert_eq!(decode_record::<$record<'_>>(&unhex(hex)).as_ref(), Ok(value), "{name}");
            assert!(format!("{value:?}").starts_with(name), "{name} is {value:?}");
        }
    };
}

#[test]
fn to_band() {
    check!(
        ToBand,
        [
            ("Confirm", ToBand::Confirm { share: SHARE }, "00 7468697274792d74776f2072616e646f6d206279746573206f66207368617265"),
            ("Status", ToBand::Status, "01"),
            (
                "Enrol",
                ToBand::Enrol { code: CODE, key_list: opaque(b"key list") },
                "02 656e726f6c6d656e7420636f64652031 08 6b6579206c697374"
            ),
            ("FromIssuer", ToBand::FromIssuer(opaque(b"sealed")), "03 06 7365616c6564"),
            ("Unlock", ToBand::Unlock, "04"),
            ("Pay", ToBand::Pay { request: opaque(b"request") }, "05 07 72657175657374"),
            (
                "Receive",
                ToBand::Receive {
                    amount: Amount::new(12_50, Currency::CNY),
                    expiry: UnixTime::from_secs(1_800_000_000),
                    memo: Text::new("茶 for two").unwrap()
                },
                "06 e204000000000000 9c00 00d2496b 0b e88cb620666f722074776f"
            ),
            ("Paid", ToBand::Paid { receipt: opaque(b"receipt") }, "07 07 72656365697074"),
            (
                "Received",
                ToBand::Received { token: opaque(b"token"), receipt: opaque(b"receipt") },
                "08 05 746f6b656e 07 72656365697074"
            ),
            ("Cancel", ToBand::Cancel, "09"),
            ("KeyList", ToBand::KeyList(opaque(b"key list")), "0a 08 6b6579206c697374"),
            ("Unknown", ToBand::Unknown(300), "0b ac02"),
            ("Generation", ToBand::Generation { generation: 300, lost: 200 }, "0c ac02 c8"),
            (
                "PayTo",
                ToBand::PayTo { request: opaque(b"request"), certificate: opaque(b"certificate") },
                "0d 07 72657175657374 0b 6365727469666963617465"
            ),
            ("Unpair", ToBand::Unpair, "0e"),
            ("UnpairOthers", ToBand::UnpairOthers, "0f"),
            ("Replace", ToBand::Replace, "10"),
        ]
    );
}

#[test]
fn to_wallet() {
    let credential = Some(CredentialId([0xC1, 2, 3, 4, 5, 6, 7, 8]));
    check!(
        ToWallet,
        [
            (
                "Confirm",
                ToWallet::Confirm { share: SHARE },
                "00 7468697274792d74776f2072616e646f6d206279746573206f66207368617265"
            ),
            ("Status", ToWallet::Status(Status { worn: true, unlocked: false, credential }), "01 01 00 01 c102030405060708"),
            ("ToIssuer", ToWallet::ToIssuer(opaque(b"sealed")), "02 06 7365616c6564"),
            ("Enrolled", ToWallet::Enrolled { credential: opaque(b"credential") }, "03 0a 63726564656e7469616c"),
            ("Waiting", ToWallet::Waiting(Awaited::FreshUnlock), "04 03"),
            ("Token", ToWallet::Token { token: opaque(b"token") }, "05 05 746f6b656e"),
            ("Request", ToWallet::Request { request: opaque(b"request") }, "06 07 72657175657374"),
            ("Declined", ToWallet::Declined(Decline::AlreadyEnrolled), "07 0d"),
            ("Noted", ToWallet::Noted, "08"),
            ("Unknown", ToWallet::Unknown(u32::MAX), "09 ffffffff0f"),
            ("Generation", ToWallet::Generation { generation: 300 }, "0a ac02"),
            (
                "EnrolStart",
                ToWallet::EnrolStart { versions: VERSIONS, message: opaque(b"message") },
                "0b 01 05 07 6d657373616765"
            ),
            ("Unpaired", ToWallet::Unpaired, "0c"),
        ]
    );
}

#[test]
fn a_status_without_a_credential_and_a_code_without_a_name() {
    let bare = ToWallet::Status(Status { worn: false, unlocked: true, credential: None });
    assert_eq!(encode(&bare, &mut [0; 8]).as_deref(), Ok(&[1, 0, 1, 0][..]));
    assert_eq!(decode_record::<ToWallet<'_>>(&[7, 200]), Ok(ToWallet::Declined(Decline::Other(200))));
}

#[test]
fn enrol_to_issuer() {
    check!(
        EnrolToIssuer,
        [
            (
                "Request",
                EnrolToIssuer::Request {
                    code: CODE,
                    payment_key: SHARE,
                    assurance: Assurance::ComparedCode,
                    proof: opaque(&[0x5A; 64])
                },
                "00 656e726f6c6d656e7420636f64652031 7468697274792d74776f2072616e646f6d206279746573206f66207368617265 02 40
                 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
                 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
            ),
            ("Unknown", EnrolToIssuer::Unknown(2), "01 02"),
            (
                "Attested",
                EnrolToIssuer::Attested {
                    code: CODE,
                    payment_key: SHARE,
                    assurance: Assurance::Press,
                    proof: opaque(b"proof"),
                    attestation: opaque(b"maker")
                },
                "02 656e726f6c6d656e7420636f64652031 7468697274792d74776f2072616e646f6d206279746573206f66207368617265 00
                 05 70726f6f66 05 6d616b6572"
            ),
        ]
    );
}

#[test]
fn the_assurances_of_a_link() {
    let all = [Assurance::Press, Assurance::PrintedSecret, Assurance::ComparedCode, Assurance::DisplayedSecret];
    assert_eq!(encode(&all, &mut [0; 8]).as_deref(), Ok(&[0, 1, 2, 3][..]));
    assert!(all.is_sorted(), "from the least to the most");
}

#[test]
fn enrol_to_band() {
    check!(
        EnrolToBand,
        [
            (
                "Issued",
                EnrolToBand::Issued { nonce: *b"sixteen bytes rb", credential: opaque(b"credential") },
                "00 7369787465656e206279746573207262 0a 63726564656e7469616c"
            ),
            ("Refused", EnrolToBand::Refused(EnrolRefusal::Assurance), "01 03"),
            ("Unknown", EnrolToBand::Unknown(127), "02 7f"),
        ]
    );
}

#[test]
fn to_payee() {
    check!(
        ToPayee,
        [
            ("Ask", ToPayee::Ask, "00"),
            ("Token", ToPayee::Token(opaque(b"token")), "01 05 746f6b656e"),
            ("Unknown", ToPayee::Unknown(128), "02 8001"),
            (
                "Offline",
                ToPayee::Offline { token: opaque(b"token"), credential: opaque(b"credential") },
                "03 05 746f6b656e 0a 63726564656e7469616c"
            ),
        ]
    );
}

#[test]
fn from_payee() {
    check!(
        FromPayee,
        [
            ("Request", FromPayee::Request { request: opaque(b"request"), certificate: opaque(b"") }, "00 07 72657175657374 00"),
            ("Receipt", FromPayee::Receipt(opaque(b"receipt")), "01 07 72656365697074"),
            ("Refused", FromPayee::Refused(Refusal::Mismatch), "02 05"),
            ("Nothing", FromPayee::Nothing, "03"),
            ("Unknown", FromPayee::Unknown(0), "04 00"),
            ("Pending", FromPayee::Pending, "05"),
            (
                "Person",
                FromPayee::Person { request: opaque(b"request"), credential: opaque(b"credential") },
                "06 07 72657175657374 0a 63726564656e7469616c",
            ),
        ]
    );
}

#[test]
fn to_issuer() {
    check!(
        ToIssuer,
        [
            ("KeyList", ToIssuer::KeyList, "00"),
            ("Enrol", ToIssuer::Enrol(opaque(b"sealed")), "01 06 7365616c6564"),
            (
                "Redeem",
                ToIssuer::Redeem { request: opaque(b"request"), token: opaque(b"token") },
                "02 07 72657175657374 05 746f6b656e"
            ),
            ("Unknown", ToIssuer::Unknown(16_384), "03 808001"),
            (
                "EnrolStart",
                ToIssuer::EnrolStart { versions: VERSIONS, message: opaque(b"message") },
                "04 01 05 07 6d657373616765"
            ),
            ("Revocations", ToIssuer::Revocations { since: 300, part: 128 }, "05 ac02 8001"),
            ("Refund", ToIssuer::Refund(opaque(b"refund")), "06 06 726566756e64"),
        ]
    );
}

#[test]
fn from_issuer() {
    check!(
        FromIssuer,
        [
            ("KeyList", FromIssuer::KeyList(opaque(b"key list")), "00 08 6b6579206c697374"),
            ("Enrol", FromIssuer::Enrol(opaque(b"sealed")), "01 06 7365616c6564"),
            ("Receipt", FromIssuer::Receipt(opaque(b"receipt")), "02 07 72656365697074"),
            ("Refused", FromIssuer::Refused(Refusal::Busy), "03 06"),
            ("Unknown", FromIssuer::Unknown(5), "04 05"),
            ("Revocations", FromIssuer::Revocations(opaque(b"list")), "05 04 6c697374"),
            ("Refunded", FromIssuer::Refunded(opaque(b"receipt")), "06 07 72656365697074"),
        ]
    );
}

/// The longest encodings on the band's link, as their bounds make them. The channel pads them to 32, 64, 160, 320 or 640 bytes, with one
/// byte at least: what a payment needs travels in one write of an iPhone.
#[test]
fn sizes_on_the_bands_link() {
    let object = || opaque(&[0xFF; 156]);
    let memo = Text::new("thirty-two bytes of memo or less").unwrap();
    let amount = Amount::new(u64::MAX, Currency::EUR);
    let status = Status { worn: true, unlocked: true, credential: Some(CredentialId([0xFF; 8])) };
    let len = |value: ToBand<'_>| encode(&value, &mut [0; 600]).unwrap().len();
    assert_eq!(len(ToBand::Confirm { share: SHARE }), 33);
    assert_eq!(len(ToBand::Enrol { code: CODE, key_list: opaque(&[0xFF; 480]) }), 499);
    assert_eq!(len(ToBand::FromIssuer(opaque(&[0xFF; 336]))), 339);
    assert_eq!(len(ToBand::Pay { request: object() }), 159);
    assert_eq!(len(ToBand::Receive { amount, expiry: UnixTime::from_secs(u32::MAX), memo }), 48);
    assert_eq!(len(ToBand::Paid { receipt: object() }), 159);
    assert_eq!(len(ToBand::Received { token: object(), receipt: object() }), 317);
    assert_eq!(len(ToBand::PayTo { request: object(), certificate: opaque(&[0xFF; 288]) }), 449);
    assert_eq!(len(ToBand::KeyList(opaque(&[0xFF; 480]))), 483);
    let len = |value: ToWallet<'_>| encode(&value, &mut [0; 600]).unwrap().len();
    assert_eq!(len(ToWallet::Status(status)), 12);
    assert_eq!(len(ToWallet::ToIssuer(opaque(&[0xFF; 336]))), 339);
    assert_eq!(len(ToWallet::Enrolled { credential: opaque(&[0xFF; 288]) }), 291);
    assert_eq!(len(ToWallet::Token { token: object() }), 159);
    assert_eq!(len(ToWallet::Request { request: object() }), 159);
    assert_eq!((ToBand::MAX_LEN, ToWallet::MAX_LEN), (499, 341));
}
