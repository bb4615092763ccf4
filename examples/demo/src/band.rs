//! The band as a process: its flash is a folder, its radio a socket, its wearer the standard input.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use armring_band::{Band, Event, Gesture, Output, Secret, Signal, SoftwareKeys, StoreKey};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload, Uptime};
use getrandom::SysRng;

use crate::air::{Air, Heard, listen};
use crate::control::{BandCommand, BandReport, Report, commands, report};
use crate::disk::Disk;
use crate::money::show;

/// What the wearer taps: short, long, short, short.
const PATTERN: &[u8] = &[1, 2, 1, 1];

enum Input {
    Command(Option<BandCommand>),
    Heard(Heard),
}

impl From<Option<BandCommand>> for Input {
    fn from(command: Option<BandCommand>) -> Self {
        Self::Command(command)
    }
}

impl From<Heard> for Input {
    fn from(heard: Heard) -> Self {
        Self::Heard(heard)
    }
}

struct Host {
    band: Band<SoftwareKey, SoftwareKeys>,
    disk: Disk,
    payload: AttPayload,
    /// The one connection that a band has.
    phone: Option<(u64, Air)>,
    started: Instant,
}

pub(crate) fn run(folder: &Path, root: [u8; 32], payload: AttPayload) -> Result<()> {
    let disk = Disk::open(folder)?;
    let root = RootKey::from_bytes(root).context("not an issuer's root key")?;
    let mut band = Band::new(identity(&disk)?, SoftwareKeys, root);
    for key in StoreKey::all() {
        if let Some(value) = disk.read(&name_of(key))? {
            band.load(key, &value).with_context(|| format!("the band's flash is damaged at {}", name_of(key)))?;
        }
    }
    let (sender, inputs) = channel();
    let address: SocketAddr = listen(sender.clone())?;
    commands(sender);
    report(&Report::Ready { address: Some(address.to_string()), key: None })?;
    let mut host = Host { band, disk, payload, phone: None, started: Instant::now() };
    host.serve(&inputs)
}

/// The key of a device, made at the first start.
pub(crate) fn identity(disk: &Disk) -> Result<SoftwareKey> {
    if let Some(bytes) = disk.read("identity")? {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| anyhow::anyhow!("the identity on disk is damaged"))?;
        return Ok(SoftwareKey::new(bytes));
    }
    let key = SoftwareKey::generate(&mut SysRng)?;
    disk.write("identity", key.expose())?;
    Ok(key)
}

fn name_of(key: StoreKey) -> String {
    format!("flash-{:02x}", key.as_u8())
}

impl Host {
    fn now(&self) -> Uptime {
        Uptime::from_millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn serve(&mut self, inputs: &Receiver<Input>) -> Result<()> {
        loop {
            let wait = self.band.deadline().map_or(Duration::from_secs(3600), |deadline| deadline.since(self.now()));
            match inputs.recv_timeout(wait) {
                Ok(Input::Command(None)) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Input::Command(Some(command))) => self.wearer(command)?,
                Ok(Input::Heard(heard)) => self.radio(heard)?,
                Err(RecvTimeoutError::Timeout) => self.happens(Event::Tick)?,
            }
        }
    }

    fn wearer(&mut self, command: BandCommand) -> Result<()> {
        let pattern = Secret::tap_pattern(PATTERN).context("not a tap pattern")?;
        if matches!(command, BandCommand::TapPattern) && self.band.unlocking().is_none() {
            self.happens(Event::Chosen(pattern))?;
        }
        self.happens(match command {
            BandCommand::PutOn => Event::PutOn,
            BandCommand::TakeOff => Event::TakenOff,
            BandCommand::TapPattern => Event::Entered(pattern),
            BandCommand::Press => Event::Gesture(Gesture::Press),
            BandCommand::DoublePress => Event::Gesture(Gesture::DoublePress),
            BandCommand::Hold => Event::Gesture(Gesture::Hold),
        })?;
        Ok(report(&Report::Done)?)
    }

    fn radio(&mut self, heard: Heard) -> Result<()> {
        match heard {
            Heard::Opened(id, air) => {
                // A BLE peripheral with one connection: the newcomer is reported, and turned away if there is one already.
                if self.phone.is_some() {
                    air.close();
                } else {
                    self.phone = Some((id, air));
                }
                self.happens(Event::Connected(self.payload))
            }
            Heard::Payload(id, payload) if self.is_phone(id) => {
                if payload.len() > ATT_PAYLOAD_MAX {
                    return Ok(());
                }
                self.happens(Event::Fragment(&payload))
            }
            Heard::Over(id, wrong) if self.is_phone(id) => {
                self.phone = None;
                if let Some(wrong) = wrong {
                    report(&Report::Complaint(format!("connection dropped: {wrong}")))?;
                }
                self.happens(Event::Disconnected)?;
                Ok(report(&Report::Band(BandReport::Alone))?)
            }
            // What is left of a connection that was turned away.
            Heard::Payload(..) | Heard::Over(..) => Ok(()),
        }
    }

    fn is_phone(&self, id: u64) -> bool {
        self.phone.as_ref().is_some_and(|(phone, _)| *phone == id)
    }

    /// Reports an event to the band and does all that it wants done.
    fn happens(&mut self, event: Event<'_>) -> Result<()> {
        let mut next = self.handle(event)?;
        while let Some(event) = next {
            next = self.handle(event)?;
        }
        Ok(())
    }

    /// One event and its outputs. Gives the event that the outputs led to, if one did.
    fn handle(&mut self, event: Event<'_>) -> Result<Option<Event<'static>>> {
        let now = self.now();
        if let Err(error) = self.band.handle(event, now, &mut SysRng) {
            report(&Report::Complaint(error.to_string()))?;
        }
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        let mut next = None;
        while let Some(output) = self.band.poll(&mut fragment) {
            match output {
                Output::Transmit(bytes) => {
                    if let Some((_, air)) = &mut self.phone {
                        // A phone that is gone is heard of by its reader.
                        let _ = air.send(bytes);
                    }
                }
                Output::Store { key, value } => next = Some(stored(self.disk.write(&name_of(key), value))?),
                Output::Erase { key } => next = Some(stored(self.disk.erase(&name_of(key)))?),
                Output::EraseAll => next = Some(stored(self.disk.erase_all())?),
                Output::Signal(signal) => {
                    report(&Report::Band(describe(signal)))?;
                    if matches!(signal, Signal::Code(_)) {
                        next = Some(Event::CodeShown);
                    }
                }
                Output::Disconnect => {
                    if let Some((_, air)) = self.phone.take() {
                        air.close();
                        next = next.or(Some(Event::Disconnected));
                        report(&Report::Band(BandReport::Alone))?;
                    }
                }
            }
        }
        Ok(next)
    }
}

fn stored(result: std::io::Result<()>) -> Result<Event<'static>> {
    Ok(match result {
        Ok(()) => Event::Stored,
        Err(error) => {
            report(&Report::Complaint(format!("the flash failed: {error}")))?;
            Event::StoreFailed
        }
    })
}

fn describe(signal: Signal) -> BandReport {
    match signal {
        Signal::PairingOpen => BandReport::PairingOpen,
        Signal::PairingClosed => BandReport::PairingClosed,
        Signal::Code(code) => BandReport::Code(code.digits().to_string()),
        Signal::Paired => BandReport::Paired,
        Signal::Waiting(awaited, None) => BandReport::Waiting(format!("waits for {awaited}")),
        Signal::Waiting(awaited, Some(amount)) => BandReport::Waiting(format!("{} waits for {awaited}", show(amount))),
        Signal::EnrolmentDigits(digits) => BandReport::EnrolmentDigits { digits: digits.number(), shown: digits.to_string() },
        Signal::Paid(outcome, amount) => BandReport::Paid { outcome: outcome.to_string(), amount: show(amount) },
        Signal::Received(amount) => BandReport::Received(show(amount)),
        other => BandReport::Other(format!("{other:?}").to_lowercase()),
    }
}
