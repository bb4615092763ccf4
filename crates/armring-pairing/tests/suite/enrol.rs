//! The handshake with the issuer: that it works, and that each known attack ends it.

use armring_pairing::*;
use armring_wire::VersionRange;

use crate::common::*;

const VERSIONS: EnrolVersions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: VersionRange::SUPPORTED };

/// A band, and an issuer in the other role.
fn band_and_issuer(rng: &mut ChaCha20Rng) -> (SoftwareKey, SoftwareKey) {
    let Two { band, wallet: issuer } = two(rng);
    (band, issuer)
}

#[test]
fn band_and_issuer_speak_end_to_end() {
    let mut rng = random();
    for _ in 0..50 {
        let (band, issuer) = band_and_issuer(&mut rng);
        let (waiting, first) = <Enrol>::start(&band, &issuer.public_key(), VERSIONS, &mut rng).unwrap();
        let (mut at_issuer, band_key, second) = <Enrol>::answer(&issuer, VERSIONS, &first, &mut rng).unwrap();
        let mut at_band = waiting.receive(&second, &band).unwrap();
        assert_eq!(band_key, band.public_key());
        assert!(speak(&mut at_band.channel, &mut at_issuer.channel));
        assert_eq!(at_band.resume.expose(), at_issuer.resume.expose());
    }
}

#[test]
fn a_tampered_byte_of_any_message_ends_the_handshake() {
    let mut rng = fixed();
    let (band, issuer) = band_and_issuer(&mut rng);
    let refused = Some(PeerError::NotAuthentic.into());
    for at in 0..96 {
        let (waiting, mut first) = <Enrol>::start(&band, &issuer.public_key(), VERSIONS, &mut rng).unwrap();
        let (_, _, mut second) = <Enrol>::answer(&issuer, VERSIONS, &first, &mut rng).unwrap();
        first[at] ^= 1;
        assert_eq!(<Enrol>::answer(&issuer, VERSIONS, &first, &mut rng).err(), refused, "message 1, byte {at}");
        second[at % 48] ^= 1;
        assert_eq!(waiting.receive(&second, &band).err(), refused, "message 2, byte {}", at % 48);
    }
}

#[test]
fn version_rollback_ends_the_handshake() {
    let mut rng = fixed();
    let (band, issuer) = band_and_issuer(&mut rng);
    let versions = EnrolVersions { band: range(1, 2), issuer: range(1, 2) };
    let (_, first) = <Enrol>::start(&band, &issuer.public_key(), versions, &mut rng).unwrap();
    assert!(<Enrol>::answer(&issuer, versions, &first, &mut rng).is_ok());
    for told in [EnrolVersions { band: range(1, 1), ..versions }, EnrolVersions { issuer: range(1, 1), ..versions }] {
        assert_eq!(<Enrol>::answer(&issuer, told, &first, &mut rng).err(), Some(PeerError::NotAuthentic.into()));
    }
    let apart = EnrolVersions { band: range(1, 1), issuer: range(2, 2) };
    assert_eq!(<Enrol>::answer(&issuer, apart, &first, &mut rng).err(), Some(PeerError::Unsupported.into()));
    let error = <Enrol>::start(&band, &issuer.public_key(), apart, &mut rng).err();
    assert_eq!(error, Some(PeerError::Unsupported.into()));
}

#[test]
fn only_the_issuer_with_the_key_can_answer() {
    let mut rng = fixed();
    let (band, issuer) = band_and_issuer(&mut rng);
    let (impostor, _) = band_and_issuer(&mut rng);
    let (_, first) = <Enrol>::start(&band, &issuer.public_key(), VERSIONS, &mut rng).unwrap();
    assert_eq!(<Enrol>::answer(&impostor, VERSIONS, &first, &mut rng).err(), Some(PeerError::NotAuthentic.into()));
}

#[test]
fn own_keys_echoed_back_end_the_handshake() {
    let mut rng = fixed();
    let (band, issuer) = band_and_issuer(&mut rng);
    let echoed = Some(PeerError::EchoedKey.into());
    for alter in [|key: [u8; 32]| key, with_high_bit] {
        let own = PublicKey::new(alter(*band.public_key().as_bytes()));
        assert_eq!(<Enrol>::start(&band, &own, VERSIONS, &mut rng).err(), echoed, "as the issuer's static key");

        let (waiting, first) = <Enrol>::start(&band, &issuer.public_key(), VERSIONS, &mut rng).unwrap();
        let mut second = [0; 48];
        second[..32].copy_from_slice(&alter(first[..32].try_into().unwrap()));
        assert_eq!(waiting.receive(&second, &band).err(), echoed, "the band's ephemeral key");

        let mut first = first;
        first[..32].copy_from_slice(&alter(*issuer.public_key().as_bytes()));
        assert_eq!(<Enrol>::answer(&issuer, VERSIONS, &first, &mut rng).err(), echoed, "the issuer's key as ephemeral");

        // The sender claims the issuer's own static key, sealed as it must be.
        let mirror = ClaimedKey(PublicKey::new(alter(*issuer.public_key().as_bytes())), Some(SoftwareKey::new([3; 32])));
        let keys = noise::Keys {
            own: None,
            peer: Some(issuer.public_key()),
            psk: None,
            ephemeral: SoftwareKey::generate(&mut rng).unwrap(),
        };
        let prologue = Prologue::enrol(VERSIONS.band, VERSIONS.issuer).unwrap();
        let state = <noise::HandshakeState>::new(&noise::IK, noise::Side::Initiator, prologue.as_bytes(), keys).unwrap();
        state.write(Some(&mirror), &[], &mut first).unwrap();
        assert_eq!(<Enrol>::answer(&issuer, VERSIONS, &first, &mut rng).err(), echoed, "the issuer's key as static");
    }
}

#[test]
fn zero_keys_and_failing_machines_end_the_handshake() {
    let mut rng = fixed();
    let (band, issuer) = band_and_issuer(&mut rng);
    let zero = Some(PeerError::ZeroSharedSecret.into());
    assert_eq!(<Enrol>::start(&band, &PublicKey::new([0; 32]), VERSIONS, &mut rng).err(), zero);
    assert_eq!(<Enrol>::answer(&issuer, VERSIONS, &[0; 96], &mut rng).err(), zero);
    let (waiting, first) = <Enrol>::start(&band, &issuer.public_key(), VERSIONS, &mut rng).unwrap();
    assert_eq!(waiting.receive(&[0; 48], &band).err(), zero);

    let failed = Some(MachineError::Randomness.into());
    assert_eq!(<Enrol>::start(&band, &issuer.public_key(), VERSIONS, &mut FailingRng(0)).err(), failed);
    assert_eq!(<Enrol>::answer(&issuer, VERSIONS, &first, &mut FailingRng(0)).err(), failed);
    let broken = ClaimedKey(issuer.public_key(), None);
    let error = <Enrol>::answer(&broken, VERSIONS, &first, &mut rng).err();
    assert_eq!(error, Some(MachineError::KeyUnavailable.into()));
}
