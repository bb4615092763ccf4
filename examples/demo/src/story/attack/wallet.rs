//! A wearer whose phone is infected.

use anyhow::{Result, ensure};

use super::{Victim, failure};
use crate::control::{AttackReport, BandCommand, Counter, Misdeed, PhoneCommand, PhoneReport, Report};
use crate::story::stage::Stage;

impl Victim {
    fn misbehaves(&self, stage: &mut Stage, misdeed: Misdeed) -> Result<()> {
        stage.forget(self.band)?;
        stage.forget(self.phone)?;
        stage.tell(self.phone, &PhoneCommand::Misdeed(misdeed))
    }

    fn has_misbehaved(&self, stage: &mut Stage) -> Result<()> {
        stage.wait(self.phone, "the end of it", |report| matches!(report, Report::Done).then_some(()))
    }

    /// What the phone said next that its owner did not mean, and the answer, which must begin like this.
    fn says(&self, stage: &mut Stage, answer: &str) -> Result<()> {
        let (said, answered) = stage.wait(self.phone, "an answer", |report| match report {
            Report::Attack(AttackReport::Said { said, answer }) => Some((said.clone(), answer.clone())),
            _ => None,
        })?;
        ensure!(answered.starts_with(answer), "{}'s phone {said}: {answered}; it should be: {answer}", self.name);
        let told = format!("The phone {said}: {answered}.");
        if ["declined", "refused"].iter().any(|no| answered.starts_with(no)) {
            stage.telling.refused(&told);
        } else {
            stage.telling.prose(&told);
        }
        Ok(())
    }

    /// Her phone shows what `payee` asks, and asks her band for `minor`. She presses all the same, if the band asks her.
    pub(super) fn is_shown_another_amount(&self, stage: &mut Stage, at: &Counter, minor: u64) -> Result<()> {
        self.misbehaves(stage, Misdeed::ChangeAmount { at: at.clone(), minor })?;
        let shown = self.shown(stage)?;
        if self.display {
            stage.telling.prose(&format!("The phone shows: {shown}. It asks the band for another amount."));
            self.says(stage, "declined: the object is not valid here")?;
            return self.has_misbehaved(stage);
        }
        let asked = self.asked(stage)?;
        stage.telling.prose(&format!("The phone shows: {shown}. The band: {asked}. {} does not look, and presses.", self.name));
        self.says(stage, "waits for a press")?;
        stage.done(self.band, &BandCommand::Press)?;
        self.says(stage, "a token")?;
        self.says(stage, "refused")?;
        self.says(stage, "refused")?;
        self.has_misbehaved(stage)
    }

    /// Her phone shows what one payee asks and asks her band to pay another one. She refuses where the band shows that, or wants to be unlocked for
    /// it; else she presses, and it is paid.
    pub(super) fn is_shown_another_payee(&self, stage: &mut Stage, (shown, paid): (&Counter, &Counter)) -> Result<()> {
        self.misbehaves(stage, Misdeed::PayOther { shown: shown.clone(), paid: paid.clone() })?;
        let on_phone = self.shown(stage)?;
        let on_band = self.asked(stage)?;
        stage.telling.prose(&format!("The phone shows: {on_phone}. The band: {on_band}."));
        self.says(stage, "waits for")?;
        ensure!(on_band.contains(&paid.payee) == self.display, "the band shows {on_band}");
        let is_large = on_band.contains("to be unlocked");
        if is_large {
            stage.tell(self.band, &BandCommand::Press)?;
            self.asked(stage)?;
            self.has_acted(stage)?;
            stage.telling.refused("A press does nothing: the band asks for the tap pattern again.");
        }
        if is_large || self.display {
            stage.telling.prose(&format!("{} does not mean that, and shakes the band.", self.name));
            stage.done(self.band, &BandCommand::Shake)?;
            self.says(stage, "declined: the gesture was not made")?;
            return self.has_misbehaved(stage);
        }
        stage.telling.prose(&format!("{} does not look at the amount, and presses.", self.name));
        stage.done(self.band, &BandCommand::Press)?;
        for answer in ["a token", "a receipt", "noted"] {
            self.says(stage, answer)?;
        }
        self.has_misbehaved(stage)
    }

    /// Her phone asks for two payments at once. She presses once.
    pub(super) fn presses_once_for_two(&self, stage: &mut Stage, payees: (&Counter, &Counter)) -> Result<()> {
        self.misbehaves(stage, Misdeed::TwoForOne { first: payees.0.clone(), second: payees.1.clone() })?;
        self.says(stage, "waits for a press")?;
        self.says(stage, "declined: the band is busy with something else")?;
        stage.done(self.band, &BandCommand::Press)?;
        for answer in ["a token", "a receipt", "noted", "waits for a press", "noted"] {
            self.says(stage, answer)?;
        }
        self.has_misbehaved(stage)
    }

    /// Her phone sends her last token to a payee that asks for something else now.
    pub(super) fn old_token_is_sent(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        self.misbehaves(stage, Misdeed::OldToken { at: at.clone() })?;
        for answer in ["a receipt", "noted", "refused: ", "the same, unpaid"] {
            self.says(stage, answer)?;
        }
        self.has_misbehaved(stage)
    }

    /// Her phone asks for a payment and says all that might be taken for a gesture. She does nothing.
    pub(super) fn makes_no_gesture(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        self.misbehaves(stage, Misdeed::NoGesture { at: at.clone() })?;
        let invalid = "declined: the object is not valid here";
        for answer in ["waits for a press", "noted", invalid, invalid, invalid, "how it is", "waits for a press", "noted"] {
            self.says(stage, answer)?;
        }
        self.has_misbehaved(stage)
    }

    /// Off her wrist, her phone says that she unlocked the band, and asks for a payment.
    pub(super) fn is_not_wearing_it(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        self.misbehaves(stage, Misdeed::Unlock { at: at.clone() })?;
        for _ in 0..3 {
            self.says(stage, "declined: the band is not worn")?;
        }
        self.has_misbehaved(stage)
    }

    /// For a large amount, her phone says that she unlocked the band. She only presses.
    pub(super) fn unlocks_by_phone_alone(&self, stage: &mut Stage, at: &Counter) -> Result<()> {
        self.misbehaves(stage, Misdeed::Unlock { at: at.clone() })?;
        for answer in ["noted", "waits for the band to be unlocked", "noted"] {
            self.says(stage, answer)?;
        }
        self.has_misbehaved(stage)?;
        stage.forget(self.band)?;
        stage.tell(self.band, &BandCommand::Press)?;
        self.asked(stage)?;
        self.has_acted(stage)?;
        self.misbehaves(stage, Misdeed::GiveUp)?;
        self.says(stage, "how it is")?;
        self.says(stage, "noted")?;
        self.has_misbehaved(stage)?;
        stage.telling.refused("She presses, and no token comes: the band waits for what she does on it.");
        Ok(())
    }

    /// Her phone brings a key list that a root of its own has signed.
    pub(super) fn is_brought_another_root(&self, stage: &mut Stage) -> Result<()> {
        self.misbehaves(stage, Misdeed::OwnRoot)?;
        self.says(stage, "declined: the object is not valid here")?;
        self.has_misbehaved(stage)
    }

    /// She has her band forget the phone, which has kept a copy of the link, and tries it.
    pub(super) fn unpairs_and_is_called(&self, stage: &mut Stage) -> Result<()> {
        self.misbehaves(stage, Misdeed::KeepLink)?;
        self.has_misbehaved(stage)?;
        stage.tell(self.phone, &PhoneCommand::Unpair { others: false })?;
        self.acts(stage, BandCommand::TriplePress)?;
        stage
            .wait(self.phone, "to be forgotten", |report| matches!(report, Report::Phone(PhoneReport::Unpaired)).then_some(()))?;
        self.alone(stage)?;
        stage.telling.prose("Three presses: the band has forgotten the phone. The phone has kept a copy of the link, and calls:");
        self.misbehaves(stage, Misdeed::UseKeptLink { band: self.band_address.clone() })?;
        let why = failure(stage, self.phone)?;
        self.alone(stage)?;
        stage.telling.refused(&format!("The phone connects with the copy: {why}."));
        Ok(())
    }
}
