//! Moving a band to another phone, step by step.

use armring_band::{Gesture, Signal};
use armring_token::{Counter, Minor};
use armring_wallet::Connection;
use armring_wire::CredentialId;
use armring_wire::records::band::{Awaited, ToBand};

use super::issuer::{CREDENTIAL, Shop, TestIssuer};
use super::steps::claims;
use super::{Phone, Room};

/// A band that has paid twice with its wallet.
pub(crate) fn room(shop: &mut Shop) -> Room {
    let mut room = Room::ready(&mut TestIssuer::new());
    for _ in 0..2 {
        assert!(room.pays(&shop.asks(100)).is_some());
    }
    room.forget();
    room
}

/// The old wallet asks, the wearer makes the gesture, and the window is open for another phone, which is taken. Gives the old one.
pub(crate) fn opens_for_a_new_phone(room: &mut Room) -> Phone {
    room.say(&ToBand::Replace);
    assert_eq!(room.waits_for(), Some(Awaited::ReplaceGesture));
    room.gesture(Gesture::Hold);
    assert!(room.connection.is_none(), "whoever pairs is who connects from now on");
    assert!(room.signals.ends_with(&[Signal::PairingOpen]) && room.noted() == 1, "{:?} {:?}", room.signals, room.events);
    room.take_new_phone()
}

/// Compares the code with the phone that is there now, in the window that is open.
pub(crate) fn pairs(room: &mut Room) {
    room.connect(Connection::pair(room.payload));
    assert_eq!(room.code_on_band(), room.code_in_wallet());
    room.wallet_accepts();
    room.band_accepts();
}

/// Reconnects with `phone` and says with which credential it is linked, if it is.
pub(crate) fn credential(room: &mut Room, phone: Phone) -> (Phone, Option<Option<CredentialId>>) {
    let other = room.take_phone(phone);
    room.events.clear();
    room.reconnect();
    let status = if room.is_linked() { room.status() } else { None };
    (room.take_phone(other), status.map(|status| status.credential))
}

/// Pays 100 once more, with the credential that was there from the beginning.
pub(crate) fn pays_on(room: &mut Room, shop: &mut Shop, counter: u32) {
    room.put_on();
    let token = claims(&room.pays(&shop.asks(100)).unwrap());
    assert_eq!(
        (token.credential, token.counter, token.cumulative),
        (CREDENTIAL, Counter(counter), Minor(u64::from(counter) * 100))
    );
}
