//! A byte stream in place of a radio: two bytes of length before each ATT payload, and two lengths that none has for what a radio would report.

use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};

use crate::board::Happened;

/// In place of a length: a phone connected, and the size of its payloads follows in two bytes.
const CONNECTED: u16 = 0xFFFF;
/// In place of a length: the connection is over, whoever ended it.
pub(crate) const DISCONNECTED: u16 = 0xFFFE;

/// Puts together what comes byte by byte.
pub(crate) struct Radio {
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Between two payloads.
    Idle,
    /// The low byte of a length came.
    Length(u8),
    /// So many bytes of a payload of this length came.
    Payload { filled: usize, len: usize },
    /// A phone connects: the low byte of the payload's size came, or none yet.
    Connecting(Option<u8>),
}

impl Radio {
    pub(crate) const fn new() -> Self {
        Self { state: State::Idle }
    }

    /// Takes a byte. The payload that it belongs to grows in `payload`, which holds [`ATT_PAYLOAD_MAX`] bytes.
    pub(crate) fn take(&mut self, byte: u8, payload: &mut [u8]) -> Option<Happened> {
        let (state, happened) = match self.state {
            State::Idle => (State::Length(byte), None),
            State::Length(low) => match u16::from_le_bytes([low, byte]) {
                CONNECTED => (State::Connecting(None), None),
                DISCONNECTED => (State::Idle, Some(Happened::Disconnected)),
                0 => (State::Idle, None),
                len => (State::Payload { filled: 0, len: usize::from(len) }, None),
            },
            State::Payload { filled, len } => {
                if let Some(place) = payload.get_mut(filled) {
                    *place = byte;
                }
                let filled = filled.saturating_add(1);
                match filled == len {
                    false => (State::Payload { filled, len }, None),
                    // Longer than any payload: the other end does not follow the protocol, and what it sent is no use.
                    true if len > ATT_PAYLOAD_MAX => (State::Idle, None),
                    true => (State::Idle, Some(Happened::Fragment(len))),
                }
            }
            State::Connecting(None) => (State::Connecting(Some(byte)), None),
            State::Connecting(Some(low)) => {
                let payload = AttPayload::new(usize::from(u16::from_le_bytes([low, byte])));
                (State::Idle, payload.map(Happened::Connected))
            }
        };
        self.state = state;
        happened
    }
}
