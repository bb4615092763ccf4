//! A band whose keys are in the chip, its flash, and a phone, joined by fragments in memory.

use std::collections::BTreeMap;

use armring_band::{Band, Event, Gesture, Output, Signal, StoreKey};
use armring_pairing::{Code, Link, SoftwareKey};
use armring_token::RootKey;
use armring_wallet::{Connection, Event as WalletEvent, Output as WalletOutput};
use armring_wire::records::band::ToBand;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload, Opaque, Uptime};
use rand_chacha::ChaCha20Rng;

use crate::driver::{Bus, ElementKey, ElementKeys};
use crate::issuer::{CODE, TestIssuer};
use crate::{Result, check};

pub(crate) struct Room {
    band: Band<ElementKey, ElementKeys>,
    pub(crate) bus: Bus,
    /// All that the band's firmware remembers of its own key.
    link_slot: u8,
    root: RootKey,
    pub(crate) flash: BTreeMap<StoreKey, Vec<u8>>,
    /// What the wearer was told.
    pub(crate) signals: Vec<Signal>,
    /// What the phone was told.
    pub(crate) events: Vec<WalletEvent>,
    /// What the band's log says.
    pub(crate) log: Vec<armring_band::Error>,
    phone_key: SoftwareKey,
    link: Option<Vec<u8>>,
    wallet: Option<Connection>,
    rng: ChaCha20Rng,
}

impl Room {
    pub(crate) fn new(bus: Bus, root: RootKey, mut rng: ChaCha20Rng) -> Result<Self> {
        let identity = ElementKey::make(&bus).map_err(|_| "the chip makes no key")?;
        Ok(Self {
            link_slot: identity.slot(),
            band: Band::new(identity, ElementKeys(bus.clone()), root),
            bus,
            root,
            flash: BTreeMap::new(),
            signals: Vec::new(),
            events: Vec::new(),
            log: Vec::new(),
            phone_key: SoftwareKey::generate(&mut rng)?,
            link: None,
            wallet: None,
            rng,
        })
    }

    /// The band loses power, and starts with its flash, the number of a slot, and the chip.
    pub(crate) fn restart_band(&mut self) -> Result<()> {
        self.wallet = None;
        let identity = ElementKey::open(&self.bus, self.link_slot).map_err(|_| "the chip does not answer")?;
        self.band = Band::new(identity, ElementKeys(self.bus.clone()), self.root);
        for key in StoreKey::all() {
            if let Some(value) = self.flash.get(&key) {
                self.band.load(key, value)?;
            }
        }
        Ok(())
    }

    pub(crate) fn pair(&mut self) -> Result<()> {
        self.happens(Event::Gesture(Gesture::Hold));
        self.connect(Connection::pair(AttPayload::new(182).ok_or("no such payload")?));
        let (on_band, in_wallet) = (self.code_on_band(), self.code_in_wallet());
        check(on_band.is_some() && on_band == in_wallet, "both show one code")?;
        let wallet = self.wallet.as_mut().ok_or("no connection")?;
        wallet.code_shown();
        wallet.accept_code(&mut self.rng)?;
        self.carry();
        self.happens(Event::CodeShown);
        self.happens(Event::Gesture(Gesture::Press));
        check(self.signals.contains(&Signal::Paired), "they are paired")
    }

    /// Connects anew; tells whether band and wallet then know that it is they.
    pub(crate) fn reconnect(&mut self) -> Result<bool> {
        if self.wallet.take().is_some() {
            self.happens(Event::Disconnected);
        }
        let link = self.link.as_deref().ok_or("not paired")?.try_into()?;
        let link = Link::from_bytes(link).ok_or("not a link")?;
        self.connect(Connection::reconnect(link, AttPayload::new(182).ok_or("no such payload")?));
        Ok(self.wallet.as_ref().is_some_and(Connection::is_linked))
    }

    /// The wallet relays what band and issuer say to each other, and cannot read it.
    pub(crate) fn enrol(&mut self, issuer: &mut TestIssuer) -> Result<()> {
        let list = issuer.key_list();
        self.say(&ToBand::Enrol { code: CODE, key_list: Opaque::new(&list).ok_or("too long")? })?;
        loop {
            let answer = match self.events.pop() {
                Some(WalletEvent::EnrolStart { versions, message }) => issuer.begin(versions, &message, &mut self.rng),
                Some(WalletEvent::ToIssuer(message)) => issuer.answer(&message),
                Some(WalletEvent::Enrolled(_)) => return Ok(()),
                other => return Err(format!("not enrolled: {other:?}").into()),
            };
            let answer = answer.ok_or("the issuer refuses")?;
            self.say(&ToBand::FromIssuer(Opaque::new(&answer).ok_or("too long")?))?;
        }
    }

    /// Brings a request to the band; gives the token, if there is one without a gesture.
    pub(crate) fn ask_to_pay(&mut self, request: &[u8]) -> Result<Option<Vec<u8>>> {
        self.say(&ToBand::Pay { request: Opaque::new(request).ok_or("too long")? })?;
        Ok(self.token())
    }

    /// The wearer presses; gives the token, if there is one.
    pub(crate) fn press(&mut self) -> Option<Vec<u8>> {
        self.happens(Event::Gesture(Gesture::Press));
        self.token()
    }

    fn token(&mut self) -> Option<Vec<u8>> {
        self.events.drain(..).rev().find_map(|event| if let WalletEvent::Token(token) = event { Some(token) } else { None })
    }

    fn code_on_band(&self) -> Option<Code> {
        self.signals.iter().rev().find_map(|signal| if let Signal::Code(code) = signal { Some(*code) } else { None })
    }

    pub(crate) fn code_in_wallet(&self) -> Option<Code> {
        self.events.iter().rev().find_map(|event| if let WalletEvent::Code(code) = event { Some(*code) } else { None })
    }

    fn say(&mut self, record: &ToBand<'_>) -> Result<()> {
        self.wallet.as_mut().ok_or("no connection")?.say(record)?;
        self.carry();
        Ok(())
    }

    fn connect(&mut self, wallet: Connection) {
        self.wallet = Some(wallet);
        self.happens(Event::Connected(AttPayload::new(182).unwrap_or(AttPayload::MIN)));
    }

    /// Something happens to the band, and all that follows from it.
    pub(crate) fn happens(&mut self, event: Event<'_>) {
        self.tell_band(event);
        self.carry();
    }

    fn tell_band(&mut self, event: Event<'_>) {
        // Nothing here takes time.
        if let Err(error) = self.band.handle(event, Uptime::from_millis(1_000), &mut self.rng) {
            self.log.push(error);
        }
    }

    /// Carries everything to where it belongs until nothing moves.
    fn carry(&mut self) {
        while self.carry_from_band() | self.carry_from_wallet() {}
    }

    fn carry_from_band(&mut self) -> bool {
        let (mut fragment, mut moved, mut then) = ([0; ATT_PAYLOAD_MAX], false, None);
        while let Some(output) = self.band.poll(&mut fragment) {
            moved = true;
            match output {
                Output::Transmit(bytes) => {
                    if let Some(wallet) = &mut self.wallet {
                        // What the wallet makes of it, it says by its outputs.
                        let _ = wallet.fragment(bytes, &self.phone_key, &mut self.rng);
                    }
                }
                Output::Store { key, value } => {
                    self.flash.insert(key, value.to_vec());
                    then = Some(Event::Stored);
                }
                Output::Erase { key } => {
                    self.flash.remove(&key);
                    then = Some(Event::Stored);
                }
                Output::EraseAll => {
                    self.flash.clear();
                    then = Some(Event::Stored);
                }
                Output::Signal(signal) => self.signals.push(signal),
                Output::Disconnect => {
                    self.wallet = None;
                    then = then.or(Some(Event::Disconnected));
                }
            }
        }
        if let Some(event) = then {
            self.tell_band(event);
        }
        moved
    }

    fn carry_from_wallet(&mut self) -> bool {
        let Some(output) = self.wallet.as_mut().and_then(Connection::poll) else { return false };
        match output {
            WalletOutput::Transmit(fragment) => {
                self.tell_band(Event::Fragment(&fragment));
                while self.carry_from_band() {}
            }
            WalletOutput::Event(event) => {
                if let WalletEvent::Paired(link) | WalletEvent::Keep(link) = &event {
                    self.link = Some(link.to_bytes().to_vec());
                }
                self.events.push(event);
            }
            WalletOutput::Disconnect => {
                self.wallet = None;
                self.tell_band(Event::Disconnected);
            }
        }
        true
    }
}
