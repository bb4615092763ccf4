//! How the wallet takes its band's enrolment to the issuer, and cannot read it.

use anyhow::{Result, bail};
use armring_token::{Credential, Epoch, Unverified};
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::{EnrolmentCode, Opaque, VersionRange, decode_record, encode};

use super::{By, Purpose, Task, Tone, Wallet};

impl Wallet {
    pub(super) fn enrol(&mut self, code: [u8; 16]) {
        if !self.is_linked() {
            return self.say(Tone::Bad, "no band is connected: 'connect' first, then 'enrol'");
        }
        if self.is_free() {
            self.ask_keys(Purpose::KeysToEnrol(code));
        }
    }

    pub(super) fn ask_keys(&mut self, purpose: Purpose) {
        self.ask_issuer(purpose, &ToIssuer::KeyList);
    }

    fn ask_issuer(&mut self, purpose: Purpose, record: &ToIssuer<'_>) {
        match encode(record, &mut [0; 1024]) {
            Ok(record) => {
                let record = record.to_vec();
                self.ask(purpose, self.book.issuer.clone(), record);
            }
            Err(error) => self.say(Tone::Bad, &error.to_string()),
        }
    }

    pub(super) fn keys_came(&mut self, purpose: Purpose, answer: Result<Vec<u8>, String>) {
        let taken = answer.map_err(anyhow::Error::msg).and_then(|answer| self.take_keys(&answer));
        match (taken, purpose) {
            (Err(error), _) => self.say(Tone::Bad, &format!("the issuer's keys did not come: {error:#}. Say it again")),
            (Ok(object), Purpose::KeysToEnrol(code)) => {
                let Some(key_list) = Opaque::new(&object) else { return };
                self.ask_band(Task::Enrol, &ToBand::Enrol { code: EnrolmentCode(code), key_list });
            }
            (Ok(object), _) if self.is_linked() => {
                let Some(key_list) = Opaque::new(&object) else { return };
                self.ask_band(Task::Keys, &ToBand::KeyList(key_list));
            }
            (Ok(_), _) => {
                self.say(Tone::Good, "this phone has the issuer's newest keys; the band gets them with the next 'keys'")
            }
        }
    }

    /// Verifies a key list that is not older than the one that is here, and stores it.
    fn take_keys(&mut self, answer: &[u8]) -> Result<Vec<u8>> {
        let FromIssuer::KeyList(object) = decode_record(answer)? else { bail!("it has none") };
        let known = self.book.keys().map_or(Epoch(0), |list| list.epoch);
        self.book.verify_keys(object.as_bytes())?.not_older_than(known)?;
        if self.book.key_list != object.as_bytes() {
            self.book.key_list = object.as_bytes().to_vec();
            self.store();
        }
        Ok(object.as_bytes().to_vec())
    }

    pub(super) fn enrol_begins(&mut self, versions: VersionRange, message: &[u8]) {
        let Some(message) = Opaque::new(message) else { return };
        self.ask_issuer(Purpose::Enrol, &ToIssuer::EnrolStart { versions, message });
    }

    pub(super) fn for_issuer(&mut self, message: &[u8]) {
        let Some(message) = Opaque::new(message) else { return };
        self.ask_issuer(Purpose::Enrol, &ToIssuer::Enrol(message));
    }

    pub(super) fn issuer_said(&mut self, answer: Result<Vec<u8>, String>) {
        let why = match answer {
            Err(why) => why,
            Ok(answer) => match decode_record(&answer) {
                Ok(FromIssuer::Enrol(message)) => {
                    self.say_to_band(&ToBand::FromIssuer(message));
                    return;
                }
                Ok(FromIssuer::Refused(why)) => why.to_string(),
                _ => "it answered with something else".to_owned(),
            },
        };
        self.say(Tone::Bad, &format!("the issuer did not enrol the band: {why}. Get another code from its page, then 'enrol'"));
        // The band waits for what does not come.
        self.cancel();
    }

    pub(super) fn enrolled(&mut self, object: Vec<u8>) {
        self.task = None;
        let (Some((band, _)), Ok(keys)) = (self.book.in_use.clone(), self.book.keys()) else { return };
        let verified = Unverified::<Credential>::parse(&object).map_err(Into::into).and_then(|credential| {
            let key = keys.signing_key(credential.claims().key, credential.claims().validity.from)?;
            credential.verify(&self.book.root.fingerprint(), &key).map(|credential| credential.id)
        });
        match verified {
            Err(error) => self.say(Tone::Bad, &format!("the band's credential does not verify: {error}. Nothing was stored")),
            Ok(id) => {
                self.book.keep_credential(band, object);
                self.store();
                self.say(Tone::Good, &format!("enrolled: credential {id}"));
                self.say(
                    Tone::Ask,
                    "the band shows six digits: compare them with those on the issuer's own page, and confirm there, not here",
                );
                self.ask_status(By::Wallet);
            }
        }
    }
}
