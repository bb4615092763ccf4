//! What happens, as the input says.

use armring_band::{Event, Face, Gesture, Secret, StoreKey};
use armring_pairing::{DiffieHellman, PairingLabel, PairingSecret, Source, labelled_hash};
use armring_token::{FreeCount, Limits, Minor};
use armring_wallet::Connection;
use armring_wire::records::band::ToBand;
use armring_wire::{AttPayload, Opaque, Uptime, decode_record};

use super::peer::{Desk, Line, Reconnecting, Stranger, encoded};
use super::room::{LABEL, Room, ToIssuer, Works};
use super::says::requests;
use crate::cast::{self, Shared};
use crate::flash;
use crate::input::Input;

const PINS: [&[u8]; 2] = [b"2580", b"1234"];
const GESTURES: [Gesture; 6] =
    [Gesture::Press, Gesture::DoublePress, Gesture::Hold, Gesture::Refuse, Gesture::Unpair, Gesture::Reset];

pub(super) struct Life {
    pub(super) room: Room,
    desk: Desk,
    limits: Limits,
    pays_in_the_end: bool,
}

impl Life {
    pub(super) fn new(input: &mut Input<'_>) -> Self {
        let flags = input.any::<u8>();
        let free = Limits { free: Minor(50), free_count: FreeCount(2), free_total: Minor(90), ..cast::LIMITS };
        let limits = if flags & 1 == 0 { cast::LIMITS } else { free };
        let face = [Face::Lights, Face::Lights, Face::Display, Face::Button][usize::from(flags >> 1 & 3)];
        let payload = if flags & 8 == 0 { AttPayload::new(182).unwrap() } else { AttPayload::MIN };
        let mut room = Room::new(flash::ready(limits), face, flags & 16 != 0, payload);
        if flags & 32 == 0 {
            room.happens(Event::PutOn);
            room.happens(Event::Recognised);
        }
        let mut life = Self { room, desk: Desk::default(), limits, pays_in_the_end: flags & 128 != 0 };
        if flags & 64 == 0 {
            life.connects_raw();
        }
        life
    }

    pub(super) fn goes_on(&mut self, input: &mut Input<'_>) {
        match input.any::<u8>() {
            0..90 => self.says(input),
            90..130 => self.gesture(input.one_of(&GESTURES)),
            130..150 => self.wears(input),
            150..160 => self.waits(input.one_of(&[1, 1_999, 2_000, 10_000, 30_000, 60_000, 1 << 40])),
            160..180 => self.connects(input),
            180..190 => self.pairs(input),
            190..200 => self.room.works = self.works(input),
            200..210 => self.settles(input.any()),
            210..220 => self.relays(input),
            220..228 => self.utters(input),
            228..234 => self.room.happens(Event::Fragment(input.bytes(40))),
            234..238 => self.restarts(input),
            238..242 => self.room.rng.left = input.any::<bool>().then(|| input.any::<u8>() % 4),
            242..245 => self.room.fail_keys(input.any()),
            245..250 => self.seals(input),
            250..252 => {
                // A host that does not do what it is told first.
                self.room.handle(Event::PutOn);
                self.room.handle(Event::Gesture(Gesture::Press));
                self.room.settle_down();
            }
            // Said while nothing is being stored: an error that changes nothing.
            252 if self.room.unsettled.is_none() => self.room.happens(Event::Stored),
            _ => {
                self.room.happens(Event::CodeShown);
                if let Line::Wallet(connection) = &mut self.room.line {
                    connection.code_shown();
                    let _ = connection.accept_code(&mut self.room.rng);
                }
                self.room.settle_down();
            }
        }
    }

    fn gesture(&mut self, gesture: Gesture) {
        self.room.happens(Event::Gesture(gesture));
    }

    fn wears(&mut self, input: &mut Input<'_>) {
        let pin = input.below(2);
        let secret = Secret::pin(PINS[pin]).unwrap();
        match input.below(5) {
            0 => self.room.happens(Event::TakenOff),
            1 => self.room.happens(Event::PutOn),
            2 => self.room.happens(Event::Recognised),
            3 => {
                self.room.rules.will_enter(self.is_right(PINS[pin]));
                self.room.happens(Event::Entered(secret));
            }
            _ => self.room.happens(Event::Chosen(secret)),
        }
    }

    /// Whether this is what was chosen, as far as the flash has it.
    fn is_right(&self, pin: &[u8]) -> bool {
        let Some(stored) = StoreKey::from_u8(flash::SECRET).and_then(|key| self.room.flash.get(&key)) else { return false };
        let (kind_and_len, salt, hash) = ([stored[0], u8::try_from(pin.len()).unwrap()], &stored[1..17], &stored[17..49]);
        let mut padded = pin.to_vec();
        padded.resize(Secret::MAX_LEN, 0);
        labelled_hash("armring/1 unlocking", &[&kind_and_len, salt, &padded]) == hash
    }

    fn waits(&mut self, milliseconds: u64) {
        self.room.now = Uptime::from_millis(self.room.now.as_millis().saturating_add(milliseconds));
        self.room.happens(Event::Tick);
    }

    fn works(&self, input: &mut Input<'_>) -> Works {
        input.one_of(&[Works::Well, Works::Fails, Works::Slowly, Works::CutWith(true), Works::CutWith(false)])
    }

    fn settles(&mut self, works: bool) {
        let Some(change) = self.room.unsettled.take() else { return };
        if works {
            self.room.settles(change);
        }
        self.room.happens(if works { Event::Stored } else { Event::StoreFailed });
    }

    fn restarts(&mut self, input: &mut Input<'_>) {
        self.room.face = input.one_of(&[Face::Display, Face::Lights, Face::Button]);
        self.room.restart();
    }

    fn disconnects(&mut self) {
        self.room.hang_up();
        self.room.happens(Event::Disconnected);
    }

    fn connects(&mut self, input: &mut Input<'_>) {
        let (how, who) = (input.below(6), input.below(3));
        if how == 0 {
            // A second one, while there is one.
            return self.room.happens(Event::Connected(self.room.payload));
        }
        self.disconnects();
        self.room.who = who;
        match how {
            1 => {
                self.room.line = Line::Stranger(Box::new(Stranger::new(self.room.payload)));
                self.room.happens(Event::Connected(self.room.payload));
            }
            2 => self.connects_raw(),
            3 => {}
            _ => {
                let Some(link) = self.room.phones[who].link() else { return };
                let payload = self.room.payload;
                let connection = match self.room.phones[who].ticket.take() {
                    Some(ticket) if how == 4 => Connection::resume(link, ticket, payload),
                    _ => Connection::reconnect(link, payload),
                };
                self.connects_wallet(connection);
            }
        }
    }

    fn connects_wallet(&mut self, connection: Connection) {
        self.room.line = Line::Wallet(Box::new(connection));
        self.room.happens(Event::Connected(self.room.payload));
    }

    fn pairs(&mut self, input: &mut Input<'_>) {
        self.disconnects();
        if input.any() {
            self.gesture(Gesture::Hold);
        }
        self.room.who = input.below(3);
        let payload = self.room.payload;
        let printed = || PairingLabel::new(Source::Printed, PairingSecret::new(LABEL), &Shared::band().public_key());
        let connection = match input.below(3) {
            0 => Connection::pair(payload),
            1 => Connection::pair_with_label(self.room.band.label().unwrap_or_else(printed), payload),
            _ => Connection::pair_by_press(payload),
        };
        self.connects_wallet(connection);
    }

    /// Reconnects as an attacker who has the phone's link and key.
    fn connects_raw(&mut self) {
        let room = &mut self.room;
        room.line = Line::Stranger(Box::new(Stranger::new(room.payload)));
        room.happens(Event::Connected(room.payload));
        let Some(hello) = self.hears() else { return };
        let room = &mut self.room;
        let Some((reconnecting, said)) = Reconnecting::start(&room.phones[room.who], &hello, &mut room.rng) else { return };
        said.iter().for_each(|message| self.utter(message));
        let Some(second) = self.hears() else { return };
        let room = &mut self.room;
        let Some((session, _)) = reconnecting.finish(&mut room.phones[room.who], &second) else { return };
        let (generation, lost) = room.phones[room.who].link.as_mut().unwrap().introduce();
        if let Line::Stranger(stranger) = &mut room.line {
            stranger.session = Some(session);
        }
        self.seal_and_utter(&encoded(&ToBand::Generation { generation, lost }));
    }

    /// The first of what the band said that was not read yet.
    fn hears(&mut self) -> Option<Vec<u8>> {
        let Line::Stranger(stranger) = &mut self.room.line else { return None };
        (!stranger.heard.is_empty()).then(|| stranger.heard.remove(0))
    }

    fn utter(&mut self, message: &[u8]) {
        let Line::Stranger(stranger) = &mut self.room.line else { return };
        for fragment in stranger.cut(message) {
            self.room.happens(Event::Fragment(&fragment));
        }
    }

    pub(super) fn seal_and_utter(&mut self, record: &[u8]) {
        let Line::Stranger(stranger) = &mut self.room.line else { return };
        let Some(sealed) = stranger.seal(record) else { return };
        if let Ok(record) = decode_record(record) {
            self.room.rules.wallet_says(&record);
        }
        self.utter(&sealed);
    }

    fn utters(&mut self, input: &mut Input<'_>) {
        let message = match input.below(3) {
            0 => vec![input.any(); input.one_of(&[18, 32, 48, 64, 96])],
            1 => [&[input.any::<u8>() % 7, 1, 1, 16], input.bytes(16)].concat(),
            _ => input.bytes(700).to_vec(),
        };
        self.utter(&message);
    }

    /// Anything at all, sealed.
    fn seals(&mut self, input: &mut Input<'_>) {
        let record = input.bytes(180).to_vec();
        if !record.is_empty() {
            self.seal_and_utter(&record);
        }
    }

    /// The issuer answers what the band asked, and the wallet brings it, or something like it.
    fn relays(&mut self, input: &mut Input<'_>) {
        let answer = match self.room.to_issuer.take() {
            Some(ToIssuer::Start(versions, message)) => self.desk.begins(versions, &message, &mut self.room.rng),
            Some(ToIssuer::Next(message)) => self.desk.answers(&message, self.limits, input),
            None => None,
        };
        let Some(mut answer) = answer else { return };
        if input.below(8) == 0 {
            input.alter(&mut answer);
        }
        if let Some(answer) = Opaque::new(&answer) {
            self.say(&ToBand::FromIssuer(answer));
        }
    }

    /// Whatever happened, the wearer can still pay, unless the band was told to forget its phone.
    pub(super) fn ends_well(mut self) {
        if !self.pays_in_the_end || self.room.rules.may_have_forgotten() {
            return;
        }
        (self.room.works, self.room.rng.left) = (Works::Well, None);
        self.room.fail_keys(false);
        self.settles(true);
        self.room.face = Face::Lights;
        self.disconnects();
        self.room.restart();
        self.room.who = 0;
        self.room.token = None;
        self.connects_raw();
        self.room.happens(Event::PutOn);
        self.say(&ToBand::Unlock);
        let last = requests().last().unwrap();
        self.say(&ToBand::Pay { request: Opaque::new(last).unwrap() });
        self.gesture(Gesture::Press);
        assert!(self.room.token.is_some(), "the wearer cannot pay any more");
    }
}
