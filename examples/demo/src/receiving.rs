//! Whoever is paid: a sale, a payer's wallet, and the issuer.

use std::net::TcpListener;

use anyhow::{Context, Result, bail};
use armring_payee::{Heard, Sale};
use armring_token::{KeyList, Verified};
use armring_wire::records::issuer::FromIssuer;
use armring_wire::records::payee::FromPayee;
use armring_wire::{Outcome, decode_record, encode};

use crate::air::{Air, Records};
use crate::client::Client;
use crate::control::{Report, report};
use crate::phone::Phone;

/// The longest answer to a payer's wallet, in bytes.
pub(crate) const ANSWER_MAX: usize = 512;

/// Asks the issuer about the token of `sale`, and gives the answer for the payer's wallet, encoded.
pub(crate) fn redeem(sale: &mut Sale, issuer: &mut Client, key_list: &Verified<KeyList>) -> Result<Vec<u8>> {
    let answer = issuer.ask_issuer(&sale.redeem().context("no token was taken")?)?;
    let mut buffer = [0; ANSWER_MAX];
    let said = match decode_record(&answer)? {
        FromIssuer::Receipt(receipt) => {
            sale.answer(receipt.as_bytes(), key_list)?;
            FromPayee::Receipt(receipt)
        }
        FromIssuer::Refused(why) => {
            sale.give_up();
            FromPayee::Refused(why)
        }
        other => bail!("the issuer answered with {other:?}"),
    };
    Ok(encode(&said, &mut buffer)?.to_vec())
}

/// How a wearer was paid.
pub(crate) struct Paid {
    pub(crate) token: Vec<u8>,
    pub(crate) receipt: Vec<u8>,
    pub(crate) outcome: Outcome,
}

/// Serves whoever connects, over the request that the wearer's band signed, until it is answered. Who sends noise is complained about, and
/// the next one is served.
pub(crate) fn serve(phone: &Phone, listener: &TcpListener, request: &[u8]) -> Result<Paid> {
    let mut sale = Sale::from_signed_request(request, &phone.root.fingerprint())?;
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(error) = serve_payer(phone, Air::new(stream)?, &mut sale) {
            report(&Report::Complaint(format!("connection dropped: {error:#}")))?;
        }
        if let (Some(outcome), Some(token), Some(receipt)) = (sale.outcome(), sale.token(), sale.receipt()) {
            return Ok(Paid { token: token.to_vec(), receipt: receipt.to_vec(), outcome });
        }
    }
}

fn serve_payer(phone: &Phone, mut payer: Air, sale: &mut Sale) -> Result<()> {
    let mut records = Records::new(phone.payload);
    let key_list = phone.key_list()?;
    while sale.outcome().is_none() {
        let payload = payer.receive()?.context("hung up without paying")?;
        let Some(record) = records.take(&payload)? else { continue };
        let answer = match sale.hear(&record) {
            Heard::Answer(FromPayee::Refused(why)) => bail!("{why}"),
            Heard::Answer(answer) => encode(&answer, &mut [0; ANSWER_MAX])?.to_vec(),
            Heard::Redeem => redeem(sale, &mut phone.ask_issuer()?, &key_list)?,
        };
        records.send(&mut payer, &answer)?;
    }
    Ok(())
}
