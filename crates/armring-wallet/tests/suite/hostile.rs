//! Any sequence of events, sensible or not: no panic, and afterwards the band reconnects with its wallet and pays.

use armring_band::{Event as BandEvent, Face, Gesture, Secret};
use armring_pairing::{BandHello, Session, SoftwareKey};
use armring_wallet::Connection;
use armring_wire::records::band::ToBand;
use armring_wire::{AttPayload, EnrolmentCode, Opaque, Outcome, Record, Text, VersionRange, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample;

use crate::common::fake::FakeBand;
use crate::common::issuer::{CODE, Shop, TestIssuer, at, yuan};
use crate::common::steps::config;
use crate::common::{Flash, Room};

/// What can happen in the room, but for a reset and the unpairing of this very wallet, which make the band forget it as it should.
#[derive(Clone, Debug)]
enum Happening {
    Fragment(Vec<u8>),
    Message(Vec<u8>),
    /// Sealed by one who has the wallet's key and link: what an infected phone can do.
    Sealed(Vec<u8>),
    Says(u8),
    Makes(Gesture),
    Wear(u8),
    Wait(u64),
    ConnectStranger,
    ConnectAgain,
    ConnectRaw,
    ConnectWallet,
    ResumeWallet,
    PairingBegins,
    Disconnect,
    Becomes(Flash),
    Settle(bool),
    Report(bool),
    CodeShown,
    Restart(Face),
}

fn gestures() -> impl Strategy<Value = Gesture> {
    sample::select(vec![Gesture::Press, Gesture::DoublePress, Gesture::Hold, Gesture::Refuse, Gesture::Unpair])
}

fn flashes() -> impl Strategy<Value = Flash> {
    sample::select(vec![Flash::Works, Flash::Fails, Flash::Slow, Flash::CutAfter(0, true), Flash::CutAfter(0, false)])
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        2 => vec(any::<u8>(), 0..40).prop_map(Fragment),
        2 => prop_oneof![vec(any::<u8>(), 1..700), (Just(48), any::<u8>()).prop_map(|(len, byte)| vec![byte; len])].prop_map(Message),
        2 => ((0u8..18).prop_filter("unpairs", |variant| *variant != 14), vec(any::<u8>(), 0..60)).prop_map(|(variant, rest)| Sealed([vec![variant], rest].concat())),
        12 => any::<u8>().prop_map(Says),
        6 => gestures().prop_map(Makes),
        3 => (0u8..8).prop_map(Wear),
        2 => prop_oneof![Just(1u64), Just(2_000), Just(10_000), Just(30_000), Just(60_000), any::<u64>()].prop_map(Wait),
        1 => Just(ConnectStranger),
        1 => Just(ConnectAgain),
        4 => Just(ConnectRaw),
        2 => Just(ConnectWallet),
        2 => Just(ResumeWallet),
        1 => Just(PairingBegins),
        1 => Just(Disconnect),
        3 => flashes().prop_map(Becomes),
        3 => any::<bool>().prop_map(Settle),
        1 => any::<bool>().prop_map(Report),
        1 => Just(CodeShown),
        1 => sample::select(vec![Face::Display, Face::Lights, Face::Button]).prop_map(Restart),
    ]
}

struct Life {
    room: Room,
    issuer: TestIssuer,
    shop: Shop,
    session: Option<Session>,
    requests: Vec<Vec<u8>>,
    token: Vec<u8>,
}

impl Life {
    fn new() -> Self {
        let (mut issuer, mut shop) = (TestIssuer::new(), Shop::new());
        let mut room = Room::ready(&mut issuer);
        let token = room.pays(&shop.asks(1)).unwrap();
        let requests = (1..6).map(|number| shop.asks(number * 1_500)).collect();
        Self { room, issuer, shop, session: None, requests, token }
    }

    fn happens(&mut self, happening: Happening) {
        let room = &mut self.room;
        match happening {
            Happening::Fragment(bytes) => room.happens(BandEvent::Fragment(&bytes)),
            Happening::Message(bytes) => room.utter(&bytes),
            Happening::Sealed(bytes) => self.seals(&bytes),
            Happening::Says(number) => self.says(number),
            Happening::Makes(gesture) => room.gesture(gesture),
            Happening::Wear(0) => room.happens(BandEvent::TakenOff),
            Happening::Wear(1..3) => room.happens(BandEvent::PutOn),
            Happening::Wear(3) => room.unlock(),
            Happening::Wear(4) => room.happens(BandEvent::Chosen(Secret::pin(b"2580").unwrap())),
            Happening::Wear(5) => room.happens(BandEvent::Entered(Secret::tap_pattern(b"2580").unwrap())),
            Happening::Wear(6) => room.happens(BandEvent::Entered(Secret::pin(b"1234").unwrap())),
            Happening::Wear(_) => room.happens(BandEvent::Entered(Secret::pin(b"2580").unwrap())),
            Happening::Wait(milliseconds) => room.wait(milliseconds.min(1 << 40)),
            Happening::ConnectStranger => room.connect_stranger(),
            Happening::ConnectAgain => room.happens(BandEvent::Connected(AttPayload::MIN)),
            Happening::ConnectRaw => {
                room.disconnect();
                self.session = Some(room.connect_raw());
            }
            Happening::ConnectWallet => {
                room.disconnect();
                room.reconnect();
            }
            Happening::ResumeWallet => {
                room.disconnect();
                room.resume_or_reconnect();
            }
            Happening::PairingBegins => {
                room.disconnect();
                room.begin_to_pair();
            }
            Happening::Disconnect => room.disconnect(),
            Happening::Becomes(flash) => room.flash = flash,
            Happening::Settle(works) => {
                if room.unsettled.is_some() {
                    room.settle(works);
                }
            }
            // Said while nothing is being stored it is an error that changes nothing.
            Happening::Report(stored) if room.unsettled.is_none() => {
                room.happens(if stored { BandEvent::Stored } else { BandEvent::StoreFailed });
            }
            Happening::Report(_) => {}
            Happening::CodeShown => room.happens(BandEvent::CodeShown),
            Happening::Restart(face) => {
                room.face = face;
                room.restart_band();
            }
        }
    }

    fn seals(&mut self, record: &[u8]) {
        match &mut self.session {
            Some(session) if !session.channel.is_cut() => self.room.utter_sealed(session, record),
            _ => {}
        }
    }

    /// Something that a wallet may say.
    fn says(&mut self, number: u8) {
        let mut buffer = [0; ToBand::MAX_LEN];
        let key_list = self.issuer.key_list();
        let receipt = self.issuer.receipt(&self.token, Outcome::Settled, 2_000, 9_000);
        let (key_list, receipt) = (Opaque::new(&key_list).unwrap(), Opaque::new(&receipt).unwrap());
        let request = &self.requests[usize::from(number) % self.requests.len()];
        let record = match number % 15 {
            0 => ToBand::Status,
            1 => ToBand::Enrol { code: CODE, key_list },
            2 => ToBand::Enrol { code: EnrolmentCode([number; 16]), key_list },
            3 => ToBand::FromIssuer(Opaque::new(&self.token[..48]).unwrap()),
            4 => ToBand::Unlock,
            5 => ToBand::Receive { amount: yuan(1), expiry: at(9_000), memo: Text::new("for tea").unwrap() },
            6 => ToBand::Paid { receipt },
            7 => ToBand::Received { token: Opaque::new(&self.token).unwrap(), receipt },
            8 => ToBand::Cancel,
            9 => ToBand::KeyList(key_list),
            10 => ToBand::UnpairOthers,
            11 => ToBand::PayTo { request: Opaque::new(request).unwrap(), certificate: Opaque::new(&self.token).unwrap() },
            12 => ToBand::Replace,
            _ => ToBand::Pay { request: Opaque::new(request).unwrap() },
        };
        let record = encode(&record, &mut buffer).unwrap().to_vec();
        self.seals(&record);
    }

    /// Whatever happened, the wearer can still pay.
    fn ends_well(mut self) {
        let room = &mut self.room;
        room.flash = Flash::Works;
        if room.unsettled.is_some() {
            room.settle(true);
        }
        if room.face == Face::Display {
            room.face = Face::Lights;
            room.restart_band();
        }
        room.disconnect();
        room.reconnect();
        assert!(room.is_linked(), "{:?}", room.errors);
        room.put_on();
        // All tries may be used up; the wallet's word is good for a press.
        room.say(&ToBand::Unlock);
        assert!(room.pays(&self.shop.asks(2)).is_some(), "{:?} {:?}", room.events, room.errors);
    }
}

#[test]
fn whatever_happens_the_band_reconnects_and_pays() {
    proptest!(config(192), |(happenings in vec(happening(), 0..60))| {
        let mut life = Life::new();
        for happening in happenings {
            life.happens(happening);
        }
        life.ends_well();
    });
}

#[test]
fn whatever_a_band_says_the_wallet_neither_panics_nor_ends_twice() {
    let mut room = Room::new(3, 182);
    room.pair();
    let bytes = || {
        prop_oneof![
            vec(any::<u8>(), 0..24),
            vec(any::<u8>(), 0..24).prop_map(|mut v| {
                // More often than by chance a fragment that fits.
                if let Some(first) = v.first_mut() {
                    *first |= 0xC0;
                }
                v
            })
        ]
    };
    let steps = vec(prop_oneof![bytes().prop_map(Ok), vec(any::<u8>(), 1..300).prop_map(Err)], 0..20);
    proptest!(config(256), |(goal in 0u8..4, steps in steps)| {
        let mut fake = match goal {
            0 => FakeBand::new(Connection::pair(AttPayload::MIN), &room),
            1 => FakeBand::new(Connection::reconnect(room.stored_link(), AttPayload::MIN), &room),
            2 => {
                let mut fake = FakeBand::new(Connection::pair(AttPayload::MIN), &room);
                let hello = BandHello::new(VersionRange::SUPPORTED, &mut fake.rng).unwrap();
                fake.carries(&hello.to_bytes()).unwrap();
                fake
            }
            _ => {
                let key = SoftwareKey::new(room.band_key);
                FakeBand::reconnect(&room, &key)
            }
        };
        for step in steps {
            let _ = match step {
                Ok(fragment) => fake.carries_fragment(&fragment),
                Err(message) if goal == 3 && fake.wallet.is_linked() => fake.says(&message),
                Err(message) => fake.carries(&message),
            };
        }
        fake.wallet.code_shown();
        prop_assert!(fake.ends() <= 1);
        let linked = fake.wallet.is_linked();
        prop_assert!(!linked || goal == 3, "nobody is linked by chance");
        prop_assert_eq!(fake.wallet.say(&ToBand::Status).is_ok(), linked);
    });
}
