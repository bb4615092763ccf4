//! A person with a band and a phone, and what they do with them.

use anyhow::{Result, ensure};

use super::stage::{Actor, Stage};
use crate::control::{BandCommand, BandReport, IssuerCommand, PhoneCommand, PhoneReport, Report};

/// A person with a band and a phone; or with a phone that is both.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) band: Actor,
    pub(super) phone: Actor,
    pub(super) band_address: String,
}

/// What everybody who enters has to know of the issuer.
pub(super) struct Service {
    pub(super) root: String,
    pub(super) address: String,
}

impl Person {
    /// A person with a band and a phone, whose files are in folders of this name.
    pub(super) fn enter(
        stage: &mut Stage,
        (name, folder): (&'static str, &str),
        service: &Service,
        display: bool,
    ) -> Result<Self> {
        let (band, band_address) = start_band(stage, name, folder, service, display)?;
        let phone = start_phone(stage, (name, folder), service, &[])?;
        Ok(Self { name, band, phone, band_address })
    }

    /// A person without a band.
    pub(super) fn enter_with_phone(stage: &mut Stage, (name, folder): (&'static str, &str), service: &Service) -> Result<Self> {
        let phone = start_phone(stage, (name, folder), service, &["--inside"])?;
        Ok(Self { name, band: phone, phone, band_address: String::new() })
    }

    /// Whether the phone is the band.
    pub(super) fn is_phone(&self) -> bool {
        self.band == self.phone
    }

    /// Gets another band.
    pub(super) fn take_new_band(&mut self, stage: &mut Stage, folder: &str, service: &Service) -> Result<()> {
        (self.band, self.band_address) = start_band(stage, self.name, folder, service, true)?;
        Ok(())
    }

    pub(super) fn pair(&self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.band, &BandCommand::Hold)?;
        stage.wait(self.band, "the pairing window", |report| is_band(report, &BandReport::PairingOpen))?;
        stage.tell(self.phone, &PhoneCommand::Pair { band: self.band_address.clone() })?;
        let in_wallet = stage.wait(self.phone, "a code", |report| match report {
            Report::Phone(PhoneReport::Code(code)) => Some(code.clone()),
            _ => None,
        })?;
        let on_band = stage.wait(self.band, "a code", |report| match report {
            Report::Band(BandReport::Code(code)) => Some(code.clone()),
            _ => None,
        })?;
        stage.telling.prose(&format!("The band shows {on_band}. The phone shows {in_wallet}."));
        ensure!(on_band == in_wallet, "the codes differ");
        stage.telling.check(&format!("The codes are the same: {} says yes on the phone and presses the band.", self.name));
        stage.tell(self.phone, &PhoneCommand::AcceptCode)?;
        stage.tell(self.band, &BandCommand::Press)?;
        self.paired(stage)
    }

    /// Pairs with what the band's display shows.
    pub(super) fn pair_by_display(&self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.band, &BandCommand::Hold)?;
        let uri = stage.wait(self.band, "a code to scan", |report| match report {
            Report::Band(BandReport::Label(uri)) => Some(uri.clone()),
            _ => None,
        })?;
        stage.telling.prose(&format!("The band's display shows a code to scan: {}.", shortened(&uri)));
        stage.tell(self.phone, &PhoneCommand::Scan { band: self.band_address.clone(), uri })?;
        self.paired(stage)
    }

    fn paired(&self, stage: &mut Stage) -> Result<()> {
        stage.wait(self.phone, "the pairing", |report| is_phone(report, &PhoneReport::Paired))?;
        stage.wait(self.band, "the pairing", |report| is_band(report, &BandReport::Paired))?;
        self.alone(stage)
    }

    pub(super) fn alone(&self, stage: &mut Stage) -> Result<()> {
        stage.wait(self.band, "the end of the connection", |report| is_band(report, &BandReport::Alone))
    }

    /// Connects the phone to the band. Says whether that resumed the last connection.
    pub(super) fn connect(&self, stage: &mut Stage) -> Result<bool> {
        stage.tell(self.phone, &PhoneCommand::Connect { band: self.band_address.clone() })?;
        self.connected(stage)
    }

    pub(super) fn connected(&self, stage: &mut Stage) -> Result<bool> {
        let (resumed, used_elsewhere) = stage.wait(self.phone, "the link", |report| match report {
            Report::Phone(PhoneReport::Connected { resumed, used_elsewhere }) => Some((*resumed, *used_elsewhere)),
            _ => None,
        })?;
        ensure!(!used_elsewhere, "somebody else used {}'s link", self.name);
        Ok(resumed)
    }

    /// Enrols the band with a code from the issuer's page. Gives its credential.
    pub(super) fn enrol(&self, stage: &mut Stage, issuer: Actor) -> Result<String> {
        stage.tell(issuer, &IssuerCommand::IssueCode { name: self.name.to_owned() })?;
        let code = code(stage, issuer)?;
        stage.telling.prose(&format!("{}, signed in on the issuer's page, gets the code {code}.", self.name));
        self.enrol_with(stage, issuer, code)
    }

    pub(super) fn enrol_with(&self, stage: &mut Stage, issuer: Actor, code: String) -> Result<String> {
        let name = self.name.to_owned();
        stage.tell(self.phone, &PhoneCommand::Enrol { code })?;
        let (number, on_band) = stage.wait(self.band, "the enrolment digits", |report| match report {
            Report::Band(BandReport::EnrolmentDigits { digits, shown }) => Some((*digits, shown.clone())),
            _ => None,
        })?;
        let (credential, limits) = stage.wait(self.phone, "a credential", |report| match report {
            Report::Phone(PhoneReport::Enrolled { credential, limits }) => Some((credential.clone(), limits.clone())),
            _ => None,
        })?;
        stage.telling.prose(&format!("Credential {credential}: {limits}."));
        stage.tell(issuer, &IssuerCommand::Digits { name: name.clone() })?;
        let (expected, on_page) = stage.wait(issuer, "the digits", |report| match report {
            Report::Digits { digits, shown } => Some((*digits, shown.clone())),
            _ => None,
        })?;
        let it = if self.is_phone() { "phone" } else { "band" };
        stage.telling.prose(&format!("The {it} shows {on_band}. The issuer's own page shows {on_page}."));
        ensure!(expected == Some(number), "the enrolment digits differ");
        stage.telling.check(&format!("The digits are the same: {name} confirms them there, where no wallet has a say."));
        stage.done(issuer, &IssuerCommand::Confirm { name, digits: number })?;
        Ok(credential)
    }

    pub(super) fn put_on(&self, stage: &mut Stage) -> Result<()> {
        stage.done(self.band, &BandCommand::PutOn)?;
        stage.done(self.band, &BandCommand::TapPattern)
    }

    pub(super) fn hang_up(&self, stage: &mut Stage) -> Result<()> {
        stage.forget(self.band)?;
        stage.done(self.phone, &PhoneCommand::HangUp)?;
        self.alone(stage)
    }
}

fn start_band(stage: &mut Stage, name: &str, folder: &str, service: &Service, display: bool) -> Result<(Actor, String)> {
    let folder = stage.dir.join(format!("{folder}-band")).display().to_string();
    let arguments = ["band", "--folder", &folder, "--root", &service.root, "--display"];
    let arguments = if display { &arguments[..] } else { &arguments[..5] };
    let band = stage.start(&format!("{name}'s band"), arguments)?;
    Ok((band, stage.address(band)?))
}

fn start_phone(stage: &mut Stage, (name, folder): (&str, &str), service: &Service, more: &[&str]) -> Result<Actor> {
    let folder = stage.dir.join(format!("{folder}-phone")).display().to_string();
    let arguments = ["phone", "--owner", name, "--folder", &folder, "--root", &service.root, "--issuer", &service.address];
    stage.start(&format!("{name}'s phone"), &[&arguments, more].concat())
}

/// The code that the issuer gave to a signed-in user.
pub(super) fn code(stage: &mut Stage, issuer: Actor) -> Result<String> {
    stage.wait(issuer, "an enrolment code", |report| match report {
        Report::Code { code } => Some(code.clone()),
        _ => None,
    })
}

/// A URI is longer than a line.
pub(super) fn shortened(uri: &str) -> String {
    format!("{}… ({} characters)", uri.chars().take(24).collect::<String>(), uri.len())
}

pub(super) fn is_band(report: &Report, wanted: &BandReport) -> Option<()> {
    matches!(report, Report::Band(found) if found == wanted).then_some(())
}

pub(super) fn is_phone(report: &Report, wanted: &PhoneReport) -> Option<()> {
    matches!(report, Report::Phone(found) if found == wanted).then_some(())
}
