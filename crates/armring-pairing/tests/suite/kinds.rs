//! What every handshake between wallet and band withstands, each attack on all five kinds.

use armring_pairing::*;
use armring_wire::Version;

use crate::common::kinds::*;
use crate::common::*;

const NOT_AUTHENTIC: Option<Error> = Some(Error::Peer(PeerError::NotAuthentic));

/// The lengths of what travels: two messages and, where there is one, a third. Message 1 first.
const fn lengths(kind: Kind) -> &'static [usize] {
    match kind {
        Kind::PairOutOfBand => &[48, 96, 64],
        Kind::PairPress => &[32, 96, 64],
        Kind::Reconnect | Kind::Resume => &[48, 48],
        _ => &[64, 96, 96],
    }
}

#[test]
fn each_kind_ends_in_a_channel_after_messages_of_its_lengths() {
    let mut rng = random();
    for kind in KINDS {
        for _ in 0..20 {
            let mut seen = Vec::new();
            World::new(&mut rng)
                .run(kind, &mut rng, |name, message| seen.extend(name.starts_with("message").then_some(message.len())))
                .unwrap();
            // Over a link the first record follows.
            seen.truncate(lengths(kind).len());
            assert_eq!(seen, lengths(kind), "{kind:?}");
        }
    }
}

#[test]
fn a_tampered_byte_of_any_message_ends_the_handshake() {
    let mut rng = fixed();
    for kind in KINDS {
        for (number, &length) in (1..).zip(lengths(kind)) {
            for at in 0..length {
                let error = World::new(&mut rng).run(kind, &mut rng, |name, message| {
                    if name == format!("message {number}") {
                        message[at] ^= 1;
                    }
                });
                assert_eq!(error.err(), NOT_AUTHENTIC, "{kind:?}, message {number}, byte {at}");
            }
        }
        for (hello, length) in [("band hello", BandHello::LEN), ("wallet hello", if is_pairing(kind) { 4 } else { 20 })] {
            for at in 0..length {
                let error = World::new(&mut rng).run(kind, &mut rng, |name, message| {
                    if name == hello {
                        message[at] ^= 1;
                    }
                });
                assert!(error.is_err(), "{kind:?}, {hello}, byte {at}");
            }
        }
    }
}

#[test]
fn version_rollback_ends_every_handshake() {
    let mut rng = fixed();
    // The band speaks 1 to 2, the wallet 1 to 3. One is made to believe that the other speaks no more than 1, or another lowest.
    for kind in KINDS {
        for (hello, at, version) in
            [("band hello", 17, 1), ("wallet hello", 2, 1), ("wallet hello", 2, 2), ("band hello", 16, 2), ("wallet hello", 1, 2)]
        {
            let error = World::new(&mut rng).run(kind, &mut rng, |name, bytes| {
                if name == hello {
                    bytes[at] = version;
                }
            });
            assert_eq!(error.err(), NOT_AUTHENTIC, "{kind:?}, {hello}, byte {at}");
        }
    }
}

#[test]
fn a_version_below_the_one_that_the_link_pins_is_refused_on_both_sides() {
    let mut rng = fixed();
    for kind in [Kind::Reconnect, Kind::Resume] {
        for (hello, at) in [("band hello", 17), ("wallet hello", 2)] {
            let error = World::pinning(Version(2), &mut rng).run(kind, &mut rng, |name, bytes| {
                if name == hello {
                    bytes[at] = 1;
                }
            });
            assert_eq!(error, Err(PeerError::Unsupported.into()), "{kind:?}, {hello}");
        }
        assert_eq!(World::pinning(Version(2), &mut rng).run(kind, &mut rng, |_, _| ()), Ok(()));
    }
}

/// What `wallet_kind` sends first, made to look like the first message of `band_kind` as well as can be without any key.
fn reshaped(first: &[u8], band_kind: Kind) -> Vec<u8> {
    let mut message = first.to_vec();
    message.resize(lengths(band_kind)[0], 0);
    message
}

#[test]
fn method_confusion_ends_the_handshake() {
    let mut rng = fixed();
    // The wallet runs one kind and the band, which is told another, runs that.
    for wallet_kind in KINDS {
        for band_kind in KINDS.into_iter().filter(|kind| *kind != wallet_kind) {
            let mut world = World::new(&mut rng);
            let hello = BandHello::new(BAND_SPEAKS, &mut rng).unwrap();
            let (wallet, wallet_hello, first) = world.start(wallet_kind, &hello, &mut rng).unwrap();
            let first = reshaped(&first, band_kind);

            let error = world.answer(band_kind, (&hello, &wallet_hello), &first, &mut rng).err();
            assert_eq!(error, Some(PeerError::Kind.into()), "{wallet_kind:?} is no {band_kind:?}");

            let mut told = [[band_kind as u8, 1, 3, 0].as_slice(), &[7; 16]].concat();
            match wallet_hello.hint() {
                _ if is_pairing(band_kind) => told.truncate(4),
                Some(hint) => told[4..].copy_from_slice(hint.as_bytes()),
                None => {}
            }
            told[3] = if is_pairing(band_kind) { 0 } else { 16 };
            let told = WalletHello::from_bytes(&told).unwrap();
            let error = match world.answer(band_kind, (&hello, &told), &first, &mut rng) {
                // Without a secret, message 1 can be anybody's. Then the wallet finds out.
                Ok((_, second)) => {
                    let mut second = second;
                    second.resize(lengths(wallet_kind)[1], 0);
                    world.finish_wallet(wallet, &second, &mut rng).err()
                }
                Err(error) => Some(error),
            };
            assert_eq!(error, NOT_AUTHENTIC, "{wallet_kind:?} taken for {band_kind:?}");
        }
    }
}

#[test]
fn a_reflected_message_ends_the_handshake() {
    let mut rng = fixed();
    for kind in KINDS {
        let mut world = World::new(&mut rng);
        let hello = BandHello::new(BAND_SPEAKS, &mut rng).unwrap();
        for high_bit in [0, 0x80] {
            // Selfie: to the wallet, its own message as the band's.
            let (wallet, _, mut first) = world.start(kind, &hello, &mut rng).unwrap();
            first[31] |= high_bit;
            first.resize(lengths(kind)[1], 0);
            let error = world.finish_wallet(wallet, &first, &mut rng).err();
            assert_eq!(error, Some(PeerError::EchoedKey.into()), "{kind:?}, to the wallet");
        }

        // To the band, its own message as the wallet's next.
        let (_, wallet_hello, first) = world.start(kind, &hello, &mut rng).unwrap();
        let (band, second) = world.answer(kind, (&hello, &wallet_hello), &first, &mut rng).unwrap();
        let mut third = second.clone();
        third.resize(lengths(kind).get(2).copied().unwrap_or(48), 0);
        assert_eq!(world.finish_band(band, &third, &mut rng).err(), NOT_AUTHENTIC, "{kind:?}, to the band");

        // To the band, its own message as the first of another wallet: over a secret it does not verify.
        if matches!(kind, Kind::PairOutOfBand | Kind::Reconnect | Kind::Resume) {
            let again = &second[..lengths(kind)[0]];
            let error = world.answer(kind, (&hello, &wallet_hello), again, &mut rng).err();
            assert_eq!(error, NOT_AUTHENTIC, "{kind:?}, to the band as message 1");
        }
    }
}

#[test]
fn a_replayed_message_1_fits_no_other_connection() {
    let mut rng = fixed();
    for kind in [Kind::PairOutOfBand, Kind::Reconnect, Kind::Resume] {
        let mut world = World::new(&mut rng);
        let hello = BandHello::new(BAND_SPEAKS, &mut rng).unwrap();
        let (_, wallet_hello, first) = world.start(kind, &hello, &mut rng).unwrap();
        let other = BandHello::new(BAND_SPEAKS, &mut rng).unwrap();
        assert_eq!(world.answer(kind, (&other, &wallet_hello), &first, &mut rng).err(), NOT_AUTHENTIC, "{kind:?}");
    }
}

#[test]
fn randomness_that_fails_at_any_draw_ends_every_handshake() {
    let mut rng = fixed();
    let failed = MachineError::Randomness.into();
    // Each step again and again, with one draw more each time until there are enough. Returns how many it takes.
    let draws = |step: &mut dyn FnMut(&mut FailingRng) -> Result<(), Error>| {
        (0..10).find(|draws| step(&mut FailingRng(*draws)).map_err(|error| assert_eq!(error, failed)).is_ok()).unwrap()
    };
    for kind in KINDS {
        let mut world = World::new(&mut rng);
        let hello = BandHello::new(BAND_SPEAKS, &mut rng).unwrap();
        let at_start = draws(&mut |rng| world.start(kind, &hello, rng).map(drop));
        let (_, wallet_hello, first) = world.start(kind, &hello, &mut rng).unwrap();
        let at_answer = draws(&mut |rng| world.answer(kind, (&hello, &wallet_hello), &first, rng).map(drop));
        assert_eq!(
            (at_start, at_answer),
            (if kind == Kind::PairOutOfBand || kind == Kind::PairPress { 1 } else { 2 }, 1),
            "{kind:?}"
        );

        // The shares of those who pair without a code.
        let mut pair = |at_wallet, at_band| {
            let (wallet, wallet_hello, first) = world.start(kind, &hello, &mut rng)?;
            let (band, second) = world.answer(kind, (&hello, &wallet_hello), &first, &mut rng)?;
            let (mut session, third) = world.finish_wallet(wallet, &second, &mut FailingRng(at_wallet))?;
            let third = third.unwrap_or_else(|| seal(&mut session.channel, b"x"));
            world.finish_band(band, &third, &mut FailingRng(at_band)).map(drop)
        };
        let has_share = usize::from(matches!(kind, Kind::PairOutOfBand | Kind::PairPress));
        assert_eq!(draws(&mut |rng| pair(rng.0, 9)), has_share, "{kind:?}, at the wallet");
        assert_eq!(draws(&mut |rng| pair(9, rng.0)), has_share, "{kind:?}, at the band");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_the_machine_s_fault() {
    let mut rng = fixed();
    // Resuming uses no static key.
    for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Resume) {
        let mut world = World::new(&mut rng);
        let hello = BandHello::new(BAND_SPEAKS, &mut rng).unwrap();
        let (_, wallet_hello, first) = world.start(kind, &hello, &mut rng).unwrap();
        let broken = ClaimedKey(world.keys.band.public_key(), None);
        let hellos = (&hello, &wallet_hello);
        let error = match kind {
            Kind::Reconnect => {
                <Reconnect>::answer(&world.at_band, &broken, hellos, first[..].try_into().unwrap(), &mut rng).err()
            }
            Kind::PairOutOfBand => {
                world.window(kind).receive_secret(first[..].try_into().unwrap(), NOW, &broken, hellos, &mut rng).err()
            }
            Kind::PairPress => {
                world.window(kind).receive_press(first[..].try_into().unwrap(), NOW, &broken, hellos, &mut rng).err()
            }
            _ => world.window(kind).receive(first[..].try_into().unwrap(), NOW, &broken, hellos, &mut rng).err(),
        };
        assert_eq!(error, Some(MachineError::KeyUnavailable.into()), "{kind:?}");

        let broken = ClaimedKey(world.keys.wallet.public_key(), None);
        let error = match world.start_as(kind, &broken, &hello, &mut rng) {
            Ok((wallet, wallet_hello, first)) => {
                let (_, second) = world.answer(kind, (&hello, &wallet_hello), &first, &mut rng).unwrap();
                match wallet {
                    Wallet::Code(wallet) => wallet.receive(second[..].try_into().unwrap(), &broken).err(),
                    Wallet::Uncompared(wallet) => wallet.receive(second[..].try_into().unwrap(), &broken, &mut rng).err(),
                    _ => None,
                }
            }
            Err(error) => Some(error),
        };
        assert_eq!(error, Some(MachineError::KeyUnavailable.into()), "{kind:?}, at the wallet");
    }
}
