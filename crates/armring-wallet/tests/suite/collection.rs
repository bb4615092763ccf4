//! What the wearer asks to be paid, through everything that can be lost on the way: settled once, told once.

use armring_payee::Sale;
use armring_token::{
    Counter, Credential, Form, Gesture, Issuer as IssuerUse, KeyList, Minor, Object, Payment, PaymentRequest, PaymentToken,
    Presence, Signing, Unlocking, Unverified, Verified, VerifyError,
};
use armring_wallet::{Collection, Event, Next, PaymentError};
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::payee::ToPayee;
use armring_wire::{AttPayload, CredentialId, Opaque, Outcome, encode};
use ed25519_dalek::SigningKey;

use crate::common::Room;
use crate::common::issuer::{TestIssuer, at, yuan};
use crate::common::market::{Ledger, hear, is_over};

/// A friend's token for `request`.
fn payment(request: &[u8], change: impl FnOnce(&mut PaymentToken), issuer: &TestIssuer) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
    let mut token = PaymentToken {
        form: Form,
        credential: CredentialId(*b"a friend"),
        payee: request.claims().payee,
        request: request.request_digest(&issuer.fingerprint()),
        amount: request.claims().amount,
        counter: Counter(1),
        cumulative: Minor(request.claims().amount.minor()),
        presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Gesture::Press, online_only: false },
    };
    change(&mut token);
    let key = Signing::<Payment, _>::new(SigningKey::from_bytes(&[8; 32]));
    token.sign(&issuer.fingerprint(), &key, &mut [0; PaymentToken::LEN]).unwrap().to_vec()
}

fn credential(issuer: &TestIssuer) -> Vec<u8> {
    let credential = Credential { payment_key: issuer.payment_keys[0], ..issuer.template };
    let signer = Signing::<IssuerUse, _>::new(issuer.signing.clone());
    credential.sign(&issuer.fingerprint(), &signer, &mut [0; 200]).unwrap().to_vec()
}

struct Collecting {
    room: Room,
    issuer: TestIssuer,
    keys: Verified<KeyList>,
    collection: Collection,
    ledger: Ledger,
    restarts: bool,
}

impl Collecting {
    fn new(restarts: bool) -> Self {
        let mut issuer = TestIssuer::new();
        let mut room = Room::ready(&mut issuer);
        room.payload = AttPayload::MIN;
        room.disconnect();
        let keys = issuer.verified_key_list();
        let collection = Collection::new(yuan(2_000), at(9_000), "the taxi").unwrap();
        Self { room, issuer, keys, collection, ledger: Ledger::default(), restarts }
    }

    /// A friend pays what was asked for.
    fn is_paid_by_a_friend(&mut self) {
        let request = self.collection.request().unwrap().to_vec();
        let root = self.issuer.fingerprint();
        let mut sale = Sale::from_signed_request(&request, &credential(&self.issuer), &root, &self.keys).unwrap();
        let token = payment(&request, |_| {}, &self.issuer);
        let record = encode(&ToPayee::Token(Opaque::new(&token).unwrap()), &mut [0; 200]).unwrap().to_vec();
        hear(&mut sale, &record, &mut self.ledger, &self.issuer, &self.keys);
        let settled = sale.settled().unwrap();
        self.collection.paid(settled.token, settled.receipt, &root, &self.keys).unwrap();
    }

    fn run(&mut self) {
        for _ in 0..20 {
            if self.restarts {
                let bytes = self.collection.to_bytes();
                assert!(bytes.len() <= Collection::MAX_LEN);
                self.collection = Collection::from_bytes(&bytes).unwrap();
            }
            let is_shown = self.collection.request().is_some() && !self.collection.is_paid();
            let events = match self.collection.poll() {
                Next::Band(record) => self.room.carry(&record),
                Next::Wait if is_shown => {
                    self.is_paid_by_a_friend();
                    continue;
                }
                Next::Wait => {
                    self.collection.again();
                    continue;
                }
                next => {
                    assert!(is_over(&next));
                    return;
                }
            };
            for event in events {
                match event {
                    Event::Request(request) => self.collection.requested(&request).unwrap(),
                    Event::Declined(why) => self.collection.declined(why),
                    Event::Noted => self.collection.noted(),
                    _ => {}
                }
            }
        }
        panic!("it does not come to an end");
    }
}

#[test]
fn money_asked_for_over_a_link_cut_at_any_fragment_comes_once_and_is_told_once() {
    for restarts in [false, true] {
        let mut cuts = 0;
        for at in 0.. {
            let mut collecting = Collecting::new(restarts);
            collecting.room.radio = Some(at);
            collecting.run();
            let name = format!("cut at fragment {at}, restarts: {restarts}");
            assert_eq!(collecting.collection.poll(), Next::Done(Outcome::Settled), "{name}");
            assert_eq!((collecting.ledger.settlements(), collecting.room.told()), (1, 1), "{name}");
            if collecting.room.radio.is_some() {
                break;
            }
            cuts = at + 1;
        }
        assert!(cuts > 30, "{cuts} fragments were cut");
    }
}

#[test]
fn what_the_band_declines_has_ended_or_is_asked_again_when_the_app_says_so() {
    let new = || Collection::new(yuan(1), at(9_000), "").unwrap();
    for (why, ended) in
        [(Decline::NoGesture, true), (Decline::NotAllowed, true), (Decline::Locked, false), (Decline::Busy, false)]
    {
        let mut collection = new();
        assert!(matches!(collection.poll(), Next::Band(ToBand::Receive { .. })));
        collection.declined(why);
        assert_eq!(collection.poll(), if ended { Next::Ended(why) } else { Next::Wait }, "{why}");
        collection.again();
        assert_eq!(matches!(collection.poll(), Next::Band(_)), !ended, "{why}");
    }
    assert_eq!(Collection::new(yuan(1), at(9_000), "two\nlines"), None);
}

#[test]
fn only_the_request_that_was_asked_for_and_a_settled_token_for_it_count() {
    let mut collecting = Collecting::new(false);
    let Next::Band(record) = collecting.collection.poll() else { panic!("the band is asked first") };
    let request = |events: Vec<Event>| {
        let request = |event| if let Event::Request(request) = event { Some(request) } else { None };
        events.into_iter().find_map(request).unwrap()
    };
    let good = request(collecting.room.carry(&record));
    let memo = armring_wire::Text::new("the taxi").unwrap();
    let other = request(collecting.room.carry(&ToBand::Receive { amount: yuan(2_001), expiry: at(9_000), memo }));
    let Collecting { mut collection, issuer, keys, .. } = collecting;
    let root = issuer.fingerprint();
    let token = payment(&good, |_| {}, &issuer);
    let receipt = issuer.receipt(&token, Outcome::Settled, 2_000, 0);
    assert_eq!(collection.paid(&token, &receipt, &root, &keys), Err(PaymentError::Unexpected), "nothing was asked for yet");
    assert_eq!(collection.requested(&other), Err(PaymentError::OtherAnswer));
    collection.requested(&good).unwrap();
    assert_eq!(collection.requested(&other), Err(PaymentError::OtherAnswer));
    collection.requested(&good).unwrap();
    assert_eq!(collection.poll(), Next::Wait);

    let before = collection.clone();
    let (of_other, less) = (payment(&other, |_| {}, &issuer), payment(&good, |token| token.amount = yuan(1), &issuer));
    let settles = |token: &[u8]| issuer.receipt(token, Outcome::Settled, 2_000, 0);
    let refused = issuer.receipt(&token, Outcome::InsufficientFunds, 2_000, 0);
    let mut forged = receipt.clone();
    forged[3] ^= 1;
    for (name, token, receipt, error) in [
        ("of another request", &of_other, &settles(&of_other), PaymentError::OtherAnswer),
        ("less", &less, &settles(&less), PaymentError::OtherAnswer),
        ("refused", &token, &refused, PaymentError::OtherAnswer),
        ("receipt of another token", &token, &settles(&of_other), PaymentError::Receipt(VerifyError::OtherObject)),
        ("forged receipt", &token, &forged, PaymentError::Receipt(VerifyError::Signature)),
    ] {
        assert_eq!(collection.paid(token, receipt, &root, &keys), Err(error), "{name}");
        assert_eq!(collection, before, "{name}");
    }
    collection.paid(&token, &receipt, &root, &keys).unwrap();
    let (token, receipt) = (Opaque::new(&token).unwrap(), Opaque::new(&receipt).unwrap());
    assert_eq!(collection.poll(), Next::Band(ToBand::Received { token, receipt }));
    collection.declined(Decline::Invalid);
    assert_eq!(collection.poll(), Next::Done(Outcome::Settled), "the band had told its wearer, or has forgotten");
}

#[test]
fn a_stored_collection_that_was_cut_is_none() {
    let mut collecting = Collecting::new(false);
    collecting.run();
    let bytes = collecting.collection.to_bytes();
    assert_eq!(Collection::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    for len in 0..bytes.len() {
        assert_eq!(Collection::from_bytes(&bytes[..len]), None);
    }
}
