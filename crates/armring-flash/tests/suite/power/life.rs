//! What people do with a band, from its first PIN to its reset: each thing is a flow, and power is cut everywhere in it.

use armring_band::{Event as BandEvent, Gesture, Secret, Signal, UNLOCK_TRIES};
use armring_token::{
    Counter, Form, Gesture as Made, Minor, Object, PaymentRequest, PaymentToken, Presence, Signing, Unlocking, Unverified,
};
use armring_wallet::Event;
use armring_wire::records::band::ToBand;
use armring_wire::{Opaque, Outcome, PayeeId, PayeeRef, Text, encode};
use ed25519_dalek::SigningKey;
use rand_chacha::rand_core::Rng;

use super::cutter::Cutter;
use super::facts::{Facts, Hold};
use super::issuer::{at, yuan};
use super::world::{Setup, World};

/// A payee's request for so many hundredths.
pub(crate) fn request(world: &mut World, minor: u64, expiry: u32) -> Vec<u8> {
    let mut nonce = [0; 16];
    world.rng.fill_bytes(&mut nonce);
    let payee = PayeeRef::Certificate(PayeeId(*b"teahouse"));
    let memo = Text::new("tea for two").unwrap();
    let request = PaymentRequest { form: Form, payee, amount: yuan(minor), nonce, expiry: at(expiry), memo };
    if world.setup.face != armring_band::Face::Display {
        // No other band looks at the signature.
        let mut object = [0; PaymentRequest::MAX_LEN];
        let len = encode(&request, &mut object[64..]).unwrap().len();
        return object[..64 + len].to_vec();
    }
    let (fingerprint, key) = (world.issuer.fingerprint(), SigningKey::from_bytes(&[4; 32]));
    request.sign(&fingerprint, &Signing::new(key), &mut [0; PaymentRequest::MAX_LEN]).unwrap().to_vec()
}

pub(crate) struct Life<'a> {
    world: World,
    cutter: &'a mut Cutter,
    /// What the issuer's clock says.
    clock: u32,
    /// The latest token, and the phone that has it.
    token: Option<(usize, Vec<u8>)>,
}

impl<'a> Life<'a> {
    pub(crate) fn new(setup: Setup, seed: u64, cutter: &'a mut Cutter) -> Self {
        let world = World::new(setup, Facts { epoch: (1, 1_000), ..Facts::default() }, seed);
        cutter.begins();
        Self { world, cutter, clock: 2_000, token: None }
    }

    fn flow<T>(&mut self, name: &'static str, flow: impl FnOnce(&mut World) -> T) -> T {
        self.world.chip.0.borrow_mut().journal = Some(Vec::new());
        let before = self.world.chip.raw();
        self.world.entries = Some(Vec::new());
        let result = flow(&mut self.world);
        let entries = self.world.entries.take().unwrap();
        self.cutter.cut_everywhere(name, before, &entries, self.world.setup);
        result
    }

    /// From the first PIN to a reset.
    pub(crate) fn live(&mut self, rounds: usize) {
        self.chooses_pin("a first PIN");
        let first = self.pairs_and_enrols(false);
        self.goes_on(first, rounds);
        let second = self.pairs_and_enrols(true);
        self.goes_on(second, rounds / 2);
        let third = self.replaces(first);
        self.goes_on(third, rounds);
        self.goes_on(second, rounds / 4);
        self.unpairs_others(third, second);
        self.goes_on(third, rounds / 4);
        let fourth = self.pairs_and_enrols(false);
        self.unpairs(fourth);
        self.goes_on(third, rounds / 4);
        self.resets();
        self.chooses_pin("a first PIN");
        let fifth = self.pairs_and_enrols(true);
        self.goes_on(fifth, rounds / 4);
    }

    fn chooses_pin(&mut self, name: &'static str) {
        let mut pin = [0; 4];
        self.world.rng.fill_bytes(&mut pin);
        pin[0] |= 0x80;
        let chosen = self.flow(name, |world| {
            let facts = world.facts();
            facts.pins.push(pin);
            if facts.pins.len() == 1 {
                facts.tries = UNLOCK_TRIES;
            }
            world.signals.clear();
            world.happens(BandEvent::Chosen(Secret::pin(&pin).unwrap()));
            world.signals.contains(&Signal::SecretChosen)
        });
        assert!(chosen, "{:?}", self.world.signals);
        self.world.put_on();
    }

    fn pairs_and_enrols(&mut self, out_of_band: bool) -> usize {
        let phone = self.world.new_phone();
        let name = match (self.world.setup.face, out_of_band) {
            (armring_band::Face::Button, _) => "pair by press",
            (_, false) => "pair by code",
            (_, true) => "pair out of band",
        };
        let out_of_band = out_of_band && self.world.setup.face != armring_band::Face::Button;
        assert!(self.flow(name, |world| world.pairs(phone, out_of_band)), "{name}");
        assert!(self.flow("first reconnect", |world| world.reconnect(phone)));
        let mut code = [0; 16];
        self.world.rng.fill_bytes(&mut code);
        let enrolled = self.flow("enrol", |world| {
            world.facts().enrolling = Some((phone, code, None));
            let enrolled = world.enrols(phone, code);
            world.facts().enrolling = None;
            enrolled
        });
        assert!(enrolled.is_some(), "{:?}", self.world.events);
        self.world.put_on();
        phone
    }

    /// So many things of every day.
    fn goes_on(&mut self, phone: usize, rounds: usize) {
        if !self.world.is_linked() || self.world.connection.as_ref().is_none_or(|(at, _)| *at != phone) {
            assert!(self.flow("reconnect", |world| world.reconnect(phone)));
            self.world.put_on();
        }
        for _ in 0..rounds {
            match self.world.rng.next_u32() % 16 {
                0 | 1 => assert!(self.flow("reconnect", |world| world.reconnect(phone))),
                2 => {
                    self.world.hang_up();
                    self.world.happens(BandEvent::Disconnected);
                    assert!(self.flow("resume", |world| world.resume(phone)));
                }
                3 => self.is_paid(phone),
                5 if self.world.rng.next_u32().is_multiple_of(4) => self.chooses_pin("another PIN"),
                4 | 5 => self.enters_pins(),
                6 => self.gets_key_list(),
                7 => self.pays(phone, "pay with an unlock", 6_000, None),
                8..11 => self.pays(phone, "pay with a press", 300, None),
                11 | 12 => self.pays(phone, "pay for free", 70, None),
                _ => self.gets_receipt(),
            }
        }
    }

    fn pays(&mut self, phone: usize, name: &'static str, minor: u64, expiry: Option<u32>) {
        let request = request(&mut self.world, minor, expiry.unwrap_or(50_000));
        let token = self.flow(name, |world| {
            world.facts().request = Some((phone, request.clone()));
            let token = world.pays(&request);
            world.facts().request = None;
            token
        });
        self.token = Some((phone, token.unwrap_or_else(|| panic!("{name}: {:?}", self.world.events))));
    }

    fn gets_receipt(&mut self) {
        let Some((_, token)) = self.token.take() else { return };
        self.clock += 7;
        let (clock, claims) = (self.clock, *Unverified::<PaymentToken>::parse(&token).unwrap().claims());
        let ceiling = claims.cumulative.0 + 8_000;
        let receipt = self.world.issuer.receipt(&token, Outcome::Settled, clock, ceiling);
        let told = self.flow("receipt", |world| {
            world.signals.clear();
            world.bringing = (clock, Some((claims.credential.0, ceiling)));
            world.say(&ToBand::Paid { receipt: Opaque::new(&receipt).unwrap() });
            world.signals.iter().any(|signal| matches!(signal, Signal::Paid(..)))
        });
        assert!(told || self.world.events.iter().any(|event| matches!(event, Event::Declined(_))), "{:?}", self.world.events);
    }

    /// The wearer asks to be paid, and is: so a refund comes too.
    fn is_paid(&mut self, phone: usize) {
        self.clock += 7;
        let clock = self.clock;
        let told = self.flow("be paid", |world| {
            world.events.clear();
            world.say(&ToBand::Receive { amount: yuan(400), expiry: at(50_000), memo: Text::new("").unwrap() });
            world.gesture(Gesture::DoublePress);
            let request =
                world.events.iter().find_map(|event| if let Event::Request(bytes) = event { Some(bytes.clone()) } else { None });
            let Some(request) = request else { return false };
            let fingerprint = world.issuer.fingerprint();
            let parsed = Unverified::<PaymentRequest<'_>>::parse(&request).unwrap();
            let token = PaymentToken {
                form: Form,
                credential: armring_wire::CredentialId(*b"somebody"),
                payee: parsed.claims().payee,
                request: parsed.request_digest(&fingerprint),
                amount: yuan(400),
                counter: Counter(1),
                cumulative: Minor(400),
                presence: Presence { minutes_worn: 1, unlocking: Unlocking::Pin, gesture: Made::Press, online_only: false },
            };
            let payer = Signing::new(SigningKey::from_bytes(&[6; 32]));
            let token = token.sign(&fingerprint, &payer, &mut [0; PaymentToken::LEN]).unwrap().to_vec();
            let receipt = world.issuer.receipt(&token, Outcome::Settled, clock, 1);
            world.signals.clear();
            world.bringing = (clock, None);
            world.say(&ToBand::Received { token: Opaque::new(&token).unwrap(), receipt: Opaque::new(&receipt).unwrap() });
            world.signals.iter().any(|signal| matches!(signal, Signal::Received(_)))
        });
        assert!(told, "{phone}: {:?}", self.world.events);
    }

    /// One or two wrong PINs, then the right one.
    fn enters_pins(&mut self) {
        let wrong = self.world.rng.next_u32() % 3;
        let unlocked = self.flow("enter PINs", |world| {
            for _ in 0..wrong {
                world.enters(*b"0000");
            }
            let pin = world.facts.pins[0];
            world.enters(pin);
            world.signals.contains(&Signal::Unlocked)
        });
        assert!(unlocked);
    }

    fn gets_key_list(&mut self) {
        self.clock += 7;
        (self.world.issuer.epoch, self.world.issuer.issued) = (self.world.issuer.epoch + 1, self.clock);
        let list = self.world.issuer.key_list();
        let noted = self.flow("key list", |world| {
            world.facts().epoch = (world.issuer.epoch, world.issuer.issued);
            world.events.clear();
            world.say(&ToBand::KeyList(Opaque::new(&list).unwrap()));
            world.events.iter().any(|event| matches!(event, Event::Noted))
        });
        assert!(noted);
    }

    /// Another phone takes this one's place.
    fn replaces(&mut self, old: usize) -> usize {
        assert!(self.flow("reconnect", |world| world.reconnect(old)));
        let new = self.world.new_phone();
        let paired = self.flow("pair a replacement", |world| {
            world.facts().phones[new].replaces = Some(old);
            world.say(&ToBand::Replace);
            world.gesture(Gesture::Hold);
            world.pairs_now(new, false)
        });
        assert!(paired, "{:?}", self.world.signals);
        let linked = self.flow("replace a link", |world| {
            let linked = world.reconnect(new);
            let facts = world.facts();
            (facts.phones[new].credential, facts.phones[new].replaces) = (facts.phones[old].credential, None);
            (facts.phones[old].hold, facts.phones[new].hold) = (Hold::Gone, Hold::Must);
            linked
        });
        assert!(linked);
        self.world.put_on();
        new
    }

    /// What a receipt said may be forgotten with the link.
    fn forgets_receipts(&mut self) {
        self.token = None;
        let facts = self.world.facts();
        facts.told_time = 0;
        facts.ceilings.clear();
    }

    fn unpairs(&mut self, phone: usize) {
        assert!(self.flow("reconnect", |world| world.reconnect(phone)));
        self.forgets_receipts();
        self.flow("unpair", |world| {
            world.say(&ToBand::Unpair);
            world.facts().phones[phone].hold = Hold::Going;
            world.gesture(Gesture::Unpair);
        });
        assert_eq!(self.world.facts.phones[phone].hold, Hold::Gone);
    }

    fn unpairs_others(&mut self, own: usize, other: usize) {
        assert!(self.flow("reconnect", |world| world.reconnect(own)));
        self.forgets_receipts();
        self.flow("unpair others", |world| {
            world.say(&ToBand::UnpairOthers);
            world.facts().phones[other].hold = Hold::Going;
            world.gesture(Gesture::Unpair);
        });
        assert_eq!(self.world.facts.phones[other].hold, Hold::Gone);
    }

    fn resets(&mut self) {
        self.forgets_receipts();
        self.flow("reset", |world| {
            for phone in &mut world.facts().phones {
                phone.hold = if phone.hold == Hold::Gone { Hold::Gone } else { Hold::Going };
            }
            world.gesture(Gesture::Reset);
        });
        assert!(self.world.signals.contains(&Signal::Erased) && self.world.facts.pins.is_empty());
    }
}
