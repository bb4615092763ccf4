//! What people do with a band and a phone.

use armring_band::{Event as BandEvent, Face, Gesture, Secret, UNLOCK_TRIES};
use armring_pairing::{DiffieHellman, Link, PairingLabel, PairingSecret, SoftwareKey, Source};
use armring_wallet::{Connection, Event};
use armring_wire::records::band::{Awaited, Decline, Status, ToBand};
use armring_wire::{CredentialId, EnrolmentCode, Opaque};

use super::facts::Hold;
use super::issuer::Shop;
use super::world::{BAND_KEY, PAYLOAD, World};

impl World {
    pub(crate) fn link_of(&self, phone: usize) -> Option<Link> {
        Link::from_bytes(self.facts.phones[phone].link.as_deref()?.try_into().ok()?)
    }

    /// Whether this phone is linked then.
    pub(crate) fn reconnect(&mut self, phone: usize) -> bool {
        let Some(link) = self.link_of(phone) else { return false };
        if let Some(old) = self.facts.phones[phone].replaces {
            let phones = &mut self.facts().phones;
            (phones[phone].hold, phones[old].hold) = (Hold::OneOf, Hold::OneOf);
        }
        self.connect(phone, Connection::reconnect(link, PAYLOAD));
        self.is_linked()
    }

    /// Resumes, as an app does that has a ticket; where that fails it reconnects.
    pub(crate) fn resume(&mut self, phone: usize) -> bool {
        self.disconnect();
        match (self.tickets.remove(&phone), self.link_of(phone)) {
            (Some(ticket), Some(link)) => self.connect(phone, Connection::resume(link, ticket, PAYLOAD)),
            _ => return self.reconnect(phone),
        }
        // It is the band that is to say something first.
        self.status().is_some() || self.reconnect(phone)
    }

    pub(crate) fn is_linked(&self) -> bool {
        !self.is_off() && self.connection.as_ref().is_some_and(|(_, connection)| connection.is_linked())
    }

    pub(crate) fn say(&mut self, record: &ToBand<'_>) {
        if let Some((_, connection)) = &mut self.connection {
            let _ = connection.say(record);
            self.pump();
        }
    }

    pub(crate) fn gesture(&mut self, gesture: Gesture) {
        self.happens(BandEvent::Gesture(gesture));
    }

    pub(crate) fn put_on(&mut self) {
        self.happens(BandEvent::PutOn);
        self.happens(BandEvent::Recognised);
    }

    pub(crate) fn enters(&mut self, pin: [u8; 4]) {
        self.happens(BandEvent::PutOn);
        if self.facts.pins.contains(&pin) {
            self.facts().tries = UNLOCK_TRIES;
        }
        self.signals.clear();
        self.happens(BandEvent::Entered(Secret::pin(&pin).unwrap()));
    }

    pub(crate) fn status(&mut self) -> Option<Status> {
        self.events.clear();
        self.say(&ToBand::Status);
        self.events.iter().find_map(|event| if let Event::Status(status) = event { Some(*status) } else { None })
    }

    /// Asks the band to pay, and gives what it says to that.
    pub(crate) fn asks(&mut self, request: &[u8]) {
        self.events.clear();
        let request = Opaque::new(request).unwrap();
        if self.setup.face == Face::Display {
            let certificate = self.issuer.certificate(&Shop::new(), |_| {});
            self.say(&ToBand::PayTo { request, certificate: Opaque::new(&certificate).unwrap() });
        } else {
            self.say(&ToBand::Pay { request });
        }
    }

    pub(crate) fn token(&self) -> Option<Vec<u8>> {
        self.events.iter().rev().find_map(|event| if let Event::Token(token) = event { Some(token.clone()) } else { None })
    }

    pub(crate) fn declined(&self) -> Option<Decline> {
        self.events.iter().rev().find_map(|event| if let Event::Declined(why) = event { Some(*why) } else { None })
    }

    pub(crate) fn waits_for(&self) -> Option<Awaited> {
        self.events.iter().rev().find_map(|event| if let Event::Waiting(awaited) = event { Some(*awaited) } else { None })
    }

    /// Asks, and makes the gestures that the band waits for.
    pub(crate) fn pays(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        self.asks(request);
        match self.waits_for() {
            Some(Awaited::FreshUnlock) => {
                self.happens(BandEvent::Recognised);
                self.gesture(Gesture::Press);
            }
            Some(Awaited::PayGesture) => self.gesture(Gesture::Press),
            _ => {}
        }
        self.token()
    }

    /// Pairs in the way that the band can, or out of band where it has two. Whether the phone has a link then.
    pub(crate) fn pairs(&mut self, phone: usize, out_of_band: bool) -> bool {
        self.disconnect();
        self.gesture(Gesture::Hold);
        self.pairs_now(phone, out_of_band)
    }

    /// Likewise, in the window that is open.
    pub(crate) fn pairs_now(&mut self, phone: usize, out_of_band: bool) -> bool {
        let label = if out_of_band { self.label() } else { None };
        let connection = match (self.setup.face, label) {
            (_, Some(label)) => Connection::pair_with_label(label, PAYLOAD),
            (Face::Button, None) => Connection::pair_by_press(PAYLOAD),
            _ => Connection::pair(PAYLOAD),
        };
        self.connect(phone, connection);
        if let Some((_, connection)) = &mut self.connection {
            connection.code_shown();
            let _ = connection.accept_code(&mut self.rng);
        }
        self.pump();
        self.happens(BandEvent::CodeShown);
        self.gesture(Gesture::Press);
        let paired = self.events.iter().any(|event| matches!(event, Event::Paired(_)));
        self.events.clear();
        paired
    }

    fn label(&self) -> Option<PairingLabel> {
        let shown = self.band.label();
        let printed = self.setup.label.filter(|_| self.setup.face != Face::Display);
        let key = SoftwareKey::new(BAND_KEY).public_key();
        shown.or_else(|| Some(PairingLabel::new(Source::Printed, PairingSecret::new(printed?), &key)))
    }

    /// Relays an enrolment until there is a credential, or nothing more comes.
    pub(crate) fn enrols(&mut self, phone: usize, code: [u8; 16]) -> Option<CredentialId> {
        let list = self.issuer.key_list();
        self.events.clear();
        let heard = self.issuer.payment_keys.len();
        self.issuer.template.id = CredentialId(*code.first_chunk().unwrap());
        self.say(&ToBand::Enrol { code: EnrolmentCode(code), key_list: Opaque::new(&list).unwrap() });
        while let Some(event) = self.events.pop_if(|event| matches!(event, Event::EnrolStart { .. } | Event::ToIssuer(_))) {
            let answer = match event {
                Event::EnrolStart { versions, message } => self.issuer.begin(versions, &message, &mut self.rng),
                Event::ToIssuer(message) => self.issuer.answer(&message),
                _ => None,
            }?;
            if let (Some(key), Some((_, _, known))) = (self.issuer.payment_keys.get(heard).copied(), &mut self.facts().enrolling)
            {
                known.get_or_insert(key);
            }
            self.say(&ToBand::FromIssuer(Opaque::new(&answer).unwrap()));
        }
        let enrolled = self.events.iter().any(|event| matches!(event, Event::Enrolled(_)));
        enrolled.then(|| {
            let id = self.issuer.template.id;
            self.facts().phones[phone].credential = Some(id);
            id
        })
    }
}
