//! A person with a band and a phone, and what they do with them.

use anyhow::{Result, ensure};

use super::stage::{Actor, Stage};
use crate::control::{BandCommand, BandReport, IssuerCommand, PhoneCommand, PhoneReport, Report};

/// A person with a band and a phone.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) band: Actor,
    pub(super) phone: Actor,
    pub(super) band_address: String,
}

/// Who is to be paid, and where they are reached.
pub(super) struct Payee {
    pub(super) name: String,
    pub(super) address: String,
}

impl Payee {
    pub(super) fn pay(&self) -> PhoneCommand {
        PhoneCommand::Pay { payee: self.name.clone(), address: self.address.clone() }
    }
}

impl Person {
    pub(super) fn enter(stage: &mut Stage, name: &'static str, folder: &str, root: &str, issuer: &str) -> Result<Self> {
        let path = |device: &str| stage.dir.join(format!("{folder}-{device}")).display().to_string();
        let (band_folder, phone_folder) = (path("band"), path("phone"));
        let band = stage.start(&format!("{name}'s band"), &["band", "--folder", &band_folder, "--root", root])?;
        let phone = stage.start(
            &format!("{name}'s phone"),
            &["phone", "--owner", name, "--folder", &phone_folder, "--root", root, "--issuer", issuer],
        )?;
        let band_address = stage.address(band)?;
        Ok(Self { name, band, phone, band_address })
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
        stage.wait(self.phone, "the pairing", |report| is_phone(report, &PhoneReport::Paired))?;
        stage.wait(self.band, "the pairing", |report| is_band(report, &BandReport::Paired))?;
        stage.wait(self.band, "the end of the connection", |report| is_band(report, &BandReport::Alone))
    }

    pub(super) fn connect(&self, stage: &mut Stage) -> Result<()> {
        stage.tell(self.phone, &PhoneCommand::Connect { band: self.band_address.clone() })?;
        stage.wait(self.phone, "the link", |report| is_phone(report, &PhoneReport::Connected))
    }

    pub(super) fn enrol(&self, stage: &mut Stage, issuer: Actor) -> Result<()> {
        let name = self.name.to_owned();
        stage.tell(issuer, &IssuerCommand::IssueCode { name: name.clone() })?;
        let code = stage.wait(issuer, "an enrolment code", |report| match report {
            Report::Code { code } => Some(code.clone()),
            _ => None,
        })?;
        stage.telling.prose(&format!("{name}, signed in on the issuer's page, gets the code {code}."));
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
        stage.telling.prose(&format!("The band shows {on_band}. The issuer's own page shows {on_page}."));
        ensure!(expected == Some(number), "the enrolment digits differ");
        stage.telling.check(&format!("The digits are the same: {name} confirms them there, where the phone has no say."));
        stage.done(issuer, &IssuerCommand::Confirm { name, digits: number })
    }

    pub(super) fn put_on(&self, stage: &mut Stage) -> Result<()> {
        stage.done(self.band, &BandCommand::PutOn)?;
        stage.done(self.band, &BandCommand::TapPattern)
    }

    /// Has the phone pay and waits until the band waits for its wearer.
    pub(super) fn begin_payment(&self, stage: &mut Stage, payee: &Payee) -> Result<()> {
        stage.forget(self.band)?;
        stage.tell(self.phone, &payee.pay())?;
        let (payee, memo, amount) = offer(stage, self.phone)?;
        stage.telling.prose(&format!("The phone shows: {payee}, {amount}, \"{memo}\"."));
        let waiting = stage.wait(self.band, "a payment", |report| match report {
            Report::Band(BandReport::Waiting(what)) => Some(what.clone()),
            _ => None,
        })?;
        stage.telling.prose(&format!("The band buzzes: {waiting}."));
        Ok(())
    }

    /// Waits for the receipt of a payment. Gives what became of it.
    pub(super) fn receipt(&self, stage: &mut Stage) -> Result<(String, bool, String)> {
        let receipt = stage.wait(self.phone, "a receipt", |report| match report {
            Report::Receipt { outcome, settled, receipt } => Some((outcome.clone(), *settled, receipt.clone())),
            _ => None,
        })?;
        stage.wait(self.band, "the receipt on the wrist", |report| match report {
            Report::Band(BandReport::Paid { .. }) => Some(()),
            _ => None,
        })?;
        Ok(receipt)
    }

    /// Pays with a press and gives what became of it.
    pub(super) fn pay(&self, stage: &mut Stage, payee: &Payee) -> Result<(String, bool, String)> {
        self.begin_payment(stage, payee)?;
        stage.tell(self.band, &BandCommand::Press)?;
        self.receipt(stage)
    }

    /// Tries to pay and gives why the band declines.
    pub(super) fn decline(&self, stage: &mut Stage, payee: &Payee) -> Result<String> {
        stage.tell(self.phone, &payee.pay())?;
        offer(stage, self.phone)?;
        stage.wait(self.phone, "a refusal", |report| match report {
            Report::Phone(PhoneReport::Declined(why)) => Some(why.clone()),
            _ => None,
        })
    }

    pub(super) fn hang_up(&self, stage: &mut Stage) -> Result<()> {
        stage.forget(self.band)?;
        stage.done(self.phone, &PhoneCommand::HangUp)?;
        stage.wait(self.band, "the end of the connection", |report| is_band(report, &BandReport::Alone))
    }
}

fn offer(stage: &mut Stage, phone: Actor) -> Result<(String, String, String)> {
    stage.wait(phone, "an offer", |report| match report {
        Report::Phone(PhoneReport::Offer { payee, memo, amount }) => Some((payee.clone(), memo.clone(), amount.clone())),
        _ => None,
    })
}

fn is_band(report: &Report, wanted: &BandReport) -> Option<()> {
    matches!(report, Report::Band(found) if found == wanted).then_some(())
}

fn is_phone(report: &Report, wanted: &PhoneReport) -> Option<()> {
    matches!(report, Report::Phone(found) if found == wanted).then_some(())
}
