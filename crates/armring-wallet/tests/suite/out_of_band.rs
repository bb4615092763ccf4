//! Pairing without comparing: by a secret that the band shows, by the one on its label, by a press. And the code as signs.

use armring_band::{Event as BandEvent, Face, Gesture, Signal};
use armring_pairing::LinkState::Provisional;
use armring_pairing::{BandHello, PairingLabel, PairingSecret, PairingUncompared, PublicKey, Source, WalletHello};
use armring_wallet::{Connection, Event};
use armring_wire::records::Assurance;
use armring_wire::records::band::ToBand;
use armring_wire::{Uptime, VersionRange, encode};

use crate::common::{Flash, Room, Way};

const PRINTED: [u8; 32] = [0x51; 32];

/// Every band, and in which ways it pairs: by code, out of band, by press.
const BANDS: [(Face, Option<[u8; 32]>, [bool; 3]); 6] = [
    (Face::Display, None, [true, true, false]),
    (Face::Display, Some(PRINTED), [true, true, false]),
    (Face::Lights, None, [true, false, false]),
    (Face::Lights, Some(PRINTED), [true, true, false]),
    (Face::Button, Some(PRINTED), [false, true, false]),
    (Face::Button, None, [false, false, true]),
];

fn is_paired(room: &Room) -> bool {
    let paired = room.signals.contains(&Signal::Paired);
    assert_eq!(paired, room.phone.link.is_some(), "{:?} {:?}", room.signals, room.errors);
    assert_eq!(paired, room.band_links().contains(&Provisional));
    paired
}

#[test]
fn a_band_pairs_in_the_ways_that_its_face_and_label_allow_and_any_other_hello_closes_the_window() {
    for (face, label, allowed) in BANDS {
        for (kind, allowed) in allowed.into_iter().enumerate() {
            let mut room = Room::with_face(face, label);
            room.gesture(Gesture::Hold);
            let secret = PairingSecret::new(label.unwrap_or([9; 32]));
            let label = room.displayed_label().unwrap_or(PairingLabel::new(Source::Printed, secret, &room.band_public_key()));
            room.connect(match kind {
                0 => Connection::pair(room.payload),
                1 => Connection::pair_with_label(label, room.payload),
                _ => Connection::pair_by_press(room.payload),
            });
            let begun = if kind == 0 { room.code_on_band().is_some() } else { is_paired(&room) };
            assert_eq!(begun, allowed, "{face:?} {kind}");
            if !allowed {
                assert_eq!(room.signals, [Signal::PairingOpen, Signal::PairingClosed], "{face:?} {kind}");
                assert!(room.errors.contains(&"band: the handshake failed: the band does not pair in this way".to_owned()));
                assert!(room.connection.is_none() && room.storage.is_empty() && room.band.label().is_none());
            }
        }
    }
}

/// An attacker who runs press-only with the band and the code with the wallet would be between the two.
#[test]
fn press_only_is_refused_by_a_band_that_can_show_a_code() {
    for (face, label) in
        [(Face::Lights, None), (Face::Display, None), (Face::Lights, Some(PRINTED)), (Face::Button, Some(PRINTED))]
    {
        let mut room = Room::with_face(face, label);
        room.pair_by_press();
        assert!(!is_paired(&room));
        assert_eq!(room.signals, [Signal::PairingOpen, Signal::PairingClosed], "one gesture, one guess");
        room.connect(if face == Face::Button { Connection::pair_by_press(room.payload) } else { Connection::pair(room.payload) });
        assert!(!is_paired(&room) && room.code_on_band().is_none() && room.storage.is_empty());
    }
}

#[test]
fn a_button_pairs_by_a_press_with_the_least_assurance() {
    let mut room = Room::with_face(Face::Button, None);
    room.connect(Connection::pair_by_press(room.payload));
    assert!(!is_paired(&room), "not without the gesture");
    room.pair_by_press();
    assert!(is_paired(&room) && room.code_on_band().is_none());
    assert_eq!(room.assurances(), (Assurance::Press, Assurance::Press));
    room.reconnect();
    assert!(room.is_linked());
    room.restart_band();
    room.reconnect();
    assert!(room.is_linked());
    assert_eq!(room.assurances(), (Assurance::Press, Assurance::Press));
}

#[test]
fn a_displayed_secret_pairs_with_the_highest_assurance_and_is_gone_then() {
    let mut room = Room::with_face(Face::Display, None);
    assert!(room.band.label().is_none(), "there is no window");
    room.pair_with_label();
    assert!(is_paired(&room) && room.band.label().is_none());
    assert_eq!(room.assurances(), (Assurance::DisplayedSecret, Assurance::DisplayedSecret));
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn a_displayed_secret_is_another_one_for_each_window_and_dies_with_it() {
    let ends: [fn(&mut Room); 8] = [
        |room| room.wait(60_000),
        |room| room.gesture(Gesture::Reset),
        |room| {
            room.connect_stranger();
            room.disconnect();
        },
        |room| {
            room.connect_stranger();
            room.happens(BandEvent::Connected(room.payload));
        },
        |room| {
            room.connect_stranger();
            room.utter(&[1, 9, 9, 0]);
        },
        |room| {
            room.connect_stranger();
            room.utter(&[2, 1, 1, 0]);
            room.utter(&[7; 48]);
        },
        |room| {
            room.connect_stranger();
            room.happens(BandEvent::Fragment(&[0x43, 1]));
        },
        |room| room.gesture(Gesture::Hold),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut room = Room::with_face(Face::Display, None);
        room.gesture(Gesture::Hold);
        let shown = room.displayed_label().unwrap();
        assert_eq!(room.displayed_label().unwrap().secret().expose(), shown.secret().expose(), "as long as the window is open");
        end(&mut room);
        assert_eq!(room.count(Signal::PairingClosed), 1, "{number}: {:?}", room.signals);
        if number < 7 {
            assert!(room.band.label().is_none(), "{number}");
            room.disconnect();
            room.gesture(Gesture::Hold);
        }
        assert_ne!(room.displayed_label().unwrap().secret().expose(), shown.secret().expose(), "{number}");
        room.forget();
        room.connect(Connection::pair_with_label(shown, room.payload));
        assert!(!is_paired(&room), "{number}: a label of an earlier window");
        assert_eq!((room.signals.as_slice(), room.errors.len()), (&[Signal::PairingClosed][..], 1), "{number}");
        assert!(room.band.label().is_none() && room.storage.is_empty());
    }
}

#[test]
fn a_printed_label_pairs_each_time_with_its_own_assurance() {
    for face in [Face::Lights, Face::Button] {
        let mut room = Room::with_face(face, Some(PRINTED));
        for links in 1..=2 {
            room.forget();
            room.take_new_phone();
            room.pair_with_label();
            assert!(room.band.label().is_none(), "there is nothing to show");
            assert!(is_paired(&room), "{face:?} {links}");
            assert_eq!(room.assurances(), (Assurance::PrintedSecret, Assurance::PrintedSecret));
            room.reconnect();
            assert!(room.is_linked() && room.band_links().len() == links);
            room.restart_band();
        }
    }
}

#[test]
fn a_wallet_that_has_not_read_this_bands_label_is_refused() {
    let mut room = Room::with_face(Face::Button, Some(PRINTED));
    room.gesture(Gesture::Hold);
    // The label of another band, as far as the secret goes.
    let label = PairingLabel::new(Source::Printed, PairingSecret::new([0x52; 32]), &room.band_public_key());
    room.connect(Connection::pair_with_label(label, room.payload));
    assert!(!is_paired(&room) && room.storage.is_empty());
    assert_eq!(room.errors, ["band: the handshake failed: the message is not authentic"]);
    assert_eq!(room.signals, [Signal::PairingOpen, Signal::PairingClosed]);
    room.connect(Connection::pair_with_label(room.printed_label(), room.payload));
    assert!(!is_paired(&room), "one gesture, one guess");
}

#[test]
fn a_band_that_has_copied_the_label_of_another_gets_neither_the_wallets_key_nor_a_link() {
    let mut room = Room::with_face(Face::Button, Some(PRINTED));
    room.gesture(Gesture::Hold);
    let label = PairingLabel::new(Source::Printed, PairingSecret::new(PRINTED), &PublicKey::new([9; 32]));
    room.connect(Connection::pair_with_label(label, room.payload));
    assert!(!is_paired(&room) && room.storage.is_empty());
    assert_eq!(room.errors, ["wallet: the handshake failed: the band's key is not the one on its label"]);
    assert_eq!(room.written.len(), 2, "the hello and message 1, but not message 3 with the wallet's key");
    assert_eq!(room.signals, [Signal::PairingOpen, Signal::PairingClosed]);
}

#[test]
fn without_a_code_too_the_band_confirms_only_after_the_link_is_stored() {
    for (face, label) in [(Face::Button, None), (Face::Button, Some(PRINTED)), (Face::Display, None)] {
        for works in [true, false] {
            let mut room = Room::with_face(face, label);
            room.flash = Flash::Slow;
            if face == Face::Button && label.is_none() {
                room.pair_by_press()
            } else {
                room.pair_with_label()
            }
            assert!(room.unsettled.is_some() && room.phone.link.is_none() && !room.signals.contains(&Signal::Paired));
            room.settle(works);
            assert_eq!(is_paired(&room), works);
            assert_eq!(room.count(Signal::PairingClosed), usize::from(!works));
        }
    }
}

#[test]
fn a_pairing_without_a_code_that_is_cut_or_altered_anywhere_is_none_and_closes_the_window() {
    for (face, label) in [(Face::Button, None), (Face::Button, Some(PRINTED)), (Face::Display, None)] {
        for at in 0.. {
            let mut room = Room::with_face(face, label);
            let mut seen = 0;
            room.meddler = Some(Box::new(move |_, fragment| {
                seen += 1;
                if seen == at + 1 {
                    *fragment.last_mut().unwrap() ^= 1;
                }
                true
            }));
            if face == Face::Button && label.is_none() {
                room.pair_by_press()
            } else {
                room.pair_with_label()
            }
            if at == 7 {
                // Hellos, three messages, two shares; then comes the close.
                assert!(room.signals.contains(&Signal::Paired));
                break;
            }
            assert!(room.phone.link.is_none(), "{face:?} {at}");
            // The wallet did not get the band's share: what the band has stored is provisional, and evicts nothing.
            assert_eq!(room.band_links().len(), usize::from(at == 6), "{face:?} {at}");
            assert_eq!((room.count(Signal::PairingClosed), room.count(Signal::Paired)), if at == 6 { (0, 1) } else { (1, 0) });
        }
    }
}

#[test]
fn a_wallet_that_does_not_confirm_is_not_paired_and_cut_off_in_time() {
    let mut room = Room::with_face(Face::Button, None);
    let mut seen = 0;
    room.meddler = Some(Box::new(move |way, _| {
        seen += usize::from(way == Way::ToBand);
        seen != 4 || way == Way::ToWallet
    }));
    room.pair_by_press();
    assert!(!is_paired(&room) && room.storage.is_empty());
    room.wait(59_999);
    assert!(room.connection.is_some());
    room.wait(1);
    assert!(room.connection.is_none() && room.signals.ends_with(&[Signal::PairingClosed]));
}

#[test]
fn a_wallet_that_was_paired_and_stays_can_say_nothing_and_is_cut_off_in_time() {
    for speaks in [false, true] {
        let mut room = Room::with_face(Face::Button, None);
        room.gesture(Gesture::Hold);
        room.connect_stranger();
        let hello = BandHello::from_bytes(room.heard[0].as_slice().try_into().unwrap());
        let (pairing, answer, message) =
            <PairingUncompared>::start_by_press(&room.phone.key, VersionRange::SUPPORTED, &hello, &mut room.rng).unwrap();
        room.utter(answer.encode(&mut [0; WalletHello::MAX_LEN]));
        room.utter(&message);
        let message = room.heard[1].as_slice().try_into().unwrap();
        let (mut session, awaiting, message) = pairing.receive(message, &room.phone.key, &mut room.rng).unwrap();
        room.utter(&message);
        let confirm = ToBand::Confirm { share: *awaiting.share().expose() };
        room.utter_sealed(&mut session, encode(&confirm, &mut [0; 40]).unwrap());
        assert!(room.signals.contains(&Signal::Paired) && room.heard.len() == 3);
        if speaks {
            room.utter_sealed(&mut session, encode(&ToBand::Status, &mut [0; 4]).unwrap());
        } else {
            assert_eq!(room.band.deadline(), Some(Uptime::from_millis(room.now.as_millis() + 60_000)));
            room.wait(60_000);
        }
        assert_eq!((room.heard.len(), room.band.deadline()), (3, None));
        room.forget();
        room.utter(&[7; 48]);
        assert_eq!(room.errors, ["band: there is no connection"], "{speaks}");
        assert!(room.signals.is_empty() && room.band_links() == [Provisional]);
    }
}

#[test]
fn both_sides_show_the_same_ten_signs() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..8 {
        let mut room = Room::new(seed, 182);
        room.begin_to_pair();
        let at_band = room.signals.iter().find_map(|signal| if let Signal::Code(code) = signal { Some(*code) } else { None });
        let at_wallet = room.events.iter().find_map(|event| if let Event::Code(code) = event { Some(*code) } else { None });
        let signs = at_band.unwrap().symbols();
        assert_eq!(signs, at_wallet.unwrap().symbols());
        assert_eq!(signs.len(), 10);
        seen.insert(signs.map(|sign| sign.pulses()));
    }
    assert_eq!(seen.len(), 8, "and other ones each time");
}
