//! How payments and collections are stored: postcard, held to one encoding, as everything else.

use armring_token::{Receipt, Unverified};
use armring_wire::records::band::Decline;
use armring_wire::records::{CREDENTIAL_MAX, MEMO_MAX, Object};
use armring_wire::{Amount, Opaque, RootFingerprint, Text, UnixTime, decode, encode};
use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use crate::collection::Collection;
use crate::offer::Offer;
use crate::payment::{Payment, Wrist};

/// What stands for the first form, and for what.
const PAYMENT: u8 = 1;
const COLLECTION: u8 = 2;

/// A payment as it is stored. What is not there is empty.
#[derive(Clone, Copy, Serialize, Deserialize, MaxSize)]
pub(crate) struct StoredPayment<'a> {
    form: u8,
    #[serde(borrow)]
    request: Object<'a>,
    #[serde(borrow)]
    certificate: Opaque<'a, CREDENTIAL_MAX>,
    #[serde(borrow)]
    credential: Opaque<'a, CREDENTIAL_MAX>,
    names_payee: bool,
    #[serde(borrow)]
    token: Object<'a>,
    pending: bool,
    #[serde(borrow)]
    receipt: Object<'a>,
    wrist: u8,
    declined: Option<Decline>,
}

impl<'a> StoredPayment<'a> {
    pub(crate) const MAX_LEN: usize = Self::POSTCARD_MAX_SIZE;

    /// `None` where something is longer than an object is, which nothing in a payment is.
    pub(crate) fn of(payment: &'a Payment) -> Option<Self> {
        Some(Self {
            form: PAYMENT,
            request: Opaque::new(payment.offer.object())?,
            certificate: Opaque::new(payment.offer.certificate())?,
            credential: Opaque::new(&payment.credential)?,
            names_payee: payment.names_payee,
            token: Opaque::new(payment.token.as_deref().unwrap_or_default())?,
            pending: payment.pending,
            receipt: Opaque::new(payment.receipt().unwrap_or_default())?,
            wrist: wrist_byte(payment.wrist),
            declined: payment.declined,
        })
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        encode(&self, &mut [0; Self::MAX_LEN]).map(|bytes| bytes.to_vec()).unwrap_or_default()
    }

    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        decode::<Self>(bytes).ok().filter(|stored| stored.form == PAYMENT)
    }

    pub(crate) fn payment(&self, root: &RootFingerprint) -> Option<Payment> {
        let offer = Offer::stored(self.request.as_bytes(), self.certificate.as_bytes(), root)?;
        let mut payment = Payment::new(offer, self.credential.as_bytes());
        if let Some(token) = some(self.token.as_bytes()) {
            payment.token(token).ok()?;
        }
        payment.receipt = match some(self.receipt.as_bytes()) {
            Some(_) if payment.token.is_none() => return None,
            Some(receipt) => Some((receipt.to_vec(), Unverified::<Receipt>::parse(receipt).ok()?.claims().outcome)),
            None => None,
        };
        (payment.names_payee, payment.pending, payment.declined) = (self.names_payee, self.pending, self.declined);
        payment.wrist = wrist(self.wrist)?;
        Some(payment)
    }
}

/// A collection as it is stored.
#[derive(Clone, Copy, Serialize, Deserialize, MaxSize)]
pub(crate) struct StoredCollection<'a> {
    form: u8,
    amount: Amount,
    expiry: UnixTime,
    #[serde(borrow)]
    memo: Text<'a, MEMO_MAX>,
    #[serde(borrow)]
    request: Object<'a>,
    #[serde(borrow)]
    token: Object<'a>,
    #[serde(borrow)]
    receipt: Object<'a>,
    wrist: u8,
    declined: Option<Decline>,
}

impl<'a> StoredCollection<'a> {
    pub(crate) const MAX_LEN: usize = Self::POSTCARD_MAX_SIZE;

    pub(crate) fn of(collection: &'a Collection) -> Option<Self> {
        let (token, receipt) = collection.paid.as_ref().map_or((&[][..], &[][..]), |(token, receipt)| (token, receipt));
        Some(Self {
            form: COLLECTION,
            amount: collection.amount,
            expiry: collection.expiry,
            memo: Text::new(&collection.memo)?,
            request: Opaque::new(collection.request().unwrap_or_default())?,
            token: Opaque::new(token)?,
            receipt: Opaque::new(receipt)?,
            wrist: wrist_byte(collection.wrist),
            declined: collection.declined,
        })
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        encode(&self, &mut [0; Self::MAX_LEN]).map(|bytes| bytes.to_vec()).unwrap_or_default()
    }

    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        decode::<Self>(bytes).ok().filter(|stored| stored.form == COLLECTION)
    }

    pub(crate) fn collection(&self) -> Option<Collection> {
        let mut collection = Collection::new(self.amount, self.expiry, self.memo.as_str())?;
        if let Some(request) = some(self.request.as_bytes()) {
            collection.requested(request).ok()?;
        }
        collection.paid = match (some(self.token.as_bytes()), some(self.receipt.as_bytes())) {
            (Some(token), Some(receipt)) => Some((token.to_vec(), receipt.to_vec())),
            (None, None) => None,
            _ => return None,
        };
        (collection.wrist, collection.declined) = (wrist(self.wrist)?, self.declined);
        Some(collection)
    }
}

const fn wrist_byte(wrist: Wrist) -> u8 {
    match wrist {
        Wrist::Untold => 0,
        Wrist::Told => 1,
        Wrist::Refuses => 2,
    }
}

const fn wrist(byte: u8) -> Option<Wrist> {
    match byte {
        0 => Some(Wrist::Untold),
        1 => Some(Wrist::Told),
        2 => Some(Wrist::Refuses),
        _ => None,
    }
}

fn some(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}
