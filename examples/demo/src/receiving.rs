//! Whoever is paid: a sale, a payer's wallet, and the issuer.

use std::net::TcpListener;

use anyhow::{Context, Result, bail};
use armring_payee::{Heard, Sale, Settled};
use armring_token::{KeyList, Verified};
use armring_wire::records::payee::FromPayee;
use armring_wire::{TokenDigest, encode};

use crate::air::{Air, Records};
use crate::client::Client;
use crate::control::{Report, report};
use crate::phone::Phone;

/// The longest answer to a payer's wallet, in bytes.
pub(crate) const ANSWER_MAX: usize = 512;

/// Asks the issuer about a token of `sale`, and gives the answer for the payer's wallet, encoded.
pub(crate) fn redeem(sale: &mut Sale, token: &TokenDigest, issuer: &mut Client, key_list: &Verified<KeyList>) -> Result<Vec<u8>> {
    let answer = issuer.ask_issuer(&sale.redeem(token).context("no such token was taken")?)?;
    let said = sale.issuer_says(token, &answer, key_list)?;
    Ok(encode(&said, &mut [0; ANSWER_MAX])?.to_vec())
}

/// How a wearer was paid.
pub(crate) struct Paid {
    pub(crate) token: Vec<u8>,
    pub(crate) receipt: Vec<u8>,
}

/// Serves whoever connects, over the request that the wearer's band signed, until it is paid. Who sends noise is complained about, and
/// the next one is served.
pub(crate) fn serve(phone: &Phone, listener: &TcpListener, request: &[u8]) -> Result<Paid> {
    let mut sale = Sale::from_signed_request(request, &phone.credential()?, &phone.root.fingerprint(), &phone.key_list()?)?;
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(error) = serve_payer(phone, Air::new(stream)?, &mut sale) {
            report(&Report::Complaint(format!("connection dropped: {error:#}")))?;
        }
        if let Some(Settled { token, receipt }) = sale.settled() {
            return Ok(Paid { token: token.to_vec(), receipt: receipt.to_vec() });
        }
    }
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
