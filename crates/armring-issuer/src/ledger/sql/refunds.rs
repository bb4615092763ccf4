//! What is looked up and written when a payment is given back.

use armring_token::{PaymentToken, Unverified};
use armring_wire::{Outcome, TokenDigest};

use super::super::model::Reference;
use super::super::refund::{RefundAnswer, RefundBooks, RefundRuling};
use super::money::transfer;
use super::{Row, Sql, first, rows};
use crate::error::MachineError;
use crate::judge::RefundFacts;
use crate::refund::VerifiedRefund;

/// The books, while a transaction holds them.
pub(in super::super) struct Refunds<'b, S>(pub(in super::super) &'b mut S);

impl<S: Sql> RefundBooks for Refunds<'_, S> {
    fn refunded(&mut self, refund: &VerifiedRefund) -> Result<Option<RefundAnswer>, MachineError> {
        let digest = refund.digest();
        let found = self.0.rows("SELECT outcome, receipt FROM refunds WHERE digest = $1", &[(&digest.0).into()])?;
        let answer = |mut row: Row| {
            let (outcome, receipt) = (Outcome::from(row.take::<u8>(0)?), row.take(1)?);
            Ok(RefundAnswer { refund: digest, outcome, receipt, repeated: true })
        };
        first(found).map(answer).transpose()
    }

    fn refund_facts(&mut self, refund: &VerifiedRefund) -> Result<Option<RefundFacts>, MachineError> {
        const NO_CREDENTIAL: MachineError = MachineError::Damaged("a payment's credential is gone");
        let refund = refund.refund();
        let Some((outcome, payment)) = answered(self.0, refund.token)?.filter(|(_, payment)| payment.payee == refund.payee)
        else {
            return Ok(None);
        };
        // Whoever has the credential is the only one who gives back of its payments.
        let payer = rows::credential(self.0, payment.credential)?.ok_or(NO_CREDENTIAL)?;
        let given = self.0.rows("SELECT given FROM refunds WHERE token = $1 AND given > 0", &[(&refund.token.0).into()])?;
        let mut refunded = 0_i64;
        for mut row in given {
            refunded = refunded.saturating_add(row.take(0)?);
        }
        Ok(Some(RefundFacts {
            outcome,
            amount: payment.amount,
            refunded,
            payer_account: rows::find_account(self.0, payer.credential.account)?,
            payee: rows::receiver(self.0, refund.payee)?,
        }))
    }

    fn record_refund(
        &mut self,
        refund: &VerifiedRefund,
        facts: &RefundFacts,
        ruling: &RefundRuling,
        receipt: &[u8],
    ) -> Result<(), MachineError> {
        let values = [
            (&ruling.refund.0).into(),
            (&ruling.token.0).into(),
            ruling.given.into(),
            u8::from(ruling.outcome).into(),
            ruling.time.as_secs().into(),
            receipt.into(),
            refund.object().into(),
        ];
        self.0.execute(
            "INSERT INTO refunds (digest, token, given, outcome, time, receipt, object) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &values,
        )?;
        if ruling.outcome.is_settled() {
            let reference = Reference::Refund(ruling.refund);
            transfer(self.0, (&facts.payee.account, &facts.payer_account), ruling.given, reference, ruling.time)?;
        }
        Ok(())
    }
}

/// What became of a token, and what it says.
fn answered(books: &mut impl Sql, token: TokenDigest) -> Result<Option<(Outcome, PaymentToken)>, MachineError> {
    const SETTLED_OR_VOIDED: &str = "SELECT token FROM objects WHERE substr(digest, 1, 8) = $1 AND digest = $2";
    const CLONED: &str = "SELECT token_object FROM clones WHERE digest = $1";
    const OUTCOME: &str = "SELECT outcome FROM tokens WHERE credential = $1 AND counter = $2";
    let read = |mut row: Row| {
        let object: Vec<u8> = row.take(0)?;
        let token = Unverified::<PaymentToken>::parse(&object).map_err(|_| MachineError::Damaged("a token is none"))?;
        Ok::<_, MachineError>(*token.claims())
    };
    let [prefix, ..] = token.0.as_chunks::<8>().0 else { return Ok(None) };
    let Some(row) = first(books.rows(SETTLED_OR_VOIDED, &[prefix.into(), (&token.0).into()])?) else {
        let cloned = first(books.rows(CLONED, &[(&token.0).into()])?).map(read).transpose()?;
        return Ok(cloned.map(|token| (Outcome::Cloned, token)));
    };
    let token = read(row)?;
    let outcome = first(books.rows(OUTCOME, &[(&token.credential.0).into(), token.counter.0.into()])?);
    let outcome: u8 = outcome.ok_or(MachineError::Damaged("what became of a token is gone"))?.take(0)?;
    Ok(Some((Outcome::from(outcome), token)))
}
