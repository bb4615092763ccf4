//! What somebody who hears everything learns: nothing that was paid, to whom or by whom, and not that it is the same band as before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use armring_band::{Gesture, Signal};
use armring_ble::Seen as Advertised;
use armring_ble_e2e::air::Air;
use armring_ble_e2e::capture::{Seen, read};
use armring_ble_e2e::central::{Central, Way};
use armring_ble_e2e::play;

use crate::town::issuer::CREDENTIAL;
use crate::town::{BAND, OTHER, Town, linked, resumes};

/// As many bytes in a row as an address has: that much in common is an identifier.
const IDENTIFIER: usize = 6;

/// What each reconnect and each resume of every wallet opens with (SPEC.md, 4): a whole message, the kind, the versions, the length of the
/// hint. What follows is random, and so is no identifier if its first byte comes twice.
const OPENINGS: [[u8; 5]; 2] = [[0b1100_0000, 4, 1, 1, 16], [0b1100_0000, 5, 1, 1, 16]];

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("hci")
}

fn has(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn no_amount_payee_or_key_is_on_the_air() {
    let path = folder("plaintext");
    play(async {
        let mut town = Town::over(Air::captured(3, &path), 185, armring_band::Face::Lights);
        town.pair().await;
        town.put_on().await;
        town.enrol().await;
        town.pays_from_scratch().await;
        let air = read(&path, BAND);
        let values: Vec<u8> = air.iter().filter_map(Seen::value).flatten().copied().collect();
        assert!(values.len() > 2_000, "a pairing, an enrolment and a payment: {} bytes", values.len());
        let key_list = town.issuer.key_list();
        let link = town.phone.link.clone().unwrap();
        let payment_key = town.issuer.payment_keys[0];
        for (what, secret) in [
            ("the amount", &1_250_u64.to_le_bytes()[..]),
            ("the payee", b"teahouse"),
            ("the memo", b"tea for two"),
            ("the credential", &CREDENTIAL.0),
            ("the account", b"somebody"),
            ("the payment key", &payment_key),
            ("the issuer's keys", &key_list[64..96]),
            ("the band's link key", &town.band.public_key()),
            ("the phone's link key", &town.phone.public_key()),
            ("the link secret", &link[32..64]),
        ] {
            assert!(!has(&values, secret), "{what} is on the air");
        }
    });
}

#[test]
fn nothing_above_the_link_layer_is_the_same_in_two_sessions() {
    let path = folder("sessions");
    play(async {
        let mut town = Town::over(Air::captured(3, &path), 185, armring_band::Face::Lights);
        town.pair().await;
        town.put_on().await;
        town.enrol().await;
        for _ in 0..3 {
            town.pays_from_scratch().await;
        }
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.lose().await;
        for _ in 0..2 {
            resumes(&mut town.phone).await.lose().await;
        }
    });
    let air = read(&path, BAND);
    let mut sessions = vec![BTreeSet::new()];
    let mut sizes = vec![Vec::new()];
    let mut openings = 0;
    for seen in &air {
        if *seen == Seen::Connected {
            sessions.push(BTreeSet::new());
            sizes.push(Vec::new());
        }
        if let (Some(value), Some(session), Some(sizes)) = (seen.value(), sessions.last_mut(), sizes.last_mut()) {
            let own = OPENINGS.iter().find_map(|opening| value.strip_prefix(opening));
            openings += usize::from(own.is_some());
            session.extend(own.unwrap_or(value).windows(IDENTIFIER).map(<[u8]>::to_vec));
            // Acknowledgements come when they come.
            sizes.extend(Some(value.len()).filter(|len| *len > 1));
        }
    }
    assert_eq!((sessions.len(), openings), (1 + 8, 7), "a pairing, an enrolment, three payments, a reconnect, two resumes");
    for (n, session) in sessions.iter().enumerate() {
        for other in &sessions[n + 1..] {
            let same: Vec<_> = session.intersection(other).collect();
            assert!(same.is_empty(), "{same:?}");
        }
    }
    // The wallet's farewell may be lost with the connection.
    let [one, other] = [&sizes[3], &sizes[4]];
    let both = one.len().min(other.len());
    assert!(both > 10 && one.len().abs_diff(other.len()) <= 1, "{one:?} {other:?}");
    assert_eq!(one[..both], other[..both], "two payments of a kind look alike");
}

#[test]
fn address_and_tag_change_with_each_advertising_session() {
    let path = folder("addresses");
    play(async {
        let mut town = Town::over(Air::captured(3, &path), 185, armring_band::Face::Lights);
        town.pair().await;
        for _ in 0..3 {
            let call = town.phone.reconnect().await;
            call.hang_up().await;
        }
    });
    let air = read(&path, BAND);
    let mut addresses: Vec<_> =
        air.iter().filter_map(|seen| if let Seen::Address(address) = seen { Some(address) } else { None }).collect();
    // The first is what the stack was built with, and never advertised under.
    addresses.remove(0);
    addresses.dedup();
    let tags: Vec<_> = air
        .iter()
        .filter_map(|seen| if let Seen::Advertised(data) = seen { Advertised::default().and(data).tag } else { None })
        .collect();
    let different: BTreeSet<_> = addresses.iter().collect();
    assert!(different.len() >= 4 && different.len() == addresses.len(), "{addresses:02x?}");
    assert!(addresses.iter().all(|address| address[5] >> 6 == 0b01), "each looks like a resolvable private address");
    let different: BTreeSet<_> = tags.iter().collect();
    assert!(different.len() >= 3 && different.len() == tags.len(), "{tags:02x?}");
}
/// What one window carries in one connection event: the acknowledgement comes in the next.
const WINDOW: usize = armring_ble::WINDOW as usize;

/// What a step takes of the air. `cargo test figures -- --nocapture` prints all.
struct Figures {
    fragments: usize,
    payload: usize,
    air: usize,
    /// Changes of direction, and connection events if each takes one and a window fits into it.
    flights: usize,
    events: usize,
}

impl Figures {
    /// Of the values that went to (`true`) and fro in one connection, by their lengths; an acknowledgement has one byte.
    fn of(session: &[(bool, usize)]) -> Self {
        let fragments: Vec<_> = session.iter().filter(|(_, len)| *len > 1).collect();
        let flights: Vec<_> = fragments.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).collect();
        Self {
            fragments: fragments.len(),
            payload: session.iter().map(|(_, len)| len).sum(),
            // With preamble, access address, header and CRC (10), L2CAP (4) and ATT (3), one packet each.
            air: session.iter().map(|(_, len)| len + 17).sum(),
            flights: flights.len(),
            events: flights.iter().map(|fragments| fragments.div_ceil(WINDOW)).sum(),
        }
    }
}

#[test]
fn figures_of_pairing_reconnecting_resuming_and_paying_have_not_grown() {
    println!("MTU, step: fragments, bytes of payload, bytes on air, flights, connection events, ms at intervals of 7.5, 15, 30");
    for (att_mtu, most) in [(23, [31, 18, 18, 54]), (185, [8, 7, 7, 12]), (247, [8, 7, 7, 12])] {
        let path = folder(&format!("figures-{att_mtu}"));
        play(async {
            let mut town = Town::over(Air::captured(3, &path), att_mtu, armring_band::Face::Lights);
            town.pair().await;
            town.put_on().await;
            town.enrol().await;
            let mut call = town.phone.reconnect().await;
            linked(&mut call).await;
            call.lose().await;
            resumes(&mut town.phone).await.hang_up().await;
            town.pays_from_scratch().await;
        });
        let mut sessions = vec![Vec::new()];
        for seen in read(&path, BAND) {
            match (&seen, seen.value()) {
                (Seen::Connected, _) => sessions.push(Vec::new()),
                (Seen::Att { out, .. }, Some(value)) => sessions.last_mut().unwrap().push((*out, value.len())),
                _ => {}
            }
        }
        let steps = [("pair", 1), ("reconnect", 3), ("resume", 4), ("reconnect and pay", 5)];
        for ((name, session), most) in steps.into_iter().zip(most) {
            let Figures { fragments, payload, air, flights, events } = Figures::of(&sessions[session]);
            let [a, b, c] = [7.5, 15.0, 30.0].map(|interval| interval * f64::from(u32::try_from(events).unwrap()));
            println!("{att_mtu}, {name}: {fragments}, {payload}, {air}, {flights}, {events}, {a}, {b}, {c}");
            // The wallet's farewell may be lost with the connection.
            assert!(fragments <= most, "{name} at {att_mtu}: {fragments} fragments");
        }
    }
}

#[test]
fn while_the_band_pairs_it_stays_in_the_session_even_if_it_was_busy_when_somebody_came() {
    let path = folder("busy");
    play(async {
        let mut town = Town::over(Air::captured(3, &path), 185, armring_band::Face::Lights);
        let shows = town.band.shows_slowly();
        town.band.gesture(Gesture::Hold);
        let mut first = town.phone.central(Way::Mute);
        first.up().await.unwrap();
        drop(shows);
        town.band.told(Signal::PairingOpen).await;
        let second = Central::dial(town.air.port(OTHER), 247, Way::Mute);
        town.band.told(Signal::PairingClosed).await;
        first.is_cut().await;
        second.is_cut().await;
    });
    let air = read(&path, BAND);
    let mut sessions = air.split(|seen| *seen == Seen::Connected).map(|session| {
        session.iter().filter_map(|seen| if let Seen::Address(address) = seen { Some(address) } else { None }).next_back()
    });
    let (first, second) = (sessions.next().unwrap(), sessions.next().unwrap());
    assert!(first.is_some() && first == second, "{first:02x?} {second:02x?}");
}
