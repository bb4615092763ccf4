//! An unpairing that power, a failing flash or a reset cuts short.

use armring_band::{Gesture, Signal};
use armring_token::Counter;
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::{CredentialId, EnrolmentCode};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{KEYS, is_nowhere, is_unpaired, of_slot, ready, with_three};
use crate::common::issuer::{CODE, Shop, TestIssuer, yuan};
use crate::common::steps::claims;
use crate::common::{Change, Flash, Phone, Room};

#[test]
fn power_lost_at_any_step_leaves_what_works_and_can_be_unpaired_anew() {
    for kept in [false, true] {
        for step in 0..=KEYS {
            let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
            let mut room = ready(&mut issuer, &mut shop);
            let gone = of_slot(&room.storage, 0);
            room.say(&ToBand::Unpair);
            room.flash = Flash::CutAfter(step, kept);
            room.gesture(Gesture::Unpair);
            let erased = (step + usize::from(kept)).saturating_sub(1);
            assert_eq!((room.power_cuts, of_slot(&room.storage, 0).len()), (1, KEYS - erased));
            room.reconnect();
            assert_eq!(room.is_linked(), of_slot(&room.storage, 0).contains_key(&0x10), "{step} {kept}");
            if room.is_linked() {
                room.put_on();
                match room.pays(&shop.asks(1)) {
                    Some(token) => assert_eq!(claims(&token).counter, Counter(6), "it counts on"),
                    None => assert_eq!(room.declined(), Some(Decline::NoCredential), "{step} {kept}"),
                }
                room.say(&ToBand::Unpair);
                room.gesture(Gesture::Unpair);
                assert!(is_unpaired(&room), "{step} {kept}");
            }
            assert!(of_slot(&room.storage, 0).is_empty() && is_nowhere(&gone, &room.storage), "{step} {kept}");
            a_new_phone_pays(&mut room);
        }
    }
}

/// Power was lost, and whoever asked does not come back: the link that is left works like a new one.
#[test]
fn what_an_interrupted_unpairing_left_behind_counts_for_no_other_credential() {
    for step in 0..=KEYS {
        let mut issuer = TestIssuer::new();
        let mut room = ready(&mut issuer, &mut Shop::new());
        room.say(&ToBand::Unpair);
        room.flash = Flash::CutAfter(step, true);
        room.gesture(Gesture::Unpair);
        room.reconnect();
        if !room.is_linked() {
            a_new_phone_pays(&mut room);
            continue;
        }
        issuer.template.id = CredentialId(*b"a second");
        room.enrol(&mut issuer, EnrolmentCode([9; 16]));
        let keeps = of_slot(&room.storage, 0).contains_key(&0x20) && step <= 1;
        assert_eq!(room.declined(), keeps.then_some(Decline::AlreadyEnrolled), "{step}");
        for counter in 1..6 {
            room.put_on();
            let token = claims(&room.pays(&Shop::new().asks(counter.into())).unwrap());
            assert_eq!(token.counter, Counter(if keeps { counter + 5 } else { counter }), "{step}");
            room.restart_band();
            room.reconnect();
        }
    }
}

#[test]
fn power_lost_while_a_lost_phone_is_forgotten_leaves_this_one_as_it_is() {
    for step in 0..=3 * KEYS {
        let mut shop = Shop::new();
        let (mut room, _) = with_three(&mut shop);
        let own = of_slot(&room.storage, 0);
        room.say(&ToBand::UnpairOthers);
        room.flash = Flash::CutAfter(step, step % 2 == 0);
        room.gesture(Gesture::Unpair);
        assert_eq!((room.power_cuts, of_slot(&room.storage, 0)), (1, own), "{step}");
        room.reconnect();
        room.put_on();
        room.forget();
        room.say(&ToBand::UnpairOthers);
        room.gesture(Gesture::Unpair);
        assert_eq!((room.noted(), room.storage.len()), (1, KEYS + 1), "{step}");
        assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).counter, Counter(6));
    }
}

#[test]
fn an_erasing_that_fails_is_said_and_what_is_left_works_and_can_be_unpaired() {
    for step in 0..=KEYS {
        let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
        let mut room = ready(&mut issuer, &mut shop);
        room.say(&ToBand::Unpair);
        room.flash = Flash::Slow;
        room.gesture(Gesture::Unpair);
        for _ in 0..step {
            room.settle(true);
        }
        room.settle(false);
        assert_eq!((room.declined(), room.signals.last()), (Some(Decline::Machine), Some(&Signal::Fault)), "{step}");
        assert!(room.is_linked() && !is_unpaired(&room));
        room.flash = Flash::Works;
        let counter = room.pays(&shop.asks(1)).map(|token| claims(&token).counter);
        assert_eq!(counter, (step < 3).then_some(Counter(6)), "{step}");
        room.say(&ToBand::Unpair);
        room.gesture(Gesture::Unpair);
        assert!(is_unpaired(&room) && of_slot(&room.storage, 0).is_empty(), "{step}");
    }
}

#[test]
fn a_reset_in_the_middle_of_an_unpairing_erases_everything() {
    let mut room = ready(&mut TestIssuer::new(), &mut Shop::new());
    room.say(&ToBand::Unpair);
    room.flash = Flash::Slow;
    room.gesture(Gesture::Unpair);
    room.settle(true);
    room.gesture(Gesture::Reset);
    room.settle(true);
    assert_eq!(room.unsettled, Some(Change::EraseAll));
    room.settle(true);
    assert!(room.storage.is_empty() && room.signals.ends_with(&[Signal::Erased]) && !room.signals.contains(&Signal::Unpaired));
}

/// Somebody else pairs in the place that is free now, enrols, and pays.
fn a_new_phone_pays(room: &mut Room) {
    room.phone = Phone::new(&mut ChaCha20Rng::seed_from_u64(77));
    room.pair();
    room.reconnect();
    let mut issuer = TestIssuer::new();
    issuer.template.id = CredentialId(*b"newcomer");
    room.enrol(&mut issuer, CODE);
    room.put_on();
    let token = claims(&room.pays(&Shop::new().asks(7)).unwrap());
    assert_eq!((token.counter, token.amount), (Counter(1), yuan(7)));
    assert!(of_slot(&room.storage, 0).contains_key(&0x10), "in the first place");
}
