//! The phone's line to its band: a connection that is told of, message by message.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use armring_pairing::SoftwareKey;
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::ToBand;
use getrandom::SysRng;

use crate::air::{Air, Cost};
use crate::trace::Ends;

/// Bit 6 of a fragment's header: the last of its record.
const LAST: u8 = 0x40;

pub(crate) struct Line {
    air: Air,
    connection: Connection,
    ends: Ends,
    events: VecDeque<Event>,
    /// What the next messages are called: those of the handshake have no names of their own.
    out_names: VecDeque<&'static str>,
    in_names: VecDeque<&'static str>,
    cost_out: Cost,
    cost_in: Cost,
}

impl Line {
    /// Dials the band at `address`, to pair or to reconnect.
    pub(crate) fn dial(address: &str, connection: Connection, ends: Ends, names: [&[&'static str]; 2]) -> Result<Self> {
        let address: SocketAddr = address.parse().with_context(|| format!("'{address}' is not an address"))?;
        let air = Air::connect(address).with_context(|| format!("{} does not answer at {address}", ends.there))?;
        let [out_names, in_names] = names.map(|names| names.iter().copied().collect());
        let (cost_out, cost_in) = (Cost::default(), Cost::default());
        Ok(Self { air, connection, ends, events: VecDeque::new(), out_names, in_names, cost_out, cost_in })
    }

    /// The next thing that happens on the line.
    pub(crate) fn next(&mut self, own: &SoftwareKey) -> Result<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let Some(payload) = self.air.receive()? else { bail!("{} hung up", self.ends.there) };
            self.take(&payload, own)?;
        }
    }

    fn take(&mut self, payload: &[u8], own: &SoftwareKey) -> Result<()> {
        self.cost_in.fragments += 1;
        self.cost_in.on_air += payload.len();
        let whole = payload.first().is_some_and(|header| header & LAST != 0);
        let known = self.events.len();
        let result = self.connection.fragment(payload, own, &mut SysRng);
        let (cost, mut answers) = (self.cost_in, Vec::new());
        self.collect(&mut answers);
        if whole {
            self.cost_in = Cost::default();
            let name = self.in_names.pop_front().or_else(|| self.events.get(known).map(name_of_event)).unwrap_or("?");
            self.ends.received(name, cost.on_air - cost.fragments, is_sealed(name), cost)?;
        }
        self.transmit(answers)?;
        Ok(result?)
    }

    /// Sorts what the connection wants done.
    fn collect(&mut self, fragments: &mut Vec<Vec<u8>>) {
        while let Some(output) = self.connection.poll() {
            match output {
                Output::Transmit(fragment) => fragments.push(fragment),
                Output::Event(event) => self.events.push_back(event),
                // The other end sees it when this line is dropped.
                Output::Disconnect => {}
            }
        }
    }

    fn transmit(&mut self, fragments: Vec<Vec<u8>>) -> Result<()> {
        for fragment in fragments {
            self.air.send(&fragment)?;
            self.cost_out.fragments += 1;
            self.cost_out.on_air += fragment.len();
            if fragment.first().is_some_and(|header| header & LAST != 0) {
                let cost = std::mem::take(&mut self.cost_out);
                let name = self.out_names.pop_front().unwrap_or("?");
                self.ends.sent(name, cost.on_air - cost.fragments, is_sealed(name), cost)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let mut fragments = Vec::new();
        self.collect(&mut fragments);
        self.transmit(fragments)
    }

    pub(crate) fn accept_code(&mut self) -> Result<()> {
        self.connection.code_shown();
        self.out_names.extend(["Confirm", "Close"]);
        self.in_names.push_back("Confirm");
        self.connection.accept_code(&mut SysRng)?;
        self.flush()
    }

    pub(crate) fn say(&mut self, record: &ToBand<'_>) -> Result<()> {
        self.out_names.push_back(name_of_record(record));
        self.connection.say(record)?;
        self.flush()
    }

    pub(crate) fn hang_up(mut self) -> Result<()> {
        self.out_names.push_back("Close");
        self.connection.close();
        self.flush()?;
        self.air.close();
        Ok(())
    }
}

/// Hellos and handshakes go as they are; everything else is sealed.
fn is_sealed(name: &str) -> bool {
    !(name.contains("hello") || name.contains("message"))
}

fn name_of_record(record: &ToBand<'_>) -> &'static str {
    match record {
        ToBand::Confirm { .. } => "Confirm",
        ToBand::Status => "Status?",
        ToBand::Enrol { .. } => "Enrol",
        ToBand::FromIssuer(_) => "FromIssuer",
        ToBand::Unlock => "Unlock",
        ToBand::Pay { .. } => "Pay",
        ToBand::Receive { .. } => "Receive",
        ToBand::Paid { .. } => "Paid",
        ToBand::Received { .. } => "Received",
        ToBand::Cancel => "Cancel",
        ToBand::KeyList(_) => "KeyList",
        ToBand::Unknown(_) => "Unknown",
        ToBand::Generation { .. } => "Generation",
        ToBand::PayTo { .. } => "PayTo",
        ToBand::Unpair => "Unpair",
        ToBand::UnpairOthers => "UnpairOthers",
        ToBand::Replace => "Replace",
    }
}

fn name_of_event(event: &Event) -> &'static str {
    match event {
        Event::Status(_) => "Status",
        Event::EnrolStart { .. } => "EnrolStart",
        Event::ToIssuer(_) => "ToIssuer",
        Event::Enrolled(_) => "Enrolled",
        Event::Waiting(_) => "Waiting",
        Event::Token(_) => "Token",
        Event::Request(_) => "Request",
        Event::Declined(_) => "Declined",
        Event::Noted => "Noted",
        Event::Closed => "Close",
        _ => "?",
    }
}
