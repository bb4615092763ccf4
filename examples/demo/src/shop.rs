//! A shop as a process: it sells one thing after the other to whoever connects, and redeems what it is paid with.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use armring_payee::{Heard, Payee, Sale};
use armring_token::{RootKey, Signing};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::FromPayee;
use armring_wire::{Amount, AttPayload, Currency, Outcome, TokenDigest, decode_record, encode};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use rand_core::TryRng;

use crate::air::{Heard as HeardOnAir, listen};
use crate::client::Client;
use crate::control::{Report, ShopCommand, calendar, commands, hex, report, unhex};
use crate::receiving::{ANSWER_MAX, redeem};
use crate::server::Clients;
use crate::trace::Ends;

/// For how long a request may be paid.
const REQUEST_VALIDITY: Duration = Duration::from_secs(600);

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
    signer: SigningKey,
    payee: Option<Payee<SigningKey>>,
    /// Everything sold in this process's life; the last one is for sale.
    sales: Vec<Sale>,
}

pub(crate) fn run(name: &str, root: [u8; 32], issuer: &str, payload: AttPayload) -> Result<()> {
    let root = RootKey::from_bytes(root).context("not an issuer's root key")?;
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    let signer = SigningKey::from_bytes(&seed);
    let key = hex(&signer.verifying_key().to_bytes());
    let (name, issuer) = (name.to_owned(), issuer.to_owned());
    let mut shop = Shop { name, root, issuer, payload, signer, payee: None, sales: Vec::new() };
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
                let signing = Signing::new(self.signer.clone());
                self.payee = Some(Payee::new(self.root, &unhex(&key_list)?, &unhex(&certificate)?, signing)?);
            }
            ShopCommand::Sell { minor, memo } => {
                let now = calendar();
                let expiry = now.checked_add(REQUEST_VALIDITY).context("the calendar ends")?;
                let payee = self.payee.as_ref().context("no certificate yet")?;
                self.sales.push(payee.request(Amount::new(minor, Currency::CNY), &memo, (now, expiry), &mut SysRng)?);
            }
            ShopCommand::RedeemAgain => {
                let mut issuer = self.ask_issuer()?;
                let payee = self.payee.as_ref().context("no certificate yet")?;
                let sale = self.sales.first_mut().context("nothing was sold")?;
                let token = sale.settled().context("nothing was paid")?.token.to_vec();
                let token = sale.take(&token)?;
                let answer = redeem(sale, &token, &mut issuer, payee.key_list())?;
                let FromPayee::Receipt(receipt) = decode_record(&answer)? else { bail!("the issuer gave no receipt") };
                let (outcome, receipt) = (Outcome::Settled.to_string(), hex(receipt.as_bytes()));
                return Ok(Report::Receipt { outcome, settled: true, receipt });
            }
        }
        Ok(Report::Done)
    }

    fn ask_issuer(&self) -> Result<Client> {
        Client::connect(&self.issuer, Ends::new(&self.name, "issuer"), self.payload)
    }

    /// Answers a wallet. What fails is told to the shopkeeper; the wallet may try again.
    fn answer(&mut self, record: &[u8]) -> Result<Vec<u8>> {
        let mut buffer = [0; ANSWER_MAX];
        let Some(sale) = self.sales.last_mut() else { return Ok(encode(&FromPayee::Nothing, &mut buffer)?.to_vec()) };
        let token = match sale.hear(record) {
            Heard::Redeem(token) => token,
            Heard::Answer(answer) => {
                if answer == FromPayee::Refused(Refusal::Malformed) {
                    report(&Report::Complaint("refused bytes that are not a record of this link".to_owned()))?;
                }
                return Ok(encode(&answer, &mut buffer)?.to_vec());
            }
        };
        match self.redeem_last(&token) {
            Ok(answer) => Ok(answer),
            Err(error) => {
                report(&Report::Complaint(format!("the token is not redeemed yet: {error:#}")))?;
                Ok(encode(&FromPayee::Refused(Refusal::Busy), &mut buffer)?.to_vec())
            }
        }
    }

    fn redeem_last(&mut self, token: &TokenDigest) -> Result<Vec<u8>> {
        let mut issuer = self.ask_issuer()?;
        let payee = self.payee.as_ref().context("no certificate yet")?;
        let sale = self.sales.last_mut().context("nothing is for sale")?;
        redeem(sale, token, &mut issuer, payee.key_list())
    }
}
