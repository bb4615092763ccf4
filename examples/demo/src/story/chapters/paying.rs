//! People pay, are paid, and are refused.

use anyhow::{Result, ensure};

use super::Cast;
use super::attacks::make_noise;
use crate::control::{BandCommand, BandReport, PhoneCommand, PhoneReport, Report};
use crate::story::payer::{Payee, settled};
use crate::story::person::shortened;
use crate::story::stage::Stage;

impl Cast {
    pub(super) fn pay(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Mei pays 12.50 CNY with a press");
        stage.telling.prose("She puts the band on and taps her pattern: it is unlocked until it leaves her wrist.");
        self.mei.put_on(stage)?;
        self.sell(stage, 12_50, "tea for two")?;
        self.receipt = self.mei.pay(stage, &self.tea_house)?;
        stage.telling.check("The receipt says: settled. The band tells it to her wrist.");
        self.expect_balances(stage, &[487_50, 200_00, 12_50])
    }

    pub(super) fn pay_much(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("80.00 CNY are above what a press alone pays");
        self.sell(stage, 80_00, "a tea set")?;
        self.mei.begin_payment(stage, &self.tea_house)?;
        stage.tell(self.mei.band, &BandCommand::Press)?;
        stage.wait(self.mei.band, "to be asked again", |report| match report {
            Report::Band(BandReport::Waiting(_)) => Some(()),
            _ => None,
        })?;
        stage.telling.refused("A press alone does nothing: the band asks again.");
        stage.done(self.mei.band, &BandCommand::TapPattern)?;
        stage.tell(self.mei.band, &BandCommand::Press)?;
        settled(self.mei.receipt(stage)?)?;
        stage.telling.check("She taps her pattern and presses: settled.");
        self.expect_balances(stage, &[407_50, 200_00, 92_50])
    }

    pub(super) fn receive(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Lin pays Mei 30.00 CNY: her band signs the request, his band signs the token");
        self.lin.put_on(stage)?;
        stage.tell(self.mei.phone, &PhoneCommand::Receive { minor: 30_00, memo: "half of the dinner".to_owned() })?;
        stage.wait(self.mei.band, "a request to sign", |report| match report {
            Report::Band(BandReport::Waiting(_)) => Some(()),
            _ => None,
        })?;
        stage.telling.prose("Mei's band buzzes; she presses it twice, which is another gesture than to pay.");
        stage.tell(self.mei.band, &BandCommand::DoublePress)?;
        let (address, uri) = stage.wait(self.mei.phone, "a signed request", |report| match report {
            Report::Phone(PhoneReport::Listening { address, uri, .. }) => Some((address.clone(), uri.clone())),
            _ => None,
        })?;
        stage.telling.prose("Before Lin, somebody else finds the door of Mei's phone:");
        make_noise(stage, self.mei.phone, &address)?;
        stage.telling.prose(&format!("Lin's phone scans what Mei's phone shows: {}.", shortened(&uri)));
        let mei = Payee { name: "Mei's phone".to_owned(), address, uri: Some(uri) };
        self.lin.pay(stage, &mei)?;
        let amount = stage.wait(self.mei.band, "the money", |report| match report {
            Report::Band(BandReport::Received(amount)) => Some(amount.clone()),
            _ => None,
        })?;
        stage.wait(self.mei.phone, "the receipt", |report| matches!(report, Report::Receipt { .. }).then_some(()))?;
        stage.telling.check(&format!("Mei's band, which checked the receipt itself, says: received {amount}."));
        self.expect_balances(stage, &[431_50, 170_00, 98_50])
    }

    pub(super) fn refuse(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("What the band refuses");
        stage.done(self.mei.band, &BandCommand::TakeOff)?;
        self.sell(stage, 10_00, "a scone")?;
        let why = self.mei.decline(stage, &self.tea_house)?;
        ensure!(why == "the band is not worn", "declined because {why}");
        stage.telling.refused(&format!("Off the wrist, 10.00 CNY: {why}."));
        self.mei.put_on(stage)?;
        self.sell(stage, 250_00, "the whole cake")?;
        let why = self.mei.decline(stage, &self.tea_house)?;
        ensure!(why == "the amount is above the limit", "declined because {why}");
        stage.telling.refused(&format!("On the wrist, 250.00 CNY: {why} of 200.00 CNY."));
        self.expect_balances(stage, &[431_50, 170_00, 98_50])
    }
}
