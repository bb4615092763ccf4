//! The chapters.

use anyhow::{Result, bail, ensure};

use super::noise;
use super::person::{Payee, Person};
use super::stage::{Actor, Stage};
use crate::control::{BandCommand, BandReport, Books, IssuerCommand, PhoneCommand, PhoneReport, Report, ShopCommand};
use crate::disk::Disk;
use crate::money::show_signed;

const CNY: u16 = 156;

/// Everybody in the story.
pub(crate) struct Cast {
    issuer: Actor,
    issuer_address: String,
    root: String,
    key_list: String,
    shop: Actor,
    tea_house: Payee,
    mei: Person,
    lin: Person,
    /// The receipt of the payment that is redeemed again.
    receipt: String,
}

fn money(minor: i64) -> String {
    show_signed(i128::from(minor), CNY)
}

impl Cast {
    /// Starts everybody.
    pub(crate) fn enter(stage: &mut Stage) -> Result<Self> {
        let ledger = stage.dir.join("ledger.sqlite").display().to_string();
        let issuer = stage.start("issuer", &["issuer", "--ledger", &ledger])?;
        let (root, key_list) = stage.wait(issuer, "the root key", |report| match report {
            Report::Root { root, key_list } => Some((root.clone(), key_list.clone())),
            _ => None,
        })?;
        let issuer_address = stage.address(issuer)?;
        let shop = stage.start("Tea House", &["shop", "--name", "Tea House", "--root", &root, "--issuer", &issuer_address])?;
        let (address, key) = stage.wait(shop, "an address", |report| match report {
            Report::Ready { address: Some(address), key: Some(key) } => Some((address.clone(), key.clone())),
            _ => None,
        })?;
        let tea_house = Payee { name: "Tea House".to_owned(), address };
        let mei = Person::enter(stage, "Mei", "mei", &root, &issuer_address)?;
        let lin = Person::enter(stage, "Lin", "lin", &root, &issuer_address)?;
        let cast = Self { issuer, issuer_address, root, key_list, shop, tea_house, mei, lin, receipt: String::new() };
        for (name, minor) in [("Mei", 500_00), ("Lin", 200_00), ("Tea House", 0)] {
            stage.done(issuer, &IssuerCommand::OpenAccount { name: name.to_owned(), minor })?;
        }
        stage.tell(issuer, &IssuerCommand::CertifyPayee { name: "Tea House".to_owned(), key })?;
        let certificate = stage.wait(issuer, "a certificate", |report| match report {
            Report::Certificate { certificate } => Some(certificate.clone()),
            _ => None,
        })?;
        let command = ShopCommand::TakeCertificate { certificate, key_list: cast.key_list.clone() };
        stage.done(shop, &command)?;
        stage.telling.prose("Mei has 500.00 CNY, Lin has 200.00 CNY, and the Tea House is a certified payee. Both bands have the issuer's root key.");
        Ok(cast)
    }

    fn books(&self, stage: &mut Stage) -> Result<Books> {
        stage.tell(self.issuer, &IssuerCommand::Books)?;
        let books = stage.wait(self.issuer, "the books", |report| match report {
            Report::Books(books) => Some(books.clone()),
            _ => None,
        })?;
        ensure!(books.faults.is_empty(), "the books do not agree: {}", books.faults.join(", "));
        Ok(books)
    }

    /// Holds the balances to what they must be.
    fn expect_balances(&self, stage: &mut Stage, expected: [i64; 3]) -> Result<()> {
        let books = self.books(stage)?;
        let found: Vec<i64> = books.balances.iter().map(|(_, balance)| *balance).collect();
        ensure!(found == expected, "balances are {found:?} and should be {expected:?}");
        let shown: Vec<String> = books.balances.iter().map(|(name, balance)| format!("{name} {}", money(*balance))).collect();
        stage.telling.check(&format!("The issuer's books: {}.", shown.join(", ")));
        Ok(())
    }

    fn sell(&self, stage: &mut Stage, minor: u64, memo: &str) -> Result<()> {
        stage.done(self.shop, &ShopCommand::Sell { minor, memo: memo.to_owned() })
    }

    pub(crate) fn pair(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Mei pairs her band with her phone");
        stage.telling.prose("She holds the band's button: its pairing window is open for 60 s, for one attempt.");
        self.mei.pair(stage)?;
        stage.telling.prose("Both stored a provisional link. The first reconnect makes it a real one:");
        self.mei.connect(stage)?;
        stage.telling.check("Linked. From now on each connection is authenticated with fresh keys, whatever the radio does.");
        Ok(())
    }

    pub(crate) fn enrol(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The band enrols with the issuer, through a phone that cannot read it");
        self.mei.enrol(stage, self.issuer)?;
        stage.telling.prose("Lin does the same with his own band and phone (messages left out).");
        stage.telling.mute(true);
        self.lin.pair(stage)?;
        self.lin.connect(stage)?;
        self.lin.enrol(stage, self.issuer)?;
        stage.telling.mute(false);
        Ok(())
    }

    pub(crate) fn pay(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Mei pays 12.50 CNY with a press");
        stage.telling.prose("She puts the band on and taps her pattern: it is unlocked until it leaves her wrist.");
        self.mei.put_on(stage)?;
        self.sell(stage, 12_50, "tea for two")?;
        let (outcome, settled, receipt) = self.mei.pay(stage, &self.tea_house)?;
        ensure!(settled, "the payment was {outcome}");
        self.receipt = receipt;
        stage.telling.check(&format!("The receipt says: {outcome}. The band tells it to her wrist."));
        self.expect_balances(stage, [487_50, 200_00, 12_50])
    }

    pub(crate) fn pay_much(&mut self, stage: &mut Stage) -> Result<()> {
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
        let (outcome, settled, _) = self.mei.receipt(stage)?;
        ensure!(settled, "the payment was {outcome}");
        stage.telling.check("She taps her pattern and presses: settled.");
        self.expect_balances(stage, [407_50, 200_00, 92_50])
    }

    pub(crate) fn receive(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Lin pays Mei 30.00 CNY: her band signs the request, his band signs the token");
        self.lin.put_on(stage)?;
        stage.tell(self.mei.phone, &PhoneCommand::Receive { minor: 30_00, memo: "half of the dinner".to_owned() })?;
        stage.wait(self.mei.band, "a request to sign", |report| match report {
            Report::Band(BandReport::Waiting(_)) => Some(()),
            _ => None,
        })?;
        stage.telling.prose("Mei's band buzzes; she presses it twice, which is another gesture than to pay.");
        stage.tell(self.mei.band, &BandCommand::DoublePress)?;
        let address = stage.wait(self.mei.phone, "a signed request", |report| match report {
            Report::Phone(PhoneReport::Listening { address, .. }) => Some(address.clone()),
            _ => None,
        })?;
        stage.telling.prose("Before Lin, somebody else finds the door of Mei's phone:");
        make_noise(stage, self.mei.phone, &address)?;
        let (outcome, settled, _) = self.lin.pay(stage, &Payee { name: "Mei's phone".to_owned(), address })?;
        ensure!(settled, "the payment was {outcome}");
        let amount = stage.wait(self.mei.band, "the money", |report| match report {
            Report::Band(BandReport::Received(amount)) => Some(amount.clone()),
            _ => None,
        })?;
        stage.wait(self.mei.phone, "the receipt", |report| matches!(report, Report::Receipt { .. }).then_some(()))?;
        stage.telling.check(&format!("Mei's band, which checked the receipt itself, says: received {amount}."));
        self.expect_balances(stage, [437_50, 170_00, 92_50])
    }

    pub(crate) fn refuse(&mut self, stage: &mut Stage) -> Result<()> {
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
        self.expect_balances(stage, [437_50, 170_00, 92_50])
    }

    pub(crate) fn redeem_again(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The shop redeems the first token a second time");
        stage.tell(self.shop, &ShopCommand::RedeemAgain)?;
        let receipt = stage.wait(self.shop, "the receipt", |report| match report {
            Report::Receipt { receipt, .. } => Some(receipt.clone()),
            _ => None,
        })?;
        ensure!(receipt == self.receipt, "another receipt than the first time");
        stage.telling.check("The same receipt, byte for byte, and no money moves.");
        self.expect_balances(stage, [437_50, 170_00, 92_50])
    }

    pub(crate) fn hear_noise(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("Noise on every other door");
        self.mei.hang_up(stage)?;
        let before = self.books(stage)?;
        let doors = [
            (self.issuer, self.issuer_address.clone()),
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

    pub(crate) fn be_cloned(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("A thief copies Mei's band and phone, keys and all");
        self.mei.hang_up(stage)?;
        for device in ["band", "phone"] {
            Disk::copy(&stage.dir.join(format!("mei-{device}")), &stage.dir.join(format!("thief-{device}")))?;
        }
        let thief = Person::enter(stage, "thief", "thief", &self.root, &self.issuer_address)?;
        stage.telling.prose("Mei goes on with her day and pays 8.00 CNY:");
        self.mei.connect(stage)?;
        self.sell(stage, 8_00, "a bun")?;
        let (outcome, settled, _) = self.mei.pay(stage, &self.tea_house)?;
        ensure!(settled, "the payment was {outcome}");
        stage.telling.check("Settled.");
        stage.telling.prose("The thief pays 9.00 CNY with the copy, which signs with the same key and the same next counter:");
        thief.connect(stage)?;
        thief.put_on(stage)?;
        self.sell(stage, 9_00, "cigarettes")?;
        let (outcome, settled, _) = thief.pay(stage, &self.tea_house)?;
        ensure!(!settled && outcome.contains("cloned"), "the clone's payment was {outcome}");
        stage.telling.refused(&format!("The copy's receipt: {outcome}."));
        self.sell(stage, 5_00, "a biscuit")?;
        let (outcome, settled, _) = self.mei.pay(stage, &self.tea_house)?;
        ensure!(!settled && outcome.contains("frozen"), "the payment after the freeze was {outcome}");
        stage.telling.refused(&format!("Mei's own band from now on: {outcome}. She enrols anew; her account stays."));
        self.expect_balances(stage, [429_50, 170_00, 100_50])
    }

    pub(crate) fn close_the_books(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The issuer audits its ledger");
        let books = self.books(stage)?;
        let total: i64 = books.balances.iter().map(|(_, balance)| balance).sum();
        if total != 700_00 {
            bail!("{} went in and {} are there", money(700_00), money(total));
        }
        stage.telling.check(&format!(
            "{} went in and {} are there; every entry has its counterpart.",
            money(700_00),
            money(total)
        ));
        Ok(())
    }
}

/// Sends noise of each kind to a door and waits for the complaint.
fn make_noise(stage: &mut Stage, actor: Actor, address: &str) -> Result<()> {
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
