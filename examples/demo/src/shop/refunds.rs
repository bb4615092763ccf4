//! How a shop gives money back.

use anyhow::{Context, Result, bail};
use armring_payee::{Refunded, Sale};
use armring_token::{KeyList, Verified};
use armring_wire::records::issuer::FromIssuer;
use armring_wire::{Amount, RefundDigest, decode_record};
use getrandom::SysRng;

use super::{NO_CERTIFICATE, Shop, sold};
use crate::client::Client;
use crate::control::{Report, ShopReport, hex};
use crate::money::show;

impl Shop {
    /// Gives back a part of what a sale was paid. Another till has the same receipt, and has heard of no refund.
    pub(super) fn refund(&mut self, memo: &str, amount: Amount, other_till: bool) -> Result<Report> {
        let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
        let mut issuer = self.ask_issuer()?;
        let sold = sold(&mut self.sales, memo)?;
        let elsewhere = sold.elsewhere.get_or_insert_with(|| sold.sale.clone());
        let sale = if other_till { elsewhere } else { &mut sold.sale };
        let refund = payee.refund(sale, amount, &mut SysRng)?;
        if !other_till {
            sold.refund = Some(refund);
        }
        ask_refund(sale, &refund, &mut issuer, payee.key_list())
    }

    /// Sends the last refund to the issuer once more.
    pub(super) fn refund_again(&mut self, memo: &str) -> Result<Report> {
        let payee = self.payee.as_ref().context(NO_CERTIFICATE)?;
        let mut issuer = self.ask_issuer()?;
        let sold = sold(&mut self.sales, memo)?;
        let refund = sold.refund.context("nothing was given back")?;
        ask_refund(&mut sold.sale, &refund, &mut issuer, payee.key_list())
    }
}

fn ask_refund(sale: &mut Sale, refund: &RefundDigest, issuer: &mut Client, key_list: &Verified<KeyList>) -> Result<Report> {
    let answer = issuer.ask_issuer(&sale.ask_refund(refund).context("no such refund was signed")?)?;
    let Refunded::Answered(outcome) = sale.refund_answered(refund, &answer, key_list)? else { bail!("the issuer refused") };
    // The sale keeps the first receipt that it was given; what counts here is what was said this time.
    let FromIssuer::Refunded(receipt) = decode_record(&answer)? else { bail!("the issuer gave no receipt") };
    let (outcome, settled, left) = (outcome.to_string(), outcome.is_settled(), sale.left().map(show).unwrap_or_default());
    Ok(Report::Shop(ShopReport::Refunded { outcome, settled, left, receipt: hex(receipt.as_bytes()) }))
}
