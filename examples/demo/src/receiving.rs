//! Whoever is paid: a sale, a payer's wallet, and the issuer. Here also: how a phone is paid, for whom a [`Collection`] says what to do next.

use std::net::TcpListener;

use anyhow::{Context, Result, bail};
use armring_payee::{Heard, Sale};
use armring_token::{KeyList, PaymentRequest, Unverified, Verified};
use armring_wallet::{Collection, Event, Next};
use armring_wire::records::band::Decline;
use armring_wire::records::payee::FromPayee;
use armring_wire::uri::PaymentUri;
use armring_wire::{Amount, Opaque, TokenDigest, encode};

use crate::air::{Air, Records};
use crate::client::Client;
use crate::control::{PhoneReport, Report, calendar, hex, report};
use crate::money::show;
use crate::phone::{Begun, Phone};

/// Where what was asked for is kept, and who pays it.
const COLLECTION: &str = "collection";
const SALE: &str = "sale";
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
        let mut declined = None;
        loop {
            match (collection.poll(), declined) {
                (Next::Band(record), _) => self.say(&record)?,
                (Next::Wait, Some(why)) => return Ok(report(&declined_for(why))?),
                (Next::Wait, None) => match self.event()? {
                    Event::Waiting(awaited) => {
                        report(&Report::Phone(PhoneReport::Waiting(awaited.to_string())))?;
                        self.begun = Some(Begun::Receiving(collection, amount));
                        return Ok(());
                    }
                    Event::Request(request) => {
                        collection.requested(&request)?;
                        self.drawer.write(COLLECTION, &collection.to_bytes())?;
                        self.be_paid(&mut collection, amount, &request)?;
                    }
                    Event::Noted => collection.noted(),
                    Event::Declined(why) => {
                        // The word of money that came is not owed twice: for the collection that may be an end as good as any.
                        collection.declined(why);
                        declined = Some(why);
                    }
                    other => bail!("the band answered with {other:?}"),
                },
                (Next::Done(outcome), _) => {
                    let (outcome, settled) = (outcome.to_string(), outcome.is_settled());
                    let receipt = self.receipts.last().map(|receipt| hex(receipt)).unwrap_or_default();
                    return Ok(report(&Report::Receipt { outcome, settled, receipt })?);
                }
                (Next::Ended(why), _) => return Ok(report(&declined_for(why))?),
                (Next::Payee(_), _) => bail!("there is nobody to ask: the wearer is the payee"),
            }
        }
    }

    /// Goes on with what was asked for, wherever it stopped: the app may have been closed since.
    pub(crate) fn collect_again(&mut self) -> Result<()> {
        let stored = self.drawer.read(COLLECTION)?.context("nothing was asked for")?;
        let mut collection = Collection::from_bytes(&stored).with_context(|| self.drawer.damaged(COLLECTION))?;
        let request = collection.request().context("nothing was signed")?.to_vec();
        let amount = Unverified::<PaymentRequest<'_>>::parse(&request)?.claims().amount;
        // Also where the money is here: the payer may not have heard of it.
        self.be_paid(&mut collection, amount, &request)?;
        self.collect(collection, amount)
    }

    /// Shows the request that the wearer's band signed, with the credential that vouches for it, and serves whoever connects until it is paid.
    /// Who sends noise is complained about, and the next one is served.
    fn be_paid(&mut self, collection: &mut Collection, amount: Amount, request: &[u8]) -> Result<()> {
        let (credential, root, keys) = (self.credential()?, self.root.fingerprint(), self.key_list()?);
        let mut sale = Sale::from_signed_request(request, &credential, &root, &keys)?;
        let stored = self.drawer.read(SALE)?.and_then(|stored| Sale::from_bytes(&stored, &root));
        if let Some(stored) = stored.filter(|stored| stored.digest() == sale.digest()) {
            sale = stored;
        }
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
                self.keep_receipt(paid.receipt)?;
                collection.paid(paid.token, paid.receipt, &root, &keys)?;
                return Ok(self.drawer.write(COLLECTION, &collection.to_bytes())?);
            }
        }
    }
}

fn declined_for(why: Decline) -> Report {
    Report::Phone(PhoneReport::Declined(why.to_string()))
}

/// What the payer scans.
fn uri(request: &[u8], credential: &[u8]) -> Result<String> {
    let (request, certificate) = (Opaque::new(request).context("too long")?, Opaque::new(credential).context("too long")?);
    Ok(PaymentUri { request, certificate }.encode(&mut [0; PaymentUri::MAX_LEN])?.to_owned())
}

fn serve_payer(phone: &Phone, mut payer: Air, sale: &mut Sale) -> Result<()> {
    let mut records = Records::new(phone.payload);
    let key_list = phone.key_list()?;
    loop {
        let Some(payload) = payer.receive()? else {
            return sale.settled().map(drop).context("hung up without paying");
        };
        let Some(record) = records.take(&payload)? else { continue };
        let answer = match sale.hear(&record) {
            Heard::Answer(FromPayee::Refused(why)) => bail!("{why}"),
            Heard::Answer(answer) => encode(&answer, &mut [0; ANSWER_MAX])?.to_vec(),
            Heard::Redeem(token) => redeem(sale, &token, &mut phone.ask_issuer()?, &key_list)?,
        };
        // What came of it has to last before the payer hears of it.
        phone.drawer.write(SALE, &sale.to_bytes())?;
        records.send(&mut payer, &answer)?;
        if sale.settled().is_some() {
            return Ok(());
        }
    }
}
