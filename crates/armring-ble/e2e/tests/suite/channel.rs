//! Over an L2CAP channel in place of writes and notifications.

use armring_band::Face;
use armring_ble_e2e::central::{Central, Way};
use armring_ble_e2e::phone::{Over, Phone};
use armring_ble_e2e::play;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::lost::payment_cut_after;
use crate::town::{OTHER, Town};

/// Somebody else's channel to the band, over which it has spoken.
async fn stranger(town: &Town) -> Central {
    let mut central = Central::dial(town.air.port(OTHER), 247, Way::Channel);
    central.up().await.unwrap();
    assert_eq!(central.receive().await.map(|hello| hello.len()), Some(19));
    central
}

#[test]
fn a_link_that_is_lost_in_the_middle_of_a_record_over_a_channel_comes_back_and_the_payment_goes_through() {
    play(async {
        let mut town = Town::new(23, Face::Lights);
        town.phone.way = Way::Channel;
        town.works_from_scratch().await;
        let mut fragments = 0;
        while !payment_cut_after(&mut town, fragments, fragments % 2 == 0).await {
            fragments += 5;
        }
        assert!(fragments > 30, "there are more fragments than {fragments}");
    });
}

#[test]
fn a_central_that_gives_the_band_no_credits_is_cut_off_after_ten_seconds() {
    play(async {
        let mut town = Town::ready(185).await;
        let mut central = Central::dial(town.air.port(OTHER), 247, Way::Dry(0));
        central.up().await.unwrap();
        town.band.wait(10);
        central.is_cut().await;
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_gives_too_few_credits_for_what_the_band_has_to_say_is_cut_off_after_ten_seconds() {
    play(async {
        let mut town = Town::new(23, Face::Lights);
        let mut phone = Phone::new(town.air.port(OTHER), 23, 9);
        phone.way = Way::Dry(3);
        town.open_window().await;
        let mut call = phone.pair().await;
        // The band's hello, the wallet's, the four fragments of message 1, and two of the six of message 2: with the hello, all the credits.
        call.fragments = Some(1 + 1 + 4 + 2);
        assert!(matches!(call.next().await, Err(Over::Gone)));
        // What waits does so from the fourth on: the band has heard of all that the phone did before.
        town.band.wait(10);
        call.is_cut().await;
        assert_eq!(town.band.logged(), ["the central did not subscribe or acknowledge in time"]);
        town.works_from_scratch().await;
    });
}

#[test]
fn a_central_that_sends_what_is_no_fragment_over_a_channel_is_cut_off() {
    play(async {
        let mut town = Town::ready(185).await;
        for sdu in [&[][..], &[1]] {
            let central = stranger(&town).await;
            central.send(sdu);
            central.is_cut().await;
            assert_eq!(town.band.logged().last().map(String::as_str), Some("a payload that is too short to be anything"));
        }
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_sends_garbage_over_a_channel_or_floods_it_is_cut_off() {
    play(async {
        let mut town = Town::ready(185).await;
        for seed in 0..10 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let central = stranger(&town).await;
            for _ in 0..3 + 40 * (seed % 2) {
                let mut sdu = vec![0; 2 + (rng.next_u32() % 240) as usize];
                rng.fill_bytes(&mut sdu);
                central.send(&sdu);
            }
            // What could still become a record has ten seconds for it.
            town.band.wait(10);
            central.is_cut().await;
        }
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_central_that_replays_over_a_channel_what_a_phone_once_sent_is_cut_off() {
    play(async {
        let mut town = Town::ready(247).await;
        town.phone.way = Way::Channel;
        town.pays_from_scratch().await;
        let captured = town.phone.written.clone();
        assert!(captured.len() > 4);
        let central = stranger(&town).await;
        captured.iter().for_each(|sdu| central.send(sdu));
        central.is_cut().await;
        town.pays_from_scratch().await;
    });
}
