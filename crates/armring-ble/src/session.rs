//! A connection over which fragments go to and fro, and how long what is to be sent may wait.

use core::time::Duration;

use armring_wire::Uptime;

use crate::radio::Place;
use crate::window::{Arrived, Carrier, WindowError};

/// How long what is to be sent may wait for an acknowledgement, or for the stack to have room.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Session {
    carrier: Carrier,
    /// Since something waits: until when it may.
    stalls: Option<Uptime>,
}

impl Session {
    pub(crate) const fn new(carrier: Carrier) -> Self {
        Self { carrier, stalls: None }
    }

    /// Until when what waits may do so.
    pub(crate) const fn deadline(&self) -> Option<Uptime> {
        self.stalls
    }

    /// Asks for a place for one fragment.
    pub(crate) fn send(&mut self, now: Uptime) -> Place {
        if self.carrier.send() {
            self.stalls = None;
            return Place::Free;
        }
        self.waits(now);
        Place::Full
    }

    /// Something has to wait.
    pub(crate) fn waits(&mut self, now: Uptime) {
        self.stalls = self.stalls.or(Some(now.saturating_add(STALL_TIMEOUT)));
    }

    /// Something of what was to be sent has gone on its way.
    pub(crate) const fn progressed(&mut self) {
        if self.carrier.is_open() {
            self.stalls = None;
        }
    }

    /// A payload of the phone's came.
    pub(crate) const fn arrived<'a>(&mut self, payload: &'a [u8]) -> Result<Arrived<'a>, WindowError> {
        let arrived = self.carrier.arrived(payload);
        if matches!(arrived, Ok(Arrived::Acknowledgement)) {
            self.progressed();
        }
        arrived
    }

    /// A fragment that had arrived was taken. Gives the acknowledgement that is due.
    pub(crate) const fn taken(&mut self) -> Option<[u8; 1]> {
        self.carrier.taken()
    }

    /// Whether the phone may not have got all that was sent.
    pub(crate) const fn is_under_way(&self) -> bool {
        self.carrier.is_under_way()
    }

    pub(crate) const fn is_over_channel(&self) -> bool {
        matches!(self.carrier, Carrier::Channel)
    }
}
