//! A band and a wallet in one room, joined by fragments, with everything that can go wrong between them.

pub(crate) mod fake;
pub(crate) mod issuer;
pub(crate) mod market;
pub(crate) mod moving;
mod pump;
pub(crate) mod steps;
pub(crate) mod ways;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use armring_band::{Band, Event as BandEvent, Face, KeyError, KeyHandle, OpenKey, PaymentKeys, Signal, SoftwareKeys, StoreKey};
use armring_pairing::{Link, MESSAGE_MAX, PairingSecret, ResumeTicket, SoftwareKey};
use armring_token::RootKey;
use armring_wallet::{Connection, Event};
use armring_wire::{AttPayload, Fragmenter, Reassembler, Uptime};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng, TryCryptoRng};

/// What the band's flash does with what it is to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flash {
    Works,
    /// Stores nothing and says so.
    Fails,
    /// Says nothing until [`Room::settle`].
    Slow,
    /// Power is lost at the store after this many, which then is in the flash or not.
    CutAfter(usize, bool),
}

pub(crate) struct Room {
    pub(crate) band: Band<SoftwareKey, TestKeys>,
    /// What its maker says of its keys.
    pub(crate) keys: TestKeys,
    pub(crate) band_key: [u8; 32],
    pub(crate) face: Face,
    /// The secret on the band's label.
    pub(crate) label: Option<[u8; 32]>,
    pub(crate) phone: Phone,
    pub(crate) connection: Option<Connection>,
    pub(crate) payload: AttPayload,
    pub(crate) storage: BTreeMap<StoreKey, Vec<u8>>,
    pub(crate) flash: Flash,
    /// What the slow flash has not done yet.
    pub(crate) unsettled: Option<Change>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) events: Vec<Event>,
    pub(crate) errors: Vec<String>,
    /// Fragments that the wallet wrote over this connection.
    pub(crate) written: Vec<Vec<u8>>,
    /// What the band said to a peer that is no wallet.
    pub(crate) heard: Vec<Vec<u8>>,
    ear: Reassembler<Vec<u8>>,
    mouth: Fragmenter,
    pub(crate) power_cuts: usize,
    /// After how many fragments, of whichever side, the radio is gone in the middle of one. The next connection is not cut.
    pub(crate) radio: Option<usize>,
    /// Sees each fragment on the radio, may change it, and says whether it arrives.
    pub(crate) meddler: Option<Meddler>,
    pub(crate) root: RootKey,
    pub(crate) now: Uptime,
    pub(crate) rng: ChaCha20Rng,
    /// How often band and wallet asked the allocator for memory.
    pub(crate) allocations: Allocations,
}

/// Of the code under test alone, not of the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocations {
    pub(crate) band: u64,
    pub(crate) wallet: u64,
}

/// Does `work` and adds to `count` how often it allocated.
pub(crate) fn counted<T>(count: &mut u64, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    *count += allocation_counter::measure(|| result = Some(work())).count_total;
    result.unwrap()
}

pub(crate) type Meddler = Box<dyn FnMut(Way, &mut Vec<u8>) -> bool>;

/// Which way a fragment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToBand,
    ToWallet,
}

/// What the flash is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Store(StoreKey, Vec<u8>),
    Erase(StoreKey),
    EraseAll,
}

/// Payment keys in software, of which a maker says that they are not.
#[derive(Clone, Default)]
pub(crate) struct TestKeys {
    /// How many bytes the maker says, the challenge first.
    pub(crate) says: usize,
    /// Whether the secure element fails when it is to say them.
    pub(crate) fails: bool,
    /// Whether it opens no key, from now on.
    pub(crate) is_shut: Rc<Cell<bool>>,
}

impl PaymentKeys for TestKeys {
    type Signer = SigningKey;

    fn create<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<KeyHandle, KeyError> {
        SoftwareKeys.create(rng)
    }

    fn open(&self, handle: &KeyHandle) -> Result<OpenKey<SigningKey>, KeyError> {
        if self.is_shut.get() { Err(KeyError) } else { SoftwareKeys.open(handle) }
    }

    fn attest(&self, handle: &KeyHandle, challenge: &[u8; 32], out: &mut [u8]) -> Result<usize, KeyError> {
        let said = [*challenge, *self.open(handle)?.public.as_bytes()];
        for (place, byte) in out.iter_mut().zip(said.as_flattened()).take(self.says) {
            *place = *byte;
        }
        if self.fails { Err(KeyError) } else { Ok(self.says) }
    }
}

/// A phone: its key, the link that its wallet stored, and what it may resume with, which the app keeps in memory.
pub(crate) struct Phone {
    pub(crate) key: SoftwareKey,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) ticket: Option<ResumeTicket>,
}

impl Phone {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        Self { key: SoftwareKey::generate(rng).unwrap(), link: None, ticket: None }
    }
}

impl Room {
    pub(crate) fn new(seed: u64, att_payload: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let band_key = *SoftwareKey::generate(&mut rng).unwrap().expose();
        let root = RootKey::from_bytes(SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap();
        let payload = AttPayload::new(att_payload).unwrap();
        let keys = TestKeys::default();
        Self {
            band: Band::new(SoftwareKey::new(band_key), keys.clone(), root),
            keys,
            band_key,
            face: Face::Lights,
            label: None,
            phone: Phone::new(&mut rng),
            connection: None,
            payload,
            storage: BTreeMap::new(),
            flash: Flash::Works,
            unsettled: None,
            signals: Vec::new(),
            events: Vec::new(),
            errors: Vec::new(),
            written: Vec::new(),
            heard: Vec::new(),
            ear: Reassembler::new(vec![0; MESSAGE_MAX]),
            mouth: Fragmenter::new(payload),
            power_cuts: 0,
            radio: None,
            meddler: None,
            root,
            now: Uptime::from_millis(1_000),
            rng,
            allocations: Allocations::default(),
        }
    }

    /// The band loses power and starts again with what it stored.
    pub(crate) fn restart_band(&mut self) {
        self.hang_up();
        self.unsettled = None;
        let band = Band::new(SoftwareKey::new(self.band_key), self.keys.clone(), self.root).with_face(self.face);
        self.band = match self.label {
            Some(secret) => band.with_label(PairingSecret::new(secret)),
            None => band,
        };
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
        self.happens_to_band(event);
        self.pump();
    }

    pub(crate) fn connect(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.written.clear();
        self.happens(BandEvent::Connected(self.payload));
    }

    /// A peer connects that is no wallet: it speaks with [`Room::utter`].
    pub(crate) fn connect_stranger(&mut self) {
        if self.connection.is_some() {
            self.disconnect();
        }
        self.heard.clear();
        self.ear.reset();
        self.mouth = Fragmenter::new(self.payload);
        self.happens(BandEvent::Connected(self.payload));
    }

    /// The stranger sends again what a wallet once wrote.
    pub(crate) fn replay(&mut self, fragments: &[Vec<u8>]) {
        for fragment in fragments {
            // What it sends next of its own has the numbers after these.
            let _ = self.mouth.cut(&[0], 0, &mut [0; 20]);
            self.happens(BandEvent::Fragment(fragment));
        }
    }

    /// The stranger sends `message`.
    pub(crate) fn utter(&mut self, message: &[u8]) {
        let (mut sent, mut fragment) = (0, vec![0; self.payload.bytes()]);
        while let Some((len, next)) = self.mouth.cut(message, sent, &mut fragment) {
            sent = next;
            self.happens(BandEvent::Fragment(&fragment[..len]));
        }
    }

    /// The phone has no connection any more.
    fn hang_up(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            self.phone.ticket = connection.take_ticket();
        }
    }

    pub(crate) fn disconnect(&mut self) {
        self.hang_up();
        self.happens(BandEvent::Disconnected);
    }

    fn happens_to_band(&mut self, event: BandEvent<'_>) {
        let handled = counted(&mut self.allocations.band, || self.band.handle(event, self.now, &mut self.rng));
        if let Err(error) = handled {
            self.errors.push(format!("band: {error}"));
        }
    }

    pub(crate) fn stored_link(&self) -> Link {
        Link::from_bytes(self.phone.link.as_deref().unwrap().try_into().unwrap()).unwrap()
    }
}
