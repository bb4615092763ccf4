//! A link that Bluetooth has paired and encrypted by its own means, with keys that nothing above relies on. `cargo xtask ble` runs it, with a
//! host stack that has Bluetooth's pairing; the phone's is bumble's.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

use std::path::Path;

use armring_band::Face;
use armring_ble_e2e::air::Air;
use armring_ble_e2e::bracelet::Bracelet;
use armring_ble_e2e::capture::{Seen, read};
use armring_ble_e2e::central::Way;
use armring_ble_e2e::foreign::Security;
use armring_ble_e2e::play;

#[allow(dead_code, unreachable_pub, reason = "it serves other tests as well")]
#[path = "suite/town.rs"]
mod town;

use town::{BAND, Town, linked, resumes};

/// Every flow, with a phone that does this about it. In the band's capture, each connection `is_encrypted`.
fn all_goes_on(security: Security, is_encrypted: impl Fn(&[Seen]) -> bool) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{security:?}"));
    play(async {
        let mut town =
            Town::around(Air::captured(3, &path), 185, |port, root| Bracelet::new(port, root, Face::Lights).at_one_address());
        town.phone.way = Way::Foreign(security);
        town.works_from_scratch().await;
        let mut call = town.phone.reconnect().await;
        linked(&mut call).await;
        call.lose().await;
        resumes(&mut town.phone).await.hang_up().await;
        town.is_paid().await;
        assert_eq!(town.band.logged(), [""; 0]);
    });
    let air = read(&path, BAND);
    let sessions: Vec<_> = air.split(|seen| *seen == Seen::Connected).skip(1).collect();
    assert_eq!(sessions.len(), 6, "a pairing, an enrolment, a payment, a reconnect, a resume, and money that comes");
    for session in sessions {
        assert!(is_encrypted(session), "{session:?}");
    }
}

/// Where it was encrypted: what of the band's own link went before that, and what after it.
fn around(session: &[Seen]) -> Option<[usize; 2]> {
    let at = session.iter().position(|seen| *seen == Seen::Encrypted)?;
    let (before, after) = session.split_at(at);
    Some([before, after].map(|part| part.iter().filter(|seen| seen.value().is_some()).count()))
}

#[test]
fn all_goes_on_over_a_connection_that_bluetooth_has_paired_and_encrypted() {
    all_goes_on(Security::Before, |session| around(session).is_some_and(|[before, after]| before == 0 && after > 4));
}

#[test]
fn all_goes_on_while_bluetooth_pairs_and_encrypts_the_connection() {
    all_goes_on(Security::Beside, |session| around(session).is_some_and(|[before, after]| before > 0 && after > 2));
}

#[test]
fn all_goes_on_where_bluetooth_refuses_to_pair() {
    // The band's address is another one in each session, of which its stack does not know: the check of both addresses fails.
    play(async {
        let mut town = Town::new(185, Face::Lights);
        town.phone.way = Way::Foreign(Security::Refused);
        town.works_from_scratch().await;
        assert_eq!(town.band.logged(), [""; 0]);
    });
}
