//! The payee's side of the link to a payer's wallet: a record comes, an answer goes, and sometimes the issuer is asked in between.

use armring_token::{KeyList, Verified};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{BufferTooSmall, DecodeError, Opaque, Outcome, Record, decode_record, encode};

use crate::error::{AnswerError, TokenError};
use crate::sale::{Sale, Stage, Take};

/// The longest record to the issuer, in bytes.
pub const REDEEM_MAX: usize = <ToIssuer<'static> as Record<'static>>::MAX_LEN;
/// The longest answer to a wallet, in bytes.
pub const ANSWER_MAX: usize = <FromPayee<'static> as Record<'static>>::MAX_LEN;

/// What to do about a wallet's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the wallet waits"]
pub enum Action<'b> {
    /// Send this to the wallet.
    Answer(&'b [u8]),
    /// Send this to the issuer, and its answer to [`Sale::issuer_answered`].
    AskIssuer(&'b [u8]),
}

/// What to do about the issuer's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the wallet waits"]
pub struct Answered<'b> {
    /// Send this to the wallet.
    pub record: &'b [u8],
    /// What became of the token, for good; `None` where the issuer recorded nothing; an error where the answer is not the issuer's.
    pub outcome: Result<Option<Outcome>, AnswerError>,
}

impl Sale {
    /// Answers a record of a payer's wallet, in the front of `out`, for which [`REDEEM_MAX`] or [`ANSWER_MAX`] bytes will do, whichever is more.
    ///
    /// # Errors
    /// [`BufferTooSmall`]. A token may have been taken: the record can be handled again.
    pub fn handle<'b>(&mut self, record: &[u8], out: &'b mut [u8]) -> Result<Action<'b>, BufferTooSmall> {
        let token = match decode_record(record) {
            Ok(ToPayee::Token(token)) => token.as_bytes(),
            Ok(ToPayee::Ask) => return Ok(Action::Answer(encode(&self.asked()?, out)?)),
            other => return Ok(Action::Answer(encode(&not_for_a_sale(other), out)?)),
        };
        let answer = match self.take(token) {
            Ok(Take::Answered(receipt)) => FromPayee::Receipt(Opaque::new(receipt).ok_or(BufferTooSmall)?),
            Ok(Take::AskIssuer) => return Ok(Action::AskIssuer(self.redeem_record(out)?.unwrap_or_default())),
            Err(error) => said(error),
        };
        Ok(Action::Answer(encode(&answer, out)?))
    }

    /// What there is to pay.
    fn asked(&self) -> Result<FromPayee<'_>, BufferTooSmall> {
        if let Stage::Settled { .. } = self.stage() {
            return Ok(FromPayee::Nothing);
        }
        let object = |bytes| Opaque::new(bytes).ok_or(BufferTooSmall);
        Ok(FromPayee::Request { request: object(self.request())?, certificate: object(self.certificate())? })
    }

    /// Takes the issuer's answer to what [`handle`](Self::handle) asked, and answers the wallet in the front of `out`. What is not the issuer's
    /// leaves the sale as it was, and the wallet is told to try again.
    ///
    /// # Errors
    /// [`BufferTooSmall`]: [`ANSWER_MAX`] bytes will do. Nothing has then changed.
    pub fn issuer_answered<'b>(
        &mut self,
        record: &[u8],
        keys: &Verified<KeyList>,
        out: &'b mut [u8],
    ) -> Result<Answered<'b>, BufferTooSmall> {
        if out.len() < ANSWER_MAX {
            return Err(BufferTooSmall);
        }
        let (said, outcome) = match decode_record(record) {
            Ok(FromIssuer::Receipt(receipt)) => match self.receipt(receipt.as_bytes(), keys) {
                Ok(outcome) => (FromPayee::Receipt(receipt), Ok(Some(outcome))),
                Err(error) => (FromPayee::Refused(Refusal::Busy), Err(error)),
            },
            Ok(FromIssuer::Refused(refusal)) => match self.refused(refusal) {
                Ok(()) => (FromPayee::Refused(refusal), Ok(None)),
                Err(error) => (FromPayee::Refused(Refusal::Busy), Err(error)),
            },
            _ => (FromPayee::Refused(Refusal::Busy), Err(AnswerError::Malformed)),
        };
        Ok(Answered { record: encode(&said, out)?, outcome })
    }
}

/// What a wallet is told when the issuer cannot be reached, in the front of `out`: to try again. The token still waits.
///
/// # Errors
/// [`BufferTooSmall`].
pub fn issuer_unreachable(out: &mut [u8]) -> Result<&[u8], BufferTooSmall> {
    Ok(encode(&FromPayee::Refused(Refusal::Busy), out)?)
}

/// What a wallet is told by a payee that asks for nothing, in the front of `out`.
///
/// # Errors
/// [`BufferTooSmall`].
pub fn nothing_to_pay<'b>(record: &[u8], out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
    let answer = match decode_record(record) {
        Ok(ToPayee::Ask | ToPayee::Token(_)) => FromPayee::Nothing,
        other => not_for_a_sale(other),
    };
    Ok(encode(&answer, out)?)
}

fn said(error: TokenError) -> FromPayee<'static> {
    error.refusal().map_or(FromPayee::Nothing, FromPayee::Refused)
}

/// The answer to what is neither a question nor a token.
fn not_for_a_sale(record: Result<ToPayee<'_>, DecodeError>) -> FromPayee<'static> {
    match record {
        Err(DecodeError::UnknownVariant(variant)) => FromPayee::Unknown(variant),
        _ => FromPayee::Refused(Refusal::Malformed),
    }
}
