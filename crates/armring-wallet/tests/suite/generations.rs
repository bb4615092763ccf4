//! Whether somebody else has used a link: told to both when so, and never when answers were only lost.

use armring_band::{Event as BandEvent, Signal};
use armring_pairing::{BandHello, Link, LinkState, Reconnect, SoftwareKey, WalletHello};
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{AttPayload, Fragmenter, Record, VersionRange, decode_record, encode};
use proptest::prelude::*;

use crate::common::issuer::TestIssuer;
use crate::common::steps::config;
use crate::common::{Flash, Phone, Room};

/// Everything that the phone keeps, static key included, in other hands.
fn stolen(phone: &Phone) -> Phone {
    Phone { key: SoftwareKey::new(*phone.key.expose()), link: phone.link.clone(), ticket: None }
}

/// Reconnects, and says who was told that somebody else has used the link.
fn told(room: &mut Room) -> (bool, bool) {
    room.forget();
    room.reconnect();
    assert!(room.is_linked(), "{:?}", room.errors);
    room.told_of_use_elsewhere()
}

fn room(payload: usize) -> Room {
    let mut room = Room::new(1, payload);
    room.pair();
    room
}

#[test]
fn somebody_else_used_this_link_and_both_are_told() {
    for (before, uses) in [(0, 1), (1, 1), (3, 1), (3, 2), (1, 7)] {
        let mut room = room(182);
        for _ in 0..before {
            assert_eq!(told(&mut room), (false, false));
        }
        let thief = stolen(&room.phone);
        let owner = room.take_phone(thief);
        for _ in 0..uses {
            assert_eq!(told(&mut room), (false, false), "nobody can know yet");
        }
        let thief = room.take_phone(owner);
        assert_eq!(told(&mut room), (true, true), "{before} {uses}");
        assert_eq!(told(&mut room), (false, false), "it is told once");
        let owner = room.take_phone(thief);
        assert_eq!(told(&mut room), (true, true), "and to the thief the next time");
        room.take_phone(owner);
        assert_eq!(told(&mut room), (true, true), "and so on");
    }
}

#[test]
fn a_copied_band_that_the_wallet_was_lured_to_is_noticed_at_the_next_true_one() {
    for uses in 1..3 {
        let mut room = room(182);
        assert_eq!(told(&mut room), (false, false));
        let storage = room.storage.clone();
        for _ in 0..uses {
            assert_eq!(told(&mut room), (false, false), "the copy answers like the band");
        }
        // The band itself knows of none of these.
        room.storage = storage;
        room.restart_band();
        assert_eq!(told(&mut room), (true, true));
        assert_eq!(told(&mut room), (false, false));
    }
}

#[test]
fn an_alarm_of_the_band_that_the_wallet_did_not_hear_is_raised_again() {
    let mut unheard = 0;
    for lost in 0.. {
        let mut room = room(20);
        assert_eq!(told(&mut room), (false, false));
        let thief = stolen(&room.phone);
        let owner = room.take_phone(thief);
        assert_eq!(told(&mut room), (false, false));
        room.take_phone(owner);
        room.forget();
        room.radio = Some(lost);
        room.reconnect();
        match room.told_of_use_elsewhere() {
            (true, true) => break,
            (true, false) => {
                unheard += 1;
                assert_eq!(told(&mut room), (true, true), "{lost}");
            }
            _ => {}
        }
    }
    assert_eq!(unheard, 3, "the fragments of the band's answer");
}

/// The wallet does not know whether the band heard it. So a thief is missed who makes the radio lose as many of the owner's introductions as
/// it has made itself; with one less it is not.
#[test]
fn a_thief_is_noticed_unless_as_many_introductions_were_lost_as_it_has_made() {
    for (uses, lost, noticed) in [(1, 0, true), (2, 1, true), (3, 2, true), (5, 1, true), (1, 1, false), (2, 2, false)] {
        let mut room = room(182);
        assert_eq!(told(&mut room), (false, false));
        let thief = stolen(&room.phone);
        let owner = room.take_phone(thief);
        for _ in 0..uses {
            assert_eq!(told(&mut room), (false, false));
        }
        room.take_phone(owner);
        for _ in 0..lost {
            room.radio = Some(4);
            room.reconnect();
        }
        assert_eq!(told(&mut room), (noticed, noticed), "{uses} {lost}");
    }
}

#[test]
fn lost_answers_at_every_point_never_raise_a_false_alarm() {
    for payload in [20, 182] {
        for times in 1..=3 {
            for lost in 0.. {
                let mut room = room(payload);
                let mut carried = false;
                for _ in 0..times {
                    room.radio = Some(lost);
                    room.reconnect();
                    carried |= room.radio.take().is_some();
                    assert_eq!(room.told_of_use_elsewhere(), (false, false), "{payload} {times} {lost}");
                }
                assert_eq!(told(&mut room), (false, false), "{payload} {times} {lost}");
                assert_eq!(room.links_of_band()[0].generation(), room.stored_link().generation());
                assert_eq!(told(&mut room), (false, false));
                if carried {
                    assert!(lost >= 6, "two hellos, two messages, two generations");
                    break;
                }
            }
        }
    }
}

/// A radio in other hands loses one fragment and carries the others.
#[test]
fn a_fragment_that_vanishes_raises_no_false_alarm() {
    for vanishes in 0..24 {
        let mut room = room(20);
        let mut seen = 0;
        room.meddler = Some(Box::new(move |_, _| {
            seen += 1;
            seen != vanishes + 1
        }));
        room.reconnect();
        room.meddler = None;
        assert_eq!(told(&mut room), (false, false), "{vanishes}");
        assert_eq!(told(&mut room), (false, false), "{vanishes}");
    }
}

#[test]
fn as_many_lost_answers_as_can_be_counted_are_no_use_by_others() {
    let mut room = room(182);
    for _ in 0..255 {
        room.radio = Some(5);
        room.reconnect();
        assert!(room.radio.is_none());
    }
    assert_eq!(told(&mut room), (false, false));
}

/// What can become of a reconnect.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Works,
    Cut(usize),
    Vanishes(usize),
    StoreFails,
    PowerCut(bool),
    /// The flash is slow: the connection is lost before it has stored, and then it stores or does not.
    Late(bool),
    Restart,
    Resume,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        2 => Just(Fate::Works),
        4 => (0usize..24).prop_map(Fate::Cut),
        2 => (0usize..24).prop_map(Fate::Vanishes),
        1 => Just(Fate::StoreFails),
        1 => any::<bool>().prop_map(Fate::PowerCut),
        2 => any::<bool>().prop_map(Fate::Late),
        1 => Just(Fate::Restart),
        1 => Just(Fate::Resume),
    ]
}

fn befalls(room: &mut Room, fate: Fate) {
    match fate {
        Fate::Works => assert_eq!(told(room), (false, false)),
        Fate::Cut(at) => {
            room.radio = Some(at);
            room.reconnect();
        }
        Fate::Vanishes(at) => {
            let mut seen = 0;
            room.meddler = Some(Box::new(move |_, _| {
                seen += 1;
                seen != at + 1
            }));
            room.reconnect();
        }
        Fate::StoreFails => {
            room.flash = Flash::Fails;
            room.reconnect();
        }
        Fate::PowerCut(kept) => {
            room.flash = Flash::CutAfter(0, kept);
            room.reconnect();
        }
        Fate::Late(works) => {
            room.flash = Flash::Slow;
            room.reconnect();
            room.disconnect();
            room.settle(works);
        }
        Fate::Restart => room.restart_band(),
        Fate::Resume => room.resume_or_reconnect(),
    }
    (room.radio, room.meddler, room.flash) = (None, None, Flash::Works);
}

#[test]
fn whatever_befalls_a_wallet_and_its_band_raises_no_false_alarm_and_a_thief_still_does() {
    proptest!(config(192), |(history in prop::collection::vec(fate(), 0..24), thief_comes: bool)| {
        let mut room = room(20);
        for fate in history {
            befalls(&mut room, fate);
            prop_assert!(!room.signals.contains(&Signal::UsedElsewhere), "{:?}", fate);
        }
        prop_assert_eq!(told(&mut room), (false, false));
        if thief_comes {
            let thief = stolen(&room.phone);
            let owner = room.take_phone(thief);
            prop_assert_eq!(told(&mut room), (false, false));
            room.take_phone(owner);
            prop_assert_eq!(told(&mut room), (true, true));
        }
    });
}

/// Else a power cut of the phone between the two would make a lost answer look like somebody else's use.
#[test]
fn the_wallet_hands_its_link_out_before_the_record_that_depends_on_it() {
    let room = room(20);
    let (key, mut rng) = (SoftwareKey::new(*room.phone.key.expose()), room.rng.clone());
    let mut wallet = Connection::reconnect(room.stored_link(), AttPayload::MIN);
    let mut mouth = Fragmenter::new(AttPayload::MIN);
    let mut carries = |wallet: &mut Connection, message: &[u8]| {
        let (mut sent, mut fragment, mut ear, mut outputs) = (0, [0; 20], Vec::new(), Vec::new());
        while let Some((len, next)) = mouth.cut(message, sent, &mut fragment) {
            sent = next;
            wallet.fragment(&fragment[..len], &key, &mut rng).unwrap();
        }
        while let Some(output) = wallet.poll() {
            match output {
                Output::Transmit(fragment) => ear.extend_from_slice(&fragment[1..]),
                output => outputs.push((ear.len(), output)),
            }
        }
        (ear, outputs)
    };
    let hello = BandHello::new(VersionRange::SUPPORTED, &mut room.rng.clone()).unwrap();
    let (said, _) = carries(&mut wallet, &hello.to_bytes());
    let (answer, message) = said.split_at(WalletHello::MAX_LEN);
    let (answer, message) = (WalletHello::from_bytes(answer).unwrap(), message.try_into().unwrap());
    let (link, band_key) = (&room.links_of_band()[0], SoftwareKey::new(room.band_key));
    let (_, message_2) = <Reconnect>::answer(link, &band_key, (&hello, &answer), message, &mut room.rng.clone()).unwrap();
    let (said, outputs) = carries(&mut wallet, &message_2);
    assert_eq!(said.len(), 48, "the first record");
    let [(0, Output::Event(Event::Keep(kept)))] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert_eq!((kept.state(), kept.generation(), kept.to_bytes()[Link::LEN - 1]), (LinkState::Established, 0, 1));
    assert!(!wallet.is_linked(), "the band has not answered");
}

/// Every use of a link counts, that of a wallet that does not follow the protocol too.
#[test]
fn whoever_does_not_introduce_itself_first_is_cut_off() {
    let request = [7; 100];
    let request = armring_wire::Opaque::new(&request).unwrap();
    for first in [ToBand::Status, ToBand::Unlock, ToBand::Cancel, ToBand::Unpair, ToBand::Replace, ToBand::Pay { request }] {
        let mut room = Room::ready(&mut TestIssuer::new());
        let stored = room.storage.clone();
        let mut session = room.connect_unproven();
        room.utter_sealed(&mut session, encode(&first, &mut [0; ToBand::MAX_LEN]).unwrap());
        assert!(room.heard.is_empty() && room.storage == stored && room.band.deadline().is_none(), "{first:?}");
        assert_eq!(room.errors, ["band: a message that does not belong here"]);
        assert!(room.signals.is_empty());
    }
}

#[test]
fn nothing_is_said_over_a_link_before_its_use_is_stored() {
    for second in [ToBand::Cancel, ToBand::Status, ToBand::Unlock, ToBand::Generation { generation: 9, lost: 0 }] {
        let mut room = Room::ready(&mut TestIssuer::new());
        let generation = room.links_of_band()[0].generation();
        room.flash = Flash::Slow;
        let mut session = room.connect_unproven();
        let introduction = ToBand::Generation { generation, lost: 0 };
        room.utter_sealed(&mut session, encode(&introduction, &mut [0; 16]).unwrap());
        assert!(room.unsettled.is_some() && room.heard.is_empty());
        room.utter_sealed(&mut session, encode(&second, &mut [0; 16]).unwrap());
        assert_eq!(room.errors, ["band: a message that does not belong here"], "{second:?}");
        room.settle(true);
        assert!(room.heard.is_empty(), "it is cut off");
        assert_eq!(room.links_of_band()[0].generation(), generation + 1, "and its use counts");
    }
}

#[test]
fn what_comes_while_a_link_waits_to_be_stored_and_is_no_record_changes_nothing() {
    let mut room = Room::ready(&mut TestIssuer::new());
    let generation = room.links_of_band()[0].generation();
    room.flash = Flash::Slow;
    let mut session = room.connect_unproven();
    room.utter_sealed(&mut session, encode(&ToBand::Generation { generation, lost: 0 }, &mut [0; 16]).unwrap());
    for _ in 0..7 {
        room.utter(&[7; 48]);
    }
    room.settle(true);
    let heard = room.hears(&mut session);
    assert_eq!(decode_record(&heard[0]), Ok(ToWallet::Generation { generation }));
}

#[test]
fn a_flash_that_does_not_answer_in_time_ends_the_connection_and_what_it_stores_later_counts() {
    let mut room = room(182);
    room.reconnect();
    room.disconnect();
    room.flash = Flash::Slow;
    room.forget();
    room.reconnect();
    room.wait(9_999);
    assert!(room.connection.is_some() && !room.is_linked());
    room.wait(1);
    assert!(room.connection.is_none());
    room.happens(BandEvent::Tick);
    room.settle(true);
    assert!(room.events.iter().all(|event| matches!(event, Event::Keep(_))), "{:?}", room.events);
    room.flash = Flash::Works;
    assert_eq!(told(&mut room), (false, false));
}

/// Somebody who has the stolen link begins, loses the connection while the flash is slow, and the owner comes next.
#[test]
fn a_thief_whose_use_is_stored_late_is_noticed() {
    let mut room = room(182);
    assert_eq!(told(&mut room), (false, false));
    let thief = stolen(&room.phone);
    let owner = room.take_phone(thief);
    room.flash = Flash::Slow;
    room.reconnect();
    room.take_phone(owner);
    room.forget();
    room.reconnect();
    assert!(!room.is_linked());
    room.settle(true);
    room.settle(true);
    assert!(room.is_linked());
    assert_eq!(room.told_of_use_elsewhere(), (true, true));
}
