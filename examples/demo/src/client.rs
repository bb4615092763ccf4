//! A process that asks another: one record out, one record back.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{AttPayload, Record, decode_record, encode};
use serde::Serialize;

use crate::air::{Air, Cost, Records};
use crate::trace::Ends;

/// A connection to a serving process.
pub(crate) struct Client {
    air: Air,
    records: Records,
    ends: Ends,
}

impl Client {
    pub(crate) fn connect(address: &str, ends: Ends, payload: AttPayload) -> Result<Self> {
        let address: SocketAddr = address.parse().with_context(|| format!("'{address}' is not an address"))?;
        let air = Air::connect(address).with_context(|| format!("{} does not answer at {address}", ends.there))?;
        Ok(Self { air, records: Records::new(payload), ends })
    }

    /// Asks the issuer and gives its encoded answer.
    pub(crate) fn ask_issuer(&mut self, record: &ToIssuer<'_>) -> Result<Vec<u8>> {
        let answer = self.ask(record, name_to_issuer(record), |bytes| Ok(name_from_issuer(&decode_record(bytes)?)))?;
        Ok(answer)
    }

    /// Asks a payee and gives its encoded answer.
    pub(crate) fn ask_payee(&mut self, record: &ToPayee<'_>) -> Result<Vec<u8>> {
        let answer = self.ask(record, name_to_payee(record), |bytes| Ok(name_from_payee(&decode_record(bytes)?)))?;
        Ok(answer)
    }

    fn ask<'a, T: Record<'a> + Serialize>(
        &mut self,
        record: &T,
        name: &str,
        name_of: impl Fn(&[u8]) -> Result<&'static str>,
    ) -> Result<Vec<u8>> {
        let mut buffer = [0; 1024];
        let bytes = encode(record, &mut buffer)?;
        let (fragments, cost) = self.records.cut(bytes);
        self.ends.sent(name, bytes.len(), false, cost)?;
        fragments.iter().try_for_each(|fragment| self.air.send(fragment))?;
        let mut cost = Cost::default();
        loop {
            let Some(payload) = self.air.receive()? else { bail!("{} hung up without an answer", self.ends.there) };
            cost.fragments += 1;
            cost.on_air += payload.len();
            if let Some(answer) = self.records.take(&payload)? {
                self.ends.received(name_of(&answer)?, answer.len(), false, cost)?;
                return Ok(answer);
            }
        }
    }
}

pub(crate) const fn name_to_issuer(record: &ToIssuer<'_>) -> &'static str {
    match record {
        ToIssuer::KeyList => "KeyList?",
        ToIssuer::Enrol(_) => "Enrol",
        ToIssuer::Redeem { .. } => "Redeem",
        ToIssuer::Unknown(_) => "Unknown",
        ToIssuer::EnrolStart { .. } => "EnrolStart",
        ToIssuer::Revocations { .. } => "Revocations?",
        ToIssuer::Refund(_) => "Refund",
    }
}

pub(crate) const fn name_from_issuer(record: &FromIssuer<'_>) -> &'static str {
    match record {
        FromIssuer::KeyList(_) => "KeyList",
        FromIssuer::Enrol(_) => "Enrol",
        FromIssuer::Receipt(_) => "Receipt",
        FromIssuer::Refused(_) => "Refused",
        FromIssuer::Unknown(_) => "Unknown",
        FromIssuer::Revocations(_) => "Revocations",
        FromIssuer::Refunded(_) => "Refunded",
    }
}

pub(crate) const fn name_to_payee(record: &ToPayee<'_>) -> &'static str {
    match record {
        ToPayee::Ask => "Ask",
        ToPayee::Token(_) => "Token",
        ToPayee::Unknown(_) => "Unknown",
        ToPayee::Offline { .. } => "Token, credential",
    }
}

pub(crate) const fn name_from_payee(record: &FromPayee<'_>) -> &'static str {
    match record {
        FromPayee::Request { .. } => "Request",
        FromPayee::Receipt(_) => "Receipt",
        FromPayee::Refused(_) => "Refused",
        FromPayee::Nothing => "Nothing",
        FromPayee::Unknown(_) => "Unknown",
        FromPayee::Pending => "Pending",
        FromPayee::Person { .. } => "Person",
    }
}
