//! A new phone takes the place of an old one, over the old one's link: with credential, counter and total, in one write.

use armring_band::{Event as BandEvent, Face, Gesture, LINKS, Signal};
use armring_pairing::{AdvertisingTag, find_advertiser};
use armring_wallet::Connection;
use armring_wire::records::Assurance;
use armring_wire::records::band::{Decline, ToBand};

use crate::common::issuer::{CODE, CREDENTIAL, Shop, TestIssuer};
use crate::common::moving::{credential, opens_for_a_new_phone, pairs, pays_on, room};
use crate::common::{Flash, Room};

#[test]
fn a_new_phone_takes_the_old_ones_place_with_the_credential_and_the_counter_goes_on() {
    let mut shop = Shop::new();
    let mut room = room(&mut shop);
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    assert!(room.signals.contains(&Signal::Paired));
    assert_eq!(room.band_links().len(), 1, "until it connects, the old link is in its place");
    room.reconnect();
    assert!(room.is_linked());
    assert_eq!(room.status().unwrap().credential, Some(CREDENTIAL));
    pays_on(&mut room, &mut shop, 3);
    assert_eq!((room.band_links().len(), room.stored_link().generation()), (1, 1));
    let old_ticket = old.ticket.is_some();
    let new = room.take_phone(old);
    for resumes in [old_ticket, false] {
        if resumes {
            room.resume_or_reconnect()
        } else {
            room.reconnect()
        }
        assert!(!room.is_linked());
        assert_eq!(room.errors.last().unwrap(), "band: no link answers to this hint");
    }
    room.restart_band();
    room.reconnect();
    assert!(!room.is_linked(), "nor after a restart");
    room.take_phone(new);
    room.reconnect();
    pays_on(&mut room, &mut shop, 4);
    room.disconnect();
    room.resume_or_reconnect();
    pays_on(&mut room, &mut shop, 5);
}

#[test]
fn until_the_new_phone_has_connected_the_old_one_works() {
    let mut shop = Shop::new();
    let mut room = room(&mut shop);
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    let new = room.take_phone(old);
    for counter in 3..5 {
        room.resume_or_reconnect();
        pays_on(&mut room, &mut shop, counter);
    }
    room.reconnect();
    pays_on(&mut room, &mut shop, 5);
    room.restart_band();
    room.reconnect();
    pays_on(&mut room, &mut shop, 6);
    let old = room.take_phone(new);
    room.reconnect();
    pays_on(&mut room, &mut shop, 7);
    assert_eq!(credential(&mut room, old).1, None);
}

#[test]
fn without_the_gesture_nothing_is_replaced() {
    let ends: [fn(&mut Room); 6] = [
        |room| room.wait(30_000),
        |room| room.gesture(Gesture::Refuse),
        |room| room.say(&ToBand::Cancel),
        Room::disconnect,
        |room| room.happens(BandEvent::Connected(room.payload)),
        Room::restart_band,
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut room = room(&mut Shop::new());
        room.say(&ToBand::Replace);
        for gesture in [Gesture::Press, Gesture::DoublePress, Gesture::Unpair] {
            room.gesture(gesture);
        }
        assert!(room.is_linked() && !room.signals.contains(&Signal::PairingOpen), "{number}");
        end(&mut room);
        if number < 2 {
            assert_eq!((room.declined(), room.signals.last()), (Some(Decline::NoGesture), Some(&Signal::Dropped)));
        }
        // The next gesture is one for a new phone beside the old one.
        let old = room.take_new_phone();
        room.pair();
        room.reconnect();
        assert_eq!((room.status().unwrap().credential, room.band_links().len()), (None, 2), "{number}");
        assert_eq!(credential(&mut room, old).1, Some(Some(CREDENTIAL)), "{number}");
    }
}

#[test]
fn asking_again_waits_no_longer_and_something_else_makes_the_wallet_wait() {
    let mut shop = Shop::new();
    let mut room = room(&mut shop);
    room.say(&ToBand::Replace);
    room.wait(20_000);
    room.say(&ToBand::Replace);
    assert_eq!(room.declined(), None);
    room.asks_to_pay(&shop.asks(1));
    assert_eq!(room.declined(), Some(Decline::Busy));
    room.wait(10_000);
    assert_eq!(room.declined(), Some(Decline::NoGesture));
    room.asks_to_pay(&shop.asks(1));
    room.say(&ToBand::Replace);
    assert_eq!(room.declined(), Some(Decline::Busy), "one gesture answers one thing");
}

/// What the gesture was for ends with the attempt that it stood for.
#[test]
fn the_permission_to_replace_never_survives_its_window() {
    let ends: [fn(&mut Room); 12] = [
        |room| room.wait(60_000),
        |room| room.gesture(Gesture::Hold),
        |room| {
            room.connect_stranger();
            room.disconnect();
        },
        |room| {
            room.connect_stranger();
            room.utter(&[9; 30]);
        },
        |room| {
            room.connect_stranger();
            room.utter(&[3, 1, 1, 0]);
        },
        |room| {
            room.connect_stranger();
            room.utter(&[1, 1, 1, 0]);
            room.utter(&[7; 63]);
        },
        |room| {
            room.connect(Connection::pair(room.payload));
            room.disconnect();
        },
        |room| {
            room.connect(Connection::pair(room.payload));
            room.happens(BandEvent::Connected(room.payload));
        },
        |room| {
            room.connect(Connection::pair(room.payload));
            room.wallet_accepts();
            room.gesture(Gesture::Refuse);
        },
        |room| {
            room.connect(Connection::pair(room.payload));
            room.wallet_accepts();
            room.happens(BandEvent::CodeShown);
            room.wait(60_000);
        },
        |room| {
            room.flash = Flash::Fails;
            pairs(room);
            room.flash = Flash::Works;
        },
        Room::restart_band,
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut room = room(&mut Shop::new());
        let old = opens_for_a_new_phone(&mut room);
        end(&mut room);
        assert!(number == 11 || room.count(Signal::PairingClosed) == 1, "{number}: {:?}", room.signals);
        if room.connection.is_some() || number == 2 {
            room.disconnect();
        }
        room.forget();
        room.take_new_phone();
        room.pair();
        room.reconnect();
        assert_eq!((room.status().unwrap().credential, room.band_links().len()), (None, 2), "{number}");
        assert_eq!(credential(&mut room, old).1, Some(Some(CREDENTIAL)), "{number}");
    }
}

#[test]
fn an_old_phone_that_asks_twice_is_replaced_by_the_last_one() {
    let mut shop = Shop::new();
    let mut room = room(&mut shop);
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    let first = room.take_phone(old);
    room.reconnect();
    room.forget();
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    assert_eq!(credential(&mut room, first).1, None);
    room.reconnect();
    pays_on(&mut room, &mut shop, 3);
    assert_eq!(credential(&mut room, old).1, None);
}

#[test]
fn a_band_that_is_full_can_be_moved_to_a_new_phone() {
    let mut shop = Shop::new();
    let mut room = room(&mut shop);
    let first = room.take_new_phone();
    for _ in 1..LINKS {
        room.take_new_phone();
        room.pair();
        room.reconnect();
    }
    room.take_phone(first);
    room.reconnect();
    room.forget();
    opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    room.reconnect();
    pays_on(&mut room, &mut shop, 3);
    assert_eq!(room.band_links().len(), LINKS);
    room.forget();
    room.gesture(Gesture::Hold);
    assert_eq!(room.signals, [Signal::LinksFull]);
}

/// Who has seen the printed label could else take the place of a wallet that was compared.
#[test]
fn a_link_of_less_assurance_takes_no_place() {
    let mut room = Room::with_face(Face::Lights, Some([0x51; 32]));
    room.pair();
    room.reconnect();
    room.enrol(&mut TestIssuer::new(), CODE);
    room.forget();
    let old = opens_for_a_new_phone(&mut room);
    room.connect(Connection::pair_with_label(room.printed_label(), room.payload));
    assert!(room.phone.link.is_none() && room.signals.ends_with(&[Signal::PairingClosed]));
    assert_eq!(room.errors, ["band: the handshake failed: the band does not pair in this way"]);
    room.take_phone(old);
    room.reconnect();
    assert_eq!(room.status().unwrap().credential, Some(CREDENTIAL));

    // More assurance is welcome.
    let mut room = Room::with_face(Face::Lights, Some([0x51; 32]));
    room.pair_with_label();
    room.reconnect();
    assert_eq!(room.assurances().0, Assurance::PrintedSecret);
    room.forget();
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    room.reconnect();
    assert_eq!(room.assurances(), (Assurance::ComparedCode, Assurance::ComparedCode));
    assert_eq!(credential(&mut room, old).1, None);
}

#[test]
fn the_new_phone_knows_its_band_by_a_tag_of_its_own() {
    let mut room = room(&mut Shop::new());
    let tag = |room: &mut Room, place| -> Option<AdvertisingTag> { room.band.advertising_tag(place, &mut room.rng).unwrap() };
    assert_eq!(tag(&mut room, LINKS), None);
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    let advertised = tag(&mut room, LINKS).unwrap();
    assert!(find_advertiser([room.stored_link()], &advertised).is_some());
    let new = room.take_phone(old);
    assert!(find_advertiser([room.stored_link()], &advertised).is_none());
    let advertised = tag(&mut room, 0).unwrap();
    assert!(find_advertiser([room.stored_link()], &advertised).is_some());
    room.take_phone(new);
    room.reconnect();
    assert_eq!((tag(&mut room, LINKS), tag(&mut room, LINKS + 1)), (None, None));
    let advertised = tag(&mut room, 0).unwrap();
    assert!(find_advertiser([room.stored_link()], &advertised).is_some());
}
