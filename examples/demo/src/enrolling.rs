//! How a phone takes its band's enrolment to the issuer, and cannot read it.

use anyhow::{Context, Result, bail};
use armring_token::{Credential, Unverified};
use armring_wallet::Event;
use armring_wire::records::band::ToBand;
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::{EnrolmentCode, Opaque, decode_record};

use crate::client::Client;
use crate::control::{PhoneReport, Report, report};
use crate::money::show;
use crate::phone::Phone;

impl Phone {
    pub(crate) fn enrol(&mut self, code: EnrolmentCode) -> Result<()> {
        let mut issuer = self.ask_issuer()?;
        let key_list = self.fetch_key_list(&mut issuer)?;
        self.say(&ToBand::Enrol { code, key_list: Opaque::new(&key_list).context("too long")? })?;
        loop {
            match self.event()? {
                Event::EnrolStart { versions, message } => {
                    let message = Opaque::new(&message).context("too long")?;
                    self.relay(&mut issuer, &ToIssuer::EnrolStart { versions, message })?;
                }
                Event::ToIssuer(message) => {
                    let message = Opaque::new(&message).context("too long")?;
                    self.relay(&mut issuer, &ToIssuer::Enrol(message))?;
                }
                Event::Enrolled(object) => return self.show_credential(&object),
                Event::Declined(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
                other => bail!("the band answered with {other:?}"),
            }
        }
    }

    /// Hands the band's message of an enrolment on to the issuer, and its answer back.
    fn relay(&mut self, issuer: &mut Client, record: &ToIssuer<'_>) -> Result<()> {
        let answer = issuer.ask_issuer(record)?;
        match decode_record(&answer)? {
            FromIssuer::Enrol(message) => self.say(&ToBand::FromIssuer(message)),
            FromIssuer::Refused(why) => bail!("the issuer refused: {why}"),
            other => bail!("the issuer answered with {other:?}"),
        }
    }

    fn show_credential(&self, object: &[u8]) -> Result<()> {
        self.drawer.write("credential", object)?;
        let unverified = Unverified::<Credential>::parse(object)?;
        let issuer = self.key_list()?.signing_key(unverified.claims().key, unverified.claims().validity.from)?;
        let credential = unverified.verify(&self.root.fingerprint(), &issuer)?;
        let (limits, currency) = (&credential.limits, credential.currency);
        let limits =
            format!("{} a payment, {} with a press alone", show(limits.each.of(currency)), show(limits.press.of(currency)));
        Ok(report(&Report::Phone(PhoneReport::Enrolled { credential: credential.id.to_string(), limits }))?)
    }
}
