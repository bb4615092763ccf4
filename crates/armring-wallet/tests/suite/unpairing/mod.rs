//! Forgetting a link, or all others: only with a gesture of its own, wholly, and safely wherever power is lost.

mod cut;

use std::collections::BTreeMap;

use armring_band::{Event as BandEvent, Gesture, Signal, StoreKey, VALUE_MAX};
use armring_pairing::Link;
use armring_token::Counter;
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::{Awaited, Decline, ToBand};
use armring_wire::{CredentialId, EnrolmentCode, Outcome};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::common::issuer::{CODE, Shop, TestIssuer};
use crate::common::steps::claims;
use crate::common::{Change, Flash, Phone, Room};

/// How many keys there are for one link, and what it holds. Before them goes what is to take the place of a link, if there is such a thing.
const KEYS: usize = 8;

/// A band that has paid and got a receipt, so that there is something under every kind of key.
fn ready(issuer: &mut TestIssuer, shop: &mut Shop) -> Room {
    let mut room = Room::ready(issuer);
    spend(&mut room, issuer, shop);
    room
}

fn spend(room: &mut Room, issuer: &TestIssuer, shop: &mut Shop) {
    for _ in 0..5 {
        let token = room.pays(&shop.asks(100)).unwrap();
        room.brings_receipt(&issuer.receipt(&token, Outcome::Settled, 2_000, 9_000));
    }
    room.forget();
}

/// A band with three wallets, each with a credential of its own; the first is connected.
fn with_three(shop: &mut Shop) -> (Room, [Phone; 2]) {
    let mut issuer = TestIssuer::new();
    let mut room = ready(&mut issuer, shop);
    let others = [2u8, 3].map(|number| {
        let phone = Phone::new(&mut ChaCha20Rng::seed_from_u64(number.into()));
        let first = std::mem::replace(&mut room.phone, phone);
        room.disconnect();
        room.pair();
        room.reconnect();
        issuer.template.id = CredentialId([number; 8]);
        room.enrol(&mut issuer, EnrolmentCode([number; 16]));
        spend(&mut room, &issuer, shop);
        std::mem::replace(&mut room.phone, first)
    });
    room.reconnect();
    room.forget();
    (room, others)
}

/// What is stored of the link in `slot`.
fn of_slot(storage: &BTreeMap<StoreKey, Vec<u8>>, slot: u8) -> BTreeMap<u8, Vec<u8>> {
    let keys = storage.iter().map(|(key, value)| (key.as_u8(), value.clone()));
    keys.filter(|(key, _)| match key {
        0x10..0x50 => key & 0x0F == slot,
        0x50..0x60 => (key & 0x0F) / 4 == slot,
        _ => false,
    })
    .collect()
}

/// No secret of the link that was stored so is anywhere in the flash.
fn is_nowhere(gone: &BTreeMap<u8, Vec<u8>>, storage: &BTreeMap<StoreKey, Vec<u8>>) -> bool {
    let secrets = gone.iter().filter_map(|(key, value)| match key & 0xF0 {
        0x10 => Some(&value[32..64]),
        0x20 | 0x30 => Some(&value[..32]),
        _ => None,
    });
    let mut secrets = secrets.peekable();
    assert!(secrets.peek().is_some());
    secrets.all(|secret| !storage.values().any(|value| value.windows(32).any(|bytes| bytes == secret)))
}

fn is_unpaired(room: &Room) -> bool {
    room.events.iter().any(|event| matches!(event, Event::Unpaired))
}

#[test]
fn a_link_is_forgotten_with_its_credential_and_its_payment_key() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    let gone = of_slot(&room.storage, 0);
    assert_eq!(gone.len(), KEYS);
    room.say(&ToBand::Unpair);
    assert_eq!(
        (room.waits_for(), room.signals.as_slice()),
        (Some(Awaited::UnpairGesture), &[Signal::Waiting(Awaited::UnpairGesture, None)][..])
    );
    assert_eq!(of_slot(&room.storage, 0), gone, "not without a gesture");
    room.gesture(Gesture::Unpair);
    assert!(is_unpaired(&room) && room.connection.is_none());
    assert_eq!(room.signals.last(), Some(&Signal::Unpaired));
    assert!(of_slot(&room.storage, 0).is_empty() && is_nowhere(&gone, &room.storage));
    room.reconnect();
    assert!(!room.is_linked(), "the wallet is a stranger");
    room.phone.link = None;
    room.pair();
    room.reconnect();
    room.enrol(&mut TestIssuer::new(), CODE);
    assert_eq!(claims(&room.pays(&Shop::new().asks(1)).unwrap()).counter, Counter(1), "a new key, a new count");
}

#[test]
fn infected_wallet_unpairs_nothing_without_the_gesture() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    // But for how often the link was used.
    let stored = |room: &Room| {
        let bytes = |key: &StoreKey| if key.as_u8() == 0x10 { Link::LEN - 5 } else { VALUE_MAX };
        room.storage.iter().map(|(key, value)| (*key, value[..value.len().min(bytes(key))].to_vec())).collect::<Vec<_>>()
    };
    let before = stored(&room);
    for ask in [ToBand::Unpair, ToBand::UnpairOthers] {
        let ends: [fn(&mut Room); 5] = [
            |room| room.wait(30_000),
            |room| room.gesture(Gesture::Refuse),
            |room| room.say(&ToBand::Cancel),
            |room| {
                room.disconnect();
                room.reconnect();
            },
            |room| {
                room.restart_band();
                room.reconnect();
            },
        ];
        for end in ends {
            room.say(&ask);
            end(&mut room);
            room.gesture(Gesture::Unpair);
            assert!(stored(&room) == before && room.is_linked(), "the gesture came for nothing");
        }
    }
}

#[test]
fn one_gesture_forgets_what_was_asked_for_first_and_not_more() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    room.say(&ToBand::UnpairOthers);
    room.say(&ToBand::Unpair);
    assert_eq!(room.declined(), Some(Decline::Busy));
    room.gesture(Gesture::Unpair);
    room.gesture(Gesture::Unpair);
    assert!(!is_unpaired(&room) && room.is_linked() && room.noted() == 1);
}

#[test]
fn a_lost_phone_is_forgotten_and_this_one_stays() {
    let mut shop = Shop::new();
    let (mut room, lost) = with_three(&mut shop);
    let (own, gone) = (of_slot(&room.storage, 0), [1, 2].map(|slot| of_slot(&room.storage, slot)));
    room.say(&ToBand::UnpairOthers);
    room.gesture(Gesture::Unpair);
    assert_eq!((room.signals.last(), room.noted(), is_unpaired(&room)), (Some(&Signal::Unpaired), 1, false));
    assert_eq!((of_slot(&room.storage, 0), room.storage.len()), (own, KEYS + 1), "and the key list");
    assert!(gone.iter().all(|gone| is_nowhere(gone, &room.storage)));
    assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).counter, Counter(6));
    for phone in lost {
        let own = std::mem::replace(&mut room.phone, phone);
        room.reconnect();
        assert!(!room.is_linked());
        room.phone = own;
    }
    room.reconnect();
    assert!(room.is_linked());
}

/// The lost phone connects while the flash is slow.
#[test]
fn a_lost_phone_that_is_connected_when_its_link_is_erased_is_cut_off() {
    for resumes in [false, true] {
        let (mut room, [lost, _]) = with_three(&mut Shop::new());
        let own = std::mem::replace(&mut room.phone, lost);
        room.reconnect();
        let ticket = room.take_ticket();
        let lost = std::mem::replace(&mut room.phone, own);
        room.reconnect();
        room.say(&ToBand::UnpairOthers);
        room.flash = Flash::Slow;
        room.gesture(Gesture::Unpair);
        room.phone = lost;
        room.forget();
        if resumes {
            room.resume(ticket);
            room.asks_to_pay(&Shop::new().asks(1));
            assert_eq!(room.declined(), Some(Decline::Busy));
        } else {
            room.reconnect();
        }
        for _ in 0..=KEYS {
            assert!(room.is_linked() == resumes && room.connection.is_some());
            assert!(matches!(room.unsettled, Some(Change::Erase(_))));
            room.settle(true);
        }
        assert!(is_unpaired(&room) == resumes && room.connection.is_none());
        for _ in KEYS..3 * KEYS {
            room.settle(true);
        }
        assert_eq!((room.unsettled.as_ref(), room.signals.last()), (None, Some(&Signal::Unpaired)));
    }
}

#[test]
fn a_band_off_the_wrist_can_be_unpaired_and_one_that_comes_off_meanwhile_gives_it_up() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    room.say(&ToBand::Unpair);
    room.happens(BandEvent::TakenOff);
    room.wait(2_000);
    assert_eq!(room.declined(), Some(Decline::NotWorn));
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    assert!(is_unpaired(&room));
}

/// Hands a message of the band to a wallet, and what the wallet then says to the band.
fn carry(room: &mut Room, wallet: &mut Connection, sequence: u8, message: &[u8]) {
    let fragment = [&[0xC0 | sequence], message].concat();
    let _ = wallet.fragment(&fragment, &room.phone.key, &mut room.rng);
    while let Some(output) = wallet.poll() {
        if let Output::Transmit(fragment) = output {
            room.happens(BandEvent::Fragment(&fragment));
        }
    }
}

/// It has been answered, and speaks when its link is gone.
#[test]
fn a_lost_phone_that_is_about_to_resume_when_its_link_is_erased_is_cut_off() {
    for erased in [0, 2 * KEYS] {
        let (mut room, [_, lost]) = with_three(&mut Shop::new());
        let own = std::mem::replace(&mut room.phone, lost);
        room.reconnect();
        let ticket = room.take_ticket();
        let mut wallet = Connection::resume(room.stored_link(), ticket, room.payload);
        let lost = std::mem::replace(&mut room.phone, own);
        room.reconnect();
        room.say(&ToBand::UnpairOthers);
        room.flash = Flash::Slow;
        room.gesture(Gesture::Unpair);
        room.phone = lost;
        room.connect_stranger();
        let hello = room.heard[0].clone();
        carry(&mut room, &mut wallet, 0, &hello);
        let answer = room.heard[1].clone();
        for _ in 0..erased + 1 {
            room.settle(true);
        }
        room.heard.clear();
        carry(&mut room, &mut wallet, 1, &answer);
        assert_eq!(room.heard.is_empty(), erased > 0, "{erased}");
        assert!(wallet.is_linked(), "or so it thinks");
    }
}

#[test]
fn a_wallet_that_was_unpaired_does_not_resume() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    let ticket = room.take_ticket();
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    room.resume(ticket);
    assert!(!room.is_linked());
}

/// The thief of a phone has it replaced by one of their own, and waits with it until the phone is forgotten.
#[test]
fn a_phone_that_is_to_take_the_place_of_a_lost_one_is_forgotten_with_it() {
    for restarts in [false, true] {
        let (mut room, [lost, _]) = with_three(&mut Shop::new());
        let own = std::mem::replace(&mut room.phone, lost);
        room.reconnect();
        room.say(&ToBand::Replace);
        room.phone = Phone::new(&mut ChaCha20Rng::seed_from_u64(66));
        room.pair();
        assert!(room.storage.contains_key(&replacement()));
        let thiefs = std::mem::replace(&mut room.phone, own);
        room.reconnect();
        room.forget();
        room.say(&ToBand::UnpairOthers);
        room.gesture(Gesture::Unpair);
        assert!(room.noted() == 1 && !room.storage.contains_key(&replacement()));
        room.phone = thiefs;
        if restarts {
            room.restart_band();
        }
        room.reconnect();
        assert!(!room.is_linked(), "{restarts}");
    }
}

#[test]
fn a_link_that_took_the_place_of_another_leaves_no_copy_that_outlives_it() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    room.say(&ToBand::Replace);
    room.phone = Phone::new(&mut ChaCha20Rng::seed_from_u64(66));
    room.pair();
    room.reconnect();
    let gone = of_slot(&room.storage, 0);
    assert!(room.is_linked() && room.storage.contains_key(&replacement()), "it is left over");
    room.say(&ToBand::Unpair);
    room.gesture(Gesture::Unpair);
    assert!(is_unpaired(&room) && is_nowhere(&gone, &room.storage) && !room.storage.contains_key(&replacement()));
    room.restart_band();
    room.reconnect();
    assert!(!room.is_linked());
}

/// Where a link is that is to take the place of another.
fn replacement() -> StoreKey {
    StoreKey::from_u8(0x03).unwrap()
}
