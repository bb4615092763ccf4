//! Somebody stands between band and phone, each of which sees only them.

use armring_band::{Face, Signal};
use armring_ble_e2e::air::Air;
use armring_ble_e2e::middle::{Middle, Towards};
use armring_ble_e2e::play;
use armring_wallet::Event;
use armring_wire::Opaque;
use armring_wire::records::band::ToBand;

use crate::town::{OTHER, Town, linked};

/// The air of a phone that hears nobody but whoever stands between, and their relay, which changes the payload of this number that goes this
/// way. Acknowledgements are none.
fn between(town: &mut Town, air: &Air, change: Option<(Towards, usize)>) -> Middle {
    town.phone.port = air.port(1);
    let mut passed = [0, 0];
    let meddler = move |towards, payload: &mut Vec<u8>| {
        if payload.len() > 1 {
            let passed = &mut passed[usize::from(towards == Towards::Band)];
            if change == Some((towards, *passed)) {
                let last = payload.len() - 1;
                payload[last] ^= 1;
            }
            *passed += 1;
        }
    };
    Middle::stand(air.port(0), town.air.port(OTHER), Box::new(meddler))
}

#[test]
fn whoever_stands_between_and_changes_a_byte_of_a_pairing_pairs_with_nobody() {
    play(async {
        let mut town = Town::new(247, Face::Lights);
        let air = Air::with(2);
        for change in [(Towards::Phone, 0), (Towards::Phone, 1), (Towards::Band, 0), (Towards::Band, 1), (Towards::Band, 2)] {
            town.open_window().await;
            let middle = between(&mut town, &air, Some(change));
            let mut call = town.phone.pair().await;
            let result = call.next().await;
            // The phone has a code before the band has opened its third message, and then the band shows none.
            let refused = result.is_err() || change == (Towards::Band, 2) && matches!(result, Ok(Event::Code(_)));
            assert!(refused, "{change:?}: {result:?}");
            call.kill().await;
            town.band.told(Signal::PairingClosed).await;
            middle.leave().await;
        }
        assert!(town.phone.link.is_none());
        assert_eq!(town.band.stored(), 0, "nothing is stored of them");
    });
}

#[test]
fn whoever_stands_between_and_changes_a_byte_of_a_payment_gets_no_token() {
    play(async {
        let mut town = Town::ready(247).await;
        let (air, alone) = (Air::with(2), town.phone.port);
        let request = town.shop.asks(1_000);
        // Hello, message 1 and the generation pass.
        let middle = between(&mut town, &air, Some((Towards::Band, 3)));
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.say(&ToBand::Pay { request: Opaque::new(&request).unwrap() });
        // A record that does not verify changes nothing; nor do those after it, until the eighth cuts the channel.
        for _ in 0..7 {
            call.say(&ToBand::Status);
        }
        let result = call.next().await;
        assert!(result.is_err(), "{result:?}");
        call.kill().await;
        middle.leave().await;
        town.phone.port = alone;
        town.pays_from_scratch().await;
    });
}

#[test]
fn a_relay_that_changes_nothing_carries_a_payment() {
    play(async {
        let mut town = Town::ready(247).await;
        let air = Air::with(2);
        let middle = between(&mut town, &air, None);
        town.pays_from_scratch().await;
        middle.leave().await;
    });
}
