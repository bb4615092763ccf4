//! Asking for money with the wearer's own credential, and being told that it came.

use armring_band::{Gesture, Signal};
use armring_token::{
    Counter, CredentialRights, Form, Gesture as Made, Minor, Object, Payment, PaymentKey, PaymentRequest, PaymentToken, Presence,
    Signing, Unlocking, Unverified,
};
use armring_wallet::Event;
use armring_wire::records::band::{Awaited, Decline, ToBand};
use armring_wire::{Amount, CredentialId, Currency, Opaque, Outcome, PayeeRef, Text};
use ed25519_dalek::SigningKey;

use crate::common::issuer::{CREDENTIAL, Shop, TestIssuer, at, yuan};
use crate::common::steps::claims;
use crate::common::{Flash, Room};

fn ask(room: &mut Room, amount: Amount, expiry: u32) {
    room.say(&ToBand::Receive { amount, expiry: at(expiry), memo: Text::new("the taxi").unwrap() });
}

/// The request that the band signed.
fn request(room: &mut Room) -> Option<Vec<u8>> {
    room.events.iter().rev().find_map(|event| if let Event::Request(request) = event { Some(request.clone()) } else { None })
}

/// A payer's token for `request`.
fn payment(request: &[u8], amount: u64, issuer: &TestIssuer) -> Vec<u8> {
    let request = Unverified::<PaymentRequest<'_>>::parse(request).unwrap();
    let token = PaymentToken {
        form: Form,
        credential: CredentialId(*b"a friend"),
        payee: request.claims().payee,
        request: request.request_digest(&issuer.fingerprint()),
        amount: yuan(amount),
        counter: Counter(1),
        cumulative: Minor(amount),
        presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Made::Press, online_only: false },
    };
    let key = Signing::<Payment, _>::new(SigningKey::from_bytes(&[8; 32]));
    token.sign(&issuer.fingerprint(), &key, &mut [0; PaymentToken::LEN]).unwrap().to_vec()
}

fn bring(room: &mut Room, token: &[u8], receipt: &[u8]) {
    room.forget();
    room.say(&ToBand::Received { token: Opaque::new(token).unwrap(), receipt: Opaque::new(receipt).unwrap() });
}

#[test]
fn double_press_signs_a_request_that_verifies_with_the_payment_key() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    ask(&mut room, yuan(2_000), 9_000);
    assert_eq!(room.waits_for(), Some(Awaited::ReceiveGesture));
    room.press();
    assert_eq!(request(&mut room), None, "a press pays and does not ask");
    room.gesture(Gesture::DoublePress);
    let object = request(&mut room).unwrap();
    let key = PaymentKey::from_bytes(issuer.payment_keys[0]).unwrap().as_payee();
    let signed = Unverified::<PaymentRequest<'_>>::parse(&object).unwrap().verify(&issuer.fingerprint(), &key).unwrap();
    assert_eq!((signed.payee, signed.amount), (PayeeRef::Credential(CREDENTIAL), yuan(2_000)));
    assert_eq!((signed.memo.as_str(), signed.expiry), ("the taxi", at(9_000)));
    room.forget();
    room.gesture(Gesture::DoublePress);
    assert_eq!(request(&mut room), None, "one gesture, one request");
}

#[test]
fn received_receipt_is_matched_and_a_replayed_one_is_refused() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    ask(&mut room, yuan(2_000), 9_000);
    room.gesture(Gesture::DoublePress);
    let token = payment(&request(&mut room).unwrap(), 2_000, &issuer);
    let receipt = issuer.receipt(&token, Outcome::Settled, 2_000, 0);
    let refused = issuer.receipt(&token, Outcome::InsufficientFunds, 2_000, 0);
    let other = payment(&Shop::new().asks(2_000), 2_000, &issuer);
    let of_other = issuer.receipt(&other, Outcome::Settled, 2_000, 0);
    let mut forged = receipt.clone();
    forged[3] ^= 1;
    for (name, token, receipt) in [
        ("refused by the issuer", &token, &refused),
        ("for another's request", &other, &of_other),
        ("receipt of another token", &token, &of_other),
        ("token of another receipt", &other, &receipt),
        ("forged receipt", &token, &forged),
        ("no token", &Vec::new(), &receipt),
    ] {
        bring(&mut room, token, receipt);
        assert_eq!((room.declined(), room.signals.len()), (Some(Decline::Invalid), 0), "{name}");
    }
    bring(&mut room, &token, &receipt);
    assert_eq!((room.signals.as_slice(), room.noted()), (&[Signal::Received(yuan(2_000))][..], 1));
    bring(&mut room, &token, &receipt);
    assert_eq!((room.declined(), room.signals.len()), (Some(Decline::Invalid), 0), "once");
}

#[test]
fn a_request_expires_by_the_time_of_a_receipt_for_money_that_came_after_a_restart_too() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    ask(&mut room, yuan(2_000), 9_000);
    room.gesture(Gesture::DoublePress);
    let token = payment(&request(&mut room).unwrap(), 2_000, &issuer);
    let receipt = issuer.receipt(&token, Outcome::Settled, 8_000, 1_000_000);
    room.flash = Flash::Fails;
    bring(&mut room, &token, &receipt);
    assert_eq!((room.declined(), room.signals.as_slice()), (Some(Decline::Machine), &[Signal::Fault][..]));
    room.flash = Flash::Works;
    bring(&mut room, &token, &receipt);
    assert_eq!(room.signals, [Signal::Received(yuan(2_000))]);
    for _ in 0..2 {
        room.forget();
        ask(&mut room, yuan(1), 8_000);
        assert_eq!(room.declined(), Some(Decline::Expired));
        room.restart_band();
        room.reconnect();
        room.put_on();
    }
}

#[test]
fn the_ceiling_in_a_receipt_for_money_that_came_is_the_payers() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    ask(&mut room, yuan(2_000), 9_000);
    room.gesture(Gesture::DoublePress);
    let token = payment(&request(&mut room).unwrap(), 2_000, &issuer);
    bring(&mut room, &token, &issuer.receipt(&token, Outcome::Settled, 2_000, 1_000_000));
    let mut shop = Shop::new();
    let online_only = [5_000, 3_000, 1].map(|minor| claims(&room.pays(&shop.asks(minor)).unwrap()).presence.online_only);
    assert_eq!(online_only, [false, false, true], "8,000 is this wearer's own");
}

#[test]
fn what_may_not_be_asked_for_is_declined_with_its_reason() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    for (amount, expiry, why) in [
        (Amount::new(1, Currency::USD), 9_000, Decline::NotAllowed),
        (yuan(0), 9_000, Decline::NotAllowed),
        (yuan(1), 1_000, Decline::Expired),
    ] {
        room.forget();
        ask(&mut room, amount, expiry);
        room.gesture(Gesture::DoublePress);
        assert_eq!((room.declined(), request(&mut room)), (Some(why), None));
    }
    issuer.template.rights = CredentialRights::PAY;
    let mut room = Room::ready(&mut issuer);
    ask(&mut room, yuan(1), 9_000);
    assert_eq!(room.declined(), Some(Decline::NotAllowed));
}

#[test]
fn off_the_wrist_nothing_is_asked_for() {
    let mut room = Room::ready(&mut TestIssuer::new());
    ask(&mut room, yuan(1), 9_000);
    room.happens(armring_band::Event::TakenOff);
    room.gesture(Gesture::DoublePress);
    assert_eq!((room.declined(), request(&mut room)), (Some(Decline::NotWorn), None));
}
