//! A man in the middle while a phone and a band pair.

use anyhow::{Result, ensure};

use super::victim::is_band;
use super::{Attacker, Victim, failure, far, near};
use crate::control::{AttackCommand, BandCommand, BandReport, Deed, PhoneCommand, PhoneReport, Place, Report, Which};
use crate::story::stage::{Actor, Stage};

/// Each part of a pairing by code, by its message and a byte in it.
const PARTS: [(&str, Which, Place); 9] = [
    ("the band's challenge", far(0), Place::Byte(0)),
    ("the way of pairing", near(0), Place::Byte(0)),
    ("the wallet's versions", near(0), Place::Byte(2)),
    ("the wallet's ephemeral key", near(1), Place::Byte(0)),
    ("the commitment", near(1), Place::Byte(32)),
    ("the band's ephemeral key", far(1), Place::Byte(0)),
    ("the band's static key", far(1), Place::Byte(32)),
    ("the wallet's static key", near(2), Place::Byte(0)),
    ("the opening", near(2), Place::Byte(-1)),
];

impl Victim {
    fn open_window(&self, stage: &mut Stage) -> Result<()> {
        stage.forget(self.band)?;
        stage.tell(self.band, &BandCommand::Hold)?;
        stage.wait(self.band, "the pairing window", |report| is_band(report, &BandReport::PairingOpen))
    }

    fn window_closes(&self, stage: &mut Stage) -> Result<()> {
        stage.wait(self.band, "the end of the pairing", |report| is_band(report, &BandReport::PairingClosed))
    }
}

impl Attacker {
    /// Pairs with both sides, each with a code of its own.
    pub(super) fn pair_with_both(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        self.stand_before(stage, &victim.band_address)?;
        self.plan(stage, Deed::PairWithBoth)?;
        victim.open_window(stage)?;
        stage.tell(victim.phone, &PhoneCommand::Pair { band: self.address.clone() })?;
        let on_phone = code(stage, victim.phone)?;
        let on_band = code(stage, victim.band)?;
        let mut his = [code(stage, self.actor)?, code(stage, self.actor)?];
        his.sort();
        let mut theirs = [on_phone.clone(), on_band.clone()];
        theirs.sort();
        ensure!(his == theirs, "he does not pair with both");
        stage.telling.prose(&format!("{} is a band for the phone and a phone for the band, and says yes to both.", self.name));
        ensure!(on_phone != on_band, "the codes are the same: nobody would notice");
        stage.done(self.actor, &AttackCommand::Accept)?;
        stage.telling.refused(&format!(
            "The phone shows {on_phone} and the band {on_band}: they differ, and {} says no on both.",
            victim.name
        ));
        stage.done(victim.phone, &PhoneCommand::HangUp)?;
        stage.wait(self.actor, "the end of his pairing", |report| is_band(report, &BandReport::PairingClosed))?;
        stage.tell(victim.band, &BandCommand::Shake)?;
        victim.window_closes(stage)?;
        victim.has_acted(stage)?;
        self.over(stage)?;
        victim.alone(stage)
    }

    /// Changes each part of a pairing. Each attempt uses up the window that the wearer opened.
    pub(super) fn change_pairing(&self, stage: &mut Stage, victim: &Victim) -> Result<()> {
        self.stand_before(stage, &victim.band_address)?;
        for (part, which, place) in PARTS {
            self.plan(stage, Deed::Change { which, place })?;
            victim.open_window(stage)?;
            stage.tell(victim.phone, &PhoneCommand::Pair { band: self.address.clone() })?;
            let why = stage.wait(victim.phone, "a failure", |report| match report {
                Report::Failed(why) => Some(why.clone()),
                // It has sent its last message before the band could refuse it.
                Report::Phone(PhoneReport::Code(_)) => Some("the phone shows a code, the band none".to_owned()),
                _ => None,
            })?;
            victim.window_closes(stage)?;
            self.did(stage)?;
            victim.alone(stage)?;
            victim.gives_up(stage)?;
            stage.telling.refused(&format!("{} changes {part}: {why}. The window is closed.", self.name));
        }
        stage.tell(victim.phone, &PhoneCommand::Pair { band: self.address.clone() })?;
        let why = failure(stage, victim.phone)?;
        self.over(stage)?;
        victim.alone(stage)?;
        stage.telling.refused(&format!("Once more without a new gesture: {why}."));
        Ok(())
    }
}

/// The next code that somebody shows, as a phone or as a band.
fn code(stage: &mut Stage, actor: Actor) -> Result<String> {
    stage.wait(actor, "a code", |report| match report {
        Report::Phone(PhoneReport::Code(code)) | Report::Band(BandReport::Code(code)) => Some(code.clone()),
        _ => None,
    })
}
