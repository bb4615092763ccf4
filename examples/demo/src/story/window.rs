//! The pairing window: what opens it, and attempts that pair nobody.

use anyhow::Result;

use super::language::{Device, Wanted};
use super::outcome::Outcome;
use super::pairing::is_band;
use super::person::{Begun, is_phone};
use super::player::Player;
use crate::control::{BandCommand, BandReport, PhoneCommand, PhoneReport, Report};

impl Player {
    /// Asks the band to let another link take the place of this phone's.
    pub(super) fn ask_to_pair_again(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        stage.tell(person.phone, &PhoneCommand::Replace)?;
        let waits = stage.wait(person.phone, "to wait for the wearer", |report| match report {
            Report::Phone(PhoneReport::Waiting(what)) => Some(what.clone()),
            _ => None,
        })?;
        person.begun = Some(Begun::Replacing);
        stage.telling.prose(&person.buzz(&waits));
        Ok(Outcome::new(Wanted::Waiting, waits))
    }

    /// Opens the pairing window, and nobody pairs yet.
    pub(super) fn hold(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        if !matches!(person.begun, Some(Begun::Replacing)) {
            person.disconnect(stage, true)?;
            person.open_window(stage)?;
            return Ok(Outcome::done());
        }
        person.open_window(stage)?;
        stage.tell(person.phone, &PhoneCommand::Await)?;
        stage.wait(person.phone, "leave to pair again", |report| is_phone(report, &PhoneReport::MayPair))?;
        // The band ends the connection: whoever pairs is who connects from now on.
        (person.begun, person.linked) = (None, false);
        person.alone(stage)?;
        Ok(Outcome::done())
    }

    /// Compares the codes, and says yes on one side and no on the other.
    pub(super) fn pair_not(&mut self, who: &str, on: Device) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.disconnect(stage, true)?;
        person.open_window(stage)?;
        person.codes(stage)?;
        let (band, phone) = (person.band.actor, person.phone);
        match on {
            Device::Band => {
                stage.telling.prose(&format!("{} says yes on the phone, and shakes the band.", person.name));
                stage.tell(phone, &PhoneCommand::AcceptCode)?;
                stage.tell(band, &BandCommand::Shake)?;
                // The phone fails, as it must, and perhaps before the band has said that it is done.
                stage.wait(phone, "to be refused", |report| matches!(report, Report::Failed(_)).then_some(()))?;
                stage.wait(band, "that", |report| matches!(report, Report::Done).then_some(()))?;
            }
            Device::Phone => {
                stage.telling.prose(&format!("{} says no on the phone.", person.name));
                stage.done(phone, &PhoneCommand::HangUp)?;
                stage.wait(band, "the end of the pairing", |report| is_band(report, &BandReport::PairingClosed))?;
            }
        }
        person.alone(stage)?;
        Ok(Outcome::new(Wanted::Refused, "nobody is paired, and the window is closed"))
    }
}
