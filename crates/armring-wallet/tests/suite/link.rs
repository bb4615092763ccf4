//! Pairing and reconnecting, band and wallet together.

use armring_pairing::LinkState;
use armring_wallet::Event;

use crate::common::Room;

#[test]
fn a_band_and_a_wallet_pair_and_reconnect_at_any_att_payload() {
    for payload in [20, 21, 100, 182, 244, 514] {
        let mut room = Room::new(7, payload);
        room.pair();
        assert_eq!(room.stored_link().state(), LinkState::Provisional);
        room.reconnect();
        assert!(
            matches!(room.events.last(), Some(Event::Linked { used_elsewhere: false })),
            "{:?} {:?}",
            room.events,
            room.errors
        );
        assert!(room.status().is_some_and(|status| !status.worn));
        assert_eq!(room.stored_link().state(), LinkState::Established);
        assert_eq!(room.errors, [""; 0]);
        room.restart_band();
        room.reconnect();
        assert!(matches!(room.events.last(), Some(Event::Linked { used_elsewhere: false })), "{:?}", room.errors);
        assert_eq!(room.band_links(), [LinkState::Established]);
    }
}
