//! Whatever comes, each step answers with an error and never with a panic; and the core of it, used wrongly, says so.

use armring_pairing::noise::{HandshakeState, IK, KKPSK0, Keys, NNPSK0, Psk, Side, XX, XXPSK0};
use armring_pairing::*;
use armring_wire::VersionRange;
use proptest::prelude::*;

use crate::common::*;

const SPEAKS: VersionRange = VersionRange::SUPPORTED;

/// `N` bytes, as proptest draws them.
fn any_bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    prop::collection::vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().unwrap())
}

proptest! {
    #![proptest_config(cases(256))]
    #[test]
    fn garbage_in_place_of_a_hello(band in any_bytes::<18>(), wallet in prop::collection::vec(any::<u8>(), 0..24)) {
        let mut rng = fixed();
        let keys = two(&mut rng);
        let (_, link) = keys.link(&mut rng);
        let hello = BandHello::from_bytes(&band);
        let _ = <Pairing>::start(&keys.wallet, SPEAKS, &hello, &mut rng);
        let _ = <Reconnect>::start(&link, &keys.wallet, SPEAKS, &hello, &mut rng);
        if let Ok(wallet) = WalletHello::from_bytes(&wallet) {
            let _ = Prologue::opening(&hello, &wallet);
        }
    }

    #[test]
    fn garbage_in_place_of_each_message(m32 in any_bytes::<32>(), m48 in any_bytes::<48>(), m64 in any_bytes::<64>(), m96 in any_bytes::<96>()) {
        let mut rng = fixed();
        let keys = two(&mut rng);
        let (at_band, at_wallet) = keys.link(&mut rng);
        let hello = hello(&mut rng);

        let (pairing, pair_hello, first) = <Pairing>::start(&keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
        prop_assert!(pairing.receive(&m96, &keys.wallet).is_err());
        let window: PairingWindow = PairingWindow::open(NOW, Methods::code());
        let _ = window.receive(&m64, NOW, &keys.band, (&hello, &pair_hello), &mut rng);
        let window: PairingWindow = PairingWindow::open(NOW, Methods::code());
        let (band, _) = window.receive(&first, NOW, &keys.band, (&hello, &pair_hello), &mut rng).unwrap();
        prop_assert!(band.receive(&m96, NOW, &keys.band).is_err());

        let (reconnect, wallet_hello, _) = <Reconnect>::start(&at_wallet, &keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
        prop_assert!(reconnect.receive(&m48, &keys.wallet).is_err());
        prop_assert!(<Reconnect>::answer(&at_band, &keys.band, (&hello, &wallet_hello), &m48, &mut rng).is_err());

        let secret = || PairingSecret::new([7; 32]);
        let label = PairingLabel::new(Source::Printed, secret(), &keys.band.public_key());
        let (uncompared, uncompared_hello, first) = <PairingUncompared>::start_with_label(&label, &keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
        prop_assert!(uncompared.receive(&m96, &keys.wallet, &mut rng).is_err());
        let window = || -> PairingWindow { PairingWindow::open(NOW, Methods::label(secret())) };
        let hellos = (&hello, &uncompared_hello);
        prop_assert!(window().receive_secret(&m48, NOW, &keys.band, hellos, &mut rng).is_err());
        let (band, _) = window().receive_secret(&first, NOW, &keys.band, hellos, &mut rng).unwrap();
        prop_assert!(band.receive(&m64, NOW, &keys.band, &mut rng).is_err());

        let (uncompared, uncompared_hello, _) = <PairingUncompared>::start_by_press(&keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
        prop_assert!(uncompared.receive(&m96, &keys.wallet, &mut rng).is_err());
        let window: PairingWindow = PairingWindow::open(NOW, Methods::press_only());
        if let Ok((band, _)) = window.receive_press(&m32, NOW, &keys.band, (&hello, &uncompared_hello), &mut rng) {
            prop_assert!(band.receive(&m64, NOW, &keys.band, &mut rng).is_err());
        }

        let (ticket, mut resumption) = kinds::reconnect(&keys, &at_band, &at_wallet, &mut rng);
        let (resume, resume_hello, _) = <Resume>::start(&at_wallet, &ticket, SPEAKS, &hello, &mut rng).unwrap();
        prop_assert!(resume.receive(&m48).is_err());
        let answer = resumption.answer::<RustCrypto>(&at_band, (&hello, &resume_hello), &m48, &mut rng);
        prop_assert!(answer.is_err());

        let versions = EnrolVersions { band: SPEAKS, issuer: SPEAKS };
        let (enrol, _) = <Enrol>::start(&keys.band, &keys.wallet.public_key(), versions, &mut rng).unwrap();
        prop_assert!(enrol.receive(&m48, &keys.band).is_err());
        prop_assert!(<Enrol>::answer(&keys.wallet, versions, &m96, &mut rng).is_err());
    }

    #[test]
    fn garbage_of_any_length(message in prop::collection::vec(any::<u8>(), 0..200), room in 0..200usize) {
        let mut rng = fixed();
        let keys = two(&mut rng);
        for pattern in [&XX, &XXPSK0, &KKPSK0, &NNPSK0, &IK] {
            let parts = Keys {
                own: Some(&keys.band),
                peer: Some(keys.wallet.public_key()),
                psk: Some(Psk::new([7; 32])),
                ephemeral: SoftwareKey::new([9; 32]),
            };
            let state = <HandshakeState>::new(pattern, Side::Responder, &message, parts).unwrap();
            let _ = state.read(Some(&keys.band), &message, &mut vec![0; room]);
        }
    }
}

fn keys<'k>(own: Option<&'k dyn DiffieHellman>, peer: Option<PublicKey>, psk: bool) -> Keys<'k> {
    Keys { own, peer, psk: psk.then(|| Psk::new([7; 32])), ephemeral: SoftwareKey::new([9; 32]) }
}

#[test]
fn a_missing_key_is_the_caller_s_fault() {
    let two = two(&mut fixed());
    let (own, peer) = (Some(&two.band as &dyn DiffieHellman), Some(two.wallet.public_key()));
    let missing = Some(CallerError::MissingKey.into());
    let new = |pattern, keys| <HandshakeState>::new(pattern, Side::Initiator, &[], keys);
    assert_eq!(new(&KKPSK0, keys(own, peer, false)).err(), missing, "no psk");
    assert_eq!(new(&KKPSK0, keys(own, None, true)).err(), missing, "no key of the peer");
    assert_eq!(new(&KKPSK0, keys(None, peer, true)).err(), missing, "no key of our own");
    assert_eq!(new(&IK, keys(None, peer, false)).unwrap().write(None, &[], &mut [0; 96]).err(), missing, "none to send");
    assert_eq!(new(&KKPSK0, keys(own, peer, true)).unwrap().write(None, &[], &mut [0; 48]).err(), missing, "none at this step");
}

#[test]
fn wrong_lengths_and_turns_are_refused() {
    let start = |side| <HandshakeState>::new(&XX, side, &[], keys(None, None, false)).unwrap();
    let order = Some(CallerError::Order.into());
    assert_eq!(start(Side::Responder).write(None, &[], &mut [0; 32]).err(), order);
    assert_eq!(start(Side::Initiator).read(None, &[0; 32], &mut []).err(), order);
    assert_eq!(start(Side::Initiator).finish().err(), order);
    assert_eq!(start(Side::Initiator).overhead(), 32);
    for length in [0, 31, 33, 500] {
        assert_eq!(start(Side::Initiator).write(None, &[], &mut vec![0; length]).err(), Some(CallerError::Length.into()));
        assert_eq!(start(Side::Responder).read(None, &vec![9; length], &mut []).err(), Some(PeerError::Length.into()));
    }

    let finished = |side| {
        let state = <HandshakeState>::new(&NNPSK0, side, &[], keys(None, None, true)).unwrap();
        match side {
            Side::Initiator => state.write(None, &[], &mut [0; 48]).unwrap(),
            Side::Responder => state,
        }
    };
    assert_eq!(finished(Side::Initiator).write(None, &[], &mut [0; 48]).err(), order, "twice");
    assert_eq!(finished(Side::Responder).finish().err(), order, "before the last message");
}
