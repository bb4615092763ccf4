//! Paying: what is signed, what is not, and with how much effort.

use armring_band::{Event as BandEvent, Gesture, Signal, TOKENS_REMEMBERED};
use armring_token::{
    Counter, CredentialRights, Gesture as Made, Minor, PaymentKey, PaymentToken, Unlocking, Unverified, VerifyError,
};
use armring_wire::records::band::{Awaited, Decline, ToBand, ToWallet};
use armring_wire::{Amount, Currency, Opaque, Outcome, PayeeRef, Record, decode_record, encode};

use crate::common::Room;
use crate::common::issuer::{CODE, CREDENTIAL, Shop, TestIssuer, at, yuan};
use crate::common::steps::claims;

fn verify(token: &[u8], issuer: &TestIssuer) -> Result<PaymentToken, VerifyError> {
    let key = PaymentKey::from_bytes(*issuer.payment_keys.last().unwrap()).unwrap();
    Ok(*Unverified::<PaymentToken>::parse(token)?.verify(&issuer.fingerprint(), &key)?.body())
}

#[test]
fn pays_within_the_limits_with_a_press() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let request = shop.asks(1_250);
    room.asks_to_pay(&request);
    assert_eq!(room.waits_for(), Some(Awaited::PayGesture));
    assert_eq!(room.signals, [Signal::Waiting(Awaited::PayGesture, Some(yuan(1_250)))]);
    room.press();
    let token = verify(&room.token().unwrap(), &issuer).unwrap();
    assert_eq!((token.credential, token.payee, token.amount), (CREDENTIAL, PayeeRef::Certificate(shop.id), yuan(1_250)));
    assert_eq!((token.counter, token.cumulative), (Counter(1), Minor(1_250)));
    let presence = token.presence;
    assert_eq!((presence.unlocking, presence.gesture, presence.online_only), (Unlocking::Biometric, Made::Press, false));

    room.wait(5 * 60_000);
    let token = claims(&room.pays(&shop.asks(750)).unwrap());
    assert_eq!((token.counter, token.cumulative, token.presence.minutes_worn), (Counter(2), Minor(2_000), 5));
    assert_eq!(room.errors, [""; 0]);
}

#[test]
fn what_may_not_be_paid_is_declined_with_its_reason() {
    type Ask = fn(&mut Shop) -> Vec<u8>;
    let cases: [(&str, Ask, Decline); 8] = [
        ("over the limit", |shop| shop.asks(10_001), Decline::OverLimit),
        ("the largest amount there is", |shop| shop.asks(u64::MAX), Decline::OverLimit),
        ("nothing", |shop| shop.asks(0), Decline::NotAllowed),
        ("other currency", |shop| shop.asks_with(1, |r| r.amount = Amount::new(1, Currency::EUR)), Decline::NotAllowed),
        (
            "own credential as payee",
            |shop| shop.asks_with(1, |r| r.payee = PayeeRef::Credential(CREDENTIAL)),
            Decline::NotAllowed,
        ),
        ("expired by the latest signed time", |shop| shop.asks_with(1, |r| r.expiry = at(1_000)), Decline::Expired),
        ("no request", |_| vec![7; 130], Decline::Invalid),
        ("nothing at all", |_| Vec::new(), Decline::Invalid),
    ];
    let mut room = Room::ready(&mut TestIssuer::new());
    let before = room.storage.clone();
    for (name, ask, why) in cases {
        room.forget();
        room.asks_to_pay(&ask(&mut Shop::new()));
        assert_eq!(room.declined(), Some(why), "{name}");
        room.press();
        assert_eq!((room.token(), room.waits_for(), room.storage == before), (None, None, true), "{name}");
    }
    assert!(room.pays(&Shop::new().asks(10)).is_some());
}

#[test]
fn a_request_expires_by_the_latest_time_that_a_receipt_or_a_key_list_brought() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let request = |shop: &mut Shop| shop.asks_with(1, |request| request.expiry = at(3_000));
    let token = room.pays(&request(&mut shop)).unwrap();
    room.brings_receipt(&issuer.receipt(&token, Outcome::Settled, 3_000, 8_000));
    for _ in 0..2 {
        room.forget();
        room.asks_to_pay(&request(&mut shop));
        assert_eq!(room.declined(), Some(Decline::Expired));
        room.restart_band();
        room.reconnect();
        room.put_on();
    }
    (issuer.epoch, issuer.issued) = (2, 50_000);
    room.say(&ToBand::KeyList(Opaque::new(&issuer.key_list()).unwrap()));
    room.asks_to_pay(&shop.asks(1));
    assert_eq!(room.declined(), Some(Decline::Expired));
}

#[test]
fn one_gesture_answers_one_request() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let (first, second) = (shop.asks(100), shop.asks(200));
    room.asks_to_pay(&first);
    room.asks_to_pay(&second);
    assert_eq!(room.declined(), Some(Decline::Busy), "two cannot both wait");
    room.say(&ToBand::Receive { amount: yuan(1), expiry: at(9_000), memo: armring_wire::Text::new("").unwrap() });
    assert_eq!(room.declined(), Some(Decline::Busy));
    room.press();
    room.press();
    assert_eq!(claims(&room.token().unwrap()).amount, yuan(100));
    room.forget();
    room.asks_to_pay(&second);
    assert_eq!((room.token(), room.waits_for()), (None, Some(Awaited::PayGesture)), "the second press was for nothing");
}

#[test]
fn gestures_without_a_request_do_nothing() {
    let mut room = Room::ready(&mut TestIssuer::new());
    let before = room.storage.clone();
    for gesture in [Gesture::Press, Gesture::DoublePress, Gesture::Refuse] {
        room.gesture(gesture);
    }
    room.happens(BandEvent::CodeShown);
    assert!(room.signals.is_empty() && room.events.is_empty() && room.errors.is_empty() && room.storage == before);
    room.asks_to_pay(&Shop::new().asks(1));
    room.gesture(Gesture::DoublePress);
    assert_eq!(room.token(), None, "two presses are no press");
    room.press();
    assert!(room.token().is_some());
}

#[test]
fn a_request_that_waits_is_given_up_by_time_refusal_cancelling_or_disconnection() {
    let ends: [fn(&mut Room); 5] = [
        |room| room.wait(30_000),
        |room| room.gesture(Gesture::Refuse),
        |room| room.say(&ToBand::Cancel),
        Room::disconnect,
        |room| {
            room.connection.as_mut().unwrap().close();
            room.pump();
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut room = Room::ready(&mut TestIssuer::new());
        let mut shop = Shop::new();
        room.asks_to_pay(&shop.asks(1));
        end(&mut room);
        assert_eq!(room.count(Signal::Dropped), 1, "{number}");
        room.press();
        assert_eq!(room.token(), None, "{number}");
        room.reconnect();
        room.press();
        assert_eq!(room.token(), None, "{number}");
        assert!(room.pays(&shop.asks(1)).is_some(), "{number}");
    }
}

#[test]
fn the_same_request_gives_the_same_bytes_without_a_gesture_after_a_restart_too() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let requests: Vec<_> = (1..=TOKENS_REMEMBERED as u64).map(|amount| shop.asks(amount)).collect();
    let tokens: Vec<_> = requests.iter().map(|request| room.pays(request).unwrap()).collect();
    for _ in 0..2 {
        for (request, token) in requests.iter().zip(&tokens) {
            room.forget();
            room.asks_to_pay(request);
            assert_eq!(room.token().as_ref(), Some(token), "the answer was lost");
        }
        room.restart_band();
        room.reconnect();
    }
    room.put_on();
    assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).counter, Counter(5), "and nothing was counted twice");
}

#[test]
fn above_the_ceiling_tokens_are_for_online_payees_alone_until_a_receipt_raises_it() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let online_only = |token: &[u8]| claims(token).presence.online_only;
    let first = room.pays(&shop.asks(5_000)).unwrap();
    assert!(!online_only(&first) && !online_only(&room.pays(&shop.asks(3_000)).unwrap()), "8,000 is the ceiling");
    assert!(online_only(&room.pays(&shop.asks(1)).unwrap()));
    room.brings_receipt(&issuer.receipt(&first, Outcome::Settled, 2_000, 13_000));
    room.restart_band();
    room.reconnect();
    room.put_on();
    assert!(!online_only(&room.pays(&shop.asks(4_999)).unwrap()));
    assert!(online_only(&room.pays(&shop.asks(1)).unwrap()));
}

#[test]
fn the_wearer_is_told_of_a_receipt_once_and_only_for_a_token_of_this_band() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let token = room.pays(&shop.asks(1_000)).unwrap();
    let receipt = issuer.receipt(&token, Outcome::Settled, 2_000, 9_000);
    let mut forged = receipt.clone();
    forged[100] ^= 1;
    let mut other = token.clone();
    other[70] ^= 1;
    let others = issuer.receipt(&other, Outcome::Settled, 2_000, 9_000);
    room.forget();
    for bad in [&forged, &others, &token, &Vec::new()] {
        room.brings_receipt(bad);
        assert_eq!((room.declined(), room.signals.len()), (Some(Decline::Invalid), 0));
        room.forget();
    }
    for noted in 1..3 {
        room.brings_receipt(&receipt);
        assert_eq!((room.signals.as_slice(), room.noted()), (&[Signal::Paid(Outcome::Settled, yuan(1_000))][..], noted));
    }
}

#[test]
fn an_outcome_that_this_band_has_no_name_for_is_told_as_it_is() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let token = room.pays(&shop.asks(1_000)).unwrap();
    room.forget();
    room.brings_receipt(&issuer.receipt(&token, Outcome::Other(200), 2_000, 9_000));
    assert_eq!((room.signals.as_slice(), room.noted()), (&[Signal::Paid(Outcome::Other(200), yuan(1_000))][..], 1));
}

#[test]
fn a_record_of_a_newer_wallet_changes_nothing_of_what_waits() {
    let mut room = Room::ready(&mut TestIssuer::new());
    let request = Shop::new().asks(700);
    let mut session = room.connect_raw();
    let mut buffer = [0; ToBand::MAX_LEN];
    let pay = encode(&ToBand::Pay { request: Opaque::new(&request).unwrap() }, &mut buffer).unwrap();
    room.utter_sealed(&mut session, pay);
    let mut unknown = encode(&ToBand::VARIANTS, &mut [0; 8]).unwrap().to_vec();
    unknown.extend([9; 40]);
    room.utter_sealed(&mut session, &unknown);
    room.press();
    let heard = room.hears(&mut session);
    assert_eq!(decode_record(&heard[0]), Ok(ToWallet::Waiting(Awaited::PayGesture)));
    assert_eq!(decode_record(&heard[1]), Ok(ToWallet::Unknown(ToBand::VARIANTS)));
    assert!(matches!(decode_record(&heard[2]), Ok(ToWallet::Token { .. })));
}

#[test]
fn a_credential_that_may_not_pay_does_not() {
    let mut issuer = TestIssuer::new();
    issuer.template.rights = CredentialRights::RECEIVE;
    let mut room = Room::ready(&mut issuer);
    room.asks_to_pay(&Shop::new().asks(1));
    assert_eq!(room.declined(), Some(Decline::NotAllowed));
}

#[test]
fn without_a_credential_nothing_is_paid_or_asked_for() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.reconnect();
    room.put_on();
    room.asks_to_pay(&Shop::new().asks(1));
    assert_eq!(room.declined(), Some(Decline::NoCredential));
    room.enrol(&mut TestIssuer::new(), CODE);
    assert!(room.pays(&Shop::new().asks(1)).is_some());
}
