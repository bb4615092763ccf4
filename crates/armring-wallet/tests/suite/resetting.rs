//! A reset erases everything, says so only then, and what it leaves behind when it is cut short is of use to nobody.

use armring_band::{Gesture, LINKS, Signal};
use armring_token::Counter;
use armring_wire::CredentialId;
use armring_wire::records::band::Decline;

use crate::common::issuer::{CODE, Shop, TestIssuer};
use crate::common::steps::claims;
use crate::common::{Flash, Phone, Room};

#[test]
fn a_reset_erases_links_and_a_thief_who_pairs_anew_finds_nothing() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    room.gesture(Gesture::Reset);
    assert_eq!(room.signals, [Signal::Erased]);
    assert!(room.storage.is_empty() && room.connection.is_none());
    room.reconnect();
    assert!(!room.is_linked(), "the old wallet is a stranger");
    room.phone = Phone::new(&mut room.rng);
    room.pair();
    room.reconnect();
    assert!(room.status().is_some_and(|status| status.credential.is_none()));
}

#[test]
fn a_reset_while_something_is_stored_is_over_when_everything_is_erased() {
    let mut room = Room::new(1, 182);
    room.flash = Flash::Slow;
    room.begin_to_pair();
    room.wallet_accepts();
    room.band_accepts();
    room.gesture(Gesture::Reset);
    room.settle(true);
    assert!(!room.signals.contains(&Signal::Erased), "that was the link");
    room.settle(true);
    assert!(room.signals.contains(&Signal::Erased) && room.storage.is_empty());
    assert!(!room.signals.contains(&Signal::Paired));
}

#[test]
fn a_reset_that_fails_says_so_and_the_band_works_on() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.flash = Flash::Fails;
    room.forget();
    room.gesture(Gesture::Reset);
    assert_eq!(room.signals, [Signal::Fault]);
    room.flash = Flash::Works;
    room.reconnect();
    assert!(room.is_linked());
}

/// What was being stored as the gesture was made is in the flash, and stays there: the band has to know.
#[test]
fn a_reset_that_overtakes_a_store_and_fails_leaves_the_band_knowing_what_its_flash_holds() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let ticket = room.take_ticket();
    let overtaken = shop.asks(1_000);
    room.resume(ticket);
    let ticket = room.take_ticket();
    room.flash = Flash::Slow;
    room.asks_to_pay(&overtaken);
    room.press();
    room.gesture(Gesture::Reset);
    room.resume(ticket);
    assert!(room.is_linked());
    room.settle(true);
    assert_eq!((room.token(), room.connection.is_some()), (None, false), "after the gesture nothing is signed");
    room.settle(false);
    assert!(room.signals.contains(&Signal::Fault) && !room.signals.contains(&Signal::Erased));
    room.flash = Flash::Works;
    room.reconnect();
    room.put_on();
    assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).counter, Counter(2), "as after a restart");
}

#[test]
fn a_link_whose_use_was_stored_as_a_reset_came_and_failed_gives_its_place_to_no_other() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.flash = Flash::Slow;
    room.reconnect();
    room.gesture(Gesture::Reset);
    room.settle(true);
    room.settle(false);
    room.flash = Flash::Works;
    room.phone = Phone::new(&mut room.rng);
    room.pair();
    let links = room.storage.keys().filter(|key| (0x10..0x20).contains(&key.as_u8()));
    assert_eq!(links.count(), 2);
}

/// An erasing that power cut short left credentials without their links behind.
#[test]
fn what_an_interrupted_reset_left_behind_is_nobodys() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    let request = Shop::new().asks(1_000);
    assert!(room.pays(&request).is_some());
    for gone in [0x10..0x20, 0x10..0x30, 0x10..0x40] {
        room.storage.retain(|key, _| !gone.contains(&key.as_u8()));
        room.restart_band();
        room.phone.link = None;
        room.pair();
        room.reconnect();
        assert!(room.status().is_some_and(|status| status.credential.is_none()), "{gone:?}");
        room.restart_band();
        room.reconnect();
        assert!(room.status().is_some_and(|status| status.credential.is_none()), "{gone:?}");
        assert!(room.storage.len() <= 2 * LINKS + 3);
    }
}

#[test]
fn tokens_of_an_erased_credential_count_for_no_other() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    for _ in 0..3 {
        assert!(room.pays(&shop.asks(1_000)).is_some());
    }
    room.storage.retain(|key, _| key.as_u8() >= 0x40);
    room.restart_band();
    room.phone.link = None;
    room.pair();
    room.reconnect();
    issuer.template.id = CredentialId(*b"a second");
    room.enrol(&mut issuer, CODE);
    for counter in 1..3 {
        room.put_on();
        assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).counter, Counter(counter));
        room.restart_band();
        room.reconnect();
    }
}

#[test]
fn a_wallet_that_connects_while_everything_is_erased_is_cut_off_with_it() {
    for resumes in [false, true] {
        let mut room = Room::ready(&mut TestIssuer::new());
        let ticket = room.take_ticket();
        room.flash = Flash::Slow;
        room.gesture(Gesture::Reset);
        if resumes {
            room.resume(ticket);
            assert!(room.is_linked(), "nothing is erased yet");
            room.asks_to_pay(&Shop::new().asks(1));
            room.press();
            assert_eq!((room.declined(), room.token()), (Some(Decline::Busy), None), "but nothing is paid any more");
        } else {
            room.reconnect();
            assert!(room.connection.is_some() && !room.is_linked(), "that could not be stored yet");
        }
        let ticket = room.take_ticket();
        room.settle(true);
        assert!(room.connection.is_none() && room.unsettled.is_none() && room.storage.is_empty());
        room.resume(ticket);
        assert!(!room.is_linked(), "what could be resumed is forgotten as well");
        room.reconnect();
        assert!(!room.is_linked());
    }
}
