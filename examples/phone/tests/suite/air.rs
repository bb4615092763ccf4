//! Over Bluetooth LE: band and phone, each on a host stack of its own and a virtual controller.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use armring_band::{Face, Gesture, Signal};
use armring_ble_e2e::air::Air;
use armring_ble_e2e::bracelet::{Act, Bracelet};
use armring_ble_e2e::play;
use armring_pairing::PairingLabel;
use armring_token::RootKey;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::actor::PATIENCE;
use crate::town::Town;

/// A band on a thread of its own.
struct Worn {
    acts: Option<UnboundedSender<Act>>,
    told: Receiver<(Signal, Option<String>)>,
    thread: Option<JoinHandle<()>>,
}

impl Worn {
    fn start(port: u16, root: &str, face: Face) -> Self {
        let root = RootKey::from_bytes(armring_phone::book::array(root).unwrap()).unwrap();
        let (acts, mut next) = unbounded_channel();
        let (tell, told) = channel();
        let thread = thread::spawn(move || {
            play(async {
                let mut band = Bracelet::new(port, root, face);
                band.start();
                loop {
                    tokio::select! {
                        act = next.recv() => match act {
                            Some(act) => band.does(act),
                            None => return band.stop().await,
                        },
                        told = band.tells() => {
                            let _ = tell.send((told.signal, told.label.map(|label| uri(&label))));
                        }
                    }
                }
            });
        });
        Self { acts: Some(acts), told, thread: Some(thread) }
    }

    fn does(&self, act: Act) {
        self.acts.as_ref().unwrap().send(act).unwrap();
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

impl Drop for Worn {
    fn drop(&mut self) {
        self.acts = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn uri(label: &PairingLabel) -> String {
    label.to_uri(&mut [0; PairingLabel::URI_LEN]).unwrap().to_owned()
}

#[test]
fn over_bluetooth_a_band_is_found_paired_enrolled_and_pays_and_is_found_again() {
    let (mut town, air) = (Town::new(&[]), Air::with(2));
    let band = Worn::start(air.port(0), &town.market.root, Face::Lights);
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
    let band = Worn::start(air.port(0), &town.market.root, Face::Display);
    let mut phone = town.phone_with(&["--hci", &format!("127.0.0.1:{}", air.port(1))]);
    band.does(Act::Gesture(Gesture::Hold));
    let label = band.tells("a label", |_, label| label);
    phone.types(&format!("scan {label}"));
    phone.tells("ok: paired");
    phone.tells("ok: connected");
}
