//! A band and a wallet in one room, joined by fragments.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use armring_band::{Band, Event as BandEvent, Gesture, Output as BandOutput, Signal, SoftwareKeys, StoreKey};
use armring_pairing::{Link, SoftwareKey};
use armring_token::{Root, RootKey, Signing};
use armring_wallet::{Connection, Event, Output};
use armring_wire::records::band::ToBand;
use armring_wire::{AttPayload, Digits, Uptime};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) struct Room {
    pub(crate) band: Band<SoftwareKey, SoftwareKeys>,
    pub(crate) band_key: [u8; 32],
    pub(crate) wallet_key: SoftwareKey,
    pub(crate) connection: Option<Connection>,
    pub(crate) payload: AttPayload,
    pub(crate) storage: BTreeMap<StoreKey, Vec<u8>>,
    /// Whether what is to be stored is reported as stored at once.
    pub(crate) storage_works: bool,
    pub(crate) signals: Vec<Signal>,
    pub(crate) events: Vec<Event>,
    pub(crate) errors: Vec<String>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) root: RootKey,
    pub(crate) now: Uptime,
    pub(crate) rng: ChaCha20Rng,
}

pub(crate) fn root_signing() -> Signing<Root, SigningKey> {
    Signing::new(SigningKey::from_bytes(&[1; 32]))
}

pub(crate) fn root_key() -> RootKey {
    RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap()
}

impl Room {
    pub(crate) fn new(seed: u64, att_payload: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let band_key = *SoftwareKey::generate(&mut rng).unwrap().expose();
        let wallet_key = SoftwareKey::generate(&mut rng).unwrap();
        Self {
            band: Band::new(SoftwareKey::new(band_key), SoftwareKeys, root_key()),
            band_key,
            wallet_key,
            connection: None,
            payload: AttPayload::new(att_payload).unwrap(),
            storage: BTreeMap::new(),
            storage_works: true,
            signals: Vec::new(),
            events: Vec::new(),
            errors: Vec::new(),
            link: None,
            root: root_key(),
            now: Uptime::from_millis(1_000),
            rng,
        }
    }

    /// The band loses power and starts again with what it stored.
    pub(crate) fn restart_band(&mut self) {
        self.connection = None;
        self.band = Band::new(SoftwareKey::new(self.band_key), SoftwareKeys, self.root);
        for key in StoreKey::all() {
            if let Some(value) = self.storage.get(&key) {
                self.band.load(key, value).unwrap();
            }
        }
    }

    pub(crate) fn wait(&mut self, milliseconds: u64) {
        self.now = Uptime::from_millis(self.now.as_millis() + milliseconds);
        self.happens(BandEvent::Tick);
    }

    /// Something happens to the band, and all that follows from it.
    pub(crate) fn happens(&mut self, event: BandEvent<'_>) {
        self.to_band(event);
        self.pump();
    }

    pub(crate) fn gesture(&mut self, gesture: Gesture) {
        self.happens(BandEvent::Gesture(gesture));
    }

    pub(crate) fn connect(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.happens(BandEvent::Connected(self.payload));
    }

    pub(crate) fn disconnect(&mut self) {
        if self.connection.take().is_some() {
            self.happens(BandEvent::Disconnected);
        }
    }

    pub(crate) fn say(&mut self, record: &ToBand<'_>) {
        self.connection.as_mut().unwrap().say(record).unwrap();
        self.pump();
    }

    fn to_band(&mut self, event: BandEvent<'_>) {
        if let Err(error) = self.band.handle(event, self.now, &mut self.rng) {
            self.errors.push(format!("band: {error}"));
        }
    }

    /// Carries everything to where it belongs until nothing moves.
    pub(crate) fn pump(&mut self) {
        loop {
            let moved = self.pump_band() | self.pump_wallet();
            if !moved {
                break;
            }
        }
    }

    fn pump_band(&mut self) -> bool {
        let mut fragment = [0; 514];
        let mut moved = false;
        let mut next = None;
        while let Some(output) = self.band.poll(&mut fragment) {
            moved = true;
            match output {
                BandOutput::Transmit(bytes) => {
                    let Some(connection) = &mut self.connection else { continue };
                    if let Err(error) = connection.fragment(bytes, &self.wallet_key, &mut self.rng) {
                        self.errors.push(format!("wallet: {error}"));
                    }
                }
                BandOutput::Store { key, value } => {
                    if self.storage_works {
                        self.storage.insert(key, value.to_vec());
                    }
                    next = Some(if self.storage_works { BandEvent::Stored } else { BandEvent::StoreFailed });
                }
                BandOutput::EraseAll => {
                    self.storage.clear();
                    next = Some(BandEvent::Stored);
                }
                BandOutput::Signal(signal) => self.signals.push(signal),
                BandOutput::Disconnect => {
                    self.connection = None;
                    next = next.or(Some(BandEvent::Disconnected));
                }
            }
        }
        if let Some(event) = next {
            self.to_band(event);
        }
        moved
    }

    fn pump_wallet(&mut self) -> bool {
        let mut moved = false;
        while let Some(output) = self.connection.as_mut().and_then(Connection::poll) {
            moved = true;
            match output {
                Output::Transmit(fragment) => {
                    self.to_band(BandEvent::Fragment(&fragment));
                    self.pump_band();
                }
                Output::Event(event) => {
                    if let Event::Paired(link) | Event::Linked(link) = &event {
                        self.link = Some(link.to_bytes().to_vec());
                    }
                    self.events.push(event);
                }
                Output::Disconnect => {
                    self.connection = None;
                    self.to_band(BandEvent::Disconnected);
                }
            }
        }
        moved
    }

    pub(crate) fn code_on_band(&self) -> Option<Digits> {
        self.signals.iter().rev().find_map(|signal| if let Signal::Code(digits) = signal { Some(*digits) } else { None })
    }

    pub(crate) fn code_in_wallet(&self) -> Option<Digits> {
        self.events.iter().rev().find_map(|event| if let Event::Code(digits) = event { Some(*digits) } else { None })
    }

    pub(crate) fn stored_link(&self) -> Link {
        Link::from_bytes(self.link.as_deref().unwrap().try_into().unwrap()).unwrap()
    }

    pub(crate) fn pair(&mut self) {
        self.gesture(Gesture::Hold);
        self.connect(Connection::pair(self.payload));
        assert_eq!(self.code_on_band(), self.code_in_wallet());
        self.happens(BandEvent::CodeShown);
        self.connection.as_mut().unwrap().code_shown();
        self.connection.as_mut().unwrap().accept_code(&mut self.rng).unwrap();
        self.pump();
        self.gesture(Gesture::Press);
        assert!(self.signals.contains(&Signal::Paired), "{:?} {:?}", self.signals, self.errors);
        self.disconnect();
    }

    pub(crate) fn reconnect(&mut self) {
        let link = self.stored_link();
        self.connect(Connection::reconnect(link, self.payload));
    }
}
