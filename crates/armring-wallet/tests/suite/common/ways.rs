//! The ways to connect, other than by a code and by reconnecting.

use armring_band::{Face, Gesture, Signal};
use armring_pairing::{DiffieHellman, Link, PairingLabel, PairingSecret, PublicKey, ResumeTicket, SoftwareKey, Source};
use armring_wallet::{Connection, Event};
use armring_wire::records::Assurance;

use super::{Phone, Room};

impl Room {
    /// A band with this face, and with this secret on its label if it has one.
    pub(crate) fn with_face(face: Face, label: Option<[u8; 32]>) -> Self {
        let mut room = Self::new(1, 182);
        (room.face, room.label) = (face, label);
        room.restart_band();
        room
    }

    pub(crate) fn band_public_key(&self) -> PublicKey {
        SoftwareKey::new(self.band_key).public_key()
    }

    /// What a phone reads from the label on the band.
    pub(crate) fn printed_label(&self) -> PairingLabel {
        PairingLabel::new(Source::Printed, PairingSecret::new(self.label.unwrap()), &self.band_public_key())
    }

    /// What a phone reads from the band's display, as it is scanned.
    pub(crate) fn displayed_label(&self) -> Option<PairingLabel> {
        let mut uri = [0; PairingLabel::URI_LEN];
        let label = self.band.label()?;
        Some(PairingLabel::from_uri(label.to_uri(&mut uri).unwrap()).unwrap())
    }

    /// The wearer opens the window, and the phone reads whatever label there is.
    pub(crate) fn pair_with_label(&mut self) {
        self.gesture(Gesture::Hold);
        let label = self.displayed_label().unwrap_or_else(|| self.printed_label());
        self.connect(Connection::pair_with_label(label, self.payload));
    }

    pub(crate) fn pair_by_press(&mut self) {
        self.gesture(Gesture::Hold);
        self.connect(Connection::pair_by_press(self.payload));
    }

    /// Another phone, which the people in the room use from now on.
    pub(crate) fn take_phone(&mut self, phone: Phone) -> Phone {
        if self.connection.is_some() {
            self.disconnect();
        }
        std::mem::replace(&mut self.phone, phone)
    }

    pub(crate) fn take_new_phone(&mut self) -> Phone {
        let phone = Phone::new(&mut self.rng);
        self.take_phone(phone)
    }

    /// The links in the band's places.
    pub(crate) fn links_of_band(&self) -> Vec<Link> {
        let links = self.storage.iter().filter(|(key, _)| key.as_u8() & 0xF0 == 0x10);
        links.map(|(_, value)| Link::from_bytes(value.as_slice().try_into().unwrap()).unwrap()).collect()
    }

    /// How the last link was made: as the band has it, and as the wallet does.
    pub(crate) fn assurances(&self) -> (Assurance, Assurance) {
        (self.links_of_band().last().unwrap().assurance(), self.stored_link().assurance())
    }

    /// What the wallet may resume with when this connection is lost.
    pub(crate) fn take_ticket(&mut self) -> ResumeTicket {
        self.connection.as_mut().unwrap().take_ticket().unwrap()
    }

    pub(crate) fn resume(&mut self, ticket: ResumeTicket) {
        if self.connection.is_some() {
            self.disconnect();
        }
        let link = self.stored_link();
        self.connect(Connection::resume(link, ticket, self.payload));
    }

    /// Resumes as an app does that has kept its ticket; without one it reconnects.
    pub(crate) fn resume_or_reconnect(&mut self) {
        if self.connection.is_some() {
            self.disconnect();
        }
        match self.phone.ticket.take() {
            Some(ticket) => self.resume(ticket),
            None => self.reconnect(),
        }
    }

    /// Who was told that somebody else used the link: the wearer, and the wallet's person.
    pub(crate) fn told_of_use_elsewhere(&self) -> (bool, bool) {
        let at_wallet = self.events.iter().any(|event| matches!(event, Event::Linked { used_elsewhere: true }));
        (self.signals.contains(&Signal::UsedElsewhere), at_wallet)
    }
}
