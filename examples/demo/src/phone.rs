//! The phone as a process: it does what its person says on the standard input, one thing after the other.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::channel;

use anyhow::{Context, Result, bail, ensure};
use armring_pairing::{ResumeTicket, SoftwareKey};
use armring_token::{Epoch, KeyList, RootKey, Unverified, Verified};
use armring_wallet::{Collection, Event, Payment};
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::{Amount, AttPayload, Currency, EnrolmentCode, Opaque, decode_record};

use crate::authenticator::{Authenticator, Owner};
use crate::body::identity;
use crate::client::Client;
use crate::control::{PhoneCommand, PhoneReport, Report, commands, report, unhex, unhex_array};
use crate::disk::Disk;
use crate::line::Line;
use crate::trace::Ends;

pub(crate) struct Phone {
    /// Whose phone it is.
    pub(crate) owner: String,
    pub(crate) payload: AttPayload,
    pub(crate) disk: Disk,
    /// What belongs to the band in use: link, credential, payment.
    pub(crate) drawer: Disk,
    identity: SoftwareKey,
    pub(crate) root: RootKey,
    issuer: String,
    pub(crate) line: Option<Line>,
    /// With what the next connection is resumed: for as long as this process runs.
    pub(crate) ticket: Option<ResumeTicket>,
    /// The authenticator inside of this phone, if its owner has no band.
    pub(crate) inside: Option<Rc<RefCell<Authenticator>>>,
    /// What waits for the wearer.
    pub(crate) begun: Option<Begun>,
    pub(crate) receipts: Vec<Vec<u8>>,
    /// The last token that the band gave out.
    pub(crate) last_token: Vec<u8>,
    /// Whether malware has this phone.
    infected: bool,
}

/// Something for which the band waits for its wearer.
pub(crate) enum Begun {
    Paying(Box<(Payment, Client)>),
    Receiving(Collection, Amount),
    Unpairing,
    Replacing,
}

/// What a phone is started with.
pub(crate) struct Setup<'a> {
    pub(crate) owner: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) root: [u8; 32],
    pub(crate) issuer: &'a str,
    /// Whether it is its own authenticator.
    pub(crate) inside: bool,
    /// Whether malware has it.
    pub(crate) infected: bool,
}

pub(crate) fn run(setup: &Setup<'_>, payload: AttPayload) -> Result<()> {
    let (sender, inputs) = channel();
    let inputs = Owner::new(inputs);
    commands(sender);
    let disk = Disk::open(setup.folder)?;
    let root = RootKey::from_bytes(setup.root).context("not an issuer's root key")?;
    let inside = match setup.inside {
        true => {
            let disk = Disk::open(&setup.folder.join("authenticator"))?;
            Some(Rc::new(RefCell::new(Authenticator::start(disk, root, payload, Rc::clone(&inputs))?)))
        }
        false => None,
    };
    let (owner, issuer, identity) = (setup.owner.to_owned(), setup.issuer.to_owned(), identity(&disk)?);
    let mut phone = Phone {
        owner,
        payload,
        drawer: disk.clone(),
        receipts: Phone::read_receipts(&disk)?,
        disk,
        identity,
        root,
        issuer,
        line: None,
        ticket: None,
        inside,
        begun: None,
        last_token: Vec::new(),
        infected: setup.infected,
    };
    report(&Report::Ready { address: None, key: None })?;
    while let Ok(Some(command)) = inputs.recv() {
        if let Err(error) = phone.obey(command) {
            // A line that failed is not of use any more.
            (phone.line, phone.begun) = (None, None);
            report(&Report::Failed(format!("{error:#}")))?;
        }
    }
    Ok(())
}

impl Phone {
    fn obey(&mut self, command: PhoneCommand) -> Result<()> {
        match command {
            PhoneCommand::Pair { band } => self.pair(&band),
            PhoneCommand::PairByPress { band } => self.pair_by_press(&band),
            PhoneCommand::AcceptCode => self.accept_code(),
            PhoneCommand::Scan { band, uri } => self.scan(&band, &uri),
            PhoneCommand::PairInside => self.pair_inside(),
            PhoneCommand::Connect { band } => self.connect(&band),
            PhoneCommand::Enrol { code } => self.enrol(EnrolmentCode(unhex_array(&code)?)),
            PhoneCommand::Pay { payee, address, uri } => self.pay((&payee, &address), uri.as_deref()),
            PhoneCommand::Await => self.wearer_acted(),
            PhoneCommand::Again { payee, address } => self.pay_again((&payee, &address)),
            PhoneCommand::Finger => {
                self.authenticator()?.borrow_mut().recognised()?;
                Ok(report(&Report::Done)?)
            }
            PhoneCommand::Tick => {
                self.authenticator()?.borrow_mut().tick()?;
                Ok(report(&Report::Done)?)
            }
            PhoneCommand::Receive { minor, memo } => self.receive(Amount::new(minor, Currency::CNY), &memo),
            PhoneCommand::UpdateKeys => self.update_keys(),
            PhoneCommand::TellKeyList { key_list } => self.tell_key_list(&unhex(&key_list)?),
            PhoneCommand::CheckReceipts => self.check_receipts(),
            PhoneCommand::CollectAgain => self.collect_again(),
            PhoneCommand::FindIssuer { address } => {
                self.issuer = address;
                Ok(report(&Report::Done)?)
            }
            PhoneCommand::HangUp => {
                self.begun = None;
                if let Some(line) = self.line.take() {
                    line.hang_up()?;
                }
                Ok(report(&Report::Done)?)
            }
            PhoneCommand::Lose => {
                self.lose();
                Ok(report(&Report::Phone(PhoneReport::OutOfReach))?)
            }
            PhoneCommand::Unpair { others } => self.unpair(others),
            PhoneCommand::Replace => self.replace(),
            PhoneCommand::Unlock => self.unlock_band(),
            PhoneCommand::IssuerAt { address } => {
                self.issuer = address;
                Ok(report(&Report::Done)?)
            }
            PhoneCommand::Misdeed(misdeed) => {
                ensure!(self.infected, "this phone does what its owner says");
                self.misbehave(misdeed)
            }
            PhoneCommand::TurnTo { band } => self.turn_to(band),
        }
    }

    pub(crate) fn ends(&self, there: &str) -> Ends {
        Ends::new(&format!("{}'s phone", self.owner), there)
    }

    pub(crate) fn event(&mut self) -> Result<Event> {
        self.line.as_mut().context("there is no line to the band")?.next(&self.identity)
    }

    pub(crate) fn say(&mut self, record: &ToBand<'_>) -> Result<()> {
        self.line.as_mut().context("there is no line to the band")?.say(record)
    }

    /// The band is out of reach. What the next connection is resumed with stays in memory.
    fn lose(&mut self) {
        self.begun = None;
        self.ticket = self.line.take().and_then(Line::lose);
    }

    pub(crate) fn authenticator(&self) -> Result<&Rc<RefCell<Authenticator>>> {
        self.inside.as_ref().context("there is no authenticator in this phone")
    }

    /// The wearer did what the band waits for, or did not: goes on with what was begun.
    fn wearer_acted(&mut self) -> Result<()> {
        match self.begun.take().context("nothing waits for the wearer")? {
            Begun::Paying(paying) => {
                let (payment, payee) = *paying;
                self.go_on(payment, payee)
            }
            Begun::Receiving(collection, amount) => self.collect(collection, amount),
            Begun::Unpairing => self.unpaired(),
            Begun::Replacing => self.may_pair(),
        }
    }

    /// From now on it is about another band of its owner's, of this number from 1.
    fn turn_to(&mut self, band: usize) -> Result<()> {
        (self.line, self.ticket, self.begun) = (None, None, None);
        self.drawer = if band == 1 { self.disk.clone() } else { self.disk.drawer(&format!("band-{band}"))? };
        Ok(report(&Report::Done)?)
    }

    pub(crate) fn ask_issuer(&self) -> Result<Client> {
        Client::connect(&self.issuer, self.ends("issuer"), self.payload)
    }

    /// The key list on disk, verified with the root that the app ships with.
    pub(crate) fn key_list(&self) -> Result<Verified<KeyList>> {
        let object = self.disk.read("key-list")?.context("this phone has no key list yet")?;
        self.verify_key_list(&object).with_context(|| self.disk.damaged("key-list"))
    }

    fn verify_key_list(&self, object: &[u8]) -> Result<Verified<KeyList>> {
        Ok(Unverified::<KeyList>::parse(object)?.verify(&self.root.fingerprint(), &self.root)?)
    }

    /// Gets the issuer's key list, which is not older than the one that is here, and stores it.
    pub(crate) fn fetch_key_list(&self, issuer: &mut Client) -> Result<Vec<u8>> {
        let answer = issuer.ask_issuer(&ToIssuer::KeyList)?;
        let FromIssuer::KeyList(object) = decode_record(&answer)? else { bail!("the issuer has no key list") };
        let known = self.key_list().map_or(Epoch(0), |list| list.epoch);
        self.verify_key_list(object.as_bytes())?.not_older_than(known)?;
        self.disk.write("key-list", object.as_bytes())?;
        Ok(object.as_bytes().to_vec())
    }

    fn update_keys(&mut self) -> Result<()> {
        let object = self.fetch_key_list(&mut self.ask_issuer()?)?;
        self.tell_key_list(&object)
    }

    fn tell_key_list(&mut self, object: &[u8]) -> Result<()> {
        self.say(&ToBand::KeyList(Opaque::new(object).context("too long")?))?;
        match self.event()? {
            Event::Noted => {
                let epoch = self.verify_key_list(object)?.epoch.0;
                Ok(report(&Report::Phone(PhoneReport::KeyList { epoch }))?)
            }
            Event::Declined(why) => Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
            other => bail!("the band answered a key list with {other:?}"),
        }
    }

    /// The band's credential, as it was stored.
    pub(crate) fn credential(&self) -> Result<Vec<u8>> {
        self.drawer.read("credential")?.context("this phone's band has no credential")
    }
}
