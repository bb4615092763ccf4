//! The demo's issuer, shop and bands as processes: each takes lines of JSON for what people do and gives lines of JSON for what happens.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use armring_loopback::air::{Air, Records};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::{AttPayload, decode_record, encode};
use serde_json::{Value, json};

/// How long anything may take: longer, and somebody waits for good.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One process of the demo. It ends when this does.
pub(crate) struct Actor {
    child: Child,
    input: ChildStdin,
    reports: Receiver<Value>,
}

impl Actor {
    pub(crate) fn start(demo: &Path, arguments: &[&str]) -> Self {
        let mut child =
            Command::new(demo).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the demo starts");
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

    /// Waits for a report that has a text there.
    pub(crate) fn word(&self, path: &str) -> String {
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

    /// The same, for what is no text.
    pub(crate) fn answers(&mut self, command: &Value, path: &str) -> Value {
        self.tell(command);
        self.reports(path)
    }

    /// Loses its power.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An issuer with an account for Mei, and a shop that sells tea.
pub(crate) struct Market {
    pub(crate) issuer: Actor,
    pub(crate) root: String,
    pub(crate) issuer_at: String,
    pub(crate) shop: Actor,
    pub(crate) shop_at: String,
}

impl Market {
    /// With its files in this folder.
    pub(crate) fn open(demo: &Path, folder: &Path) -> Self {
        let mut issuer = Actor::start(demo, &["issuer", "--ledger", folder.join("ledger.sqlite").to_str().unwrap()]);
        let root = issuer.word("/Root/root");
        let issuer_at = issuer.word("/Ready/address");
        issuer.does(&json!({ "OpenAccount": { "name": "Mei", "minor": 5_000 } }));
        issuer.does(&json!({ "OpenAccount": { "name": "Tea House", "minor": 0 } }));
        let at = folder.join("shop");
        let arguments =
            ["shop", "--name", "Tea House", "--folder", at.to_str().unwrap(), "--root", &root, "--issuer", &issuer_at];
        let mut shop = Actor::start(demo, &arguments);
        let ready = shop.reports("/Ready");
        let certify = json!({ "CertifyPayee": { "name": "Tea House", "key": ready["key"] } });
        let certificate = issuer.asks(&certify, "/Certificate/certificate");
        let take = json!({ "TakeCertificate": { "certificate": certificate, "key_list": key_list(&issuer_at) } });
        shop.does(&take);
        let shop_at = ready["address"].as_str().unwrap().to_owned();
        Self { issuer, root, issuer_at, shop, shop_at }
    }
}

/// The issuer's key list, as anybody gets it.
fn key_list(issuer: &str) -> String {
    let answer = ask(issuer, encode(&ToIssuer::KeyList, &mut [0; 8]).unwrap());
    let Ok(FromIssuer::KeyList(list)) = decode_record(&answer) else { panic!("no key list") };
    armring_phone::book::hex(list.as_bytes())
}

/// Asks whoever listens there.
pub(crate) fn ask(at: &str, record: &[u8]) -> Vec<u8> {
    let (mut air, mut records) = (Air::connect(at.parse().unwrap()).unwrap(), Records::new(AttPayload::new(182).unwrap()));
    records.send(&mut air, record).unwrap();
    loop {
        if let Some(answer) = records.take(&air.receive().unwrap().unwrap()).unwrap() {
            return answer;
        }
    }
}
