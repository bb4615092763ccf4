//! Each gesture means one thing (CTRAPS, 2024: a touch for one request was taken for another's, and deleted keys).

use armring_band::{Event as BandEvent, Gesture, Signal};
use armring_wallet::Event;
use armring_wire::records::band::{Awaited, ToBand};
use armring_wire::{Opaque, Text};

use crate::common::Room;
use crate::common::issuer::{Shop, TestIssuer, at, yuan};

type Ask = fn(&mut Room);

/// What a wallet asks that waits for a gesture, and the one that answers it.
fn waits() -> [(Awaited, Gesture, Ask); 5] {
    [
        (Awaited::PayGesture, Gesture::Press, |room| pay(room, 100)),
        (Awaited::FreshUnlock, Gesture::Press, |room| pay(room, 5_001)),
        (Awaited::ReceiveGesture, Gesture::DoublePress, |room| {
            room.say(&ToBand::Receive { amount: yuan(1), expiry: at(9_000), memo: Text::new("").unwrap() });
        }),
        (Awaited::UnpairGesture, Gesture::Unpair, |room| room.say(&ToBand::Unpair)),
        (Awaited::UnpairGesture, Gesture::Unpair, |room| room.say(&ToBand::UnpairOthers)),
    ]
}

fn pay(room: &mut Room, minor: u64) {
    let request = Shop::new().asks(minor);
    room.say(&ToBand::Pay { request: Opaque::new(&request).unwrap() });
}

/// Whether what was asked for was done.
fn is_done(room: &Room) -> bool {
    room.events.iter().any(|event| matches!(event, Event::Token(_) | Event::Request(_) | Event::Unpaired | Event::Noted))
}

#[test]
fn a_gesture_of_another_kind_does_nothing_to_what_waits() {
    for (awaited, right, ask) in waits() {
        for wrong in [Gesture::Press, Gesture::DoublePress, Gesture::Unpair] {
            // Above the press limit a press alone is of another kind as well.
            if wrong == right && awaited != Awaited::FreshUnlock {
                continue;
            }
            let mut room = Room::ready(&mut TestIssuer::new());
            ask(&mut room);
            assert_eq!(room.waits_for(), Some(awaited));
            let before = room.storage.clone();
            room.forget();
            room.gesture(wrong);
            room.gesture(wrong);
            assert!(!is_done(&room) && room.events.is_empty() && room.storage == before, "{awaited:?} {wrong:?}");
            if awaited == Awaited::FreshUnlock {
                room.unlock();
            }
            room.gesture(right);
            assert!(is_done(&room), "{awaited:?} {wrong:?}");
        }
    }
}

#[test]
fn unlocking_the_band_or_putting_it_on_answers_nothing_that_waits() {
    for (awaited, _, ask) in waits() {
        let mut room = Room::ready(&mut TestIssuer::new());
        ask(&mut room);
        let before = room.storage.clone();
        for event in [BandEvent::Recognised, BandEvent::TakenOff, BandEvent::PutOn, BandEvent::CodeShown, BandEvent::Tick] {
            room.happens(event);
        }
        room.forget();
        room.say(&ToBand::Unlock);
        assert!(matches!(room.events.as_slice(), [Event::Noted]) && room.storage == before, "{awaited:?}");
    }
}

#[test]
fn the_gesture_that_pairs_gives_up_what_waits_and_does_none_of_it() {
    for (awaited, right, ask) in waits() {
        let mut room = Room::ready(&mut TestIssuer::new());
        ask(&mut room);
        let before = room.storage.clone();
        room.forget();
        room.gesture(Gesture::Hold);
        assert_eq!(room.signals, [Signal::Dropped, Signal::PairingOpen]);
        room.gesture(right);
        assert!(!is_done(&room) && room.storage == before && room.connection.is_none(), "{awaited:?}");
    }
}

#[test]
fn no_other_gesture_lets_a_link_take_the_place_of_another() {
    for wrong in [Gesture::Press, Gesture::DoublePress, Gesture::Unpair] {
        let mut room = Room::ready(&mut TestIssuer::new());
        let before = room.storage.clone();
        room.say(&ToBand::Replace);
        assert_eq!(room.waits_for(), Some(Awaited::ReplaceGesture));
        room.forget();
        room.gesture(wrong);
        assert!(room.events.is_empty() && room.signals.is_empty() && room.storage == before, "{wrong:?}");
        room.gesture(Gesture::Hold);
        assert!(is_done(&room) && room.signals == [Signal::PairingOpen], "{wrong:?}");
    }
}

#[test]
fn no_wallet_can_ask_for_what_a_reset_does() {
    for (_, _, ask) in waits() {
        let mut room = Room::ready(&mut TestIssuer::new());
        ask(&mut room);
        room.forget();
        room.gesture(Gesture::Reset);
        assert_eq!(room.signals, [Signal::Dropped, Signal::Erased], "and what waits is given up");
        assert!(!is_done(&room) && room.storage.is_empty());
    }
}

#[test]
fn a_code_is_accepted_by_no_gesture_but_its_own() {
    for wrong in [Gesture::DoublePress, Gesture::Unpair] {
        let mut room = Room::new(7, 182);
        room.begin_to_pair();
        room.wallet_accepts();
        room.happens(BandEvent::CodeShown);
        room.gesture(wrong);
        assert!(room.storage.is_empty() && !room.signals.contains(&Signal::Paired), "{wrong:?}");
        room.press();
        assert!(room.signals.contains(&Signal::Paired), "{wrong:?}");
    }
}

/// A press that answered one request is no answer to the next, whoever comes with it and however soon.
#[test]
fn a_gesture_is_used_up_by_the_request_that_it_answered() {
    for (awaited, right, ask) in waits() {
        let mut room = Room::ready(&mut TestIssuer::new());
        room.unlock();
        room.gesture(right);
        ask(&mut room);
        assert!(!is_done(&room), "{awaited:?}: what came before the request is no answer to it");
    }
}
