//! A band, its flash, the phones around it, and what cannot be taken back.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use armring_band::{
    Band, Event as BandEvent, Face, Gesture, Output as BandOutput, Secret, Signal, SoftwareKeys, StoreKey, UNLOCK_TRIES,
};
use armring_pairing::{Link, PairingLabel, PairingSecret, ResumeTicket, SoftwareKey};
use armring_token::{FreeCount, Minor};
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::{Awaited, Decline, Status, ToBand};
use armring_wire::{AttPayload, CredentialId, Opaque, Uptime};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::common::Op;
use crate::disk::{Change, Chip, Disk, Order, PAGES, Values};
use crate::issuer::TestIssuer;

/// What a phone has of the band's, and what it may count on.
#[derive(Clone, Hash)]
pub(crate) struct Phone {
    key: [u8; 32],
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) hold: Hold,
    pub(crate) credential: Option<CredentialId>,
}

/// Whether the band has a phone's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hold {
    /// It may: it is being made.
    Making,
    /// It does.
    Must,
    /// One of all such phones' links is there.
    OneOf,
    /// It may: it is being forgotten.
    Going,
    /// It does not, and its wearer was told so.
    Gone,
}

/// What cannot be taken back, whatever happens to the band.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    pub(crate) phones: Vec<Phone>,
    /// The bodies of the tokens that have left the band.
    pub(crate) tokens: Vec<Vec<u8>>,
    /// What a phone is about to have paid.
    pub(crate) request: Option<(usize, Vec<u8>)>,
    /// With which code a phone enrols, and the payment key that the issuer has heard of.
    pub(crate) enrolling: Option<(usize, [u8; 16], Option<[u8; 32]>)>,
    /// The time of the latest receipt that the wearer was told of.
    pub(crate) told_time: u32,
    /// The highest ceiling of those, of each credential.
    pub(crate) ceilings: BTreeMap<[u8; 8], u64>,
    /// What may unlock the band, and how many tries there may be left.
    pub(crate) pins: Vec<[u8; 4]>,
    pub(crate) tries: u8,
    /// The epoch of the issuer's latest key list, and when it was issued.
    pub(crate) epoch: (u32, u32),
    /// What the band was told to be stored, and what it has asked for since.
    pub(crate) acknowledged: Rc<Values>,
    pub(crate) pending: Option<Change>,
    /// Secrets that were once acknowledged.
    pub(crate) secrets: Rc<Vec<Vec<u8>>>,
}

/// All of it that matters once power is back and what was stored is known.
impl Hash for Facts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.phones, &self.tokens, &self.request, &self.enrolling).hash(state);
        (self.told_time, &self.ceilings, &self.pins, self.tries, self.epoch).hash(state);
    }
}

/// The secret in a value.
pub(crate) fn secret_in(key: u8, value: &[u8]) -> Option<&[u8]> {
    let len = StoreKey::from_u8(key)?.secret_len();
    (len > 0).then(|| &value[len - 32..len])
}

/// What was done to the flash, or happened otherwise, and what could not be taken back by then.
pub(crate) struct Entry {
    pub(crate) op: Option<Op>,
    pub(crate) facts: Rc<Facts>,
}

/// How a band is made, and what is wrong with those around it.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) face: Face,
    pub(crate) label: Option<[u8; 32]>,
    pub(crate) order: Order,
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) chip: Chip,
    pub(crate) disk: Disk,
    pub(crate) band: Band<SoftwareKey, SoftwareKeys>,
    pub(crate) facts: Rc<Facts>,
    pub(crate) connection: Option<(usize, Connection)>,
    pub(crate) tickets: BTreeMap<usize, ResumeTicket>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) events: Vec<Event>,
    /// Somebody was told that somebody else used a link.
    pub(crate) alarm: bool,
    /// Time and ceiling of the receipt that the band is being brought.
    pub(crate) bringing: (u32, Option<([u8; 8], u64)>),
    pub(crate) entries: Option<Vec<Entry>>,
    pub(crate) issuer: TestIssuer,
    now: Uptime,
    pub(crate) rng: ChaCha20Rng,
}

const BAND_KEY: [u8; 32] = [7; 32];

impl World {
    /// A band that has started with an empty flash.
    pub(crate) fn new(setup: Setup, facts: Facts, seed: u64) -> Self {
        let chip = Chip::new(PAGES, seed);
        let disk = Disk::mount(&chip, setup.order).unwrap();
        Self::start((chip, disk), setup, Rc::new(facts), seed)
    }

    /// A band that has started with this flash, and was not yet given back what it had stored.
    pub(crate) fn start((chip, disk): (Chip, Disk), setup: Setup, facts: Rc<Facts>, seed: u64) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let mut issuer = TestIssuer::new();
        let limits = &mut issuer.template.limits;
        (limits.free, limits.free_count, limits.free_total) = (Minor(100), FreeCount(3), Minor(250));
        let mut world = Self {
            band: Band::new(SoftwareKey::new(BAND_KEY), SoftwareKeys, issuer.root_key()),
            setup,
            chip,
            disk,
            facts,
            connection: None,
            tickets: BTreeMap::new(),
            signals: Vec::new(),
            events: Vec::new(),
            alarm: false,
            bringing: (0, None),
            entries: None,
            issuer,
            now: Uptime::from_millis(1_000),
            rng,
        };
        world.band = match setup.label {
            Some(secret) => world.band.with_label(PairingSecret::new(secret)),
            None => world.band,
        }
        .with_face(setup.face);
        (world.issuer.epoch, world.issuer.issued) = world.facts.epoch;
        world
    }

    /// Gives the band back what is in its flash.
    pub(crate) fn load(&mut self, values: &Values) -> Result<(), String> {
        for key in StoreKey::all() {
            if let Some(value) = values.get(&key.as_u8()) {
                self.band.load(key, value).map_err(|error| format!("{key:?}: {error}"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn facts(&mut self) -> &mut Facts {
        Rc::make_mut(&mut self.facts)
    }

    pub(crate) fn is_off(&self) -> bool {
        self.chip.0.borrow().is_off
    }

    pub(crate) fn new_phone(&mut self) -> usize {
        let mut key = [0; 32];
        self.rng.fill_bytes(&mut key);
        let phones = &mut self.facts().phones;
        phones.push(Phone { key, link: None, hold: Hold::Making, credential: None });
        phones.len() - 1
    }

    /// Something has happened: power may be gone here.
    fn moment(&mut self) {
        if let Some(entries) = &mut self.entries {
            entries.push(Entry { op: None, facts: self.facts.clone() });
        }
    }

    /// What was done to the flash meanwhile.
    fn operations(&mut self) {
        let ops = self.chip.0.borrow_mut().journal.as_mut().map(std::mem::take).unwrap_or_default();
        if let Some(entries) = &mut self.entries {
            entries.extend(ops.into_iter().map(|op| Entry { op: Some(op), facts: self.facts.clone() }));
        }
    }

    pub(crate) fn happens(&mut self, event: BandEvent<'_>) {
        self.tell_band(event);
        self.pump();
    }

    fn tell_band(&mut self, event: BandEvent<'_>) {
        self.now = Uptime::from_millis(self.now.as_millis() + 10);
        if !self.is_off() {
            let _ = self.band.handle(event, self.now, &mut self.rng);
        }
    }

    pub(crate) fn pump(&mut self) {
        loop {
            while !self.is_off() && (self.pump_band() | self.pump_wallet()) {
                self.moment();
            }
            if !self.disk.is_late() {
                return;
            }
            self.disk.catch_up();
            self.operations();
        }
    }

    fn pump_band(&mut self) -> bool {
        let (mut moved, mut fragment, mut next) = (false, [0; 514], None);
        while let Some(output) = self.band.poll(&mut fragment) {
            moved = true;
            let change = match output {
                BandOutput::Transmit(bytes) => {
                    if let Some((phone, connection)) = &mut self.connection {
                        let key = SoftwareKey::new(self.facts.phones[*phone].key);
                        let _ = connection.fragment(bytes, &key, &mut self.rng);
                    }
                    continue;
                }
                BandOutput::Signal(signal) => {
                    self.told(signal);
                    continue;
                }
                BandOutput::Disconnect => {
                    self.hang_up();
                    next = next.or(Some(BandEvent::Disconnected));
                    continue;
                }
                BandOutput::Store { key, value } => Change::Store(key, value.to_vec()),
                BandOutput::Erase { key } => Change::Erase(key),
                BandOutput::EraseAll => Change::EraseAll,
            };
            if !self.stores(change) {
                return true;
            }
            next = Some(BandEvent::Stored);
        }
        if let Some(event) = next {
            self.tell_band(event);
        }
        moved
    }

    /// Whether it is stored; else power is gone.
    fn stores(&mut self, change: Change) -> bool {
        self.facts().pending = Some(change.clone());
        let stored = self.disk.change(&change);
        self.operations();
        if stored {
            let facts = self.facts();
            facts.pending = None;
            change.make(Rc::make_mut(&mut facts.acknowledged));
            if let Change::Store(key, value) = &change {
                let secret = secret_in(key.as_u8(), value).filter(|secret| !facts.secrets.iter().any(|known| known == secret));
                let secret = secret.map(<[u8]>::to_vec);
                if secret.is_some() {
                    Rc::make_mut(&mut facts.secrets).extend(secret);
                }
            }
            self.moment();
        }
        stored
    }

    /// The wearer is told something, which nothing can make untold.
    fn told(&mut self, signal: Signal) {
        let (time, ceiling) = self.bringing;
        let facts = Rc::make_mut(&mut self.facts);
        match signal {
            Signal::Paid(..) | Signal::Received(_) => {
                facts.told_time = facts.told_time.max(time);
                if let (Signal::Paid(..), Some((credential, ceiling))) = (signal, ceiling) {
                    let known = facts.ceilings.entry(credential).or_default();
                    *known = ceiling.max(*known);
                }
            }
            Signal::WrongSecret(left) => facts.tries = left,
            Signal::SecretChosen => {
                facts.pins = facts.pins.last().copied().into_iter().collect();
                facts.tries = UNLOCK_TRIES;
            }
            Signal::Unpaired | Signal::Erased => {
                for phone in facts.phones.iter_mut().filter(|phone| phone.hold == Hold::Going) {
                    phone.hold = Hold::Gone;
                }
                if signal == Signal::Erased {
                    facts.pins.clear();
                }
            }
            Signal::UsedElsewhere => self.alarm = true,
            _ => {}
        }
        self.signals.push(signal);
    }

    fn pump_wallet(&mut self) -> bool {
        let mut moved = false;
        while let Some((phone, output)) =
            self.connection.as_mut().and_then(|(phone, connection)| Some((*phone, connection.poll()?)))
        {
            moved = true;
            match output {
                Output::Transmit(fragment) => {
                    self.tell_band(BandEvent::Fragment(&fragment));
                    self.moment();
                    self.pump_band();
                    if self.is_off() {
                        return true;
                    }
                }
                Output::Event(event) => self.heard(phone, event),
                Output::Disconnect => {
                    self.hang_up();
                    self.tell_band(BandEvent::Disconnected);
                }
            }
        }
        moved
    }

    fn heard(&mut self, phone: usize, event: Event) {
        let late = self.setup.order == Order::WalletKeepsLate;
        let facts = Rc::make_mut(&mut self.facts);
        match &event {
            Event::Paired(link) => {
                facts.phones[phone].link = Some(link.to_bytes().to_vec());
                if facts.phones[phone].hold == Hold::Making {
                    facts.phones[phone].hold = Hold::Must;
                }
            }
            // What it counts last says that the introduction is on its way.
            Event::Keep(link) if !(late && link.to_bytes()[Link::LEN - 1] > 0) => {
                facts.phones[phone].link = Some(link.to_bytes().to_vec());
            }
            Event::Linked { used_elsewhere } => self.alarm |= *used_elsewhere,
            Event::Token(token) => facts.tokens.push(token[64..].to_vec()),
            _ => {}
        }
        self.events.push(event);
    }

    pub(crate) fn hang_up(&mut self) {
        if let Some((phone, mut connection)) = self.connection.take() {
            match connection.take_ticket() {
                Some(ticket) => drop(self.tickets.insert(phone, ticket)),
                None => drop(self.tickets.remove(&phone)),
            }
        }
    }

    pub(crate) fn disconnect(&mut self) {
        if self.connection.is_some() {
            self.hang_up();
            self.happens(BandEvent::Disconnected);
        }
    }

    pub(crate) fn connect(&mut self, phone: usize, connection: Connection) {
        self.disconnect();
        self.connection = Some((phone, connection));
        self.happens(BandEvent::Connected(PAYLOAD));
    }

    pub(crate) fn link_of(&self, phone: usize) -> Option<Link> {
        Link::from_bytes(self.facts.phones[phone].link.as_deref()?.try_into().ok()?)
    }

    /// Whether this phone is linked then.
    pub(crate) fn reconnect(&mut self, phone: usize) -> bool {
        let Some(link) = self.link_of(phone) else { return false };
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
            let certificate = self.issuer.certificate(&crate::issuer::Shop::new(), |_| {});
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
        self.pairs_in_window(phone, out_of_band)
    }

    fn pairs_in_window(&mut self, phone: usize, out_of_band: bool) -> bool {
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
        use armring_pairing::{DiffieHellman, Source};
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
        self.say(&ToBand::Enrol { code: armring_wire::EnrolmentCode(code), key_list: Opaque::new(&list).unwrap() });
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

const PAYLOAD: AttPayload = match AttPayload::new(182) {
    Some(payload) => payload,
    None => AttPayload::MIN,
};
