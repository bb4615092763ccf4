//! What a person hears of a payment, from the phone and on the wrist.

use anyhow::Result;

use super::person::Person;
use super::stage::Stage;
use crate::control::{BandReport, PhoneReport, Report};

/// What a phone says of a payment, where it does not go on by itself.
pub(super) enum Said {
    Waiting,
    Pending,
    NotTaken(String),
    Receipt { outcome: String, settled: bool, receipt: String },
}

impl Person {
    /// What the phone says of a payment; with what the band shows where it waits.
    pub(super) fn phone_says(&self, stage: &mut Stage) -> Result<(Said, String)> {
        let mut waits = None;
        let said = stage.wait(self.phone, "what becomes of the payment", |report| {
            Some(match report {
                Report::Band(BandReport::Waiting(what)) => {
                    waits = Some(what.clone());
                    return None;
                }
                Report::Phone(PhoneReport::Waiting(_)) => Said::Waiting,
                Report::Phone(PhoneReport::Pending) => Said::Pending,
                Report::Phone(PhoneReport::NotTaken(why)) => Said::NotTaken(why.clone()),
                Report::Receipt { outcome, settled, receipt } => {
                    Said::Receipt { outcome: outcome.clone(), settled: *settled, receipt: receipt.clone() }
                }
                _ => return None,
            })
        })?;
        if matches!(said, Said::Waiting) && waits.is_none() {
            waits = stage.wait(self.band.actor, "a payment", |report| match report {
                Report::Band(BandReport::Waiting(what)) => Some(Some(what.clone())),
                _ => None,
            })?;
        }
        Ok((said, waits.unwrap_or_default()))
    }

    pub(super) fn buzz(&self, waits: &str) -> String {
        match waits.split_once(" waits for ") {
            Some((shown, _)) if self.is_phone() => format!("The phone shows: {shown}. It waits for a finger."),
            Some(_) => format!("The band buzzes: {waits}."),
            None => format!("The {} buzzes: it waits for {waits}.", self.authenticator()),
        }
    }

    /// Waits until the wrist has heard of the receipt.
    pub(super) fn told_on_wrist(&self, stage: &mut Stage) -> Result<()> {
        if self.is_phone() {
            // One process reports both: the wrist's word came first.
            return Ok(());
        }
        stage.wait(self.band.actor, "the receipt on the wrist", |report| match report {
            Report::Band(BandReport::Paid { .. }) => Some(()),
            _ => None,
        })
    }
}
