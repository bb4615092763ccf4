//! With the demo's bands, over TCP.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use armring_wire::records::payee::{FromPayee, ToPayee};
use armring_wire::uri::PaymentUri;
use armring_wire::{Opaque, decode_record, encode};
use image::Luma;
use qrcode::QrCode;
use serde_json::json;

use crate::actor::ask;
use crate::town::Town;

#[test]
fn a_band_is_paired_by_code_enrolled_and_pays_with_a_press_and_the_receipt_is_shown() {
    let mut town = Town::new(&[]);
    let mut phone = town.ready();
    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("Tea House, certified by the issuer asks for 12.50 CNY, \"tea for two\"");
    phone.tells("to do: the band waits for a press on the band, to pay");
    town.band.does(&json!("Press"));
    phone.tells("ok: the band has signed");
    phone.tells("ok: receipt: 12.50 CNY, settled");
    phone.types("status");
    for line in [
        "connected",
        "paired    by a compared code",
        "worn      yes",
        "unlocked  yes",
        "enrolled  credential ",
        "limits    200.00 CNY a payment, 50.00 CNY with a press alone",
        "counters  1 tokens signed, 12.50 CNY in all; 1 answered by the issuer",
        "state     settled; the band told its wearer",
    ] {
        phone.tells(line);
    }
    phone.types("receipts");
    phone.tells("12.50 CNY to Tea House, \"tea for two\": settled");
    let (told, well) = phone.quit();
    assert!(well, "{told}");
    assert_eq!(town.balance(), 3_750);
}

#[test]
fn a_code_that_differs_pairs_nothing_and_the_next_attempt_needs_another_gesture() {
    let mut town = Town::new(&[]);
    let mut phone = town.phone();
    town.band.does(&json!("Hold"));
    phone.types("pair");
    phone.tells("This phone's code is ");
    phone.types("no");
    phone.tells("the codes differ: nothing was paired");
    town.band.reports("/Band/Code");
    assert_eq!(town.band.reports("/Band"), "PairingClosed");
    phone.types("connect");
    phone.tells("error: no band is paired");
    phone.types("pair");
    phone.tells("error: the band hung up: nothing was paired");
    town.pair(&mut phone);
}

#[test]
fn a_band_that_is_lost_in_the_middle_of_a_payment_goes_on_with_it_when_it_is_found_again() {
    let mut town = Town::new(&[]);
    let mut phone = town.ready();
    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    town.restart_band();
    phone.tells("error: the band is out of reach");
    phone.types(&format!("connect {}", town.band_at));
    phone.tells("ok: connected");
    phone.tells("going on with 12.50 CNY to Tea House");
    phone.tells("error: the band declines: the band is not worn. Put it on, unlock it, then 'again'");
    town.put_on();
    phone.types("again");
    phone.tells("to do: the band waits for a press");
    town.band.does(&json!("Press"));
    phone.tells("ok: receipt: 12.50 CNY, settled");
    phone.quit();
    assert_eq!(town.balance(), 3_750);
}

#[test]
fn a_connection_that_is_cut_while_the_band_waits_is_resumed_and_the_payment_goes_on() {
    let mut town = Town::new(&[]);
    town.ready().quit();
    town.band.does(&json!("AwaitAlone"));
    let cut = Cut::before(&town.band_at);
    let mut phone = town.phone_with(&["--band", &cut.at]);
    phone.types(&format!("connect {}", cut.at));
    phone.tells("ok: connected");
    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    cut.cut();
    phone.tells("error: the band is out of reach");
    town.band.does(&json!("AwaitAlone"));
    phone.types("connect");
    phone.tells("ok: connected again");
    phone.tells("to do: the band waits for a press");
    town.band.does(&json!("Press"));
    phone.tells("ok: receipt: 12.50 CNY, settled");
    phone.quit();
    assert_eq!(town.balance(), 3_750);
}

#[test]
fn a_phone_that_is_killed_while_the_band_waits_goes_on_when_it_is_started_again() {
    let mut town = Town::new(&[]);
    let mut phone = town.ready();
    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    phone.kill();
    let mut phone = town.phone();
    town.band.does(&json!("AwaitAlone"));
    phone.types("connect");
    phone.tells("going on with 12.50 CNY to Tea House");
    phone.tells("to do: the band waits for a press");
    town.band.does(&json!("Press"));
    phone.tells("ok: receipt: 12.50 CNY, settled");
    phone.quit();
    assert_eq!(town.balance(), 3_750);
}

#[test]
fn what_is_given_up_is_not_paid() {
    let mut town = Town::new(&[]);
    let mut phone = town.ready();
    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    phone.types("cancel");
    phone.tells("given up: nothing was paid");
    town.band.does(&json!("Press"));
    phone.types("again");
    phone.tells("error: no payment is on its way");
    phone.quit();
    assert_eq!(town.balance(), 5_000);
}

#[test]
fn what_a_picture_of_a_qr_code_asks_is_paid() {
    let mut town = Town::new(&[]);
    let mut phone = town.ready();
    town.sell_tea();
    let answer = ask(&town.market.shop_at, encode(&ToPayee::Ask, &mut [0; 8]).unwrap());
    let Ok(FromPayee::Request { request, certificate }) = decode_record(&answer) else { panic!("nothing for sale") };
    let mut buffer = [0; PaymentUri::MAX_LEN];
    let (request, certificate) = (Opaque::new(request.as_bytes()).unwrap(), Opaque::new(certificate.as_bytes()).unwrap());
    let uri = PaymentUri { request, certificate }.encode(&mut buffer).unwrap();
    let picture = town.folder.path("shop.png");
    QrCode::new(uri).unwrap().render::<Luma<u8>>().module_dimensions(4, 4).build().save(&picture).unwrap();
    phone.types(&format!("scan {}", picture.display()));
    phone.tells("error: Tea House asks for 12.50 CNY, and its code does not say where to pay");
    phone.types(&format!("pay {} at {}", picture.display(), town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    town.band.does(&json!("Press"));
    phone.tells("ok: receipt: 12.50 CNY, settled");
}

#[test]
fn a_shop_that_does_not_answer_leaves_the_token_with_the_phone() {
    let mut town = Town::new(&[]);
    let mut phone = town.ready();
    phone.types("pay at 127.0.0.1:1");
    phone.tells("error: 127.0.0.1:1 does not answer");
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("error: there is nothing to pay there");
    phone.quit();
}

#[test]
fn a_band_with_a_display_is_paired_by_the_uri_that_it_shows_and_shows_who_asks() {
    let mut town = Town::new(&["--display"]);
    let mut phone = town.phone();
    phone.types("scan armring:pair/1/AAAA");
    phone.tells("error: ");
    let label = town.band.asks(&json!("Hold"), "/Band/Label");
    phone.types(&format!("scan {label}"));
    phone.tells("ok: paired");
    phone.tells("ok: connected");
    phone.types("status");
    phone.tells("paired    by the code on its display");
    town.enrol(&mut phone);
    town.put_on();
    town.sell_tea();
    phone.types(&format!("pay at {}", town.market.shop_at));
    phone.tells("to do: the band waits for a press");
    let shown = town.band.word("/Band/Waiting");
    assert!(shown.contains("Tea House"), "a band with a display is told who asks: {shown}");
    town.band.does(&json!("Press"));
    phone.tells("ok: receipt: 12.50 CNY, settled");
}

#[test]
fn a_link_that_cannot_be_stored_is_not_used_until_it_can() {
    let mut town = Town::new(&[]);
    let mut phone = town.phone();
    town.band.does(&json!("Hold"));
    phone.types("pair");
    phone.tells("This phone's code is ");
    // A press before the band shows its code is none.
    town.band.word("/Band/Code");
    let (place, away) = (town.folder.path("phone"), town.folder.path("away"));
    fs::rename(&place, &away).unwrap();
    phone.types("yes");
    phone.tells("to do: now press the band");
    town.band.does(&json!("Press"));
    phone.tells("error: cannot write ");
    town.band.does(&json!("AwaitAlone"));
    fs::rename(&away, &place).unwrap();
    phone.types("connect");
    phone.tells("ok: connected");
    phone.kill();
    town.band.does(&json!("AwaitAlone"));
    let mut phone = town.phone();
    phone.types("connect");
    phone.tells("ok: connected");
}

#[test]
fn a_label_of_another_band_pairs_nothing() {
    let (mut town, mut other) = (Town::new(&["--display"]), Town::new(&["--display"]));
    let mut phone = town.phone();
    town.band.does(&json!("Hold"));
    let label = other.band.asks(&json!("Hold"), "/Band/Label");
    phone.types(&format!("scan {label}"));
    phone.tells("error: ");
    phone.types("connect");
    phone.tells("error: no band is paired");
}

#[test]
fn a_band_with_a_button_alone_is_paired_by_a_press() {
    let mut town = Town::new(&["--button"]);
    let mut phone = town.phone();
    town.band.does(&json!("Hold"));
    phone.types("press");
    phone.tells("ok: paired");
    phone.tells("ok: connected");
    phone.types("forget");
    phone.tells("to do: the band waits for the unpair gesture");
    town.band.does(&json!("TriplePress"));
    phone.tells("ok: the band has forgotten this phone");
    phone.types("connect");
    phone.tells("error: no band is paired");
}

/// Stands before a band, and can cut what goes through.
struct Cut {
    at: String,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cut {
    fn before(band: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, band) = (listener.local_addr().unwrap().to_string(), band.to_owned());
        let streams = Arc::<Mutex<Vec<TcpStream>>>::default();
        let known = Arc::clone(&streams);
        thread::spawn(move || {
            for phone in listener.incoming() {
                let (phone, band) = (phone.unwrap(), TcpStream::connect(&band).unwrap());
                for stream in [&phone, &band] {
                    stream.set_nodelay(true).unwrap();
                    known.lock().unwrap().push(stream.try_clone().unwrap());
                }
                for (from, to) in [(&phone, &band), (&band, &phone)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { at, streams }
    }

    fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
