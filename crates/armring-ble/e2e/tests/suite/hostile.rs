//! Centrals that want no good: afterwards band and phone still have a working link.

use armring_band::{Face, Signal};
use armring_ble::WINDOW;
use armring_ble_e2e::central::{Central, Way};
use armring_ble_e2e::phone::{Call, Over, Phone};
use armring_ble_e2e::play;
use armring_wallet::Event;
use armring_wire::records::band::ToBand;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::town::{OTHER, Town, linked};

/// Somebody else's central, which has heard the band speak.
async fn stranger(town: &Town) -> Central {
    let mut central = Central::dial(town.air.port(OTHER), 247, Way::Raw);
    central.up().await.unwrap();
    assert_eq!(central.receive().await.map(|hello| hello.len()), Some(19));
    central
}

#[test]
fn a_second_central_while_the_pairing_window_is_open_closes_it() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        for way in [Way::Silence, Way::Raw] {
            town.open_window().await;
            let mut first = town.phone.central(way);
            first.up().await.unwrap();
            let second = Central::dial(town.air.port(OTHER), 247, Way::Silence);
            town.band.told(Signal::PairingClosed).await;
            first.is_cut().await;
            second.is_cut().await;
        }
        assert!(town.band.logged().contains(&"a second central connected".to_owned()), "{:?}", town.band.logged());
        town.pair().await;
    });
}

#[test]
fn a_second_central_finds_a_band_to_which_one_is_connected_that_says_nothing() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        // Three connections and two places for them: the first one takes either.
        for _ in 0..2 {
            town.open_window().await;
            let mut first = town.phone.central(Way::Mute);
            first.up().await.unwrap();
            let second = Central::dial(town.air.port(OTHER), 247, Way::Mute);
            town.band.told(Signal::PairingClosed).await;
            first.is_cut().await;
            second.is_cut().await;
            let mut third = town.phone.central(Way::Silence);
            third.up().await.unwrap();
            town.band.wait(10);
            third.is_cut().await;
        }
    });
}

#[test]
fn a_second_central_while_a_code_is_compared_ends_the_pairing() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        town.open_window().await;
        let mut call = town.phone.pair().await;
        let Ok(Event::Code(_)) = call.next().await else { panic!("no code") };
        let second = Central::dial(town.air.port(OTHER), 247, Way::Silence);
        town.band.told(Signal::PairingClosed).await;
        assert!(matches!(call.next().await, Err(Over::Ended)));
        call.kill().await;
        second.is_cut().await;
        town.pair().await;
    });
}

#[test]
fn a_central_that_sends_garbage_is_cut_off() {
    play(async {
        let mut town = Town::ready(185).await;
        for seed in 0..20 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let central = stranger(&town).await;
            for _ in 0..3 {
                let mut payload = vec![0; 2 + (rng.next_u32() % 240) as usize];
                rng.fill_bytes(&mut payload);
                central.send(&payload);
            }
            // What could still become a record has ten seconds for it.
            town.band.wait(10);
            central.is_cut().await;
        }
        town.put_on().await;
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_replays_what_a_phone_once_wrote_is_cut_off() {
    play(async {
        let mut town = Town::ready(247).await;
        town.pays_from_scratch().await;
        let captured = town.phone.written.clone();
        assert!(captured.len() > 4);
        let central = stranger(&town).await;
        for payload in &captured {
            central.send(payload);
        }
        central.is_cut().await;
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_holds_the_connection_is_cut_off_after_ten_seconds() {
    play(async {
        let mut town = Town::ready(185).await;
        for way in [Way::Silence, Way::Raw] {
            let mut central = Central::dial(town.air.port(OTHER), 247, way);
            central.up().await.unwrap();
            if way == Way::Raw {
                central.receive().await.unwrap();
            }
            town.band.wait(10);
            central.is_cut().await;
        }
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_floods_is_cut_off() {
    play(async {
        let mut town = Town::ready(185).await;
        let central = stranger(&town).await;
        for n in 0..200 {
            central.send(&[n; 244]);
        }
        central.is_cut().await;
        town.pays_from_scratch().await;
    });
}

/// Somebody else's phone that acknowledges nothing, pairs at an MTU of 23, and has heard of message 2 as much as may be under way. The band waits.
async fn deaf<'a>(town: &mut Town, phone: &'a mut Phone) -> Call<'a> {
    (phone.port, phone.way) = (town.air.port(OTHER), Way::Deaf);
    town.open_window().await;
    let mut call = phone.pair().await;
    // The band's hello, the wallet's, the four fragments of message 1, and three of the six of message 2.
    call.fragments = Some(1 + 1 + 4 + 3);
    let Err(Over::Gone) = call.next().await else { panic!("message 2 is whole") };
    call
}

#[test]
fn a_central_that_acknowledges_nothing_is_sent_no_more_than_the_window_and_cut_off_after_ten_seconds() {
    play(async {
        let mut town = Town::new(23, Face::Lights);
        let mut phone = Phone::new(0, 23, 9);
        let call = deaf(&mut town, &mut phone).await;
        town.band.wait(10);
        assert_eq!(call.is_cut().await, 0, "of what the band had to say nothing else left it");
        town.band.told(Signal::PairingClosed).await;
        assert_eq!(town.band.logged(), ["the central did not subscribe or acknowledge in time"]);
        town.works_from_scratch().await;
    });
}

#[test]
fn a_central_that_writes_beyond_the_window_while_the_band_waits_is_cut_off() {
    play(async {
        let mut town = Town::new(23, Face::Lights);
        let mut phone = Phone::new(0, 23, 9);
        let call = deaf(&mut town, &mut phone).await;
        (0..2 * WINDOW).for_each(|n| call.writes(&[n; 20]));
        call.is_cut().await;
        town.band.told(Signal::PairingClosed).await;
        assert_eq!(town.band.logged(), ["more fragments than may be under way"]);
        town.works_from_scratch().await;
    });
}

#[test]
fn a_paired_phone_that_asks_and_asks_and_acknowledges_no_answer_is_cut_off() {
    play(async {
        let mut town = Town::ready(185).await;
        town.phone.way = Way::Deaf;
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        // Hello, message 2 and the generation are under way: of the answers there is room for one.
        (0..10).for_each(|_| call.say(&ToBand::Status));
        let mut answers = 0;
        while let Ok(Event::Status(_)) = call.next().await {
            answers += 1;
        }
        assert!(answers <= 1, "{answers} answers");
        call.kill().await;
        assert_eq!(town.band.logged(), ["more fragments than may be under way"]);
        town.phone.way = Way::Gatt;
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_acknowledges_what_was_never_sent_is_cut_off() {
    play(async {
        let mut town = Town::ready(185).await;
        let central = stranger(&town).await;
        central.send(&[77]);
        central.is_cut().await;
        assert_eq!(town.band.logged(), ["an acknowledgement of fragments that were not sent"]);
        town.pays_from_scratch().await;
    });
}
