//! Who wears the band, and how it was unlocked: what is paid with it, and what is not.

use armring_band::{Event as BandEvent, Secret, Signal};
use armring_token::{Gesture as Made, Unlocking};
use armring_wire::Uptime;
use armring_wire::records::band::{Awaited, Decline, ToBand};

use crate::common::Room;
use crate::common::issuer::{Shop, TestIssuer};
use crate::common::steps::claims;

#[test]
fn off_the_wrist_or_locked_nothing_is_paid() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    room.happens(BandEvent::TakenOff);
    room.asks_to_pay(&shop.asks(1));
    assert_eq!(room.declined(), Some(Decline::NotWorn), "off the wrist, though not yet locked");
    room.wait(2_000);
    assert_eq!(room.signals, [Signal::Locked]);
    room.happens(BandEvent::PutOn);
    room.asks_to_pay(&shop.asks(1));
    assert_eq!(room.declined(), Some(Decline::Locked));
    room.unlock();
    assert!(room.pays(&shop.asks(1)).is_some());
}

#[test]
fn taken_off_while_a_request_waits_drops_it_after_two_seconds() {
    for ticks in [true, false] {
        let mut room = Room::ready(&mut TestIssuer::new());
        room.asks_to_pay(&Shop::new().asks(1));
        room.happens(BandEvent::TakenOff);
        room.press();
        assert_eq!(room.declined(), Some(Decline::NotWorn), "a press off the wrist is another's");
        room.asks_to_pay(&Shop::new().asks(1));

        room.happens(BandEvent::PutOn);
        room.forget();
        room.asks_to_pay(&Shop::new().asks(1));
        room.happens(BandEvent::TakenOff);
        if ticks {
            assert_eq!(room.band.deadline(), Some(Uptime::from_millis(room.now.as_millis() + 2_000)));
            room.wait(2_000);
        } else {
            // The host never ticks: that the band is put on again is what it hears next.
            room.now = Uptime::from_millis(room.now.as_millis() + 2_000);
        }
        room.happens(BandEvent::PutOn);
        assert!(room.signals.ends_with(&[Signal::Locked, Signal::Dropped]), "{:?}", room.signals);
        assert_eq!(room.declined(), Some(Decline::NotWorn));
        room.unlock();
        room.press();
        assert_eq!(room.token(), None);
    }
}

#[test]
fn above_the_press_limit_a_fresh_unlock_of_the_wearers_own_is_needed() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    room.unlock();
    let request = shop.asks(5_001);
    room.asks_to_pay(&request);
    assert_eq!(room.waits_for(), Some(Awaited::FreshUnlock));
    room.press();
    assert_eq!(room.token(), None, "what came before the request is not fresh");
    room.say(&ToBand::Unlock);
    room.press();
    assert_eq!(room.token(), None, "the wallet's word is none");
    room.unlock();
    assert_eq!(room.token(), None, "unlocking alone pays nothing");
    room.asks_to_pay(&request);
    room.press();
    let presence = claims(&room.token().unwrap()).presence;
    assert_eq!((presence.unlocking, presence.gesture), (Unlocking::Biometric, Made::FreshUnlock));

    room.forget();
    room.asks_to_pay(&shop.asks(5_001));
    room.press();
    assert_eq!(room.token(), None, "each needs one of its own");
    room.unlock();
    room.press();
    assert!(room.token().is_some());
    assert_eq!(claims(&room.pays(&shop.asks(5_000)).unwrap()).presence.gesture, Made::Press, "at the limit a press will do");
}

#[test]
fn a_pin_that_the_band_checked_is_a_fresh_unlock_and_a_wrong_one_is_none() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut TestIssuer::new());
    room.happens(BandEvent::Chosen(Secret::pin(b"2580").unwrap()));
    room.happens(BandEvent::TakenOff);
    room.wait(2_000);
    room.happens(BandEvent::PutOn);
    room.happens(BandEvent::Entered(Secret::pin(b"2580").unwrap()));
    assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).presence.unlocking, Unlocking::Pin);
    room.asks_to_pay(&shop.asks(5_001));
    room.forget();
    for (digits, signal) in [(b"2581", Signal::WrongSecret(7)), (b"2580", Signal::Unlocked)] {
        room.press();
        assert_eq!(room.token(), None);
        room.happens(BandEvent::Entered(Secret::pin(digits).unwrap()));
        assert_eq!(room.signals.last(), Some(&signal));
    }
    room.press();
    let presence = claims(&room.token().unwrap()).presence;
    assert_eq!((presence.unlocking, presence.gesture), (Unlocking::Pin, Made::FreshUnlock));
}

#[test]
fn the_wallets_unlock_counts_as_the_weakest_and_replaces_none() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    room.say(&ToBand::Unlock);
    assert_eq!((room.noted(), room.signals.len()), (1, 0), "it was unlocked already");
    assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).presence.unlocking, Unlocking::Biometric);
    room.happens(BandEvent::TakenOff);
    room.wait(2_000);
    room.say(&ToBand::Unlock);
    assert_eq!(room.declined(), Some(Decline::NotWorn));
    room.happens(BandEvent::PutOn);
    room.say(&ToBand::Unlock);
    assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).presence.unlocking, Unlocking::Wallet);
}
