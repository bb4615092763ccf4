//! What every host of a band does, whatever its radio is: a folder for flash, a clock, and the loop around [`Band`].
//!
//! Two hosts use it: the process that plays a band on a wrist (`band.rs`), and the phone that is its own authenticator (`authenticator.rs`).

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use armring_band::{Asker, Band, Event, Face, Offer, Output, Signal, SoftwareKeys, StoreKey};
use armring_pairing::{DiffieHellman, PairingLabel, PairingSecret, SoftwareKey, Source};
use armring_token::RootKey;
use armring_wire::{ATT_PAYLOAD_MAX, Uptime};
use getrandom::SysRng;

use crate::control::{BandReport, Report, ahead, report};
use crate::disk::Disk;
use crate::money::show;

/// The other end of the band's radio.
pub(crate) trait Phone {
    /// A fragment for it.
    fn notify(&mut self, fragment: &[u8]);

    /// The band ends the connection. Says whether there was one.
    fn disconnect(&mut self) -> Result<bool>;
}

/// A band with its flash and its clock.
pub(crate) struct Body {
    band: Band<SoftwareKey, SoftwareKeys>,
    disk: Disk,
    started: Instant,
    /// What stands on its label, if it has one.
    printed: Option<String>,
}

impl Body {
    /// A band that starts, with what it stored before. Real hardware keeps both kinds of keys where they cannot be read: these two arguments of
    /// [`Band::new`] are where a secure element, or a phone's key store, comes in.
    pub(crate) fn start(disk: Disk, root: RootKey, face: Face) -> Result<Self> {
        let mut band = Band::new(identity(&disk)?, SoftwareKeys, root).with_face(face);
        for key in StoreKey::all() {
            if let Some(value) = disk.read(&name_of(key))? {
                band.load(key, &value).with_context(|| disk.damaged(&name_of(key)))?;
            }
        }
        Ok(Self { band, disk, started: Instant::now(), printed: None })
    }

    /// The same with a label, which its maker puts on it with a secret that stays.
    pub(crate) fn labelled(self) -> Result<Self> {
        let secret = label_secret(&self.disk)?;
        let label = PairingLabel::new(Source::Printed, PairingSecret::new(*secret.expose()), &identity(&self.disk)?.public_key());
        let mut buffer = [0; PairingLabel::URI_LEN];
        let printed = Some(label.to_uri(&mut buffer)?.to_owned());
        Ok(Self { band: self.band.with_label(secret), printed, ..self })
    }

    pub(crate) const fn band(&self) -> &Band<SoftwareKey, SoftwareKeys> {
        &self.band
    }

    /// How long the host may sleep.
    pub(crate) fn sleep(&self) -> Duration {
        self.band.deadline().map_or(Duration::from_secs(3600), |deadline| deadline.since(self.now()))
    }

    fn now(&self) -> Uptime {
        Uptime::from_millis(u64::try_from((self.started.elapsed() + ahead()).as_millis()).unwrap_or(u64::MAX))
    }

    /// Reports an event to the band and does all that it wants done.
    pub(crate) fn happens(&mut self, event: Event<'_>, phone: &mut impl Phone) -> Result<()> {
        let mut next = self.handle(event, phone)?;
        while let Some(event) = next {
            next = self.handle(event, phone)?;
        }
        Ok(())
    }

    /// One event and its outputs. Gives the event that the outputs led to, if one did.
    fn handle(&mut self, event: Event<'_>, phone: &mut impl Phone) -> Result<Option<Event<'static>>> {
        let now = self.now();
        if let Err(error) = self.band.handle(event, now, &mut SysRng) {
            report(&Report::Complaint(error.to_string()))?;
        }
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        let mut next = None;
        while let Some(output) = self.band.poll(&mut fragment) {
            match output {
                Output::Transmit(bytes) => phone.notify(bytes),
                Output::Store { key, value } => next = Some(stored(self.disk.write(&name_of(key), value))?),
                Output::Erase { key } => next = Some(stored(self.disk.erase(&name_of(key)))?),
                Output::EraseAll => next = Some(stored(self.disk.erase_all())?),
                Output::Signal(signal) => {
                    self.show(signal)?;
                    if matches!(signal, Signal::Code(_)) {
                        next = Some(Event::CodeShown);
                    }
                }
                Output::Disconnect => {
                    if phone.disconnect()? {
                        next = next.or(Some(Event::Disconnected));
                    }
                }
            }
        }
        Ok(next)
    }

    /// Tells the wearer, and shows what a display has to show.
    fn show(&self, signal: Signal) -> Result<()> {
        report(&Report::Band(describe(signal, self.band.offer())))?;
        if signal != Signal::PairingOpen {
            return Ok(());
        }
        let mut buffer = [0; PairingLabel::URI_LEN];
        let uri = match self.band.label() {
            Some(label) => Some(label.to_uri(&mut buffer)?.to_owned()),
            // Whoever holds the button can read the label as well.
            None => self.printed.clone(),
        };
        uri.map_or(Ok(()), |uri| Ok(report(&Report::Band(BandReport::Label(uri)))?))
    }
}

/// The key of a device, made at the first start.
pub(crate) fn identity(disk: &Disk) -> Result<SoftwareKey> {
    if let Some(bytes) = kept(disk, "identity")? {
        return Ok(SoftwareKey::new(bytes));
    }
    let key = SoftwareKey::generate(&mut SysRng)?;
    disk.write("identity", key.expose())?;
    Ok(key)
}

/// The secret on a band's label, made at the first start.
fn label_secret(disk: &Disk) -> Result<PairingSecret> {
    if let Some(bytes) = kept(disk, "label")? {
        return Ok(PairingSecret::new(bytes));
    }
    let secret = PairingSecret::generate(&mut SysRng)?;
    disk.write("label", secret.expose())?;
    Ok(secret)
}

fn kept(disk: &Disk, name: &str) -> Result<Option<[u8; 32]>> {
    let Some(bytes) = disk.read(name)? else { return Ok(None) };
    Ok(Some(bytes.try_into().map_err(|_| anyhow::anyhow!(disk.damaged(name)))?))
}

fn name_of(key: StoreKey) -> String {
    format!("flash-{:02x}", key.as_u8())
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

fn describe(signal: Signal, offer: Option<Offer<'_>>) -> BandReport {
    match signal {
        Signal::PairingOpen => BandReport::PairingOpen,
        Signal::PairingClosed => BandReport::PairingClosed,
        Signal::Code(code) => BandReport::Code(code.digits().to_string()),
        Signal::Paired => BandReport::Paired,
        Signal::Unlocked => BandReport::Unlocked,
        Signal::WrongSecret(left) => BandReport::WrongSecret(left),
        Signal::Waiting(awaited, None) => BandReport::Waiting(format!("waits for {awaited}")),
        Signal::Waiting(awaited, Some(amount)) => {
            let offer = offer.map(shown).unwrap_or_default();
            BandReport::Waiting(format!("{offer}{} waits for {awaited}", show(amount)))
        }
        Signal::EnrolmentDigits(digits) => BandReport::EnrolmentDigits { digits: digits.number(), shown: digits.to_string() },
        Signal::Paid(outcome, amount) => BandReport::Paid { outcome: outcome.to_string(), amount: show(amount) },
        Signal::Received(amount) => BandReport::Received(show(amount)),
        other => BandReport::Other(format!("{other:?}").to_lowercase()),
    }
}

/// What a display shows above the amount.
fn shown(offer: Offer<'_>) -> String {
    let asker = match offer.asker {
        Asker::Certified(name) => name.to_owned(),
        Asker::Wearer(credential) => format!("the wearer with credential {credential}"),
    };
    format!("{asker}, \"{}\", ", offer.memo)
}
