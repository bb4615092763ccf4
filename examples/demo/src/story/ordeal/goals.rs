//! What the people of the ordeal want, and how they go on wanting it.

use anyhow::{Context, Result, bail, ensure};

use super::world::{Who, World};
use crate::control::{BandCommand, BandReport, IssuerCommand, PhoneCommand, PhoneReport, Report, ShopCommand, ShopReport};

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

/// What a phone says of a payment.
enum Said {
    Waiting,
    Pending,
    Receipt(String),
    No(String),
}

/// Everybody's will, and what they remember within a chapter.
pub(super) struct People {
    pub(super) world: World,
    pub(super) memory: Memory,
    code: Option<String>,
    sold: bool,
    asked: bool,
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
    fn link(&mut self, who: Who) -> Result<()> {
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

    /// Puts the band on and unlocks it.
    fn wear(&mut self) -> Result<()> {
        if !self.world.worn {
            let band = self.world.actor(Who::Band)?;
            self.world.stage.done(band, &BandCommand::PutOn)?;
            self.world.stage.done(band, &BandCommand::TapPattern)?;
            self.world.worn = true;
        }
        Ok(())
    }

    fn pay(&mut self, again: bool) -> Result<()> {
        let receipt = self.buy("tea", 12_50, again)?.context("pending, and the shop has network")?;
        self.paid("tea", receipt, [-12_50, 0, 12_50]);
        Ok(())
    }

    /// The next payment after all that.
    pub(super) fn pay_once_more(&mut self, _again: bool) -> Result<()> {
        self.sold = false;
        let receipt = self.buy("a biscuit", 1_00, false)?.context("pending, and the shop has network")?;
        self.paid("a biscuit", receipt, [-1_00, 0, 1_00]);
        Ok(())
    }

    fn paid(&mut self, what: &str, receipt: String, change: [i64; 3]) {
        self.memory.receipts.push((what.to_owned(), receipt));
        self.memory.balances.iter_mut().zip(change).for_each(|(balance, change)| *balance += change);
    }

    fn pay_offline(&mut self, again: bool) -> Result<()> {
        let shop = self.world.actor(Who::Shop)?;
        if !self.world.lists {
            self.world.network(true)?;
            self.world.stage.tell(shop, &ShopCommand::FetchLists)?;
            let lists = |report: &Report| matches!(report, Report::Shop(ShopReport::Lists { .. })).then_some(());
            self.world.stage.wait(shop, "its lists", lists)?;
            self.world.lists = true;
        }
        self.world.network(false)?;
        ensure!(self.buy("mooncakes", 5_00, again)?.is_none(), "a receipt, and there is no network");
        Ok(())
    }

    fn redeem(&mut self, _again: bool) -> Result<()> {
        let shop = self.world.actor(Who::Shop)?;
        self.world.network(true)?;
        self.world.stage.tell(shop, &ShopCommand::RedeemPending)?;
        let pending = self.world.stage.wait(shop, "its money", |report| match report {
            Report::Shop(ShopReport::Redeemed { pending, .. }) => Some(*pending),
            _ => None,
        })?;
        ensure!(pending == 0, "something is pending still");
        Ok(())
    }

    fn fetch_receipt(&mut self, _again: bool) -> Result<()> {
        self.link(Who::Phone)?;
        let shop = (Who::Shop.name().to_owned(), self.world.address(Who::Shop)?);
        match self.go_on(Who::Phone, shop)? {
            Said::Receipt(receipt) => {
                self.paid("mooncakes", receipt, [-5_00, 0, 5_00]);
                Ok(())
            }
            Said::No(why) => bail!("{why}"),
            Said::Waiting | Said::Pending => bail!("the payment is not over, and the shop has redeemed it"),
        }
    }

    /// Mei buys something. Gives the receipt; `None` where the shop takes it without network.
    fn buy(&mut self, what: &str, minor: u64, again: bool) -> Result<Option<String>> {
        self.link(Who::Phone)?;
        self.wear()?;
        if !self.sold {
            let shop = self.world.actor(Who::Shop)?;
            self.world.stage.done(shop, &ShopCommand::Sell { minor, memo: what.to_owned() })?;
            self.sold = true;
        }
        let shop = (Who::Shop.name().to_owned(), self.world.address(Who::Shop)?);
        self.pay_to(Who::Phone, shop, None, again)
    }

    /// Pays, or goes on with what was begun.
    fn pay_to(&mut self, who: Who, payee: (String, String), uri: Option<String>, again: bool) -> Result<Option<String>> {
        let mut said = Said::No("nothing was begun".to_owned());
        if again {
            said = self.go_on(who, payee.clone())?;
        }
        // Nothing was begun; or what was begun is over since long.
        let over = match &said {
            Said::No(_) => true,
            Said::Receipt(receipt) => self.memory.receipts.iter().any(|(_, known)| known == receipt),
            Said::Waiting | Said::Pending => false,
        };
        if over {
            self.link(who)?;
            let phone = self.world.actor(who)?;
            let (payee, address) = payee;
            self.world.stage.tell(phone, &PhoneCommand::Pay { payee, address, uri })?;
            said = self.hear(who)?;
        }
        if matches!(said, Said::Waiting) {
            let (payer, band) = (self.world.actor(Who::Payer)?, self.world.actor(Who::Band)?);
            let stage = &mut self.world.stage;
            match who {
                Who::Payer => stage.done(payer, &PhoneCommand::Finger)?,
                _ => stage.done(band, &BandCommand::Press)?,
            }
            let phone = self.world.actor(who)?;
            self.world.stage.tell(phone, &PhoneCommand::Await)?;
            said = self.hear(who)?;
        }
        match said {
            Said::Receipt(receipt) => Ok(Some(receipt)),
            Said::Pending => Ok(None),
            Said::No(why) => bail!("{why}"),
            Said::Waiting => bail!("the band asks again"),
        }
    }

    fn go_on(&mut self, who: Who, (payee, address): (String, String)) -> Result<Said> {
        let phone = self.world.actor(who)?;
        self.world.stage.tell(phone, &PhoneCommand::Again { payee, address })?;
        self.hear(who)
    }

    fn hear(&mut self, who: Who) -> Result<Said> {
        let phone = self.world.actor(who)?;
        let said = self.world.stage.wait(phone, "what becomes of the payment", |report| {
            Some(match report {
                Report::Phone(PhoneReport::Waiting(_)) => Said::Waiting,
                Report::Phone(PhoneReport::Pending) => Said::Pending,
                Report::Phone(PhoneReport::NotTaken(why) | PhoneReport::Declined(why)) | Report::Failed(why) => {
                    Said::No(why.clone())
                }
                Report::Receipt { settled: true, receipt, .. } => Said::Receipt(receipt.clone()),
                Report::Receipt { outcome, .. } => Said::No(outcome.clone()),
                _ => return None,
            })
        })?;
        if matches!(said, Said::No(_)) {
            // A phone that failed has hung up.
            self.world.linked.retain(|known| *known != who);
        }
        Ok(said)
    }

    /// Lin pays Mei.
    fn receive(&mut self, again: bool) -> Result<()> {
        self.link(Who::Phone)?;
        self.wear()?;
        let (phone, band) = (self.world.actor(Who::Phone)?, self.world.actor(Who::Band)?);
        let stage = &mut self.world.stage;
        if self.asked {
            stage.tell(phone, &PhoneCommand::CollectAgain)?;
        } else {
            stage.tell(phone, &PhoneCommand::Receive { minor: 3_00, memo: DEBT.to_owned() })?;
            stage.wait(phone, "to wait", |report| matches!(report, Report::Phone(PhoneReport::Waiting(_))).then_some(()))?;
            stage.done(band, &BandCommand::DoublePress)?;
            stage.tell(phone, &PhoneCommand::Await)?;
        }
        // It has been paid, or waits for that.
        let listening = stage.wait(phone, "a request", |report| match report {
            Report::Phone(PhoneReport::Listening { address, uri, .. }) => Some(Some((address.clone(), uri.clone()))),
            Report::Receipt { settled: true, .. } => Some(None),
            _ => None,
        })?;
        self.asked = true;
        let paid = listening.is_none();
        let address = match listening {
            Some((address, uri)) => {
                self.world.listening = Some((address.clone(), uri.clone()));
                self.link(Who::Payer)?;
                let payer = self.world.actor(Who::Payer)?;
                self.world.stage.done(payer, &PhoneCommand::Finger)?;
                let mei = (Who::Phone.name().to_owned(), address);
                let receipt = self.pay_to(Who::Payer, mei, Some(uri), again)?.context("pending with a person")?;
                self.world.listening = None;
                Some(receipt)
            }
            None => None,
        };
        if !paid {
            self.world
                .stage
                .wait(phone, "the money", |report| matches!(report, Report::Receipt { settled: true, .. }).then_some(()))?;
        }
        self.received(address)
    }

    fn received(&mut self, receipt: Option<String>) -> Result<()> {
        // A payer who was cut off from the receipt has paid: it is Mei's that counts. Lin keeps the token, and may ask her later.
        self.paid(DEBT, receipt.unwrap_or_default(), [3_00, -3_00, 0]);
        Ok(())
    }
}
