//! What works: pairing, reconnecting, resuming, paying, being paid, at every MTU and over a channel.

use armring_band::Face;
use armring_ble_e2e::central::Way;
use armring_ble_e2e::foreign::Security;
use armring_ble_e2e::play;

use crate::town::{Town, linked, resumes};

#[test]
fn everything_works_at_an_mtu_of_23() {
    everything_works(Way::Gatt, 23, 20);
}

#[test]
fn everything_works_at_an_mtu_of_185() {
    everything_works(Way::Gatt, 185, 182);
}

#[test]
fn everything_works_at_an_mtu_of_247() {
    everything_works(Way::Gatt, 247, 244);
}

#[test]
fn everything_works_at_an_mtu_of_517() {
    // No attribute is longer than 512 bytes.
    everything_works(Way::Gatt, 517, 512);
}

#[test]
fn a_phone_whose_bluetooth_pairing_the_band_does_not_answer_pairs_enrols_and_pays() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        town.phone.way = Way::Foreign(Security::Unanswered);
        town.works_from_scratch().await;
        assert_eq!(town.band.logged(), [""; 0]);
    });
}

#[test]
fn everything_works_over_an_l2cap_channel() {
    // The packets of the phone's stack, less the headers of L2CAP and of an SDU.
    everything_works(Way::Channel, 247, 245);
}

/// Pairing by code and by the secret that a display shows, enrolling, reconnecting, resuming, paying and being paid.
fn everything_works(way: Way, att_mtu: u16, payload: usize) {
    play(async {
        for face in [Face::Lights, Face::Display] {
            let mut town = Town::new(att_mtu, face);
            town.phone.way = way;
            town.works_from_scratch().await;
            let mut call = town.phone.reconnect().await;
            assert_eq!(call.payload.bytes(), payload);
            linked(&mut call).await;
            call.lose().await;
            resumes(&mut town.phone).await.hang_up().await;
            town.is_paid().await;
            assert_eq!(town.band.logged(), [""; 0]);
        }
    });
}

#[test]
fn a_phone_on_another_bluetooth_host_pairs_enrols_and_pays() {
    play(async {
        for att_mtu in [23, 247] {
            let mut town = Town::new(att_mtu, Face::Lights);
            town.phone.way = Way::Foreign(Security::None);
            town.works_from_scratch().await;
            assert_eq!(town.band.logged(), [""; 0]);
        }
    });
}

#[test]
fn a_connection_that_is_lost_again_and_again_is_resumed_each_time_and_pays() {
    play(async {
        let mut town = Town::ready(185).await;
        let request = town.shop.asks(1_000);
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.lose().await;
        for _ in 0..3 {
            resumes(&mut town.phone).await.lose().await;
        }
        let mut call = resumes(&mut town.phone).await;
        Town::pays(&mut call, &mut town.band, &request).await.unwrap();
        call.hang_up().await;
    });
}
