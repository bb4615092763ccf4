//! What comes from outside: noise, and a thief.

use anyhow::{Result, bail, ensure};

use super::Cast;
use crate::control::{Report, ShopCommand, ShopReport};
use crate::disk::Disk;
use crate::story::noise;
use crate::story::person::Person;
use crate::story::stage::{Actor, Stage};

impl Cast {
    pub(super) fn hear_noise(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Noise on every other door");
        self.mei.hang_up(stage)?;
        let before = self.books(stage)?;
        let doors = [
            (self.issuer, self.service.address.clone()),
            (self.shop, self.tea_house.address.clone()),
            (self.mei.band, self.mei.band_address.clone()),
        ];
        for (actor, address) in doors {
            make_noise(stage, actor, &address)?;
        }
        ensure!(self.books(stage)? == before, "noise changed the books");
        self.mei.connect(stage)?;
        stage.telling.check("The books are as before, and Mei's phone reconnects to her band.");
        Ok(())
    }

    pub(super) fn be_cloned(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("A thief copies Mei's band and phone, keys and all");
        self.mei.hang_up(stage)?;
        for device in ["band", "phone"] {
            Disk::copy(&stage.dir.join(format!("mei-{device}")), &stage.dir.join(format!("thief-{device}")))?;
        }
        let thief = Person::enter(stage, ("thief", "thief"), &self.service, false)?;
        stage.telling.prose("Mei goes on with her day and pays 8.00 CNY:");
        self.mei.connect(stage)?;
        self.sell(stage, 8_00, "a bun")?;
        self.mei.pay(stage, &self.tea_house)?;
        stage.telling.check("Settled.");
        stage.telling.prose("The thief pays 9.00 CNY with the copy, which signs with the same key and the same next counter:");
        thief.connect(stage)?;
        thief.put_on(stage)?;
        self.sell(stage, 9_00, "cigarettes")?;
        let paid = thief.try_to_pay(stage, &self.tea_house)?;
        ensure!(!paid.settled && paid.outcome.contains("cloned"), "the clone's payment was {}", paid.outcome);
        stage.telling.refused(&format!("The copy's receipt: {}.", paid.outcome));
        self.sell(stage, 5_00, "a biscuit")?;
        let paid = self.mei.try_to_pay(stage, &self.tea_house)?;
        ensure!(!paid.settled && paid.outcome.contains("frozen"), "the payment after the freeze was {}", paid.outcome);
        stage.telling.refused(&format!("Mei's own band from now on: {}. She enrols anew; her account stays.", paid.outcome));
        let lists = self.shop(stage, &ShopCommand::FetchLists)?;
        let ShopReport::Lists { revocations: 2, since: 1, revoked: 2, .. } = lists else { bail!("the shop heard {lists:?}") };
        stage
            .telling
            .check("The shop, which has revocation list 1, gets what came since: one more credential that it refuses by itself.");
        self.expect_balances(stage, &[423_00, 163_00, 123_00, 91_00])
    }
}

/// Sends noise of each kind to a door and waits for the complaint.
pub(super) fn make_noise(stage: &mut Stage, actor: Actor, address: &str) -> Result<()> {
    for (kind, bytes) in noise::kinds() {
        noise::send(address, &bytes)?;
        let complaint = stage.wait(actor, "a complaint", |report| match report {
            Report::Complaint(complaint) => Some(complaint.clone()),
            _ => None,
        })?;
        let name = stage.name(actor).to_owned();
        stage.telling.refused(&format!("{name}, sent {kind}: {complaint}"));
    }
    Ok(())
}
