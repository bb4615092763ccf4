//! How a phone pays: a [`Payment`] says what to do next, and is on disk after everything that came of it.

use anyhow::{Context, Result, bail};
use armring_token::{PaymentRequest, Unverified};
use armring_wallet::{Event, Next, Offer, Payment};
use armring_wire::records::band::Decline;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::uri::PaymentUri;
use armring_wire::{Outcome, PayeeRef, decode_record};

use crate::client::Client;
use crate::control::{PhoneReport, Report, calendar, hex, report};
use crate::money::show;
use crate::phone::{Begun, Phone};

/// Where the payment is kept.
const PLACE: &str = "payment";

impl Phone {
    /// Pays what the payee asks for, or what was scanned.
    pub(crate) fn pay(&mut self, payee: (&str, &str), uri: Option<&str>) -> Result<()> {
        let mut client = self.ask_payee(payee)?;
        let offer = match self.asked(&mut client, uri) {
            Ok(offer) => offer,
            // Nothing was said to the band.
            Err(error) => return Ok(report(&Report::Phone(PhoneReport::Declined(format!("{error:#}"))))?),
        };
        let (payee, memo) = (who(&offer), offer.memo().to_owned());
        report(&Report::Phone(PhoneReport::Offer { payee, memo, amount: show(offer.amount()) }))?;
        let payment = Payment::new(offer, &self.credential().unwrap_or_default());
        self.go_on(payment, client)
    }

    /// What is to be paid, verified: what was scanned, or what the payee says when it is asked.
    fn asked(&self, client: &mut Client, uri: Option<&str>) -> Result<Offer> {
        match uri {
            Some(uri) => {
                let mut buffer = [0; PaymentUri::PAYLOAD_MAX];
                let scanned = PaymentUri::decode(uri, &mut buffer)?;
                self.offer(scanned.request.as_bytes(), scanned.certificate.as_bytes())
            }
            None => {
                let answer = client.ask_payee(&ToPayee::Ask)?;
                match decode_record(&answer)? {
                    FromPayee::Request { request, certificate } => self.offer(request.as_bytes(), certificate.as_bytes()),
                    FromPayee::Person { request, credential } => self.offer(request.as_bytes(), credential.as_bytes()),
                    other => bail!("there is nothing to pay: {other:?}"),
                }
            }
        }
    }

    /// Goes on with the payment that is on disk, wherever it stopped: the app may have been closed since.
    pub(crate) fn pay_again(&mut self, payee: (&str, &str)) -> Result<()> {
        let stored = self.drawer.read(PLACE)?.context("there is no payment to go on with")?;
        let payment = Payment::from_bytes(&stored, &self.root.fingerprint()).with_context(|| self.drawer.damaged(PLACE))?;
        let client = self.ask_payee(payee)?;
        self.go_on(payment, client)
    }

    pub(crate) fn ask_payee(&self, (name, address): (&str, &str)) -> Result<Client> {
        Client::connect(address, self.ends(name), self.payload)
    }

    /// What may be shown: a payee with a certificate, or a wearer with a credential in its place.
    pub(crate) fn offer(&self, request: &[u8], certificate: &[u8]) -> Result<Offer> {
        let (root, keys, now) = (self.root.fingerprint(), self.key_list()?, calendar());
        Ok(match Unverified::<PaymentRequest<'_>>::parse(request)?.claims().payee {
            PayeeRef::Certificate(_) => Offer::verify(request, certificate, &root, &keys, now)?,
            PayeeRef::Credential(_) => Offer::verify_person(request, certificate, &root, &keys, now)?,
        })
    }

    /// Does what the payment says, until it is over or waits for something that does not come by itself.
    pub(crate) fn go_on(&mut self, mut payment: Payment, mut payee: Client) -> Result<()> {
        self.drawer.write(PLACE, &payment.to_bytes())?;
        let (root, keys) = (self.root.fingerprint(), self.key_list()?);
        let mut declined = None;
        loop {
            match payment.poll() {
                Next::Band(record) => {
                    self.say(&record)?;
                    declined = None;
                    continue;
                }
                Next::Payee(record) => {
                    let answer = payee.ask_payee(&record)?;
                    payment.payee_says(&answer, &root, &keys)?;
                }
                Next::Wait => {
                    if let Some(why) = stopped(&payment, declined) {
                        return Ok(report(&Report::Phone(why))?);
                    }
                    match self.event()? {
                        Event::Waiting(awaited) => {
                            report(&Report::Phone(PhoneReport::Waiting(awaited.to_string())))?;
                            self.begun = Some(Begun::Paying(Box::new((payment, payee))));
                            return Ok(());
                        }
                        Event::Token(token) => {
                            payment.token(&token)?;
                            self.last_token = token;
                        }
                        Event::Declined(why) => {
                            payment.declined(why);
                            declined = Some(why);
                        }
                        Event::Noted => payment.noted(),
                        other => bail!("the band answered with {other:?}"),
                    }
                }
                Next::Done(outcome) => return self.show_receipt(&payment, outcome),
                Next::Ended(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
            }
            self.drawer.write(PLACE, &payment.to_bytes())?;
        }
    }

    fn show_receipt(&mut self, payment: &Payment, outcome: Outcome) -> Result<()> {
        let receipt = payment.receipt().context("a payment that is over has a receipt")?;
        self.keep_receipt(receipt)?;
        let (outcome, settled) = (outcome.to_string(), outcome.is_settled());
        Ok(report(&Report::Receipt { outcome, settled, receipt: hex(receipt) })?)
    }
}

/// Why nothing more comes by itself, if that is so.
fn stopped(payment: &Payment, declined: Option<Decline>) -> Option<PhoneReport> {
    match (declined, payment.refused()) {
        (Some(why), _) => Some(PhoneReport::Declined(why.to_string())),
        (_, Some(why)) => Some(PhoneReport::NotTaken(why.to_string())),
        _ if payment.is_pending() => Some(PhoneReport::Pending),
        _ => None,
    }
}

pub(crate) fn who(offer: &Offer) -> String {
    match offer.name() {
        Some(name) => format!("verified, {name}"),
        None => format!("verified, the wearer with {}", offer.payee()),
    }
}
