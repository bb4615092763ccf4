//! Bands and phones find each other, enrol, and find each other again.

use anyhow::{Result, ensure};

use super::Cast;
use crate::control::BandCommand;
use crate::story::payer::settled;
use crate::story::stage::Stage;

impl Cast {
    pub(super) fn pair(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Mei pairs her band with her phone");
        stage.telling.prose("She holds the band's button: its pairing window is open for 60 s, for one attempt.");
        self.mei.pair(stage)?;
        stage.telling.prose("Both stored a provisional link. The first reconnect makes it a real one:");
        self.mei.connect(stage)?;
        stage.telling.check("Linked. From now on each connection is authenticated with fresh keys, whatever the radio does.");
        Ok(())
    }

    pub(super) fn enrol(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The band enrols with the issuer, through a phone that cannot read it");
        self.mei.enrol(stage, self.issuer)?;
        stage.telling.prose("Lin's band has a display: his phone scans a secret that is shown once, and nobody compares digits.");
        self.lin.pair_by_display(stage)?;
        stage.telling.check("Paired with the band whose display that was, and no other.");
        stage.telling.prose("It enrols like Mei's (messages left out).");
        stage.telling.mute(true);
        self.lin.connect(stage)?;
        self.credential = self.lin.enrol(stage, self.issuer)?;
        stage.telling.mute(false);
        Ok(())
    }

    pub(super) fn resume(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The link to Mei's band is lost while it waits for her press");
        self.sell(stage, 6_00, "dumplings")?;
        self.mei.begin_and_lose(stage, &self.tea_house)?;
        stage
            .telling
            .prose("Her phone was out of reach for a moment, and nobody said goodbye. Two messages of 48 bytes, and it is back:");
        ensure!(self.mei.connect(stage)?, "the connection was not resumed");
        stage.telling.check(
            "Resumed with a secret of the connection before, which nobody stores: two key agreements a side in place of five.",
        );
        stage
            .telling
            .prose("The payment goes on where it stopped: the same request, for which the band would give the same token.");
        self.mei.begin_again(stage, &self.tea_house)?;
        stage.tell(self.mei.band, &BandCommand::Press)?;
        settled(self.mei.receipt(stage)?)?;
        stage.telling.check("She presses: settled, once.");
        self.expect_balances(stage, &[401_50, 200_00, 98_50])
    }
}
