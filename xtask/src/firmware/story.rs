//! What is played with the emulated band: Mei's band is firmware; her phone, Lin with all of his, the shop and the issuer are processes of the demo.

mod steps;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    air::Air,
    cast::{Actor, text},
    machine::Machine,
    session::unhex,
    toolchain::Toolchain,
};
use steps::digits;

/// Everybody.
pub(super) struct Story<'a> {
    toolchain: &'a Toolchain,
    image: PathBuf,
    /// Where Mei's band has its flash.
    folder: PathBuf,
    band: Option<Machine>,
    air: Air,
    issuer: Actor,
    shop: Actor,
    shop_address: String,
    mei: Actor,
    lin: Actor,
    lins_band: Actor,
    lins_band_address: String,
    chapter: u32,
}

impl<'a> Story<'a> {
    pub(super) fn prepare(toolchain: &'a Toolchain, image: PathBuf, demo: &Path) -> Result<Self> {
        let folder = toolchain.folder().join("play");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("mei-band"))?;
        let path = |name: &str| folder.join(name).display().to_string();
        let issuer = Actor::start(demo, "the issuer", &["issuer", "--ledger", &path("ledger.sqlite")])?;
        let known = issuer.wait("/Root")?;
        let [root, key_list] =
            ["root", "key_list"].map(|key| known.get(key).and_then(Value::as_str).unwrap_or_default().to_owned());
        let at = text(&issuer.wait("/Ready/address")?)?;
        fs::write(folder.join("mei-band/root.bin"), unhex(&root)?)?;
        let shop = Actor::start(
            demo,
            "the tea house",
            &["shop", "--name", "tea house", "--folder", &path("shop"), "--root", &root, "--issuer", &at],
        )?;
        let ready = shop.wait("/Ready")?;
        let [shop_address, key] =
            ["address", "key"].map(|key| ready.get(key).and_then(Value::as_str).unwrap_or_default().to_owned());
        let phone = |owner: &str, files: &str| {
            let name = format!("{owner}'s phone");
            Actor::start(demo, &name, &["phone", "--owner", owner, "--folder", &path(files), "--root", &root, "--issuer", &at])
        };
        let (mei, lin) = (phone("Mei", "mei-phone")?, phone("Lin", "lin-phone")?);
        let lins_band = Actor::start(demo, "Lin's band", &["band", "--folder", &path("lin-band"), "--root", &root])?;
        let lins_band_address = text(&lins_band.wait("/Ready/address")?)?;
        let mut story = Self {
            toolchain,
            image,
            folder: folder.join("mei-band"),
            band: None,
            air: Air::new()?,
            issuer,
            shop,
            shop_address,
            mei,
            lin,
            lins_band,
            lins_band_address,
            chapter: 0,
        };
        story.open(&key, &key_list)?;
        Ok(story)
    }

    /// Accounts, and the shop's certificate.
    fn open(&mut self, key: &str, key_list: &str) -> Result<()> {
        for (name, minor) in [("Mei", 500_00), ("Lin", 200_00), ("tea house", 0)] {
            self.issuer.done(&json!({ "OpenAccount": { "name": name, "minor": minor } }))?;
        }
        self.issuer.tell(&json!({ "CertifyPayee": { "name": "tea house", "key": key } }))?;
        let certificate = self.issuer.wait("/Certificate/certificate")?;
        self.shop.done(&json!({ "TakeCertificate": { "certificate": certificate, "key_list": key_list } }))
    }

    /// From the first start to the last, in which the power is cut wherever it hurts.
    pub(super) fn play(&mut self) -> Result<()> {
        self.refuse_without_entropy()?;
        self.pair()?;
        self.enrol()?;
        self.pay()?;
        self.lose_and_resume()?;
        self.receive()?;
        self.cut_while_waiting()?;
        self.cut_at_the_press()?;
        self.telling("How much memory that took");
        let band = self.band()?;
        band.touch(b's')?;
        let stack = band.number("stack")?;
        println!("   The deepest the stack has been since the last start: {stack} bytes.");
        Ok(())
    }

    fn refuse_without_entropy(&mut self) -> Result<()> {
        self.telling("A band without entropy refuses to run");
        for (why, answer) in [("its generator fails", vec![b'N']), ("its generator is stuck", [&b"S"[..], &[0; 32]].concat())] {
            let mut band = Machine::start(self.toolchain, &self.image, &self.folder)?;
            band.answer_seed(&answer)?;
            let said = band.wait("that it refuses", |line| line.strip_prefix("complaint ").map(str::to_owned))?;
            ensure!(said == "no randomness: nothing is done", "it said: {said}");
            band.is_silent()?;
            println!("   ✗ Where {why}: {said}. Held, and dialled, it stays silent.");
        }
        self.power_on()
    }

    fn pair(&mut self) -> Result<()> {
        self.telling("Mei pairs the firmware with her phone");
        self.band()?.touch(b'h')?;
        self.band()?.wait("the pairing window", |line| (line == "pairing-open").then_some(()))?;
        self.mei.tell(&json!({ "Pair": { "band": self.air.address } }))?;
        let on_phone = text(&self.mei.wait("/Phone/Code")?)?;
        let on_band = self.band()?.number("code")?;
        println!("   The band's code is {on_band}, the phone's {on_phone}.");
        ensure!(digits(&on_phone) == Some(on_band), "the codes differ");
        self.mei.tell(&json!("AcceptCode"))?;
        self.band()?.touch(b'p')?;
        self.mei.wait_word(&json!({ "Phone": "Paired" }))?;
        self.band()?.wait("that they are paired", |line| (line == "paired").then_some(()))?;
        println!("   ✓ They are the same; she accepts on both. Paired.");
        self.connect(false)
    }

    fn enrol(&mut self) -> Result<()> {
        self.telling("It enrols with the issuer");
        self.issuer.tell(&json!({ "IssueCode": { "name": "Mei" } }))?;
        let code = self.issuer.wait("/Code/code")?;
        self.mei.tell(&json!({ "Enrol": { "code": code } }))?;
        let on_band = self.band()?.number("digits")?;
        let limits = text(&self.mei.wait("/Phone/Enrolled/limits")?)?;
        self.confirm("Mei", on_band)?;
        println!("   ✓ Digits {on_band:06} on the band and on the issuer's page. Credential: {limits}.");
        Ok(())
    }

    fn confirm(&mut self, name: &str, on_band: u64) -> Result<()> {
        self.issuer.tell(&json!({ "Digits": { "name": name } }))?;
        let expected = self.issuer.wait("/Digits/digits")?;
        ensure!(expected.as_u64() == Some(on_band), "the enrolment digits differ: {expected} and {on_band}");
        self.issuer.done(&json!({ "Confirm": { "name": name, "digits": on_band } }))
    }

    fn pay(&mut self) -> Result<()> {
        self.telling("She puts it on and pays 12.50 CNY with a press");
        self.put_on()?;
        self.begin_payment(12_50, "tea for two")?;
        self.press()?;
        self.settled(12_50)?;
        self.balances(&[487_50, 200_00, 12_50])
    }

    fn lose_and_resume(&mut self) -> Result<()> {
        self.telling("The link is lost while it waits for her press");
        self.begin_payment(6_00, "dumplings")?;
        self.lose()?;
        self.connect(true)?;
        self.again()?;
        self.band()?.wait("the payment again", |line| (line == "waiting 600").then_some(()))?;
        self.press()?;
        self.settled(6_00)?;
        self.balances(&[481_50, 200_00, 18_50])
    }

    fn receive(&mut self) -> Result<()> {
        self.telling("Lin pays her 30.00 CNY: the firmware signs the request");
        self.bring_lin()?;
        self.mei.tell(&json!({ "Receive": { "minor": 30_00, "memo": "half of the dinner" } }))?;
        self.band()?.wait("a request to sign", |line| (line == "waiting 3000").then_some(()))?;
        self.band()?.touch(b'd')?;
        self.mei.tell(&json!("Await"))?;
        let listening = self.mei.wait("/Phone/Listening")?;
        let (address, uri) = (listening.get("address"), listening.get("uri"));
        self.lin.tell(&json!({ "Pay": { "payee": "Mei's phone", "address": address, "uri": uri } }))?;
        self.lins_band.wait("/Band/Waiting")?;
        self.lins_band.tell(&json!("Press"))?;
        self.lin.tell(&json!("Await"))?;
        self.lins_band.wait("/Band/Paid")?;
        self.band()?.wait("the money", |line| (line == "received 3000").then_some(()))?;
        self.mei.wait("/Receipt")?;
        println!("   ✓ The band, which checked the receipt itself, shows 30.00 received.");
        self.balances(&[511_50, 170_00, 18_50])
    }

    /// Lin has a band of the demo's, paired and enrolled like Mei's.
    fn bring_lin(&mut self) -> Result<()> {
        self.lins_band.tell(&json!("Hold"))?;
        self.lins_band.wait_word(&json!({ "Band": "PairingOpen" }))?;
        self.lin.tell(&json!({ "Pair": { "band": self.lins_band_address } }))?;
        self.lin.wait("/Phone/Code")?;
        self.lin.tell(&json!("AcceptCode"))?;
        self.lins_band.wait("/Band/Code")?;
        self.lins_band.tell(&json!("Press"))?;
        self.lin.wait_word(&json!({ "Phone": "Paired" }))?;
        self.lins_band.wait_word(&json!({ "Band": "Alone" }))?;
        self.lin.tell(&json!({ "Connect": { "band": self.lins_band_address } }))?;
        self.lin.wait("/Phone/Connected")?;
        self.issuer.tell(&json!({ "IssueCode": { "name": "Lin" } }))?;
        let code = self.issuer.wait("/Code/code")?;
        self.lin.tell(&json!({ "Enrol": { "code": code } }))?;
        let digits = self.lins_band.wait("/Band/EnrolmentDigits/digits")?.as_u64().context("not digits")?;
        self.lin.wait("/Phone/Enrolled")?;
        self.confirm("Lin", digits)?;
        self.lins_band.done(&json!("PutOn"))?;
        self.lins_band.done(&json!("TapPattern"))
    }

    fn cut_while_waiting(&mut self) -> Result<()> {
        self.telling("The power is cut while it waits for her press");
        self.begin_payment(9_00, "a pot of oolong")?;
        self.power_cycle()?;
        self.again()?;
        self.band()?.wait("the payment again", |line| (line == "waiting 900").then_some(()))?;
        self.press()?;
        self.settled(9_00)?;
        self.balances(&[502_50, 170_00, 27_50])
    }

    /// Somewhere between the press and the receipt: what was stored by then is kept, and what was not never left the band.
    fn cut_at_the_press(&mut self) -> Result<()> {
        self.telling("The power is cut right after the press, three times");
        for round in 1..=3u32 {
            self.begin_payment(1_00, &format!("biscuit {round}"))?;
            self.band()?.touch(b'p')?;
            // Later each time, by as much as it takes to start writing to the flash, or to sign.
            std::thread::sleep(std::time::Duration::from_millis(u64::from(round - 1) * 4));
            self.power_cycle()?;
            self.again()?;
            // Signed before the cut, it is not asked for again.
            let asked = self.band()?.wait("the payment again", |line| match line {
                "waiting 100" => Some(true),
                "paid 100" => Some(false),
                _ => None,
            })?;
            if asked {
                self.press()?;
                self.band()?.wait("the receipt", |line| (line == "paid 100").then_some(()))?;
            }
            println!(
                "   After the cut it {}.",
                if asked { "had signed nothing, and asks again" } else { "gives the token that it had stored" }
            );
            self.receipt()?;
            let spent = i64::from(round) * 1_00;
            self.balances(&[502_50 - spent, 170_00, 27_50 + spent])?;
        }
        Ok(())
    }

    // What several of these have in common.

    fn telling(&mut self, title: &str) {
        self.chapter += 1;
        println!("\n{}. {title}", self.chapter);
    }

    fn band(&mut self) -> Result<&mut Machine> {
        self.band.as_mut().context("the band is off")
    }
}
