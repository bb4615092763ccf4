//! A band with several wallets, and a wallet with several bands.

use armring_band::{Face, Gesture, LINKS, Signal};
use armring_pairing::{AdvertisingTag, PublicKey, SoftwareKey, find_advertiser};
use armring_token::Counter;
use armring_wallet::{Bands, Connection};
use armring_wire::CredentialId;
use armring_wire::EnrolmentCode;
use armring_wire::records::band::{Decline, ToBand};

use crate::common::issuer::{Shop, TestIssuer};
use crate::common::steps::claims;
use crate::common::{Phone, Room};

/// A band that is paired with four wallets, each with a credential of its own.
fn full() -> (Room, Vec<Phone>) {
    let mut issuer = TestIssuer::new();
    let mut room = Room::new(1, 182);
    let mut phones = Vec::new();
    for number in 1..=u8::try_from(LINKS).unwrap() {
        room.pair();
        room.reconnect();
        issuer.template.id = CredentialId([number; 8]);
        room.enrol(&mut issuer, EnrolmentCode([number; 16]));
        assert_eq!(room.declined(), None);
        phones.push(room.take_new_phone());
    }
    assert_eq!(issuer.payment_keys.iter().collect::<std::collections::BTreeSet<_>>().len(), LINKS, "a key for each credential");
    (room, phones)
}

#[test]
fn four_wallets_each_pay_with_their_own_credential_and_a_fifth_finds_no_place() {
    let (mut room, mut phones) = full();
    let mut shop = Shop::new();
    for counter in 1..4 {
        for number in 0..LINKS {
            let phone = phones.remove(0);
            let visitor = room.take_phone(phone);
            if counter == 2 {
                room.resume_or_reconnect()
            } else {
                room.reconnect()
            }
            room.put_on();
            let token = claims(&room.pays(&shop.asks(1)).unwrap());
            assert_eq!(token.credential, CredentialId([u8::try_from(number).unwrap() + 1; 8]));
            assert_eq!(token.counter, Counter(counter));
            phones.push(room.take_phone(visitor));
        }
        if counter == 2 {
            room.restart_band();
        }
    }
    room.forget();
    room.gesture(Gesture::Hold);
    assert_eq!(room.signals, [Signal::LinksFull]);
    for face in [Face::Lights, Face::Display, Face::Button] {
        room.face = face;
        room.restart_band();
        room.forget();
        room.gesture(Gesture::Hold);
        assert!(room.signals == [Signal::LinksFull] && room.band.label().is_none());
        room.connect(if face == Face::Button { Connection::pair_by_press(room.payload) } else { Connection::pair(room.payload) });
        assert!(room.code_in_wallet().is_none() && room.phone.link.is_none());
    }
}

#[test]
fn a_request_of_one_wallet_is_not_paid_by_the_credential_of_another() {
    let (mut room, mut phones) = full();
    let request = Shop::new().asks(1);
    room.take_phone(phones.remove(0));
    room.reconnect();
    room.put_on();
    let token = room.pays(&request).unwrap();
    room.take_phone(phones.remove(0));
    room.reconnect();
    room.forget();
    room.asks_to_pay(&request);
    assert_eq!(room.token(), None, "what one was given is not given to another without a gesture");
    room.press();
    assert_ne!(claims(&room.token().unwrap()).credential, claims(&token).credential);
}

#[test]
fn a_place_that_became_free_is_taken_by_the_next_wallet() {
    let (mut room, mut phones) = full();
    let leaving = phones.remove(1);
    let visitor = room.take_phone(leaving);
    room.reconnect();
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    let mut left = room.take_phone(visitor);
    room.pair();
    room.reconnect();
    assert_eq!(room.status().unwrap().credential, None);
    room.put_on();
    room.asks_to_pay(&Shop::new().asks(1));
    assert_eq!(room.declined(), Some(Decline::NoCredential));
    std::mem::swap(&mut left, &mut room.phone);
    room.reconnect();
    assert!(!room.is_linked());
    for phone in phones {
        room.take_phone(phone);
        room.reconnect();
        assert!(room.status().unwrap().credential.is_some());
    }
}

fn tags(room: &mut Room) -> Vec<AdvertisingTag> {
    (0..=LINKS).filter_map(|place| room.band.advertising_tag(place, &mut room.rng).unwrap()).collect()
}

/// Three bands and one phone, which knows all of them and is known by them.
#[test]
fn a_wallet_with_several_bands_knows_whom_it_sees_by_the_tags_that_they_advertise() {
    let mut rooms: Vec<Room> = (1..4).map(|seed| Room::new(seed, 182)).collect();
    let key = [0x44; 32];
    let mut bands = Bands::new();
    for room in &mut rooms {
        // Each band has another wallet as well.
        room.pair();
        room.reconnect();
        room.take_new_phone();
        room.phone.key = SoftwareKey::new(key);
        room.pair();
        room.reconnect();
        assert!(bands.add(room.stored_link()).is_empty());
    }
    let stranger = Room::new(9, 182);
    for round in 0..2 {
        for room in &mut rooms {
            let (advertised, again) = (tags(room), tags(room));
            assert_eq!(advertised.len(), 2, "one for each wallet");
            assert!(advertised.iter().all(|tag| !again.contains(tag)), "drawn anew");
            let found: Vec<_> = advertised.iter().filter_map(|tag| find_advertiser(bands.iter(), tag)).collect();
            assert_eq!(found.len(), 1, "{round}");
            assert_eq!(*found[0].peer(), room.band_public_key());
            // The wallet then connects over the link that it found, and is known.
            let link = bands.links(found[0].peer()).next().unwrap();
            room.phone.link = Some(link.to_bytes().to_vec());
            room.reconnect();
            assert!(room.is_linked());
            assert_eq!(bands.add(room.stored_link()).len(), 1);
            room.restart_band();
        }
    }
    let mut stranger = stranger;
    assert!(tags(&mut stranger).is_empty(), "who has no wallet advertises none");
    stranger.pair();
    let tag = tags(&mut stranger).remove(0);
    assert!(find_advertiser(bands.iter(), &tag).is_none());
    let room = &mut rooms[0];
    room.reconnect();
    let before = tags(room);
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    assert_eq!(tags(room).len(), 1, "that of the other wallet");
    assert_eq!(bands.forget(&room.band_public_key()).len(), 1);
    assert!(before.iter().all(|tag| find_advertiser(bands.iter(), tag).is_none()));
}

/// A tag is seen by everybody and can be advertised again by anybody. It opens nothing.
#[test]
fn a_replayed_tag_leads_the_wallet_to_a_band_that_it_does_not_link_to() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.reconnect();
    let tag = tags(&mut room).remove(0);
    let link = room.stored_link();
    assert!(find_advertiser([&link], &tag).is_some());
    let mut liar = Room::new(2, 182);
    liar.pair();
    liar.phone = Phone { key: SoftwareKey::new(*room.phone.key.expose()), link: room.phone.link.clone(), ticket: None };
    liar.reconnect();
    assert!(!liar.is_linked());
    assert_ne!(*link.peer(), PublicKey::new(*liar.band_public_key().as_bytes()));
    room.reconnect();
    assert!(room.is_linked() && room.told_of_use_elsewhere() == (false, false));
}
