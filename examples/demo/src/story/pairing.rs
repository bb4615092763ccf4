//! How people enter, and how bands and phones find each other, enrol, and forget each other.

use anyhow::{Context, Result, ensure};
use armring_wire::Amount;

use super::language::{Equipment, Face, Pairing, Wanted};
use super::outcome::Outcome;
use super::person::{Begun, Person, is_phone, shortened};
use super::player::Player;
use super::stage::Stage;
use crate::control::{BandCommand, BandReport, IssuerCommand, PhoneCommand, PhoneReport, Report};

impl Player {
    pub(super) fn enter(&mut self, name: &str, with: &Equipment, money: Option<Amount>) -> Result<Outcome> {
        if !matches!(with, Equipment::CopyOf(_) | Equipment::PhoneOf(_)) {
            self.open_account(name, money.map_or(0, |money| money.minor()))?;
        }
        let theirs = match with {
            Equipment::PhoneOf(victim) => Some(self.person(victim)?.0.band.clone()),
            _ => None,
        };
        let person = Person::enter(&mut self.stage, name, (with, theirs), &self.service)?;
        self.people.push(person);
        Ok(Outcome::done())
    }

    pub(super) fn pair(&mut self, who: &str, how: Pairing) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.disconnect(stage, true)?;
        if person.is_phone() {
            person.pair_inside(stage)?;
            return Ok(Outcome::done());
        }
        let seen = if how == Pairing::CodeInWindow { Vec::new() } else { person.open_window(stage)? };
        match how {
            Pairing::Code | Pairing::CodeInWindow => person.pair_by_code(stage)?,
            Pairing::Qr => person.scan(stage, &seen, "The band's display shows a code to scan")?,
            Pairing::Label => person.scan(stage, &seen, "A code to scan is printed on the band's label")?,
            Pairing::Press => stage.tell(person.phone, &PhoneCommand::PairByPress { band: person.band.address.clone() })?,
        }
        stage.wait(person.phone, "the pairing", |report| is_phone(report, &PhoneReport::Paired))?;
        stage.wait(person.band.actor, "the pairing", |report| is_band(report, &BandReport::Paired))?;
        person.alone(stage)?;
        Ok(Outcome::done())
    }

    pub(super) fn connect(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.disconnect(stage, true)?;
        stage.tell(person.phone, &PhoneCommand::Connect { band: person.band.address.clone() })?;
        person.connected(stage)
    }

    pub(super) fn disconnect(&mut self, who: &str, goodbye: bool) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.disconnect(stage, goodbye)?;
        Ok(Outcome::done())
    }

    /// Enrols the band with a code of the issuer's.
    pub(super) fn enrol(&mut self, who: &str) -> Result<Outcome> {
        let issuer = self.service.actor;
        let (person, stage) = self.person(who)?;
        let name = person.name.clone();
        let code = match person.code.take() {
            Some(code) => code,
            None => {
                stage.tell(issuer, &IssuerCommand::IssueCode { name: name.clone() })?;
                let code = stage.wait(issuer, "an enrolment code", code)?;
                stage.telling.prose(&format!("{name}, signed in on the issuer's page, gets the code {code}."));
                code
            }
        };
        stage.tell(person.phone, &PhoneCommand::Enrol { code })?;
        let (credential, limits, digits) = person.enrolled(stage)?;
        stage.telling.prose(&format!("Credential {credential}: {limits}."));
        person.band.credential = Some(credential);
        stage.tell(issuer, &IssuerCommand::Digits { name: name.clone() })?;
        let (expected, on_page) = stage.wait(issuer, "the digits", |report| match report {
            Report::Digits { digits, shown } => Some((*digits, shown.clone())),
            _ => None,
        })?;
        let (number, shown) = digits;
        stage.telling.prose(&format!("The {} shows {shown}. The issuer's own page shows {on_page}.", person.authenticator()));
        ensure!(expected == Some(number), "the enrolment digits differ");
        stage.telling.check(&format!("The digits are the same: {name} confirms them there, where no wallet has a say."));
        stage.done(issuer, &IssuerCommand::Confirm { name, digits: number })?;
        Ok(Outcome::done())
    }

    /// Pairs as the band can, connects, enrols, puts on and unlocks.
    pub(super) fn set_up(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        let (name, it, inside) = (person.name.clone(), person.authenticator(), person.is_phone());
        let how = match person.band.face {
            Face::Lights => Pairing::Code,
            Face::Display => Pairing::Qr,
            Face::Button => Pairing::Press,
            Face::Label => Pairing::Label,
        };
        stage.telling.prose(&format!("{name} pairs and enrols the {it}, and unlocks it (told nowhere)."));
        stage.telling.quiet(true);
        let done = self.set_up_quietly(who, how, inside);
        self.stage.telling.quiet(false);
        done?;
        Ok(Outcome::done())
    }

    fn set_up_quietly(&mut self, who: &str, how: Pairing, inside: bool) -> Result<()> {
        self.pair(who, how)?;
        if !inside {
            self.connect(who)?;
        }
        self.enrol(who)?;
        if !inside {
            self.on_band(who, BandCommand::PutOn)?;
        }
        self.unlock(who, true)?;
        Ok(())
    }

    /// Asks the band to forget this phone, or all others.
    pub(super) fn unpair(&mut self, who: &str, others: bool) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        stage.tell(person.phone, &PhoneCommand::Unpair { others })?;
        let waits = stage.wait(person.phone, "to wait for the wearer", |report| match report {
            Report::Phone(PhoneReport::Waiting(what)) => Some(what.clone()),
            _ => None,
        })?;
        person.begun = Some(Begun::Unpairing);
        stage.telling.prose(&person.buzz(&waits));
        Ok(Outcome::new(Wanted::Waiting, waits))
    }

    /// Presses three times, which forgets what waits to be forgotten.
    pub(super) fn press_three_times(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.on_band(stage, BandCommand::TriplePress)?;
        if !matches!(person.begun, Some(Begun::Unpairing)) {
            return Ok(Outcome::done());
        }
        person.begun = None;
        stage.tell(person.phone, &PhoneCommand::Await)?;
        stage.wait(person.phone, "to be forgotten", |report| is_phone(report, &PhoneReport::Unpaired))?;
        Ok(Outcome::done())
    }

    /// Erases all that the band keeps.
    pub(super) fn reset(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.on_band(stage, BandCommand::Reset)?;
        person.disconnect(stage, false)?;
        Ok(Outcome::done())
    }
}

impl Person {
    /// Opens the pairing window. Gives what the band shows.
    pub(super) fn open_window(&self, stage: &mut Stage) -> Result<Vec<Report>> {
        let seen = stage.watch(self.band.actor, &BandCommand::Hold)?;
        ensure!(seen.iter().any(|report| is_band(report, &BandReport::PairingOpen).is_some()), "the pairing window did not open");
        Ok(seen)
    }

    fn pair_by_code(&self, stage: &mut Stage) -> Result<()> {
        self.codes(stage)?;
        stage.telling.check(&format!("The codes are the same: {} says yes on the phone and presses the band.", self.name));
        stage.done(self.band.actor, &BandCommand::Press)?;
        stage.tell(self.phone, &PhoneCommand::AcceptCode)
    }

    /// Begins to pair by code, and compares what band and phone show.
    pub(super) fn codes(&self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.phone, &PhoneCommand::Pair { band: self.band.address.clone() })?;
        let in_wallet = stage.wait(self.phone, "a code", |report| match report {
            Report::Phone(PhoneReport::Code(code)) => Some(code.clone()),
            _ => None,
        })?;
        let on_band = stage.wait(self.band.actor, "a code", |report| match report {
            Report::Band(BandReport::Code(code)) => Some(code.clone()),
            _ => None,
        })?;
        stage.telling.prose(&format!("The band shows {on_band}. The phone shows {in_wallet}."));
        ensure!(on_band == in_wallet, "the codes differ");
        Ok(())
    }

    /// Pairs with what the band's display shows, or its label.
    fn scan(&self, stage: &mut Stage, seen: &[Report], told: &str) -> Result<()> {
        let uri = seen.iter().find_map(|seen| match seen {
            Report::Band(BandReport::Label(uri)) => Some(uri.clone()),
            _ => None,
        });
        let uri = uri.with_context(|| format!("{}'s band has neither a display nor a label", self.name))?;
        stage.telling.prose(&format!("{told}: {}.", shortened(&uri)));
        stage.tell(self.phone, &PhoneCommand::Scan { band: self.band.address.clone(), uri })
    }

    fn pair_inside(&mut self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.phone, &PhoneCommand::PairInside)?;
        let how = self.connected(stage)?.how;
        ensure!(how == Wanted::Reconnected, "the phone's own link was used elsewhere");
        Ok(())
    }

    fn connected(&mut self, stage: &mut Stage) -> Result<Outcome> {
        let (resumed, used_elsewhere) = stage.wait(self.phone, "the link", |report| match report {
            Report::Phone(PhoneReport::Connected { resumed, used_elsewhere }) => Some((*resumed, *used_elsewhere)),
            _ => None,
        })?;
        self.linked = true;
        let how = match (used_elsewhere, resumed) {
            (true, _) => Wanted::UsedElsewhere,
            (_, true) => Wanted::Resumed,
            _ => Wanted::Reconnected,
        };
        Ok(Outcome::new(how, ""))
    }

    /// Waits for the credential. Gives it, its limits, and the digits that the band shows.
    fn enrolled(&self, stage: &mut Stage) -> Result<(String, String, (u32, String))> {
        let mut digits = None;
        let (credential, limits) = stage.wait(self.phone, "a credential", |report| {
            match report {
                // Where the phone is the band, one process says both.
                Report::Band(BandReport::EnrolmentDigits { digits: number, shown }) => digits = Some((*number, shown.clone())),
                Report::Phone(PhoneReport::Enrolled { credential, limits }) => return Some((credential.clone(), limits.clone())),
                _ => {}
            }
            None
        })?;
        if digits.is_none() {
            digits = stage.wait(self.band.actor, "the enrolment digits", |report| match report {
                Report::Band(BandReport::EnrolmentDigits { digits, shown }) => Some(Some((*digits, shown.clone()))),
                _ => None,
            })?;
        }
        Ok((credential, limits, digits.context("no digits")?))
    }
}

/// The code that the issuer gave to a signed-in user.
pub(super) fn code(report: &Report) -> Option<String> {
    match report {
        Report::Code { code } => Some(code.clone()),
        _ => None,
    }
}

pub(super) fn is_band(report: &Report, wanted: &BandReport) -> Option<()> {
    matches!(report, Report::Band(found) if found == wanted).then_some(())
}
