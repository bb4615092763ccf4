//! A shop as a process: it sells one thing after the other to whoever connects, and redeems what it is paid with.

mod kept;
mod offline;
mod refunds;

use std::path::Path;
use std::sync::mpsc::channel;

use anyhow::{Context, Result, ensure};
use armring_payee::{FloorLimits, Heard, Offline, Payee, Revoked, Sale};
use armring_token::{PaymentToken, RootKey, Signing, Unverified};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Amount, AttPayload, Currency, RefundDigest, TokenDigest, decode_record, encode};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;

use crate::air::{Heard as HeardOnAir, listen};
use crate::client::Client;
use crate::control::{Report, ShopCommand, calendar, commands, hex, report, unhex};
use crate::disk::Disk;
use crate::receiving::{ANSWER_MAX, REQUEST_VALIDITY, redeem};
use crate::server::Clients;
use crate::trace::Ends;

/// What the shop risks while it cannot ask the issuer.
const FLOOR: FloorLimits = FloorLimits { each: 50_00, credential: 100_00, total: 500_00, payments: 20 };
/// How many may be revoked at most.
const REVOKED_MAX: usize = 10_000;
const NO_CERTIFICATE: &str = "no certificate yet";
const NOT_A_RECORD: &str = "refused bytes that are not a record of this link";

enum Input {
    Command(Option<ShopCommand>),
    Heard(HeardOnAir),
}

impl From<Option<ShopCommand>> for Input {
    fn from(command: Option<ShopCommand>) -> Self {
        Self::Command(command)
    }
}

impl From<HeardOnAir> for Input {
    fn from(heard: HeardOnAir) -> Self {
        Self::Heard(heard)
    }
}

struct Shop {
    name: String,
    root: RootKey,
    issuer: String,
    payload: AttPayload,
    disk: Disk,
    signer: SigningKey,
    payee: Option<Payee<SigningKey>>,
    /// Everything that was sold; the last one is for sale.
    sales: Vec<Sold>,
    kept: kept::Kept,
    /// Whether there is network.
    online: bool,
    /// What was accepted without it and is not redeemed.
    book: Offline,
    revoked: Revoked,
}

/// Something that is for sale, or was.
struct Sold {
    memo: String,
    sale: Sale,
    /// As another till knows it, which has heard of no refund.
    elsewhere: Option<Sale>,
    refund: Option<RefundDigest>,
}

pub(crate) fn run(name: &str, folder: &Path, root: [u8; 32], issuer: &str, payload: AttPayload) -> Result<()> {
    let root = RootKey::from_bytes(root).context("not an issuer's root key")?;
    let disk = Disk::open(folder)?;
    let mut shop = Shop {
        name: name.to_owned(),
        root,
        issuer: issuer.to_owned(),
        payload,
        signer: kept::signer(&disk)?,
        disk,
        payee: None,
        sales: Vec::new(),
        kept: kept::Kept::new(),
        online: true,
        book: Offline::new(Currency::CNY, FLOOR),
        revoked: Revoked::new(root.fingerprint(), REVOKED_MAX),
    };
    shop.remember()?;
    let key = hex(&shop.signer.verifying_key().to_bytes());
    let mut clients = Clients::<()>::new(payload);
    let (sender, inputs) = channel();
    let address = listen(sender.clone())?;
    commands(sender);
    report(&Report::Ready { address: Some(address.to_string()), key: Some(key) })?;
    for input in inputs {
        match input {
            Input::Command(None) => break,
            Input::Command(Some(command)) => {
                report(&shop.obey(command).unwrap_or_else(|error| Report::Failed(format!("{error:#}"))))?;
            }
            Input::Heard(heard) => {
                if let Some((id, record)) = clients.hear(heard)? {
                    let answer = shop.answer(&record)?;
                    // What came of it has to last before anybody hears of it.
                    shop.keep()?;
                    if let Some(client) = clients.get(id) {
                        // A wallet that is gone asks again when it is back.
                        let _ = client.send(&answer);
                    }
                }
            }
        }
    }
    Ok(())
}

impl Shop {
    fn obey(&mut self, command: ShopCommand) -> Result<Report> {
        match command {
            ShopCommand::TakeCertificate { certificate, key_list } => {
                let (certificate, key_list) = (unhex(&certificate)?, unhex(&key_list)?);
                self.payee = Some(self.certified(&certificate, &key_list)?);
                self.keep_certificate(&certificate, &key_list)?;
            }
            ShopCommand::Sell { minor, memo } => {
                let now = calendar();
                let expiry = now.checked_add(REQUEST_VALIDITY).context("the calendar ends")?;
                let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
                let sale = payee.request(Amount::new(minor, Currency::CNY), &memo, (now, expiry), &mut SysRng)?;
                self.sales.push(Sold { memo, sale, elsewhere: None, refund: None });
                self.keep()?;
            }
            ShopCommand::FetchLists => return self.fetch_lists(),
            ShopCommand::IssuerAt { address } => self.issuer = address,
            ShopCommand::Network { up } => self.online = up,
            ShopCommand::Sync => return Ok(Report::Synced),
            ShopCommand::FindIssuer { address } => self.issuer = address,
            ShopCommand::RedeemPending => return self.redeem_pending(),
            ShopCommand::RedeemAgain { memo } => return self.redeem_again(&memo),
            ShopCommand::Refund { memo, minor, other_till } => {
                return self.refund(&memo, Amount::new(minor, Currency::CNY), other_till);
            }
            ShopCommand::RefundAgain { memo } => return self.refund_again(&memo),
        }
        Ok(Report::Done)
    }

    fn certified(&self, certificate: &[u8], key_list: &[u8]) -> Result<Payee<SigningKey>> {
        Ok(Payee::new(self.root, key_list, certificate, Signing::new(self.signer.clone()))?)
    }

    fn ask_issuer(&self) -> Result<Client> {
        ensure!(self.online, "there is no network");
        Client::connect(&self.issuer, Ends::new(&self.name, "issuer"), self.payload)
    }

    /// Answers a wallet. What fails is told to the shopkeeper; the wallet may try again.
    fn answer(&mut self, record: &[u8]) -> Result<Vec<u8>> {
        let mut buffer = [0; ANSWER_MAX];
        let Some(sale) = spoken_of(&mut self.sales, record) else {
            if decode_record::<ToPayee<'_>>(record).is_err() {
                report(&Report::Complaint(NOT_A_RECORD.to_owned()))?;
                return Ok(encode(&FromPayee::Refused(Refusal::Malformed), &mut buffer)?.to_vec());
            }
            return Ok(encode(&FromPayee::Nothing, &mut buffer)?.to_vec());
        };
        let token = match sale.hear(record) {
            Heard::Redeem(token) => token,
            Heard::Answer(answer) => {
                if answer == FromPayee::Refused(Refusal::Malformed) {
                    report(&Report::Complaint(NOT_A_RECORD.to_owned()))?;
                }
                return Ok(encode(&answer, &mut buffer)?.to_vec());
            }
        };
        if !self.online {
            return self.answer_offline(record);
        }
        match self.redeem_now(record, &token) {
            Ok(answer) => Ok(answer),
            Err(error) => {
                report(&Report::Complaint(format!("the token is not redeemed yet: {error:#}")))?;
                Ok(encode(&FromPayee::Refused(Refusal::Busy), &mut buffer)?.to_vec())
            }
        }
    }

    fn redeem_now(&mut self, record: &[u8], token: &TokenDigest) -> Result<Vec<u8>> {
        let mut issuer = self.ask_issuer()?;
        let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
        let sale = spoken_of(&mut self.sales, record).context("nothing is for sale")?;
        redeem(sale, token, &mut issuer, payee.key_list())
    }
}

/// The sale that a wallet speaks of: the one that its token is for; else what is for sale.
fn spoken_of<'a>(sales: &'a mut [Sold], record: &[u8]) -> Option<&'a mut Sale> {
    let token = match decode_record(record) {
        Ok(ToPayee::Token(token) | ToPayee::Offline { token, .. }) => Unverified::<PaymentToken>::parse(token.as_bytes()).ok(),
        _ => None,
    };
    let answers = |sold: &Sold| token.as_ref().is_some_and(|token| token.claims().request == sold.sale.digest());
    let place = sales.iter().position(answers).or(sales.len().checked_sub(1))?;
    sales.get_mut(place).map(|sold| &mut sold.sale)
}

fn sold<'a>(sales: &'a mut [Sold], memo: &str) -> Result<&'a mut Sold> {
    sales.iter_mut().find(|sold| sold.memo == memo).with_context(|| format!("nobody bought {memo}"))
}
