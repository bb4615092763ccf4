//! What went over a controller's HCI, out of a btsnoop file (RFC 1761, with HCI H4 packets).

use std::path::{Path, PathBuf};

/// What a capture says, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The host chose this random address.
    Address(Vec<u8>),
    /// The host advertises this, or answers scans with it.
    Advertised(Vec<u8>),
    /// A connection began.
    Connected,
    /// It is encrypted by Bluetooth's own means from now on.
    Encrypted,
    /// An ATT PDU went from the host to its peer, or came from there.
    Att { out: bool, pdu: Vec<u8> },
}

/// ATT opcodes (Bluetooth Core 6.0, Vol 3, Part F, §3.4).
const NOTIFICATION: u8 = 0x1B;
const WRITE_COMMAND: u8 = 0x52;

impl Seen {
    /// What was written or notified.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Att { pdu, .. } if [NOTIFICATION, WRITE_COMMAND].contains(&pdu[0]) => pdu.get(3..),
            _ => None,
        }
    }
}

/// The capture of one controller.
pub fn read(path: &Path, controller: usize) -> Vec<Seen> {
    let file = PathBuf::from(format!("{}.{controller}", path.display()));
    let bytes = std::fs::read(file).unwrap();
    let (head, mut rest) = bytes.split_at(16);
    assert!(head.starts_with(b"btsnoop\0"));
    let mut seen = Vec::new();
    while let Some((record, after)) = rest.split_at_checked(24) {
        let number = |at: usize| u32::from_be_bytes(record[at..at + 4].try_into().unwrap());
        let (packet, next) = after.split_at(number(4) as usize);
        seen.extend(packet_seen(packet, number(8) & 1 == 0));
        rest = next;
    }
    seen
}

fn packet_seen(packet: &[u8], out: bool) -> Option<Seen> {
    match packet {
        // LE Set Random Address, Set Advertising Data, Set Scan Response Data (Vol 4, Part E, §7.8).
        [1, 0x05, 0x20, _, address @ ..] => Some(Seen::Address(address.to_vec())),
        [1, 0x08 | 0x09, 0x20, _, len, data @ ..] => Some(Seen::Advertised(data[..usize::from(*len)].to_vec())),
        // LE Connection Complete.
        [4, 0x3E, _, 0x01, ..] => Some(Seen::Connected),
        // Encryption Change.
        [4, 0x08, _, 0, _, _, 1] => Some(Seen::Encrypted),
        // ACL data that begins an L2CAP frame on the fixed channel of ATT.
        [2, _, flags, _, _, _, _, 4, 0, pdu @ ..] if flags >> 4 & 3 != 1 && !pdu.is_empty() => {
            Some(Seen::Att { out, pdu: pdu.to_vec() })
        }
        _ => None,
    }
}
