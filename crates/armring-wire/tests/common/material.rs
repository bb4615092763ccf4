//! Values of every record of every link.

use armring_wire::records::Assurance;
use armring_wire::records::band::{Awaited, Decline, Status, ToBand, ToWallet};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Amount, CredentialId, Currency, EnrolmentCode, Opaque, Text, UnixTime, Version, VersionRange};
use proptest::collection::vec;
use proptest::prelude::*;

/// What values are made of.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lens: [usize; 2],
    pub(crate) text: String,
    pub(crate) array: [u8; 32],
    pub(crate) number: u64,
    pub(crate) currency: u16,
    pub(crate) variant: u32,
    pub(crate) code: u8,
    pub(crate) flags: [bool; 3],
    pub(crate) assurance: Assurance,
}

impl Material {
    /// The values with the longest encodings.
    pub(crate) fn longest() -> Self {
        Self {
            bytes: vec![0xFF; 5000],
            lens: [5000; 2],
            text: "x".repeat(32),
            array: [0xFF; 32],
            number: u64::MAX,
            currency: 999,
            variant: u32::MAX,
            code: u8::MAX,
            flags: [true; 3],
            assurance: Assurance::DisplayedSecret,
        }
    }

    pub(crate) fn opaque<const MAX: usize>(&self, n: usize) -> Opaque<'_, MAX> {
        Opaque::new(&self.bytes[..self.lens[n].min(MAX)]).unwrap()
    }

    pub(crate) fn code(&self) -> EnrolmentCode {
        EnrolmentCode(self.array[..16].try_into().unwrap())
    }

    pub(crate) fn amount(&self) -> Amount {
        Amount::new(self.number, Currency::from_numeric(self.currency).unwrap())
    }

    pub(crate) fn versions(&self) -> VersionRange {
        VersionRange { lowest: Version(self.array[0]), highest: Version(self.code) }
    }

    pub(crate) fn expiry(&self) -> UnixTime {
        UnixTime::from_secs(self.variant)
    }

    pub(crate) fn status(&self) -> Status {
        let credential = self.flags[2].then(|| CredentialId(self.array[..8].try_into().unwrap()));
        Status { worn: self.flags[0], unlocked: self.flags[1], credential }
    }
}

pub(crate) fn material() -> impl Strategy<Value = Material> {
    // Where a length takes another byte, where a bound is, and anywhere.
    let len = || prop_oneof![Just(0), Just(127), Just(128), Just(156), Just(336), Just(4096), 0..5000usize];
    let number = prop_oneof![Just(0), Just(127), Just(128), Just(u32::MAX), any::<u32>()];
    let assurance = prop_oneof![
        Just(Assurance::Press),
        Just(Assurance::PrintedSecret),
        Just(Assurance::ComparedCode),
        Just(Assurance::DisplayedSecret)
    ];
    let (texts, numbers) = (("[^\\pC]{0,8}", vec(any::<u8>(), 5000)), (any::<u64>(), 1..1000u16, number, any::<u8>()));
    (texts, [len(), len()], numbers, any::<[u8; 32]>(), any::<[bool; 3]>(), assurance).prop_map(
        |((text, bytes), lens, (number, currency, variant, code), array, flags, assurance)| Material {
            bytes,
            lens,
            text,
            array,
            number,
            currency,
            variant,
            code,
            flags,
            assurance,
        },
    )
}

pub(crate) fn to_band(m: &Material) -> Vec<ToBand<'_>> {
    vec![
        ToBand::Confirm { share: m.array },
        ToBand::Status,
        ToBand::Enrol { code: m.code(), key_list: m.opaque(0) },
        ToBand::FromIssuer(m.opaque(0)),
        ToBand::Unlock,
        ToBand::Pay { request: m.opaque(0) },
        ToBand::Receive { amount: m.amount(), expiry: m.expiry(), memo: Text::new(&m.text).unwrap() },
        ToBand::Paid { receipt: m.opaque(0) },
        ToBand::Received { token: m.opaque(0), receipt: m.opaque(1) },
        ToBand::Cancel,
        ToBand::KeyList(m.opaque(0)),
        ToBand::Unknown(m.variant),
        ToBand::Generation { generation: m.variant, lost: m.code },
        ToBand::PayTo { request: m.opaque(0), certificate: m.opaque(1) },
        ToBand::Unpair,
        ToBand::UnpairOthers,
        ToBand::Replace,
    ]
}

pub(crate) fn to_wallet(m: &Material) -> Vec<ToWallet<'_>> {
    vec![
        ToWallet::Confirm { share: m.array },
        ToWallet::Status(m.status()),
        ToWallet::ToIssuer(m.opaque(0)),
        ToWallet::Enrolled { credential: m.opaque(0) },
        ToWallet::Waiting(Awaited::from(m.code)),
        ToWallet::Token { token: m.opaque(0) },
        ToWallet::Request { request: m.opaque(0) },
        ToWallet::Declined(Decline::from(m.code)),
        ToWallet::Noted,
        ToWallet::Unknown(m.variant),
        ToWallet::Generation { generation: m.variant },
        ToWallet::EnrolStart { versions: m.versions(), message: m.opaque(0) },
        ToWallet::Unpaired,
    ]
}

pub(crate) fn enrol_to_issuer(m: &Material) -> Vec<EnrolToIssuer<'_>> {
    let request = EnrolToIssuer::Request { code: m.code(), payment_key: m.array, assurance: m.assurance, proof: m.opaque(0) };
    let attested = EnrolToIssuer::Attested {
        code: m.code(),
        payment_key: m.array,
        assurance: m.assurance,
        proof: m.opaque(0),
        attestation: m.opaque(1),
    };
    vec![request, EnrolToIssuer::Unknown(m.variant), attested]
}

pub(crate) fn enrol_to_band(m: &Material) -> Vec<EnrolToBand<'_>> {
    let issued = EnrolToBand::Issued { nonce: m.code().0, credential: m.opaque(0) };
    vec![issued, EnrolToBand::Refused(EnrolRefusal::from(m.code)), EnrolToBand::Unknown(m.variant)]
}

pub(crate) fn to_payee(m: &Material) -> Vec<ToPayee<'_>> {
    let offline = ToPayee::Offline { token: m.opaque(0), credential: m.opaque(1) };
    vec![ToPayee::Ask, ToPayee::Token(m.opaque(0)), ToPayee::Unknown(m.variant), offline]
}

pub(crate) fn from_payee(m: &Material) -> Vec<FromPayee<'_>> {
    vec![
        FromPayee::Request { request: m.opaque(0), certificate: m.opaque(1) },
        FromPayee::Receipt(m.opaque(0)),
        FromPayee::Refused(Refusal::from(m.code)),
        FromPayee::Nothing,
        FromPayee::Unknown(m.variant),
        FromPayee::Pending,
        FromPayee::Person { request: m.opaque(0), credential: m.opaque(1) },
    ]
}

pub(crate) fn to_issuer(m: &Material) -> Vec<ToIssuer<'_>> {
    let redeem = ToIssuer::Redeem { request: m.opaque(0), token: m.opaque(1) };
    vec![
        ToIssuer::KeyList,
        ToIssuer::Enrol(m.opaque(0)),
        redeem,
        ToIssuer::Unknown(m.variant),
        ToIssuer::EnrolStart { versions: m.versions(), message: m.opaque(0) },
        ToIssuer::Revocations { since: m.variant, part: u16::from(m.code) << 8 | u16::from(m.code) },
        ToIssuer::Refund(m.opaque(0)),
    ]
}

pub(crate) fn from_issuer(m: &Material) -> Vec<FromIssuer<'_>> {
    vec![
        FromIssuer::KeyList(m.opaque(0)),
        FromIssuer::Enrol(m.opaque(0)),
        FromIssuer::Receipt(m.opaque(0)),
        FromIssuer::Refused(Refusal::from(m.code)),
        FromIssuer::Unknown(m.variant),
        FromIssuer::Revocations(m.opaque(0)),
        FromIssuer::Refunded(m.opaque(0)),
    ]
}
