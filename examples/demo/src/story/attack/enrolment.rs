//! A man in the middle between a phone and the issuer, while a band enrols.

use anyhow::Result;

use super::{Attacker, Victim, far, near};
use crate::control::{Deed, PhoneCommand, PhoneReport, Place, Report, Which};
use crate::story::stage::Stage;

/// Each message of an enrolment that matters.
const MESSAGES: [(&str, Which); 5] = [
    ("the issuer's key list", far(0)),
    ("the band's message 1", near(1)),
    ("the issuer's message 2", far(1)),
    ("the band's sealed request", near(2)),
    ("the issuer's sealed credential", far(2)),
];

impl Attacker {
    /// Changes each message of an enrolment with this code, one in each.
    pub(super) fn change_enrolment(&self, stage: &mut Stage, victim: &Victim, (issuer, code): (&str, &str)) -> Result<()> {
        self.stand_before(stage, issuer)?;
        stage.done(victim.phone, &PhoneCommand::IssuerAt { address: self.address.clone() })?;
        for (message, which) in MESSAGES {
            self.plan(stage, Deed::Change { which, place: Place::Byte(-1) })?;
            stage.tell(victim.phone, &PhoneCommand::Enrol { code: code.to_owned() })?;
            let why = stage.wait(victim.phone, "a refusal", |report| match report {
                Report::Failed(why) | Report::Phone(PhoneReport::Declined(why)) => Some(why.clone()),
                _ => None,
            })?;
            self.did(stage)?;
            stage.telling.refused(&format!("{} changes {message}: {why}.", self.name));
            victim.gives_up(stage)?;
            victim.alone(stage)?;
            victim.connect(stage)?;
        }
        stage.done(victim.phone, &PhoneCommand::IssuerAt { address: issuer.to_owned() })
    }
}
