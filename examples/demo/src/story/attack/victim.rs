//! Whoever is attacked, and what they do meanwhile.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::failure;
use crate::control::{BandCommand, BandReport, Counter, PhoneCommand, PhoneReport, Report};
use crate::story::stage::{Actor, Stage};

/// A person with a band and a phone that are attacked.
#[derive(Clone)]
pub(super) struct Victim {
    pub(super) name: String,
    pub(super) band: Actor,
    pub(super) phone: Actor,
    /// Where the phone looks for the band.
    pub(super) band_address: String,
    /// Whether the band shows who asks to be paid.
    pub(super) display: bool,
    /// What band and phone keep.
    pub(super) folders: [PathBuf; 2],
}

impl Victim {
    /// Connects the phone to the band. Says whether that resumed the last connection.
    pub(super) fn connect(&self, stage: &mut Stage) -> Result<bool> {
        stage.tell(self.phone, &PhoneCommand::Connect { band: self.band_address.clone() })?;
        let (resumed, used_elsewhere) = stage.wait(self.phone, "the link", |report| match report {
            Report::Phone(PhoneReport::Connected { resumed, used_elsewhere }) => Some((*resumed, *used_elsewhere)),
            _ => None,
        })?;
        ensure!(!used_elsewhere, "somebody else used {}'s link", self.name);
        Ok(resumed)
    }

    /// The connection is lost: nobody says goodbye.
    pub(super) fn lose(&self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.phone, &PhoneCommand::Lose)?;
        stage.wait(self.phone, "to be out of reach", |report| {
            matches!(report, Report::Phone(PhoneReport::OutOfReach)).then_some(())
        })?;
        self.alone(stage)
    }

    pub(super) fn hang_up(&self, stage: &mut Stage) -> Result<()> {
        stage.done(self.phone, &PhoneCommand::HangUp)?;
        self.alone(stage)
    }

    /// Has the phone hang up, whether or not anybody is there.
    pub(super) fn gives_up(&self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.phone, &PhoneCommand::HangUp)?;
        stage.wait(self.phone, "the end", |report| matches!(report, Report::Done | Report::Failed(_)).then_some(()))
    }

    /// Waits until the band has noticed that its connection is over.
    pub(super) fn alone(&self, stage: &mut Stage) -> Result<()> {
        stage.done(self.band, &BandCommand::AwaitAlone)
    }

    /// Tries to connect, and fails. Gives why, as the phone says it.
    pub(super) fn fails_to_connect(&self, stage: &mut Stage) -> Result<String> {
        stage.tell(self.phone, &PhoneCommand::Connect { band: self.band_address.clone() })?;
        failure(stage, self.phone)
    }

    /// Has the phone pay what is asked at this counter, presses the band, and waits for whatever comes of it.
    pub(super) fn press_to_pay(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        stage.forget(self.band)?;
        self.ask_to_pay(stage, at)?;
        self.asked(stage)?;
        self.acts(stage, BandCommand::Press)
    }

    /// Does what the band waits for, or says no, and has the phone hear of it.
    pub(super) fn acts(&self, stage: &mut Stage, command: BandCommand) -> Result<()> {
        stage.wait(self.phone, "to wait for the wearer", |report| {
            matches!(report, Report::Phone(PhoneReport::Waiting(_))).then_some(())
        })?;
        stage.done(self.band, &command)?;
        stage.tell(self.phone, &PhoneCommand::Await)
    }

    /// Waits until what was done on the band is over.
    pub(super) fn has_acted(&self, stage: &mut Stage) -> Result<()> {
        stage.wait(self.band, "the end of it", |report| matches!(report, Report::Done).then_some(()))
    }

    pub(super) fn ask_to_pay(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        let (payee, address) = (at.payee.clone(), at.address.clone());
        stage.tell(self.phone, &PhoneCommand::Pay { payee, address, uri: None })
    }

    /// Sends the token of the last payment again.
    pub(super) fn go_on(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        stage.tell(self.phone, &PhoneCommand::Again { payee: at.payee.clone(), address: at.address.clone() })
    }

    pub(super) fn settles(&self, stage: &mut Stage) -> Result<()> {
        let (settled, outcome) = stage.wait(self.phone, "a receipt", |report| match report {
            Report::Receipt { settled, outcome, .. } => Some((*settled, outcome.clone())),
            _ => None,
        })?;
        ensure!(settled, "the payment was {outcome}");
        Ok(())
    }

    /// What the phone shows.
    pub(super) fn shown(&self, stage: &mut Stage) -> Result<String> {
        let (payee, amount) = stage.wait(self.phone, "an offer", |report| match report {
            Report::Phone(PhoneReport::Offer { payee, amount, .. }) => Some((payee.clone(), amount.clone())),
            _ => None,
        })?;
        Ok(format!("{payee}, {amount}"))
    }

    /// What the band waits for, with all that it shows.
    pub(super) fn asked(&self, stage: &mut Stage) -> Result<String> {
        stage.wait(self.band, "to be asked", |report| match report {
            Report::Band(BandReport::Waiting(what)) => Some(what.clone()),
            _ => None,
        })
    }

    /// Why the phone's payment does not go on.
    pub(super) fn declined(&self, stage: &mut Stage) -> Result<String> {
        stage.wait(self.phone, "a refusal", |report| match report {
            Report::Phone(PhoneReport::Declined(why) | PhoneReport::NotTaken(why)) => Some(why.clone()),
            _ => None,
        })
    }
}

pub(super) fn is_band(report: &Report, wanted: &BandReport) -> Option<()> {
    matches!(report, Report::Band(found) if found == wanted).then_some(())
}
