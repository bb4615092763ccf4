//! The free limit: what is paid without a gesture, how much of it, and what no restart sets back.

use armring_band::{Event as BandEvent, Gesture, Signal};
use armring_token::{Counter, FreeCount, Gesture as Made, Minor};
use armring_wire::Text;
use armring_wire::records::band::{Awaited, Decline, ToBand};

use crate::common::issuer::{Shop, TestIssuer, at, yuan};
use crate::common::steps::claims;
use crate::common::{Flash, Room};

/// An issuer that grants 100 without a gesture, three times and 250 in all.
fn granting() -> TestIssuer {
    let mut issuer = TestIssuer::new();
    let limits = &mut issuer.template.limits;
    (limits.free, limits.free_count, limits.free_total) = (Minor(100), FreeCount(3), Minor(250));
    issuer
}

/// Asks to pay and makes no gesture. Gives what was signed.
fn asks(room: &mut Room, request: &[u8]) -> Option<Made> {
    room.forget();
    room.asks_to_pay(request);
    room.token().map(|token| claims(&token).presence.gesture)
}

#[test]
fn within_the_free_limit_nothing_is_pressed_and_the_wearer_is_told() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut granting());
    assert_eq!(asks(&mut room, &shop.asks(100)), Some(Made::None));
    assert_eq!(room.signals, [Signal::SignedFree(yuan(100))]);
    let token = claims(&room.token().unwrap());
    assert_eq!((token.counter, token.cumulative, token.presence.gesture), (Counter(1), Minor(100), Made::None));
    assert_eq!(asks(&mut room, &shop.asks(101)), None);
    assert_eq!(room.waits_for(), Some(Awaited::PayGesture), "above it a press");
}

#[test]
fn an_issuer_that_grants_nothing_has_every_payment_pressed() {
    let mut room = Room::ready(&mut TestIssuer::new());
    assert_eq!(asks(&mut room, &Shop::new().asks(1)), None);
    assert_eq!(room.waits_for(), Some(Awaited::PayGesture));
}

#[test]
fn free_payments_come_to_no_more_than_their_count_and_total_until_one_with_a_gesture() {
    let mut shop = Shop::new();
    // By number, then by what they come to.
    for amounts in [[10, 10, 10].as_slice(), &[100, 100, 50], &[100, 100]] {
        let mut room = Room::ready(&mut granting());
        for _ in 0..2 {
            for amount in amounts {
                assert_eq!(asks(&mut room, &shop.asks(*amount)), Some(Made::None), "{amounts:?}");
            }
            let one_more = shop.asks(if amounts == [100, 100] { 51 } else { 1 });
            assert_eq!(asks(&mut room, &one_more), None, "{amounts:?}");
            room.press();
            assert_eq!(claims(&room.token().unwrap()).presence.gesture, Made::Press);
        }
    }
}

#[test]
fn gestures_that_pay_nothing_do_not_begin_the_free_limit_anew() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut granting());
    for _ in 0..3 {
        assert_eq!(asks(&mut room, &shop.asks(1)), Some(Made::None));
    }
    for gesture in [Gesture::Press, Gesture::DoublePress, Gesture::Refuse] {
        room.gesture(gesture);
    }
    room.say(&ToBand::Receive { amount: yuan(1), expiry: at(9_000), memo: Text::new("").unwrap() });
    room.gesture(Gesture::DoublePress);
    room.unlock();
    room.say(&ToBand::Unlock);
    room.happens(BandEvent::TakenOff);
    room.wait(2_000);
    room.put_on();
    assert_eq!(asks(&mut room, &shop.asks(1)), None);
    room.gesture(Gesture::Refuse);
    assert_eq!(asks(&mut room, &shop.asks(1)), None, "nor does a gesture that refuses");
}

#[test]
fn no_restart_and_no_power_cut_sets_the_free_limit_back() {
    for kept in [false, true] {
        let mut shop = Shop::new();
        let mut room = Room::ready(&mut granting());
        let (mut signed, mut requests) = (0, Vec::new());
        for _ in 0..8 {
            room.flash = Flash::CutAfter(0, kept);
            let request = shop.asks(10);
            room.asks_to_pay(&request);
            requests.push(request);
            room.flash = Flash::Works;
            room.restart_band();
            room.reconnect();
            room.put_on();
        }
        for request in requests {
            signed += usize::from(asks(&mut room, &request) == Some(Made::None));
            room.gesture(Gesture::Refuse);
            room.restart_band();
            room.reconnect();
            room.put_on();
        }
        assert_eq!(signed, 3, "{kept}");
    }
}

#[test]
fn a_store_that_fails_signs_nothing_and_counts_nothing() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut granting());
    room.flash = Flash::Fails;
    for _ in 0..9 {
        assert_eq!((asks(&mut room, &shop.asks(1)), room.declined()), (None, Some(Decline::Machine)));
        assert_eq!(room.signals, [Signal::Fault]);
    }
    room.flash = Flash::Works;
    for _ in 0..3 {
        assert_eq!(asks(&mut room, &shop.asks(1)), Some(Made::None));
    }
}

#[test]
fn off_the_wrist_or_locked_nothing_is_free() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut granting());
    room.happens(BandEvent::TakenOff);
    assert_eq!((asks(&mut room, &shop.asks(1)), room.declined()), (None, Some(Decline::NotWorn)));
    room.wait(2_000);
    room.happens(BandEvent::PutOn);
    assert_eq!((asks(&mut room, &shop.asks(1)), room.declined()), (None, Some(Decline::Locked)));
}

#[test]
fn while_something_waits_nothing_is_free() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut granting());
    room.asks_to_pay(&shop.asks(5_000));
    assert_eq!((asks(&mut room, &shop.asks(1)), room.declined()), (None, Some(Decline::Busy)));
    room.press();
    assert_eq!(claims(&room.token().unwrap()).amount, yuan(5_000));
}

#[test]
fn what_needs_a_fresh_unlock_is_never_free() {
    let mut issuer = granting();
    issuer.template.limits.press = Minor(50);
    let mut room = Room::ready(&mut issuer);
    assert_eq!(asks(&mut room, &Shop::new().asks(51)), None);
    assert_eq!(room.waits_for(), Some(Awaited::FreshUnlock));
}

#[test]
fn the_largest_limits_there_are_do_not_wrap() {
    let mut issuer = granting();
    let (most, limits) = (Minor(u64::MAX), &mut issuer.template.limits);
    (limits.each, limits.press, limits.free, limits.free_total) = (most, most, most, most);
    limits.free_count = FreeCount(u16::MAX);
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut issuer);
    assert_eq!(asks(&mut room, &shop.asks(u64::MAX)), Some(Made::None));
    assert_eq!(asks(&mut room, &shop.asks(1)), None);
    room.press();
    assert_eq!((room.token(), room.declined()), (None, Some(Decline::Exhausted)));
}
