//! What changes behind everybody's back: a band is lost, keys grow old.

use anyhow::{Result, bail, ensure};
use armring_token::{Receipt, Unverified};

use super::Cast;
use crate::control::{BandCommand, IssuerCommand, PhoneCommand, PhoneReport, Report, ShopCommand, ShopReport, unhex};
use crate::story::person::code;
use crate::story::stage::{Actor, Stage};

impl Cast {
    pub(super) fn lose_a_band(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Lin loses his band");
        stage.tell(self.issuer, &IssuerCommand::ReplaceBand { credential: self.credential.clone() })?;
        let code = code(stage, self.issuer)?;
        stage.telling.prose("The issuer revokes its credential and gives him a code for another band. The shop hears of it:");
        let lists = self.shop(stage, &ShopCommand::FetchLists)?;
        let ShopReport::Lists { revocations, since: 0, revoked: 1, .. } = lists else { bail!("the shop heard {lists:?}") };
        stage.telling.check(&format!("Revocation list {revocations}: one credential."));
        stage.telling.prose("Then the network is gone again, and Lin finds the old band in his coat:");
        self.network(stage, false)?;
        self.sell(stage, 7_00, "noodles")?;
        self.lin.begin_payment(stage, &self.tea_house)?;
        stage.tell(self.lin.band, &BandCommand::Press)?;
        let ShopReport::NotTaken(why) = self.shop_says(stage)? else { bail!("the shop accepted a revoked band's token") };
        self.lin.declined(stage)?;
        stage.telling.refused(&format!("The shop, on its own: {why}."));
        self.network(stage, true)?;
        self.lin.hang_up(stage)?;
        stage.telling.prose("He enrols a new band on the same account (messages left out).");
        stage.telling.mute(true);
        self.lin.take_new_band(stage, "lin-new", &self.service)?;
        self.lin.pair_by_display(stage)?;
        self.lin.connect(stage)?;
        self.lin.enrol_with(stage, self.issuer, code)?;
        self.lin.put_on(stage)?;
        stage.telling.mute(false);
        self.expect_balances(stage, &[436_50, 170_00, 93_50])?;
        self.sell(stage, 7_00, "noodles, warm again")?;
        self.lin.pay(stage, &self.tea_house)?;
        stage.telling.check("The money was never in the band: he pays with the new one.");
        self.expect_balances(stage, &[436_50, 163_00, 100_50])
    }

    pub(super) fn rotate_keys(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The issuer's keys grow old");
        stage.done(self.issuer, &IssuerCommand::AnnounceKeys)?;
        stage
            .telling
            .prose("It publishes key list 2: a new signing key beside the old one, and a new enrolment key. Everybody takes it:");
        for phone in [self.mei.phone, self.lin.phone] {
            stage.tell(phone, &PhoneCommand::UpdateKeys)?;
            stage.wait(phone, "key list 2", |report| match report {
                Report::Phone(PhoneReport::KeyList { epoch: 2 }) => Some(()),
                _ => None,
            })?;
        }
        let lists = self.shop(stage, &ShopCommand::FetchLists)?;
        let ShopReport::Lists { keys: 2, .. } = lists else { bail!("the shop heard {lists:?}") };
        stage.telling.check("Phones, bands and the shop have it.");
        stage.tell(self.mei.phone, &PhoneCommand::TellKeyList { key_list: self.key_list.clone() })?;
        let why = self.mei.declined(stage)?;
        stage.telling.refused(&format!("Somebody hands Mei's band the old list: {why}."));
        stage.done(self.issuer, &IssuerCommand::UseNewKeys)?;
        stage.telling.prose("From now on the new key signs.");
        self.sell(stage, 5_50, "soy milk")?;
        let receipt = self.mei.pay(stage, &self.tea_house)?;
        let (old, new) = (signed_by(&self.receipt)?, signed_by(&receipt)?);
        ensure!(old != new, "both receipts are signed by {old}");
        stage.telling.check(&format!("The receipt is signed by {new}; that of the first payment by {old}."));
        let receipts = check_receipts(stage, self.mei.phone)?;
        stage.telling.check(&format!("All {receipts} receipts on Mei's phone verify with the new list."));
        self.expect_balances(stage, &[431_00, 163_00, 106_00])
    }
}

/// Which of the issuer's keys a receipt says that it is signed by.
fn signed_by(receipt: &str) -> Result<String> {
    Ok(Unverified::<Receipt>::parse(&unhex(receipt)?)?.claims().key.to_string())
}

fn check_receipts(stage: &mut Stage, phone: Actor) -> Result<usize> {
    stage.tell(phone, &PhoneCommand::CheckReceipts)?;
    stage.wait(phone, "its receipts", |report| match report {
        Report::Phone(PhoneReport::Receipts(good)) => Some(*good),
        _ => None,
    })
}
