//! A connection of the man in the middle, and what he does with it.

use std::io;

use armring_wire::AttPayload;

use super::deed::Doing;
use super::twin::Twin;
use crate::air::{Air, Records};

/// A connection that leads through his hands, or ends there.
pub(super) struct Connection {
    pub(super) session: usize,
    pub(super) near: Option<Wire>,
    pub(super) far: Option<Wire>,
    pub(super) task: Task,
}

pub(super) enum Task {
    HandOn(Doing),
    /// Says what the far end said in this session.
    PlayBack,
    /// Says what the near end said in this session.
    Replay(usize),
    Pair(Box<Twin>),
}

/// One end of a connection: messages, cut and put together.
pub(super) struct Wire {
    pub(super) air: Air,
    pub(super) records: Records,
}

impl Wire {
    pub(super) fn new(air: Air, payload: AttPayload) -> Self {
        Self { air, records: Records::new(payload) }
    }

    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.records.send(&mut self.air, message)
    }
}
