//! What a person does with a band on the wrist: unlocks it, pays, is paid.

use anyhow::{Context, Result, bail, ensure};
use armring_wire::Amount;

use super::hearing::Said;
use super::language::Wanted;
use super::outcome::Outcome;
use super::person::{Begun, Payee, shortened};
use super::player::Player;
use crate::control::{BandCommand, BandReport, PhoneCommand, PhoneReport, Report, ShopReport};
use crate::money::show;

/// What is bought where a story does not say.
pub(super) const GOODS: &str = "goods";

impl Player {
    pub(super) fn on_band(&mut self, who: &str, command: BandCommand) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.on_band(stage, command)?;
        Ok(Outcome::done())
    }

    pub(super) fn unlock(&mut self, who: &str, right: bool) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        if person.is_phone() {
            stage.done(person.phone, &PhoneCommand::Finger)?;
            return Ok(Outcome::done());
        }
        self.enter_secret(who, if right { BandCommand::TapPattern } else { BandCommand::WrongPattern })
    }

    /// Enters a pattern or a PIN on the band.
    pub(super) fn enter_secret(&mut self, who: &str, secret: BandCommand) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        ensure!(!person.is_phone(), "{who} has no band to do that with");
        let what = if matches!(secret, BandCommand::Pin | BandCommand::WrongPin) { "PIN" } else { "pattern" };
        let seen = stage.watch(person.band.actor, &secret)?;
        let said = seen
            .iter()
            .find(|seen| matches!(seen, Report::Band(BandReport::Unlocked | BandReport::WrongSecret(_)) | Report::Complaint(_)));
        Ok(match said {
            Some(Report::Band(BandReport::Unlocked)) => Outcome::done(),
            Some(Report::Band(BandReport::WrongSecret(left))) => {
                Outcome::new(Wanted::Refused, format!("the {what} is wrong, {left} tries are left"))
            }
            Some(Report::Complaint(why)) => Outcome::new(Wanted::Refused, why.clone()),
            _ => Outcome::new(Wanted::Refused, "the band is not worn"),
        })
    }

    pub(super) fn unlock_by_phone(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        stage.done(person.phone, &PhoneCommand::Unlock)?;
        Ok(Outcome::done())
    }

    pub(super) fn pay(&mut self, who: &str, amount: Option<Amount>, to: &str, memo: Option<&str>) -> Result<Outcome> {
        if let Some(amount) = amount.filter(|_| self.is_shop(to)) {
            self.sell(to, amount, memo)?;
        }
        let payee = self.payee(to)?;
        let (person, stage) = self.person(who)?;
        stage.forget(person.band.actor)?;
        let Payee { name, address, uri, .. } = payee.clone();
        stage.tell(person.phone, &PhoneCommand::Pay { payee: payee.process.clone(), address, uri })?;
        let (shown, memo, asked) = stage.wait(person.phone, "an offer", |report| match report {
            Report::Phone(PhoneReport::Offer { payee, memo, amount }) => Some((payee.clone(), memo.clone(), amount.clone())),
            _ => None,
        })?;
        if let Some(amount) = amount {
            ensure!(show(amount) == asked, "{name} asks for {asked}");
        }
        (person.last, person.pending) = (Some(payee), None);
        let offer = format!("The phone shows: {shown}, {asked}, \"{memo}\".");
        self.hear(who, Some(offer))
    }

    /// The payee of this name.
    fn payee(&mut self, name: &str) -> Result<Payee> {
        if let Some(shop) = self.shops.iter().find(|shop| shop.payee.name == name) {
            return Ok(shop.payee.clone());
        }
        match &self.person(name)?.0.begun {
            Some(Begun::Listening(payee)) => Ok(payee.clone()),
            _ => bail!("{name} has not asked to be paid: {name}: receive …, then press twice"),
        }
    }

    /// Goes on with the last payment.
    pub(super) fn go_on(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        let payee = person.last.as_ref().context("there is no payment to go on with")?;
        let again = PhoneCommand::Again { payee: payee.process.clone(), address: payee.address.clone() };
        stage.forget(person.band.actor)?;
        stage.tell(person.phone, &again)?;
        self.hear(who, None)
    }

    /// A press: what waits to be paid is paid, unless more is needed.
    pub(super) fn press(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        if person.is_phone() {
            stage.done(person.phone, &PhoneCommand::Finger)?;
        } else {
            let seen = stage.watch(person.band.actor, &BandCommand::Press)?;
            let asks = seen.into_iter().find_map(|seen| match seen {
                Report::Band(BandReport::Waiting(what)) => Some(what),
                _ => None,
            });
            if let Some(what) = asks {
                stage.telling.prose(&person.buzz(&what));
                return Ok(Outcome::new(Wanted::Waiting, what));
            }
        }
        if !matches!(person.begun, Some(Begun::Paying)) {
            return Ok(Outcome::done());
        }
        self.wearer_acted(who)
    }

    /// Two presses: what waits to be asked for is signed, and the phone waits for whoever pays it.
    pub(super) fn press_twice(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.on_band(stage, BandCommand::DoublePress)?;
        if !matches!(person.begun, Some(Begun::Receiving)) {
            return Ok(Outcome::done());
        }
        person.begun = None;
        stage.tell(person.phone, &PhoneCommand::Await)?;
        let (address, uri) = stage.wait(person.phone, "a signed request", |report| match report {
            Report::Phone(PhoneReport::Listening { address, uri, .. }) => Some((address.clone(), uri.clone())),
            _ => None,
        })?;
        stage.telling.prose(&format!("{}'s phone shows a code to scan: {}.", person.name, shortened(&uri)));
        let process = format!("{}'s phone", person.name);
        let memo = String::new();
        person.begun = Some(Begun::Listening(Payee { name: person.name.clone(), process, address, uri: Some(uri), memo }));
        Ok(Outcome::done())
    }

    /// Says no to what waits.
    pub(super) fn shake(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.on_band(stage, BandCommand::Shake)?;
        match person.begun {
            Some(Begun::Paying | Begun::Receiving) => self.wearer_acted(who),
            _ => Ok(Outcome::done()),
        }
    }

    /// The phone hears what came of what waited.
    pub(super) fn wearer_acted(&mut self, who: &str) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        person.begun = None;
        stage.tell(person.phone, &PhoneCommand::Await)?;
        self.hear(who, None)
    }

    pub(super) fn receive(&mut self, who: &str, amount: Amount, memo: Option<&str>) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        let memo = memo.unwrap_or(GOODS).to_owned();
        stage.forget(person.band.actor)?;
        stage.tell(person.phone, &PhoneCommand::Receive { minor: amount.minor(), memo })?;
        let waits = stage.wait(person.phone, "to wait for the wearer", |report| match report {
            Report::Phone(PhoneReport::Waiting(what)) => Some(what.clone()),
            _ => None,
        })?;
        person.begun = Some(Begun::Receiving);
        stage.telling.prose(&person.buzz(&waits));
        Ok(Outcome::new(Wanted::Waiting, waits))
    }

    /// What becomes of a payment. `offer` is told once the band has something to say of it as well.
    fn hear(&mut self, who: &str, offer: Option<String>) -> Result<Outcome> {
        let (person, stage) = self.person(who)?;
        let (said, waits) = person.phone_says(stage)?;
        let payee = person.last.clone().context("nobody is to be paid")?;
        if let Some(offer) = offer.filter(|_| !matches!(said, Said::NotTaken(_))) {
            stage.telling.prose(&offer);
        }
        Ok(match said {
            Said::Waiting => {
                person.begun = Some(Begun::Paying);
                stage.telling.prose(&person.buzz(&waits));
                Outcome::new(Wanted::Waiting, waits)
            }
            Said::Receipt { outcome, settled, receipt } => {
                // The wearer is told once, however often a receipt comes.
                if person.told.insert(receipt.clone()) {
                    person.told_on_wrist(stage)?;
                }
                let how = if settled { Wanted::Settled } else { Wanted::Refused };
                let said = if settled { super::issuing::signed_by(&receipt)? } else { outcome };
                if settled {
                    self.paid(&payee, &receipt)?;
                }
                Outcome::new(how, said).with_receipt(receipt)
            }
            Said::Pending => Outcome::new(Wanted::Pending, self.taken(who, &payee)?),
            Said::NotTaken(why) => Outcome::new(Wanted::Refused, self.not_taken(&payee, why)?),
        })
    }

    /// A payee has the money: a person hears of it on the wrist.
    fn paid(&mut self, payee: &Payee, receipt: &str) -> Result<()> {
        if self.is_shop(&payee.name) {
            if !payee.memo.is_empty() {
                self.receipts.entry(payee.memo.clone()).or_insert_with(|| receipt.to_owned());
            }
            return Ok(());
        }
        let (person, stage) = self.person(&payee.name)?;
        if !matches!(person.begun, Some(Begun::Listening(_))) {
            return Ok(());
        }
        person.begun = None;
        let amount = stage.wait(person.band.actor, "the money", |report| match report {
            Report::Band(BandReport::Received(amount)) => Some(amount.clone()),
            _ => None,
        })?;
        stage.wait(person.phone, "the receipt", |report| matches!(report, Report::Receipt { .. }).then_some(()))?;
        stage.telling.check(&format!("{}'s band, which checked the receipt itself, says: received {amount}.", payee.name));
        Ok(())
    }

    /// How much a shop without network accepted. It tells its keeper once.
    fn taken(&mut self, who: &str, payee: &Payee) -> Result<String> {
        if let Some(amount) = &self.person(who)?.0.pending {
            return Ok(amount.clone());
        }
        let shop = self.shop(&payee.name)?.actor;
        let amount = self.stage.wait(shop, "word of the token", |report| match report {
            Report::Shop(ShopReport::Pending { amount }) => Some(amount.clone()),
            _ => None,
        })?;
        self.person(who)?.0.pending = Some(amount.clone());
        Ok(amount)
    }

    /// Why a token was not taken: a shop without network says more to its keeper than to the payer.
    fn not_taken(&mut self, payee: &Payee, why: String) -> Result<String> {
        match self.shop(&payee.name) {
            Ok(shop) if !shop.online => {
                let shop = shop.actor;
                self.stage.wait(shop, "word of the token", |report| match report {
                    Report::Shop(ShopReport::NotTaken(why)) => Some(why.clone()),
                    _ => None,
                })
            }
            _ => Ok(why),
        }
    }
}
