//! What is looked up and written when a payment is given back.

use armring_token::{PaymentToken, Unverified};
use armring_wire::{Outcome, TokenDigest};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::model::Reference;
use super::super::refund::{RefundAnswer, RefundBooks, RefundRuling};
use super::books::{InTransaction, find_account, receiver};
use super::money::transfer;
use super::rows;
use crate::error::MachineError;
use crate::judge::RefundFacts;
use crate::refund::VerifiedRefund;

impl RefundBooks for InTransaction<'_> {
    fn refunded(&self, refund: &VerifiedRefund) -> Result<Option<RefundAnswer>, MachineError> {
        let digest = refund.digest();
        let mut query = self.0.prepare_cached("SELECT outcome, receipt FROM refunds WHERE digest = ?1")?;
        let found = query.query_row([digest.0], |row| {
            let outcome = Outcome::from(row.get::<_, u8>(0)?);
            Ok(RefundAnswer { refund: digest, outcome, receipt: row.get(1)?, repeated: true })
        });
        Ok(found.optional()?)
    }

    fn refund_facts(&self, refund: &VerifiedRefund) -> Result<Option<RefundFacts>, MachineError> {
        const NO_CREDENTIAL: MachineError = MachineError::Damaged("a payment's credential is gone");
        let refund = refund.refund();
        let Some((outcome, payment)) = answered(self.0, refund.token)?.filter(|(_, payment)| payment.payee == refund.payee)
        else {
            return Ok(None);
        };
        let payer = rows::credential(self.0, payment.credential)?.ok_or(NO_CREDENTIAL)?;
        let refunded = self
            .0
            .prepare_cached("SELECT coalesce(sum(given), 0) FROM refunds WHERE token = ?1 AND given > 0")?
            .query_row([refund.token.0], |row| row.get(0))?;
        Ok(Some(RefundFacts {
            outcome,
            amount: payment.amount,
            refunded,
            payer_account: find_account(self.0, payer.credential.account)?,
            payee: receiver(self.0, refund.payee)?,
        }))
    }

    fn record_refund(
        &mut self,
        refund: &VerifiedRefund,
        facts: &RefundFacts,
        ruling: &RefundRuling,
        receipt: &[u8],
    ) -> Result<(), MachineError> {
        self.0
            .prepare_cached(
                "INSERT INTO refunds (digest, token, given, outcome, time, receipt, object) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                ruling.refund.0,
                ruling.token.0,
                ruling.given,
                u8::from(ruling.outcome),
                ruling.time.as_secs(),
                receipt,
                refund.object(),
            ])?;
        if ruling.outcome.is_settled() {
            transfer(
                self.0,
                (&facts.payee.account, &facts.payer_account),
                ruling.given,
                Reference::Refund(ruling.refund),
                ruling.time,
            )?;
        }
        Ok(())
    }
}

/// What became of a token, and what it says.
fn answered(books: &Connection, token: TokenDigest) -> Result<Option<(Outcome, PaymentToken)>, MachineError> {
    let found: Option<(Option<u8>, Vec<u8>)> = books
        .prepare_cached(
            "SELECT NULL, token FROM objects WHERE digest = ?1
             UNION ALL SELECT ?2, token_object FROM clones WHERE digest = ?1 LIMIT 1",
        )?
        .query_row(params![token.0, u8::from(Outcome::Cloned)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((cloned, object)) = found else { return Ok(None) };
    let token = *Unverified::<PaymentToken>::parse(&object).map_err(|_| MachineError::Damaged("a token is none"))?.claims();
    let outcome = match cloned {
        Some(cloned) => cloned,
        None => books
            .prepare_cached("SELECT outcome FROM tokens WHERE credential = ?1 AND counter = ?2")?
            .query_row(params![token.credential.0, token.counter.0], |row| row.get(0))?,
    };
    Ok(Some((Outcome::from(outcome), token)))
}
