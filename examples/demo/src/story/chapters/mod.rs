//! The chapters, by subject: each says what happens and holds everybody to it.

mod attacks;
mod changes;
mod linking;
mod own_phone;
mod paying;
mod selling;

use anyhow::{Result, ensure};

use super::payer::Payee;
use super::person::{Person, Service};
use super::stage::{Actor, Stage};
use crate::control::{Books, IssuerCommand, Report, ShopCommand, ShopReport};
use crate::money::show_signed;

const CNY: u16 = 156;

/// The story, in order.
pub(super) const CHAPTERS: [fn(&mut Cast, &mut Stage) -> Result<()>; 16] = [
    Cast::pair,
    Cast::enrol,
    Cast::pay,
    Cast::pay_much,
    Cast::resume,
    Cast::receive,
    Cast::refuse,
    Cast::sell_offline,
    Cast::redeem_again,
    Cast::refund,
    Cast::lose_a_band,
    Cast::rotate_keys,
    Cast::pay_without_a_band,
    Cast::hear_noise,
    Cast::be_cloned,
    Cast::close_the_books,
];

/// Everybody in the story.
pub(super) struct Cast {
    issuer: Actor,
    service: Service,
    /// The first key list.
    key_list: String,
    shop: Actor,
    tea_house: Payee,
    mei: Person,
    lin: Person,
    /// Lin's credential.
    credential: String,
    /// The receipt of the first payment.
    receipt: String,
    /// What all accounts together were opened with.
    deposited: i64,
}

impl Cast {
    /// Starts everybody.
    pub(super) fn enter(stage: &mut Stage) -> Result<Self> {
        let ledger = stage.dir.join("ledger.sqlite").display().to_string();
        let issuer = stage.start("issuer", &["issuer", "--ledger", &ledger])?;
        let (root, key_list) = stage.wait(issuer, "the root key", |report| match report {
            Report::Root { root, key_list } => Some((root.clone(), key_list.clone())),
            _ => None,
        })?;
        let service = Service { root, address: stage.address(issuer)? };
        let arguments = ["shop", "--name", "Tea House", "--root", &service.root, "--issuer", &service.address];
        let shop = stage.start("Tea House", &arguments)?;
        let (address, key) = stage.wait(shop, "an address", |report| match report {
            Report::Ready { address: Some(address), key: Some(key) } => Some((address.clone(), key.clone())),
            _ => None,
        })?;
        let tea_house = Payee { name: "Tea House".to_owned(), address, uri: None };
        let mei = Person::enter(stage, ("Mei", "mei"), &service, false)?;
        let lin = Person::enter(stage, ("Lin", "lin"), &service, true)?;
        let (credential, receipt) = (String::new(), String::new());
        let mut cast = Self { issuer, service, key_list, shop, tea_house, mei, lin, credential, receipt, deposited: 0 };
        for (name, minor) in [("Mei", 500_00), ("Lin", 200_00), ("Tea House", 0)] {
            cast.open_account(stage, name, minor)?;
        }
        cast.certify(stage, key)?;
        stage.telling.prose("Mei has 500.00 CNY, Lin has 200.00 CNY, and the Tea House is a certified payee. Both bands have the issuer's root key.");
        Ok(cast)
    }

    fn open_account(&mut self, stage: &mut Stage, name: &str, minor: u32) -> Result<()> {
        self.deposited += i64::from(minor);
        stage.done(self.issuer, &IssuerCommand::OpenAccount { name: name.to_owned(), minor: u64::from(minor) })
    }

    fn certify(&self, stage: &mut Stage, key: String) -> Result<()> {
        stage.tell(self.issuer, &IssuerCommand::CertifyPayee { name: "Tea House".to_owned(), key })?;
        let certificate = stage.wait(self.issuer, "a certificate", |report| match report {
            Report::Certificate { certificate } => Some(certificate.clone()),
            _ => None,
        })?;
        stage.done(self.shop, &ShopCommand::TakeCertificate { certificate, key_list: self.key_list.clone() })
    }

    fn sell(&self, stage: &mut Stage, minor: u64, memo: &str) -> Result<()> {
        stage.done(self.shop, &ShopCommand::Sell { minor, memo: memo.to_owned() })
    }

    fn network(&self, stage: &mut Stage, up: bool) -> Result<()> {
        stage.done(self.shop, &ShopCommand::Network { up })
    }

    /// Has the shop do something that it reports about.
    fn shop(&self, stage: &mut Stage, command: &ShopCommand) -> Result<ShopReport> {
        stage.tell(self.shop, command)?;
        self.shop_says(stage)
    }

    fn shop_says(&self, stage: &mut Stage) -> Result<ShopReport> {
        stage.wait(self.shop, "word from the shop", |report| match report {
            Report::Shop(said) => Some(said.clone()),
            _ => None,
        })
    }

    fn books(&self, stage: &mut Stage) -> Result<Books> {
        stage.tell(self.issuer, &IssuerCommand::Books)?;
        let books = stage.wait(self.issuer, "the books", |report| match report {
            Report::Books(books) => Some(books.clone()),
            _ => None,
        })?;
        ensure!(books.faults.is_empty(), "the books do not agree: {}", books.faults.join(", "));
        Ok(books)
    }

    /// Holds the balances to what they must be.
    fn expect_balances(&self, stage: &mut Stage, expected: &[i64]) -> Result<()> {
        let books = self.books(stage)?;
        let found: Vec<i64> = books.balances.iter().map(|(_, balance)| *balance).collect();
        ensure!(found == expected, "balances are {found:?} and should be {expected:?}");
        let shown: Vec<String> = books.balances.iter().map(|(name, balance)| format!("{name} {}", money(*balance))).collect();
        stage.telling.check(&format!("The issuer's books: {}.", shown.join(", ")));
        Ok(())
    }

    fn close_the_books(&mut self, stage: &mut Stage) -> Result<()> {
        stage.telling.chapter("The issuer audits its ledger");
        let books = self.books(stage)?;
        let total: i64 = books.balances.iter().map(|(_, balance)| balance).sum();
        let (went_in, are_there) = (money(self.deposited), money(total));
        ensure!(total == self.deposited, "{went_in} went in and {are_there} are there");
        stage.telling.check(&format!("{went_in} went in and {are_there} are there; every entry has its counterpart."));
        Ok(())
    }
}

fn money(minor: i64) -> String {
    show_signed(i128::from(minor), CNY)
}
