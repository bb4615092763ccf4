//! What both Bluetooth stacks have in common: a thread of their own, on which one thing is done at a time.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use armring_ble::{Line, Pipe, Seen};
use armring_wire::ATT_PAYLOAD_MAX;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::timeout;

use super::{Inbox, Radio, Transport};
use crate::wallet::{Found, Heard, Input};

/// How long is looked for bands.
const SEARCH: Duration = Duration::from_secs(5);
/// How long a band that was seen may take to say whose it is: that comes in a second packet.
const GRACE: Duration = Duration::from_millis(700);
/// How often is looked whether that time is over.
const GLANCE: Duration = Duration::from_millis(100);
/// How long a band may take to answer a call.
pub(super) const ANSWER: Duration = Duration::from_secs(20);

/// A Bluetooth stack.
pub(super) trait Host: 'static {
    /// Hands what devices in reach say of themselves to `seen`, with where they are, packet by packet, until it is dropped.
    async fn scan(&self, seen: UnboundedSender<(String, Seen)>) -> Result<()>;

    /// Connects to the band at `place` and carries fragments until either side ends it.
    async fn call(&self, place: &str, wires: Wires) -> Result<()>;
}

/// A stack on its thread.
#[derive(Debug)]
pub struct Worker(UnboundedSender<Job>);

enum Job {
    Find(Inbox),
    Dial { place: String, wires: Wires },
}

/// Both ends of a connection, as the wallet has them.
pub(super) struct Wires {
    number: u64,
    orders: UnboundedReceiver<Order>,
    inbox: Inbox,
}

enum Order {
    Send(Vec<u8>),
    HangUp,
}

impl Worker {
    /// Starts the thread; `host` is made on it, when it is first needed.
    pub(super) fn start<H: Host>(host: impl FnOnce() -> H + Send + 'static) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, jobs) = unbounded_channel();
        thread::spawn(move || runtime.block_on(LocalSet::new().run_until(serve(Rc::new(host()), jobs))));
        Ok(Self(sender))
    }
}

impl Transport for Worker {
    fn find(&mut self, inbox: &Inbox) {
        let _ = self.0.send(Job::Find(inbox.clone()));
    }

    fn dial(&mut self, number: u64, place: &str, inbox: &Inbox) -> Box<dyn Radio> {
        let (sender, orders) = unbounded_channel();
        let wires = Wires { number, orders, inbox: inbox.clone() };
        let _ = self.0.send(Job::Dial { place: place.to_owned(), wires });
        Box::new(Handle(sender))
    }

    fn roams(&self) -> bool {
        true
    }
}

struct Handle(UnboundedSender<Order>);

impl Radio for Handle {
    fn send(&mut self, fragment: Vec<u8>) {
        let _ = self.0.send(Order::Send(fragment));
    }

    fn hang_up(&mut self) {
        let _ = self.0.send(Order::HangUp);
    }
}

/// One thing at a time: what is asked for ends what was before.
async fn serve<H: Host>(host: Rc<H>, mut jobs: UnboundedReceiver<Job>) {
    let mut running: Option<JoinHandle<()>> = None;
    while let Some(job) = jobs.recv().await {
        if let Some(task) = running.take() {
            task.abort();
            let _ = task.await;
        }
        let host = Rc::clone(&host);
        running = Some(spawn_local(async move {
            match job {
                Job::Find(inbox) => {
                    let result = find(&*host, &inbox).await.map_err(|error| format!("the search failed: {error:#}"));
                    inbox.tell(Input::FindOver(result));
                }
                Job::Dial { place, wires } => {
                    let (number, inbox) = (wires.number, wires.inbox.clone());
                    let why = host.call(&place, wires).await.err().map(|error| format!("{error:#}"));
                    inbox.tell(Input::Heard(number, Heard::Over(why)));
                }
            }
        }));
    }
}

/// Looks for bands for a while. Each is told of once it has said whose it is, or had the time to.
async fn find<H: Host>(host: &H, inbox: &Inbox) -> Result<()> {
    let (seen, mut sightings) = unbounded_channel::<(String, Seen)>();
    let gather = async {
        let (started, mut known) = (Instant::now(), BTreeMap::<String, Sighting>::new());
        while started.elapsed() < SEARCH {
            if let Ok(Some((place, seen))) = timeout(GLANCE, sightings.recv()).await {
                let sighting = known.entry(place).or_insert_with(|| Sighting { since: Instant::now(), seen, told: false });
                sighting.seen.is_band |= seen.is_band;
                sighting.seen.tag = seen.tag.or(sighting.seen.tag);
            }
            for (place, sighting) in &mut known {
                if sighting.is_due() {
                    sighting.told = true;
                    inbox.tell(Input::Found(Found { place: place.clone(), tag: sighting.seen.tag }));
                }
            }
        }
    };
    tokio::select! {
        result = host.scan(seen) => result,
        () = gather => Ok(()),
    }
}

/// A device that was seen.
struct Sighting {
    since: Instant,
    seen: Seen,
    told: bool,
}

impl Sighting {
    fn is_due(&self) -> bool {
        !self.told && self.seen.is_band && (self.seen.tag.is_some() || self.since.elapsed() > GRACE)
    }
}

/// Carries fragments until the wallet hangs up, or the line is of no more use.
pub(super) async fn carry<P: Pipe>(line: &mut Line<P>, wires: &mut Wires) {
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    loop {
        tokio::select! {
            order = wires.orders.recv() => match order {
                Some(Order::Send(payload)) if line.send(&payload).await.is_ok() => {}
                _ => return,
            },
            received = line.receive(&mut fragment) => match received {
                Ok(len) => wires.tell(Heard::Fragment(fragment.get(..len).unwrap_or_default().to_vec())),
                Err(_) => return,
            },
        }
    }
}

impl Wires {
    pub(super) fn tell(&self, heard: Heard) {
        self.inbox.tell(Input::Heard(self.number, heard));
    }
}

impl Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}
