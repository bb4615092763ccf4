//! Steps that occur in more than one chapter.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Story;
use crate::firmware::machine::Machine;

impl Story<'_> {
    /// Starts the firmware, with what is in its flash.
    pub(super) fn power_on(&mut self) -> Result<()> {
        let mut band = Machine::start(self.toolchain, &self.image, &self.folder)?;
        self.air.band_is_on(&band.radio)?;
        band.seed()?;
        self.band = Some(band);
        Ok(())
    }

    /// Kills the emulator while the phone waits for the band, starts it anew, and connects.
    pub(super) fn power_cycle(&mut self) -> Result<()> {
        if let Some(band) = self.band.take() {
            band.cut();
        }
        self.air.band_is_off();
        // The phone notices when it next has something to say; it is told that the band is gone.
        self.lose()?;
        println!("   ⚡ The emulator is killed, and started with the same flash.");
        self.power_on()?;
        self.connect(false)?;
        self.put_on()
    }

    pub(super) fn connect(&mut self, resumes: bool) -> Result<()> {
        self.air.wait_alone()?;
        self.mei.tell(&json!({ "Connect": { "band": self.air.address } }))?;
        let connected = self.mei.wait("/Phone/Connected")?;
        ensure!(connected == json!({ "resumed": resumes, "used_elsewhere": false }), "connected: {connected}");
        println!("   ✓ {}.", if resumes { "Resumed" } else { "Reconnected" });
        Ok(())
    }

    /// On the wrist and unlocked. The pattern is chosen the first time, and after a restart known.
    pub(super) fn put_on(&mut self) -> Result<()> {
        let band = self.band()?;
        band.done(b'+')?;
        band.forget();
        band.touch(b't')?;
        band.wait("that it is unlocked", |line| (line == "unlocked").then_some(()))
    }

    /// Has the phone pay, and waits until the band waits for its wearer.
    pub(super) fn begin_payment(&mut self, minor: u64, memo: &str) -> Result<()> {
        self.shop.done(&json!({ "Sell": { "minor": minor, "memo": memo } }))?;
        let address = &self.shop_address;
        let pay = json!({ "Pay": { "payee": "tea house", "address": address, "uri": null } });
        self.mei.tell(&pay)?;
        self.mei.wait("/Phone/Offer")?;
        self.band()?.wait("the payment", |line| (line == format!("waiting {minor}")).then_some(()))?;
        self.mei.wait("/Phone/Waiting").map(drop)
    }

    /// She presses, and the phone hears what comes of it.
    pub(super) fn press(&mut self) -> Result<()> {
        self.band()?.touch(b'p')?;
        self.mei.tell(&json!("Await"))
    }

    /// The band is out of the phone's reach.
    pub(super) fn lose(&mut self) -> Result<()> {
        self.mei.tell(&json!("Lose"))?;
        self.mei.wait_word(&json!({ "Phone": "OutOfReach" }))
    }

    /// Has the phone go on with its last payment.
    pub(super) fn again(&mut self) -> Result<()> {
        self.mei.tell(&json!({ "Again": { "payee": "tea house", "address": self.shop_address } }))
    }

    /// The wearer and the phone hear that a payment is settled.
    pub(super) fn settled(&mut self, minor: u64) -> Result<()> {
        self.band()?.wait("the receipt", |line| (line == format!("paid {minor}")).then_some(()))?;
        self.receipt()
    }

    pub(super) fn receipt(&mut self) -> Result<()> {
        let receipt = self.mei.wait("/Receipt")?;
        ensure!(receipt.get("settled") == Some(&Value::Bool(true)), "not settled: {receipt}");
        println!("   ✓ Settled.");
        Ok(())
    }

    /// The issuer's books: what everybody has, and that an audit finds nothing wrong.
    pub(super) fn balances(&mut self, expected: &[i64; 3]) -> Result<()> {
        self.issuer.tell(&json!("Books"))?;
        let books = self.issuer.wait("/Books")?;
        let balances = books.get("balances").and_then(Value::as_array).cloned().unwrap_or_default();
        let found: Vec<_> = balances.iter().filter_map(|row| row.get(1)?.as_i64()).collect();
        ensure!(found == expected, "the books say {found:?}, and should say {expected:?}");
        ensure!(books.get("faults") == Some(&json!([])), "an audit found {books}");
        Ok(())
    }
}

/// `042 117` as a number.
pub(super) fn digits(shown: &str) -> Option<u64> {
    shown.replace(' ', "").parse().ok()
}
