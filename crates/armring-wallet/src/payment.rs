//! One payment, from the offer that its person saw to the receipt on the wrist, through everything that can be lost on the way.

use armring_token::{KeyList, Verified, VerifyError};
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{DecodeError, Opaque, Outcome, RootFingerprint, decode_record};
use thiserror::Error;

use crate::offer::{Offer, verify_receipt};
use crate::stored::StoredPayment;

/// A payment of the wearer's. It says what to do next and takes what comes of it.
///
/// ```text
///  poll: Band(Pay) ──token──▶ Payee(Token) ──receipt──▶ Band(Paid) ──noted──▶ Done
///            │                  │     ▲
///            └─declined─▶ Ended └─Pending, refused: again when the app says so
/// ```
///
/// The app stores [`to_bytes`](Self::to_bytes) after each change. When a link was lost, an answer did not come, or the app was started again, it
/// calls [`again`](Self::again) and goes on with [`poll`](Self::poll): the same request gets the same token from the band, the same token the
/// same receipt from the payee, the same receipt the same nod from the band. Nothing is asked twice unless the app says so, and no state leads
/// to a second payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub(crate) offer: Offer,
    /// The payer's signed credential, for a payee without network.
    pub(crate) credential: Vec<u8>,
    /// Whether the band wants to be told who asks.
    pub(crate) names_payee: bool,
    pub(crate) token: Option<Vec<u8>>,
    /// Whether the payee has accepted the token without asking the issuer.
    pub(crate) pending: bool,
    pub(crate) receipt: Option<(Vec<u8>, Outcome)>,
    pub(crate) wrist: Wrist,
    pub(crate) declined: Option<Decline>,
    /// What the payee last said instead of a receipt. Nobody signed it, so that nothing follows from it.
    refused: Option<Refusal>,
    /// Whether the payee cannot ask the issuer, so that it gets the credential as well.
    offline: bool,
    /// Whether what is next was given out already.
    said: bool,
}

/// What the band knows of the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrist {
    Untold,
    Told,
    /// It does not remember the token any more.
    Refuses,
}

/// What to do for a payment, or for a [`Collection`](crate::Collection).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the payment waits for it"]
pub enum Next<'a> {
    /// Say this to the band.
    Band(ToBand<'a>),
    /// Say this to the payee.
    Payee(ToPayee<'a>),
    /// Nothing: an answer is awaited. If it does not come, call `again`.
    Wait,
    /// It is over: this is what the issuer decided.
    Done(Outcome),
    /// It is over: the band does not do it. Nothing was signed.
    Ended(Decline),
}

/// Why something is not taken. Whoever sent it is to blame; the payment is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// The token or the request is not the one that was asked for.
    #[error("this does not answer what was asked")]
    OtherAnswer,
    /// The receipt does not verify, or is for another token.
    #[error("the receipt does not verify: {0}")]
    Receipt(VerifyError),
    /// A record that is none.
    #[error("bad record: {0}")]
    Record(DecodeError),
    /// Something that does not belong here now.
    #[error("an answer that does not belong here")]
    Unexpected,
}

impl From<VerifyError> for PaymentError {
    fn from(error: VerifyError) -> Self {
        Self::Receipt(error)
    }
}

impl From<DecodeError> for PaymentError {
    fn from(error: DecodeError) -> Self {
        Self::Record(error)
    }
}

impl Payment {
    /// A payment that the person wants to make. `credential` is the band's, as it was [enrolled](crate::Event::Enrolled); without one (empty)
    /// no payee without network can be paid.
    #[must_use]
    pub fn new(offer: Offer, credential: &[u8]) -> Self {
        Self {
            offer,
            credential: credential.to_vec(),
            names_payee: false,
            token: None,
            pending: false,
            receipt: None,
            wrist: Wrist::Untold,
            declined: None,
            refused: None,
            offline: false,
            said: false,
        }
    }

    /// What to do now. Each thing is given out once: afterwards the answer is awaited, until there is one or [`again`](Self::again) is called.
    pub fn poll(&mut self) -> Next<'_> {
        let said = std::mem::replace(&mut self.said, true);
        if let Some(why) = self.declined {
            return Next::Ended(why);
        }
        match (&self.receipt, self.wrist) {
            (Some((_, outcome)), Wrist::Told | Wrist::Refuses) => return Next::Done(*outcome),
            _ if said => return Next::Wait,
            (Some((receipt, _)), Wrist::Untold) => {
                return Opaque::new(receipt).map_or(Next::Wait, |receipt| Next::Band(ToBand::Paid { receipt }));
            }
            (None, _) => {}
        }
        match &self.token {
            None => self.ask_band(),
            Some(token) => self.tell_payee(token),
        }
        .unwrap_or(Next::Wait)
    }

    fn ask_band(&self) -> Option<Next<'_>> {
        let request = Opaque::new(self.offer.object())?;
        Some(Next::Band(if self.names_payee {
            ToBand::PayTo { request, certificate: Opaque::new(self.offer.certificate())? }
        } else {
            ToBand::Pay { request }
        }))
    }

    fn tell_payee<'a>(&'a self, token: &'a [u8]) -> Option<Next<'a>> {
        let token = Opaque::new(token)?;
        Some(Next::Payee(if self.offline {
            ToPayee::Offline { token, credential: Opaque::new(&self.credential)? }
        } else {
            ToPayee::Token(token)
        }))
    }

    /// A link was lost, an answer did not come, or the person wants it tried again: what is next is given out once more.
    pub fn again(&mut self) {
        (self.said, self.offline) = (false, false);
    }

    /// The band signed `token`.
    ///
    /// # Errors
    /// [`PaymentError::OtherAnswer`] where it does not answer the offer, or is another than the one that is here.
    pub fn token(&mut self, token: &[u8]) -> Result<(), PaymentError> {
        match &self.token {
            Some(known) if known == token => Ok(()),
            None if self.offer.is_answered_by(token) => {
                // The band's word is final: it signed, whatever it had declined before.
                (self.token, self.declined, self.said) = (Some(token.to_vec()), None, false);
                Ok(())
            }
            _ => Err(PaymentError::OtherAnswer),
        }
    }

    /// The band does not do what it was asked. Where it may do so another time, it is asked again when the app says so; else the payment has
    /// ended. A band that wants to be told who asks is told.
    pub fn declined(&mut self, why: Decline) {
        match (&self.receipt, &self.token) {
            // A band remembers its last tokens alone. The receipt is here all the same.
            (Some(_), _) if !may_ask_again(why) => self.wrist = Wrist::Refuses,
            (None, None) if why == Decline::Unshown && !self.names_payee => (self.names_payee, self.said) = (true, false),
            (None, None) if !may_ask_again(why) => self.declined = Some(why),
            _ => {}
        }
    }

    /// The band took note of the receipt. Only what it says after [`poll`](Self::poll) gave the receipt out is taken for that, so that an app
    /// says one thing to a band at a time.
    pub fn noted(&mut self) {
        if self.receipt.is_some() && self.said {
            self.wrist = Wrist::Told;
        }
    }

    /// What the payee said: one record.
    ///
    /// # Errors
    /// A [`PaymentError`]; nothing has then changed.
    pub fn payee_says(
        &mut self,
        record: &[u8],
        root: &RootFingerprint,
        key_list: &Verified<KeyList>,
    ) -> Result<(), PaymentError> {
        let token = self.token.as_deref().filter(|_| self.receipt.is_none()).ok_or(PaymentError::Unexpected)?;
        match decode_record(record)? {
            FromPayee::Receipt(receipt) => {
                let outcome = verify_receipt(receipt.as_bytes(), token, root, key_list)?;
                self.receipt = Some((receipt.as_bytes().to_vec(), outcome));
                (self.pending, self.refused, self.said) = (false, None, false);
            }
            FromPayee::Pending => (self.pending, self.refused) = (true, None),
            FromPayee::Refused(Refusal::NotOffline) if !self.offline && !self.credential.is_empty() => {
                (self.offline, self.said) = (true, false);
            }
            FromPayee::Refused(why) => self.refused = Some(why),
            // The sale was paid by somebody else, or the payee is older than the question.
            FromPayee::Nothing => self.refused = Some(Refusal::Mismatch),
            FromPayee::Unknown(_) => self.refused = Some(Refusal::NotOffline),
            FromPayee::Request { .. } | FromPayee::Person { .. } => return Err(PaymentError::Unexpected),
        }
        Ok(())
    }

    /// What is paid, as it was shown.
    #[must_use]
    pub const fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Whether the payee has accepted the token without asking the issuer. The receipt comes when the token is sent [again](Self::again) later.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.pending
    }

    /// Why the payee did not take the token when it was last asked. Nobody signed that: the token may still settle, and is to be sent again.
    #[must_use]
    pub const fn refused(&self) -> Option<Refusal> {
        self.refused
    }

    /// The issuer's receipt, once there is one.
    #[must_use]
    pub fn receipt(&self) -> Option<&[u8]> {
        self.receipt.as_ref().map(|(receipt, _)| receipt.as_slice())
    }

    /// Whether the wearer was told by the band.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        matches!(self.wrist, Wrist::Told)
    }

    /// The payment as it is stored, at most [`Payment::MAX_LEN`] bytes. Nothing in it is secret; who can change it can make the app lose a
    /// payment, not pay another.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        StoredPayment::of(self).map(|stored| stored.to_bytes()).unwrap_or_default()
    }

    /// The payment that [`to_bytes`](Self::to_bytes) made these bytes of, ready to go [on](Self::poll); `None` if they are not that. The offer
    /// was verified when it was made and is not again: it may have expired since, and the payment goes on.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], root: &RootFingerprint) -> Option<Self> {
        StoredPayment::from_bytes(bytes)?.payment(root)
    }

    /// The longest stored payment, in bytes.
    pub const MAX_LEN: usize = StoredPayment::MAX_LEN;
}

/// Whether a band that declines for this reason may do it another time: the wearer can put it on or unlock it, and it can be done with
/// something else.
pub(crate) const fn may_ask_again(why: Decline) -> bool {
    matches!(why, Decline::NotWorn | Decline::Locked | Decline::Busy | Decline::Machine)
}
