//! One way in, one way out: records of wallets and payees, each with its answer.

use armring_pairing::DiffieHellman;
use armring_token::{Epoch, Signature};
use armring_wire::records::issuer::{FromIssuer, Refusal, ToIssuer};
use armring_wire::{BufferTooSmall, DecodeError, Opaque, Record, UnixTime, decode_record, encode};
use rand_core::TryCryptoRng;
use signature::MultipartSigner;

use crate::error::MachineError;
use crate::issuer::Issuer;
use crate::ledger::Ledger;
use crate::provider::Channel;

/// The longest answer, in bytes.
pub const REPLY_MAX: usize = <FromIssuer<'static> as Record<'static>>::MAX_LEN;

/// One connection from a wallet or a payee. It remembers the enrolment that goes on over it, and nothing else; when the connection ends, it
/// is dropped.
#[derive(Debug, Default)]
pub struct Session {
    pub(crate) enrolment: Option<Channel>,
}

impl Session {
    /// A connection on which nothing was said.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// The answer to a record.
#[derive(Debug)]
#[must_use = "the sender waits for the record, and the operator must hear of a failure"]
pub struct Reply<'b> {
    /// An encoded [`FromIssuer`], to be sent.
    pub record: &'b [u8],
    /// Why the record says that the issuer is busy, for the operator. Nothing was recorded.
    pub failure: Option<MachineError>,
}

/// An answer before it is encoded.
pub(crate) enum Said {
    KeyList,
    Enrol(Vec<u8>),
    Receipt(Vec<u8>),
    Revocations(Vec<u8>),
    Refunded(Vec<u8>),
    Refused(Refusal),
    Unknown(u32),
}

/// An answer, and what failed where it says so inside of what is sealed.
pub(crate) type Outcome = Result<(Said, Option<MachineError>), MachineError>;

impl<L: Ledger, S: MultipartSigner<Signature>, D: DiffieHellman> Issuer<L, S, D> {
    /// Answers a record, whatever it is, into the front of `out`, which takes [`REPLY_MAX`] bytes.
    ///
    /// # Errors
    /// [`BufferTooSmall`] where `out` is shorter than that. Nothing was then looked at.
    pub fn handle<'b>(
        &mut self,
        session: &mut Session,
        record: &[u8],
        now: UnixTime,
        rng: &mut impl TryCryptoRng,
        out: &'b mut [u8],
    ) -> Result<Reply<'b>, BufferTooSmall> {
        if out.len() < REPLY_MAX {
            return Err(BufferTooSmall);
        }
        let said = self.answer(session, record, now, rng);
        reply(said, self.keys.key_list(), out)
    }

    fn answer(&mut self, session: &mut Session, record: &[u8], now: UnixTime, rng: &mut impl TryCryptoRng) -> Outcome {
        match decode_record(record) {
            Ok(ToIssuer::KeyList) => Ok((Said::KeyList, None)),
            Ok(ToIssuer::EnrolStart { versions, message }) => self.begin_enrolment(session, versions, message.as_bytes(), rng),
            Ok(ToIssuer::Enrol(message)) => self.enrol(session, message.as_bytes(), now, rng),
            Ok(ToIssuer::Redeem { request, token }) => self.redeem(request.as_bytes(), token.as_bytes(), now),
            Ok(ToIssuer::Revocations { since, part }) => {
                let list = self.revocation_list(Epoch(since), part, now)?;
                Ok((list.map_or_else(Said::Refused, Said::Revocations), None))
            }
            Ok(ToIssuer::Refund(refund)) => self.give_back(refund.as_bytes(), now),
            Err(DecodeError::UnknownVariant(variant)) => Ok((Said::Unknown(variant), None)),
            // Every answer so far is one that every version knows: whoever says otherwise does not speak this protocol.
            Ok(ToIssuer::Unknown(_)) | Err(_) => Ok((Said::Refused(Refusal::Malformed), None)),
        }
    }

    fn redeem(&mut self, request: &[u8], token: &[u8], now: UnixTime) -> Outcome {
        let payment = match self.verify(request, token)? {
            Ok(payment) => payment,
            Err(refusal) => return Ok((Said::Refused(refusal), None)),
        };
        let answer = self.settle(core::slice::from_ref(&payment), now)?.pop();
        Ok((Said::Receipt(answer.ok_or(MachineError::Damaged("a payment was not answered"))?.receipt), None))
    }

    fn give_back(&mut self, refund: &[u8], now: UnixTime) -> Outcome {
        let answer = match self.verify_refund(refund)? {
            Ok(refund) => self.refund(&refund, now)?,
            Err(refusal) => Err(refusal),
        };
        Ok((answer.map_or_else(Said::Refused, |answer| Said::Refunded(answer.receipt)), None))
    }
}

/// Encodes an answer.
pub(crate) fn reply<'b>(said: Outcome, key_list: &[u8], out: &'b mut [u8]) -> Result<Reply<'b>, BufferTooSmall> {
    let (said, failure) = said.unwrap_or_else(busy);
    match encoded(&said, key_list) {
        Some(answer) => Ok(Reply { record: encode(&answer, out)?, failure }),
        None => {
            let (_, failure) = busy(MachineError::Encoding);
            Ok(Reply { record: encode(&FromIssuer::Refused(Refusal::Busy), out)?, failure })
        }
    }
}

fn busy(failure: MachineError) -> (Said, Option<MachineError>) {
    (Said::Refused(Refusal::Busy), Some(failure))
}

/// `None` where something is longer than the link carries, which nothing here is.
fn encoded<'a>(said: &'a Said, key_list: &'a [u8]) -> Option<FromIssuer<'a>> {
    Some(match said {
        Said::KeyList => FromIssuer::KeyList(Opaque::new(key_list)?),
        Said::Enrol(message) => FromIssuer::Enrol(Opaque::new(message)?),
        Said::Revocations(list) => FromIssuer::Revocations(Opaque::new(list)?),
        Said::Refunded(receipt) => FromIssuer::Refunded(Opaque::new(receipt)?),
        Said::Receipt(receipt) => FromIssuer::Receipt(Opaque::new(receipt)?),
        Said::Refused(refusal) => FromIssuer::Refused(*refusal),
        Said::Unknown(variant) => FromIssuer::Unknown(*variant),
    })
}
