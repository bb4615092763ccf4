//! A person without a band.

use anyhow::{Result, ensure};

use super::Cast;
use crate::control::PhoneCommand;
use crate::story::payer::settled;
use crate::story::person::Person;
use crate::story::stage::Stage;

impl Cast {
    pub(super) fn pay_without_a_band(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Ana has no band: her phone is its own");
        self.open_account(stage, "Ana", 100_00)?;
        let ana = Person::enter_with_phone(stage, ("Ana", "ana"), &self.service)?;
        stage.telling.prose(
            "The same code runs inside of her app, with a link of its own to the wallet beside it, and nothing of that on air.",
        );
        stage.tell(ana.phone, &PhoneCommand::PairInside)?;
        ana.connected(stage)?;
        ana.enrol(stage, self.issuer)?;
        self.sell(stage, 9_00, "bubble tea")?;
        let why = ana.decline(stage, &self.tea_house)?;
        ensure!(why == "the band is locked", "declined because {why}");
        stage.telling.refused("Before the phone has recognised her finger: locked.");
        stage.tell(ana.phone, &PhoneCommand::Finger)?;
        ana.begin_again(stage, &self.tea_house)?;
        stage.tell(ana.phone, &PhoneCommand::Finger)?;
        settled(ana.receipt(stage)?)?;
        stage
            .telling
            .check("Her finger again, for this payment: settled. To the shop and to the issuer she is a wearer like any other.");
        self.expect_balances(stage, &[431_00, 163_00, 115_00, 91_00])
    }
}
