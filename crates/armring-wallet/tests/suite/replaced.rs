//! What becomes of a phone that is replaced, wherever power is lost, and of what is left of it.

use armring_band::Gesture;
use armring_pairing::SoftwareKey;
use armring_wallet::Event;
use armring_wire::records::band::ToBand;

use crate::common::issuer::{CREDENTIAL, Shop};
use crate::common::moving::{credential, opens_for_a_new_phone, pairs, pays_on, room};
use crate::common::{Flash, Phone};

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
        let old = room.take_phone(Phone { key: SoftwareKey::new(*lost.key.expose()), link: lost.link.clone(), ticket: None });
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
    assert_eq!(room.errors, ["wallet: nothing to resume with: reconnect"]);
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
