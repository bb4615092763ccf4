//! The phone as a process: it does what its person says on the standard input, one thing after the other.

use std::io::{self, BufRead};
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context, Result, bail};
use armring_pairing::{Link, SoftwareKey};
use armring_token::{Credential, KeyList, RootKey, Unverified, Verified};
use armring_wallet::{Connection, Event, Offer, verify_receipt};
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Amount, AttPayload, Currency, EnrolmentCode, Opaque, Outcome, Text, decode_record};

use crate::band::identity;
use crate::client::Client;
use crate::control::{PhoneCommand, PhoneReport, Report, calendar, hex, report, unhex_array};
use crate::disk::Disk;
use crate::line::Line;
use crate::money::show;
use crate::receiving;
use crate::trace::Ends;

/// The names of the handshakes' messages, out and in.
const PAIRING: [&[&str]; 2] =
    [&["wallet hello", "XX message 1: commitment", "XX message 3: opening"], &["band hello", "XX message 2"]];
const RECONNECTING: [&[&str]; 2] =
    [&["wallet hello", "KKpsk0 message 1", "Generation"], &["band hello", "KKpsk0 message 2", "Generation"]];

/// For how long a request of the wearer's may be paid.
const REQUEST_VALIDITY: std::time::Duration = std::time::Duration::from_secs(600);

pub(crate) struct Phone {
    /// Whose phone it is.
    pub(crate) owner: String,
    pub(crate) payload: AttPayload,
    disk: Disk,
    identity: SoftwareKey,
    pub(crate) root: RootKey,
    issuer: String,
    line: Option<Line>,
}

pub(crate) fn run(owner: &str, folder: &Path, root: [u8; 32], issuer: &str, payload: AttPayload) -> Result<()> {
    let disk = Disk::open(folder)?;
    let identity = identity(&disk)?;
    let root = RootKey::from_bytes(root).context("not an issuer's root key")?;
    let mut phone = Phone { owner: owner.to_owned(), payload, disk, identity, root, issuer: issuer.to_owned(), line: None };
    report(&Report::Ready { address: None, key: None })?;
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let done = serde_json::from_str(&line).map_err(anyhow::Error::from).and_then(|command| phone.obey(command));
        if let Err(error) = done {
            // A line that failed is not of use any more.
            phone.line = None;
            report(&Report::Failed(format!("{error:#}")))?;
        }
    }
    Ok(())
}

impl Phone {
    fn obey(&mut self, command: PhoneCommand) -> Result<()> {
        match command {
            PhoneCommand::Pair { band } => self.pair(&band),
            PhoneCommand::AcceptCode => self.accept_code(),
            PhoneCommand::Connect { band } => self.connect(&band),
            PhoneCommand::Enrol { code } => self.enrol(EnrolmentCode(unhex_array(&code)?)),
            PhoneCommand::Pay { payee, address } => self.pay(&payee, &address),
            PhoneCommand::Receive { minor, memo } => self.receive(Amount::new(minor, Currency::CNY), &memo),
            PhoneCommand::HangUp => {
                if let Some(line) = self.line.take() {
                    line.hang_up()?;
                }
                Ok(report(&Report::Done)?)
            }
        }
    }

    fn ends(&self, there: &str) -> Ends {
        Ends::new(&format!("{}'s phone", self.owner), there)
    }

    fn band_ends(&self) -> Ends {
        self.ends(&format!("{}'s band", self.owner))
    }

    fn event(&mut self) -> Result<Event> {
        self.line.as_mut().context("there is no line to the band")?.next(&self.identity)
    }

    fn say(&mut self, record: &ToBand<'_>) -> Result<()> {
        self.line.as_mut().context("there is no line to the band")?.say(record)
    }

    fn pair(&mut self, band: &str) -> Result<()> {
        self.line = Some(Line::dial(band, Connection::pair(self.payload), self.band_ends(), PAIRING)?);
        match self.event()? {
            Event::Code(code) => Ok(report(&Report::Phone(PhoneReport::Code(code.digits().to_string())))?),
            other => bail!("the band answered with {other:?}"),
        }
    }

    fn accept_code(&mut self) -> Result<()> {
        self.line.as_mut().context("there is no code to accept")?.accept_code()?;
        match self.event()? {
            Event::Paired(link) => self.disk.write("link", link.to_bytes().as_slice())?,
            other => bail!("the band answered with {other:?}"),
        }
        self.line = None;
        Ok(report(&Report::Phone(PhoneReport::Paired))?)
    }

    fn connect(&mut self, band: &str) -> Result<()> {
        let stored = self.disk.read("link")?.context("this phone is not paired: nothing on its disk says so")?;
        let link = stored.as_slice().try_into().ok().and_then(Link::from_bytes).context("the stored link is damaged")?;
        let connection = Connection::reconnect(link, self.payload);
        self.line = Some(Line::dial(band, connection, self.band_ends(), RECONNECTING)?);
        loop {
            match self.event()? {
                Event::Keep(link) => self.disk.write("link", link.to_bytes().as_slice())?,
                Event::Linked { .. } => return Ok(report(&Report::Phone(PhoneReport::Connected))?),
                other => bail!("the band answered with {other:?}"),
            }
        }
    }

    pub(crate) fn ask_issuer(&self) -> Result<Client> {
        Client::connect(&self.issuer, self.ends("issuer"), self.payload)
    }

    fn enrol(&mut self, code: EnrolmentCode) -> Result<()> {
        let mut issuer = self.ask_issuer()?;
        let answer = issuer.ask_issuer(&ToIssuer::KeyList)?;
        let FromIssuer::KeyList(key_list) = decode_record(&answer)? else { bail!("the issuer has no key list") };
        self.disk.write("key-list", key_list.as_bytes())?;
        self.key_list()?;
        self.say(&ToBand::Enrol { code, key_list })?;
        loop {
            match self.event()? {
                Event::EnrolStart { versions, message } => {
                    let message = Opaque::new(&message).context("too long")?;
                    self.relay(&mut issuer, &ToIssuer::EnrolStart { versions, message })?;
                }
                Event::ToIssuer(message) => {
                    let message = Opaque::new(&message).context("too long")?;
                    self.relay(&mut issuer, &ToIssuer::Enrol(message))?;
                }
                Event::Enrolled(object) => return self.show_credential(&object),
                Event::Declined(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
                other => bail!("the band answered with {other:?}"),
            }
        }
    }

    /// Hands the band's message of an enrolment on to the issuer, and its answer back.
    fn relay(&mut self, issuer: &mut Client, record: &ToIssuer<'_>) -> Result<()> {
        let answer = issuer.ask_issuer(record)?;
        match decode_record(&answer)? {
            FromIssuer::Enrol(message) => self.say(&ToBand::FromIssuer(message)),
            FromIssuer::Refused(why) => bail!("the issuer refused: {why}"),
            other => bail!("the issuer answered with {other:?}"),
        }
    }

    /// The key list on disk, verified with the root that the app ships with.
    pub(crate) fn key_list(&self) -> Result<Verified<KeyList>> {
        let object = self.disk.read("key-list")?.context("this phone has no key list yet")?;
        Ok(Unverified::<KeyList>::parse(&object)?.verify(&self.root.fingerprint(), &self.root)?)
    }

    /// The band's credential, as it was stored.
    pub(crate) fn credential(&self) -> Result<Vec<u8>> {
        self.disk.read("credential")?.context("this phone's band has no credential")
    }

    fn show_credential(&self, object: &[u8]) -> Result<()> {
        self.disk.write("credential", object)?;
        let unverified = Unverified::<Credential>::parse(object)?;
        let issuer = self.key_list()?.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let credential = unverified.verify(&self.root.fingerprint(), &issuer)?;
        let (limits, currency) = (&credential.limits, credential.currency);
        let limits =
            format!("{} a payment, {} with a press alone", show(limits.each.of(currency)), show(limits.press.of(currency)));
        Ok(report(&Report::Phone(PhoneReport::Enrolled { credential: credential.id.to_string(), limits }))?)
    }

    fn pay(&mut self, payee: &str, address: &str) -> Result<()> {
        let mut payee = Client::connect(address, self.ends(payee), self.payload)?;
        let answer = payee.ask_payee(&ToPayee::Ask)?;
        let (root, key_list) = (self.root.fingerprint(), self.key_list()?);
        let (request, offer) = match decode_record(&answer)? {
            FromPayee::Request { request, certificate } => {
                (request, Offer::verify(request.as_bytes(), certificate.as_bytes(), &root, &key_list, calendar())?)
            }
            FromPayee::Person { request, credential } => {
                (request, Offer::verify_person(request.as_bytes(), credential.as_bytes(), &root, &key_list, calendar())?)
            }
            _ => bail!("there is nothing to pay"),
        };
        // Who a wearer is, the issuer knows and has certified to nobody.
        let payee_shown = format!("verified, {}", offer.name().unwrap_or("a person without a certified name"));
        let (memo, amount) = (offer.memo().to_owned(), show(offer.amount()));
        report(&Report::Phone(PhoneReport::Offer { payee: payee_shown, memo, amount }))?;
        self.say(&ToBand::Pay { request })?;
        let token = loop {
            match self.event()? {
                Event::Waiting(awaited) => report(&Report::Phone(PhoneReport::Waiting(awaited.to_string())))?,
                Event::Token(token) => break token,
                Event::Declined(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
                other => bail!("the band answered with {other:?}"),
            }
        };
        let answer = payee.ask_payee(&ToPayee::Token(Opaque::new(&token).context("too long")?))?;
        let receipt = match decode_record(&answer)? {
            FromPayee::Receipt(receipt) => receipt,
            FromPayee::Refused(why) => bail!("the payee refused the token: {why}"),
            other => bail!("the payee answered with {other:?}"),
        };
        let outcome = verify_receipt(receipt.as_bytes(), &token, &self.root.fingerprint(), &self.key_list()?)?;
        self.say(&ToBand::Paid { receipt })?;
        self.noted()?;
        let (outcome, settled) = (outcome.to_string(), outcome.is_settled());
        Ok(report(&Report::Receipt { outcome, settled, receipt: hex(receipt.as_bytes()) })?)
    }

    fn noted(&mut self) -> Result<()> {
        match self.event()? {
            Event::Noted => Ok(()),
            other => bail!("the band answered a receipt with {other:?}"),
        }
    }

    fn receive(&mut self, amount: Amount, memo: &str) -> Result<()> {
        let expiry = calendar().checked_add(REQUEST_VALIDITY).context("the calendar ends")?;
        let memo = Text::new(memo).context("a memo has at most 32 bytes")?;
        self.say(&ToBand::Receive { amount, expiry, memo })?;
        let request = loop {
            match self.event()? {
                Event::Waiting(awaited) => report(&Report::Phone(PhoneReport::Waiting(awaited.to_string())))?,
                Event::Request(request) => break request,
                Event::Declined(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
                other => bail!("the band answered with {other:?}"),
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        report(&Report::Phone(PhoneReport::Listening { address, amount: show(amount) }))?;
        let paid = receiving::serve(self, &listener, &request)?;
        let token = Opaque::new(&paid.token).context("too long")?;
        let receipt = Opaque::new(&paid.receipt).context("too long")?;
        self.say(&ToBand::Received { token, receipt })?;
        self.noted()?;
        Ok(report(&Report::Receipt { outcome: Outcome::Settled.to_string(), settled: true, receipt: hex(&paid.receipt) })?)
    }
}
