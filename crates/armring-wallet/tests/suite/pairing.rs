//! Pairing by a compared code, against each known attack on it and each way in which it can be cut short.

use armring_band::{Event as BandEvent, Gesture, LINKS, Signal};
use armring_pairing::LinkState::{Established, Provisional};
use armring_pairing::{BandHello, Pairing, WalletHello};
use armring_wallet::Connection;
use armring_wire::VersionRange;

use crate::common::{Flash, Phone, Room};

/// The hello and message 1 of a wallet that answers what the stranger in `room` heard first.
fn first_message(room: &mut Room) -> (Vec<u8>, Vec<u8>) {
    let hello = BandHello::from_bytes(room.heard[0].as_slice().try_into().unwrap());
    let (_, answer, message) = <Pairing>::start(&room.phone.key, VersionRange::SUPPORTED, &hello, &mut room.rng).unwrap();
    (answer.encode(&mut [0; WalletHello::MAX_LEN]).to_vec(), message.to_vec())
}

#[test]
fn man_in_the_middle_gets_different_codes() {
    // The attacker's wallet speaks to the band, and the attacker's band to the wallet.
    let (mut at_band, mut at_wallet) = (Room::new(1, 182), Room::new(2, 182));
    at_band.begin_to_pair();
    at_wallet.begin_to_pair();
    assert_eq!(at_band.code_on_band(), at_band.code_in_wallet());
    assert_ne!(at_band.code_on_band(), at_wallet.code_in_wallet());
    at_band.wallet_accepts();
    at_band.happens(BandEvent::CodeShown);
    at_band.gesture(Gesture::Refuse);
    assert_eq!(at_band.signals.last(), Some(&Signal::PairingClosed));
    assert!(at_band.storage.is_empty());
}

#[test]
fn second_connection_closes_the_pairing_window() {
    let mut room = Room::new(1, 182);
    room.begin_to_pair();
    room.happens(BandEvent::Connected(room.payload));
    assert_eq!(room.count(Signal::PairingClosed), 1);
    room.band_accepts();
    assert!(room.storage.is_empty() && !room.signals.contains(&Signal::Paired));

    // The same where the first has said nothing yet.
    room.forget();
    room.gesture(Gesture::Hold);
    room.connect_stranger();
    room.happens(BandEvent::Connected(room.payload));
    assert_eq!(room.count(Signal::PairingClosed), 1);
    room.connect(Connection::pair(room.payload));
    assert_eq!(room.code_on_band(), None);
}

#[test]
fn first_message_1_consumes_the_window() {
    for length in [64, 63, 65, 1, 300] {
        let mut room = Room::new(1, 182);
        room.gesture(Gesture::Hold);
        room.connect_stranger();
        let (hello, _) = first_message(&mut room);
        room.utter(&hello);
        room.utter(&vec![7; length]);
        room.disconnect();
        assert_eq!(room.count(Signal::PairingClosed), 1, "{length}");
        room.connect(Connection::pair(room.payload));
        assert_eq!(room.code_on_band(), None, "one gesture, one guess");
    }
}

#[test]
fn a_second_message_1_ends_the_pairing() {
    let mut room = Room::new(1, 182);
    room.gesture(Gesture::Hold);
    room.connect_stranger();
    let (hello, message) = first_message(&mut room);
    room.utter(&hello);
    room.utter(&message);
    assert_eq!(room.heard.len(), 2, "hello and message 2");
    room.utter(&message);
    assert_eq!((room.heard.len(), room.count(Signal::PairingClosed)), (2, 1));
}

#[test]
fn pairing_outside_the_window_is_refused() {
    let mut room = Room::new(1, 182);
    room.connect(Connection::pair(room.payload));
    assert_eq!((room.code_on_band(), room.code_in_wallet()), (None, None));
    assert!(room.errors.contains(&"band: the pairing window is not open".to_owned()), "{:?}", room.errors);
    assert!(room.connection.is_none(), "the band ended it");
    room.gesture(Gesture::Hold);
    room.wait(60_000);
    assert_eq!(room.signals, [Signal::PairingOpen, Signal::PairingClosed]);
    room.connect(Connection::pair(room.payload));
    assert_eq!(room.code_in_wallet(), None);
}

#[test]
fn the_window_is_closed_visibly_by_any_end() {
    let ends: [fn(&mut Room); 6] = [
        Room::disconnect,
        |room| room.wait(60_000),
        |room| room.gesture(Gesture::Refuse),
        |room| {
            room.connection.as_mut().unwrap().close();
            room.pump();
        },
        |room| room.gesture(Gesture::Reset),
        |room| room.happens(BandEvent::Fragment(&[0xC3, 1])),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut room = Room::new(1, 182);
        room.begin_to_pair();
        end(&mut room);
        assert_eq!(room.count(Signal::PairingClosed), 1, "{number}: {:?}", room.signals);
        assert!(room.storage.is_empty());
        room.band_accepts();
        assert!(!room.signals.contains(&Signal::Paired), "{number}");
        // And then a new gesture pairs.
        if room.connection.is_some() {
            room.disconnect();
        }
        room.forget();
        room.pair();
    }
}

#[test]
fn a_paired_wallet_that_connects_and_leaves_closes_the_window() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.gesture(Gesture::Hold);
    room.forget();
    room.reconnect();
    room.connection.as_mut().unwrap().close();
    room.pump();
    assert_eq!(room.count(Signal::PairingClosed), 1);
    room.connect(Connection::pair(room.payload));
    assert_eq!(room.code_on_band(), None);
}

#[test]
fn accept_before_the_whole_code_was_shown_is_impossible() {
    let mut room = Room::new(1, 182);
    room.begin_to_pair();
    let connection = room.connection.as_mut().unwrap();
    assert!(connection.accept_code(&mut room.rng).is_err());
    room.wallet_accepts();
    room.press();
    room.press();
    assert!(room.storage.is_empty(), "nothing was shown");
    room.happens(BandEvent::CodeShown);
    assert!(room.storage.is_empty(), "and silence is no");
    room.press();
    assert_eq!(room.band_links(), [Provisional]);
}

#[test]
fn silence_is_no() {
    let mut room = Room::new(1, 182);
    room.begin_to_pair();
    room.wallet_accepts();
    room.happens(BandEvent::CodeShown);
    room.wait(59_999);
    assert_eq!(room.count(Signal::PairingClosed), 0);
    assert_eq!(room.band.deadline(), Some(armring_wire::Uptime::from_millis(room.now.as_millis() + 1)));
    room.wait(1);
    assert_eq!(room.count(Signal::PairingClosed), 1);
    room.press();
    assert!(room.storage.is_empty());
}

#[test]
fn a_wallet_that_confirms_too_late_is_not_paired() {
    let mut room = Room::new(1, 182);
    room.begin_to_pair();
    room.band_accepts();
    // The host is late with its tick, and the wallet's word comes first.
    room.now = armring_wire::Uptime::from_millis(room.now.as_millis() + 60_000);
    room.wallet_accepts();
    assert!(room.storage.is_empty() && room.signals.contains(&Signal::PairingClosed), "{:?}", room.signals);
}

#[test]
fn band_confirms_only_after_the_link_is_stored() {
    let mut room = Room::new(1, 182);
    room.flash = Flash::Slow;
    room.begin_to_pair();
    room.band_accepts();
    room.wallet_accepts();
    assert!(room.unsettled.is_some());
    assert!(room.phone.link.is_none() && !room.signals.contains(&Signal::Paired), "not before it is stored");
    room.settle(true);
    assert!(room.phone.link.is_some() && room.signals.contains(&Signal::Paired));

    let mut room = Room::new(1, 182);
    room.flash = Flash::Fails;
    room.begin_to_pair();
    room.wallet_accepts();
    room.band_accepts();
    assert!(room.phone.link.is_none(), "a link that is not stored is none");
    assert_eq!(room.signals[2..], [Signal::Fault, Signal::PairingClosed]);
    room.flash = Flash::Works;
    room.pair();
}

#[test]
fn lost_confirm_leaves_a_provisional_link_that_evicts_nothing_and_is_replaced_next_time() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.reconnect();
    room.disconnect();
    let mut second = Phone::new(&mut room.rng);
    std::mem::swap(&mut room.phone, &mut second);
    room.flash = Flash::Slow;
    room.begin_to_pair();
    room.wallet_accepts();
    room.band_accepts();
    room.disconnect();
    room.settle(true);
    assert_eq!(
        (room.band_links(), &room.phone.link),
        (vec![Established, Provisional], &None),
        "the band remembers, the wallet does not"
    );
    room.flash = Flash::Works;
    room.restart_band();
    room.pair();
    assert_eq!(room.band_links(), [Established, Provisional], "in the place of the last one");
    room.reconnect();
    assert!(room.is_linked());
    std::mem::swap(&mut room.phone, &mut second);
    room.reconnect();
    assert!(room.is_linked(), "the first is where it was");
}

/// The flash is still busy with the link of one pairing when the next one is under way.
#[test]
fn a_late_stored_confirms_nobody_elses_pairing() {
    let mut room = Room::new(1, 182);
    room.flash = Flash::Slow;
    room.begin_to_pair();
    room.wallet_accepts();
    room.band_accepts();
    room.disconnect();
    room.forget();
    room.phone = Phone::new(&mut room.rng);
    room.begin_to_pair();
    room.settle(true);
    assert!(!room.signals.contains(&Signal::Paired) && room.phone.link.is_none());
    room.wallet_accepts();
    room.band_accepts();
    room.settle(true);
    assert!(room.signals.contains(&Signal::Paired) && room.phone.link.is_some());
}

#[test]
fn a_link_waits_for_its_turn_to_be_stored() {
    let mut room = Room::new(1, 182);
    room.flash = Flash::Slow;
    room.begin_to_pair();
    room.wallet_accepts();
    room.band_accepts();
    room.disconnect();
    room.begin_to_pair();
    room.wallet_accepts();
    room.band_accepts();
    assert!(!room.signals.contains(&Signal::Paired));
    room.settle(false);
    assert_eq!(room.count(Signal::PairingClosed), 1, "that of the first: the second goes on");
    room.settle(true);
    assert!(room.signals.contains(&Signal::Paired));
    room.flash = Flash::Works;
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn all_links_full() {
    let mut room = Room::new(1, 182);
    for _ in 0..LINKS {
        room.phone = Phone::new(&mut room.rng);
        room.pair();
        room.reconnect();
        room.disconnect();
    }
    assert_eq!(room.band_links(), [Established; LINKS]);
    room.forget();
    room.gesture(Gesture::Hold);
    assert_eq!(room.signals, [Signal::LinksFull]);
    room.connect(Connection::pair(room.payload));
    assert_eq!(room.code_in_wallet(), None);
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn whoever_says_nothing_is_cut_off() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.connect_stranger();
    room.wait(9_999);
    assert!(room.errors.is_empty());
    room.wait(1);
    room.forget();
    room.happens(BandEvent::Fragment(&[0xC0, 1]));
    assert_eq!(room.errors, ["band: there is no connection"]);
    room.reconnect();
    assert!(room.is_linked());
    room.wait(100_000);
    assert!(room.is_linked(), "a paired wallet may be silent");
    assert!(room.status().is_some());
}
