//! The phone's line to its band: a connection that is told of, message by message.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use armring_pairing::{ResumeTicket, SoftwareKey};
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::ToBand;
use getrandom::SysRng;

use crate::air::{Air, Cost};
use crate::disk::Disk;
use crate::trace::Ends;

/// Bit 6 of a fragment's header: the last of its record.
const LAST: u8 = 0x40;

/// Whatever carries fragments to a band and back.
pub(crate) trait Radio {
    /// Writes a fragment to the band.
    fn send(&mut self, fragment: &[u8]) -> Result<()>;

    /// The band's next fragment; `None` when it is gone.
    fn receive(&mut self) -> Result<Option<Vec<u8>>>;

    /// Ends the connection.
    fn close(&mut self);
}

impl Radio for Air {
    fn send(&mut self, fragment: &[u8]) -> Result<()> {
        Ok(Self::send(self, fragment)?)
    }

    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(Self::receive(self)?)
    }

    fn close(&mut self) {
        Self::close(self);
    }
}

pub(crate) struct Line {
    radio: Box<dyn Radio>,
    connection: Connection,
    /// Where the link is kept.
    disk: Disk,
    /// `None` where nothing goes on air, of which there would be to tell.
    ends: Option<Ends>,
    events: VecDeque<Event>,
    /// What the next messages are called: those of the handshake have no names of their own.
    out_names: VecDeque<&'static str>,
    in_names: VecDeque<&'static str>,
    cost_out: Cost,
    cost_in: Cost,
}

/// The names of a handshake's messages, out and in.
pub(crate) type Names = [&'static [&'static str]; 2];

pub(crate) const PAIRING: Names =
    [&["wallet hello", "XX message 1: commitment", "XX message 3: opening"], &["band hello", "XX message 2"]];
pub(crate) const SCANNING: Names = [
    &["wallet hello", "XXpsk0 message 1", "XXpsk0 message 3", "Confirm", "Close"],
    &["band hello", "XXpsk0 message 2", "Confirm"],
];
pub(crate) const PRESSING: Names =
    [&["wallet hello", "XX message 1", "XX message 3", "Confirm", "Close"], &["band hello", "XX message 2", "Confirm"]];
pub(crate) const RECONNECTING: Names =
    [&["wallet hello", "KKpsk0 message 1", "Generation"], &["band hello", "KKpsk0 message 2", "Generation"]];
pub(crate) const RESUMING: Names =
    [&["wallet hello", "NNpsk0 message 1", "Status?"], &["band hello", "NNpsk0 message 2", "Status"]];

impl Line {
    /// Dials the band at `address`.
    pub(crate) fn dial(address: &str, connection: Connection, disk: &Disk, ends: Ends, names: Names) -> Result<Self> {
        let address: SocketAddr = address.parse().with_context(|| format!("'{address}' is not an address"))?;
        let air = Air::connect(address).with_context(|| format!("{} does not answer at {address}", ends.there))?;
        Ok(Self::new(Box::new(air), connection, disk, Some(ends), names))
    }

    /// A line over any other radio.
    pub(crate) fn new(radio: Box<dyn Radio>, connection: Connection, disk: &Disk, ends: Option<Ends>, names: Names) -> Self {
        let [out_names, in_names] = names.map(|names| names.iter().copied().collect());
        let (cost_out, cost_in) = (Cost::default(), Cost::default());
        Self { radio, connection, disk: disk.clone(), ends, events: VecDeque::new(), out_names, in_names, cost_out, cost_in }
    }

    /// The next thing that happens on the line.
    pub(crate) fn next(&mut self, own: &SoftwareKey) -> Result<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let Some(payload) = self.radio.receive()? else { bail!("the band hung up") };
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
        self.collect(&mut answers)?;
        if whole {
            self.cost_in = Cost::default();
            let name = self.in_names.pop_front().or_else(|| self.events.get(known).map(name_of_event)).unwrap_or("?");
            if let Some(ends) = &self.ends {
                ends.received(name, cost.on_air - cost.fragments, is_sealed(name), cost)?;
            }
        }
        self.transmit(answers)?;
        Ok(result?)
    }

    /// Does what the connection wants done, in order, but for what is to be sent: a link counts how often it was used, and must be on disk
    /// before anything that follows it leaves.
    fn collect(&mut self, fragments: &mut Vec<Vec<u8>>) -> Result<()> {
        while let Some(output) = self.connection.poll() {
            match output {
                Output::Transmit(fragment) => fragments.push(fragment),
                Output::Event(Event::Keep(link)) => self.disk.write("link", link.to_bytes().as_slice())?,
                Output::Event(Event::Paired(link)) => {
                    self.disk.write("link", link.to_bytes().as_slice())?;
                    self.events.push_back(Event::Paired(link));
                }
                Output::Event(event) => self.events.push_back(event),
                // The other end sees it when this line is dropped.
                Output::Disconnect => {}
            }
        }
        Ok(())
    }

    /// Sends fragments, and tells of each message before its last one leaves: what comes of it is told later.
    fn transmit(&mut self, fragments: Vec<Vec<u8>>) -> Result<()> {
        for fragment in fragments {
            self.cost_out.fragments += 1;
            self.cost_out.on_air += fragment.len();
            if fragment.first().is_some_and(|header| header & LAST != 0) {
                let cost = std::mem::take(&mut self.cost_out);
                let name = self.out_names.pop_front().unwrap_or("?");
                if let Some(ends) = &self.ends {
                    ends.sent(name, cost.on_air - cost.fragments, is_sealed(name), cost)?;
                }
            }
            self.radio.send(&fragment)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let mut fragments = Vec::new();
        self.collect(&mut fragments)?;
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
        self.radio.close();
        Ok(())
    }

    /// The connection is lost: nobody says goodbye. What the next one can be resumed with.
    pub(crate) fn lose(mut self) -> Option<ResumeTicket> {
        self.radio.close();
        self.connection.take_ticket()
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
