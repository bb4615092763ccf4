//! Somebody stands between band and phone, each of which sees only them.

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::air::Air;
use armring_ble_e2e::bracelet::Bracelet;
use armring_ble_e2e::middle::{Middle, Towards};
use armring_ble_e2e::phone::{Over, Phone};
use armring_ble_e2e::play;
use armring_pairing::{DiffieHellman, PairingLabel, PairingSecret, SoftwareKey, Source};
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

/// Whoever stands between with keys of their own: a band to the phone, a phone to the band. The phone hears no other band.
struct Impostor {
    band: Bracelet,
    phone: Phone,
    _air: Air,
}

impl Impostor {
    /// Their band pairs by code, or with the secret on its label, if it has one.
    fn stand(town: &mut Town, label: Option<[u8; 32]>) -> Self {
        let air = Air::with(2);
        let mut band = Bracelet::new(air.port(0), town.issuer.root_key(), Face::Lights).with([0x66; 32], label);
        band.start();
        town.phone.port = air.port(1);
        Self { band, phone: Phone::new(town.air.port(OTHER), 185, 66), _air: air }
    }

    async fn open_window(&mut self) {
        self.band.gesture(Gesture::Hold);
        self.band.told(Signal::PairingOpen).await;
    }
}

#[test]
fn whoever_stands_between_with_keys_of_their_own_has_two_codes_and_pairs_with_nobody() {
    play(async {
        let mut town = Town::new(185, Face::Lights);
        let alone = town.phone.port;
        let mut other = Impostor::stand(&mut town, None);
        town.open_window().await;
        other.open_window().await;
        let mut to_phone = town.phone.pair().await;
        let Ok(Event::Code(at_phone)) = to_phone.next().await else { panic!("no code") };
        other.band.told(Signal::Code(at_phone)).await;
        let mut to_band = other.phone.pair().await;
        let Ok(Event::Code(in_between)) = to_band.next().await else { panic!("no code") };
        let Signal::Code(at_band) = town.band.tells().await.signal else { panic!("no code") };
        assert_eq!(at_band, in_between, "each half is a pairing");
        assert_ne!(at_band, at_phone, "what the two people compare");
        // Whoever stands between accepts both. The two people accept none.
        to_band.accept_code();
        other.band.gesture(Gesture::Press);
        to_phone.hang_up().await;
        town.band.gesture(Gesture::Refuse);
        town.band.told(Signal::PairingClosed).await;
        other.band.told(Signal::PairingClosed).await;
        assert!(matches!(to_band.next().await, Err(Over::Ended)));
        to_band.kill().await;
        assert!(town.phone.link.is_none() && other.phone.link.is_none());
        assert_eq!((town.band.stored(), other.band.stored()), (0, 0), "nothing is stored of them");
        town.phone.port = alone;
        town.works_from_scratch().await;
    });
}

#[test]
fn whoever_stands_between_and_has_seen_the_secret_has_not_the_key_whose_hash_is_beside_it() {
    play(async {
        let mut town = Town::new(185, Face::Display);
        let alone = town.phone.port;
        let label = town.open_window_with_label().await;
        let mut other = Impostor::stand(&mut town, Some(*label.secret().expose()));
        other.open_window().await;
        let mut to_phone = town.phone.scan(label).await;
        let Err(Over::Failed(error)) = to_phone.next().await else { panic!("paired with another band") };
        assert_eq!(error.to_string(), "the handshake failed: the band's key is not the one on its label");
        to_phone.kill().await;
        other.band.told(Signal::PairingClosed).await;
        assert!(town.phone.link.is_none());
        assert_eq!(other.band.stored(), 0);
        town.phone.port = alone;
        town.works_from_scratch().await;
    });
}

#[test]
fn whoever_stands_between_without_the_secret_pairs_with_neither() {
    play(async {
        let mut town = Town::new(185, Face::Display);
        let alone = town.phone.port;
        let label = town.open_window_with_label().await;
        let mut other = Impostor::stand(&mut town, Some([0x66; 32]));
        other.open_window().await;
        let mut to_phone = town.phone.scan(label).await;
        assert!(matches!(to_phone.next().await, Err(Over::Ended)), "the band that it scanned would have answered");
        to_phone.kill().await;
        other.band.told(Signal::PairingClosed).await;
        let guess = PairingLabel::new(Source::Displayed, PairingSecret::new([0x66; 32]), &SoftwareKey::new([7; 32]).public_key());
        let mut to_band = other.phone.scan(guess).await;
        assert!(matches!(to_band.next().await, Err(Over::Ended)), "one guess");
        to_band.kill().await;
        town.band.told(Signal::PairingClosed).await;
        assert!(town.phone.link.is_none() && other.phone.link.is_none());
        assert_eq!((town.band.stored(), other.band.stored()), (0, 0));
        town.phone.port = alone;
        town.works_from_scratch().await;
    });
}
