//! A new phone takes the place of an old one, over the old one's link: with credential, counter and total, in one write.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_band::{Event as BandEvent, Face, Gesture, LINKS, Signal};
use armring_pairing::{AdvertisingTag, find_advertiser};
use armring_token::{Counter, Minor};
use armring_wallet::{Connection, Event};
use armring_wire::CredentialId;
use armring_wire::records::Assurance;
use armring_wire::records::band::{Awaited, Decline, ToBand};
use common::issuer::{CODE, CREDENTIAL, Shop, TestIssuer};
use common::steps::claims;
use common::{Flash, Phone, Room};

/// A band that has paid twice with its wallet.
fn room(shop: &mut Shop) -> Room {
    let mut room = Room::ready(&mut TestIssuer::new());
    for _ in 0..2 {
        assert!(room.pays(&shop.asks(100)).is_some());
    }
    room.forget();
    room
}

/// The old wallet asks, the wearer makes the gesture, and the window is open for another phone, which is taken. Gives the old one.
fn opens_for_a_new_phone(room: &mut Room) -> Phone {
    room.say(&ToBand::Replace);
    assert_eq!(room.waits_for(), Some(Awaited::ReplaceGesture));
    room.gesture(Gesture::Hold);
    assert!(room.connection.is_none(), "whoever pairs is who connects from now on");
    assert!(room.signals.ends_with(&[Signal::PairingOpen]) && room.noted() == 1, "{:?} {:?}", room.signals, room.events);
    room.take_new_phone()
}

/// Compares the code with the phone that is there now, in the window that is open.
fn pairs(room: &mut Room) {
    room.connect(Connection::pair(room.payload));
    assert_eq!(room.code_on_band(), room.code_in_wallet());
    room.wallet_accepts();
    room.band_accepts();
}

/// Reconnects with `phone` and says with which credential it is linked, if it is.
fn credential(room: &mut Room, phone: Phone) -> (Phone, Option<Option<CredentialId>>) {
    let other = room.take_phone(phone);
    room.events.clear();
    room.reconnect();
    let status = if room.is_linked() { room.status() } else { None };
    (room.take_phone(other), status.map(|status| status.credential))
}

fn pays_on(room: &mut Room, shop: &mut Shop, counter: u32) {
    room.put_on();
    let token = claims(&room.pays(&shop.asks(100)).unwrap());
    assert_eq!(
        (token.credential, token.counter, token.cumulative),
        (CREDENTIAL, Counter(counter), Minor(u64::from(counter) * 100))
    );
}

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
fn power_lost_at_any_store_leaves_the_old_phone_or_the_new_one_never_neither() {
    for kept in [false, true] {
        for stores in 0..=3 {
            let mut shop = Shop::new();
            let mut room = room(&mut shop);
            let old = opens_for_a_new_phone(&mut room);
            room.flash = Flash::CutAfter(stores, kept);
            pairs(&mut room);
            if room.phone.link.is_some() {
                room.reconnect();
            }
            // The link, then the place: after that there is nothing more to store.
            assert_eq!(room.power_cuts, usize::from(stores < 2));
            room.flash = Flash::Works;
            room.restart_band();
            let new = room.take_new_phone();
            let (mut working, mut which) = (None, Vec::new());
            // The new one last: when it connects, the old one goes.
            for (name, phone) in [("old", old), ("new", new)] {
                if phone.link.is_some() {
                    let (phone, credential) = credential(&mut room, phone);
                    if credential.is_some() {
                        assert_eq!(credential, Some(Some(CREDENTIAL)));
                        which.push(name);
                        working = Some(phone);
                    }
                }
            }
            let expected: &[&str] = match (stores, kept) {
                // Without a Confirm the new phone has no link.
                (0, _) => &["old"],
                (1, false) => &["old", "new"],
                _ => &["new"],
            };
            assert_eq!(which, expected, "{stores} {kept}");
            room.take_phone(working.unwrap());
            room.reconnect();
            pays_on(&mut room, &mut shop, 3);
            // And whoever it is may be replaced in turn.
            opens_for_a_new_phone(&mut room);
            pairs(&mut room);
            room.reconnect();
            pays_on(&mut room, &mut shop, 4);
            assert_eq!(room.band_links().len(), 1);
        }
    }
}

#[test]
fn a_place_that_cannot_be_stored_stays_the_old_ones() {
    let mut room = room(&mut Shop::new());
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    room.flash = Flash::Fails;
    room.reconnect();
    assert!(!room.is_linked());
    room.flash = Flash::Works;
    let (old, has) = credential(&mut room, old);
    assert_eq!(has, Some(Some(CREDENTIAL)));
    room.reconnect();
    assert_eq!(room.status().unwrap().credential, Some(CREDENTIAL));
    assert_eq!(credential(&mut room, old).1, None);
}

/// The new phone's place is being stored when the old one resumes: then it is stored.
#[test]
fn an_old_phone_that_is_connected_when_its_place_is_taken_is_cut_off() {
    for resumes in [true, false] {
        let mut room = room(&mut Shop::new());
        let old = opens_for_a_new_phone(&mut room);
        pairs(&mut room);
        room.flash = Flash::Slow;
        room.reconnect();
        assert!(room.unsettled.is_some());
        room.take_phone(old);
        room.forget();
        if resumes {
            room.resume_or_reconnect()
        } else {
            room.reconnect()
        }
        assert_eq!((room.is_linked(), room.connection.is_some()), (resumes, true));
        room.settle(true);
        assert!(room.connection.is_none() && room.unsettled.is_none(), "{resumes}");
        room.reconnect();
        assert!(room.connection.is_none());
    }
}

/// The same while the old phone's message 2 is under way: its first record comes too late.
#[test]
fn an_old_phone_that_was_about_to_prove_itself_is_cut_off() {
    let mut room = room(&mut Shop::new());
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    room.flash = Flash::Slow;
    room.reconnect();
    room.take_phone(old);
    let mut session = room.connect_unproven();
    room.settle(true);
    room.forget();
    room.utter_sealed(&mut session, &[12, 9, 0]);
    assert_eq!(room.errors, ["band: there is no connection"]);
    assert!(room.heard.is_empty() && room.unsettled.is_none());
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

/// The flash holds what is left of a link that has taken its place. It must not bring that link back.
#[test]
fn an_unpaired_link_does_not_come_back_out_of_what_is_left_in_the_flash() {
    let mut room = room(&mut Shop::new());
    opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    room.reconnect();
    let left: Vec<_> =
        room.storage.iter().filter(|(key, _)| key.as_u8() == 3).map(|(key, value)| (*key, value.clone())).collect();
    assert_eq!(left.len(), 1);
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    assert!(room.events.iter().any(|event| matches!(event, Event::Unpaired)));
    assert!(room.storage.keys().all(|key| key.as_u8() == 1), "the key list");
    // Nor would it if that had not been erased, whoever is in that place.
    for taken in [false, true] {
        room.storage.extend(left.clone());
        room.restart_band();
        room.reconnect();
        assert!(!room.is_linked(), "{taken}");
        let gone = room.take_new_phone();
        room.pair();
        room.reconnect();
        assert!(room.is_linked());
        room.take_phone(gone);
    }
}

#[test]
fn a_lost_phone_that_has_paired_to_take_a_place_is_forgotten_with_the_others() {
    let mut room = room(&mut Shop::new());
    let old = opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    let lost = room.take_phone(old);
    room.reconnect();
    room.say(&ToBand::UnpairOthers);
    room.gesture(Gesture::Unpair);
    for _ in 0..2 {
        let old = room.take_phone(Phone {
            key: armring_pairing::SoftwareKey::new(*lost.key.expose()),
            link: lost.link.clone(),
            ticket: None,
        });
        room.reconnect();
        assert!(!room.is_linked());
        room.take_phone(old);
        room.restart_band();
        room.reconnect();
        assert_eq!(room.status().unwrap().credential, Some(CREDENTIAL));
    }
}

/// An app that moves may take everything with it. Its first connection is a reconnect all the same.
#[test]
fn the_old_phones_ticket_does_not_resume_the_new_link() {
    let mut room = room(&mut Shop::new());
    let mut old = opens_for_a_new_phone(&mut room);
    let ticket = old.ticket.take().unwrap();
    pairs(&mut room);
    room.forget();
    room.resume(ticket);
    assert!(!room.is_linked() && room.band_links().len() == 1);
    assert_eq!(room.errors, ["band: no link answers to this hint"]);
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn a_reset_forgets_what_was_to_take_a_place() {
    let mut room = room(&mut Shop::new());
    opens_for_a_new_phone(&mut room);
    pairs(&mut room);
    room.gesture(Gesture::Reset);
    assert!(room.storage.is_empty());
    room.reconnect();
    assert!(!room.is_linked());
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
