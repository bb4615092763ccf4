//! A band and a wallet of a newer version: they speak the version that both know, or say that there is none, and nobody is lost over it.

use armring_band::{Band, Error, Event, Gesture, Output as BandOutput, PeerError, SoftwareKeys};
use armring_pairing::{BandHello, Pairing, PairingWindow, SoftwareKey, UNSUPPORTED, WalletHello};
use armring_token::RootKey;
use armring_wallet::{Connection, Output};
use armring_wire::{AttPayload, Fragmenter, Uptime, Version, VersionRange};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const FUTURE: VersionRange = VersionRange { lowest: Version(1), highest: Version(9) };
const LATER: VersionRange = VersionRange { lowest: Version(2), highest: Version(9) };

fn payload() -> AttPayload {
    AttPayload::new(182).unwrap()
}

fn now() -> Uptime {
    Uptime::from_millis(1_000)
}

/// One message as the only fragment that it takes.
fn fragment(fragmenter: &mut Fragmenter, message: &[u8]) -> Vec<u8> {
    let mut fragment = [0; 182];
    let (len, _) = fragmenter.cut(message, 0, &mut fragment).unwrap();
    fragment[..len].to_vec()
}

type SoftBand = Band<SoftwareKey, SoftwareKeys>;

/// What the band sends, without the fragments' headers, and whether it ends the connection.
fn drain(band: &mut SoftBand) -> (Vec<Vec<u8>>, bool) {
    let (mut sent, mut ends, mut buffer) = (Vec::new(), false, [0; 182]);
    while let Some(output) = band.poll(&mut buffer) {
        match output {
            BandOutput::Transmit(fragment) => sent.push(fragment[1..].to_vec()),
            BandOutput::Disconnect => ends = true,
            _ => {}
        }
    }
    (sent, ends)
}

/// A band whose window is open, and what it says to whoever connects.
fn greeting(rng: &mut ChaCha20Rng) -> (SoftBand, BandHello) {
    let root = RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap();
    let mut band = Band::new(SoftwareKey::new([7; 32]), SoftwareKeys, root);
    band.handle(Event::Gesture(Gesture::Hold), now(), rng).unwrap();
    drain(&mut band);
    band.handle(Event::Connected(payload()), now(), rng).unwrap();
    let hello = BandHello::from_bytes(drain(&mut band).0[0].as_slice().try_into().unwrap());
    (band, hello)
}

#[test]
fn a_wallet_of_a_future_version_pairs_in_this_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (mut band, hello) = greeting(&mut rng);
    let own = SoftwareKey::new([9; 32]);
    let (wallet, wallet_hello, first) = <Pairing>::start(&own, FUTURE, &hello, &mut rng).unwrap();
    let mut fragmenter = Fragmenter::new(payload());
    let mut buffer = [0; WalletHello::MAX_LEN];
    for message in [wallet_hello.encode(&mut buffer), &first] {
        band.handle(Event::Fragment(&fragment(&mut fragmenter, message)), now(), &mut rng).unwrap();
    }
    let (sent, ends) = drain(&mut band);
    assert!(!ends);
    assert!(wallet.receive(sent[0].as_slice().try_into().unwrap(), &own).is_ok(), "both have version 1 in their prologues");
}

#[test]
fn a_wallet_that_has_left_this_version_behind_is_told_so_and_the_band_goes_on() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (mut band, _) = greeting(&mut rng);
    let hello = [1, LATER.lowest.0, LATER.highest.0, 0];
    let result = band.handle(Event::Fragment(&fragment(&mut Fragmenter::new(payload()), &hello)), now(), &mut rng);
    assert_eq!(result, Err(Error::Peer(PeerError::Handshake(armring_pairing::PeerError::Unsupported))));
    assert_eq!(drain(&mut band), (vec![UNSUPPORTED.to_vec()], true));
    band.handle(Event::Disconnected, now(), &mut rng).unwrap();
    band.handle(Event::Connected(payload()), now(), &mut rng).unwrap();
    assert_eq!(drain(&mut band).0[0].len(), BandHello::LEN, "the next one who connects is greeted, with the same versions");
}

/// What a wallet answers to a band that speaks `versions`: its messages, without the fragments' headers.
fn answers(versions: VersionRange, rng: &mut ChaCha20Rng) -> (Vec<Vec<u8>>, BandHello, bool) {
    let hello = BandHello::new(versions, rng).unwrap();
    let mut connection = Connection::pair(payload());
    let result =
        connection.fragment(&fragment(&mut Fragmenter::new(payload()), &hello.to_bytes()), &SoftwareKey::new([9; 32]), rng);
    let mut sent = Vec::new();
    while let Some(output) = connection.poll() {
        if let Output::Transmit(fragment) = output {
            sent.push(fragment[1..].to_vec());
        }
    }
    (sent, hello, result.is_ok())
}

#[test]
fn a_band_of_a_future_version_is_paired_in_this_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (sent, hello, went) = answers(FUTURE, &mut rng);
    assert!(went);
    let wallet_hello = WalletHello::from_bytes(&sent[0]).unwrap();
    assert_eq!(wallet_hello.versions(), VersionRange::SUPPORTED, "it offers all that it speaks, whatever the band says");
    let window: PairingWindow = PairingWindow::open(now(), armring_pairing::Methods::code());
    let first = sent[1].as_slice().try_into().unwrap();
    assert!(window.receive(first, now(), &SoftwareKey::new([7; 32]), (&hello, &wallet_hello), &mut rng).is_ok());
}

#[test]
fn a_band_that_has_left_this_version_behind_is_not_paired() {
    let (sent, _, went) = answers(LATER, &mut ChaCha20Rng::seed_from_u64(4));
    assert!(!went && sent.is_empty(), "there is nothing to say to it");
}
