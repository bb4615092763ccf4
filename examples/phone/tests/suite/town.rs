//! The demo's issuer, shop and bands: each takes lines of JSON for what people do and gives lines of JSON for what happens.

use std::path::PathBuf;

use serde_json::json;

use crate::actor::{Actor, Market};
use crate::hand::{Folder, Phone, program};

/// Where `cargo xtask phone` says which program is the demo.
const DEMO: &str = "ARMRING_DEMO";

fn demo() -> PathBuf {
    std::env::var_os(DEMO).expect("run these tests with `cargo xtask phone`, which builds the demo first").into()
}

/// A market with a band on Mei's wrist.
pub(crate) struct Town {
    pub(crate) market: Market,
    pub(crate) band: Actor,
    pub(crate) band_at: String,
    face: &'static [&'static str],
    pub(crate) folder: Folder,
}

impl Town {
    /// With a band of this face: an argument of the demo's.
    pub(crate) fn new(face: &'static [&'static str]) -> Self {
        let folder = Folder::new();
        let market = Market::open(&demo(), &folder.0);
        let (band, band_at) = start_band(&folder, &market.root, face);
        Self { market, band, band_at, face, folder }
    }

    /// Mei's phone, which knows where her band is.
    pub(crate) fn phone(&self) -> Phone {
        self.phone_with(&["--band", &self.band_at])
    }

    /// Mei's phone, with these arguments.
    pub(crate) fn phone_with(&self, arguments: &[&str]) -> Phone {
        let state = self.folder.path("phone/phone.state");
        Phone::start(program(&state).args(["--root", &self.market.root, "--issuer", &self.market.issuer_at]).args(arguments))
    }

    /// The band loses its power, and starts with what it stored.
    pub(crate) fn restart_band(&mut self) {
        self.band.kill();
        (self.band, self.band_at) = start_band(&self.folder, &self.market.root, self.face);
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
        let code = self.market.issuer.asks(&json!({ "IssueCode": { "name": "Mei" } }), "/Code/code");
        phone.types(&format!("enrol {code}"));
        phone.tells("ok: enrolled: credential ");
    }

    /// Types what the band shows into the issuer's page.
    pub(crate) fn confirm(&mut self, digits: u64) {
        self.market.issuer.does(&json!({ "Confirm": { "name": "Mei", "digits": digits } }));
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
        self.market.shop.does(&json!({ "Sell": { "minor": 1_250, "memo": "tea for two" } }));
    }

    /// What Mei has left, by the issuer's books, which agree.
    pub(crate) fn balance(&mut self) -> i64 {
        let books = self.market.issuer.answers(&json!("Books"), "/Books");
        assert_eq!(books["faults"], json!([]));
        books["balances"].as_array().unwrap().iter().find(|entry| entry[0] == "Mei").unwrap()[1].as_i64().unwrap()
    }
}

fn start_band(folder: &Folder, root: &str, face: &[&str]) -> (Actor, String) {
    let at = folder.path("band");
    let band = Actor::start(&demo(), &[&["band", "--folder", at.to_str().unwrap(), "--root", root], face].concat());
    let address = band.word("/Ready/address");
    (band, address)
}
