//! What a shop does: it opens, sells, does without network, redeems, and gives back.

use anyhow::{Context, Result};
use armring_wire::Amount;

use super::language::Wanted;
use super::outcome::Outcome;
use super::paying::GOODS;
use super::person::Payee;
use super::player::Player;
use super::stage::Actor;
use crate::control::{IssuerCommand, Report, ShopCommand, ShopReport};

/// A shop.
pub(super) struct Shop {
    pub(super) actor: Actor,
    pub(super) payee: Payee,
    pub(super) online: bool,
}

impl Player {
    /// A shop opens, with a certificate of the issuer's.
    pub(super) fn open(&mut self, name: &str) -> Result<Outcome> {
        self.open_account(name, 0)?;
        let Self { stage, service, .. } = self;
        let folder = stage.dir.join(super::person::folder(name)).display().to_string();
        let arguments = ["shop", "--name", name, "--folder", &folder, "--root", &service.root, "--issuer", &service.address];
        let actor = stage.start(name, &arguments)?;
        let (address, key) = stage.wait(actor, "an address", |report| match report {
            Report::Ready { address: Some(address), key: Some(key) } => Some((address.clone(), key.clone())),
            _ => None,
        })?;
        stage.tell(service.actor, &IssuerCommand::CertifyPayee { name: name.to_owned(), key })?;
        let certificate = stage.wait(service.actor, "a certificate", |report| match report {
            Report::Certificate { certificate } => Some(certificate.clone()),
            _ => None,
        })?;
        stage.done(actor, &ShopCommand::TakeCertificate { certificate, key_list: service.key_list.clone() })?;
        let (name, process, memo) = (name.to_owned(), name.to_owned(), String::new());
        self.shops.push(Shop { actor, payee: Payee { name, process, address, uri: None, memo }, online: true });
        Ok(Outcome::done())
    }

    pub(super) fn is_shop(&self, name: &str) -> bool {
        self.shops.iter().any(|shop| shop.payee.name == name)
    }

    pub(super) fn shop(&mut self, name: &str) -> Result<&mut Shop> {
        self.shops.iter_mut().find(|shop| shop.payee.name == name).with_context(|| format!("there is no shop {name}"))
    }

    pub(super) fn sell(&mut self, name: &str, amount: Amount, memo: Option<&str>) -> Result<Outcome> {
        let shop = self.shop(name)?;
        let (actor, memo) = (shop.actor, memo.unwrap_or(GOODS).to_owned());
        shop.payee.memo.clone_from(&memo);
        self.stage.done(actor, &ShopCommand::Sell { minor: amount.minor(), memo })?;
        Ok(Outcome::done())
    }

    pub(super) fn network(&mut self, name: &str, up: bool) -> Result<Outcome> {
        let shop = self.shop(name)?;
        shop.online = up;
        let actor = shop.actor;
        self.stage.done(actor, &ShopCommand::Network { up })?;
        Ok(Outcome::done())
    }

    pub(super) fn fetch_lists(&mut self, name: &str) -> Result<Outcome> {
        let said = match self.ask_shop(name, &ShopCommand::FetchLists)? {
            ShopReport::Lists { keys, revocations, revoked, .. } => {
                format!("key list {keys}, revocation list {revocations}, {revoked} revoked")
            }
            other => format!("{other:?}"),
        };
        Ok(Outcome::new(Wanted::Done, said))
    }

    pub(super) fn redeem_pending(&mut self, name: &str) -> Result<Outcome> {
        let said = match self.ask_shop(name, &ShopCommand::RedeemPending)? {
            ShopReport::Redeemed { tokens, pending: 0 } => format!("{tokens} redeemed, nothing is pending"),
            other => format!("{other:?}"),
        };
        Ok(Outcome::new(Wanted::Done, said))
    }

    pub(super) fn redeem_again(&mut self, name: &str, memo: &str) -> Result<Outcome> {
        let actor = self.shop(name)?.actor;
        self.stage.tell(actor, &ShopCommand::RedeemAgain { memo: memo.to_owned() })?;
        let receipt = self.stage.wait(actor, "the receipt", |report| match report {
            Report::Receipt { receipt, .. } => Some(receipt.clone()),
            _ => None,
        })?;
        Ok(Outcome::new(Wanted::Settled, super::issuing::signed_by(&receipt)?).with_receipt(receipt))
    }

    pub(super) fn refund(&mut self, name: &str, amount: Amount, memo: &str, other_till: bool) -> Result<Outcome> {
        let refund = ShopCommand::Refund { memo: memo.to_owned(), minor: amount.minor(), other_till };
        let outcome = self.ask_refund(name, &refund)?;
        if let Some(receipt) = outcome.receipt.clone().filter(|_| !other_till) {
            self.receipts.insert(refund_of(memo), receipt);
        }
        Ok(outcome)
    }

    pub(super) fn refund_again(&mut self, name: &str, memo: &str) -> Result<Outcome> {
        self.ask_refund(name, &ShopCommand::RefundAgain { memo: memo.to_owned() })
    }

    fn ask_refund(&mut self, name: &str, command: &ShopCommand) -> Result<Outcome> {
        Ok(match self.ask_shop(name, command)? {
            ShopReport::Refunded { settled: true, left, receipt, .. } => {
                Outcome::new(Wanted::Settled, format!("{left} of the payment are left")).with_receipt(receipt)
            }
            ShopReport::Refunded { outcome, receipt, .. } => Outcome::new(Wanted::Refused, outcome).with_receipt(receipt),
            other => Outcome::new(Wanted::Done, format!("{other:?}")),
        })
    }

    /// Has a shop do something that it reports about.
    fn ask_shop(&mut self, name: &str, command: &ShopCommand) -> Result<ShopReport> {
        let actor = self.shop(name)?.actor;
        self.stage.forget(actor)?;
        self.stage.tell(actor, command)?;
        self.stage.wait(actor, "word from the shop", |report| match report {
            Report::Shop(said) => Some(said.clone()),
            _ => None,
        })
    }
}

/// Under which name the receipt of a refund is remembered.
fn refund_of(memo: &str) -> String {
    format!("the refund of {memo}")
}
