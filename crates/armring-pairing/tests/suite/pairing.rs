//! Pairing by code: that it works, and that each known attack ends it. The names of the tests say the attacks.

use armring_pairing::noise::{HandshakeState, Keys, Side, XX};
use armring_pairing::*;
use armring_wire::{Uptime, Version, VersionRange};

use crate::common::*;

type Band = (Session, CompareCode<AtBand>);
type Wallet = (Session, CompareCode<AtWallet>);

fn window() -> PairingWindow {
    PairingWindow::open(Uptime::from_millis(0), Methods::code())
}

/// A pairing up to the codes; `alter` is given the name of each message and the message on its way.
fn pair(rng: &mut ChaCha20Rng, mut alter: impl FnMut(&str, &mut [u8])) -> Result<(Wallet, Band), Error> {
    let Two { band: band_key, wallet: wallet_key } = two(rng);
    let band_hello = BandHello::new(range(1, 2), rng)?;
    let mut bytes = band_hello.to_bytes();
    alter("band hello", &mut bytes);
    let (wallet, wallet_hello, mut first) = <Pairing>::start(&wallet_key, range(1, 3), &BandHello::from_bytes(&bytes), rng)?;
    let mut bytes: [u8; 4] = wallet_hello.encode(&mut [0; WalletHello::MAX_LEN]).try_into().unwrap();
    alter("wallet hello", &mut bytes);
    let wallet_hello = WalletHello::from_bytes(&bytes)?;
    alter("message 1", &mut first);
    let (band, mut second) = window().receive(&first, NOW, &band_key, (&band_hello, &wallet_hello), rng)?;
    alter("message 2", &mut second);
    let (session, code, mut third) = wallet.receive(&second, &wallet_key)?;
    alter("message 3", &mut third);
    Ok(((session, code), band.receive(&third, NOW, &band_key)?))
}

/// The same, with one byte altered of one message.
fn pair_altering(rng: &mut ChaCha20Rng, message: &str, at: usize, alter: impl Fn(u8) -> u8) -> Result<(Wallet, Band), Error> {
    pair(rng, |name, bytes| {
        if name == message {
            bytes[at] = alter(bytes[at]);
        }
    })
}

fn paired(rng: &mut ChaCha20Rng) -> (Wallet, Band) {
    pair(rng, |_, _| ()).unwrap()
}

#[test]
fn both_see_the_same_code_and_keep_the_same_link() {
    let mut rng = random();
    for _ in 0..50 {
        let ((mut wallet_session, at_wallet), (mut band_session, at_band)) = paired(&mut rng);
        assert!(speak(&mut wallet_session.channel, &mut band_session.channel));
        assert_eq!(wallet_session.resume.expose(), band_session.resume.expose());
        assert_eq!(at_wallet.code(), at_band.code());
        assert_eq!(at_wallet.code().digits().to_string().len(), 7);

        let (at_wallet, at_band) = (at_wallet.shown(), at_band.shown());
        assert_eq!(at_wallet.code(), at_band.code());
        let (at_wallet, at_band) = (at_wallet.accept(&mut rng).unwrap(), at_band.accept(NOW, &mut rng).unwrap());
        let (band_link, store_first) = at_band.wallet_confirmed(at_wallet.share());
        let wallet_link = at_wallet.band_confirmed(&store_first.stored());

        assert_eq!(band_link.secret().expose(), wallet_link.secret().expose());
        assert_eq!(band_link.psk().expose(), wallet_link.psk().expose());
        assert_ne!(band_link.psk().expose(), band_link.hint_key().expose());
        for link in [&band_link, &wallet_link] {
            assert_eq!((link.assurance(), link.state()), (Assurance::ComparedCode, LinkState::Provisional));
            assert_eq!(link.lowest_version(), Version(2), "what was spoken is what is accepted from then on");
        }
    }
}

#[test]
fn another_share_makes_another_link() {
    let mut rng = fixed();
    let ((_, at_wallet), (_, at_band)) = paired(&mut rng);
    let (at_wallet, at_band) = (at_wallet.shown().accept(&mut rng).unwrap(), at_band.shown().accept(NOW, &mut rng).unwrap());
    let (band_link, _) = at_band.wallet_confirmed(&Share::new([1; 32]));
    let wallet_link = at_wallet.band_confirmed(&Share::new([1; 32]));
    assert_ne!(band_link.secret().expose(), wallet_link.secret().expose());
}

#[test]
fn a_tampered_byte_of_any_message_ends_the_pairing() {
    let mut rng = fixed();
    for (message, length) in [("message 1", 64), ("message 2", 96), ("message 3", 96)] {
        for at in 0..length {
            let error = pair_altering(&mut rng, message, at, |byte| byte ^ 1).err();
            assert_eq!(error, Some(PeerError::NotAuthentic.into()), "{message}, byte {at}");
        }
    }
    for (message, length) in [("band hello", BandHello::LEN), ("wallet hello", 4)] {
        for at in 0..length {
            assert!(pair_altering(&mut rng, message, at, |byte| byte ^ 1).is_err(), "{message}, byte {at}");
        }
    }
}

#[test]
fn version_rollback_ends_the_pairing() {
    let mut rng = fixed();
    // The band speaks 1 to 2, the wallet 1 to 3: one is made to believe that the other speaks no more than 1.
    for (message, at) in [("band hello", 17), ("wallet hello", 2)] {
        assert_eq!(pair_altering(&mut rng, message, at, |_| 1).err(), Some(PeerError::NotAuthentic.into()), "{message}");
    }
    assert_eq!(pair_altering(&mut rng, "wallet hello", 2, |_| 0).err(), Some(PeerError::Unsupported.into()), "none is left");
    assert_eq!(UNSUPPORTED, [0]);
}

#[test]
fn a_hello_of_another_kind_is_refused() {
    let mut rng = fixed();
    for kind in [Kind::PairOutOfBand, Kind::PairPress] {
        assert_eq!(pair_altering(&mut rng, "wallet hello", 0, |_| kind as u8).err(), Some(PeerError::Kind.into()));
    }
}

#[test]
fn man_in_the_middle_gets_different_codes() {
    let mut rng = random();
    for _ in 0..20 {
        let (band_key, wallet_key, mallory) = (two(&mut rng).band, two(&mut rng).wallet, two(&mut rng));
        let (hello, versions) = (hello(&mut rng), VersionRange::SUPPORTED);
        let (wallet, _, _) = <Pairing>::start(&wallet_key, versions, &hello, &mut rng).unwrap();
        let (to_band, mallory_hello, to_band_1) = <Pairing>::start(&mallory.wallet, versions, &hello, &mut rng).unwrap();
        let (band, to_mallory_2) = window().receive(&to_band_1, NOW, &band_key, (&hello, &mallory_hello), &mut rng).unwrap();
        let (_, seen_at_band, to_band_3) = to_band.receive(&to_mallory_2, &mallory.wallet).unwrap();
        let (_, at_band) = band.receive(&to_band_3, NOW, &band_key).unwrap();
        assert_eq!(at_band.code(), seen_at_band.code());

        // Against the wallet Mallory plays a band, and passes the band's own answer on as well.
        let (wallet_2, wallet_hello, to_mallory_1) = <Pairing>::start(&wallet_key, versions, &hello, &mut rng).unwrap();
        let (_, to_wallet_2) = window().receive(&to_mallory_1, NOW, &mallory.band, (&hello, &wallet_hello), &mut rng).unwrap();
        let (_, at_wallet, _) = wallet_2.receive(&to_wallet_2, &wallet_key).unwrap();
        assert_ne!(at_wallet.code(), at_band.code());
        assert_eq!(wallet.receive(&to_mallory_2, &wallet_key).err(), Some(PeerError::NotAuthentic.into()));
    }
}

/// An attacker's wallet that commits to one opening and reveals another.
fn open_otherwise(rng: &mut ChaCha20Rng, committed: impl Fn(&PublicKey) -> [u8; 32], opened: [u8; 32]) -> Result<Band, Error> {
    let Two { band: band_key, wallet } = two(rng);
    let hello = hello(rng);
    let wallet_hello = WalletHello::from_bytes(&[Kind::PairCode as u8, 1, 1, 0]).unwrap();
    let prologue = Prologue::opening(&hello, &wallet_hello).unwrap();
    let keys = Keys { own: Some(&wallet), peer: None, psk: None, ephemeral: SoftwareKey::generate(rng).unwrap() };
    let state = <HandshakeState>::new(&XX, Side::Initiator, prologue.as_bytes(), keys).unwrap();
    let (mut first, mut last) = ([0; 64], [0; 96]);
    let state = state.write(Some(&wallet), &committed(&wallet.public_key()), &mut first).unwrap();
    let (band, second) = window().receive(&first, NOW, &band_key, (&hello, &wallet_hello), rng).unwrap();
    state.read(Some(&wallet), &second, &mut []).unwrap().write(Some(&wallet), &opened, &mut last).unwrap();
    band.receive(&last, NOW, &band_key)
}

#[test]
fn ground_sas_commitment_is_checked() {
    let mut rng = fixed();
    let commit = |key: &PublicKey, opening: [u8; 32]| labelled_hash("armring/1 sas commit", &[key.as_bytes(), &opening]);
    assert!(open_otherwise(&mut rng, |key| commit(key, [7; 32]), [7; 32]).is_ok());
    let refused = Some(PeerError::Commitment.into());
    assert_eq!(open_otherwise(&mut rng, |key| commit(key, [7; 32]), [8; 32]).err(), refused, "another opening");
    let other = PublicKey::new([9; 32]);
    assert_eq!(open_otherwise(&mut rng, |_| commit(&other, [7; 32]), [7; 32]).err(), refused, "another wallet's key");
    assert_eq!(open_otherwise(&mut rng, |_| [7; 32], [7; 32]).err(), refused, "nothing that was hashed");
}

#[test]
fn a_window_closes_after_a_minute() {
    let mut rng = fixed();
    let Two { band, wallet } = two(&mut rng);
    let hello = hello(&mut rng);
    let (pairing, wallet_hello, first) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
    let late = Some(PeerError::TooLate.into());
    let at = Uptime::from_millis;

    assert!(window().is_open(at(60_000)) && !window().is_open(at(60_001)));
    assert_eq!(window().receive(&first, at(60_001), &band, (&hello, &wallet_hello), &mut rng).err(), late);
    let mut answered = || window().receive(&first, at(60_000), &band, (&hello, &wallet_hello), &mut rng).unwrap();
    let (waiting, second) = answered();
    let (too_slow, _) = answered();
    let (_, _, last) = pairing.receive(&second, &wallet).unwrap();
    assert_eq!(too_slow.receive(&last, at(120_001), &band).err(), late, "message 3");
    let (_, compare) = waiting.receive(&last, at(120_000), &band).unwrap();
    assert_eq!(compare.shown().accept(at(120_001), &mut rng).err(), late, "the person's answer");
}

#[test]
fn own_keys_echoed_back_end_the_pairing() {
    let mut rng = fixed();
    let Two { band, wallet } = two(&mut rng);
    let hello = hello(&mut rng);
    let echoed = Some(PeerError::EchoedKey.into());
    for alter in [|key: [u8; 32]| key, with_high_bit] {
        // To the band, its static key as the wallet's ephemeral.
        let (pairing, wallet_hello, mut first) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
        let ephemeral: [u8; 32] = first[..32].try_into().unwrap();
        first[..32].copy_from_slice(&alter(*band.public_key().as_bytes()));
        assert_eq!(window().receive(&first, NOW, &band, (&hello, &wallet_hello), &mut rng).err(), echoed);

        // To the wallet, its ephemeral and then its static key as the band's ephemeral.
        let mut second = [0; 96];
        second[..32].copy_from_slice(&alter(ephemeral));
        assert_eq!(pairing.receive(&second, &wallet).err(), echoed);
        let (pairing, _, _) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
        second[..32].copy_from_slice(&alter(*wallet.public_key().as_bytes()));
        assert_eq!(pairing.receive(&second, &wallet).err(), echoed);

        // To the wallet, its static key as the band's, sealed as it must be.
        let (pairing, wallet_hello, first) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
        let mirror = ClaimedKey(PublicKey::new(alter(*wallet.public_key().as_bytes())), Some(SoftwareKey::new([3; 32])));
        let (_, second) = window().receive(&first, NOW, &mirror, (&hello, &wallet_hello), &mut rng).unwrap();
        assert_eq!(pairing.receive(&second, &wallet).err(), echoed);
    }
}

#[test]
fn keys_that_give_nothing_but_zero_end_the_pairing() {
    let mut rng = fixed();
    let Two { band, wallet } = two(&mut rng);
    let hello = hello(&mut rng);
    let zero = Some(PeerError::ZeroSharedSecret.into());
    let mut one = [0; 32];
    one[0] = 1;
    for point in [[0; 32], one, with_high_bit([0; 32])] {
        let (pairing, wallet_hello, mut first) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
        first[..32].copy_from_slice(&point);
        assert_eq!(window().receive(&first, NOW, &band, (&hello, &wallet_hello), &mut rng).err(), zero);
        let mut second = [0; 96];
        second[..32].copy_from_slice(&point);
        assert_eq!(pairing.receive(&second, &wallet).err(), zero);
    }
}

#[test]
fn failing_randomness_ends_each_step() {
    let mut rng = fixed();
    let Two { band, wallet } = two(&mut rng);
    let failed = Some(MachineError::Randomness.into());
    assert_eq!(SoftwareKey::generate(&mut FailingRng(0)).err(), failed);
    assert_eq!(BandHello::new(VersionRange::SUPPORTED, &mut FailingRng(0)).err(), failed);

    let hello = hello(&mut rng);
    for draws in 0..2 {
        assert_eq!(<Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut FailingRng(draws)).err(), failed);
    }
    let (_, wallet_hello, first) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
    assert_eq!(window().receive(&first, NOW, &band, (&hello, &wallet_hello), &mut FailingRng(0)).err(), failed);

    let ((_, at_wallet), (_, at_band)) = paired(&mut rng);
    assert_eq!(at_wallet.shown().accept(&mut FailingRng(0)).err(), failed);
    assert_eq!(at_band.shown().accept(NOW, &mut FailingRng(0)).err(), failed);
}

#[test]
fn a_key_that_cannot_be_used_is_the_machine_s_fault() {
    let mut rng = fixed();
    let Two { band, wallet } = two(&mut rng);
    let hello = hello(&mut rng);
    let (_, wallet_hello, first) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
    let broken = ClaimedKey(band.public_key(), None);
    let error = window().receive(&first, NOW, &broken, (&hello, &wallet_hello), &mut rng).err();
    assert_eq!(error, Some(MachineError::KeyUnavailable.into()));
}

#[test]
fn debug_shows_no_secret() {
    let mut rng = fixed();
    let Two { wallet, .. } = two(&mut rng);
    let hello = hello(&mut rng);
    let (pairing, ..) = <Pairing>::start(&wallet, VersionRange::SUPPORTED, &hello, &mut rng).unwrap();
    assert_eq!(
        format!("{pairing:?}"),
        "Pairing { handshake: HandshakeState { pattern: \"Noise_XX_25519_ChaChaPoly_BLAKE2s\", side: Initiator, messages_done: 1, .. }, .. }"
    );
    let ((session, at_wallet), (_, at_band)) = paired(&mut rng);
    assert!(format!("{session:?}").ends_with("resume: ResumeSecret(..) }"));
    let at_wallet = at_wallet.shown().accept(&mut rng).unwrap();
    assert_eq!(format!("{at_wallet:?}"), "AwaitingBandShare { .. }");
    let at_band = at_band.shown().accept(NOW, &mut rng).unwrap();
    assert_eq!(format!("{at_band:?}"), "AwaitingWalletShare { .. }");
    let (link, store_first) = at_band.wallet_confirmed(at_wallet.share());
    assert_eq!(format!("{store_first:?}"), "StoreFirst { share: Share(..) }");
    assert!(format!("{link:?}").contains("secret: LinkSecret(..), "));
}
