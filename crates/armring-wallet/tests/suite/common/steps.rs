//! What people do in the room, and what they see.

use armring_band::{Event as BandEvent, Gesture, Signal};
use armring_channel::{Opened, sealed_len};
use armring_pairing::{BandHello, Link, LinkState, Reconnect, Session, WalletHello};
use armring_token::{PaymentToken, Unverified};
use armring_wallet::{Connection, Event};
use armring_wire::records::band::{Awaited, Decline, Status, ToBand, ToWallet};
use armring_wire::{Digits, EnrolmentCode, Opaque, VersionRange, decode_record, encode};
use proptest::test_runner::{Config, RngSeed};

use super::issuer::{CODE, TestIssuer};
use super::{Room, counted};

/// Seeded from the environment or by chance; the harness shows the seed of a test that fails. To run it again:
/// `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
pub(crate) fn config(cases: u32) -> Config {
    Config { failure_persistence: None, rng_seed: RngSeed::Fixed(seed()), cases, ..Config::default() }
}

pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one("armring"),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    seed
}

impl Room {
    /// A band that is worn and unlocked, enrolled with `issuer`, and linked to the wallet.
    pub(crate) fn ready(issuer: &mut TestIssuer) -> Self {
        let mut room = Self::new(7, 182);
        room.pair();
        room.reconnect();
        room.enrol(issuer, CODE);
        assert_eq!(room.declined(), None, "{:?}", room.errors);
        room.put_on();
        room.forget();
        room
    }

    pub(crate) fn gesture(&mut self, gesture: Gesture) {
        self.happens(BandEvent::Gesture(gesture));
    }

    pub(crate) fn press(&mut self) {
        self.gesture(Gesture::Press);
    }

    /// The band's own sensor recognises its wearer.
    pub(crate) fn unlock(&mut self) {
        self.happens(BandEvent::Recognised);
    }

    pub(crate) fn put_on(&mut self) {
        self.happens(BandEvent::PutOn);
        self.unlock();
    }

    /// Forgets what was seen so far.
    pub(crate) fn forget(&mut self) {
        self.signals.clear();
        self.events.clear();
        self.errors.clear();
    }

    pub(crate) fn say(&mut self, record: &ToBand<'_>) {
        let connection = self.connection.as_mut().unwrap();
        counted(&mut self.allocations.wallet, || connection.say(record)).unwrap();
        self.pump();
    }

    /// Pairs up to where both sides show a code.
    pub(crate) fn begin_to_pair(&mut self) {
        self.gesture(Gesture::Hold);
        self.connect(Connection::pair(self.payload));
    }

    pub(crate) fn wallet_accepts(&mut self) {
        let connection = self.connection.as_mut().unwrap();
        connection.code_shown();
        connection.accept_code(&mut self.rng).unwrap();
        self.pump();
    }

    pub(crate) fn band_accepts(&mut self) {
        self.happens(BandEvent::CodeShown);
        self.press();
    }

    pub(crate) fn pair(&mut self) {
        self.begin_to_pair();
        assert_eq!(self.code_on_band(), self.code_in_wallet());
        self.wallet_accepts();
        self.band_accepts();
        assert!(self.signals.contains(&Signal::Paired), "{:?} {:?}", self.signals, self.errors);
    }

    pub(crate) fn reconnect(&mut self) {
        if self.connection.is_some() {
            self.disconnect();
        }
        let link = self.stored_link();
        self.connect(Connection::reconnect(link, self.payload));
    }

    /// Relays an enrolment between band and issuer until one of them has had enough.
    pub(crate) fn enrol(&mut self, issuer: &mut TestIssuer, code: EnrolmentCode) {
        let list = issuer.key_list();
        self.say(&ToBand::Enrol { code, key_list: Opaque::new(&list).unwrap() });
        self.relay(issuer, |_| {});
    }

    /// Relays, with the wallet's `tamper` applied to what the issuer says.
    pub(crate) fn relay(&mut self, issuer: &mut TestIssuer, tamper: impl Fn(&mut Vec<u8>)) {
        while let Some(event) = self.events.pop_if(|event| matches!(event, Event::EnrolStart { .. } | Event::ToIssuer(_))) {
            let answer = match event {
                Event::EnrolStart { versions, message } => issuer.begin(versions, &message, &mut self.rng),
                Event::ToIssuer(message) => issuer.answer(&message),
                _ => None,
            };
            let Some(mut answer) = answer else { return };
            tamper(&mut answer);
            self.say(&ToBand::FromIssuer(Opaque::new(&answer).unwrap()));
        }
    }

    pub(crate) fn asks_to_pay(&mut self, request: &[u8]) {
        self.say(&ToBand::Pay { request: Opaque::new(request).unwrap() });
    }

    pub(crate) fn brings_receipt(&mut self, receipt: &[u8]) {
        self.say(&ToBand::Paid { receipt: Opaque::new(receipt).unwrap() });
    }

    /// Pays with a press.
    pub(crate) fn pays(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        self.forget();
        self.asks_to_pay(request);
        assert_eq!(self.token(), None, "not without a gesture");
        self.press();
        self.token()
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

    pub(crate) fn status(&mut self) -> Option<Status> {
        self.say(&ToBand::Status);
        self.events.iter().rev().find_map(|event| if let Event::Status(status) = event { Some(*status) } else { None })
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_linked)
    }

    pub(crate) fn noted(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Noted)).count()
    }

    pub(crate) fn count(&self, signal: Signal) -> usize {
        self.signals.iter().filter(|seen| **seen == signal).count()
    }

    pub(crate) fn enrolment_digits(&self) -> Vec<Digits> {
        let digits = |signal: &Signal| if let Signal::EnrolmentDigits(digits) = signal { Some(*digits) } else { None };
        self.signals.iter().filter_map(digits).collect()
    }

    pub(crate) fn code_on_band(&self) -> Option<Digits> {
        self.signals.iter().rev().find_map(|signal| if let Signal::Code(code) = signal { Some(code.digits()) } else { None })
    }

    pub(crate) fn code_in_wallet(&self) -> Option<Digits> {
        self.events.iter().rev().find_map(|event| if let Event::Code(code) = event { Some(code.digits()) } else { None })
    }

    /// The links in the band's storage, and how far they are.
    pub(crate) fn band_links(&self) -> Vec<LinkState> {
        let links = self.storage.iter().filter(|(key, _)| key.as_u8() & 0xF0 == 0x10);
        links.map(|(_, value)| Link::from_bytes(value.as_slice().try_into().unwrap()).unwrap().state()).collect()
    }
}

/// A peer that has the wallet's link and key and says what it likes.
impl Room {
    /// Reconnects as the wallet would, introduction included, and leaves the session to the test.
    pub(crate) fn connect_raw(&mut self) -> Session {
        let mut session = self.connect_unproven();
        let mut link = self.stored_link();
        let (generation, lost) = link.introduce();
        self.utter_sealed(&mut session, encode(&ToBand::Generation { generation, lost }, &mut [0; 16]).unwrap());
        if let Some(Ok(ToWallet::Generation { generation })) =
            self.hears(&mut session).first().map(|record| decode_record(record))
        {
            let _ = link.answered(generation);
        }
        self.phone.link = Some(link.to_bytes().to_vec());
        session
    }

    /// Reconnects up to where the band has answered, which takes that for a replay until a record follows.
    pub(crate) fn connect_unproven(&mut self) -> Session {
        self.connect_stranger();
        let mut link = self.stored_link();
        let hello = BandHello::from_bytes(self.heard[0].as_slice().try_into().unwrap());
        let (reconnect, answer, message) =
            <Reconnect>::start(&link, &self.phone.key, VersionRange::SUPPORTED, &hello, &mut self.rng).unwrap();
        self.utter(answer.encode(&mut [0; WalletHello::MAX_LEN]));
        self.utter(&message);
        let (session, proof) = reconnect.receive(self.heard[1].as_slice().try_into().unwrap(), &self.phone.key).unwrap();
        link.promote(&proof).unwrap();
        self.phone.link = Some(link.to_bytes().to_vec());
        self.heard.clear();
        session
    }

    /// Seals `record`, whatever it is, and sends it.
    pub(crate) fn utter_sealed(&mut self, session: &mut Session, record: &[u8]) {
        self.utter(&seal(session, record));
    }

    /// What the band said since, opened.
    pub(crate) fn hears(&mut self, session: &mut Session) -> Vec<Vec<u8>> {
        let mut opened = Vec::new();
        for mut sealed in std::mem::take(&mut self.heard) {
            if let Opened::Record(record) = session.channel.open(&mut sealed).unwrap() {
                opened.push(record.to_vec());
            }
        }
        opened
    }
}

pub(crate) fn seal(session: &mut Session, record: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; sealed_len(record.len()).unwrap()];
    buffer[..record.len()].copy_from_slice(record);
    session.channel.seal(&mut buffer, record.len()).unwrap().to_vec()
}

/// What a token claims.
pub(crate) fn claims(token: &[u8]) -> PaymentToken {
    *Unverified::<PaymentToken>::parse(token).unwrap().claims()
}
