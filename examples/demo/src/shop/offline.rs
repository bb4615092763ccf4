//! What a shop does without network, before that, and after.

use anyhow::{Context, Result, bail};
use armring_payee::{Lists, Progress};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Outcome, decode_record, encode};

use super::{NO_CERTIFICATE, Shop, sold, spoken_of};
use crate::control::{Report, ShopReport, calendar, hex, report};
use crate::money::show;
use crate::receiving::{ANSWER_MAX, redeem};

impl Shop {
    /// Gets the key list, and of the revocation list what came since the last one: with both it can do without network for a while.
    pub(super) fn fetch_lists(&mut self) -> Result<Report> {
        let mut issuer = self.ask_issuer()?;
        let payee = self.payee.as_mut().context(NO_CERTIFICATE)?;
        let answer = issuer.ask_issuer(&ToIssuer::KeyList)?;
        let FromIssuer::KeyList(object) = decode_record(&answer)? else { bail!("the issuer has no key list") };
        payee.take_key_list(object.as_bytes())?;
        let key_list = object.as_bytes().to_vec();
        let since = self.revoked.epoch().0;
        loop {
            let answer = issuer.ask_issuer(&self.revoked.next_request())?;
            let FromIssuer::Revocations(part) = decode_record(&answer)? else { bail!("the issuer has no revocation list") };
            if self.revoked.take_part(part.as_bytes(), payee.key_list(), calendar())? == Progress::Complete {
                break;
            }
        }
        let (keys, revocations) = (payee.epoch().0, self.revoked.epoch().0);
        self.keep_lists(&key_list)?;
        Ok(Report::Shop(ShopReport::Lists { keys, revocations, since, revoked: self.revoked.len() }))
    }

    /// Answers a wallet whose token cannot be redeemed now. The shopkeeper hears why it was not taken; the wallet, that the issuer has to be
    /// asked.
    pub(super) fn answer_offline(&mut self, record: &[u8]) -> Result<Vec<u8>> {
        let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
        let lists = Lists { keys: payee.key_list(), revoked: &self.revoked };
        let sale = spoken_of(&mut self.sales, record).context("nothing is for sale")?;
        if let Ok(ToPayee::Offline { token, credential }) = decode_record(record) {
            let taken = sale.accept_offline(token.as_bytes(), credential.as_bytes(), &mut self.book, lists, calendar());
            report(&Report::Shop(match taken {
                Ok(pending) => ShopReport::Pending { amount: show(pending.amount) },
                Err(why) => ShopReport::NotTaken(why.to_string()),
            }))?;
        }
        Ok(encode(&sale.hear_offline(record, &mut self.book, lists, calendar()), &mut [0; ANSWER_MAX])?.to_vec())
    }

    /// Redeems what was accepted without network, one token after the other.
    pub(super) fn redeem_pending(&mut self) -> Result<Report> {
        let mut issuer = self.ask_issuer()?;
        let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
        let pending = self.book.pending().to_vec();
        for outstanding in &pending {
            let sold = self.sales.iter_mut().find(|sold| sold.sale.digest() == outstanding.sale).context("a token of no sale")?;
            redeem(&mut sold.sale, &outstanding.token, &mut issuer, payee.key_list())?;
            self.book.release(&sold.sale);
        }
        self.keep()?;
        Ok(Report::Shop(ShopReport::Redeemed { tokens: pending.len(), pending: self.book.total() }))
    }

    /// Sends a token that settled to the issuer once more.
    pub(super) fn redeem_again(&mut self, memo: &str) -> Result<Report> {
        let mut issuer = self.ask_issuer()?;
        let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
        let sale = &mut sold(&mut self.sales, memo)?.sale;
        let token = sale.settled().context("nothing was paid")?.token.to_vec();
        let token = sale.take(&token)?;
        let answer = redeem(sale, &token, &mut issuer, payee.key_list())?;
        let FromPayee::Receipt(receipt) = decode_record(&answer)? else { bail!("the issuer gave no receipt") };
        Ok(Report::Receipt { outcome: Outcome::Settled.to_string(), settled: true, receipt: hex(receipt.as_bytes()) })
    }
}
