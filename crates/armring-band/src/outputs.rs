//! What the band wants done, until the host polls it.

use armring_channel::Channel;
use armring_pairing::MESSAGE_MAX;
use armring_wire::records::band::ToWallet;
use armring_wire::{AttPayload, Outbox, encode};
use heapless::Deque;
use serde::Serialize;
use zeroize::Zeroize;

use crate::error::{CallerError, Error, MachineError};
use crate::event::{Output, Signal};
use crate::store::{Place, StoreKey, VALUE_MAX};

/// Signals of one event at most.
const SIGNALS: usize = 4;

/// What is being stored.
enum Storing {
    Nothing,
    Value { key: StoreKey, len: usize, told: bool },
    Erase { key: StoreKey, told: bool },
    EraseAll { told: bool },
}

pub(crate) struct Outputs {
    outbox: Outbox<[u8; MESSAGE_MAX]>,
    value: [u8; VALUE_MAX],
    storing: Storing,
    signals: Deque<Signal, SIGNALS>,
    disconnect: bool,
}

impl Outputs {
    #[inline(never)]
    pub(crate) const fn new() -> Self {
        Self {
            outbox: Outbox::new([0; MESSAGE_MAX]),
            value: [0; VALUE_MAX],
            storing: Storing::Nothing,
            signals: Deque::new(),
            disconnect: false,
        }
    }

    pub(crate) fn poll<'b>(&'b mut self, fragment: &'b mut [u8]) -> Option<Output<'b>> {
        if let Some(signal) = self.signals.pop_front() {
            return Some(Output::Signal(signal));
        }
        match &mut self.storing {
            Storing::EraseAll { told: told @ false } => {
                *told = true;
                return Some(Output::EraseAll);
            }
            Storing::Value { key, len, told: told @ false } => {
                *told = true;
                let (key, len) = (*key, *len);
                return self.value.get(..len).map(|value| Output::Store { key, value });
            }
            Storing::Erase { key, told: told @ false } => {
                *told = true;
                return Some(Output::Erase { key: *key });
            }
            _ => {}
        }
        if let Some(len) = self.outbox.next_fragment(fragment) {
            return fragment.get(..len).map(Output::Transmit);
        }
        core::mem::take(&mut self.disconnect).then_some(Output::Disconnect)
    }

    /// Whether the host has polled everything. What is being stored may be outstanding.
    pub(crate) fn is_drained(&self) -> bool {
        self.outbox.is_empty() && self.signals.is_empty() && !self.disconnect
    }

    /// Starts a connection whose writes and notifications carry `payload` bytes.
    pub(crate) fn connected(&mut self, payload: AttPayload) {
        self.outbox.reset(payload);
        self.disconnect = false;
    }

    pub(crate) fn disconnected(&mut self) {
        self.outbox.reset(AttPayload::MIN);
        self.disconnect = false;
    }

    /// Ends the connection, after what is left to send.
    pub(crate) fn disconnect(&mut self) {
        self.disconnect = true;
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        // No event has more signals than there is room for, and the host polls after each. Were it not so, the latest is what counts.
        if self.signals.is_full() {
            self.signals.pop_front();
        }
        let _ = self.signals.push_back(signal);
    }

    /// Sends `message` as it is: a message of a handshake.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        self.outbox.put(CallerError::Undrained.into(), |buffer| {
            let place = buffer.get_mut(..message.len()).ok_or(MachineError::Exhausted)?;
            place.copy_from_slice(message);
            Ok(message.len())
        })
    }

    /// Seals `record` and sends it.
    pub(crate) fn send_sealed(&mut self, channel: &mut Channel, record: &ToWallet<'_>) -> Result<(), Error> {
        self.outbox.put(CallerError::Undrained.into(), |buffer| {
            let len = encode(record, buffer).map_err(|_| MachineError::Exhausted)?.len();
            channel.seal(buffer, len).map(<[u8]>::len).map_err(|_| MachineError::Exhausted.into())
        })
    }

    /// Whether something is being stored.
    pub(crate) const fn is_storing(&self) -> bool {
        !matches!(self.storing, Storing::Nothing)
    }

    /// Has `value` stored.
    pub(crate) fn store<T: Serialize>(&mut self, place: Place, value: &T) -> Result<(), Error> {
        let len = encode(value, &mut self.value).map_err(|_| MachineError::Exhausted)?.len();
        self.storing = Storing::Value { key: place.into(), len, told: false };
        Ok(())
    }

    /// Has `bytes` stored as they are.
    pub(crate) fn store_bytes(&mut self, place: Place, bytes: &[u8]) -> Result<(), Error> {
        self.value.get_mut(..bytes.len()).ok_or(MachineError::Exhausted)?.copy_from_slice(bytes);
        self.storing = Storing::Value { key: place.into(), len: bytes.len(), told: false };
        Ok(())
    }

    /// Has what is stored at `place` erased.
    pub(crate) fn erase(&mut self, place: Place) {
        self.storing = Storing::Erase { key: place.into(), told: false };
    }

    /// Has everything erased, if the host was not told already, in place of what it was not told to store yet. `false` where it has yet to
    /// report on what it was told before: its report would pass for one about the erasing.
    pub(crate) fn erase_all(&mut self) -> bool {
        match self.storing {
            Storing::Value { told: true, .. } | Storing::Erase { told: true, .. } => return false,
            Storing::EraseAll { .. } => {}
            Storing::Value { .. } | Storing::Erase { .. } | Storing::Nothing => {
                self.value.zeroize();
                self.storing = Storing::EraseAll { told: false };
            }
        }
        true
    }

    /// The host has stored it, or cannot.
    pub(crate) fn settled(&mut self) -> Result<(), Error> {
        match self.storing {
            Storing::Value { told: true, .. } | Storing::Erase { told: true, .. } | Storing::EraseAll { told: true } => {
                // It may have held a secret.
                self.value.zeroize();
                self.storing = Storing::Nothing;
                Ok(())
            }
            _ => Err(CallerError::NothingToStore.into()),
        }
    }
}
