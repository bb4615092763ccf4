//! The demo's issuer, shop and bands: each takes lines of JSON for what people do and gives lines of JSON for what happens.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::hand::{Folder, PATIENCE, Phone, program};

/// Where `cargo xtask phone` says which program is the demo.
const DEMO: &str = "ARMRING_DEMO";

/// One process of the demo. It ends when this does.
pub(crate) struct Actor {
    child: Child,
    input: ChildStdin,
    reports: Receiver<Value>,
}

impl Actor {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let demo = std::env::var_os(DEMO).expect("run these tests with `cargo xtask phone`, which builds the demo first");
        let mut child = Command::new(demo).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, reports) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, input, reports }
    }

    fn tell(&mut self, command: &Value) {
        writeln!(self.input, "{command}").unwrap();
    }

    /// Waits for a report that has something there.
    pub(crate) fn reports(&self, path: &str) -> Value {
        let mut seen = Vec::new();
        loop {
            let Ok(report) = self.reports.recv_timeout(PATIENCE) else { panic!("no {path} in {seen:?}") };
            if let Some(found) = report.pointer(path) {
                return found.clone();
            }
            seen.push(report);
        }
    }

    fn word(&self, path: &str) -> String {
        self.reports(path).as_str().unwrap().to_owned()
    }

    /// Has somebody do something, and waits until it is done.
    pub(crate) fn does(&mut self, command: &Value) {
        self.tell(command);
        loop {
            let report = self.reports.recv_timeout(PATIENCE).expect("it is not done");
            assert!(report.pointer("/Failed").is_none(), "{command}: {report}");
            if report == "Done" {
                return;
            }
        }
    }

    /// Has somebody do something, and waits for what it leads to.
    pub(crate) fn asks(&mut self, command: &Value, path: &str) -> String {
        self.tell(command);
        self.word(path)
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An issuer with an account for Mei, a shop that sells tea, a band.
pub(crate) struct Town {
    issuer: Actor,
    pub(crate) root: String,
    issuer_at: String,
    pub(crate) shop: Actor,
    pub(crate) shop_at: String,
    pub(crate) band: Actor,
    pub(crate) band_at: String,
    face: &'static [&'static str],
    pub(crate) folder: Folder,
}

impl Town {
    /// With a band of this face: an argument of the demo's.
    pub(crate) fn new(face: &'static [&'static str]) -> Self {
        let folder = Folder::new();
        let mut issuer = Actor::start(&["issuer", "--ledger", folder.path("ledger.sqlite").to_str().unwrap()]);
        let root = issuer.word("/Root/root");
        let issuer_at = issuer.word("/Ready/address");
        issuer.does(&json!({ "OpenAccount": { "name": "Mei", "minor": 5_000 } }));
        issuer.does(&json!({ "OpenAccount": { "name": "Tea House", "minor": 0 } }));
        let at = folder.path("shop");
        let arguments =
            ["shop", "--name", "Tea House", "--folder", at.to_str().unwrap(), "--root", &root, "--issuer", &issuer_at];
        let mut shop = Actor::start(&arguments);
        let ready = shop.reports("/Ready");
        let certify = json!({ "CertifyPayee": { "name": "Tea House", "key": ready["key"] } });
        let certificate = issuer.asks(&certify, "/Certificate/certificate");
        let key_list = Self::key_list(&issuer_at);
        shop.does(&json!({ "TakeCertificate": { "certificate": certificate, "key_list": key_list } }));
        let (band, band_at) = start_band(&folder, &root, face);
        let shop_at = ready["address"].as_str().unwrap().to_owned();
        Self { issuer, root, issuer_at, shop, shop_at, band, band_at, face, folder }
    }

    /// The issuer's key list, as anybody gets it.
    fn key_list(issuer: &str) -> String {
        use armring_loopback::air::{Air, Records};
        use armring_wire::records::issuer::{FromIssuer, ToIssuer};
        use armring_wire::{AttPayload, decode_record, encode};

        let (mut air, mut records) =
            (Air::connect(issuer.parse().unwrap()).unwrap(), Records::new(AttPayload::new(182).unwrap()));
        records.send(&mut air, encode(&ToIssuer::KeyList, &mut [0; 8]).unwrap()).unwrap();
        loop {
            if let Some(answer) = records.take(&air.receive().unwrap().unwrap()).unwrap() {
                let Ok(FromIssuer::KeyList(list)) = decode_record(&answer) else { panic!("no key list") };
                return armring_phone::book::hex(list.as_bytes());
            }
        }
    }

    /// Mei's phone, which knows where her band is.
    pub(crate) fn phone(&self) -> Phone {
        self.phone_with(&["--band", &self.band_at])
    }

    /// Mei's phone, with these arguments.
    pub(crate) fn phone_with(&self, arguments: &[&str]) -> Phone {
        let state = self.folder.path("phone.state");
        Phone::start(program(&state).args(["--root", &self.root, "--issuer", &self.issuer_at]).args(arguments))
    }

    /// The band loses its power, and starts with what it stored.
    pub(crate) fn restart_band(&mut self) {
        self.band.child.kill().unwrap();
        self.band.child.wait().unwrap();
        (self.band, self.band_at) = start_band(&self.folder, &self.root, self.face);
    }

    /// Pairs by code.
    pub(crate) fn pair(&mut self, phone: &mut Phone) {
        self.band.does(&json!("Hold"));
        phone.types("pair");
        let code = phone.tells("This phone's code is ");
        let shown = self.band.word("/Band/Code");
        assert!(code.contains(&format!("code is {shown}.")), "{code} on the phone, {shown} on the band");
        phone.types("yes");
        phone.tells("to do: now press the band");
        self.band.does(&json!("Press"));
        phone.tells("ok: paired");
        phone.tells("ok: connected");
    }

    /// Enrols the band that is connected, and confirms it on the issuer's page.
    pub(crate) fn enrol(&mut self, phone: &mut Phone) {
        self.begin_to_enrol(phone);
        let digits = self.band.reports("/Band/EnrolmentDigits/digits");
        self.confirm(digits.as_u64().unwrap());
    }

    /// Enrols the band that is connected, with a code of the issuer's.
    pub(crate) fn begin_to_enrol(&mut self, phone: &mut Phone) {
        let code = self.issuer.asks(&json!({ "IssueCode": { "name": "Mei" } }), "/Code/code");
        phone.types(&format!("enrol {code}"));
        phone.tells("ok: enrolled: credential ");
    }

    /// Types what the band shows into the issuer's page.
    pub(crate) fn confirm(&mut self, digits: u64) {
        self.issuer.does(&json!({ "Confirm": { "name": "Mei", "digits": digits } }));
    }

    /// Puts the band on and taps the pattern.
    pub(crate) fn put_on(&mut self) {
        self.band.does(&json!("PutOn"));
        self.band.does(&json!("TapPattern"));
    }

    /// A phone whose band is paired, enrolled, worn and unlocked.
    pub(crate) fn ready(&mut self) -> Phone {
        let mut phone = self.phone();
        self.pair(&mut phone);
        self.enrol(&mut phone);
        self.put_on();
        phone
    }

    /// Asks for 12.50 CNY.
    pub(crate) fn sell_tea(&mut self) {
        self.shop.does(&json!({ "Sell": { "minor": 1_250, "memo": "tea for two" } }));
    }

    /// What Mei has left, by the issuer's books, which agree.
    pub(crate) fn balance(&mut self) -> i64 {
        self.issuer.tell(&json!("Books"));
        let books = self.issuer.reports("/Books");
        assert_eq!(books["faults"], json!([]));
        books["balances"].as_array().unwrap().iter().find(|entry| entry[0] == "Mei").unwrap()[1].as_i64().unwrap()
    }
}

fn start_band(folder: &Folder, root: &str, face: &[&str]) -> (Actor, String) {
    let at = folder.path("band");
    let band = Actor::start(&[&["band", "--folder", at.to_str().unwrap(), "--root", root], face].concat());
    let address = band.word("/Ready/address");
    (band, address)
}
