//! The world: its clock, its people, and the loop in which everything happens.

use std::collections::BTreeSet;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::cast::{Bank, FLOOR, LIMITS, Person, Till, Wrist};
use crate::dice::Dice;
use crate::fault::{Flow, Kind, Place, Point, Rates};
use crate::happening::Happening;
use crate::invariant::{Broken, Held, Invariant, holds};
use crate::queue::{Queue, Time};
use crate::radio::Air;
use crate::record::Record;
use crate::rule::Rule;
use crate::schedule::{Event, Faults};
use crate::sniffer::Sniffer;

/// How large a world is, and what happens in it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// All else comes of this.
    pub seed: u64,
    /// How many people there are, each with a band and a phone.
    pub people: usize,
    /// How many shops.
    pub shops: usize,
    /// How many errands each person has.
    pub errands: u32,
    /// How often something goes wrong.
    pub rates: Rates,
    /// The rule that somebody leaves out.
    pub omits: Option<Rule>,
    /// Errands that are left out: whose, and which.
    pub without: BTreeSet<(u32, u32)>,
    /// When the world ends, whatever goes on in it; `None` for when all is done.
    pub until: Option<Time>,
    /// The faults that happen; `None` for all that the seed draws.
    pub only: Option<BTreeSet<Point>>,
}

impl Setup {
    /// A world of the usual size: how bad its faults are comes of its seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::named(&[seed, 0x5e7]);
        let rates = Rates {
            radio: dice.between(10, 90),
            net: dice.between(350, 740),
            storage: dice.between(5, 90),
            people: dice.between(10, 80),
        };
        Self { seed, people: 6, shops: 3, errands: 24, rates, omits: None, without: BTreeSet::new(), until: None, only: None }
    }
}

/// What became of a world in which everything held.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The faults that hit something unfinished.
    pub histogram: crate::fault::Histogram,
    /// Payments that settled, and refunds.
    pub settled: usize,
    /// Refunds.
    pub refunded: usize,
    /// Errands that were begun.
    pub errands: u64,
    /// Virtual milliseconds.
    pub time: Time,
}

/// A world in which something did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What.
    pub broken: Broken,
    /// When.
    pub at: Time,
    /// All faults until then.
    pub events: Vec<Event>,
    /// All errands until then.
    pub errands: Vec<(u32, u32)>,
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) queue: Queue<Happening>,
    pub(crate) faults: Faults,
    pub(crate) rng: ChaCha20Rng,
    /// Latencies and the like.
    pub(crate) luck: Dice,
    pub(crate) bank: Bank,
    pub(crate) tills: Vec<Till>,
    pub(crate) people: Vec<Person>,
    pub(crate) wrists: Vec<Wrist>,
    pub(crate) air: Air,
    pub(crate) heard: crate::net::Heard,
    pub(crate) record: Record,
    /// What must not be seen on the radio.
    pub(crate) private: Sniffer,
    /// What must not be seen anywhere.
    pub(crate) secret: Sniffer,
    pub(crate) begun: Vec<(u32, u32)>,
    pub(crate) calm_since: Option<Time>,
}

/// How long those who are honest may take to get on once faults have stopped, in milliseconds.
const PATIENCE: Time = 10 * 60 * 1_000;
/// How long the world may go on before faults stop anyhow.
const LONGEST: Time = 60 * 60 * 1_000;

impl World {
    /// Lives through it.
    ///
    /// # Errors
    /// A [`Failure`] where an invariant does not hold.
    pub(crate) fn live(setup: Setup) -> Result<Outcome, Failure> {
        let mut world = Self::new(setup);
        match world.days() {
            Ok(()) => {
                let (settled, refunded) = world.record.done();
                Ok(Outcome {
                    histogram: world.faults.histogram,
                    settled,
                    refunded,
                    errands: world.begun.len() as u64,
                    time: world.queue.now(),
                })
            }
            Err(broken) => Err(Failure { broken, at: world.queue.now(), events: world.faults.events, errands: world.begun }),
        }
    }

    fn new(setup: Setup) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(setup.seed);
        let bank = Bank::new(setup.omits, &mut rng);
        let mut world = Self {
            queue: Queue::new(1_000),
            faults: Faults::new(setup.seed, setup.rates, (setup.without.clone(), setup.only.clone())),
            luck: Dice::named(&[setup.seed, 0x10cc]),
            bank,
            tills: Vec::new(),
            people: Vec::new(),
            wrists: Vec::new(),
            air: Air::default(),
            heard: crate::net::Heard::default(),
            record: Record::new(LIMITS, FLOOR.total),
            private: Sniffer::new(),
            secret: Sniffer::new(),
            begun: Vec::new(),
            calm_since: None,
            rng,
            setup,
        };
        world.settle_in();
        world
    }

    fn days(&mut self) -> Held {
        while let Some(happening) = self.queue.next() {
            self.happens(happening)?;
            if self.people.iter().all(|person| person.is_done) {
                break;
            }
            let now = self.queue.now();
            if self.setup.until.is_some_and(|until| until < now) {
                return Ok(());
            }
            match self.calm_since {
                None if now > LONGEST => self.calm_down()?,
                None if (0..self.people.len()).all(|person| self.is_idle(person)) => self.calm_down()?,
                Some(since) => holds(now < since + PATIENCE, Invariant::Progress, || self.stuck())?,
                None => {}
            }
        }
        self.evening()
    }

    fn happens(&mut self, happening: Happening) -> Held {
        match happening {
            Happening::Fragment { line, to, bytes } => self.fragment_comes(line, to, &bytes),
            Happening::Gone { line, to } => self.line_is_gone(line, to),
            Happening::Letter(letter) => self.letter_comes(letter),
            Happening::Flash { wrist, boot, ok } => self.flash_is_done(wrist, boot, ok),
            Happening::Tick { wrist, boot } => self.band_ticks(wrist, boot),
            Happening::Act { wrist, act } => self.wearer_acts(wrist, act),
            Happening::Look { person, turn } => self.looks_again(person, turn),
            Happening::Round => self.round(),
        }
    }

    /// Who has not got on.
    fn stuck(&self) -> String {
        let of = |(number, person): (usize, &Person)| {
            let (kept, linked) = (person.phone.kept.link.is_some(), person.phone.is_linked());
            format!("{number}: {:?} {:?} link {kept} linked {linked}", person.errand, person.last)
        };
        let stuck = self.people.iter().enumerate().filter(|(_, person)| !person.is_done);
        stuck.map(of).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn now(&self) -> Time {
        self.queue.now()
    }

    pub(crate) const fn is_calm(&self) -> bool {
        self.calm_since.is_some()
    }

    /// Whether something goes wrong here, and dice for the particulars.
    pub(crate) fn fate(&mut self, owner: usize, flow: Flow, place: Place) -> Option<(Kind, Dice)> {
        self.faults.draw(owner, flow, place, self.queue.now())
    }

    /// Whether this rule is left out.
    pub(crate) fn omits(&self, rule: Rule) -> bool {
        self.setup.omits == Some(rule)
    }

    /// Puts in what happens so many milliseconds from now.
    pub(crate) fn after(&mut self, milliseconds: Time, happening: Happening) {
        self.queue.put(self.queue.now() + milliseconds, happening);
    }
}
