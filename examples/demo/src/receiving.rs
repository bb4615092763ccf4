//! Whoever is paid: a sale, a payer's wallet, and the issuer. Here also: how a phone is paid, for whom a [`Collection`] says what to do next.

use std::net::TcpListener;

use anyhow::{Context, Result, bail};
use armring_payee::{Heard, Sale};
use armring_token::{KeyList, Verified};
use armring_wallet::{Collection, Event, Next};
use armring_wire::records::payee::FromPayee;
use armring_wire::uri::PaymentUri;
use armring_wire::{Amount, Opaque, TokenDigest, encode};

use crate::air::{Air, Records};
use crate::client::Client;
use crate::control::{PhoneReport, Report, calendar, hex, report};
use crate::money::show;
use crate::phone::{Begun, Phone};

/// The longest answer to a payer's wallet, in bytes.
pub(crate) const ANSWER_MAX: usize = 512;
/// For how long a request may be paid.
pub(crate) const REQUEST_VALIDITY: std::time::Duration = std::time::Duration::from_secs(600);

/// Asks the issuer about a token of `sale`, and gives the answer for the payer's wallet, encoded.
pub(crate) fn redeem(sale: &mut Sale, token: &TokenDigest, issuer: &mut Client, key_list: &Verified<KeyList>) -> Result<Vec<u8>> {
    let answer = issuer.ask_issuer(&sale.redeem(token).context("no such token was taken")?)?;
    let said = sale.issuer_says(token, &answer, key_list)?;
    Ok(encode(&said, &mut [0; ANSWER_MAX])?.to_vec())
}

impl Phone {
    /// Asks to be paid in the wearer's name.
    pub(crate) fn receive(&mut self, amount: Amount, memo: &str) -> Result<()> {
        let expiry = calendar().checked_add(REQUEST_VALIDITY).context("the calendar ends")?;
        let collection = Collection::new(amount, expiry, memo).context("a memo has at most 32 bytes")?;
        self.collect(collection, amount)
    }

    /// Once the wearer has signed, serves whoever pays, and has the band tell its wearer.
    pub(crate) fn collect(&mut self, mut collection: Collection, amount: Amount) -> Result<()> {
        loop {
            match collection.poll() {
                Next::Band(record) => self.say(&record)?,
                Next::Wait => match self.event()? {
                    Event::Waiting(awaited) => {
                        report(&Report::Phone(PhoneReport::Waiting(awaited.to_string())))?;
                        self.begun = Some(Begun::Receiving(collection, amount));
                        return Ok(());
                    }
                    Event::Request(request) => {
                        collection.requested(&request)?;
                        self.be_paid(&mut collection, amount, &request)?;
                    }
                    Event::Noted => collection.noted(),
                    Event::Declined(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
                    other => bail!("the band answered with {other:?}"),
                },
                Next::Done(outcome) => {
                    let (outcome, settled) = (outcome.to_string(), outcome.is_settled());
                    let receipt = self.receipts.last().map(|receipt| hex(receipt)).unwrap_or_default();
                    return Ok(report(&Report::Receipt { outcome, settled, receipt })?);
                }
                Next::Ended(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
                Next::Payee(_) => bail!("there is nobody to ask: the wearer is the payee"),
            }
        }
    }

    /// Shows the request that the wearer's band signed, with the credential that vouches for it, and serves whoever connects until it is paid.
    /// Who sends noise is complained about, and the next one is served.
    fn be_paid(&mut self, collection: &mut Collection, amount: Amount, request: &[u8]) -> Result<()> {
        let (credential, root, keys) = (self.credential()?, self.root.fingerprint(), self.key_list()?);
        let mut sale = Sale::from_signed_request(request, &credential, &root, &keys)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let uri = uri(request, &credential)?;
        report(&Report::Phone(PhoneReport::Listening { address, uri, amount: show(amount) }))?;
        loop {
            let (stream, _) = listener.accept()?;
            if let Err(error) = serve_payer(self, Air::new(stream)?, &mut sale) {
                report(&Report::Complaint(format!("connection dropped: {error:#}")))?;
            }
            if let Some(paid) = sale.settled() {
                self.receipts.push(paid.receipt.to_vec());
                return Ok(collection.paid(paid.token, paid.receipt, &root, &keys)?);
            }
        }
    }
}

/// What the payer scans.
fn uri(request: &[u8], credential: &[u8]) -> Result<String> {
    let (request, certificate) = (Opaque::new(request).context("too long")?, Opaque::new(credential).context("too long")?);
    Ok(PaymentUri { request, certificate }.encode(&mut [0; PaymentUri::MAX_LEN])?.to_owned())
}

fn serve_payer(phone: &Phone, mut payer: Air, sale: &mut Sale) -> Result<()> {
    let mut records = Records::new(phone.payload);
    let key_list = phone.key_list()?;
    while sale.settled().is_none() {
        let payload = payer.receive()?.context("hung up without paying")?;
        let Some(record) = records.take(&payload)? else { continue };
        let answer = match sale.hear(&record) {
            Heard::Answer(FromPayee::Refused(why)) => bail!("{why}"),
            Heard::Answer(answer) => encode(&answer, &mut [0; ANSWER_MAX])?.to_vec(),
            Heard::Redeem(token) => redeem(sale, &token, &mut phone.ask_issuer()?, &key_list)?,
        };
        records.send(&mut payer, &answer)?;
    }
    Ok(())
}
