//! One request of the wearer's own, from the two presses that sign it to the word on the wrist that the money came.

use armring_token::{KeyList, PaymentRequest, PaymentToken, Unverified, Verified};
use armring_wire::records::MEMO_MAX;
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::{Amount, Opaque, Outcome, RootFingerprint, Text, UnixTime};

use crate::offer::verify_receipt;
use crate::payment::{Next, PaymentError, Wrist, may_ask_again};
use crate::stored::StoredCollection;

/// What the wearer asks to be paid. The mirror of a [`Payment`](crate::Payment), with the same rules for what is lost.
///
/// ```text
///  poll: Band(Receive) ──requested──▶ shown to the payer, redeemed ──paid──▶ Band(Received) ──noted──▶ Done
/// ```
///
/// Between the request and the receipt it is a sale like any other: `armring-payee` takes the payer's token and redeems it. Asked again before
/// the request has come, the band signs another one, for another two presses; the one that was lost was shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    pub(crate) amount: Amount,
    pub(crate) expiry: UnixTime,
    pub(crate) memo: String,
    request: Option<Vec<u8>>,
    /// The payer's token and the issuer's receipt for it.
    pub(crate) paid: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) wrist: Wrist,
    pub(crate) declined: Option<Decline>,
    said: bool,
}

impl Collection {
    /// Asks for `amount`, payable until `expiry`; `None` for a memo of more than 32 bytes or with control characters.
    #[must_use]
    pub fn new(amount: Amount, expiry: UnixTime, memo: &str) -> Option<Self> {
        let memo = Text::<MEMO_MAX>::new(memo)?.as_str().to_owned();
        Some(Self { amount, expiry, memo, request: None, paid: None, wrist: Wrist::Untold, declined: None, said: false })
    }

    /// What to do now; [`Next::Wait`] also while the request waits for its payer. Each thing is given out once, as by a
    /// [`Payment`](crate::Payment::poll).
    pub fn poll(&mut self) -> Next<'_> {
        let said = std::mem::replace(&mut self.said, true);
        if let Some(why) = self.declined {
            return Next::Ended(why);
        }
        match (&self.request, &self.paid) {
            (_, Some(_)) if self.wrist != Wrist::Untold => Next::Done(Outcome::Settled),
            _ if said => Next::Wait,
            (_, Some((token, receipt))) => match (Opaque::new(token), Opaque::new(receipt)) {
                (Some(token), Some(receipt)) => Next::Band(ToBand::Received { token, receipt }),
                _ => Next::Wait,
            },
            (Some(_), None) => Next::Wait,
            (None, None) => Text::new(&self.memo)
                .map_or(Next::Wait, |memo| Next::Band(ToBand::Receive { amount: self.amount, expiry: self.expiry, memo })),
        }
    }

    /// What is next is given out once more.
    pub const fn again(&mut self) {
        self.said = false;
    }

    /// The band signed `request`.
    ///
    /// # Errors
    /// [`PaymentError::OtherAnswer`] where it does not ask for what the wearer asks, or there is one already.
    pub fn requested(&mut self, request: &[u8]) -> Result<(), PaymentError> {
        let unverified = Unverified::<PaymentRequest<'_>>::parse(request)?;
        let PaymentRequest { amount, expiry, memo, .. } = *unverified.claims();
        let asks = (amount, expiry, memo.as_str()) == (self.amount, self.expiry, self.memo.as_str());
        match &self.request {
            Some(known) if known == request => Ok(()),
            None if asks => {
                (self.request, self.declined) = (Some(request.to_vec()), None);
                Ok(())
            }
            _ => Err(PaymentError::OtherAnswer),
        }
    }

    /// The issuer settled `token` for this request, as its `receipt` says.
    ///
    /// # Errors
    /// [`PaymentError::OtherAnswer`] where the token pays another request or another amount, or was not settled; [`PaymentError::Receipt`] where
    /// the receipt does not verify or is for another token.
    pub fn paid(
        &mut self,
        token: &[u8],
        receipt: &[u8],
        root: &RootFingerprint,
        key_list: &Verified<KeyList>,
    ) -> Result<(), PaymentError> {
        let request = self.request.as_deref().ok_or(PaymentError::Unexpected)?;
        let digest = Unverified::<PaymentRequest<'_>>::parse(request)?.request_digest(root);
        let pays = Unverified::<PaymentToken>::parse(token)?;
        let answers = pays.claims().request == digest && pays.claims().amount == self.amount;
        let outcome = verify_receipt(receipt, token, root, key_list)?;
        if !answers || !outcome.is_settled() {
            return Err(PaymentError::OtherAnswer);
        }
        if self.paid.is_none() {
            (self.paid, self.said) = (Some((token.to_vec(), receipt.to_vec())), false);
        }
        Ok(())
    }

    /// The band does not do what it was asked. Where it may do so another time, it is asked again when the app says so.
    pub fn declined(&mut self, why: Decline) {
        match (&self.request, &self.paid) {
            // It remembers the last request alone, and has its wearer told of it once.
            (_, Some(_)) if !may_ask_again(why) => self.wrist = Wrist::Refuses,
            (None, None) if !may_ask_again(why) => self.declined = Some(why),
            _ => {}
        }
    }

    /// The band told its wearer that the money came.
    pub const fn noted(&mut self) {
        if self.paid.is_some() && self.said {
            self.wrist = Wrist::Told;
        }
    }

    /// The signed request, once the band gave it: for the payer, and for a sale.
    #[must_use]
    pub fn request(&self) -> Option<&[u8]> {
        self.request.as_deref()
    }

    /// Whether the money came.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        self.paid.is_some()
    }

    /// The collection as it is stored, at most [`Collection::MAX_LEN`] bytes. Nothing in it is secret.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        StoredCollection::of(self).map(|stored| stored.to_bytes()).unwrap_or_default()
    }

    /// The collection that [`to_bytes`](Self::to_bytes) made these bytes of; `None` if they are not that.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        StoredCollection::from_bytes(bytes)?.collection()
    }

    /// The longest stored collection, in bytes.
    pub const MAX_LEN: usize = StoredCollection::MAX_LEN;
}
