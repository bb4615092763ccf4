//! How a phone and its band find each other: paired, connected, forgotten.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use armring_pairing::{Link, PairingLabel};
use armring_wallet::{Connection, Event};
use armring_wire::records::band::ToBand;

use crate::authenticator::{Authenticator, Inside};
use crate::control::{PhoneReport, Report, report};
use crate::line::{Line, Names, PAIRING, PRESSING, RECONNECTING, RESUMING, SCANNING};
use crate::phone::{Begun, Phone};

impl Phone {
    pub(crate) fn pair(&mut self, band: &str) -> Result<()> {
        self.dial(band, Connection::pair(self.payload), PAIRING)?;
        match self.event()? {
            Event::Code(code) => Ok(report(&Report::Phone(PhoneReport::Code(code.digits().to_string())))?),
            other => bail!("the band answered with {other:?}"),
        }
    }

    pub(crate) fn pair_by_press(&mut self, band: &str) -> Result<()> {
        self.dial(band, Connection::pair_by_press(self.payload), PRESSING)?;
        self.paired()
    }

    pub(crate) fn accept_code(&mut self) -> Result<()> {
        self.line.as_mut().context("there is no code to accept")?.accept_code()?;
        self.paired()
    }

    pub(crate) fn scan(&mut self, band: &str, uri: &str) -> Result<()> {
        let label = PairingLabel::from_uri(uri)?;
        self.dial(band, Connection::pair_with_label(label, self.payload), SCANNING)?;
        self.paired()
    }

    /// The line has stored the link: this connection is over.
    fn paired(&mut self) -> Result<()> {
        match self.event()? {
            // What another link was left with resumes nothing over this one.
            Event::Paired(_) => (self.line, self.ticket) = (None, None),
            other => bail!("the band answered with {other:?}"),
        }
        Ok(report(&Report::Phone(PhoneReport::Paired))?)
    }

    fn link(&self) -> Result<Link> {
        let stored = self.drawer.read("link")?.context("this phone is not paired: nothing on its disk says so")?;
        stored.as_slice().try_into().ok().and_then(Link::from_bytes).with_context(|| self.drawer.damaged("link"))
    }

    /// Goes on where the last connection was lost. A band that has restarted does not remember that: then from the beginning.
    pub(crate) fn connect(&mut self, band: &str) -> Result<()> {
        if self.inside.is_some() {
            return self.connect_inside();
        }
        if let Some(ticket) = self.ticket.take() {
            self.dial(band, Connection::resume(self.link()?, ticket, self.payload), RESUMING)?;
            match self.linked(true) {
                Err(error) => report(&Report::Complaint(format!("not resumed: {error:#}")))?,
                done => return done,
            }
        }
        self.dial(band, Connection::reconnect(self.link()?, self.payload), RECONNECTING)?;
        self.linked(false)
    }

    fn linked(&mut self, resumed: bool) -> Result<()> {
        let Event::Linked { used_elsewhere } = self.event()? else { bail!("the band did not introduce itself") };
        if resumed {
            let Event::Status(_) = self.event()? else { bail!("the band did not say how it is") };
        }
        Ok(report(&Report::Phone(PhoneReport::Connected { resumed, used_elsewhere }))?)
    }

    /// Pairs with the authenticator inside of this phone, which shows its secret to nobody else, and connects to it.
    pub(crate) fn pair_inside(&mut self) -> Result<()> {
        let inside = Rc::clone(self.authenticator()?);
        let label = inside.borrow_mut().label()?;
        self.go_inside(&inside, Connection::pair_with_label(label, self.payload))?;
        self.paired()?;
        self.connect_inside()
    }

    fn connect_inside(&mut self) -> Result<()> {
        let inside = Rc::clone(self.authenticator()?);
        self.go_inside(&inside, Connection::reconnect(self.link()?, self.payload))?;
        self.linked(false)
    }

    fn go_inside(&mut self, inside: &Rc<RefCell<Authenticator>>, connection: Connection) -> Result<()> {
        self.line = Some(Line::new(Box::new(Inside::connect(inside)?), connection, &self.drawer, None, [&[], &[]]));
        Ok(())
    }

    pub(crate) fn unpair(&mut self, others: bool) -> Result<()> {
        self.say(&if others { ToBand::UnpairOthers } else { ToBand::Unpair })?;
        self.unpaired()
    }

    pub(crate) fn unpaired(&mut self) -> Result<()> {
        let answer = match self.event()? {
            Event::Waiting(awaited) => {
                self.begun = Some(Begun::Unpairing);
                PhoneReport::Waiting(awaited.to_string())
            }
            Event::Unpaired => {
                (self.line, self.ticket) = (None, None);
                self.drawer.erase("link")?;
                self.drawer.erase("credential")?;
                PhoneReport::Unpaired
            }
            Event::Noted => PhoneReport::Unpaired,
            Event::Declined(why) => PhoneReport::Declined(why.to_string()),
            other => bail!("the band answered with {other:?}"),
        };
        Ok(report(&Report::Phone(answer))?)
    }

    /// Asks for leave to pair again. What is paired then has what was enrolled over the link that is here now.
    pub(crate) fn replace(&mut self) -> Result<()> {
        self.say(&ToBand::Replace)?;
        match self.event()? {
            Event::Waiting(awaited) => {
                self.begun = Some(Begun::Replacing);
                Ok(report(&Report::Phone(PhoneReport::Waiting(awaited.to_string())))?)
            }
            Event::Declined(why) => Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
            other => bail!("the band answered with {other:?}"),
        }
    }

    pub(crate) fn may_pair(&mut self) -> Result<()> {
        match self.event()? {
            Event::Noted => self.line = None,
            Event::Declined(why) => return Ok(report(&Report::Phone(PhoneReport::Declined(why.to_string())))?),
            other => bail!("the band answered with {other:?}"),
        }
        Ok(report(&Report::Phone(PhoneReport::MayPair))?)
    }

    /// Tells the band that this phone recognised its owner.
    pub(crate) fn unlock_band(&mut self) -> Result<()> {
        self.say(&ToBand::Unlock)?;
        let answer = match self.event()? {
            Event::Noted => Report::Done,
            Event::Declined(why) => Report::Phone(PhoneReport::Declined(why.to_string())),
            other => bail!("the band answered with {other:?}"),
        };
        Ok(report(&answer)?)
    }

    fn dial(&mut self, band: &str, connection: Connection, names: Names) -> Result<()> {
        // One connection at a time.
        self.line = None;
        let ends = self.ends(&format!("{}'s band", self.owner));
        self.line = Some(Line::dial(band, connection, &self.drawer, ends, names)?);
        Ok(())
    }
}
