//! What an attacker on the radio can do who knows everything that is not secret, or changes what is said before anything is.

use std::cell::RefCell;
use std::rc::Rc;

use armring_band::{Event as BandEvent, Face, Gesture};
use armring_pairing::{
    BandHello, DiffieHellman, Hint, Link, LinkSecret, LinkState, PairingLabel, PairingSecret, PublicKey, Reconnect, SoftwareKey,
    Source, WalletHello, labelled_hash,
};
use armring_wallet::{Connection, Event};
use armring_wire::records::Assurance;
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{Opaque, Record, Version, VersionRange, encode};

use crate::common::fake::FakeBand;
use crate::common::issuer::{CREDENTIAL, Shop, TestIssuer};
use crate::common::{Room, Way};

/// What has been on the radio, and what is known of both sides, but for their secrets.
struct Public {
    band: PublicKey,
    wallet: PublicKey,
    /// Ids, names and keys, each in 32 bytes.
    known: Vec<[u8; 32]>,
    /// All that was said over earlier connections, in fragments.
    said: Vec<(Way, Vec<u8>)>,
    tags: Vec<[u8; 16]>,
}

/// A band that has paid; and all that an eavesdropper knows of it and of its wallet.
fn observed() -> (Room, Public) {
    let mut shop = Shop::new();
    let mut room = Room::ready(&mut TestIssuer::new());
    let said = Rc::new(RefCell::new(Vec::new()));
    let ear = Rc::clone(&said);
    room.meddler = Some(Box::new(move |way, fragment| {
        ear.borrow_mut().push((way, fragment.clone()));
        true
    }));
    for _ in 0..2 {
        room.reconnect();
        room.put_on();
        assert!(room.pays(&shop.asks(100)).is_some());
        room.disconnect();
        room.resume_or_reconnect();
        assert!(room.is_linked());
    }
    room.meddler = None;
    room.disconnect();
    let tags = (0..4).map(|_| *room.band.advertising_tag(0, &mut room.rng).unwrap().unwrap().as_bytes()).collect();
    let (band, wallet) = (room.band_public_key(), room.phone.key.public_key());
    let mut known = vec![[0; 32], *band.as_bytes(), *wallet.as_bytes(), room.root.fingerprint().0];
    for id in [CREDENTIAL.0, shop.id.0] {
        let mut padded = [0; 32];
        padded[..8].copy_from_slice(&id);
        known.push(padded);
        known.push([id.as_slice(); 4].concat().try_into().unwrap());
    }
    known.push(labelled_hash("armring/1 link", &[band.as_bytes(), wallet.as_bytes()]));
    room.forget();
    let said = said.take();
    (room, Public { band, wallet, known, said, tags })
}

/// The band has done nothing for whoever was there, and its own wallet can still connect and pay.
fn opened_nothing(room: &mut Room, what: &str) {
    assert!(room.signals.is_empty() && room.token().is_none(), "{what}: {:?}", room.signals);
    room.disconnect();
    room.forget();
}

#[test]
fn an_identifier_taken_for_proof_opens_nothing() {
    let (mut room, public) = observed();
    let stored = room.storage.clone();
    let owner = room.take_new_phone();

    // With keys of its own, and everything that is known in the place of the secret.
    for secret in &public.known {
        let guess = || {
            Link::from_parts(public.band, LinkSecret::new(*secret), Version(1), Assurance::ComparedCode, LinkState::Established)
        };
        room.connect(Connection::reconnect(guess(), room.payload));
        assert!(!room.is_linked() && room.connection.is_none());
        assert_eq!(room.errors, ["band: no link answers to this hint"]);
        opened_nothing(&mut room, "a guessed secret");
        let label = PairingLabel::new(Source::Printed, PairingSecret::new(*secret), &public.band);
        for pairing in [
            Connection::pair(room.payload),
            Connection::pair_by_press(room.payload),
            Connection::pair_with_label(label, room.payload),
        ] {
            room.connect(pairing);
            assert_eq!(room.errors, ["band: the pairing window is not open"]);
            opened_nothing(&mut room, "pairing without a gesture");
        }
    }

    // With the hints and the tags that it has seen, and messages of whichever bytes it knows.
    let hints =
        { public.said.iter() }.filter(|(way, fragment)| *way == Way::ToBand && fragment.len() == 1 + WalletHello::MAX_LEN);
    let hints: Vec<[u8; 16]> = hints.map(|(_, fragment)| fragment[5..].try_into().unwrap()).chain(public.tags.clone()).collect();
    assert!(hints.len() >= 8, "{}", hints.len());
    for hint in &hints {
        for kind in [4, 5] {
            room.connect_stranger();
            room.utter(&[&[kind, 1, 1, 16], hint.as_slice()].concat());
            room.utter(&[public.wallet.as_bytes().as_slice(), &hint[..]].concat());
            assert_eq!(room.errors, ["band: no link answers to this hint"]);
            assert_eq!(room.heard.len(), 1);
            opened_nothing(&mut room, "a hint or a tag seen before");
        }
    }

    // Whole connections again, from their beginning and from each of their messages on.
    let to_band: Vec<Vec<u8>> = public.said.iter().filter(|(way, _)| *way == Way::ToBand).map(|(_, said)| said.clone()).collect();
    for from in 0..to_band.len() {
        room.connect_stranger();
        room.replay(&to_band[from..]);
        assert_eq!(room.heard.len(), 1, "the hello and nothing else");
        opened_nothing(&mut room, "a replay");
    }

    // Records in the clear, as if there were a link.
    let request = Shop::new().asks(1);
    for record in [ToBand::Unlock, ToBand::Unpair, ToBand::Pay { request: Opaque::new(&request).unwrap() }] {
        room.connect_stranger();
        room.utter(encode(&record, &mut [0; ToBand::MAX_LEN]).unwrap());
        assert_eq!(room.heard.len(), 1);
        opened_nothing(&mut room, "a record in the clear");
    }

    assert!(room.storage == stored);
    room.take_phone(owner);
    room.resume_or_reconnect();
    assert!(room.is_linked() && room.told_of_use_elsewhere() == (false, false), "nobody has used the link");
    room.put_on();
    assert!(room.pays(&request).is_some());
}

/// Who can name a link, having drawn a hint with its hint key, needs its secret and the wallet's key all the same.
#[test]
fn a_hint_that_fits_is_no_proof() {
    let (mut room, public) = observed();
    let hint_key = room.stored_link().hint_key();
    for kind in [4, 5] {
        for message in
            [[0; 48], [7; 48], [&public.wallet.as_bytes()[..], &public.band.as_bytes()[..16]].concat().try_into().unwrap()]
        {
            room.connect_stranger();
            let hello = BandHello::from_bytes(room.heard[0].as_slice().try_into().unwrap());
            let hint = Hint::draw(&hint_key, hello.challenge(), &mut room.rng).unwrap();
            room.utter(&[&[kind, 1, 1, 16], hint.as_bytes().as_slice()].concat());
            room.utter(&message);
            assert_eq!((room.heard.len(), room.errors.len()), (1, 1));
            opened_nothing(&mut room, "a hint that fits");
        }
    }
}

/// The other way round: a band that knows all that is public of the true one.
#[test]
fn a_band_that_knows_only_what_is_public_gets_no_wallet() {
    let (room, public) = observed();
    let to_wallet: Vec<&Vec<u8>> = public.said.iter().filter(|(way, _)| *way == Way::ToWallet).map(|(_, said)| said).collect();
    for from in 0..to_wallet.len() {
        for connection in 0..2 {
            let wallet = match connection {
                0 => Connection::reconnect(room.stored_link(), room.payload),
                _ => Connection::pair(room.payload),
            };
            let mut fake = FakeBand::new(wallet, &room);
            for fragment in &to_wallet[from..] {
                let _ = fake.carries_fragment(fragment);
            }
            assert!(!fake.wallet.is_linked());
            assert!(fake.wallet.say(&ToBand::Status).is_err());
        }
    }
    // With the right form of everything: a link with a guessed secret, and keys of its own.
    for secret in &public.known {
        let key = SoftwareKey::new(*secret);
        let mut fake = FakeBand::new(Connection::reconnect(room.stored_link(), room.payload), &room);
        let hello = BandHello::new(VersionRange::SUPPORTED, &mut fake.rng).unwrap();
        fake.carries(&hello.to_bytes()).unwrap();
        let said = fake.take_heard();
        let link = Link::from_parts(
            public.wallet,
            LinkSecret::new(*secret),
            Version(1),
            Assurance::ComparedCode,
            LinkState::Established,
        );
        let answer = WalletHello::from_bytes(&said[0]).unwrap();
        let message = said[1].as_slice().try_into().unwrap();
        assert!(<Reconnect>::answer(&link, &key, (&hello, &answer), message, &mut fake.rng).is_err(), "it cannot read message 1");
        for message in [[0; 48], [9; 48]] {
            let mut fake = FakeBand::new(Connection::reconnect(room.stored_link(), room.payload), &room);
            fake.carries(&hello.to_bytes()).unwrap();
            assert!(fake.carries(&message).is_err());
            let clear = encode(&ToWallet::Generation { generation: 1 }, &mut [0; 8]).unwrap().to_vec();
            assert!(fake.carries(&clear).is_err() && !fake.wallet.is_linked());
        }
    }
}

/// The ways to connect, each up to where one would be through.
fn connect(room: &mut Room, kind: u8) {
    match kind {
        1 => {
            room.gesture(Gesture::Hold);
            room.connect(Connection::pair(room.payload));
        }
        2 => room.pair_with_label(),
        3 => room.pair_by_press(),
        4 => room.reconnect(),
        _ => room.resume_or_reconnect(),
    }
}

fn is_through(room: &Room, kind: u8) -> bool {
    match kind {
        1 => room.code_on_band().is_some(),
        2 | 3 => room.events.iter().any(|event| matches!(event, Event::Paired(_))),
        _ => room.is_linked(),
    }
}

#[test]
fn version_rollback_in_either_hello_ends_every_kind_of_connection() {
    for kind in 1..=5u8 {
        let room = || {
            let (face, label) = if kind == 3 { (Face::Button, None) } else { (Face::Lights, Some([0x51; 32])) };
            let mut room = Room::with_face(face, label);
            if kind > 3 {
                room.pair();
                room.reconnect();
                room.disconnect();
            }
            room.forget();
            room
        };
        let mut unharmed = room();
        connect(&mut unharmed, kind);
        assert!(is_through(&unharmed, kind), "{kind}");
        // Where the versions are: after 16 bytes of the band's hello, and after the kind in the wallet's; each to what still has one in common,
        // and to what has none.
        for (way, at) in [(Way::ToWallet, 17), (Way::ToWallet, 18), (Way::ToBand, 2), (Way::ToBand, 3)] {
            for version in [0, 2, 3, 255] {
                let mut room = room();
                let mut is_hello = true;
                room.meddler = Some(Box::new(move |goes, fragment| {
                    if goes == way && std::mem::take(&mut is_hello) {
                        fragment[at] = version;
                    }
                    true
                }));
                connect(&mut room, kind);
                assert!(!is_through(&room, kind), "{kind} {way:?} {at} {version}");
                assert!(!room.errors.is_empty() && room.connection.is_none());
                // Nothing was narrowed: the next connection is as any.
                room.meddler = None;
                room.forget();
                connect(&mut room, kind);
                assert!(is_through(&room, kind), "{kind} {way:?} {at} {version}");
            }
        }
    }
}

#[test]
fn each_byte_of_both_hellos_counts_for_every_kind_of_connection() {
    for kind in 1..=5u8 {
        for (way, len) in [(Way::ToWallet, BandHello::LEN), (Way::ToBand, if kind > 3 { WalletHello::MAX_LEN } else { 4 })] {
            for at in 1..=len {
                let (face, label) = if kind == 3 { (Face::Button, None) } else { (Face::Lights, Some([0x51; 32])) };
                let mut room = Room::with_face(face, label);
                if kind > 3 {
                    room.pair();
                    room.reconnect();
                    room.disconnect();
                }
                room.forget();
                let mut is_hello = true;
                room.meddler = Some(Box::new(move |goes, fragment| {
                    if goes == way && std::mem::take(&mut is_hello) {
                        fragment[at] ^= 1;
                    }
                    true
                }));
                connect(&mut room, kind);
                assert!(!is_through(&room, kind) && !room.errors.is_empty(), "{kind} {way:?} {at}");
                room.happens(BandEvent::Tick);
            }
        }
    }
}
