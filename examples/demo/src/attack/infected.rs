//! What a phone does that malware has: it shows one thing and asks the band for another.

use anyhow::{Context, Result, bail};
use armring_wallet::Event;
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Opaque, decode_record};

use crate::control::{AttackReport, Counter, Misdeed, PhoneReport, Report, calendar, report};
use crate::keyring::Keyring;
use crate::money::show;
use crate::paying::who;
use crate::phone::Phone;

/// Where the amount of a payment request stands: behind signature, form and payee.
const AMOUNT: std::ops::Range<usize> = 74..82;
const KEPT: &str = "link-kept";

/// What a payee asks for: a request, and the certificate with it.
struct Asked {
    request: Vec<u8>,
    certificate: Vec<u8>,
}

impl Phone {
    pub(crate) fn misbehave(&mut self, misdeed: Misdeed) -> Result<()> {
        match misdeed {
            Misdeed::ChangeAmount { at, minor } => self.change_amount(&at, minor),
            Misdeed::PayOther { shown, paid } => self.pay_other(&shown, &paid),
            Misdeed::TwoForOne { first, second } => self.two_for_one(&first, &second),
            Misdeed::OldToken { at } => self.old_token(&at),
            Misdeed::NoGesture { at } => self.no_gesture(&at),
            Misdeed::Unlock { at } => self.unlock(&at),
            Misdeed::GiveUp => {
                self.attempt("asks how the band is", &ToBand::Status)?;
                self.attempt("gives up", &ToBand::Cancel).map(drop)
            }
            Misdeed::OwnRoot => {
                let list = Keyring::new(calendar())?.keys()?.key_list;
                self.attempt(
                    "brings a key list that a root of its own has signed",
                    &ToBand::KeyList(Opaque::new(&list).context("too long")?),
                )
                .map(drop)
            }
            Misdeed::KeepLink => {
                self.drawer.write(KEPT, &self.drawer.read("link")?.context("there is no link")?).map_err(Into::into)
            }
            Misdeed::UseKeptLink { band } => {
                self.drawer.write("link", &self.drawer.read(KEPT)?.context("no link was kept")?)?;
                return self.connect(&band);
            }
        }?;
        Ok(report(&Report::Done)?)
    }

    fn change_amount(&mut self, at: &Counter, minor: u64) -> Result<()> {
        let asked = self.show(at)?;
        let mut request = asked.request.clone();
        request.get_mut(AMOUNT).context("a short request")?.copy_from_slice(&minor.to_le_bytes());
        let forged = Asked { request, ..asked };
        let Some(token) = self.demand("asks the band for another amount", &forged)? else { return Ok(()) };
        self.spend(&token, at)?;
        self.redeem(&forged.request, &token)
    }

    fn pay_other(&mut self, shown: &Counter, paid: &Counter) -> Result<()> {
        self.show(shown)?;
        let asked = self.ask(paid)?;
        let Some(token) = self.demand("asks the band to pay another payee", &asked)? else { return Ok(()) };
        self.spend(&token, paid)
    }

    fn two_for_one(&mut self, first: &Counter, second: &Counter) -> Result<()> {
        let (first_asked, second_asked) = (self.show(first)?, self.ask(second)?);
        // The second is asked for while the first waits, so that both would be there when the wearer presses.
        self.attempt_pay("asks for one payment", &first_asked)?;
        self.attempt_pay("asks for a second while the first waits", &second_asked)?;
        let token = self.await_token()?.context("the first was not paid")?;
        self.spend(&token, first)?;
        self.attempt_pay("asks for the second again, after the press", &second_asked)?;
        self.attempt("gives up", &ToBand::Cancel).map(drop)
    }

    fn old_token(&mut self, at: &Counter) -> Result<()> {
        let (asked, token) = (self.ask(at)?, self.last_token.clone());
        self.spend(&token, at)?;
        self.redeem(&asked.request, &token)?;
        let still = self.ask(at)?.request == asked.request;
        said("asks the payee what there is to pay", if still { "the same, unpaid" } else { "something else" })
    }

    fn no_gesture(&mut self, at: &Counter) -> Result<()> {
        let asked = self.ask(at)?;
        self.attempt_pay("asks for a payment", &asked)?;
        let words = [
            ("says that its owner unlocked the band", ToBand::Unlock),
            ("says that its owner confirms", ToBand::Confirm { share: [1; 32] }),
            ("says which generation of the link it has", ToBand::Generation { generation: 0, lost: 255 }),
            ("says that it was paid", ToBand::Paid { receipt: Opaque::new(&asked.request).context("too long")? }),
            ("asks how the band is", ToBand::Status),
        ];
        for (name, record) in &words {
            self.attempt(name, record)?;
        }
        self.attempt_pay("asks for the same payment again", &asked)?;
        self.attempt("gives up", &ToBand::Cancel).map(drop)
    }

    fn unlock(&mut self, at: &Counter) -> Result<()> {
        let asked = self.ask(at)?;
        self.attempt("says that its owner unlocked the band", &ToBand::Unlock)?;
        self.attempt_pay("asks for a payment", &asked)?;
        self.attempt("says again that its owner unlocked the band", &ToBand::Unlock).map(drop)
    }

    /// Asks a payee, and shows the person what it asks.
    fn show(&self, at: &Counter) -> Result<Asked> {
        let asked = self.ask(at)?;
        let offer = self.offer(&asked.request, &asked.certificate)?;
        let (payee, memo) = (who(&offer), offer.memo().to_owned());
        report(&Report::Phone(PhoneReport::Offer { payee, memo, amount: show(offer.amount()) }))?;
        Ok(asked)
    }

    fn ask(&self, at: &Counter) -> Result<Asked> {
        let answer = self.ask_payee((&at.payee, &at.address))?.ask_payee(&ToPayee::Ask)?;
        let FromPayee::Request { request, certificate } = decode_record(&answer)? else { bail!("there is nothing to pay") };
        Ok(Asked { request: request.as_bytes().to_vec(), certificate: certificate.as_bytes().to_vec() })
    }

    /// Has the band pay, and waits for the token, if it does not decline.
    fn demand(&mut self, what: &str, asked: &Asked) -> Result<Option<Vec<u8>>> {
        match self.attempt_pay(what, asked)? {
            Event::Waiting(_) => self.await_token(),
            _ => Ok(None),
        }
    }

    fn await_token(&mut self) -> Result<Option<Vec<u8>>> {
        let event = self.event()?;
        said("waits", &answered(&event))?;
        Ok(if let Event::Token(token) = event { Some(token) } else { None })
    }

    /// Asks the band to pay. One with a display wants to be told who asks.
    fn attempt_pay(&mut self, what: &str, asked: &Asked) -> Result<Event> {
        let request = Opaque::new(&asked.request).context("too long")?;
        self.say(&ToBand::Pay { request })?;
        let mut event = self.event()?;
        if matches!(event, Event::Declined(Decline::Unshown)) {
            self.say(&ToBand::PayTo { request, certificate: Opaque::new(&asked.certificate).context("too long")? })?;
            event = self.event()?;
        }
        said(what, &answered(&event))?;
        Ok(event)
    }

    fn attempt(&mut self, name: &str, record: &ToBand<'_>) -> Result<Event> {
        self.say(record)?;
        let event = self.event()?;
        said(name, &answered(&event))?;
        Ok(event)
    }

    /// Sends a token to a payee, and the receipt, if there is one, to the band.
    fn spend(&mut self, token: &[u8], at: &Counter) -> Result<()> {
        let token = Opaque::new(token).context("too long")?;
        let answer = self.ask_payee((&at.payee, &at.address))?.ask_payee(&ToPayee::Token(token))?;
        match decode_record(&answer)? {
            FromPayee::Receipt(receipt) => {
                said("takes the token to the payee", "a receipt")?;
                self.attempt("tells the band of the receipt", &ToBand::Paid { receipt }).map(drop)
            }
            FromPayee::Refused(why) => said("takes the token to the payee", &format!("refused: {why}")),
            other => said("takes the token to the payee", &format!("{other:?}")),
        }
    }

    /// Sends a request with a token to the issuer.
    fn redeem(&self, request: &[u8], token: &[u8]) -> Result<()> {
        let redeem = ToIssuer::Redeem {
            request: Opaque::new(request).context("too long")?,
            token: Opaque::new(token).context("too long")?,
        };
        let answer = self.ask_issuer()?.ask_issuer(&redeem)?;
        match decode_record(&answer)? {
            FromIssuer::Refused(why) => said("takes request and token to the issuer", &format!("refused: {why}")),
            other => said("takes request and token to the issuer", &format!("{other:?}")),
        }
    }
}

fn said(said: &str, answer: &str) -> Result<()> {
    Ok(report(&Report::Attack(AttackReport::Said { said: said.to_owned(), answer: answer.to_owned() }))?)
}

fn answered(event: &Event) -> String {
    match event {
        Event::Waiting(awaited) => format!("waits for {awaited}"),
        Event::Declined(why) => format!("declined: {why}"),
        Event::Token(_) => "a token".to_owned(),
        Event::Noted => "noted".to_owned(),
        Event::Status(_) => "how it is".to_owned(),
        other => format!("{other:?}"),
    }
}
