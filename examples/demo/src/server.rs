//! A process that serves records: the issuer, and whoever is to be paid.

use std::collections::HashMap;
use std::io;

use anyhow::Result;
use armring_wire::AttPayload;

use crate::air::{Air, Heard, Records};
use crate::control::{Report, report};

/// A client: its connection and what is kept for as long as it lasts.
pub(crate) struct Client<S> {
    air: Air,
    records: Records,
    pub(crate) state: S,
}

impl<S> Client<S> {
    pub(crate) fn send(&mut self, record: &[u8]) -> io::Result<()> {
        self.records.send(&mut self.air, record)
    }
}

/// The clients of a serving process.
pub(crate) struct Clients<S> {
    payload: AttPayload,
    clients: HashMap<u64, Client<S>>,
}

impl<S: Default> Clients<S> {
    pub(crate) fn new(payload: AttPayload) -> Self {
        Self { payload, clients: HashMap::new() }
    }

    pub(crate) fn get(&mut self, id: u64) -> Option<&mut Client<S>> {
        self.clients.get_mut(&id)
    }

    /// Takes note of what was heard. Gives a whole record with the client that sent it. A client that sends what is none is complained about
    /// and dropped, and nobody else notices.
    pub(crate) fn hear(&mut self, heard: Heard) -> Result<Option<(u64, Vec<u8>)>> {
        match heard {
            Heard::Opened(id, air) => {
                self.clients.insert(id, Client { air, records: Records::new(self.payload), state: S::default() });
            }
            Heard::Payload(id, payload) => {
                let Some(client) = self.clients.get_mut(&id) else { return Ok(None) };
                match client.records.take(&payload) {
                    Ok(record) => return Ok(record.map(|record| (id, record))),
                    Err(error) => self.drop_client(id, &error.to_string())?,
                }
            }
            Heard::Over(id, None) => {
                self.clients.remove(&id);
            }
            Heard::Over(id, Some(wrong)) => self.drop_client(id, &wrong)?,
        }
        Ok(None)
    }

    /// Drops a client that does not keep to the protocol.
    pub(crate) fn drop_client(&mut self, id: u64, why: &str) -> Result<()> {
        if let Some(client) = self.clients.remove(&id) {
            client.air.close();
            report(&Report::Complaint(format!("connection dropped: {why}")))?;
        }
        Ok(())
    }
}
