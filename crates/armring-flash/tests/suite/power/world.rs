//! A band, its flash and the phones around it, joined by fragments; and a journal of what happens.

use std::collections::BTreeMap;
use std::rc::Rc;

use armring_band::{Band, Event as BandEvent, Face, Output as BandOutput, Signal, SoftwareKeys, StoreKey, UNLOCK_TRIES};
use armring_pairing::{Link, PairingSecret, ResumeTicket, SoftwareKey};
use armring_token::{FreeCount, Minor};
use armring_wallet::{Connection, Event, Output};
use armring_wire::{AttPayload, Uptime};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::disk::{Change, Chip, Disk, Order, PAGES, Values};
use super::facts::{Entry, Facts, Hold, Phone, secret_in};
use super::issuer::TestIssuer;

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
    /// How many tokens had left the band when it started.
    pub(crate) known: usize,
    pub(crate) issuer: TestIssuer,
    now: Uptime,
    pub(crate) rng: ChaCha20Rng,
}

pub(crate) const BAND_KEY: [u8; 32] = [7; 32];

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
            known: 0,
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
        phones.push(Phone { key, link: None, hold: Hold::Making, credential: None, replaces: None });
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
        self.facts().at = phone;
        self.connection = Some((phone, connection));
        self.happens(BandEvent::Connected(PAYLOAD));
    }
}

pub(crate) const PAYLOAD: AttPayload = match AttPayload::new(182) {
    Some(payload) => payload,
    None => AttPayload::MIN,
};
