//! A payee without network.

use armring_payee::{FloorLimits, Lists, Offline, OfflineError, Revoked, Sale};
use armring_token::{Epoch, Form, KeyList, PaymentToken, Revocation, RevocationList, Revocations, Signing, Unverified, Verified};
use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::{Currency, KeyId, Opaque, PayeeRef, UnixTime};

use super::*;

pub(crate) const FLOOR: FloorLimits = FloorLimits { each: 5_000, credential: 6_000, total: 9_000, payments: 5 };

pub(crate) fn keys(next_update: UnixTime) -> Verified<KeyList> {
    let object = key_list_until(3, 2, next_update);
    Unverified::<KeyList>::parse(&object).unwrap().verify(&fingerprint(), &root()).unwrap()
}

/// A list that revokes `subjects`.
pub(crate) fn revoked(subjects: &[PayeeRef], next_update: UnixTime) -> Revoked {
    let mut buffer = [0; 64];
    let words = subjects.iter().map(|subject| Revocation { subject: *subject, revoked: true });
    let entries = Revocations::write(words, &mut buffer).unwrap();
    let list = RevocationList {
        form: Form,
        key: KeyId(1),
        epoch: Epoch(1),
        since: Epoch(0),
        part: 0,
        parts: 1,
        issued: NOW,
        next_update,
        entries,
    };
    let mut revoked = Revoked::new(fingerprint(), 100);
    let before = UnixTime::from_secs(next_update.as_secs() - 1);
    revoked.take_part(&sign(&list, &Signing::new(key(2))), &keys(VALIDITY.until), before).unwrap();
    revoked
}

/// A payee without network.
pub(crate) struct Stall {
    pub(crate) shop: Shop,
    pub(crate) book: Offline,
    pub(crate) keys: Verified<KeyList>,
    pub(crate) revoked: Revoked,
    pub(crate) now: UnixTime,
    pub(crate) rng: ChaCha20Rng,
}

impl Stall {
    pub(crate) fn new() -> Self {
        let (keys, revoked) = (keys(VALIDITY.until), revoked(&[], VALIDITY.until));
        Self { shop: shop(), book: Offline::new(Currency::CNY, FLOOR), keys, revoked, now: NOW, rng: rng() }
    }

    pub(crate) fn asks(&mut self, minor: u64) -> Sale {
        self.shop.request(cny(minor), "tea for two", (NOW, EXPIRY), &mut self.rng).unwrap()
    }

    pub(crate) fn accepts(&mut self, sale: &mut Sale, token: &[u8], credential: &[u8]) -> Result<(), OfflineError> {
        let lists = Lists { keys: &self.keys, revoked: &self.revoked };
        sale.accept_offline(token, credential, &mut self.book, lists, self.now).map(|_| ())
    }

    pub(crate) fn hears<'s>(&mut self, sale: &'s mut Sale, record: &[u8]) -> FromPayee<'s> {
        let lists = Lists { keys: &self.keys, revoked: &self.revoked };
        sale.hear_offline(record, &mut self.book, lists, self.now)
    }

    /// Is started again: all that is left of the sales is what was stored of them.
    pub(crate) fn restarts<'s>(&mut self, sales: impl Iterator<Item = &'s mut Sale>) {
        self.book = Offline::new(Currency::CNY, FLOOR);
        for sale in sales {
            *sale = restored(sale);
            self.book.readmit(sale).unwrap();
        }
    }

    pub(crate) fn has_taken_nothing(&self, sale: &Sale) -> bool {
        self.book.pending().is_empty() && sale.pending().is_none()
    }
}

/// What a band signs for a payee without network, with something changed.
pub(crate) fn offline_token(sale: &Sale, change: impl FnOnce(&mut PaymentToken)) -> Vec<u8> {
    token_with(sale, |body| {
        body.presence.online_only = false;
        change(body);
    })
}

pub(crate) fn says(token: &[u8], credential: &[u8]) -> Vec<u8> {
    record(&ToPayee::Offline { token: Opaque::new(token).unwrap(), credential: Opaque::new(credential).unwrap() })
}

pub(crate) fn says_token(token: &[u8]) -> Vec<u8> {
    record(&ToPayee::Token(Opaque::new(token).unwrap()))
}

/// What a payee that was started again has of a sale.
pub(crate) fn restored(sale: &Sale) -> Sale {
    let bytes = sale.to_bytes();
    let restored = Sale::from_bytes(&bytes, &fingerprint()).unwrap();
    assert_eq!(restored.to_bytes(), bytes);
    restored
}
