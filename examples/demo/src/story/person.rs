//! A person with a band and a phone, as processes.

use std::collections::HashSet;

use anyhow::{Context, Result, bail};

use super::language::{Device, Equipment, Face};
use super::stage::{Actor, Stage};
use crate::control::{BandCommand, PhoneCommand, PhoneReport, Report};
use crate::disk::Disk;

/// A person with a band and a phone; or with a phone that is both.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) band: Band,
    pub(super) phone: Actor,
    pub(super) phone_folder: String,
    /// Whether the phone is connected to the band.
    pub(super) linked: bool,
    /// What the band waits for.
    pub(super) begun: Option<Begun>,
    /// Who was last to be paid, and for what.
    pub(super) last: Option<Payee>,
    /// How much of it a shop without network has accepted.
    pub(super) pending: Option<String>,
    /// A code of the issuer's that was not used yet.
    pub(super) code: Option<String>,
    /// Receipts that the band has told its wearer of.
    pub(super) told: HashSet<String>,
    /// What was in use before.
    pub(super) old_band: Option<Band>,
    pub(super) old_phone: Option<(Actor, String)>,
    /// How many bands and phones there were.
    pub(super) devices: usize,
}

/// A band, or what takes its place in a phone.
#[derive(Clone)]
pub(super) struct Band {
    pub(super) actor: Actor,
    pub(super) address: String,
    pub(super) face: Face,
    pub(super) folder: String,
    /// Its number among its owner's, from 1.
    pub(super) number: usize,
    pub(super) credential: Option<String>,
}

/// What the band waits for.
#[derive(Clone)]
pub(super) enum Begun {
    Paying,
    Receiving,
    /// The request is signed: whoever pays it finds the phone here.
    Listening(Payee),
    Unpairing,
    /// Another link may take the place of the phone's.
    Replacing,
}

/// Who is to be paid, for what, and where they are reached.
#[derive(Clone)]
pub(super) struct Payee {
    pub(super) name: String,
    pub(super) process: String,
    pub(super) address: String,
    /// What the payer's phone scans; else it asks.
    pub(super) uri: Option<String>,
    pub(super) memo: String,
}

/// What everybody who enters has to know of the issuer.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) actor: Actor,
    pub(super) root: String,
    pub(super) address: String,
    /// The first key list.
    pub(super) key_list: String,
}

impl Person {
    /// Somebody enters. `theirs`: the band is somebody else's, which is there already.
    pub(super) fn enter(
        stage: &mut Stage,
        name: &str,
        (with, theirs): (&Equipment, Option<Band>),
        service: &Service,
    ) -> Result<Self> {
        let (folder, face) = (folder(name), if let Equipment::Band(face) = with { *face } else { Face::Lights });
        let (copied, victim): (&[&str], _) = match with {
            Equipment::CopyOf(victim) => (&["band", "phone"], victim.as_str()),
            Equipment::PhoneOf(victim) => (&["phone"], victim.as_str()),
            _ => (&[], ""),
        };
        for device in copied {
            let from = stage.dir.join(format!("{}-{device}", self::folder(victim)));
            Disk::copy(&from, &stage.dir.join(format!("{folder}-{device}")))?;
        }
        let (inside, phone_folder) = (*with == Equipment::PhoneAlone, format!("{folder}-phone"));
        let band = match theirs {
            None if !inside => Some(Band::start(stage, name, (format!("{folder}-band"), 1), face, service)?),
            theirs => theirs,
        };
        let phone = start_phone(stage, name, &phone_folder, service, inside)?;
        let band = band.unwrap_or_else(|| Band {
            actor: phone,
            address: String::new(),
            face: Face::Display,
            folder: phone_folder.clone(),
            number: 1,
            credential: None,
        });
        Ok(Self {
            name: name.to_owned(),
            band,
            phone,
            phone_folder,
            linked: false,
            begun: None,
            last: None,
            pending: None,
            code: None,
            told: HashSet::new(),
            old_band: None,
            old_phone: None,
            devices: 1,
        })
    }

    /// Whether the phone is the band.
    pub(super) fn is_phone(&self) -> bool {
        self.band.actor == self.phone
    }

    /// What the band, or the phone, is called.
    pub(super) fn authenticator(&self) -> &'static str {
        if self.is_phone() { "phone" } else { "band" }
    }

    /// Does something on the band and waits until it is done.
    pub(super) fn on_band(&self, stage: &mut Stage, command: BandCommand) -> Result<()> {
        if self.is_phone() {
            bail!("{} has no band to do that with", self.name);
        }
        stage.done(self.band.actor, &command)
    }

    /// Waits until no phone is connected to the band.
    pub(super) fn alone(&self, stage: &mut Stage) -> Result<()> {
        if self.is_phone() { Ok(()) } else { stage.done(self.band.actor, &BandCommand::AwaitAlone) }
    }

    /// Ends the connection, if there is one: says goodbye, or does not.
    pub(super) fn disconnect(&mut self, stage: &mut Stage, goodbye: bool) -> Result<()> {
        self.begun = None;
        if !std::mem::take(&mut self.linked) {
            return Ok(());
        }
        if goodbye {
            stage.done(self.phone, &PhoneCommand::HangUp)?;
        } else {
            stage.tell(self.phone, &PhoneCommand::Lose)?;
            stage.wait(self.phone, "to be out of reach", |report| is_phone(report, &PhoneReport::OutOfReach))?;
        }
        self.alone(stage)
    }

    pub(super) fn kill(&mut self, stage: &mut Stage, device: Device) -> Result<()> {
        match device {
            Device::Band if self.is_phone() => bail!("{} has no band", self.name),
            Device::Band => {
                stage.kill(self.band.actor)?;
                self.begun = None;
                if std::mem::take(&mut self.linked) {
                    stage.tell(self.phone, &PhoneCommand::Lose)?;
                    stage.wait(self.phone, "to be out of reach", |report| is_phone(report, &PhoneReport::OutOfReach))?;
                }
                Ok(())
            }
            Device::Phone => {
                stage.kill(self.phone)?;
                (self.begun, self.linked) = (None, false);
                self.alone(stage)
            }
        }
    }

    /// Starts a device again, with what it has stored.
    pub(super) fn start(&mut self, stage: &mut Stage, device: Device, service: &Service) -> Result<()> {
        match device {
            Device::Band => {
                let Band { folder, number, face, credential, .. } = self.band.clone();
                self.band = Band { credential, ..Band::start(stage, &self.name, (folder, number), face, service)? };
            }
            Device::Phone => {
                let inside = self.is_phone();
                self.phone = start_phone(stage, &self.name, &self.phone_folder, service, inside)?;
                if inside {
                    self.band.actor = self.phone;
                }
                stage.done(self.phone, &PhoneCommand::TurnTo { band: self.band.number })?;
            }
        }
        Ok(())
    }

    pub(super) fn new_band(&mut self, stage: &mut Stage, face: Face, service: &Service) -> Result<()> {
        self.disconnect(stage, true)?;
        self.devices += 1;
        let folder = format!("{}-band-{}", folder(&self.name), self.devices);
        let band = Band::start(stage, &self.name, (folder, self.devices), face, service)?;
        self.old_band = Some(std::mem::replace(&mut self.band, band));
        self.turn(stage)
    }

    pub(super) fn new_phone(&mut self, stage: &mut Stage, service: &Service) -> Result<()> {
        self.disconnect(stage, true)?;
        self.devices += 1;
        let folder = format!("{}-phone-{}", folder(&self.name), self.devices);
        let phone = start_phone(stage, &self.name, &folder, service, false)?;
        self.old_phone = Some((std::mem::replace(&mut self.phone, phone), std::mem::replace(&mut self.phone_folder, folder)));
        self.turn(stage)
    }

    /// Takes what was in use before.
    pub(super) fn take_old(&mut self, stage: &mut Stage, device: Device) -> Result<()> {
        self.disconnect(stage, true)?;
        match device {
            Device::Band => std::mem::swap(&mut self.band, self.old_band.as_mut().context("there is no other band")?),
            Device::Phone => {
                let (phone, folder) = self.old_phone.as_mut().context("there is no other phone")?;
                std::mem::swap(&mut self.phone, phone);
                std::mem::swap(&mut self.phone_folder, folder);
            }
        }
        self.turn(stage)
    }

    /// Turns the phone to the band in use.
    fn turn(&mut self, stage: &mut Stage) -> Result<()> {
        self.last = None;
        stage.done(self.phone, &PhoneCommand::TurnTo { band: self.band.number })
    }
}

impl Band {
    fn start(stage: &mut Stage, name: &str, (folder, number): (String, usize), face: Face, service: &Service) -> Result<Self> {
        let path = stage.dir.join(&folder).display().to_string();
        let mut arguments = vec!["band", "--folder", &path, "--root", &service.root];
        match face {
            Face::Lights => {}
            Face::Display => arguments.push("--display"),
            Face::Button => arguments.push("--button"),
            Face::Label => arguments.push("--label"),
        }
        let actor = stage.start(&format!("{name}'s band"), &arguments)?;
        Ok(Self { actor, address: stage.address(actor)?, face, folder, number, credential: None })
    }
}

fn start_phone(stage: &mut Stage, name: &str, folder: &str, service: &Service, inside: bool) -> Result<Actor> {
    let path = stage.dir.join(folder).display().to_string();
    let mut arguments = vec!["phone", "--owner", name, "--folder", &path, "--root", &service.root, "--issuer", &service.address];
    if inside {
        arguments.push("--inside");
    }
    stage.start(&format!("{name}'s phone"), &arguments)
}

/// A name as a folder is called.
pub(super) fn folder(name: &str) -> String {
    name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect()
}

/// A URI is longer than a line.
pub(super) fn shortened(uri: &str) -> String {
    format!("{}… ({} characters)", uri.chars().take(24).collect::<String>(), uri.len())
}

pub(super) fn is_phone(report: &Report, wanted: &PhoneReport) -> Option<()> {
    matches!(report, Report::Phone(found) if found == wanted).then_some(())
}
