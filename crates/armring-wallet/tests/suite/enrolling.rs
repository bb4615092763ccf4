//! Enrolling with the issuer through a wallet that may be infected.

use std::cell::Cell;
use std::rc::Rc;

use armring_band::StoreKey;
use armring_pairing::SoftwareKey;
use armring_token::{Credential, Unverified};
use armring_wallet::Event;
use armring_wire::records::band::{Decline, ToBand};
use armring_wire::records::enrol::{EnrolRefusal, EnrolToBand};
use armring_wire::records::{ATTESTATION_MAX, Assurance, RELAY_MAX};
use armring_wire::{EnrolmentCode, KeyId, Opaque, Outcome, Record, Version, VersionRange, encode};
use ed25519_dalek::SigningKey;

use crate::common::issuer::{CODE, CREDENTIAL, Shop, TestIssuer, at};
use crate::common::{Flash, Room, TestKeys};

fn linked() -> Room {
    let mut room = Room::new(7, 182);
    room.pair();
    room.reconnect();
    room.forget();
    room
}

fn enrolled(room: &Room) -> Option<&[u8]> {
    room.events
        .iter()
        .rev()
        .find_map(|event| if let Event::Enrolled(credential) = event { Some(credential.as_slice()) } else { None })
}

/// The band still enrols with its issuer, and pays.
fn works(room: &mut Room, issuer: &mut TestIssuer) {
    room.forget();
    room.enrol(issuer, CODE);
    assert!(enrolled(room).is_some(), "{:?} {:?}", room.events, room.errors);
    room.put_on();
    assert!(room.pays(&Shop::new().asks(1)).is_some());
}

#[test]
fn digits_are_equal_on_both_sides_and_the_credential_is_the_issuers() {
    let mut issuer = TestIssuer::new();
    let mut room = linked();
    room.enrol(&mut issuer, CODE);
    assert_eq!(room.enrolment_digits(), issuer.digits);
    let credential = *Unverified::<Credential>::parse(enrolled(&room).unwrap()).unwrap().claims();
    assert_eq!((credential.id, credential.assurance), (CREDENTIAL, Assurance::ComparedCode));
    assert_eq!(room.status().unwrap().credential, Some(CREDENTIAL));
    room.restart_band();
    room.reconnect();
    assert_eq!(room.status().unwrap().credential, Some(CREDENTIAL));
}

#[test]
fn digits_differ_when_the_wallet_enrols_a_key_of_its_own_with_the_users_code() {
    // Malware enrols its own band with the code; the wearer's band has nothing to show, or something else.
    let (mut mine, mut malware) = (linked(), Room::new(8, 182));
    malware.pair();
    malware.reconnect();
    let mut issuer = TestIssuer::new();
    malware.enrol(&mut issuer, CODE);
    mine.enrol(&mut issuer, CODE);
    assert_ne!(mine.enrolment_digits()[0], issuer.digits[0]);
    assert_ne!(issuer.payment_keys[0], issuer.payment_keys[1]);
}

#[test]
fn wallet_supplies_its_own_issuer_key() {
    let mut room = linked();
    let mut wallets_own = TestIssuer::new();
    wallets_own.root = SigningKey::from_bytes(&[66; 32]);
    room.enrol(&mut wallets_own, CODE);
    assert_eq!(room.declined(), Some(Decline::Invalid), "the root is pinned");
    let mut tampered = TestIssuer::new().key_list();
    let last = tampered.len() - 20;
    tampered[last] ^= 1;
    room.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&tampered).unwrap() });
    assert!(!room.events.iter().any(|event| matches!(event, Event::EnrolStart { .. })));
    assert_eq!(room.storage.len(), 1, "the link alone");
    works(&mut room, &mut TestIssuer::new());
}

#[test]
fn an_issuer_without_the_listed_enrolment_key_is_refused() {
    let mut room = linked();
    let mut issuer = TestIssuer::new();
    let list = issuer.key_list();
    issuer.enrolment = SoftwareKey::new([77; 32]);
    room.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() });
    room.relay(&mut issuer, |_| {});
    assert!(enrolled(&room).is_none() && issuer.payment_keys.is_empty(), "nobody else can read what the band says");
}

#[test]
fn a_credential_for_another_key_or_assurance_or_by_another_signer_is_refused() {
    let twists: [fn(&mut Credential); 3] =
        [|c| c.payment_key = [5; 32], |c| c.assurance = Assurance::DisplayedSecret, |c| c.key = KeyId(9)];
    for twist in twists {
        let mut issuer = TestIssuer { twist, ..TestIssuer::new() };
        let mut room = linked();
        room.enrol(&mut issuer, CODE);
        assert_eq!(room.declined(), Some(Decline::EnrolmentFailed));
        assert!(room.enrolment_digits().is_empty());
        works(&mut room, &mut TestIssuer::new());
    }
}

fn record(said: &EnrolToBand<'_>) -> Vec<u8> {
    encode(said, &mut [0; EnrolToBand::MAX_LEN]).unwrap().to_vec()
}

#[test]
fn an_issuer_that_refuses_for_whatever_reason_gives_no_credential() {
    let refusals = [EnrolRefusal::Code, EnrolRefusal::Other(200)].map(EnrolToBand::Refused);
    for said in refusals.into_iter().chain([EnrolToBand::Unknown(0)]) {
        let mut issuer = TestIssuer { says_first: Some(record(&said)), ..TestIssuer::new() };
        let mut room = linked();
        room.enrol(&mut issuer, CODE);
        assert_eq!((room.declined(), enrolled(&room)), (Some(Decline::EnrolmentFailed), None));
        works(&mut room, &mut TestIssuer::new());
    }
}

#[test]
fn an_issuer_that_is_newer_is_told_what_the_band_does_not_know_and_the_enrolment_goes_on() {
    for variant in [EnrolToBand::VARIANTS, 0x4000] {
        let mut unknown = encode(&variant, &mut [0; 8]).unwrap().to_vec();
        unknown.extend([1, 2, 3]);
        let mut issuer = TestIssuer { says_first: Some(unknown), ..TestIssuer::new() };
        let mut room = linked();
        room.enrol(&mut issuer, CODE);
        assert_eq!(issuer.unknown, [variant]);
        assert!(enrolled(&room).is_some(), "{:?}", room.events);
        assert_eq!(room.enrolment_digits(), issuer.digits);
    }
}

#[test]
fn a_wallet_that_changes_the_bands_versions_on_the_way_ends_the_enrolment() {
    let mut issuer = TestIssuer::new();
    let mut room = linked();
    let list = issuer.key_list();
    room.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() });
    let Some(Event::EnrolStart { versions, message }) = room.events.pop() else { panic!("{:?}", room.events) };
    assert_eq!(versions, VersionRange::SUPPORTED);
    let narrowed = VersionRange { lowest: Version(0), ..versions };
    assert_eq!(issuer.begin(narrowed, &message, &mut room.rng), None, "both ranges are in the prologue");
    assert!(issuer.begin(versions, &message, &mut room.rng).is_some());
}

#[test]
fn infected_wallet_tampers_with_what_it_relays() {
    let tampers: [fn(&mut Vec<u8>); 5] = [
        |message| message[0] ^= 1,
        |message| *message.last_mut().unwrap() ^= 0x80,
        |message| message.truncate(message.len() - 1),
        |message| message.clear(),
        |message| *message = vec![7; RELAY_MAX],
    ];
    for (number, tamper) in tampers.into_iter().enumerate() {
        for from in 0..2 {
            let mut issuer = TestIssuer::new();
            let mut room = linked();
            let list = issuer.key_list();
            room.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() });
            let left = Cell::new(from);
            room.relay(&mut issuer, |message| match left.get() {
                0 => tamper(message),
                more => left.set(more - 1),
            });
            assert_eq!(room.declined(), Some(Decline::EnrolmentFailed), "{number} {from}");
            assert!(room.is_linked() && enrolled(&room).is_none());
            // What comes now belongs to nothing.
            room.say(&ToBand::FromIssuer(Opaque::new(&[7; 48]).unwrap()));
            assert_eq!(room.declined(), Some(Decline::Invalid));
            works(&mut room, &mut issuer);
        }
    }
}

#[test]
fn repeated_enrolment_gives_the_same_payment_key_and_shows_new_digits() {
    let mut issuer = TestIssuer::new();
    let mut room = linked();
    room.enrol(&mut issuer, CODE);
    room.put_on();
    let first = room.pays(&Shop::new().asks(100)).unwrap();
    // The wearer missed the digits, or power was lost before they were shown.
    for restarts in [false, true] {
        if restarts {
            room.restart_band();
            room.reconnect();
        }
        room.forget();
        room.enrol(&mut issuer, CODE);
        assert_eq!(room.enrolment_digits(), [*issuer.digits.last().unwrap()]);
        assert!(enrolled(&room).is_some());
    }
    assert!(issuer.payment_keys.iter().all(|key| *key == issuer.payment_keys[0]));
    room.put_on();
    room.asks_to_pay(&Shop::new().asks(100));
    assert_eq!(room.token(), Some(first), "what was signed is not forgotten");
    room.enrol(&mut issuer, EnrolmentCode([1; 16]));
    assert_eq!(room.declined(), Some(Decline::AlreadyEnrolled));
}

#[test]
fn an_issuer_that_changes_a_credential_afterwards_changes_nothing() {
    let mut issuer = TestIssuer::new();
    let mut room = linked();
    room.enrol(&mut issuer, CODE);
    let before = room.storage.clone();
    issuer.twist = |credential| credential.limits.each = armring_token::Minor(1_000_000);
    room.enrol(&mut issuer, CODE);
    assert_eq!(room.declined(), Some(Decline::EnrolmentFailed));
    assert!(room.storage == before);
}

#[test]
fn what_expired_before_the_credential_was_signed_is_not_paid_after_a_restart_either() {
    let mut issuer = TestIssuer::new();
    issuer.template.validity.from = at(40_000);
    let mut room = Room::ready(&mut issuer);
    for _ in 0..2 {
        room.asks_to_pay(&Shop::new().asks_with(1, |request| request.expiry = at(40_000)));
        assert_eq!(room.declined(), Some(Decline::Expired));
        room.restart_band();
        room.reconnect();
        room.put_on();
        room.forget();
    }
    assert!(room.pays(&Shop::new().asks(1)).is_some());
}

/// A room whose band's maker says so many bytes of its keys.
fn attesting(says: usize) -> Room {
    let mut room = linked();
    room.keys.says = says;
    room.restart_band();
    room.reconnect();
    room
}

#[test]
fn what_the_maker_says_of_the_key_goes_to_the_issuer_over_this_handshake() {
    for says in [1, 64, ATTESTATION_MAX] {
        let mut issuer = TestIssuer::new();
        let mut room = attesting(says);
        room.enrol(&mut issuer, CODE);
        room.enrol(&mut issuer, CODE);
        let [(first, said), (second, said_again)] = issuer.attested.as_slice() else { panic!("{:?}", issuer.attested) };
        let expected = |hash: &[u8; 32]| {
            let mut said = [*hash, issuer.payment_keys[0]].concat();
            said.resize(ATTESTATION_MAX, 0);
            said[..says].to_vec()
        };
        assert_eq!((said, said_again), (&expected(first), &expected(second)));
        assert!(first != second && enrolled(&room).is_some(), "each handshake has another hash");
    }
}

#[test]
fn a_band_whose_maker_says_nothing_asks_without() {
    let mut issuer = TestIssuer::new();
    let mut room = attesting(0);
    room.enrol(&mut issuer, CODE);
    assert!(issuer.attested.is_empty() && enrolled(&room).is_some());
}

#[test]
fn a_secure_element_that_fails_or_says_more_than_there_is_room_for_ends_the_enrolment() {
    for (says, fails) in [(64, true), (0, true), (ATTESTATION_MAX + 1, false), (usize::MAX, false)] {
        let mut issuer = TestIssuer::new();
        let mut room = linked();
        (room.keys.says, room.keys.fails) = (says, fails);
        room.restart_band();
        room.reconnect();
        room.enrol(&mut issuer, CODE);
        assert_eq!((room.declined(), issuer.payment_keys.len()), (Some(Decline::Machine), 0), "{says}");
        room.keys = TestKeys::default();
        room.restart_band();
        room.reconnect();
        works(&mut room, &mut issuer);
    }
}

/// What was stored and not taken in would be overwritten by the next enrolment, and come back after a restart.
#[test]
fn a_secure_element_that_fails_when_the_credential_comes_leaves_nothing_stored() {
    let mut issuer = TestIssuer::new();
    let mut room = linked();
    let list = issuer.key_list();
    room.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() });
    let (is_shut, said) = (Rc::clone(&room.keys.is_shut), Cell::new(0));
    // The second is the credential.
    room.relay(&mut issuer, |_| is_shut.set(said.replace(said.get() + 1) == 1));
    assert_eq!((room.declined(), issuer.payment_keys.len()), (Some(Decline::Machine), 1));
    assert!(!room.storage.keys().any(|key| key.as_u8() & 0xF0 == 0x20) && room.enrolment_digits().is_empty());
    is_shut.set(false);
    works(&mut room, &mut issuer);
}

#[test]
fn an_enrolment_does_not_push_out_a_payment_that_waits() {
    let mut issuer = TestIssuer::new();
    let mut room = Room::ready(&mut issuer);
    room.asks_to_pay(&Shop::new().asks(100));
    room.enrol(&mut issuer, CODE);
    assert_eq!(room.declined(), Some(Decline::Busy));
    room.press();
    assert!(room.token().is_some());
}

#[test]
fn a_store_that_fails_ends_the_enrolment_and_the_next_one_works() {
    for stores in 0..3 {
        let mut issuer = TestIssuer::new();
        let mut room = linked();
        let list = issuer.key_list();
        room.flash = Flash::Slow;
        room.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() });
        for number in 0.. {
            room.relay(&mut issuer, |_| {});
            room.settle(number < stores);
            if number == stores {
                break;
            }
        }
        assert_eq!(room.declined(), Some(Decline::Machine), "{stores}");
        assert!(room.enrolment_digits().is_empty(), "digits are of what is stored");
        room.flash = Flash::Works;
        works(&mut room, &mut issuer);
    }
}

/// A list that is only in memory would be taken for stored when it comes again, and be gone after a restart: with it each receipt, and on a display
/// each request.
#[test]
fn a_key_list_whose_store_failed_is_stored_when_it_comes_again() {
    let mut issuer = TestIssuer::new();
    let mut room = linked();
    let list = issuer.key_list();
    let key_list = StoreKey::from_u8(1).unwrap();
    room.flash = Flash::Fails;
    for record in
        [ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).unwrap() }, ToBand::KeyList(Opaque::new(&list).unwrap())]
    {
        room.forget();
        room.say(&record);
        assert_eq!((room.declined(), room.storage.get(&key_list)), (Some(Decline::Machine), None));
    }
    room.flash = Flash::Works;
    works(&mut room, &mut issuer);
    assert_eq!(room.storage.get(&key_list), Some(&list));
    let token = room.pays(&Shop::new().asks(2)).unwrap();
    room.restart_band();
    room.reconnect();
    room.forget();
    room.brings_receipt(&issuer.receipt(&token, Outcome::Settled, 2_000, 9_000));
    assert!(matches!(room.events[..], [Event::Noted]), "{:?}", room.events);
}
