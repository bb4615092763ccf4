//! A man in the middle who pairs: for the phone he is a band, for the band he is a phone.

use anyhow::{Context, Result};
use armring_band::{Event as BandEvent, Face, Gesture};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wallet::{Connection, Event, Output};
use armring_wire::AttPayload;
use getrandom::SysRng;

use crate::air::Air;
use crate::body::{Body, Phone};
use crate::control::{End, PhoneReport, Report, report};
use crate::disk::Disk;

/// Both of his faces, with a connection each.
pub(super) struct Twin {
    band: Body,
    victim: Victim,
    wallet: Connection,
    key: SoftwareKey,
    far: Air,
}

/// The phone that takes him for its band.
struct Victim(Air);

impl Phone for Victim {
    fn notify(&mut self, fragment: &[u8]) {
        // A phone that is gone is heard of.
        let _ = self.0.send(fragment);
    }

    fn disconnect(&mut self) -> Result<bool> {
        self.0.close();
        Ok(true)
    }
}

impl Twin {
    /// `near` is the phone, `far` the band.
    pub(super) fn begin(disk: &Disk, root: RootKey, payload: AttPayload, near: Air, far: Air) -> Result<Self> {
        let band = Body::start(disk.clone(), root, Face::Lights)?;
        let (wallet, key) = (Connection::pair(payload), SoftwareKey::generate(&mut SysRng)?);
        let mut twin = Self { band, victim: Victim(near), wallet, key, far };
        twin.happens(BandEvent::Gesture(Gesture::Hold))?;
        twin.happens(BandEvent::Connected(payload))?;
        Ok(twin)
    }

    fn happens(&mut self, event: BandEvent<'_>) -> Result<()> {
        self.band.happens(event, &mut self.victim)
    }

    /// A fragment of the phone's, or of the band's.
    pub(super) fn hear(&mut self, from: End, fragment: &[u8]) -> Result<()> {
        if from == End::Near {
            return self.happens(BandEvent::Fragment(fragment));
        }
        let heard = self.wallet.fragment(fragment, &self.key, &mut SysRng);
        self.flush()?;
        Ok(heard?)
    }

    /// Says yes to both codes: to the phone's as its band, to the band's as its phone.
    pub(super) fn accept(&mut self) -> Result<()> {
        self.happens(BandEvent::Gesture(Gesture::Press))?;
        self.wallet.accept_code(&mut SysRng).context("the band's code")?;
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        while let Some(output) = self.wallet.poll() {
            match output {
                Output::Transmit(fragment) => self.far.send(&fragment)?,
                Output::Event(Event::Code(code)) => {
                    self.wallet.code_shown();
                    report(&Report::Phone(PhoneReport::Code(code.digits().to_string())))?;
                }
                Output::Event(Event::Paired(_)) => report(&Report::Phone(PhoneReport::Paired))?,
                Output::Event(_) => {}
                Output::Disconnect => self.far.close(),
            }
        }
        Ok(())
    }

    pub(super) fn end(self) {
        self.victim.0.close();
        self.far.close();
    }
}
