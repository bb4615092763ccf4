//! What asks the allocator for memory, and how often: the band and all that it is made of, never.

use armring_band::Event as BandEvent;
use armring_channel::{Channel, HandshakeHash, Key, Opened};
use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Pattern, Psk, Side, XX, XXPSK0};
use armring_pairing::{DiffieHellman, SoftwareKey};
use armring_token::{Object, Payment, PaymentKey, PaymentToken, Signing, Unverified};
use armring_wire::records::band::ToBand;
use armring_wire::{AttPayload, Fragmenter, Opaque, Outcome, Reassembler, Text, decode_record, encode};
use ed25519_dalek::SigningKey;

use crate::common::issuer::{CODE, Shop, TestIssuer, at, yuan};
use crate::common::{Allocations, Room, counted};

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    let mut count = 0;
    counted(&mut count, work);
    count
}

/// What a step of the story costs band and wallet.
fn step(room: &mut Room, work: impl FnOnce(&mut Room)) -> Allocations {
    room.allocations = Allocations::default();
    work(room);
    assert_eq!(room.errors, [""; 0]);
    room.allocations
}

#[test]
fn what_is_counted_is_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8; 9]))), 1);
}

#[test]
fn a_band_asks_for_no_memory_from_its_first_pairing_on_and_a_wallet_for_little() {
    let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::new(7, 182);
    let mut story = vec![
        ("pair", step(&mut room, Room::pair)),
        ("reconnect", step(&mut room, Room::reconnect)),
        ("enrol", step(&mut room, |room| room.enrol(&mut issuer, CODE))),
        ("put on and unlock", step(&mut room, Room::put_on)),
    ];
    let (request, mut token) = (shop.asks(1_250), None);
    story.push(("pay", step(&mut room, |room| token = room.pays(&request))));
    let receipt = issuer.receipt(&token.unwrap(), Outcome::Settled, 2_000, 9_000);
    story.push(("receipt", step(&mut room, |room| room.brings_receipt(&receipt))));
    let ticket = room.take_ticket();
    story.push(("resume", step(&mut room, |room| room.resume(ticket))));
    let asked = ToBand::Receive { amount: yuan(100), expiry: at(9_000), memo: Text::new("tea").unwrap() };
    let ask = |room: &mut Room| {
        room.say(&asked);
        room.gesture(armring_band::Gesture::DoublePress);
    };
    story.push(("ask to be paid", step(&mut room, ask)));
    story.push(("take off", step(&mut room, |room| room.happens(BandEvent::TakenOff))));

    let of_bands: Vec<_> = story.iter().map(|(name, count)| (*name, count.band)).collect();
    assert_eq!(of_bands, story.iter().map(|(name, _)| (*name, 0)).collect::<Vec<_>>());
    // By nature: it hands out fragments and objects that the app keeps. AWS-LC's binding asks for each key of a handshake, and each use of it.
    let of_wallets: Vec<_> = story.iter().map(|(_, count)| count.wallet).collect();
    let expected = if cfg!(feature = "aws-lc") { [13, 11, 13, 0, 3, 2, 9, 3, 0] } else { [9, 7, 13, 0, 3, 2, 7, 3, 0] };
    assert_eq!(of_wallets, expected);
}

#[test]
fn handshakes_ask_for_no_memory_on_either_side() {
    let (wallet, band) = (SoftwareKey::new([1; 32]), SoftwareKey::new([2; 32]));
    for pattern in [&XX, &XXPSK0, &KKPSK0, &NNPSK0, &IK] {
        assert_eq!(allocations(|| play(pattern, &wallet, &band)), 0, "{}", pattern.name);
    }
}

/// A whole handshake with empty payloads.
fn play(pattern: &'static Pattern, initiator: &SoftwareKey, responder: &SoftwareKey) {
    let keys = |own, knows: bool, peer: &SoftwareKey, ephemeral| Keys {
        own: Some(own),
        peer: knows.then(|| peer.public_key()),
        psk: Some(Psk::new([7; 32])),
        ephemeral: SoftwareKey::new(ephemeral),
    };
    let first: Keys<'_> = keys(initiator, pattern.responder_known, responder, [3; 32]);
    let second: Keys<'_> = keys(responder, pattern.initiator_known, initiator, [4; 32]);
    let mut writer = (<HandshakeState>::new(pattern, Side::Initiator, b"", first).unwrap(), initiator);
    let mut reader = (<HandshakeState>::new(pattern, Side::Responder, b"", second).unwrap(), responder);
    let mut buffer = [0; 128];
    for _ in pattern.messages {
        let message = &mut buffer[..writer.0.overhead()];
        let (wrote, own) = (writer.0.write(Some(writer.1), &[], message).unwrap(), writer.1);
        let (read, other) = (reader.0.read(Some(reader.1), message, &mut []).unwrap(), reader.1);
        (writer, reader) = ((read, other), (wrote, own));
    }
    assert_eq!(writer.0.finish().unwrap().hash, reader.0.finish().unwrap().hash);
}

#[test]
fn a_channel_asks_for_no_memory_across_a_rekey_and_a_close() {
    let end = |send, receive| <Channel>::new(Key::new([send; 32]), Key::new([receive; 32]), HandshakeHash::new([0; 32]));
    let (mut wallet, mut band, mut buffer) = (end(1, 2), end(2, 1), [7; 48]);
    let count = allocations(|| {
        for _ in 0..(1 << 16) + 2 {
            wallet.seal(&mut buffer, 20).unwrap();
            assert!(matches!(band.open(&mut buffer), Ok(Opened::Record(_))));
        }
        wallet.close(&mut buffer).unwrap();
        assert_eq!(band.open(&mut buffer), Ok(Opened::Close));
    });
    assert_eq!(count, 0);
}

#[test]
fn objects_are_signed_and_verified_and_records_encoded_and_carried_without_memory() {
    let (issuer, mut shop) = (TestIssuer::new(), Shop::new());
    let mut room = Room::ready(&mut TestIssuer::new());
    let token = room.pays(&shop.asks(1_250)).unwrap();
    let body = *Unverified::<PaymentToken>::parse(&token).unwrap().claims();
    let (root, signer) = (issuer.fingerprint(), SigningKey::from_bytes(&[8; 32]));
    let key = PaymentKey::from_bytes(signer.verifying_key().to_bytes()).unwrap();
    let signer = Signing::<Payment, _>::new(signer);
    let payload = AttPayload::new(20).unwrap();
    let (mut fragments, mut whole) = (Fragmenter::new(payload), Reassembler::new([0; 512]));
    let count = allocations(|| {
        let mut buffer = [0; PaymentToken::MAX_LEN];
        let object = body.sign(&root, &signer, &mut buffer).unwrap();
        let verified = Unverified::<PaymentToken>::parse(object).unwrap().verify(&root, &key).unwrap();
        assert_eq!(verified.amount, yuan(1_250));
        let (mut record, mut fragment, mut sent, mut arrived) = ([0; 512], [0; 20], 0, false);
        let record = encode(&ToBand::Paid { receipt: Opaque::new(object).unwrap() }, &mut record).unwrap();
        while let Some((len, next)) = fragments.cut(record, sent, &mut fragment) {
            sent = next;
            if let Some(record) = whole.push(&fragment[..len]).unwrap() {
                arrived = matches!(decode_record(record), Ok(ToBand::Paid { .. }));
            }
        }
        assert!(arrived);
    });
    assert_eq!(count, 0);
}
