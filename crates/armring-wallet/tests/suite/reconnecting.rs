//! Reconnecting over a link, and what does not get through.

use armring_band::{Event as BandEvent, Signal};
use armring_channel::OpenError;
use armring_pairing::LinkState::{Established, Provisional};
use armring_pairing::{Link, LinkSecret, PublicKey, SoftwareKey};
use armring_wallet::{Connection, Event, PeerError};
use armring_wire::records::Assurance;
use armring_wire::records::band::{Decline, ToBand, ToWallet};
use armring_wire::{EnrolmentCode, Opaque, Record, Version, decode_record, encode};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::common::fake::FakeBand;
use crate::common::issuer::{CODE, TestIssuer};
use crate::common::steps::seal;
use crate::common::{Flash, Phone, Room};

#[test]
fn paired_state_asserted_by_the_peer() {
    let mut room = Room::new(1, 182);
    room.pair();
    // Right key, but a secret of its own making; and the true link after the band has forgotten it.
    let band = PublicKey::new(*room.stored_link().peer().as_bytes());
    let made_up = Link::from_parts(band, LinkSecret::new([9; 32]), Version(1), Assurance::ComparedCode, Established);
    room.connect(Connection::reconnect(made_up, room.payload));
    assert!(!room.is_linked());
    assert_eq!(room.errors, ["band: no link answers to this hint"]);
    room.storage.clear();
    room.restart_band();
    room.reconnect();
    assert!(!room.is_linked());
    assert!(room.band_links().is_empty());
}

#[test]
fn a_stolen_link_secret_without_the_wallets_key_opens_nothing() {
    let mut room = Room::new(1, 182);
    room.pair();
    let mine = std::mem::replace(&mut room.phone.key, SoftwareKey::new([9; 32]));
    room.reconnect();
    assert!(!room.is_linked());
    assert_eq!(room.band_links(), [Provisional]);
    room.phone.key = mine;
    room.reconnect();
    assert!(room.is_linked());
}

#[test]
fn replayed_hint_finds_nobody() {
    let mut room = Room::new(1, 182);
    room.pair();
    room.reconnect();
    let replay = std::mem::take(&mut room.written);
    room.disconnect();
    room.connect_stranger();
    room.replay(&replay);
    assert!(room.errors[0].contains("no link answers"), "{:?}", room.errors);
    assert_eq!(room.heard.len(), 1, "the hello and nothing else");
}

/// As if the band had drawn the same challenge twice.
#[test]
fn replayed_reconnect_message_1_proves_nothing() {
    let mut room = Room::new(1, 182);
    room.pair();
    let rng = room.rng.clone();
    room.flash = Flash::Fails;
    room.reconnect();
    room.flash = Flash::Works;
    let replay = std::mem::take(&mut room.written);
    room.disconnect();
    room.forget();
    room.rng = rng;
    room.connect_stranger();
    room.rng = ChaCha20Rng::seed_from_u64(99);
    room.replay(&replay);
    assert_eq!(room.heard.len(), 2, "the hello and message 2");
    assert_eq!(room.errors, ["band: the record does not open: the record is not authentic"]);
    assert_eq!(room.band_links(), [Provisional], "nobody was there");
    for _ in 0..7 {
        room.utter(&[7; 48]);
    }
    assert_eq!(room.errors.last().unwrap(), "band: the record does not open: the channel is cut", "after eight records");
    room.utter(&[7; 48]);
    assert_eq!(room.errors.last().unwrap(), "band: there is no connection");
}

#[test]
fn eight_bad_records_cut() {
    let mut room = Room::new(1, 20);
    room.pair();
    room.reconnect();
    room.forget();
    let sequence = u8::try_from(room.written.len()).unwrap();
    for number in 0..8u8 {
        assert!(room.is_linked(), "{number}");
        forge(&mut room, sequence + 3 * number);
    }
    assert!(!room.is_linked());
    assert_eq!(room.errors.last().unwrap(), "band: the record does not open: the channel is cut");
    room.reconnect();
    assert!(room.is_linked());
}

/// A record of 48 bytes that nobody sealed, in three fragments from this sequence number on.
fn forge(room: &mut Room, sequence: u8) {
    for (number, flag, len) in [(0, 0x80, 20), (1, 0, 20), (2, 0x40, 11)] {
        let mut fragment = vec![0xEE; len];
        fragment[0] = flag | ((sequence + number) % 64);
        room.happens(BandEvent::Fragment(&fragment));
    }
}

#[test]
fn a_forged_record_changes_nothing_and_the_next_good_one_opens() {
    let mut room = Room::ready(&mut TestIssuer::new());
    let mut session = room.connect_raw();
    let before = room.storage.clone();
    for forgeries in [1, 7, 7] {
        room.forget();
        for _ in 0..forgeries {
            room.utter(&[0xEE; 48]);
        }
        assert_eq!(room.errors.len(), forgeries);
        assert!(room.storage == before && room.signals.is_empty() && room.heard.is_empty());
        room.utter_sealed(&mut session, STATUS);
        assert!(matches!(decode_record(&room.hears(&mut session)[0]), Ok(ToWallet::Status(_))));
    }
}

/// `ToBand::Status`.
const STATUS: &[u8] = &[1];

#[test]
fn a_repeated_record_changes_nothing() {
    let mut room = Room::ready(&mut TestIssuer::new());
    let mut session = room.connect_raw();
    let sealed = seal(&mut session, STATUS);
    room.utter(&sealed);
    room.utter(&sealed);
    assert_eq!((room.errors.len(), room.hears(&mut session).len()), (1, 1));
}

#[test]
fn the_band_answers_a_record_that_it_does_not_know() {
    let mut room = Room::ready(&mut TestIssuer::new());
    let mut session = room.connect_raw();
    for variant in [ToBand::VARIANTS, 77, 0x4000, u32::MAX] {
        let mut unknown = encode(&variant, &mut [0; 8]).unwrap().to_vec();
        unknown.extend([1, 2, 3]);
        room.utter_sealed(&mut session, &unknown);
        assert_eq!(decode_record(&room.hears(&mut session)[0]), Ok(ToWallet::Unknown(variant)));
    }
    assert_eq!(room.errors, [""; 0]);
    room.utter_sealed(&mut session, encode(&ToBand::Unknown(9), &mut [0; 8]).unwrap());
    assert!(room.heard.is_empty(), "an answer is not answered");
}

#[test]
fn a_malformed_record_of_the_wallets_own_ends_the_connection() {
    let newer = [u8::try_from(ToBand::VARIANTS).unwrap()];
    for bad in [&[1, 1][..], &[0x81, 0], &[0], &[5, 3, 1, 2], &newer] {
        let mut room = Room::ready(&mut TestIssuer::new());
        let mut session = room.connect_raw();
        room.utter_sealed(&mut session, STATUS);
        room.forget();
        room.utter_sealed(&mut session, bad);
        assert_eq!(room.errors.is_empty(), *bad == newer, "{bad:?}");
        room.disconnect();
        room.reconnect();
        assert!(room.is_linked());
    }
}

/// The wallet's side of the same.
#[test]
fn the_wallet_answers_a_record_that_it_does_not_know_and_leaves_one_that_does_not_belong() {
    let mut room = Room::new(3, 182);
    room.pair();
    let key = SoftwareKey::new(room.band_key);
    let mut wallet = FakeBand::reconnect(&room, &key);
    let unknown = [u8::try_from(ToWallet::VARIANTS).unwrap(), 1, 2];
    assert_eq!(wallet.says(&unknown), Ok(()));
    assert_eq!(decode_record(&wallet.hears()[0]), Ok(ToBand::Unknown(ToWallet::VARIANTS)));
    assert!(wallet.wallet.is_linked());
    assert_eq!(wallet.carries(&[0xEE; 48]), Err(PeerError::Channel(OpenError::NotAuthentic).into()));
    assert_eq!(wallet.says(&[8]), Ok(()), "a forged record changed nothing: Noted");
    let confirm = encode(&ToWallet::Confirm { share: [1; 32] }, &mut [0; 40]).unwrap().to_vec();
    assert_eq!(wallet.says(&confirm), Err(PeerError::Unexpected.into()));
    assert!(!wallet.wallet.is_linked());
    assert_eq!(wallet.carries(&[0; 48]), Err(PeerError::Unexpected.into()), "it is over");
    assert_eq!(wallet.ends(), 1);
}

#[test]
fn wallets_do_not_share_credentials() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    room.disconnect();
    let first = std::mem::replace(&mut room.phone, Phone::new(&mut ChaCha20Rng::seed_from_u64(5)));
    room.pair();
    room.reconnect();
    assert!(room.status().is_some_and(|status| status.credential.is_none()));
    room.phone = first;
    room.reconnect();
    assert!(room.status().is_some_and(|status| status.credential.is_some()));
}

/// A link whose promotion was not stored may be replaced by the next pairing, and its use would not count: nothing goes over it.
#[test]
fn a_link_that_was_not_stored_as_established_gets_no_credential() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::new(1, 182);
    room.pair();
    room.flash = Flash::Fails;
    room.forget();
    room.reconnect();
    room.flash = Flash::Works;
    assert!(room.connection.is_none() && !room.events.iter().any(|event| matches!(event, Event::Linked { .. })));
    assert_eq!((room.signals.as_slice(), room.band_links()), (&[Signal::Fault][..], vec![Provisional]));
    assert_eq!(room.storage.len(), 1, "the link alone");
    // The next connection makes up for it.
    room.reconnect();
    assert_eq!(room.band_links(), [Established]);
    room.enrol(&mut issuer, CODE);
    assert!(matches!(room.events.last(), Some(Event::Enrolled(_))));
}

#[test]
fn a_key_list_of_a_lower_epoch_is_refused_after_a_restart_too() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    let old = issuer.key_list();
    (issuer.epoch, issuer.issued) = (5, 2_000);
    let new = issuer.key_list();
    room.say(&ToBand::KeyList(Opaque::new(&new).unwrap()));
    assert_eq!(room.noted(), 1);
    for _ in 0..2 {
        room.forget();
        room.say(&ToBand::KeyList(Opaque::new(&old).unwrap()));
        assert_eq!(room.declined(), Some(Decline::Invalid));
        room.say(&ToBand::Enrol { code: EnrolmentCode([9; 16]), key_list: Opaque::new(&old).unwrap() });
        assert!(!room.events.iter().any(|event| matches!(event, Event::EnrolStart { .. })));
        room.restart_band();
        room.reconnect();
    }
    assert!(room.storage.values().any(|value| *value == new));
    // The same list again is noted without wearing out the flash.
    room.flash = Flash::Slow;
    room.forget();
    room.say(&ToBand::KeyList(Opaque::new(&new).unwrap()));
    assert!(room.noted() == 1 && room.unsettled.is_none());
}
