//! How people in the ordeal pay and are paid.

use anyhow::{Context, Result, bail, ensure};

use super::goals::{DEBT, People};
use super::world::Who;
use crate::control::{BandCommand, PhoneCommand, PhoneReport, Report, ShopCommand, ShopReport};

/// What a phone says of a payment.
enum Said {
    Waiting,
    Pending,
    Receipt(String),
    No(String),
}

impl People {
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

    pub(super) fn pay(&mut self, again: bool) -> Result<()> {
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

    pub(super) fn pay_offline(&mut self, again: bool) -> Result<()> {
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

    pub(super) fn redeem(&mut self, _again: bool) -> Result<()> {
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

    pub(super) fn fetch_receipt(&mut self, _again: bool) -> Result<()> {
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
    pub(super) fn receive(&mut self, again: bool) -> Result<()> {
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
        let (address, uri) = stage.wait(phone, "a request", |report| match report {
            Report::Phone(PhoneReport::Listening { address, uri, .. }) => Some((address.clone(), uri.clone())),
            _ => None,
        })?;
        self.asked = true;
        self.world.listening = true;
        self.link(Who::Payer)?;
        let payer = self.world.actor(Who::Payer)?;
        self.world.stage.done(payer, &PhoneCommand::Finger)?;
        let receipt = self.pay_to(Who::Payer, (Who::Phone.name().to_owned(), address), Some(uri), again)?;
        let receipt = receipt.context("pending with a person")?;
        let money = |report: &Report| matches!(report, Report::Receipt { settled: true, .. }).then_some(());
        self.world.stage.wait(phone, "the money", money)?;
        self.world.listening = false;
        self.paid(DEBT, receipt, [3_00, -3_00, 0]);
        Ok(())
    }
}
