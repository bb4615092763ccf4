//! The band's host: its flash, which may fail, the power, which may go, and its radio.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use armring_band::{
    Band, CallerError, Error, Event, Face, KeyError, KeyHandle, OpenKey, Output, PaymentKeys, Signal, SoftwareKeys, StoreKey,
};
use armring_pairing::PairingSecret;
use armring_wallet::{Event as Told, Output as WalletOutput};
use armring_wire::records::band::ToWallet;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload, Uptime, VersionRange, decode_record};
use ed25519_dalek::SigningKey;
use rand_core::TryCryptoRng;

use super::peer::{Line, Phone};
use super::rules::Rules;
use crate::cast::{self, Draws, Shared};
use crate::flash::Flash;

/// What the flash does with what it is to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Works {
    Well,
    /// Says that it failed.
    Fails,
    /// Says nothing until it is asked again.
    Slowly,
    /// Power is lost with the next one, which then is there or not.
    CutWith(bool),
}

pub(super) enum Change {
    Store(StoreKey, Vec<u8>),
    Erase(StoreKey),
    EraseAll,
}

/// What follows from an output.
enum Follows {
    /// This, if it was not an erasure.
    Stored(Option<(StoreKey, Vec<u8>)>),
    StoreFailed,
    Disconnected,
}

/// An enrolment's message on its way to the issuer.
pub(super) enum ToIssuer {
    Start(VersionRange, Vec<u8>),
    Next(Vec<u8>),
}

pub(super) struct Room {
    pub(super) band: Band<Shared, Keys>,
    keys: Keys,
    pub(super) face: Face,
    has_label: bool,
    pub(super) flash: Flash,
    pub(super) works: Works,
    pub(super) unsettled: Option<Change>,
    pub(super) payload: AttPayload,
    pub(super) phones: [Phone; 3],
    /// The phone that is there.
    pub(super) who: usize,
    pub(super) line: Line,
    pub(super) to_issuer: Option<ToIssuer>,
    pub(super) token: Option<Vec<u8>>,
    pub(super) request: Option<Vec<u8>>,
    follows: VecDeque<Follows>,
    pub(super) rules: Rules,
    pub(super) now: Uptime,
    pub(super) rng: Draws,
}

impl Room {
    pub(super) fn new(flash: Flash, face: Face, has_label: bool, payload: AttPayload) -> Self {
        let keys = Keys::default();
        let mut room = Self {
            band: Band::new(Shared::band(), keys.clone(), cast::root_key()),
            keys,
            face,
            has_label,
            rules: Rules::new(&flash),
            flash,
            works: Works::Well,
            unsettled: None,
            payload,
            phones: [0, 1, 2].map(Phone::new),
            who: 0,
            line: Line::Nobody,
            to_issuer: None,
            token: None,
            request: None,
            follows: VecDeque::new(),
            now: Uptime::from_millis(1_000),
            rng: Draws::new(None),
        };
        room.load();
        room
    }

    pub(super) fn fail_keys(&self, fail: bool) {
        self.keys.fail.set(fail);
    }

    /// The band loses power, and starts again with what is in its flash.
    pub(super) fn restart(&mut self) {
        self.hang_up();
        self.unsettled = None;
        self.follows.clear();
        self.rules.restarts();
        self.load();
    }

    fn load(&mut self) {
        let fail = self.keys.fail.replace(false);
        let band = Band::new(Shared::band(), self.keys.clone(), cast::root_key()).with_face(self.face);
        self.band = if self.has_label { band.with_label(PairingSecret::new(LABEL)) } else { band };
        for key in StoreKey::all() {
            if let Some(value) = self.flash.get(&key) {
                self.band.load(key, value).expect("what it stored it loads");
            }
        }
        self.keys.fail.set(fail);
    }

    pub(super) fn hang_up(&mut self) {
        if let Line::Wallet(mut connection) = std::mem::replace(&mut self.line, Line::Nobody) {
            self.phones[self.who].ticket = connection.take_ticket();
        }
    }

    /// Something happens to the band, and all that follows from it.
    pub(super) fn happens(&mut self, event: Event<'_>) {
        self.handle(event);
        self.settle_down();
    }

    pub(super) fn settle_down(&mut self) {
        loop {
            let moved = self.poll_band();
            let event = match self.follows.pop_front() {
                Some(Follows::Stored(value)) => {
                    if let Some((key, value)) = value {
                        self.rules.durable(key, &value);
                    }
                    Event::Stored
                }
                Some(Follows::StoreFailed) => Event::StoreFailed,
                Some(Follows::Disconnected) => Event::Disconnected,
                None if self.poll_wallet() => continue,
                None if moved => continue,
                None => return,
            };
            self.handle(event);
        }
    }

    /// Gives the band an event and leaves what it wants done.
    pub(super) fn handle(&mut self, event: Event<'_>) {
        let result = self.band.handle(event, self.now, &mut self.rng);
        match result {
            Err(Error::Caller(CallerError::Undrained | CallerError::Storing)) => {}
            _ => {
                self.rules.happens(&event, self.now);
                self.rules.refused(matches!(result, Err(Error::Peer(_))));
            }
        }
        if matches!(event, Event::Tick) && result.is_ok() {
            let now = self.now;
            assert!(self.band.deadline().is_none_or(|deadline| deadline > now), "a tick for nothing, again and again");
        }
    }

    fn poll_band(&mut self) -> bool {
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        let mut moved = false;
        while let Some(output) = self.band.poll(&mut fragment) {
            moved = true;
            let change = match output {
                Output::Transmit(bytes) => {
                    assert!(bytes.len() <= self.payload.bytes());
                    match &mut self.line {
                        Line::Wallet(connection) => {
                            drop(connection.fragment(bytes, &self.phones[self.who].key, &mut self.rng));
                        }
                        Line::Stranger(stranger) => stranger.hears(bytes),
                        Line::Nobody => {}
                    }
                    self.read();
                    continue;
                }
                Output::Signal(signal) => {
                    self.rules.signals(signal);
                    if matches!(signal, Signal::Erased) {
                        assert!(self.flash.is_empty());
                    }
                    continue;
                }
                Output::Disconnect => {
                    self.hang_up();
                    self.follows.push_back(Follows::Disconnected);
                    continue;
                }
                Output::Store { key, value } => {
                    self.rules.stores(key, value, &self.flash);
                    Change::Store(key, value.to_vec())
                }
                Output::Erase { key } => {
                    self.rules.erases(Some(key), self.keys.fail.get());
                    Change::Erase(key)
                }
                Output::EraseAll => {
                    self.rules.erases(None, self.keys.fail.get());
                    Change::EraseAll
                }
            };
            if !self.is_to_change(change) {
                return true;
            }
        }
        moved
    }

    /// Whether the band still has power.
    fn is_to_change(&mut self, change: Change) -> bool {
        assert!(self.unsettled.is_none(), "one thing is stored at a time");
        match self.works {
            Works::Well => {
                // It lasts once the band has been told so, and may be said from then on.
                let stored = self.changes(change);
                self.follows.push_back(Follows::Stored(stored));
            }
            Works::Fails => self.follows.push_back(Follows::StoreFailed),
            Works::Slowly => self.unsettled = Some(change),
            Works::CutWith(kept) => {
                if kept {
                    self.settles(change);
                }
                self.works = Works::Well;
                self.restart();
                return false;
            }
        }
        true
    }

    /// What is stored now, if anything is.
    fn changes(&mut self, change: Change) -> Option<(StoreKey, Vec<u8>)> {
        match change {
            Change::Store(key, value) => {
                self.flash.insert(key, value.clone());
                return Some((key, value));
            }
            Change::Erase(key) => drop(self.flash.remove(&key)),
            Change::EraseAll => self.flash.clear(),
        }
        None
    }

    /// The change lasts, whether or not the band hears of it.
    pub(super) fn settles(&mut self, change: Change) {
        if let Some((key, value)) = self.changes(change) {
            self.rules.durable(key, &value);
        }
    }

    /// One thing that a wallet wants done; whether there was one.
    fn poll_wallet(&mut self) -> bool {
        let Line::Wallet(connection) = &mut self.line else { return false };
        match connection.poll() {
            None => return false,
            Some(WalletOutput::Transmit(fragment)) => self.handle(Event::Fragment(&fragment)),
            Some(WalletOutput::Event(told)) => self.told(told),
            Some(WalletOutput::Disconnect) => {
                self.hang_up();
                self.handle(Event::Disconnected);
            }
        }
        true
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Paired(link) | Told::Keep(link) => self.phones[self.who].link = Some(link),
            Told::Token(token) => self.said_token(token),
            Told::Request(request) => self.said_request(request),
            Told::EnrolStart { versions, message } => self.to_issuer = Some(ToIssuer::Start(versions, message)),
            Told::ToIssuer(message) => self.to_issuer = Some(ToIssuer::Next(message)),
            _ => {}
        }
    }

    /// What the band said to one who opens it without a wallet.
    fn read(&mut self) {
        let Line::Stranger(stranger) = &mut self.line else { return };
        for record in stranger.opened() {
            match decode_record(&record) {
                Ok(ToWallet::Token { token }) => self.said_token(token.as_bytes().to_vec()),
                Ok(ToWallet::Request { request }) => self.said_request(request.as_bytes().to_vec()),
                Ok(ToWallet::EnrolStart { versions, message }) => {
                    self.to_issuer = Some(ToIssuer::Start(versions, message.as_bytes().to_vec()));
                }
                Ok(ToWallet::ToIssuer(message)) => self.to_issuer = Some(ToIssuer::Next(message.as_bytes().to_vec())),
                _ => {}
            }
        }
    }

    fn said_token(&mut self, token: Vec<u8>) {
        self.rules.says_token(&token);
        self.token = Some(token);
    }

    fn said_request(&mut self, request: Vec<u8>) {
        self.rules.says_request(&request);
        self.request = Some(request);
    }
}

/// The secret on the band's label.
pub(super) const LABEL: [u8; 32] = [0x51; 32];

/// Payment keys in software, in a machine that may fail.
#[derive(Clone, Default)]
pub(super) struct Keys {
    fail: Rc<Cell<bool>>,
}

impl PaymentKeys for Keys {
    type Signer = SigningKey;

    fn create<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<KeyHandle, KeyError> {
        if self.fail.get() { Err(KeyError) } else { SoftwareKeys.create(rng) }
    }

    fn open(&self, handle: &KeyHandle) -> Result<OpenKey<SigningKey>, KeyError> {
        if self.fail.get() { Err(KeyError) } else { SoftwareKeys.open(handle) }
    }
}
