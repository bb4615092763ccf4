//! What a band advertises: that it is one, and to whom it belongs, as far as its own wallets can tell.

use crate::service::SERVICE;

/// Length of a tag in bytes.
const TAG: usize = 16;
/// Legacy advertising and scan response data have at most 31 bytes (Bluetooth Core 6.0, Vol 3, Part C, §11).
const DATA_MAX: usize = 31;

/// AD types (Bluetooth Assigned Numbers, §2.3).
const FLAGS: u8 = 0x01;
const SERVICES_128_SOME: u8 = 0x06;
const SERVICES_128_ALL: u8 = 0x07;
const MANUFACTURER: u8 = 0xFF;
/// LE general discoverable, no BR/EDR.
const FLAGS_VALUE: u8 = 0x06;

/// What a band advertises, beside no name and no address of its own. Each advertising session has another random address and, for a band that is
/// paired, another tag: together they are one session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// Who made the band, as Bluetooth SIG numbers companies.
    pub company: u16,
    /// A tag for one of its wallets; `None` for a band that is not paired.
    pub tag: Option<[u8; TAG]>,
}

impl Advertisement {
    /// Length of the advertising data in bytes.
    pub const DATA_LEN: usize = 21;
    /// Length of the scan response data in bytes.
    pub const SCAN_RESPONSE_LEN: usize = 20;

    /// The advertising data: flags, and the service.
    #[must_use]
    pub fn data(&self) -> [u8; Self::DATA_LEN] {
        let mut data = [0; Self::DATA_LEN];
        let head = [2, FLAGS, FLAGS_VALUE, 17, SERVICES_128_ALL];
        fill(&mut data, head.into_iter().chain(SERVICE.to_le_bytes()));
        data
    }

    /// The scan response data: the maker's, with the tag; `None` for a band without one, which has none.
    #[must_use]
    pub fn scan_response(&self) -> Option<[u8; Self::SCAN_RESPONSE_LEN]> {
        let mut data = [0; Self::SCAN_RESPONSE_LEN];
        let [low, high] = self.company.to_le_bytes();
        fill(&mut data, [19, MANUFACTURER, low, high].into_iter().chain(self.tag?));
        Some(data)
    }
}

fn fill(data: &mut [u8], bytes: impl Iterator<Item = u8>) {
    for (place, byte) in data.iter_mut().zip(bytes) {
        *place = byte;
    }
}

/// What a phone sees of a device: what it advertises and its scan response, one after the other or together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether it says that it has the service: whether it is a band.
    pub is_band: bool,
    /// What may be a tag, to be tried with the links that the wallet has. It proves nothing.
    pub tag: Option<[u8; TAG]>,
}

impl Seen {
    /// Adds what `data` says, at most 31 bytes in legacy advertising. Structures that are cut off, and all that are of no interest, are
    /// passed over.
    #[must_use]
    pub fn and(mut self, data: &[u8]) -> Self {
        let mut rest = data;
        while let Some((&len, after)) = rest.split_first() {
            let Some((structure, next)) = after.split_at_checked(usize::from(len)) else { break };
            rest = next;
            match structure.split_first() {
                Some((&(SERVICES_128_SOME | SERVICES_128_ALL), services)) => {
                    self.is_band |= services.as_chunks::<16>().0.contains(&SERVICE.to_le_bytes());
                }
                Some((&MANUFACTURER, maker)) => {
                    self.tag = maker.get(2..).and_then(|tag| tag.try_into().ok()).or(self.tag);
                }
                _ => {}
            }
        }
        self
    }
}

const _: () = assert!(Advertisement::DATA_LEN <= DATA_MAX && Advertisement::SCAN_RESPONSE_LEN <= DATA_MAX);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phone_sees_the_band_and_its_tag_in_two_packets_or_one() {
        let band = Advertisement { company: 0xFFFF, tag: Some([7; 16]) };
        let response = band.scan_response().unwrap();
        let seen = Seen::default().and(&band.data()).and(&response);
        assert_eq!(seen, Seen { is_band: true, tag: Some([7; 16]) });
        assert_eq!(Seen::default().and(&[&band.data()[..], &response].concat()), seen);
        let unpaired = Advertisement { company: 0xFFFF, tag: None };
        assert_eq!(unpaired.scan_response(), None);
        assert_eq!(Seen::default().and(&unpaired.data()), Seen { is_band: true, tag: None });
    }

    #[test]
    fn other_devices_are_none() {
        let name = [5, 0x09, b'b', b'a', b'n', b'd'];
        let beacon = [5, MANUFACTURER, 0x4C, 0, 2, 3];
        let mut service = [0x11; 18];
        service[1] = SERVICES_128_ALL;
        for data in [&[][..], &[0], &[0, 0], &name, &beacon, &service, &[255, SERVICES_128_ALL]] {
            assert_eq!(Seen::default().and(data), Seen::default(), "{data:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_on_air_is_read_without_harm(data in prop::collection::vec(any::<u8>(), 0..255)) {
            let _ = Seen::default().and(&data);
        }
    }
}
