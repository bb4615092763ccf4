//! A band that says what it likes to a real wallet.

use armring_channel::Opened;
use armring_pairing::{BandHello, MESSAGE_MAX, Proven, Reconnect, Session, SoftwareKey, WalletHello};
use armring_wallet::{Connection, Error, Output};
use armring_wire::records::band::{ToBand, ToWallet};
use armring_wire::{AttPayload, Fragmenter, Reassembler, VersionRange, decode_record, encode};
use rand_chacha::ChaCha20Rng;

use super::Room;
use super::steps::seal;

pub(crate) struct FakeBand {
    pub(crate) wallet: Connection,
    session: Option<Session>,
    mouth: Fragmenter,
    ear: Reassembler<Vec<u8>>,
    heard: Vec<Vec<u8>>,
    disconnects: usize,
    wallet_key: SoftwareKey,
    pub(crate) rng: ChaCha20Rng,
}

impl FakeBand {
    /// A wallet that has connected and heard nothing.
    pub(crate) fn new(wallet: Connection, room: &Room) -> Self {
        Self {
            wallet,
            session: None,
            mouth: Fragmenter::new(AttPayload::MIN),
            ear: Reassembler::new(vec![0; MESSAGE_MAX]),
            heard: Vec::new(),
            disconnects: 0,
            wallet_key: SoftwareKey::new(*room.phone.key.expose()),
            rng: room.rng.clone(),
        }
    }

    /// Stands in for the band of `room`, with its key and its link.
    pub(crate) fn reconnect(room: &Room, key: &SoftwareKey) -> Self {
        let wallet = Connection::reconnect(room.stored_link(), AttPayload::MIN);
        let mut fake = Self::new(wallet, room);
        let hello = BandHello::new(VersionRange::SUPPORTED, &mut fake.rng).unwrap();
        fake.carries(&hello.to_bytes()).unwrap();
        let answer = WalletHello::from_bytes(&fake.heard.remove(0)).unwrap();
        let message = fake.heard.remove(0);
        // The band's link: the same secret, the wallet's key.
        let link = room.storage.iter().find(|(key, _)| key.as_u8() == 0x10).unwrap().1;
        let mut link = armring_pairing::Link::from_bytes(link.as_slice().try_into().unwrap()).unwrap();
        let message = message.as_slice().try_into().unwrap();
        let (unproven, answer) = <Reconnect>::answer(&link, key, (&hello, &answer), message, &mut fake.rng).unwrap();
        fake.carries(&answer).unwrap();
        let mut first = fake.heard.remove(0);
        let Proven { session, opened: Opened::Record(record), .. } = unproven.open(&mut first).unwrap() else { panic!() };
        let Ok(ToBand::Generation { generation, lost }) = decode_record(record) else { panic!("{record:?}") };
        let (generation, _) = link.introduced(generation, lost);
        fake.session = Some(session);
        fake.says(encode(&ToWallet::Generation { generation }, &mut [0; 8]).unwrap()).unwrap();
        fake
    }

    /// Carries `message` to the wallet as it is.
    pub(crate) fn carries(&mut self, message: &[u8]) -> Result<(), Error> {
        let (mut sent, mut fragment, mut result) = (0, [0; 20], Ok(()));
        while let Some((len, next)) = self.mouth.cut(message, sent, &mut fragment) {
            sent = next;
            result = result.and(self.carries_fragment(&fragment[..len]));
        }
        result
    }

    pub(crate) fn carries_fragment(&mut self, fragment: &[u8]) -> Result<(), Error> {
        let result = self.wallet.fragment(fragment, &self.wallet_key, &mut self.rng);
        while let Some(output) = self.wallet.poll() {
            match output {
                Output::Transmit(fragment) => self.heard.extend(self.ear.push(&fragment).unwrap().map(|record| record.to_vec())),
                Output::Event(_) => {}
                Output::Disconnect => self.disconnects += 1,
            }
        }
        result
    }

    /// Seals `record` and says it.
    pub(crate) fn says(&mut self, record: &[u8]) -> Result<(), Error> {
        let sealed = seal(self.session.as_mut().unwrap(), record);
        self.carries(&sealed)
    }

    /// What the wallet said, as it is.
    pub(crate) fn take_heard(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.heard)
    }

    /// What the wallet said, opened.
    pub(crate) fn hears(&mut self) -> Vec<Vec<u8>> {
        let channel = &mut self.session.as_mut().unwrap().channel;
        let mut open = |mut sealed: Vec<u8>| match channel.open(&mut sealed) {
            Ok(Opened::Record(record)) => record.to_vec(),
            other => panic!("{other:?}"),
        };
        std::mem::take(&mut self.heard).into_iter().map(&mut open).collect()
    }

    /// How often the wallet ended the connection.
    pub(crate) fn ends(&self) -> usize {
        self.disconnects
    }
}
