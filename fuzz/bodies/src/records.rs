//! Each direction of each link.

use core::fmt::Debug;

use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{DecodeError, Record, decode_record, encode};

use crate::input::Input;

/// Longer than any record.
const ROOM: usize = 4_200;

/// Decodes bytes as a record of one direction, and encodes what they were.
pub fn records(data: &[u8]) {
    let mut input = Input::new(data);
    let direction = input.below(8);
    let bytes = input.rest();
    match direction {
        0 => check::<ToBand<'_>>(bytes),
        1 => check::<ToWallet<'_>>(bytes),
        2 => check::<EnrolToIssuer<'_>>(bytes),
        3 => check::<EnrolToBand<'_>>(bytes),
        4 => check::<ToIssuer<'_>>(bytes),
        5 => check::<FromIssuer<'_>>(bytes),
        6 => check::<ToPayee<'_>>(bytes),
        _ => check::<FromPayee<'_>>(bytes),
    }
}

fn check<'a, T: Record<'a> + Debug + PartialEq>(bytes: &'a [u8]) {
    let mut buffer = [0; ROOM];
    // postcard alone, which takes more than one encoding for a value and does not mind bytes left over.
    let loosely: Option<T> = postcard::from_bytes(bytes).ok();
    match decode_record::<T>(bytes) {
        Ok(record) => {
            assert_eq!(encode(&record, &mut buffer).unwrap(), bytes, "one encoding for each value: {record:?}");
            assert!(bytes.len() <= T::MAX_LEN, "{} of {}", bytes.len(), T::MAX_LEN);
            assert_eq!(loosely, Some(record));
        }
        Err(DecodeError::UnknownVariant(variant)) => {
            assert!(variant >= T::VARIANTS && loosely.is_none());
        }
        Err(_) => {
            let same = loosely.as_ref().is_some_and(|record| encode(record, &mut buffer).unwrap() == bytes);
            assert!(!same, "refused for no reason: {loosely:?}");
        }
    }
}
