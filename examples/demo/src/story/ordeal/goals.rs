//! What the people of the ordeal want, and how they go on wanting it.

use anyhow::{Context, Result, ensure};

use super::world::{Who, World};
use crate::control::{BandCommand, BandReport, IssuerCommand, PhoneCommand, PhoneReport, Report, ShopCommand};

/// How often somebody tries again before they give up.
const TRIES: usize = 6;

/// What Lin pays Mei for.
pub(super) const DEBT: &str = "a debt";

/// What was done so far, as people remember it.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// What was bought, and its receipt.
    pub(super) receipts: Vec<(String, String)>,
    /// What each of the three has, in minor units: Mei, Lin, the shop.
    pub(super) balances: [i64; 3],
}

/// What a chapter is about.
pub(super) type Goal = fn(&mut People, bool) -> Result<()>;

/// The chapters, each a list of goals.
pub(super) const CHAPTERS: [(&str, &[Goal]); 7] = [
    ("open accounts", &[People::open_accounts]),
    ("pair", &[People::pair]),
    ("enrol", &[People::enrol_mei]),
    ("pay", &[People::pay]),
    ("pay without network", &[People::pay_offline, People::redeem, People::fetch_receipt]),
    ("enrol a phone", &[People::pair_inside, People::enrol_lin]),
    ("receive", &[People::receive]),
];

/// Everybody's will, and what they remember within a chapter.
pub(super) struct People {
    pub(super) world: World,
    pub(super) memory: Memory,
    code: Option<String>,
    pub(super) sold: bool,
    pub(super) asked: bool,
    /// What went wrong on the way.
    pub(super) trouble: Vec<String>,
}

impl People {
    pub(super) fn new(world: World, memory: Memory) -> Self {
        Self { world, memory, code: None, sold: false, asked: false, trouble: Vec::new() }
    }

    /// Tries until it is reached, as a person would who sees that something is not as it should be. Where nothing happens to anybody, it has to
    /// be reached at once.
    pub(super) fn reach(&mut self, goal: Goal) -> Result<()> {
        loop {
            match goal(self, !self.trouble.is_empty()) {
                Ok(()) => return Ok(()),
                Err(error) if self.world.is_doomed() && self.trouble.len() < TRIES => {
                    self.trouble.push(format!("{error:#}"));
                    self.world.settle().with_context(|| format!("after {:?}", self.trouble))?;
                }
                Err(error) => return Err(error).with_context(|| format!("after {:?}", self.trouble)),
            }
        }
    }

    fn open_accounts(&mut self, _again: bool) -> Result<()> {
        let (issuer, shop) = (self.world.actor(Who::Issuer)?, self.world.actor(Who::Shop)?);
        for (name, minor) in [("Mei", 50_00), ("Lin", 20_00), (Who::Shop.name(), 0)] {
            self.world.stage.done(issuer, &IssuerCommand::OpenAccount { name: name.to_owned(), minor })?;
        }
        self.memory.balances = [50_00, 20_00, 0];
        let (name, key) = (Who::Shop.name().to_owned(), self.world.shop_key.clone());
        self.world.stage.tell(issuer, &IssuerCommand::CertifyPayee { name, key })?;
        let certificate = self.world.stage.wait(issuer, "a certificate", |report| match report {
            Report::Certificate { certificate } => Some(certificate.clone()),
            _ => None,
        })?;
        let key_list = self.world.key_list.clone();
        self.world.stage.done(shop, &ShopCommand::TakeCertificate { certificate, key_list })
    }

    fn pair(&mut self, again: bool) -> Result<()> {
        // It may have worked but for the word of it.
        if again && self.link(Who::Phone).is_ok() {
            return Ok(());
        }
        let (band, phone, address) =
            (self.world.actor(Who::Band)?, self.world.actor(Who::Phone)?, self.world.address(Who::Band)?);
        let stage = &mut self.world.stage;
        stage.forget(band)?;
        stage.tell(band, &BandCommand::Hold)?;
        stage.wait(band, "the pairing window", |report| matches!(report, Report::Band(BandReport::PairingOpen)).then_some(()))?;
        stage.tell(phone, &PhoneCommand::Pair { band: address })?;
        let in_wallet = stage.wait(phone, "a code", |report| match report {
            Report::Phone(PhoneReport::Code(code)) => Some(code.clone()),
            _ => None,
        })?;
        let on_band = stage.wait(band, "a code", |report| match report {
            Report::Band(BandReport::Code(code)) => Some(code.clone()),
            _ => None,
        })?;
        ensure!(in_wallet == on_band, "the codes differ");
        stage.tell(phone, &PhoneCommand::AcceptCode)?;
        stage.tell(band, &BandCommand::Press)?;
        stage.wait(phone, "the pairing", |report| matches!(report, Report::Phone(PhoneReport::Paired)).then_some(()))?;
        self.link(Who::Phone)
    }

    fn pair_inside(&mut self, again: bool) -> Result<()> {
        if again && self.link(Who::Payer).is_ok() {
            return Ok(());
        }
        let phone = self.world.actor(Who::Payer)?;
        self.world.stage.tell(phone, &PhoneCommand::PairInside)?;
        self.connected(Who::Payer)
    }

    /// Connects a phone to its band.
    pub(super) fn link(&mut self, who: Who) -> Result<()> {
        if self.world.linked.contains(&who) {
            return Ok(());
        }
        let (phone, band) = (self.world.actor(who)?, self.world.address(Who::Band)?);
        self.world.stage.tell(phone, &PhoneCommand::Connect { band })?;
        self.connected(who)
    }

    fn connected(&mut self, who: Who) -> Result<()> {
        let phone = self.world.actor(who)?;
        let used_elsewhere = self.world.stage.wait(phone, "the link", |report| match report {
            Report::Phone(PhoneReport::Connected { used_elsewhere, .. }) => Some(*used_elsewhere),
            _ => None,
        })?;
        ensure!(!used_elsewhere, "the phone says that somebody else used its link");
        self.world.linked.push(who);
        Ok(())
    }

    fn enrol_mei(&mut self, again: bool) -> Result<()> {
        self.enrol(Who::Phone, Who::Band, "Mei", again)
    }

    fn enrol_lin(&mut self, again: bool) -> Result<()> {
        self.enrol(Who::Payer, Who::Payer, "Lin", again)
    }

    fn enrol(&mut self, phone: Who, band: Who, name: &str, again: bool) -> Result<()> {
        self.link(phone)?;
        let issuer = self.world.actor(Who::Issuer)?;
        // The same code is good for the same key. Where it is not good any more, there is another one.
        let code = match self.code.take().filter(|_| again) {
            Some(code) => code,
            None => {
                self.world.stage.tell(issuer, &IssuerCommand::IssueCode { name: name.to_owned() })?;
                let code = self.world.stage.wait(issuer, "a code", |report| match report {
                    Report::Code { code } => Some(code.clone()),
                    _ => None,
                })?;
                self.code = Some(code.clone());
                code
            }
        };
        let (phone, band) = (self.world.actor(phone)?, self.world.actor(band)?);
        let stage = &mut self.world.stage;
        stage.forget(band)?;
        stage.tell(phone, &PhoneCommand::Enrol { code })?;
        let mut on_band = None;
        let mut look = |report: &Report| {
            if let Report::Band(BandReport::EnrolmentDigits { digits, .. }) = report {
                on_band = Some(*digits);
            }
        };
        stage.wait(phone, "a credential", |report| {
            look(report);
            matches!(report, Report::Phone(PhoneReport::Enrolled { .. })).then_some(())
        })?;
        if on_band.is_none() {
            on_band = Some(stage.wait(band, "the digits", |report| match report {
                Report::Band(BandReport::EnrolmentDigits { digits, .. }) => Some(*digits),
                _ => None,
            })?);
        }
        stage.tell(issuer, &IssuerCommand::Digits { name: name.to_owned() })?;
        let expected = stage.wait(issuer, "the digits", |report| match report {
            Report::Digits { digits, .. } => Some(*digits),
            _ => None,
        })?;
        // They are not asked for twice: whoever confirmed them saw the page say so.
        if let Some(digits) = expected {
            ensure!(on_band == Some(digits), "the digits differ");
            stage.done(issuer, &IssuerCommand::Confirm { name: name.to_owned(), digits })?;
        }
        Ok(())
    }
}
