//! The band as a process: its flash is a folder, its radio a socket, its wearer the standard input.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use anyhow::{Context, Result};
use armring_band::{Event, Face, Gesture, Secret};
use armring_token::RootKey;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload};

use crate::air::{Air, Heard, listen};
use crate::body::{Body, Phone};
use crate::control::{BandCommand, BandReport, Report, commands, report};
use crate::disk::Disk;

/// What the wearer taps: short, long, short, short.
const PATTERN: &[u8] = &[1, 2, 1, 1];
/// What somebody else taps.
const WRONG_PATTERN: &[u8] = &[1, 1, 1, 1];
/// The wearer's PIN, one byte for each digit.
const PIN: &[u8] = &[2, 7, 1, 8, 2, 8];
/// What somebody else guesses.
const WRONG_PIN: &[u8] = &[1, 2, 3, 4];

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
    body: Body,
    payload: AttPayload,
    radio: Radio,
    /// Whether somebody wants to know when no phone is connected.
    await_alone: bool,
}

/// The one connection that a band has.
struct Radio(Option<(u64, Air)>);

impl Phone for Radio {
    fn notify(&mut self, fragment: &[u8]) {
        if let Some((_, air)) = &mut self.0 {
            // A phone that is gone is heard of by its reader.
            let _ = air.send(fragment);
        }
    }

    fn disconnect(&mut self) -> Result<bool> {
        let Some((_, air)) = self.0.take() else { return Ok(false) };
        air.close();
        report(&Report::Band(BandReport::Alone))?;
        Ok(true)
    }
}

pub(crate) fn run(folder: &Path, root: [u8; 32], (face, label): (Face, bool), payload: AttPayload) -> Result<()> {
    let root = RootKey::from_bytes(root).context("not an issuer's root key")?;
    let body = Body::start(Disk::open(folder)?, root, face)?;
    let body = if label { body.labelled()? } else { body };
    let (sender, inputs) = channel();
    let address: SocketAddr = listen(sender.clone())?;
    commands(sender);
    report(&Report::Ready { address: Some(address.to_string()), key: None })?;
    Host { body, payload, radio: Radio(None), await_alone: false }.serve(&inputs)
}

impl Host {
    fn serve(&mut self, inputs: &Receiver<Input>) -> Result<()> {
        loop {
            match inputs.recv_timeout(self.body.sleep()) {
                Ok(Input::Command(None)) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Input::Command(Some(command))) => self.wearer(command)?,
                Ok(Input::Heard(heard)) => self.hear(heard)?,
                Err(RecvTimeoutError::Timeout) => self.happens(Event::Tick)?,
            }
            if self.radio.0.is_none() && std::mem::take(&mut self.await_alone) {
                report(&Report::Done)?;
            }
        }
    }

    fn happens(&mut self, event: Event<'_>) -> Result<()> {
        self.body.happens(event, &mut self.radio)
    }

    fn wearer(&mut self, command: BandCommand) -> Result<()> {
        let pattern = |taps| Secret::tap_pattern(taps).context("not a tap pattern");
        let pin = |digits| Secret::pin(digits).context("not a PIN");
        if self.body.band().unlocking().is_none() {
            match command {
                BandCommand::TapPattern => self.happens(Event::Chosen(pattern(PATTERN)?))?,
                BandCommand::Pin => self.happens(Event::Chosen(pin(PIN)?))?,
                _ => {}
            }
        }
        self.happens(match command {
            BandCommand::PutOn => Event::PutOn,
            BandCommand::TakeOff => Event::TakenOff,
            BandCommand::TapPattern => Event::Entered(pattern(PATTERN)?),
            BandCommand::WrongPattern => Event::Entered(pattern(WRONG_PATTERN)?),
            BandCommand::Pin => Event::Entered(pin(PIN)?),
            BandCommand::WrongPin => Event::Entered(pin(WRONG_PIN)?),
            BandCommand::Press => Event::Gesture(Gesture::Press),
            BandCommand::DoublePress => Event::Gesture(Gesture::DoublePress),
            BandCommand::TriplePress => Event::Gesture(Gesture::Unpair),
            BandCommand::Hold => Event::Gesture(Gesture::Hold),
            BandCommand::Shake => Event::Gesture(Gesture::Refuse),
            BandCommand::Reset => Event::Gesture(Gesture::Reset),
            BandCommand::Tick => Event::Tick,
            BandCommand::Sync => return Ok(report(&Report::Synced)?),
            BandCommand::AwaitAlone => {
                self.await_alone = true;
                return Ok(());
            }
        })?;
        Ok(report(&Report::Done)?)
    }

    fn hear(&mut self, heard: Heard) -> Result<()> {
        match heard {
            Heard::Opened(id, air) => {
                // A BLE peripheral with one connection: the newcomer is reported, and turned away if there is one already.
                if self.radio.0.is_some() {
                    air.close();
                } else {
                    self.radio.0 = Some((id, air));
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
                self.radio.0 = None;
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
        self.radio.0.as_ref().is_some_and(|(phone, _)| *phone == id)
    }
}
