//! Centrals that are gone before the band has looked: its host stack forgets them, and the band is to be found all the same.

use armring_band::{Face, Signal};
use armring_ble_e2e::hasty::come_and_go;
use armring_ble_e2e::play;
use armring_ble_e2e::scan::sighted;

use crate::town::{OTHER, Town};

#[test]
fn a_central_that_comes_and_goes_while_the_band_is_busy_leaves_a_band_that_is_found_and_pays() {
    play(async {
        let mut town = Town::ready(185).await;
        for _ in 0..3 {
            let band = sighted(town.air.port(OTHER)).await;
            come_and_go(town.air.port(OTHER), band);
            assert_ne!(sighted(town.air.port(OTHER)).await, band, "it advertises as after any other connection");
        }
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_second_central_that_comes_and_goes_while_the_band_is_busy_closes_the_pairing_window() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        town.open_window().await;
        let mut call = town.phone.pair().await;
        let Ok(armring_wallet::Event::Code(_)) = call.next().await else { panic!("no code") };
        let port = town.air.port(OTHER);
        come_and_go(port, sighted(port).await);
        town.band.told(Signal::PairingClosed).await;
        call.kill().await;
        town.works_from_scratch().await;
    });
}
