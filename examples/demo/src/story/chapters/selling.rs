//! What a shop does besides: it sells without network, redeems twice, and gives back.

use anyhow::{Result, bail, ensure};

use super::Cast;
use crate::control::{Report, ShopCommand, ShopReport};
use crate::story::stage::Stage;

impl Cast {
    pub(super) fn sell_offline(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The shop has no network");
        let ShopReport::Lists { revoked: 0, .. } = self.shop(stage, &ShopCommand::FetchLists)? else {
            bail!("somebody is revoked already");
        };
        stage
            .telling
            .prose("Before it goes, the shop has the issuer's keys and the list of who is revoked: nobody. Then it is gone.");
        self.network(stage, false)?;
        self.sell(stage, 15_00, "mooncakes")?;
        self.mei.pay_offline(stage, &self.tea_house)?;
        let ShopReport::Pending { amount } = self.shop_says(stage)? else { bail!("the shop did not accept the token") };
        stage
            .telling
            .check(&format!("The shop verified token and credential by itself: {amount} are pending, which is not settled."));
        self.expect_balances(stage, &[431_50, 170_00, 98_50])?;
        stage.telling.prose("Later the network is back, and the shop redeems what it took:");
        self.network(stage, true)?;
        let ShopReport::Redeemed { tokens: 1, pending: 0 } = self.shop(stage, &ShopCommand::RedeemPending)? else {
            bail!("something is pending still");
        };
        stage.telling.prose("Mei's phone, which has the payment on disk, asks for the receipt when it comes by:");
        self.mei.ask_again(stage, &self.tea_house)?;
        stage.telling.check("Settled: the receipt is on her phone, and on her wrist.");
        self.expect_balances(stage, &[416_50, 170_00, 113_50])
    }

    pub(super) fn redeem_again(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The shop redeems the first token a second time");
        stage.tell(self.shop, &ShopCommand::RedeemAgain { memo: "tea for two".to_owned() })?;
        let receipt = stage.wait(self.shop, "the receipt", |report| match report {
            Report::Receipt { receipt, .. } => Some(receipt.clone()),
            _ => None,
        })?;
        ensure!(receipt == self.receipt, "another receipt than the first time");
        stage.telling.check("The same receipt, byte for byte, and no money moves.");
        self.expect_balances(stage, &[416_50, 170_00, 113_50])
    }

    pub(super) fn refund(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("A cup of the tea set is chipped: the shop gives 20.00 CNY of 80.00 CNY back");
        let memo = || "a tea set".to_owned();
        let first = self.shop(stage, &ShopCommand::Refund { memo: memo(), minor: 20_00, other_till: false })?;
        let ShopReport::Refunded { settled: true, left, .. } = &first else { bail!("the refund was {first:?}") };
        stage.telling.check(&format!("Settled, and {left} of the payment are left."));
        let second = self.shop(stage, &ShopCommand::RefundAgain { memo: memo() })?;
        ensure!(first == second, "another receipt than the first time");
        stage.telling.check("Sent again: the same receipt, byte for byte, and no money moves.");
        stage.tell(self.shop, &ShopCommand::Refund { memo: memo(), minor: 70_00, other_till: false })?;
        let why = stage.wait(self.shop, "a refusal", |report| match report {
            Report::Failed(why) => Some(why.clone()),
            _ => None,
        })?;
        stage.telling.refused(&format!("70.00 CNY more, at the same till, which signs nothing: {why}."));
        let third = self.shop(stage, &ShopCommand::Refund { memo: memo(), minor: 70_00, other_till: true })?;
        let ShopReport::Refunded { settled: false, outcome, .. } = third else { bail!("the refund was {third:?}") };
        stage.telling.refused(&format!("At another till, which has not heard of the first: {outcome}."));
        self.expect_balances(stage, &[436_50, 170_00, 93_50])
    }
}
