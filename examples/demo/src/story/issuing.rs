//! What the issuer does, and what phones and bands make of its keys; and noise at every door.

use anyhow::{Context, Result, bail};
use armring_token::{Receipt, Unverified};
use armring_wire::Amount;

use super::language::{Device, Door, Wanted};
use super::noise;
use super::outcome::Outcome;
use super::pairing::code;
use super::person::{Begun, Person, Service};
use super::player::Player;
use super::stage::Stage;
use crate::control::{IssuerCommand, PhoneCommand, PhoneReport, Report, unhex};

impl Service {
    pub(super) fn start(stage: &mut Stage) -> Result<Self> {
        let ledger = stage.dir.join("ledger.sqlite").display().to_string();
        let actor = stage.start("issuer", &["issuer", "--ledger", &ledger])?;
        let (root, key_list) = stage.wait(actor, "the root key", |report| match report {
            Report::Root { root, key_list } => Some((root.clone(), key_list.clone())),
            _ => None,
        })?;
        Ok(Self { actor, root, address: stage.address(actor)?, key_list })
    }
}

impl Player {
    pub(super) fn open_account(&mut self, name: &str, minor: u64) -> Result<()> {
        self.deposited += i64::try_from(minor)?;
        self.stage.done(self.service.actor, &IssuerCommand::OpenAccount { name: name.to_owned(), minor })
    }

    fn tell_issuer(&mut self, command: &IssuerCommand) -> Result<Outcome> {
        self.stage.done(self.service.actor, command)?;
        Ok(Outcome::done())
    }

    /// Revokes the credential of a person's band and gives them a code for another one.
    pub(super) fn replace(&mut self, name: &str) -> Result<Outcome> {
        let issuer = self.service.actor;
        let (person, stage) = self.person(name)?;
        let credential = person.band.credential.clone().with_context(|| format!("{name} has no credential"))?;
        stage.tell(issuer, &IssuerCommand::ReplaceBand { credential })?;
        person.code = Some(stage.wait(issuer, "an enrolment code", code)?);
        Ok(Outcome::done())
    }

    pub(super) fn allow_free(&mut self, count: u16, each: Amount, total: Amount) -> Result<Outcome> {
        self.tell_issuer(&IssuerCommand::AllowFree { count, each: each.minor(), total: total.minor() })
    }

    pub(super) fn announce_keys(&mut self) -> Result<Outcome> {
        self.tell_issuer(&IssuerCommand::AnnounceKeys)
    }

    pub(super) fn use_new_keys(&mut self) -> Result<Outcome> {
        self.tell_issuer(&IssuerCommand::UseNewKeys)
    }

    pub(super) fn update_keys(&mut self, who: &str) -> Result<Outcome> {
        self.key_list(who, &PhoneCommand::UpdateKeys)
    }

    /// Somebody hands the first key list to a band once more.
    pub(super) fn first_keys(&mut self, who: &str) -> Result<Outcome> {
        let key_list = self.service.key_list.clone();
        self.key_list(who, &PhoneCommand::TellKeyList { key_list })
    }

    fn key_list(&mut self, who: &str, command: &PhoneCommand) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        stage.tell(person.phone, command)?;
        let epoch = stage.wait(person.phone, "the key list", |report| match report {
            Report::Phone(PhoneReport::KeyList { epoch }) => Some(*epoch),
            _ => None,
        })?;
        Ok(Outcome::new(Wanted::Done, format!("key list {epoch}")))
    }

    pub(super) fn check_receipts(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        stage.tell(person.phone, &PhoneCommand::CheckReceipts)?;
        let good = stage.wait(person.phone, "its receipts", |report| match report {
            Report::Phone(PhoneReport::Receipts(good)) => Some(*good),
            _ => None,
        })?;
        Ok(Outcome::new(Wanted::Done, format!("{good} receipts verify")))
    }

    /// Sends noise of each kind to a door and waits for the complaint.
    pub(super) fn noise(&mut self, door: &Door) -> Result<Outcome> {
        let (actor, address) = match door {
            Door::Issuer => (self.service.actor, self.service.address.clone()),
            Door::Shop(name) => self.shop(name).map(|shop| (shop.actor, shop.payee.address.clone()))?,
            Door::Device(Device::Band, name) => {
                let (person, stage) = self.person(name)?;
                person.disconnect(stage, true)?;
                (person.band.actor, person.band.address.clone())
            }
            Door::Device(Device::Phone, name) => match self.person(name)?.0 {
                Person { phone, begun: Some(Begun::Listening(payee)), .. } => (*phone, payee.address.clone()),
                _ => bail!("{name}'s phone has no door but while it waits to be paid"),
            },
        };
        // A complaint from before is not about this.
        self.stage.forget(actor)?;
        for (kind, bytes) in noise::kinds() {
            noise::send(&address, &bytes)?;
            let complaint = self.stage.wait(actor, "a complaint", |report| match report {
                Report::Complaint(complaint) => Some(complaint.clone()),
                _ => None,
            })?;
            let name = self.stage.name(actor).to_owned();
            self.stage.telling.refused(&format!("{name}, sent {kind}: {complaint}"));
        }
        Ok(Outcome::done())
    }
}

/// Which of the issuer's keys a receipt says that it is signed by.
pub(super) fn signed_by(receipt: &str) -> Result<String> {
    let key = Unverified::<Receipt>::parse(&unhex(receipt)?)?.claims().key.to_string();
    Ok(format!("signed by {key}"))
}
