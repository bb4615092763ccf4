//! A band with its flash, its clock and its wearer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;

use armring_band::{Band, Event, Face, Gesture, Offer, Signal, SoftwareKeys, StoreKey};
use armring_ble::Spsm;
use armring_ble::trouble::{Clock, Radio, Wrist, run};
use armring_pairing::{DiffieHellman, PairingLabel, PairingSecret, SoftwareKey};
use armring_token::RootKey;
use armring_wire::Uptime;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng, TryCryptoRng, TryRng};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use trouble_host::prelude::*;

use crate::air::hci;
use crate::heap::Heap;
use crate::tasks::either;

/// Where the band listens for an L2CAP channel.
pub const SPSM: Option<Spsm> = Spsm::new(0xD1);
/// What the stack is built with.
const ADDRESS: [u8; 6] = [1, 2, 3, 4, 5, 0x45];
/// The band offers the largest useful ATT MTU.
const POOL: usize = 517 + 4;
/// As long as a fragment can be.
const FRAGMENT: usize = 514;

/// What stays of a band when it loses power, and what is around it.
pub struct Bracelet {
    port: u16,
    root: RootKey,
    face: Face,
    key: [u8; 32],
    label: Option<[u8; 32]>,
    starts: u64,
    stays: bool,
    flash: Rc<RefCell<BTreeMap<StoreKey, Vec<u8>>>>,
    time: Rc<Time>,
    shows: Arc<Semaphore>,
    running: Option<Running>,
}

struct Running {
    task: JoinHandle<()>,
    acts: mpsc::UnboundedSender<Act>,
    told: mpsc::UnboundedReceiver<Told>,
    logged: Rc<RefCell<Vec<String>>>,
}

/// What the wearer, or the sensor, does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    PutOn,
    Recognised,
    Gesture(Gesture),
}

/// What the wearer is told, and what a display shows beside it.
#[derive(Debug)]
pub struct Told {
    pub signal: Signal,
    pub label: Option<PairingLabel>,
}

impl Bracelet {
    /// A band on the controller that listens at `port`. It is off.
    pub fn new(port: u16, root: RootKey, face: Face) -> Self {
        let (flash, time, shows) = (Rc::default(), Rc::default(), Arc::new(Semaphore::new(1)));
        Self { port, root, face, key: [7; 32], label: None, starts: 0, stays: false, flash, time, shows, running: None }
    }

    /// Another band than all the others here, with this link key, and with this secret on its label if it has one. To be said before it starts.
    #[must_use]
    pub fn with(self, key: [u8; 32], label: Option<[u8; 32]>) -> Self {
        Self { key, label, ..self }
    }

    /// A band that advertises under one address for good: the one that its stack was built with, since the stack's own pairing reckons with
    /// no other. To be said before it starts.
    #[must_use]
    pub fn at_one_address(self) -> Self {
        Self { stays: true, ..self }
    }

    /// Starts, with what it stored before.
    pub fn start(&mut self) {
        self.starts += 1;
        let mut band = Band::new(SoftwareKey::new(self.key), SoftwareKeys, self.root).with_face(self.face);
        if let Some(secret) = self.label {
            band = band.with_label(PairingSecret::new(secret));
        }
        for key in StoreKey::all() {
            if let Some(value) = self.flash.borrow().get(&key) {
                band.load(key, value).unwrap();
            }
        }
        let (acts, next) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let logged = Rc::default();
        let (flash, shows) = (self.flash.clone(), self.shows.clone());
        let body = Body { acts: next, tell, shows, flash, logged: Rc::clone(&logged) };
        // Each start of each band draws other bytes.
        let drawn = ChaCha20Rng::seed_from_u64(1_000 * u64::from(self.key[0]) + self.starts);
        let rng = Draws { drawn, stays: self.stays };
        let task = tokio::task::spawn_local(serve(self.port, band, body, self.time.clone(), rng));
        self.running = Some(Running { task, acts, told, logged });
    }

    /// Loses power.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
            let _ = running.task.await;
        }
    }

    pub fn does(&self, act: Act) {
        self.running.as_ref().unwrap().acts.send(act).unwrap();
    }

    pub fn gesture(&self, gesture: Gesture) {
        self.does(Act::Gesture(gesture));
    }

    /// The next thing that the wearer is told.
    pub async fn tells(&mut self) -> Told {
        self.running.as_mut().unwrap().told.recv().await.unwrap()
    }

    /// Waits until the wearer is told this.
    pub async fn told(&mut self, signal: Signal) {
        while self.tells().await.signal != signal {}
    }

    /// So much time passes.
    pub fn wait(&self, seconds: u64) {
        self.time.advance(seconds * 1_000);
    }

    /// From now on the band is busy with what it tells its wearer next, until this is dropped.
    pub fn shows_slowly(&self) -> OwnedSemaphorePermit {
        self.shows.clone().try_acquire_owned().unwrap()
    }

    /// What it can show.
    pub const fn face(&self) -> Face {
        self.face
    }

    /// The public half of its link key.
    pub fn public_key(&self) -> [u8; 32] {
        *SoftwareKey::new(self.key).public_key().as_bytes()
    }

    /// How many values are in the flash.
    pub fn stored(&self) -> usize {
        self.flash.borrow().len()
    }

    /// What went wrong so far, in the band's words.
    pub fn logged(&self) -> Vec<String> {
        self.running.as_ref().unwrap().logged.borrow().clone()
    }
}

async fn serve(port: u16, mut band: Band<SoftwareKey, SoftwareKeys>, mut body: Body, time: Rc<Time>, mut rng: Draws) {
    let mut resources = HostResources::<Heap<POOL>, 2, 4>::new();
    let stack = trouble_host::new(hci(port).await, &mut resources)
        .set_random_address(Address::random(ADDRESS))
        .register_l2cap_spsm(SPSM.unwrap().get())
        .build();
    let mut runner = stack.runner();
    let radio = Radio { company: 0xFFFF, channel: SPSM };
    let runs = async { panic!("the band's controller is gone: {:?}", runner.run().await) };
    let serves =
        async { panic!("{:?}", run::<_, _, _, _, _, _, FRAGMENT>(&stack, &mut band, &mut body, &*time, &mut rng, radio).await) };
    either(runs, serves).await
}

/// Randomness, in which the address of a band that stays where it is is not.
struct Draws {
    drawn: ChaCha20Rng,
    stays: bool,
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.drawn.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.drawn.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.drawn.try_fill_bytes(bytes)?;
        // Nothing else that is drawn is as long as an address.
        if self.stays && bytes.len() == ADDRESS.len() {
            bytes.copy_from_slice(&ADDRESS);
        }
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

/// A clock that a test turns.
#[derive(Default)]
pub struct Time {
    milliseconds: Cell<u64>,
    turned: Notify,
}

impl Time {
    fn advance(&self, milliseconds: u64) {
        self.milliseconds.set(self.milliseconds.get() + milliseconds);
        self.turned.notify_waiters();
    }
}

impl Clock for Time {
    fn now(&self) -> Uptime {
        Uptime::from_millis(self.milliseconds.get())
    }

    async fn wait(&self, until: Option<Uptime>) {
        loop {
            let turned = self.turned.notified();
            if until.is_some_and(|until| until <= self.now()) {
                return;
            }
            turned.await;
        }
    }
}

struct Body {
    acts: mpsc::UnboundedReceiver<Act>,
    tell: mpsc::UnboundedSender<Told>,
    shows: Arc<Semaphore>,
    flash: Rc<RefCell<BTreeMap<StoreKey, Vec<u8>>>>,
    logged: Rc<RefCell<Vec<String>>>,
}

impl Wrist for Body {
    async fn next(&mut self) -> Event<'_> {
        match self.acts.recv().await {
            Some(Act::PutOn) => Event::PutOn,
            Some(Act::Recognised) => Event::Recognised,
            Some(Act::Gesture(gesture)) => Event::Gesture(gesture),
            None => std::future::pending().await,
        }
    }

    async fn tell(&mut self, signal: Signal, _offer: Option<Offer<'_>>, label: Option<PairingLabel>) {
        let _ = self.shows.acquire().await.unwrap();
        // A test that is over listens no more.
        let _ = self.tell.send(Told { signal, label });
    }

    async fn store(&mut self, key: StoreKey, value: &[u8]) -> bool {
        self.flash.borrow_mut().insert(key, value.to_vec());
        true
    }

    async fn erase(&mut self, key: StoreKey) -> bool {
        self.flash.borrow_mut().remove(&key);
        true
    }

    async fn erase_all(&mut self) -> bool {
        self.flash.borrow_mut().clear();
        true
    }

    fn log(&mut self, error: &dyn Display) {
        self.logged.borrow_mut().push(error.to_string());
    }
}
