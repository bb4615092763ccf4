//! A payment through everything that can be lost on the way: settled once, told once.

mod offline;

use armring_payee::{Payee, Sale};
use armring_token::{Issuer as IssuerUse, KeyList, Object, Signing, Verified, VerifyError};
use armring_wallet::{Event, Next, Offer, Payment, PaymentError};
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::issuer::Refusal;
use armring_wire::records::payee::FromPayee;
use armring_wire::{AttPayload, Opaque, Outcome, UnixTime, encode};

use crate::common::Room;
use crate::common::issuer::{Shop, TestIssuer, at, yuan};
use crate::common::market::{Ledger, Way, hear, is_over};
use crate::common::steps::claims;

const NOW: UnixTime = UnixTime::from_secs(2_000);

struct Market {
    room: Room,
    issuer: TestIssuer,
    keys: Verified<KeyList>,
    certificate: Vec<u8>,
    sale: Sale,
    payment: Payment,
    /// The band's credential, as it said it.
    credential: Vec<u8>,
    ledger: Ledger,
    way: Way,
    /// The app is started again after everything that it does.
    restarts: bool,
}

impl Market {
    fn new(restarts: bool) -> Self {
        let mut issuer = TestIssuer::new();
        let mut room = Room::ready(&mut issuer);
        room.payload = AttPayload::MIN;
        room.disconnect();
        let (keys, shop) = (issuer.verified_key_list(), Shop::new());
        let certificate = issuer.certificate(&shop, |_| {});
        let payee = Payee::new(issuer.root_key(), &issuer.key_list(), &certificate, Signing::new(shop.key)).unwrap();
        let sale = payee.request(yuan(1_250), "tea for two", (NOW, at(50_000)), &mut room.rng).unwrap();
        let offer = Offer::verify(sale.request(), &certificate, &issuer.fingerprint(), &keys, NOW).unwrap();
        let credential = credential(&issuer);
        let payment = Payment::new(offer, &credential);
        let (ledger, way) = (Ledger::default(), Way::default());
        Self { room, issuer, keys, certificate, sale, payment, credential, ledger, way, restarts }
    }

    /// Does what is next. `false` where something got lost, so that the app has to say "again".
    fn step(&mut self) -> Option<bool> {
        if self.restarts {
            let bytes = self.payment.to_bytes();
            assert!(bytes.len() <= Payment::MAX_LEN);
            self.payment = Payment::from_bytes(&bytes, &self.issuer.fingerprint()).unwrap();
        }
        let Self { room, issuer, keys, sale, payment, ledger, way, .. } = self;
        match payment.poll() {
            Next::Band(record) => {
                let events = room.carry(&record);
                let heard = !events.is_empty();
                for event in events {
                    match event {
                        Event::Token(token) => payment.token(&token).unwrap(),
                        Event::Declined(why) => payment.declined(why),
                        Event::Noted => payment.noted(),
                        _ => {}
                    }
                }
                Some(heard && !room.is_gone())
            }
            Next::Payee(record) => {
                if !way.carries() {
                    return Some(false);
                }
                let record = encode(&record, &mut [0; 512]).unwrap().to_vec();
                let answer = hear(sale, &record, ledger, issuer, keys);
                if !way.carries() {
                    return Some(false);
                }
                payment.payee_says(&answer, &issuer.fingerprint(), keys).unwrap();
                Some(true)
            }
            Next::Wait => Some(false),
            next => {
                assert!(is_over(&next));
                None
            }
        }
    }

    /// Goes on until it is over, with the app saying "again" whenever something got lost. How often it did.
    fn run(&mut self) -> usize {
        let mut again = 0;
        while let Some(heard) = self.step() {
            if !heard {
                again += 1;
                assert!(again < 20, "it comes to an end");
                self.payment.again();
            }
        }
        again
    }

    fn check(&mut self, name: &str) {
        assert_eq!(self.payment.poll(), Next::Done(Outcome::Settled), "{name}");
        assert_eq!(self.ledger.settlements(), 1, "{name}");
        let settled = self.sale.settled().unwrap();
        assert_eq!(self.payment.receipt(), Some(settled.receipt), "{name}");
        assert_eq!((self.room.told(), self.payment.is_told()), (1, true), "{name}: {:?}", self.room.signals);
        let token = claims(settled.token);
        assert_eq!((token.counter.0, token.cumulative.0), (1, 1_250), "{name}: signed once");
    }
}

/// The credential that the issuer has given the band.
fn credential(issuer: &TestIssuer) -> Vec<u8> {
    let credential = armring_token::Credential { payment_key: issuer.payment_keys[0], ..issuer.template };
    let signer = Signing::<IssuerUse, _>::new(issuer.signing.clone());
    credential.sign(&issuer.fingerprint(), &signer, &mut [0; 200]).unwrap().to_vec()
}

#[test]
fn nothing_lost_is_nothing_asked_twice() {
    for restarts in [false, true] {
        let mut market = Market::new(restarts);
        assert_eq!(market.run(), 0);
        market.check("unharmed");
    }
}

#[test]
fn payment_asked_twice_after_a_link_cut_at_any_fragment_settles_once_and_is_told_once() {
    for restarts in [false, true] {
        let mut cuts = 0;
        for at in 0.. {
            let mut market = Market::new(restarts);
            market.room.radio = Some(at);
            market.run();
            market.check(&format!("cut at fragment {at}, restarts: {restarts}"));
            if market.room.radio.is_some() {
                break;
            }
            cuts = at + 1;
        }
        assert!(cuts > 40, "{cuts} fragments were cut");
    }
}

#[test]
fn payment_asked_twice_after_any_message_to_or_from_the_payee_is_lost_settles_once_and_is_told_once() {
    for restarts in [false, true] {
        for at in 0..3 {
            let mut market = Market::new(restarts);
            market.way.loses = Some(at);
            assert_eq!(market.run(), usize::from(at < 2), "a question and an answer");
            market.check(&format!("message {at}, restarts: {restarts}"));
        }
    }
}

#[test]
fn a_busy_payee_is_asked_again_only_when_the_app_says_so() {
    let mut market = Market::new(false);
    market.ledger.is_away = true;
    while market.step() == Some(true) {}
    assert_eq!(market.payment.refused(), Some(Refusal::Busy));
    for _ in 0..3 {
        assert_eq!(market.payment.poll(), Next::Wait);
    }
    market.ledger.is_away = false;
    assert_eq!(market.ledger.settlements(), 0);
    market.payment.again();
    assert_eq!(market.run(), 0);
    market.check("when the payee has time");
}

#[test]
fn a_payment_that_the_issuer_refused_is_over_and_told_too() {
    let mut market = Market::new(true);
    market.ledger.outcome = Some(Outcome::InsufficientFunds);
    market.run();
    assert_eq!(market.payment.poll(), Next::Done(Outcome::InsufficientFunds));
    assert_eq!((market.payment.is_told(), market.ledger.settlements()), (true, 0));
}

#[test]
fn a_payment_that_the_wearer_declines_has_ended_and_stays_so() {
    let mut market = Market::new(true);
    market.room.reconnect();
    let Next::Band(record) = market.payment.poll() else { panic!("the band is asked first") };
    market.room.say(&record);
    market.room.gesture(armring_band::Gesture::Refuse);
    market.payment.declined(market.room.declined().unwrap());
    for _ in 0..2 {
        assert_eq!(market.payment.poll(), Next::Ended(Decline::NoGesture));
        market.payment.again();
        market.payment = Payment::from_bytes(&market.payment.to_bytes(), &market.issuer.fingerprint()).unwrap();
    }
}

#[test]
fn what_the_band_can_do_another_time_is_asked_again_and_the_rest_has_ended() {
    for (why, ended) in [
        (Decline::NotWorn, false),
        (Decline::Locked, false),
        (Decline::Busy, false),
        (Decline::Machine, false),
        (Decline::NoGesture, true),
        (Decline::OverLimit, true),
        (Decline::NotAllowed, true),
        (Decline::Expired, true),
        (Decline::Exhausted, true),
        (Decline::NoCredential, true),
        (Decline::Invalid, true),
    ] {
        let mut payment = Market::new(false).payment;
        let _ = payment.poll();
        payment.declined(why);
        assert_eq!(payment.poll(), if ended { Next::Ended(why) } else { Next::Wait }, "{why}");
        payment.again();
        assert_eq!(matches!(payment.poll(), Next::Band(ToBand::Pay { .. })), !ended, "{why}");
    }
}

#[test]
fn a_band_that_shows_who_asks_is_told() {
    let Market { mut payment, certificate, sale, .. } = Market::new(false);
    let _ = payment.poll();
    payment.declined(Decline::Unshown);
    let (request, certificate) = (Opaque::new(sale.request()).unwrap(), Opaque::new(&certificate).unwrap());
    assert_eq!(payment.poll(), Next::Band(ToBand::PayTo { request, certificate }));
    payment.again();
    assert_eq!(payment.poll(), Next::Band(ToBand::PayTo { request, certificate }));
    payment.declined(Decline::Unshown);
    assert_eq!(payment.poll(), Next::Ended(Decline::Unshown), "it does not ask for ever");
}

#[test]
fn a_token_that_does_not_answer_the_offer_is_refused() {
    let mut market = Market::new(false);
    market.room.reconnect();
    let other = market.room.pays(&Shop::new().asks(1_250)).unwrap();
    let before = market.payment.clone();
    for bad in [other.as_slice(), &[], market.sale.request()] {
        assert_eq!(market.payment.token(bad), Err(PaymentError::OtherAnswer));
        assert_eq!(market.payment, before);
    }
}

#[test]
fn a_receipt_that_does_not_verify_or_is_for_another_token_is_refused() {
    let mut market = Market::new(false);
    market.room.reconnect();
    let (request, mut other) = (market.sale.request().to_vec(), Shop::new());
    let token = market.room.pays(&request).unwrap();
    let others = market.room.pays(&other.asks(1_250)).unwrap();
    let good = market.issuer.receipt(&token, Outcome::Settled, 2_000, 9_000);
    let of_other = market.issuer.receipt(&others, Outcome::Settled, 2_000, 9_000);
    let mut forged = good.clone();
    forged[100] ^= 1;
    let said = |receipt: &[u8]| encode(&FromPayee::Receipt(Opaque::new(receipt).unwrap()), &mut [0; 200]).unwrap().to_vec();
    let Market { mut payment, issuer, keys, .. } = market;
    let root = issuer.fingerprint();
    let early = payment.payee_says(&said(&good), &root, &keys);
    assert_eq!(early, Err(PaymentError::Unexpected), "no token has been given yet");
    payment.token(&token).unwrap();
    let before = payment.clone();
    let bad = [
        (said(&forged), PaymentError::Receipt(VerifyError::Signature)),
        (said(&of_other), PaymentError::Receipt(VerifyError::OtherObject)),
        (said(&token), PaymentError::Receipt(VerifyError::Malformed)),
        (vec![0xFF; 3], PaymentError::Record(armring_wire::DecodeError::Malformed)),
    ];
    for (record, error) in bad {
        assert_eq!(payment.payee_says(&record, &root, &keys), Err(error));
        assert_eq!(payment, before);
    }
    payment.payee_says(&said(&good), &root, &keys).unwrap();
    assert_eq!(payment.receipt(), Some(good.as_slice()));
    assert_eq!(payment.payee_says(&said(&of_other), &root, &keys), Err(PaymentError::Unexpected), "the first is final");
}

#[test]
fn noted_counts_only_for_a_receipt_that_was_handed_on() {
    let mut market = Market::new(false);
    let _ = market.payment.poll();
    market.payment.noted();
    assert!(!market.payment.is_told());
    market.payment.again();
    while market.payment.receipt().is_none() {
        market.step();
    }
    market.payment.noted();
    assert!(!market.payment.is_told(), "the band was not asked yet");
    market.run();
    market.check("after that");
}

#[test]
fn a_receipt_that_the_band_does_not_remember_the_token_of_ends_the_payment_untold() {
    let mut market = Market::new(false);
    while market.payment.receipt().is_none() {
        market.step();
    }
    let Next::Band(ToBand::Paid { .. }) = market.payment.poll() else { panic!("the band is told") };
    market.payment.declined(Decline::Busy);
    assert_eq!(market.payment.poll(), Next::Wait);
    market.payment.declined(Decline::Invalid);
    assert_eq!(market.payment.poll(), Next::Done(Outcome::Settled));
    assert!(!market.payment.is_told());
}

#[test]
fn a_stored_payment_that_was_changed_is_none_or_pays_no_other() {
    let mut market = Market::new(true);
    while market.payment.receipt().is_none() {
        market.step();
    }
    let (root, bytes) = (market.issuer.fingerprint(), market.payment.to_bytes());
    let stored = |bytes: &[u8]| Payment::from_bytes(bytes, &root);
    assert_eq!(stored(&bytes).unwrap().to_bytes(), bytes);
    for len in 0..bytes.len() {
        assert_eq!(stored(&bytes[..len]), None);
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        // A token answers the request that it is stored with, or is none.
        if let Some(payment) = stored(&changed) {
            assert!(payment.offer().amount() == yuan(1_250), "{at}");
        }
    }
}
