//! What lasts and what does not: flash that fails, is slow, or loses power at any write.

use std::collections::BTreeMap;

use armring_band::{Event as BandEvent, Secret, Signal, UNLOCK_TRIES};
use armring_token::{Counter, FreeCount, Gesture as Made, Minor, PaymentToken};
use armring_wallet::Event;
use armring_wire::Outcome;
use armring_wire::records::band::Decline;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::common::issuer::{CODE, Shop, TestIssuer, yuan};
use crate::common::steps::{claims, seed};
use crate::common::{Flash, Room};

#[test]
fn nothing_leaves_before_it_is_stored() {
    let mut room = Room::ready(&mut TestIssuer::new());
    room.flash = Flash::Slow;
    room.asks_to_pay(&Shop::new().asks(100));
    room.press();
    assert!(room.unsettled.is_some() && room.token().is_none());
    room.wait(10_000);
    assert_eq!(room.token(), None);
    room.settle(true);
    let token = room.token().unwrap();
    assert!(room.storage.values().any(|value| value.starts_with(&token[64..])), "the body, which signs to the same bytes");
}

#[test]
fn a_store_that_fails_pays_nothing_and_the_next_payment_works() {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut TestIssuer::new());
    room.flash = Flash::Fails;
    let request = shop.asks(100);
    assert_eq!(room.pays(&request), None);
    assert_eq!((room.declined(), room.signals.last()), (Some(Decline::Machine), Some(&Signal::Fault)));
    room.flash = Flash::Works;
    room.forget();
    room.asks_to_pay(&request);
    assert_eq!(room.token(), None, "it needs a gesture again");
    room.press();
    let token = claims(&room.token().unwrap());
    assert_eq!((token.counter, token.cumulative), (Counter(1), Minor(100)), "nothing was signed under this number before");
}

#[test]
fn while_something_is_stored_the_band_is_busy() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut issuer);
    let first = room.pays(&shop.asks(1)).unwrap();
    room.flash = Flash::Slow;
    let request = shop.asks(100);
    room.asks_to_pay(&request);
    room.press();
    room.forget();
    for again in [request.clone(), shop.asks(200)] {
        room.asks_to_pay(&again);
        room.press();
        room.brings_receipt(&issuer.receipt(&first, Outcome::Settled, 2_000, 9_000));
        assert!(room.events.iter().all(|event| matches!(event, Event::Declined(Decline::Busy))), "{:?}", room.events);
    }
    room.settle(true);
    assert_eq!(claims(&room.token().unwrap()).amount, yuan(100));
    room.forget();
    room.happens(BandEvent::Stored);
    assert_eq!(room.errors, ["band: nothing was to be stored"]);
}

#[test]
fn a_late_stored_after_a_disconnection_counts_and_the_wallet_asks_again() {
    for restarts in [false, true] {
        let mut shop = Shop::new();
        let mut room = Room::ready(&mut TestIssuer::new());
        room.flash = Flash::Slow;
        let request = shop.asks(100);
        room.asks_to_pay(&request);
        room.press();
        room.disconnect();
        room.settle(true);
        room.flash = Flash::Works;
        if restarts {
            room.restart_band();
        }
        room.reconnect();
        assert_eq!(room.token(), None);
        room.asks_to_pay(&request);
        assert_eq!(claims(&room.token().unwrap()).counter, Counter(1), "without another gesture");
        room.put_on();
        assert_eq!(claims(&room.pays(&shop.asks(1)).unwrap()).counter, Counter(2));
    }
}

/// What one wallet's request led to is never told to another, which would take it for an answer to its own.
#[test]
fn what_one_wallet_waited_for_is_not_told_to_another() {
    for works in [true, false] {
        let mut room = Room::ready(&mut TestIssuer::new());
        let first = std::mem::replace(&mut room.phone, crate::common::Phone::new(&mut ChaCha20Rng::seed_from_u64(3)));
        room.disconnect();
        room.pair();
        room.reconnect();
        room.enrol(&mut TestIssuer::new(), CODE);
        let second = std::mem::replace(&mut room.phone, first);
        room.reconnect();
        room.flash = Flash::Slow;
        room.asks_to_pay(&Shop::new().asks(1));
        room.press();
        room.phone = second;
        room.reconnect();
        room.forget();
        room.settle(works);
        assert!(room.events.is_empty() && !room.is_linked(), "{:?}", room.events);
        room.settle(true);
        assert!(matches!(room.events[..], [Event::Keep(_), Event::Linked { .. }]) && room.is_linked(), "{:?}", room.events);
    }
}

/// What became of the tokens of one credential: each counter one body, and the total only grows.
#[derive(Default)]
struct Signed {
    bodies: BTreeMap<Counter, Vec<u8>>,
}

impl Signed {
    fn check(&mut self, token: &[u8]) {
        let claims = claims(token);
        let body = token[64..].to_vec();
        if let Some(known) = self.bodies.get(&claims.counter) {
            assert_eq!(*known, body, "one number, two tokens");
            return;
        }
        self.bodies.insert(claims.counter, body);
        let totals: Vec<u64> = self
            .bodies
            .values()
            .map(|body| crate::common::steps::claims(&[vec![0; 64], body.clone()].concat()).cumulative.0)
            .collect();
        assert!(totals.is_sorted_by(|before, after| before < after), "{totals:?}");
    }

    /// Takes note of what the band has stored as well, whether or not anybody ever got it.
    fn look_into(&mut self, room: &Room) {
        for (_, value) in room.storage.iter().filter(|(key, _)| key.as_u8() & 0xF0 == 0x50) {
            self.check(&[&[0; 64], &value[..PaymentToken::LEN - 64]].concat());
        }
    }

    /// How many tokens, and how much, were signed at most between two gestures.
    fn free(&self) -> (usize, u64) {
        let (mut run, mut most) = ((0, 0), (0, 0));
        for body in self.bodies.values() {
            let token = claims(&[vec![0; 64], body.clone()].concat());
            run = if token.presence.gesture == Made::None { (run.0 + 1, run.1 + token.amount.minor()) } else { (0, 0) };
            most = (run.0.max(most.0), run.1.max(most.1));
        }
        most
    }
}

#[test]
fn power_cut_at_every_store_never_uses_a_counter_twice() {
    for kept in [false, true] {
        // A PIN, a try, all tries again, pairing, promotion, key list, payment key, credential, then token and receipt, twice.
        for stores in 0..12 {
            let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
            let mut room = Room::new(5, 182);
            let mut signed = Signed::default();
            room.flash = Flash::CutAfter(stores, kept);
            for _ in 0..3 {
                live(&mut room, &mut issuer, &mut shop, &mut signed);
            }
            assert_eq!(room.power_cuts, 1, "{stores}");
            assert!(signed.bodies.len() >= 4, "{stores} {kept}: {} tokens", signed.bodies.len());
            let keys: std::collections::BTreeSet<_> = issuer.payment_keys.iter().collect();
            assert_eq!(keys.len(), 1, "a repeated enrolment has the same key");
            enters(&mut room, b"0000");
            assert_eq!(room.signals.last(), Some(&Signal::WrongSecret(UNLOCK_TRIES - 1)), "the right PIN gave all back");
        }
    }
}

fn enters(room: &mut Room, digits: &[u8]) {
    room.happens(BandEvent::Entered(Secret::pin(digits).unwrap()));
}

/// A wallet that does what it can to get two payments through.
fn live(room: &mut Room, issuer: &mut TestIssuer, shop: &mut Shop, signed: &mut Signed) {
    for _ in 0..2 {
        room.happens(BandEvent::PutOn);
        if room.band.unlocking().is_none() {
            room.happens(BandEvent::Chosen(Secret::pin(b"2580").unwrap()));
            room.happens(BandEvent::PutOn);
        }
        if room.band.unlocking().is_some() {
            enters(room, b"2580");
        }
    }
    if room.phone.link.is_none() {
        room.begin_to_pair();
        room.wallet_accepts();
        room.band_accepts();
        if room.phone.link.is_none() {
            return;
        }
    }
    room.reconnect();
    if !room.is_linked() {
        // The band lost power on the way: once more.
        room.reconnect();
    }
    if room.status().is_some_and(|status| status.credential.is_none()) {
        room.enrol(issuer, CODE);
        if !room.is_linked() {
            room.reconnect();
            room.enrol(issuer, CODE);
        }
    }
    room.put_on();
    for amount in [100, 250] {
        let request = shop.asks(amount);
        for _ in 0..2 {
            if !room.is_linked() {
                room.reconnect();
                room.put_on();
            }
            room.forget();
            room.asks_to_pay(&request);
            room.press();
            if let Some(token) = room.token() {
                signed.check(&token);
                room.brings_receipt(&issuer.receipt(&token, Outcome::Settled, 2_000, 9_000));
            }
        }
    }
}

#[test]
fn flash_that_fails_by_chance_never_uses_a_counter_twice_nor_grants_more_without_a_gesture() {
    let seed = seed();
    let mut chance = ChaCha20Rng::seed_from_u64(seed);
    for _ in 0..20 {
        let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
        let limits = &mut issuer.template.limits;
        (limits.free, limits.free_count, limits.free_total) = (Minor(200), FreeCount(3), Minor(400));
        let mut room = Room::ready(&mut issuer);
        let mut signed = Signed::default();
        let mut asked: Vec<Vec<u8>> = Vec::new();
        for _ in 0..100 {
            let odds = chance.next_u32();
            room.flash = match odds % 8 {
                0 => Flash::Fails,
                1 => Flash::CutAfter(0, odds & 0x100 != 0),
                _ => Flash::Works,
            };
            if !room.is_linked() {
                room.reconnect();
                room.put_on();
            }
            if !room.is_linked() {
                continue;
            }
            let request = match asked.len().checked_sub(1) {
                Some(last) if odds & 0x200 == 0 => asked[last - (odds >> 16) as usize % asked.len().min(3)].clone(),
                _ => shop.asks(u64::from(odds >> 24) + 1),
            };
            room.forget();
            room.asks_to_pay(&request);
            if odds & 0x400 == 0 {
                room.press();
            }
            if let Some(token) = room.token() {
                signed.check(&token);
            }
            signed.look_into(&room);
            asked.push(request);
        }
        assert!(signed.bodies.len() > 5, "{}", signed.bodies.len());
        let (count, total) = signed.free();
        assert!((1..=3).contains(&count) && total <= 400, "{count} {total}");
    }
}
