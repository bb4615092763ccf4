//! Pairing without a code: by a label, by the band's display, by a press alone; and what a window allows. The names say the attacks.

use armring_pairing::*;
use armring_wire::uri::{UriError, UriKind, decode_uri, encode_uri, uri_len};
use armring_wire::{Uptime, VersionRange};
use proptest::prelude::*;

use crate::common::*;

const SPEAKS: VersionRange = VersionRange::SUPPORTED;

fn open(methods: Methods) -> PairingWindow {
    PairingWindow::open(Uptime::from_millis(0), methods)
}

fn printed(keys: &Two, secret: u8) -> (PairingLabel, Methods) {
    let secret = || PairingSecret::new([secret; 32]);
    (PairingLabel::new(Source::Printed, secret(), &keys.band.public_key()), Methods::label(secret()))
}

/// What a band with a display and nothing else has for one window.
fn displayed(rng: &mut ChaCha20Rng) -> Methods {
    Methods::press_only().or_secret(PairingSecret::generate(rng).unwrap(), Source::Displayed)
}

fn uri(label: &PairingLabel) -> String {
    label.to_uri(&mut [0; PairingLabel::URI_LEN]).unwrap().to_owned()
}

/// A pairing with what `label` says, in `window`, up to the links of both sides.
fn pair(keys: &Two, label: &PairingLabel, window: PairingWindow, rng: &mut ChaCha20Rng) -> Result<[Link; 2], Error> {
    let hello = hello(rng);
    let (wallet, wallet_hello, first) = <PairingUncompared>::start_with_label(label, &keys.wallet, SPEAKS, &hello, rng)?;
    let (band, second) = window.receive_secret(&first, NOW, &keys.band, (&hello, &wallet_hello), rng)?;
    confirm(keys, wallet, band, &second, rng)
}

/// From message 2 to both links.
fn confirm(
    keys: &Two,
    wallet: PairingUncompared,
    band: AwaitingStatic,
    second: &[u8; 96],
    rng: &mut ChaCha20Rng,
) -> Result<[Link; 2], Error> {
    let (mut wallet_session, at_wallet, third) = wallet.receive(second, &keys.wallet, rng)?;
    let (mut band_session, at_band) = band.receive(&third, NOW, &keys.band, rng)?;
    assert!(speak(&mut wallet_session.channel, &mut band_session.channel));
    let (band_link, store_first) = at_band.wallet_confirmed(at_wallet.share());
    let wallet_link = at_wallet.band_confirmed(&store_first.stored());
    assert_eq!(band_link.secret().expose(), wallet_link.secret().expose());
    assert_eq!((band_link.peer(), wallet_link.peer()), (&keys.wallet.public_key(), &keys.band.public_key()));
    Ok([band_link, wallet_link])
}

fn assured(links: &[Link; 2]) -> [(Assurance, LinkState, u32); 2] {
    links.each_ref().map(|link| (link.assurance(), link.state(), link.generation()))
}

#[test]
fn a_printed_label_pairs_again_and_again() {
    let mut rng = random();
    let keys = two(&mut rng);
    for _ in 0..20 {
        let (label, methods) = printed(&keys, 7);
        let links = pair(&keys, &label, open(methods), &mut rng).unwrap();
        assert_eq!(assured(&links), [(Assurance::PrintedSecret, LinkState::Provisional, 0); 2]);
    }
}

#[test]
fn a_displayed_label_pairs_in_its_own_window_alone() {
    let mut rng = random();
    let keys = two(&mut rng);
    let mut window = || {
        let window = open(displayed(&mut rng));
        let shown = uri(&window.label(&keys.band.public_key()).unwrap());
        (window, PairingLabel::from_uri(&shown).unwrap())
    };
    let ((first, label), (second, other)) = (window(), window());
    assert_ne!(label.secret().expose(), other.secret().expose(), "each window has its own");
    let links = pair(&keys, &label, first, &mut rng).unwrap();
    assert_eq!(assured(&links), [(Assurance::DisplayedSecret, LinkState::Provisional, 0); 2]);
    let error = pair(&keys, &label, second, &mut rng).err();
    assert_eq!(error, Some(PeerError::NotAuthentic.into()), "what was shown before opens nothing");
    assert!(open(printed(&keys, 7).1).label(&keys.band.public_key()).is_none(), "what is printed is not for the display");
}

#[test]
fn a_press_alone_makes_the_least_assured_link() {
    let mut rng = random();
    let keys = two(&mut rng);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, first) = <PairingUncompared>::start_by_press(&keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let window = open(Methods::press_only());
    let (band, second) = window.receive_press(&first, NOW, &keys.band, (&hello, &wallet_hello), &mut rng).unwrap();
    let links = confirm(&keys, wallet, band, &second, &mut rng).unwrap();
    assert_eq!(assured(&links), [(Assurance::Press, LinkState::Provisional, 0); 2]);
}

#[test]
fn who_has_not_seen_the_label_does_not_get_an_answer() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let (label, _) = printed(&keys, 8);
    let error = pair(&keys, &label, open(printed(&keys, 7).1), &mut rng).err();
    assert_eq!(error, Some(PeerError::NotAuthentic.into()));
}

#[test]
fn a_band_with_the_secret_and_another_key_is_another_band() {
    let mut rng = fixed();
    // Somebody who has seen the label stands between, and plays the band.
    let (keys, mallory) = (two(&mut rng), two(&mut rng));
    let (label, methods) = printed(&keys, 7);
    let hello = hello(&mut rng);
    let (wallet, wallet_hello, first) =
        <PairingUncompared>::start_with_label(&label, &keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let (_, second) = open(methods).receive_secret(&first, NOW, &mallory.band, (&hello, &wallet_hello), &mut rng).unwrap();
    // The handshake itself is in order; that it ends here leaves Mallory without message 3 and so without the wallet's key.
    assert_eq!(wallet.receive(&second, &keys.wallet, &mut rng).err(), Some(PeerError::OtherKey.into()));
}

#[test]
fn press_only_is_refused_by_a_band_that_can_show_a_code() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let hello = hello(&mut rng);
    let (_, wallet_hello, first) = <PairingUncompared>::start_by_press(&keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let secret = || PairingSecret::new([7; 32]);
    let better = [
        Methods::code(),
        Methods::label(secret()),
        displayed(&mut rng),
        Methods::code().or_secret(secret(), Source::Printed),
        Methods::code().or_secret(secret(), Source::Displayed),
        Methods::press_only().or_secret(secret(), Source::Printed),
    ];
    for methods in better {
        let window = open(methods);
        assert!(!window.allows(Kind::PairPress));
        let error = window.receive_press(&first, NOW, &keys.band, (&hello, &wallet_hello), &mut rng).err();
        assert_eq!(error, Some(PeerError::NotAllowed.into()));
    }
}

#[test]
fn a_window_allows_what_the_band_can_do_and_nothing_else() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let secret = || PairingSecret::new([7; 32]);
    let (code, out_of_band, press) = (Kind::PairCode, Kind::PairOutOfBand, Kind::PairPress);
    for (methods, allowed) in [
        (Methods::code(), &[code][..]),
        (Methods::label(secret()), &[out_of_band]),
        (displayed(&mut rng), &[out_of_band]),
        (Methods::code().or_secret(secret(), Source::Printed), &[code, out_of_band]),
        (Methods::code().or_secret(secret(), Source::Displayed), &[code, out_of_band]),
        (Methods::press_only(), &[press]),
        (Methods::press_only().or_secret(secret(), Source::Printed), &[out_of_band]),
    ] {
        let shown = format!("{methods:?}");
        let window = open(methods);
        for kind in [code, out_of_band, press, Kind::Reconnect, Kind::Resume, Kind::Enrol] {
            assert_eq!(window.allows(kind), allowed.contains(&kind), "{kind:?} in {shown}");
        }
    }

    // What is not allowed does not begin, and the window is gone with the attempt.
    let hello = hello(&mut rng);
    let not_allowed = Some(PeerError::NotAllowed.into());
    let (_, wallet_hello, first) = <Pairing>::start(&keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let window = open(Methods::press_only());
    assert_eq!(window.receive(&first, NOW, &keys.band, (&hello, &wallet_hello), &mut rng).err(), not_allowed);
    let (label, _) = printed(&keys, 7);
    for methods in [Methods::code(), Methods::press_only()] {
        assert_eq!(pair(&keys, &label, open(methods), &mut rng).err(), not_allowed);
    }
}

#[test]
fn a_window_closes_after_a_minute_for_every_kind() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let hello = hello(&mut rng);
    let late = Some(PeerError::TooLate.into());
    let at = Uptime::from_millis;

    let (label, _) = printed(&keys, 7);
    let (wallet, wallet_hello, first) =
        <PairingUncompared>::start_with_label(&label, &keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let hellos = (&hello, &wallet_hello);
    let window = || open(printed(&keys, 7).1);
    assert_eq!(window().receive_secret(&first, at(60_001), &keys.band, hellos, &mut rng).err(), late);
    let (band, second) = window().receive_secret(&first, at(60_000), &keys.band, hellos, &mut rng).unwrap();
    let (_, _, third) = wallet.receive(&second, &keys.wallet, &mut rng).unwrap();
    assert_eq!(band.receive(&third, at(120_001), &keys.band, &mut rng).err(), late, "message 3");

    let (wallet, wallet_hello, first) = <PairingUncompared>::start_by_press(&keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    let hellos = (&hello, &wallet_hello);
    let window = || open(Methods::press_only());
    assert_eq!(window().receive_press(&first, at(60_001), &keys.band, hellos, &mut rng).err(), late);
    let (band, second) = window().receive_press(&first, at(60_000), &keys.band, hellos, &mut rng).unwrap();
    let (_, _, third) = wallet.receive(&second, &keys.wallet, &mut rng).unwrap();
    assert!(band.receive(&third, at(120_000), &keys.band, &mut rng).is_ok());
}

#[test]
fn a_secret_that_cannot_be_drawn_is_none() {
    assert_eq!(PairingSecret::generate(&mut FailingRng(0)).err(), Some(MachineError::Randomness.into()));
}

#[test]
fn another_secret_or_key_or_source_is_another_uri() {
    let keys = two(&mut fixed());
    let uri =
        |secret, key: &SoftwareKey, source| uri(&PairingLabel::new(source, PairingSecret::new([secret; 32]), &key.public_key()));
    let (printed, displayed) = (Source::Printed, Source::Displayed);
    let mut uris = vec![
        uri(7, &keys.band, printed),
        uri(8, &keys.band, printed),
        uri(7, &keys.wallet, printed),
        uri(7, &keys.band, displayed),
    ];
    assert!(uris.iter().all(|uri| uri.len() == PairingLabel::URI_LEN && uri.starts_with("armring:pair/1/")));
    uris.sort_unstable();
    uris.dedup();
    assert_eq!(uris.len(), 4);
}

#[test]
fn a_label_names_the_key_by_a_hash_under_its_own_label() {
    let band = PublicKey::new([9; 32]);
    let label = PairingLabel::new(Source::Displayed, PairingSecret::new([7; 32]), &band);
    let expected = [[1].as_slice(), &[7; 32], &labelled_hash("armring/1 oob key", &[band.as_bytes()])].concat();
    assert_eq!(decode_uri(UriKind::Pair, &uri(&label), &mut [0; 65]), Ok(expected.as_slice()));
}

#[test]
fn a_payload_of_another_form_is_no_label() {
    let decode = |payload: &[u8]| {
        let mut buffer = vec![0; uri_len(UriKind::Pair, payload.len())];
        PairingLabel::from_uri(encode_uri(UriKind::Pair, payload, &mut buffer).unwrap()).err()
    };
    for source in 0..=u8::MAX {
        let payload = [&[source][..], &[7; 64]].concat();
        assert_eq!(decode(&payload), (source > 1).then_some(UriError::Malformed), "{source}");
    }
    for length in (0..=64).chain([66, 67, 100]) {
        assert_eq!(decode(&vec![0; length]), Some(UriError::Malformed), "{length}");
    }
    assert_eq!(PairingLabel::from_uri("armring:pay/1/AA").err(), Some(UriError::OtherKind));
    assert_eq!(PairingLabel::from_uri("armring:pair/2/AA").err(), Some(UriError::Newer));
    assert_eq!(PairingLabel::from_uri("WIFI:S:net;;").err(), Some(UriError::Foreign));
}

#[test]
fn debug_shows_no_secret() {
    let mut rng = fixed();
    let keys = two(&mut rng);
    let (label, methods) = printed(&keys, 0xa5);
    let hello = hello(&mut rng);
    let (wallet, ..) = <PairingUncompared>::start_with_label(&label, &keys.wallet, SPEAKS, &hello, &mut rng).unwrap();
    assert_eq!(format!("{methods:?}"), "Methods { code: false, secret: Some((PairingSecret(..), Printed)) }");
    for shown in [format!("{label:?}"), format!("{:?}", open(methods))] {
        assert!(!shown.contains("165"), "{shown}");
    }
    assert!(format!("{wallet:?}").starts_with("PairingUncompared { handshake: HandshakeState { pattern: \"Noise_XXpsk0"));
}

proptest! {
    #![proptest_config(cases(256))]
    #[test]
    fn garbage_is_no_label(text in "\\PC{0,120}", payload in "[-_A-Za-z0-9]{80,90}") {
        prop_assert!(PairingLabel::from_uri(&text).is_err());
        let written = format!("armring:pair/1/{payload}");
        if let Ok(label) = PairingLabel::from_uri(&written) {
            prop_assert_eq!(uri(&label), written);
        }
    }
}
