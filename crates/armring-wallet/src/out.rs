//! What a connection sends and says, until the app polls it.

use std::collections::VecDeque;

use armring_pairing::MESSAGE_MAX;
use armring_wire::records::band::ToBand;
use armring_wire::{Fragmenter, encode};

use crate::error::{CallerError, Error};
use crate::event::{Event, Output};
use crate::suite::Session;

/// Where outputs go.
pub(crate) struct Out<'a> {
    pub(crate) fragmenter: &'a mut Fragmenter,
    pub(crate) outputs: &'a mut VecDeque<Output>,
}

impl Out<'_> {
    pub(crate) fn send(&mut self, message: &[u8]) {
        let mut fragment = vec![0; self.fragmenter.payload().bytes()];
        let mut sent = 0;
        while let Some((len, next)) = self.fragmenter.cut(message, sent, &mut fragment) {
            sent = next;
            self.outputs.push_back(Output::Transmit(fragment.iter().copied().take(len).collect()));
        }
    }

    pub(crate) fn send_sealed(&mut self, session: &mut Session, record: &ToBand<'_>) -> Result<(), Error> {
        let mut buffer = [0; MESSAGE_MAX];
        let len = encode(record, &mut buffer).map_err(|_| CallerError::TooLong)?.len();
        let sealed = session.channel.seal(&mut buffer, len)?;
        self.send(sealed);
        Ok(())
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
