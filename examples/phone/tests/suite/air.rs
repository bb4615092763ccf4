//! Over Bluetooth LE: band and phone, each on a host stack of its own and a virtual controller.

use std::sync::mpsc::{Receiver, channel};

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::air::Air;
use armring_ble_e2e::bracelet::Act;

use crate::actor::PATIENCE;
use crate::town::Town;
use crate::worn::Worn;

/// A band on a wrist, whose wearer remembers what they were told.
struct Wrist {
    band: Worn,
    told: Receiver<(Signal, Option<String>)>,
}

impl Wrist {
    fn start(port: u16, root: &str, face: Face) -> Self {
        let (tell, told) = channel();
        let hear = move |signal, label| drop(tell.send((signal, label)));
        Self { band: Worn::start(port, root, face, hear), told }
    }

    fn does(&self, act: Act) {
        self.band.does(act);
    }

    /// Waits until the wearer is told something like this.
    fn tells<T>(&self, what: &str, wanted: impl Fn(Signal, Option<String>) -> Option<T>) -> T {
        loop {
            let (signal, label) = self.told.recv_timeout(PATIENCE).expect(what);
            if let Some(found) = wanted(signal, label) {
                return found;
            }
        }
    }
}

#[test]
fn over_bluetooth_a_band_is_found_paired_enrolled_and_pays_and_is_found_again() {
    let (mut town, air) = (Town::new(&[]), Air::with(2));
    let band = Wrist::start(air.port(0), &town.market.root, Face::Lights);
    let mut phone = town.phone_with(&["--hci", &format!("127.0.0.1:{}", air.port(1))]);

    band.does(Act::Gesture(Gesture::Hold));
    band.tells("an open window", |signal, _| (signal == Signal::PairingOpen).then_some(()));
    phone.types("pair");
    let code = phone.tells("This phone's code is ");
    let shown = band.tells("a code", |signal, _| match signal {
        Signal::Code(code) => Some(code.digits().to_string()),
        _ => None,
    });
    assert!(code.contains(&format!("code is {shown}.")), "{code} on the phone, {shown} on the band");
    phone.types("yes");
    phone.tells("to do: now press the band");
    band.does(Act::Gesture(Gesture::Press));
    phone.tells("ok: paired");
    phone.tells("ok: connected");

    town.begin_to_enrol(&mut phone);
    let digits = band.tells("digits", |signal, _| match signal {
        Signal::EnrolmentDigits(digits) => Some(digits.number()),
        _ => None,
    });
    town.confirm(digits.into());
    band.does(Act::PutOn);
    band.does(Act::Recognised);
    band.tells("to be unlocked", |signal, _| (signal == Signal::Unlocked).then_some(()));

    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    band.does(Act::Gesture(Gesture::Press));
    phone.tells("ok: receipt: 12.50 CNY, settled");
    phone.types("disconnect");
    phone.types("connect");
    phone.tells("ok: connected");
    let (told, well) = phone.quit();
    assert!(well, "{told}");
    assert_eq!(town.balance(), 3_750);
}

#[test]
fn over_bluetooth_a_band_is_paired_by_the_uri_that_it_shows() {
    let (town, air) = (Town::new(&[]), Air::with(2));
    let band = Wrist::start(air.port(0), &town.market.root, Face::Display);
    let mut phone = town.phone_with(&["--hci", &format!("127.0.0.1:{}", air.port(1))]);
    band.does(Act::Gesture(Gesture::Hold));
    let label = band.tells("a label", |_, label| label);
    phone.types(&format!("scan {label}"));
    phone.tells("ok: paired");
    phone.tells("ok: connected");
}
