//! The GATT service that a band has, and what it says of itself.

use core::fmt;

use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};

/// The band's primary service. A layout that phones of this one could not use gets another UUID.
pub const SERVICE: u128 = 0xd7ef_0001_59ed_4fc6_ac98_50c4_ee8b_05bc;
/// Characteristic that the phone writes fragments and acknowledgements to, with or without response.
pub const WRITES: u128 = 0xd7ef_0002_59ed_4fc6_ac98_50c4_ee8b_05bc;
/// Characteristic that the band notifies fragments and acknowledgements with.
pub const NOTIFICATIONS: u128 = 0xd7ef_0003_59ed_4fc6_ac98_50c4_ee8b_05bc;
/// Characteristic in which the phone reads [`Info`].
pub const INFO: u128 = 0xd7ef_0004_59ed_4fc6_ac98_50c4_ee8b_05bc;

/// The ATT MTU of a connection on which none was exchanged (Bluetooth Core 6.0, Vol 3, Part G, §5.2.1).
pub const ATT_MTU_DEFAULT: u16 = 23;
/// The longest value of an attribute (Vol 3, Part F, §3.2.9): what a write or a notification carries at most, whatever the MTU is.
pub const ATT_VALUE_MAX: usize = 512;

/// Opcode and handle in front of each value that is written or notified.
const ATT_HEADER: usize = 3;

/// How many bytes a write or a notification carries at this ATT MTU: 20 to 512.
#[must_use]
pub fn payload_of(att_mtu: u16) -> AttPayload {
    AttPayload::new(usize::from(att_mtu).saturating_sub(ATT_HEADER).min(ATT_VALUE_MAX)).unwrap_or(AttPayload::MIN)
}

/// How many bytes of fragment an SDU carries over an L2CAP channel whose two MTUs these are: 20 to 514.
#[must_use]
pub fn payload_of_channel(ours: u16, theirs: u16) -> AttPayload {
    AttPayload::new(usize::from(ours.min(theirs)).min(ATT_PAYLOAD_MAX)).unwrap_or(AttPayload::MIN)
}

/// Where the band listens for an L2CAP connection-oriented channel: a dynamic SPSM, `0x80` to `0xff` (Vol 3, Part A, §4.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spsm(u8);

impl Spsm {
    /// A dynamic SPSM; `None` for a number that Bluetooth has assigned.
    #[must_use]
    pub const fn new(spsm: u8) -> Option<Self> {
        if spsm >= 0x80 { Some(Self(spsm)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0 as u16
    }
}

/// What a band says of its radio. It is not authenticated: whoever changes it has the phone use the slower way, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Where it listens for an L2CAP channel, if it does.
    pub channel: Option<Spsm>,
}

impl Info {
    /// Length of this form in bytes.
    pub const LEN: usize = 2;
    /// The form of this version; others have it in their first byte, and may be longer.
    pub const FORM: u8 = 1;

    /// Form (1) ‖ SPSM (1), or 0.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let channel = match self.channel {
            Some(Spsm(spsm)) => spsm,
            None => 0,
        };
        [Self::FORM, channel]
    }

    /// Reads what a band says. Bytes after those that are known are a newer band's and are passed over.
    ///
    /// # Errors
    /// [`InfoError`] where it is of another form, too short, or names an SPSM that is not dynamic.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InfoError> {
        match bytes {
            [Self::FORM, 0, ..] => Ok(Self { channel: None }),
            [Self::FORM, spsm, ..] => Ok(Self { channel: Some(Spsm::new(*spsm).ok_or(InfoError)?) }),
            _ => Err(InfoError),
        }
    }
}

/// What the band says of its radio cannot be read. The band is to blame, or whoever stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoError;

impl fmt::Display for InfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the band's service information is not of a form that this version reads")
    }
}

impl core::error::Error for InfoError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_the_mtu_less_three_and_never_longer_than_an_attribute() {
        let payloads = [0, 22, 23, 24, 185, 247, 515, 516, 517, u16::MAX].map(|mtu| payload_of(mtu).bytes());
        assert_eq!(payloads, [20, 20, 20, 21, 182, 244, 512, 512, 512, 512]);
    }

    #[test]
    fn a_channel_carries_what_both_ends_take() {
        let payloads = [(23, 23), (247, 64), (64, 247), (2000, 1000), (0, 9)].map(|(a, b)| payload_of_channel(a, b).bytes());
        assert_eq!(payloads, [23, 64, 64, 514, 20]);
    }

    #[test]
    fn information_is_read_as_it_was_written() {
        for info in [Info::default(), Info { channel: Spsm::new(0x80) }, Info { channel: Spsm::new(0xFF) }] {
            assert_eq!(Info::from_bytes(&info.to_bytes()), Ok(info));
        }
        assert_eq!(Info::from_bytes(&[1, 0xF2, 7, 7]), Ok(Info { channel: Spsm::new(0xF2) }), "a newer band says more");
    }

    #[test]
    fn information_of_another_form_or_with_an_assigned_spsm_is_an_error() {
        for bytes in [&[][..], &[1], &[0, 0], &[2, 0x80], &[1, 0x25], &[1, 0x7F]] {
            assert_eq!(Info::from_bytes(bytes), Err(InfoError), "{bytes:?}");
        }
    }
}
