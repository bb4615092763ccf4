//! A phone: its key, what its wallet stored, and the calls that it makes.

use std::collections::VecDeque;

use armring_pairing::{DiffieHellman, Link, PairingLabel, ResumeTicket, SoftwareKey};
use armring_wallet::{Connection, Error, Event, Output};
use armring_wire::AttPayload;
use armring_wire::records::band::ToBand;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::central::{Central, Way};

pub struct Phone {
    /// Where its controller listens.
    pub port: u16,
    pub att_mtu: u16,
    pub way: Way,
    key: SoftwareKey,
    rng: ChaCha20Rng,
    /// What the wallet stored: it outlives the phone's being killed.
    pub link: Option<Vec<u8>>,
    /// In memory: it does not.
    pub ticket: Option<ResumeTicket>,
    /// What went over the air to the band in the last call, for whoever listens.
    pub written: Vec<Vec<u8>>,
}

impl Phone {
    /// A phone on the controller that listens at `port`, whose randomness comes from `seed`.
    pub fn new(port: u16, att_mtu: u16, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = SoftwareKey::generate(&mut rng).unwrap();
        Self { port, att_mtu, way: Way::Gatt, key, rng, link: None, ticket: None, written: Vec::new() }
    }

    pub fn central(&self, way: Way) -> Central {
        Central::dial(self.port, self.att_mtu, way)
    }

    /// The public half of its link key.
    pub fn public_key(&self) -> [u8; 32] {
        *self.key.public_key().as_bytes()
    }

    fn stored_link(&self) -> Link {
        Link::from_bytes(self.link.as_deref().unwrap().try_into().unwrap()).unwrap()
    }

    /// Calls the band, with a connection that is made once it is known how much a payload carries.
    pub async fn call(&mut self, connection: impl FnOnce(AttPayload) -> Connection) -> Call<'_> {
        let mut central = self.central(self.way);
        let payload = central.up().await.expect("the band did not let this phone in");
        self.written.clear();
        let (connection, events) = (connection(payload), VecDeque::new());
        Call { phone: self, central, payload, connection, events, over: false, fragments: None }
    }

    pub async fn pair(&mut self) -> Call<'_> {
        self.call(Connection::pair).await
    }

    pub async fn scan(&mut self, label: PairingLabel) -> Call<'_> {
        self.call(|payload| Connection::pair_with_label(label, payload)).await
    }

    pub async fn reconnect(&mut self) -> Call<'_> {
        let link = self.stored_link();
        self.call(|payload| Connection::reconnect(link, payload)).await
    }

    pub async fn resume(&mut self) -> Call<'_> {
        let (link, ticket) = (self.stored_link(), self.ticket.take().unwrap());
        self.call(|payload| Connection::resume(link, ticket, payload)).await
    }
}

/// A connection of a phone's wallet to its band.
pub struct Call<'a> {
    phone: &'a mut Phone,
    central: Central,
    pub payload: AttPayload,
    pub connection: Connection,
    events: VecDeque<Event>,
    over: bool,
    /// After how many more fragments, to or from the band, the phone is gone; `None` is never.
    pub fragments: Option<usize>,
}

/// Why there is no next event.
#[derive(Debug)]
pub enum Over {
    /// The wallet ended the connection, or the band did.
    Ended,
    /// The wallet did, because of this.
    Failed(Error),
    /// The phone is to go now.
    Gone,
}

impl Call<'_> {
    /// What happens next.
    pub async fn next(&mut self) -> Result<Event, Over> {
        loop {
            self.flush();
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            if self.over {
                return Err(Over::Ended);
            }
            if self.fragments == Some(0) {
                return Err(Over::Gone);
            }
            let fragment = self.central.receive().await.ok_or(Over::Ended)?;
            self.goes();
            let result = self.connection.fragment(&fragment, &self.phone.key, &mut self.phone.rng);
            self.flush();
            result.map_err(Over::Failed)?;
        }
    }

    /// Counts a fragment. Says whether the phone is still there for it.
    fn goes(&mut self) -> bool {
        match &mut self.fragments {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn flush(&mut self) {
        while let Some(output) = self.connection.poll() {
            match output {
                Output::Transmit(fragment) => {
                    if self.goes() {
                        self.central.send(&fragment);
                        self.phone.written.push(fragment);
                    }
                }
                Output::Event(Event::Keep(link)) => self.phone.link = Some(link.to_bytes().to_vec()),
                Output::Event(Event::Paired(link)) => {
                    self.phone.link = Some(link.to_bytes().to_vec());
                    self.events.push_back(Event::Paired(link));
                }
                Output::Event(event) => self.events.push_back(event),
                Output::Disconnect => self.over = true,
            }
        }
    }

    /// The person says that the code is the same.
    pub fn accept_code(&mut self) {
        self.connection.code_shown();
        self.connection.accept_code(&mut self.phone.rng).unwrap();
        self.flush();
    }

    pub fn say(&mut self, record: &ToBand<'_>) {
        self.connection.say(record).unwrap();
        self.flush();
    }

    /// Writes this to the band, whoever it is from and whatever the window says.
    pub fn writes(&self, payload: &[u8]) {
        self.central.send(payload);
    }

    /// Waits until the band has ended the connection: see [`Central::is_cut`].
    pub async fn is_cut(self) -> usize {
        self.central.is_cut().await
    }

    /// Says goodbye.
    pub async fn hang_up(mut self) {
        self.connection.close();
        self.flush();
        self.central.hang_up().await;
    }

    /// The radio is lost: the app goes on and may resume.
    pub async fn lose(mut self) {
        self.phone.ticket = self.connection.take_ticket();
        self.central.vanish().await;
    }

    /// The phone is killed: what was in memory is gone.
    pub async fn kill(self) {
        self.phone.ticket = None;
        self.central.vanish().await;
    }
}
