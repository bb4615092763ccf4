//! How a person pays, or tries to.

use anyhow::{Result, ensure};

use super::person::{Person, is_phone};
use super::stage::{Actor, Stage};
use crate::control::{BandCommand, BandReport, PhoneCommand, PhoneReport, Report};

/// Who is to be paid, and where they are reached.
pub(super) struct Payee {
    pub(super) name: String,
    pub(super) address: String,
    /// What the payer's phone scans; else it asks.
    pub(super) uri: Option<String>,
}

/// What the issuer made of a payment.
pub(super) struct Paid {
    pub(super) outcome: String,
    pub(super) settled: bool,
    pub(super) receipt: String,
}

impl Payee {
    fn pay(&self, out_of_reach: bool) -> PhoneCommand {
        PhoneCommand::Pay { payee: self.name.clone(), address: self.address.clone(), uri: self.uri.clone(), out_of_reach }
    }

    fn again(&self) -> PhoneCommand {
        PhoneCommand::Again { payee: self.name.clone(), address: self.address.clone() }
    }
}

impl Person {
    /// Has the phone pay and waits until the band waits for its wearer.
    pub(super) fn begin_payment(&self, stage: &mut Stage, payee: &Payee) -> Result<()> {
        stage.forget(self.band)?;
        stage.tell(self.phone, &payee.pay(false))?;
        offer(stage, self.phone)?;
        self.buzz(stage)
    }

    /// The same, but that the phone then goes out of reach.
    pub(super) fn begin_and_lose(&self, stage: &mut Stage, payee: &Payee) -> Result<()> {
        stage.forget(self.band)?;
        stage.tell(self.phone, &payee.pay(true))?;
        offer(stage, self.phone)?;
        self.buzz(stage)?;
        stage.wait(self.phone, "to be out of reach", |report| is_phone(report, &PhoneReport::OutOfReach))?;
        self.alone(stage)
    }

    /// Has the phone go on with its last payment, and waits until the band waits for its wearer.
    pub(super) fn begin_again(&self, stage: &mut Stage, payee: &Payee) -> Result<()> {
        stage.tell(self.phone, &payee.again())?;
        self.buzz(stage)
    }

    fn buzz(&self, stage: &mut Stage) -> Result<()> {
        let waiting = stage.wait(self.band, "a payment", |report| match report {
            Report::Band(BandReport::Waiting(what)) => Some(what.clone()),
            _ => None,
        })?;
        let told = match waiting.split_once(" waits for ") {
            Some((shown, _)) if self.is_phone() => format!("The phone shows: {shown}. It waits for her finger."),
            _ => format!("The band buzzes: {waiting}."),
        };
        stage.telling.prose(&told);
        Ok(())
    }

    /// Waits for the receipt of a payment, on the wrist and on the phone.
    pub(super) fn receipt(&self, stage: &mut Stage) -> Result<Paid> {
        stage.wait(self.band, "the receipt on the wrist", |report| match report {
            Report::Band(BandReport::Paid { .. }) => Some(()),
            _ => None,
        })?;
        stage.wait(self.phone, "a receipt", |report| match report {
            Report::Receipt { outcome, settled, receipt } => {
                Some(Paid { outcome: outcome.clone(), settled: *settled, receipt: receipt.clone() })
            }
            _ => None,
        })
    }

    /// Pays with a press, whatever becomes of it.
    pub(super) fn try_to_pay(&self, stage: &mut Stage, payee: &Payee) -> Result<Paid> {
        self.begin_payment(stage, payee)?;
        stage.tell(self.band, &BandCommand::Press)?;
        self.receipt(stage)
    }

    /// Pays with a press. Gives the receipt.
    pub(super) fn pay(&self, stage: &mut Stage, payee: &Payee) -> Result<String> {
        settled(self.try_to_pay(stage, payee)?)
    }

    /// Pays a payee without network with a press: it is pending.
    pub(super) fn pay_offline(&self, stage: &mut Stage, payee: &Payee) -> Result<()> {
        self.begin_payment(stage, payee)?;
        stage.tell(self.band, &BandCommand::Press)?;
        stage.wait(self.phone, "to be pending", |report| is_phone(report, &PhoneReport::Pending))
    }

    /// Sends the token of the last payment again. Gives the receipt.
    pub(super) fn ask_again(&self, stage: &mut Stage, payee: &Payee) -> Result<String> {
        stage.tell(self.phone, &payee.again())?;
        settled(self.receipt(stage)?)
    }

    /// Tries to pay and gives why the band declines.
    pub(super) fn decline(&self, stage: &mut Stage, payee: &Payee) -> Result<String> {
        stage.tell(self.phone, &payee.pay(false))?;
        stage.wait(self.phone, "an offer", |report| matches!(report, Report::Phone(PhoneReport::Offer { .. })).then_some(()))?;
        self.declined(stage)
    }

    /// Why the phone's payment does not go on.
    pub(super) fn declined(&self, stage: &mut Stage) -> Result<String> {
        stage.wait(self.phone, "a refusal", |report| match report {
            Report::Phone(PhoneReport::Declined(why)) => Some(why.clone()),
            _ => None,
        })
    }
}

/// The receipt of a payment that must have been settled.
pub(super) fn settled(paid: Paid) -> Result<String> {
    ensure!(paid.settled, "the payment was {}", paid.outcome);
    Ok(paid.receipt)
}

fn offer(stage: &mut Stage, phone: Actor) -> Result<()> {
    let (payee, memo, amount) = stage.wait(phone, "an offer", |report| match report {
        Report::Phone(PhoneReport::Offer { payee, memo, amount }) => Some((payee.clone(), memo.clone(), amount.clone())),
        _ => None,
    })?;
    stage.telling.prose(&format!("The phone shows: {payee}, {amount}, \"{memo}\"."));
    Ok(())
}
